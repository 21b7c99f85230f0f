"""Meeting -> attributes of a record: what a write to the CRM carries.

Decides how each field is written so that reading it back gives the same fingerprint, what a new record has
besides, and what of a removed record goes into one that takes its place. Does not decide which fields are
written (`planner`) nor how they are sent (`espocrm`, `relating`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from calsync_plugin.crm.attendance import LINK_OF_KIND, STATUS_OF_RESPONSE
from calsync_plugin.crm.gateway import Record
from calsync_plugin.crm.names import NAME_LENGTH, cut_line, write_name
from calsync_plugin.crm.records import NOT_HELD, RecordView
from calsync_plugin.crm.spans import read_span, span_attributes
from calsync_plugin.domain.meeting import Field, Meeting, Person, PersonKind, Response, fold_line
from calsync_plugin.markup import text_to_html
from calsync_plugin.settings import EntitySettings

# What a CRM makes itself, for each record anew. EspoCRM ignores such attributes without a word; reminders
# belong to the user who set them.
_MADE_BY_THE_CRM = frozenset(
    {
        *("id", "deleted", "uid", "duration", "versionNumber", "reminders", "acceptanceStatus"),
        *("createdAt", "createdById", "modifiedAt", "modifiedById", "streamUpdatedAt"),
        *("isFollowed", "followersIds", "accountId", "phoneNumbersMap"),
    }
)
_DATES = frozenset({"dateStart", "dateEnd", "isAllDay", "dateStartDate", "dateEndDate"})


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
        notes += _cut("subject", meeting.subject)
    if Field.LOCATION in wanted and entity.location:
        values[entity.location] = cut_line(meeting.location)
        notes += _cut("location", meeting.location)
    if Field.SPAN in wanted:
        item = f"{entity.entity_type} {current.id}" if current else entity.entity_type
        values |= span_attributes(meeting.span, all_day=entity.all_day, item=item)
    if Field.ATTENDEES in wanted:
        values |= _ids(meeting, current.hidden if current else ())
    if Field.RESPONSES in wanted:
        values |= _columns({a.person: a.response for a in meeting.sorted_attendees() if a.person})
    own = _of_own_attributes(meeting, entity)
    values |= {attribute: value for name, (attribute, value) in own.items() if name in wanted and attribute}
    return RecordWrite(values, tuple(notes))


def _of_own_attributes(meeting: Meeting, entity: EntitySettings) -> dict[Field, tuple[str, object]]:
    """Fields that lie in one attribute each, whose name the entity's settings give."""
    return {
        Field.DESCRIPTION: (entity.description, _description(meeting.description, entity)),
        Field.REMINDER: (entity.reminder, meeting.reminder),
        Field.SENSITIVITY: (entity.sensitivity, meeting.sensitivity.value),
        Field.SHOW_AS: (entity.show_as, meeting.show_as.value),
        Field.ONLINE: (entity.online, meeting.online),
    }


def new_record_attributes(
    meeting: Meeting,
    fields: Iterable[Field],
    entity: EntitySettings,
    *,
    assigned_user_id: str,
    teams: Sequence[str],
    marker: str,
    response: Response | None = None,
) -> RecordWrite:
    """Everything for the POST of a record: `fields`, name and time span in any case, owner, teams, marker.

    `response` is the assigned user's own answer; None takes it from the attendees, else the user organises
    the meeting and has accepted. Attendees whom the CRM does not know stay in Outlook. The status is left to
    the CRM. Raises InvalidEvent as `record_attributes` does.
    """
    wanted = frozenset(fields)
    content = wanted - {Field.ATTENDEES, Field.RESPONSES} | {Field.SUBJECT, Field.SPAN}
    write = record_attributes(meeting, content, entity)
    owner = Person(PersonKind.USER, assigned_user_id)
    answers = {a.person: a.response for a in meeting.sorted_attendees() if a.person}
    said = answers.pop(owner, Response.ACCEPTED)
    own = {owner: said if response is None else response}
    people = own | (answers if Field.ATTENDEES in wanted else {})
    answered = people if Field.RESPONSES in wanted else own
    ids = {name: found for name, found in _ids_of(people).items() if found}
    values = {
        **write.attributes,
        "assignedUserId": assigned_user_id,
        **ids,
        **_columns(answered),
        **bookkeeping_attributes(entity, marker=marker, join_url=meeting.join_url),
    }
    if teams:
        values["teamsIds"] = list(dict.fromkeys(teams))
    return RecordWrite(values, write.notes)


def cancelled_attributes() -> Record:
    """Attributes of a record whose meeting its organizer cancelled (R5)."""
    return {"status": NOT_HELD}


def private_attributes() -> Record:
    """Attributes of a record whose event became its owner's alone: no team reads along (R14)."""
    return {"teamsIds": []}


def restored_attributes(record: Record, entity: EntitySettings) -> Record:
    """Attributes of a new record that takes the place of a removed one, from its last JSON.

    Everything comes along but what the CRM makes itself, names of linked records among it. The marker does as
    well: the new record belongs to the same link. Raises InvalidRecord if the old one has no readable time.
    """
    item = f"{entity.entity_type} {record.get('id')}"
    values = {
        name: value
        for name, value in record.items()
        if value is not None and name not in _MADE_BY_THE_CRM | _DATES and not _names_a_link(name, record)
    }
    for link in LINK_OF_KIND.values():
        ids, columns = values.pop(f"{link}Ids", None), values.pop(f"{link}Columns", None)
        if isinstance(ids, list | tuple):
            values[f"{link}Ids"] = once = list(dict.fromkeys(i for i in ids if isinstance(i, str)))
            # Columns can hold people who were removed before, and PHP writes an empty map as [].
            known = columns if isinstance(columns, Mapping) else {}
            values[f"{link}Columns"] = {person: known[person] for person in once if person in known}
    return values | span_attributes(
        read_span(record, all_day=entity.all_day, item=item), all_day=entity.all_day
    )


def _names_a_link(name: str, record: Record) -> bool:
    return any(
        name.endswith(ending) and f"{name.removesuffix(ending)}{key}" in record
        for ending, key in (("Name", "Id"), ("Names", "Ids"))
    )


def bookkeeping_attributes(entity: EntitySettings, *, marker: str = "", join_url: str = "") -> Record:
    """Attributes that are ours in any mode: the marker and the join address, where the entity has them."""
    values = {entity.marker: marker, entity.join_url: join_url}
    return {attribute: value for attribute, value in values.items() if attribute and value}


def _ids(meeting: Meeting, hidden: Iterable[Person]) -> dict[str, object]:
    """Three whole sets, for EspoCRM replaces each."""
    return dict(_ids_of([*(a.person for a in meeting.sorted_attendees() if a.person), *hidden]))


def _ids_of(people: Iterable[Person]) -> dict[str, list[str]]:
    # An id given twice would be answered with 500.
    once = dict.fromkeys(people)
    return {f"{link}Ids": [p.id for p in once if p.kind is kind] for kind, link in LINK_OF_KIND.items()}


def _columns(answers: Mapping[Person, Response]) -> dict[str, object]:
    columns: dict[str, dict[str, object]] = {}
    for person, response in answers.items():
        link = columns.setdefault(f"{LINK_OF_KIND[person.kind]}Columns", {})
        link[person.id] = {"status": STATUS_OF_RESPONSE[response]}
    return dict(columns)


def _cut(what: str, text: str) -> list[str]:
    too_long = len(fold_line(text)) > NAME_LENGTH
    return [f"the {what} is longer than {NAME_LENGTH} characters; cut in the CRM"] if too_long else []


def _description(text: str, entity: EntitySettings) -> str:
    return text_to_html(text) if entity.description_format == "html" else text
