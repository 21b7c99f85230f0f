"""Record of the CRM -> meeting: the only place that reads the record dialect.

Decides what each attribute means and which records cannot be synced, with a reason that a person can act on.
What differs between the two sides by nature is evened out here, before any fingerprint. The way back is
`attributes`; dates are `spans`, names `names`, people `attendance`.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from calsync_plugin.crm.attendance import Attendance, read_attendance
from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.gateway import Record
from calsync_plugin.crm.names import read_name
from calsync_plugin.crm.spans import parse_instant, read_span
from calsync_plugin.domain.meeting import (
    Meeting,
    Person,
    PersonKind,
    Sensitivity,
    ShowAs,
    fold_line,
    fold_text,
)
from calsync_plugin.errors import InvalidRecord
from calsync_plugin.markup import html_to_text
from calsync_plugin.settings import EntitySettings

NOT_HELD = "Not Held"
HELD_STATUSES = frozenset({"Held", NOT_HELD})

_ALWAYS = (
    "id",
    "name",
    "deleted",
    "status",
    "dateStart",
    "dateEnd",
    "assignedUserId",
    "usersIds",
    "contactsIds",
    "leadsIds",
    "createdAt",
    "modifiedAt",
    "versionNumber",
    # Left out of the answer without a word if our role may not read it, or the entity has none.
    "uid",
)

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordView:
    """A record as the engine needs it: the meeting and what is the CRM's alone."""

    entity_type: str
    id: str
    meeting: Meeting
    assigned_user_id: str
    modified_at: datetime | None
    """By the CRM's clock; only a cheap filter."""
    status: str
    version: int | None
    """For optimistic concurrency; None where the CRM has none."""
    held: bool
    """Held or Not Held: over for the CRM, which writes nothing (R5)."""
    marker: str
    hidden: tuple[Person, ...]
    """People of the record who take no part in the set of attendees; a write must keep them."""
    notes: tuple[str, ...]
    """What was left out or evened out, in words for the owner."""
    uid: str = ""
    """The CRM's own iCalendar uid, empty if it does not tell (R21)."""
    created_at: datetime | None = None
    """By the CRM's clock; None if it does not tell."""

    @property
    def people(self) -> frozenset[Person]:
        """Everybody whom the record names, the assigned user among them."""
        attending = {a.person for a in self.meeting.attendees if a.person}
        return frozenset({Person(PersonKind.USER, self.assigned_user_id), *attending, *self.hidden})


def attributes_read(entity: EntitySettings) -> tuple[str, ...]:
    """Attributes to load for `read_record`. Selecting `usersIds` brings names and answers along."""
    optional = (
        entity.description,
        entity.location,
        entity.reminder,
        entity.sensitivity,
        entity.show_as,
        entity.online,
        entity.marker,
        entity.join_url,
    )
    days = ("isAllDay", "dateStartDate", "dateEndDate") if entity.all_day else ()
    return tuple(dict.fromkeys((*_ALWAYS, *days, *filter(None, optional))))


def read_record(
    record: Record, entity: EntitySettings, people: Directory, *, installation_zone: str = ""
) -> RecordView:
    """Read a loaded record, or raise InvalidRecord with a short stable `reason`.

    `people` is asked for every person of the record; `prefetch` them in bulk before reading many. The
    meeting's zone is the record's own, else the assigned user's, else the installation's: a hint only.
    """
    item, record_id, assigned = _identity(record, entity)
    attendance = read_attendance(record, assigned, people)
    notes = list(attendance.notes)
    meeting = _meeting(record, entity, attendance, item=item, notes=notes)
    status = _text(record, "status")
    version = record.get("versionNumber")
    return RecordView(
        entity_type=entity.entity_type,
        id=record_id,
        meeting=meeting if meeting.zone else replace(meeting, zone=installation_zone),
        assigned_user_id=assigned,
        modified_at=parse_instant(record.get("modifiedAt")),
        status=status,
        version=version if isinstance(version, int) else None,
        held=status in HELD_STATUSES,
        marker=_text(record, entity.marker),
        hidden=attendance.hidden,
        notes=tuple(notes),
        uid=_text(record, "uid"),
        created_at=parse_instant(record.get("createdAt")),
    )


def _identity(record: Record, entity: EntitySettings) -> tuple[str, str, str]:
    """Words for messages, id and assigned user of a record that lives and belongs to somebody."""
    record_id = record.get("id")
    if not isinstance(record_id, str) or not record_id:
        raise InvalidRecord("a record without an id", item=entity.entity_type, reason="no_id")
    item = f"{entity.entity_type} {record_id}"
    if record.get("deleted") is True:
        raise InvalidRecord("it is marked as deleted", item=item, reason="deleted")
    assigned = record.get("assignedUserId")
    if not isinstance(assigned, str) or not assigned:
        raise InvalidRecord(
            "it has no assigned user, so that it belongs to no calendar", item=item, reason="no_assigned_user"
        )
    return item, record_id, assigned


def _meeting(
    record: Record, entity: EntitySettings, attendance: Attendance, *, item: str, notes: list[str]
) -> Meeting:
    return Meeting(
        subject=read_name(record.get("name")),
        span=read_span(record, all_day=entity.all_day, item=item),
        location=fold_line(_text(record, entity.location)),
        description=_description(record, entity),
        attendees=attendance.attendees,
        reminder=_minutes(record, entity.reminder, notes),
        sensitivity=_choice(record, entity.sensitivity, Sensitivity.NORMAL, notes),
        show_as=_choice(record, entity.show_as, ShowAs.BUSY, notes),
        online=bool(entity.online and record.get(entity.online)),
        zone=_zone(record, item) or attendance.organizer_zone,
        organizer=attendance.organizer,
        join_url=_text(record, entity.join_url),
    )


def _text(record: Mapping[str, object], attribute: str) -> str:
    value = record.get(attribute) if attribute else None
    return value if isinstance(value, str) else ""


def _description(record: Record, entity: EntitySettings) -> str:
    """Plain text, whatever the entity holds: that is what both sides can be compared by."""
    written = _text(record, entity.description)
    return html_to_text(written) if entity.description_format == "html" else fold_text(written)


def _minutes(record: Record, attribute: str, notes: list[str]) -> int | None:
    value = record.get(attribute) if attribute else None
    if value is None or value == "":
        return None
    # A reminder may be an enumeration in the CRM, whose values are text.
    digits = value if isinstance(value, str) else str(value) if type(value) is int else ""
    if not (digits.isascii() and digits.isdigit()):
        notes.append(f"{attribute} is no number of minutes; no reminder is set")
        return None
    return int(digits)


def _choice(record: Record, attribute: str, usual: Choice, notes: list[str]) -> Choice:
    text = _text(record, attribute)
    if not text:
        return usual
    for choice in type(usual):
        if choice.value.lower() == text.replace(" ", "").lower():
            return choice
    notes.append(f"{attribute} has the unknown value {text!r:.40}; taken as {usual.value}")
    return usual


def _zone(record: Record, item: str) -> str:
    """Zone that the host's record names in `timeZone`; EspoCRM's records have none."""
    name = _text(record, "timeZone")
    if name and name not in _known_zones():
        raise InvalidRecord(
            f"the time zone {name!r:.60} is unknown; give an IANA name such as Europe/Berlin",
            item=item,
            reason="unknown_zone",
        )
    return name


@lru_cache(maxsize=1)
def _known_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
