"""What a host in the same process calls: free and busy times, slots and bookings, by datetimes.

Decides nothing: it turns datetimes into the seconds that the desk reckons with, and answers back. Who asks is
the host's affair; here everybody may be asked about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from calsync_plugin.booking.asking import BookingRequest
from calsync_plugin.booking.availability import Availability, UserTime
from calsync_plugin.booking.booker import Booker
from calsync_plugin.booking.slots import SlotQuery, Slots
from calsync_plugin.domain.availability import Interval
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.domain.slots import Mode
from calsync_plugin.errors import SettingsError
from calsync_plugin.state import Booking, BookingState

Span = tuple[datetime, datetime]
"""From the first moment to before the second one; both in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """When one user is busy."""

    user_id: str
    known: bool
    """Whether all calendars of the user were read. If not, nobody knows whether the user is free."""
    reason: str
    """Why they are not known, in words; empty if they are."""
    spans: Sequence[Span]
    """From all sources, in order and joined."""
    by_kind: Mapping[str, Sequence[Span]]
    """The same by kind of source: linked, conflict, feed, schedule, booking."""
    hours: Sequence[Span]
    """When the user works."""
    read_at: datetime | None
    """When the calendar was read that was read longest ago."""
    stale: bool
    """Whether it should have been read since."""
    problems: Sequence[str]
    """What is wrong, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Whose slots are meant: users, or a booking calendar, whose rules stand for what is left out here."""

    users: Sequence[str] = ()
    calendar: str = ""
    """Id of a booking calendar, in place of users."""
    asked_user: str = ""
    """The member of a service who is asked for."""
    mode: Mode | None = None
    """Whose time it takes; several users need one."""
    duration: timedelta | None = None
    step: timedelta | None = None
    before: timedelta | None = None
    after: timedelta | None = None
    notice: timedelta | None = None
    daily_limit: int | None = None
    zone: str = ""
    """IANA name, for users: in which steps and the days of the limit are meant. Calendars have their own."""

    def within(self, window: Interval) -> SlotQuery:
        """The question as the desk puts it."""
        return SlotQuery(
            window=window,
            users=tuple(self.users),
            calendar_id=self.calendar,
            asked_user=self.asked_user,
            mode=self.mode,
            duration=_whole(self.duration),
            step=_whole(self.step),
            before=_whole(self.before),
            after=_whole(self.after),
            notice=_whole(self.notice),
            daily_limit=self.daily_limit,
            zone=self.zone,
        )


@dataclass(frozen=True, slots=True)
class FreeSlot:
    """A time that is free, and who could take it (collective: who all come)."""

    start: datetime
    end: datetime
    user_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class Free:
    """Slots in order of time, and who is left out, with the reason in words."""

    slots: Sequence[FreeSlot]
    lacking: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """A booking. While it is held its record is being looked for; `calls.booking` tells what became of it."""

    id: str
    state: BookingState
    start: datetime
    end: datetime
    user_id: str
    """To whom the record is assigned."""
    entity_type: str
    record_id: str
    """Empty while there is none."""
    reason: str
    """Why it was released."""


class Calls:
    """`calsync.desk.calls`. Refuses in words (UserError) what cannot be asked, and naive datetimes."""

    def __init__(self, availability: Availability, slots: Slots, booker: Booker) -> None:
        """Call these parts of the desk."""
        self._availability = availability
        self._slots = slots
        self._booker = booker

    def busy(
        self, user_ids: Sequence[str], start: datetime, end: datetime, *, fresh: bool = False
    ) -> list[Busy]:
        """When users are busy, in the order asked; `fresh`: ask Outlook first, for some seconds at most."""
        found = self._availability.of(user_ids, *_window(start, end), fresh=fresh)
        return [_busy(one) for one in found]

    def slots(
        self,
        question: Question,
        start: datetime,
        end: datetime,
        *,
        fresh: bool = False,
        limit: int | None = None,
    ) -> Free:
        """The free slots between two moments, the first `limit` of them."""
        query = question.within(_window(start, end))
        found = self._slots.find(query, fresh=fresh, limit=limit)
        times = ((slot.start, slot.end, slot.user_ids) for slot in found.slots)
        return Free(free_slots(times), dict(found.lacking))

    def book(
        self,
        question: Question,
        start: datetime,
        name: str,
        *,
        key: str = "",
        caller: str = "",
        description: str = "",
        contact_ids: Sequence[str] = (),
        lead_ids: Sequence[str] = (),
        entity_type: str = "",
        attributes: Mapping[str, JsonValue] | None = None,
    ) -> Booked:
        """Book one of the slots of a question: reserve it, look at Outlook, create the record of `name`.

        With a `key`, the same request of the same `caller` is booked once however often it is made. Raises
        SlotTaken (`free_slots(error.next_slots)` are the next free ones), KeyReused, FeatureOff, NotBooked if
        the CRM refused, SettingsError for what cannot be booked, and RemoteError or StoreBusy where somebody
        cannot be asked now: in all these cases nothing was booked.
        """
        first = _second(start)
        request = BookingRequest(
            query=question.within((first, first + 1)),
            start=first,
            name=name,
            caller=caller,
            key=key,
            description=description,
            contact_ids=tuple(contact_ids),
            lead_ids=tuple(lead_ids),
            entity_type=entity_type,
            attributes=dict(attributes or {}),
        )
        return _booked(self._booker.book(request))

    def cancel(self, booking_id: str) -> Booked | None:
        """Remove a booking's record and free its time; None if there is no such booking."""
        found = self._booker.cancel(booking_id)
        return _booked(found) if found else None


def free_slots(found: Iterable[tuple[int, int, Sequence[str]]]) -> list[FreeSlot]:
    """Slots by datetimes, such as the `next_slots` of a SlotTaken."""
    return [FreeSlot(_moment(start), _moment(end), tuple(user_ids)) for start, end, user_ids in found]


def _busy(time: UserTime) -> Busy:
    return Busy(
        user_id=time.user_id,
        known=time.known,
        reason=time.reason,
        spans=_spans(time.busy),
        by_kind={kind: _spans(spans) for kind, spans in time.kinds.items()},
        hours=_spans(time.hours),
        read_at=time.read_at,
        stale=time.stale,
        problems=time.problems,
    )


def _booked(booking: Booking) -> Booked:
    return Booked(
        id=booking.id,
        state=booking.state,
        start=_moment(booking.start),
        end=_moment(booking.end),
        user_id=booking.user_id,
        entity_type=booking.entity_type,
        record_id=booking.record_id,
        reason=booking.reason,
    )


def _spans(intervals: Iterable[Interval]) -> list[Span]:
    return [(_moment(start), _moment(end)) for start, end in intervals]


def _window(start: datetime, end: datetime) -> Interval:
    return _second(start), _second(end)


def _second(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise SettingsError(f"{moment} has no zone; write datetime(..., tzinfo=ZoneInfo('Europe/Vienna'))")
    return int(moment.timestamp())


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _whole(duration: timedelta | None) -> int | None:
    return None if duration is None else int(duration.total_seconds())
