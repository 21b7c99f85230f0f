"""Values that the tests of the domain are made of: people, meetings, links in step, policies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from calsync_plugin.domain.answering import Own
from calsync_plugin.domain.carried import carried
from calsync_plugin.domain.links import (
    Base,
    Copy,
    CopyPurpose,
    CopyState,
    Link,
    LinkState,
    Origin,
    Presence,
    Role,
)
from calsync_plugin.domain.meeting import Attendee, Field, Meeting, Person, PersonKind, Response
from calsync_plugin.domain.operations import (
    CancelRecord,
    CreateEvent,
    CreateRecord,
    DeleteEvent,
    DeleteRecord,
    Operation,
    Respond,
    UpdateEvent,
    UpdateRecord,
)
from calsync_plugin.domain.planner import Assignee, Ours, Standing, Theirs
from calsync_plugin.domain.policy import Mode, Policy
from calsync_plugin.domain.privacy import visible
from calsync_plugin.domain.timespan import Timed, TimeSpan

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TOMORROW = NOW + timedelta(days=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
A, B, C = 1, 2, 3
"""The mailboxes of alice, bob and carl."""

OUTLOOK_WRITES = (CreateEvent, UpdateEvent, DeleteEvent, Respond)
CRM_WRITES = (CreateRecord, UpdateRecord, DeleteRecord, CancelRecord)
WRITES = (*OUTLOOK_WRITES, *CRM_WRITES)


def hours(start: float, length: float = 1) -> TimeSpan:
    """A span that starts so many hours from now."""
    return Timed(NOW + start * HOUR, NOW + (start + length) * HOUR)


SOON, LATER, OVER, LONG_OVER = hours(24), hours(48), hours(-24), hours(-48)


def user(name: str, address: str | None = None, response: Response = Response.NONE) -> Attendee:
    """A user of the CRM; the address is made of the name unless given."""
    person = Person(PersonKind.USER, name)
    mail = f"{name}@example.com" if address is None else address
    return Attendee(address=mail, name=name.title(), person=person, response=response)


def contact(name: str, address: str | None = None) -> Attendee:
    """A contact of the CRM."""
    mail = f"{name}@client.example" if address is None else address
    return Attendee(address=mail, name=name.title(), person=Person(PersonKind.CONTACT, name))


def stranger(address: str) -> Attendee:
    """Somebody whom the CRM does not know."""
    return Attendee(address=address)


BOB, EVE, DAN = user("bob"), user("eve"), contact("dan")
ZED = stranger("zed@elsewhere.example")


def meeting(subject: str = "Kick-off", span: TimeSpan = SOON, **fields: Any) -> Meeting:
    """A meeting tomorrow, unless said otherwise."""
    return Meeting(subject=subject, span=span, **fields)


def policy(**choices: Any) -> Policy:
    """A policy of today; both ways unless said otherwise."""
    return Policy(now=choices.pop("now", NOW), **choices)


def syncing(mailbox_id: int = A) -> Assignee:
    """An assigned user whose account takes records."""
    return Assignee(user_id=f"user{mailbox_id}", standing=Standing.SYNCING, mailbox_id=mailbox_id)


def waiting(mailbox_id: int = B) -> Assignee:
    """An assigned user whose account is not ready."""
    return Assignee(user_id=f"user{mailbox_id}", standing=Standing.WAITING, mailbox_id=mailbox_id)


def not_syncing(mailbox_id: int = 0) -> Assignee:
    """An assigned user who does not sync at all."""
    return Assignee(user_id="nosync", standing=Standing.NONE, mailbox_id=mailbox_id)


def home(mailbox_id: int = A, state: CopyState = CopyState.LIVE) -> Copy:
    """A home copy."""
    event_id = f"event-{mailbox_id}" if state is CopyState.LIVE else ""
    return Copy(mailbox_id=mailbox_id, purpose=CopyPurpose.HOME, state=state, event_id=event_id)


def leaving(mailbox_id: int, event_id: str | None = None) -> Copy:
    """A former home."""
    event_id = f"event-{mailbox_id}" if event_id is None else event_id
    state = CopyState.LIVE if event_id else CopyState.INTENDED
    return Copy(mailbox_id=mailbox_id, purpose=CopyPurpose.LEAVING, state=state, event_id=event_id)


def attendee_copy(mailbox_id: int) -> Copy:
    """The same meeting in an attendee's mailbox."""
    return replace(home(mailbox_id), purpose=CopyPurpose.ATTENDEE, event_id=f"copy-{mailbox_id}")


def linked(
    ours: Meeting | None = None,
    theirs: Meeting | None = None,
    *,
    by: Policy | None = None,
    fields: Iterable[Field] | None = None,
    **parts: Any,
) -> Link:
    """An active link whose bases are `ours` and `theirs` (the same unless given) under `by`.

    Outlook's base holds no more than the CRM may see, and always whether the event was private.
    """
    ours, by = ours or meeting(), by or policy()
    values: dict[str, Any] = {"id": "link", "entity_type": "Meeting", "record_id": "r1", "copies": (home(),)}
    values |= parts
    link = Link(**values)
    names = frozenset(carried(link.origin, link.role, by) if fields is None else fields)
    if "crm_base" not in parts:
        link = replace(link, crm_base=Base(ours.normal_form(names), "1"))
    if "outlook_base" not in parts:
        seen = visible(link.origin, theirs or ours, by)
        link = replace(link, outlook_base=Base(seen.normal_form(names | {Field.SENSITIVITY}), "a"))
    return link


def suspended(link: Link) -> Link:
    """The same link, suspended."""
    return replace(link, state=LinkState.SUSPENDED, reason="paused")


def ours(
    now: Meeting | None = None, assignee: Assignee | None = None, modified_at: datetime | None = None
) -> Ours:
    """The record, present, as it was unless given."""
    return Ours(
        presence=Presence.PRESENT,
        meeting=now or meeting(),
        assignee=assignee or syncing(),
        modified_at=modified_at,
    )


def theirs(now: Meeting | None = None, own: Own | None = None) -> Theirs:
    """The event, present and read, as it was unless given."""
    return Theirs(presence=Presence.PRESENT, meeting=now or meeting(), own=own)


def own(
    response: Response, known: Response = Response.NONE, mode: Mode = Mode.BOTH, mailbox_id: int = B
) -> Own:
    """Bob's copy in his own mailbox, unless said otherwise."""
    return Own(
        mailbox_id=mailbox_id,
        event_id=f"copy-{mailbox_id}",
        person_key=BOB.key,
        response=response,
        known=known,
        takes=mode is not Mode.OUTLOOK_TO_CRM,
        gives=mode is not Mode.CRM_TO_OUTLOOK,
    )


AS_IN_BASE = Theirs(presence=Presence.PRESENT)
GONE_EVENT, ABSENT_EVENT = Theirs(presence=Presence.GONE), Theirs(presence=Presence.ABSENT)
UNKNOWN_EVENT, FAR_EVENT = Theirs(presence=Presence.UNKNOWN), Theirs(presence=Presence.OUT_OF_SCOPE)
GONE_RECORD, ABSENT_RECORD = Ours(presence=Presence.GONE), Ours(presence=Presence.ABSENT)
UNKNOWN_RECORD, FAR_RECORD = Ours(presence=Presence.UNKNOWN), Ours(presence=Presence.OUT_OF_SCOPE)


RECORDS = {
    "present": ours(),
    "gone": GONE_RECORD,
    "far": FAR_RECORD,
    "unknown": UNKNOWN_RECORD,
    "absent": ABSENT_RECORD,
}
EVENTS = {
    "present": theirs(),
    "gone": GONE_EVENT,
    "far": FAR_EVENT,
    "unknown": UNKNOWN_EVENT,
    "absent": ABSENT_EVENT,
}
ENTITIES = list(product(Mode, Origin, Role, [False, True]))
ENTITY_NAMES = ["-".join(map(str, p)) for p in ENTITIES]


def kinds(plan: Iterable[Operation]) -> list[str]:
    """The names of the operations, in their order."""
    return [type(operation).__name__ for operation in plan]


def writes(plan: Iterable[Operation]) -> list[str]:
    """The names of the operations that change one of the two sides."""
    return [type(o).__name__ for o in plan if isinstance(o, WRITES)]
