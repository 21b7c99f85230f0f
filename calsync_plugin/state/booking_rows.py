"""What the store hands out about bookings: frozen values, one for each kind of row.

Decides nothing. Times of slots are whole epoch seconds, plain floats are epoch seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from calsync_plugin.domain.availability import Interval
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.state.busy_rows import BusySource, BusyTime
from calsync_plugin.state.rows import Subject


class CalendarKind(StrEnum):
    """What a booking calendar is for."""

    PERSONAL = "personal"
    """One member."""
    ROUND_ROBIN = "round_robin"
    """A team, any of whom takes a meeting."""
    COLLECTIVE = "collective"
    """A team, all of whom come."""
    SERVICE = "service"
    """What any of its members gives; one of them may be asked for."""
    EVENT = "event"
    """One to many: not connected to Outlook."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingCalendar:
    """What can be booked, set up by an administrator."""

    id: str
    name: str
    kind: CalendarKind
    rules: Mapping[str, JsonValue] = field(default_factory=dict)
    """By the names of `booking_calendar.schema.json`."""
    members: Mapping[str, int] = field(default_factory=dict)
    """Priority by user id."""
    version: int = 0


class BookingState(StrEnum):
    """How far a booking has come."""

    HELD = "held"
    """The time is taken, the record is being made."""
    CONFIRMED = "confirmed"
    RELEASED = "released"
    """The time is free again; `reason` says why."""


class HoldState(StrEnum):
    """Whether a booking takes up its user's time by itself."""

    HELD = "held"
    KEPT = "kept"
    """Confirmed; its event was not read yet, or there will be none."""
    FOLLOWED = "followed"
    """Its event is among the blocks of the user's calendar, which tells from then on."""


TAKING = (HoldState.HELD, HoldState.KEPT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """A reserved slot, and the record that was made of it."""

    id: str
    calendar_id: str = ""
    caller: str = ""
    key: str = ""
    """The idempotency key of whoever asked; empty for none."""
    request_hash: str = ""
    """Of what was asked for with the key: another request with the same key is a mistake."""
    state: BookingState = BookingState.HELD
    user_id: str = ""
    """To whom the record is assigned."""
    start: int = 0
    end: int = 0
    entity_type: str = ""
    record_id: str = ""
    content: str = field(default="", repr=False)
    """What the record is made of, as JSON; encrypted in the store."""
    reason: str = ""
    made_at: float = 0.0
    changed_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What a booking takes of one user's time."""

    booking_id: str
    user_id: str
    start: int
    end: int
    state: HoldState


@dataclass(frozen=True, slots=True)
class Turn:
    """What a member of a booking calendar was given lately."""

    booked: int
    last: float | None
    """When the last of all bookings was made; None if there was none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All that counts when a slot is given away, read in the transaction that gives it."""

    taken: Mapping[str, list[Interval]]
    """By user: what holds take within the asked span, none of the booking itself."""
    booked: Mapping[str, list[Interval]]
    """By user: the bookings of these days, of the same booking calendar if there is one; followed or not."""
    turns: Mapping[str, Turn]
    """By user, of the booking calendar."""
    sources: Sequence[BusySource] = ()
    """All sources of the users."""
    times: Sequence[BusyTime] = ()
    """What these sources hold of the asked span; of whole days some that lie just beside it, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A feature that is off. `subject` of kind `installation` has no id."""

    feature: str
    subject: Subject
    subject_name: str = ""
    closed_by: str = ""
    closed_at: datetime | None = None
