"""Meeting -> attributes of a record: what a write to the CRM carries.

Decides how each field is written so that reading it back gives the same fingerprint. Does not decide which
fields are written (`planner`) nor how they are sent (`espocrm`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from calsync_plugin.crm.attendance import LINK_OF_KIND, STATUS_OF_RESPONSE
from calsync_plugin.crm.gateway import Record
from calsync_plugin.crm.names import NAME_LENGTH, write_name
from calsync_plugin.crm.records import RecordView
from calsync_plugin.crm.spans import span_attributes
from calsync_plugin.domain.meeting import Field, Meeting, Person, fold_line
from calsync_plugin.markup import text_to_html
from calsync_plugin.settings import EntitySettings


@dataclass(frozen=True, slots=True)
class RecordWrite:
    """What to send, and what had to be left out of it in words for the owner."""

    attributes: Record
    notes: tuple[str, ...] = ()


def record_attributes(
    meeting: Meeting, fields: Iterable[Field], entity: EntitySettings, *, current: RecordView | None = None
) -> RecordWrite:
    """Attributes that carry `fields` of `meeting`; a field that the entity lacks is left out.

    `current` is the record as it was read, None for a new one. Raises InvalidEvent if an all-day meeting is
    to become a record without days.
    """
    wanted = frozenset(fields)
    values: dict[str, object] = {}
    notes: list[str] = []
    if Field.SUBJECT in wanted:
        values["name"] = write_name(meeting.subject)
        if len(fold_line(meeting.subject)) > NAME_LENGTH:
            notes.append(f"the subject is longer than {NAME_LENGTH} characters; cut in the CRM")
    if Field.SPAN in wanted:
        item = f"{entity.entity_type} {current.id}" if current else entity.entity_type
        values |= span_attributes(meeting.span, all_day=entity.all_day, item=item)
    if Field.ATTENDEES in wanted:
        values |= _ids(meeting, current.hidden if current else ())
    if Field.RESPONSES in wanted:
        values |= _columns(meeting)
    own = _of_own_attributes(meeting, entity)
    values |= {attribute: value for name, (attribute, value) in own.items() if name in wanted and attribute}
    return RecordWrite(values, tuple(notes))


def _of_own_attributes(meeting: Meeting, entity: EntitySettings) -> dict[Field, tuple[str, object]]:
    """Fields that lie in one attribute each, whose name the entity's settings give."""
    return {
        Field.LOCATION: (entity.location, meeting.location),
        Field.DESCRIPTION: (entity.description, _description(meeting.description, entity)),
        Field.REMINDER: (entity.reminder, meeting.reminder),
        Field.SENSITIVITY: (entity.sensitivity, meeting.sensitivity.value),
        Field.SHOW_AS: (entity.show_as, meeting.show_as.value),
        Field.ONLINE: (entity.online, meeting.online),
    }


def bookkeeping_attributes(entity: EntitySettings, *, marker: str = "", join_url: str = "") -> Record:
    """Attributes that are ours in any mode: the marker and the join address, where the entity has them."""
    values = {entity.marker: marker, entity.join_url: join_url}
    return {attribute: value for attribute, value in values.items() if attribute and value}


def _ids(meeting: Meeting, hidden: Iterable[Person]) -> dict[str, object]:
    """Three whole sets, for EspoCRM replaces each; an id given twice would be answered with 500."""
    people = dict.fromkeys([*(a.person for a in meeting.sorted_attendees() if a.person), *hidden])
    return {f"{link}Ids": [p.id for p in people if p.kind is kind] for kind, link in LINK_OF_KIND.items()}


def _columns(meeting: Meeting) -> dict[str, object]:
    columns: dict[str, dict[str, object]] = {}
    for attendee in meeting.sorted_attendees():
        if attendee.person:
            link = columns.setdefault(f"{LINK_OF_KIND[attendee.person.kind]}Columns", {})
            link[attendee.person.id] = {"status": STATUS_OF_RESPONSE[attendee.response]}
    return dict(columns)


def _description(text: str, entity: EntitySettings) -> str:
    return text_to_html(text) if entity.description_format == "html" else text
