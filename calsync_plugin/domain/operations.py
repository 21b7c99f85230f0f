"""What a plan consists of: frozen values that say what is to be done, to whom, and nothing of how.

Decides nothing. The planner makes them, the engine carries them out in their order and saves the bases once,
after the last one: the fields that operations name are settled then, all others stay (`Base.after`).
"""

from __future__ import annotations

from dataclasses import dataclass

from calsync_plugin.domain.meeting import Attendee, Field, JsonValue, Meeting, Response


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateEvent:
    """Create the event in the main calendar of `mailbox_id`; that copy becomes the home copy."""

    mailbox_id: int
    meeting: Meeting
    fields: frozenset[Field]
    moves: bool = False
    """A reassignment: the former home becomes a leaving copy, deleted once this one is confirmed (R2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateEvent:
    """Write `fields` of `meeting` to the home copy."""

    mailbox_id: int
    event_id: str
    meeting: Meeting
    fields: frozenset[Field]
    added: tuple[Attendee, ...] = ()
    removed: tuple[Attendee, ...] = ()
    """What the record's own edits did to the attendees; all others stay as the event has them (R7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteEvent:
    """Delete one copy. `drops_link`: the link ends when no home or leaving copy is left."""

    mailbox_id: int
    event_id: str
    reason: str
    drops_link: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRecord:
    """Create the record of an event."""

    meeting: Meeting
    fields: frozenset[Field]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRecord:
    """Write `fields` of `meeting` to the record."""

    meeting: Meeting
    fields: frozenset[Field]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRecord:
    """Remove the record of an event that is gone."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Respond:
    """Answer an invitation through the invited user's own copy; Outlook tells the organizer (R3)."""

    mailbox_id: int
    event_id: str
    response: Response


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRecord:
    """The organizer called the meeting off: the record's status becomes Not Held (R5)."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskLog:
    """The event became private: what was noted of it becomes unreadable at once (R14)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveBase:
    """Remember what both sides look like now in `fields`, and only in these; write nothing."""

    fields: frozenset[Field]
    apart: frozenset[Field] = frozenset()
    """Those of them that entered by a change of settings and differ: a person shall know (section 4.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detach:
    """Follow this meeting no longer; only a person ends that. `reason` is shown."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspend:
    """Leave both sides alone until the reason ends (R12)."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """The reason of a suspension ended; the sides were compared by this plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DropLink:
    """Nothing is left to link; `reason` goes to the log of the account."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordClash:
    """Both sides changed `field`; keep both values where the owner can read them."""

    field: Field
    ours: JsonValue
    theirs: JsonValue
    winner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing can be done now, and that is all right; `reason` is for the log."""

    reason: str
    told: bool = False
    """Whether the owner is to read it."""


Operation = (
    CreateEvent
    | UpdateEvent
    | DeleteEvent
    | CreateRecord
    | UpdateRecord
    | DeleteRecord
    | Respond
    | CancelRecord
    | MaskLog
    | SaveBase
    | Detach
    | Suspend
    | Resume
    | DropLink
    | RecordClash
    | Wait
)
