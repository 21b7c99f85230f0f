"""Which events and records without a link are the same meeting (R21).

Decides by the CRM's own iCalendar uid, then by what both sides show. Does not read markers, and does not
decide whether a match may be linked (`adoption`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from calsync_plugin.domain.meeting import Meeting, fold_line
from calsync_plugin.domain.timespan import TimeSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """An event without a link, as its owner sees it: not masked, and its subject without a label."""

    event_id: str
    ical_uid: str
    meeting: Meeting
    entity_type: str = ""
    """The only kind of record that it may look like: its label says so (R4). Empty: any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A record without a link. `addresses` are those of its attendees, in lower case."""

    entity_type: str
    record_id: str
    uid: str
    """The CRM's own iCalendar uid, under which it may have mailed invitations; empty if it cannot be read."""
    subject: str
    span: TimeSpan
    addresses: frozenset[str]
    owner: str = ""
    """The address of its assigned user, who need not be among the attendees."""


Group = tuple[list[Unmatched], list[Candidate]]
Pairs = list[tuple[Unmatched, Candidate]]


def match_records(events: Sequence[Unmatched], records: Sequence[Candidate]) -> dict[str, Candidate]:
    """The record of each event that has one, by event id.

    First the uid of an invitation that the CRM mailed; then equal subject, span and people. Only what is
    unique on both sides is a match: of two that look alike nobody knows which is which.
    """
    invited = _unique(_grouped(events, records, _uid_of_event, _uid_of_record), lambda _, __: True)
    matched = {event.event_id: record for event, record in invited}
    taken = {(record.entity_type, record.record_id) for record in matched.values()}
    left = [e for e in events if e.event_id not in matched]
    free = [r for r in records if (r.entity_type, r.record_id) not in taken]
    alike = _unique(_grouped(left, free, _look_of_event, _look_of_record), _same_people)
    return matched | {event.event_id: record for event, record in alike}


def _grouped(
    events: Sequence[Unmatched],
    records: Sequence[Candidate],
    of_event: Callable[[Unmatched], str],
    of_record: Callable[[Candidate], str],
) -> Iterable[Group]:
    """Events and records that say the same thing, whatever it is; what says nothing is left out."""
    groups: dict[str, Group] = {}
    for event in events:
        groups.setdefault(of_event(event), ([], []))[0].append(event)
    for record in records:
        groups.setdefault(of_record(record), ([], []))[1].append(record)
    return (group for said, group in groups.items() if said)


def _unique(groups: Iterable[Group], alike: Callable[[Unmatched, Candidate], bool]) -> Pairs:
    """Pairs of which neither has a second partner."""
    found: Pairs = []
    for events, records in groups:
        pairs = [(e, r) for e in events for r in records if alike(e, r)]
        found += [
            (event, record)
            for event, record in pairs
            if sum(e is event for e, _ in pairs) == 1 and sum(r is record for _, r in pairs) == 1
        ]
    return found


def _uid_of_event(event: Unmatched) -> str:
    return event.ical_uid


def _uid_of_record(record: Candidate) -> str:
    return record.uid


def _look_of_event(event: Unmatched) -> str:
    return _look(event.meeting.subject, event.meeting.span)


def _look_of_record(record: Candidate) -> str:
    return _look(record.subject, record.span)


def _look(subject: str, span: TimeSpan) -> str:
    return "\n".join([*span.normal(), fold_line(subject)])


def _same_people(event: Unmatched, record: Candidate) -> bool:
    """The organizer aside: who organizes is not among the event's attendees, and not always on the record.

    Of an invitation the record's owner is one of those invited.
    """
    if event.entity_type not in ("", record.entity_type):
        return False
    organizer = {event.meeting.organizer.address} if event.meeting.organizer else set()
    people = {a.address for a in event.meeting.attendees if a.address} - organizer
    return people in (record.addresses - organizer, (record.addresses | {record.owner}) - organizer - {""})
