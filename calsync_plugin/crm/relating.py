"""Writing a record whose people the CRM may have lost meanwhile.

Decides who is left out if EspoCRM refuses to relate somebody, so that one contact who was deleted does not
keep a whole meeting out of the CRM. EspoCRM 9.2.7, measured: it then saves nothing, names the link and not
the id, and looks only at those who are new to the record.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from calsync_plugin.crm.attendance import LINK_OF_KIND
from calsync_plugin.crm.attributes import RecordWrite
from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.gateway import Record
from calsync_plugin.domain.meeting import Person, PersonKind
from calsync_plugin.errors import Refused

Answer = TypeVar("Answer")


def write_related(
    send: Callable[[Record], Answer],
    write: RecordWrite,
    people: Directory,
    *,
    present: Collection[Person] = (),
) -> tuple[Answer, RecordWrite]:
    """Send `write`, and again without those whom the CRM no longer knows if it refuses to relate them.

    `send` is a create or update of the gateway; `present` are the people whom the record has already, who
    are given up last. Returns its answer and what was sent in the end, with a note for everybody left out.
    Raises the CRM's refusal if nobody is left to leave out; `people` then forgets the assigned user, whom the
    CRM may have lost as well.
    """
    attributes, notes = dict(write.attributes), list(write.notes)
    while True:
        try:
            return send(attributes), RecordWrite(attributes, tuple(notes))
        except Refused as refusal:
            kind, _, link = refusal.reason.partition(":")
            if kind != "cannot_relate":
                raise
            left_out = _leave_out(attributes, link, people, frozenset(present))
            if not left_out:
                people.forget(_owner(attributes))
                raise
            notes += left_out


def _leave_out(
    attributes: dict[str, object], link: str, people: Directory, present: frozenset[Person]
) -> list[str]:
    """Take out of `attributes` what may be the reason, and say so; empty if nothing can be."""
    if link in {"", *LINK_OF_KIND.values()}:
        return _leave_out_people(attributes, people, present)
    if link == "assignedUser":
        return []
    # A team or parent that is gone: the meeting is worth more than the relation.
    taken = [attributes.pop(f"{link}{end}", None) for end in ("Ids", "Id", "Type")]
    return [f"the CRM does not take its {link}; left out of the record"] if any(taken) else []


def _leave_out_people(
    attributes: dict[str, object], people: Directory, present: frozenset[Person]
) -> list[str]:
    named = [person for person in _people(attributes) if person != _owner(attributes)]
    before = people.cards(named)
    for person in named:
        people.forget(person)
    now = people.cards(named)
    lost = [person for person in named if person not in now or not now[person].active]
    lost = [person for person in lost if person not in present] or lost
    for person in lost:
        _take_out(attributes, person)
    names = {person: before[person].name for person in lost if person in before}
    return [
        f"{person.kind} {names.get(person) or person.id} cannot be related in the CRM; left out of the record"
        for person in lost
    ]


def _owner(attributes: Record) -> Person:
    return Person(PersonKind.USER, str(attributes.get("assignedUserId") or ""))


def _people(attributes: Record) -> list[Person]:
    found = []
    for kind, link in LINK_OF_KIND.items():
        ids = attributes.get(f"{link}Ids")
        found += [Person(kind, i) for i in ids if isinstance(i, str)] if isinstance(ids, list) else []
    return found


def _take_out(attributes: dict[str, object], person: Person) -> None:
    link = LINK_OF_KIND[person.kind]
    ids, columns = attributes.get(f"{link}Ids"), attributes.get(f"{link}Columns")
    if isinstance(ids, list):
        attributes[f"{link}Ids"] = [i for i in ids if i != person.id]
    if isinstance(columns, Mapping):
        attributes[f"{link}Columns"] = {i: value for i, value in columns.items() if i != person.id}
