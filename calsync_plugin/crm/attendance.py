"""People of a record <-> the attendees of a meeting (R7).

Decides who is the organizer, who is an attendee and whose address can be used. EspoCRM 9.2.7, measured: the
assigned user is always among the users; columns can be stale, hold people just removed and any status.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.gateway import PersonCard, Record
from calsync_plugin.domain.meeting import Attendee, Person, PersonKind, Response, fold_line

LINK_OF_KIND = {PersonKind.USER: "users", PersonKind.CONTACT: "contacts", PersonKind.LEAD: "leads"}

STATUS_OF_RESPONSE = {
    Response.NONE: "None",
    Response.ACCEPTED: "Accepted",
    Response.TENTATIVE: "Tentative",
    Response.DECLINED: "Declined",
}
_RESPONSE_OF_STATUS = {status: response for response, status in STATUS_OF_RESPONSE.items()}

# No more than what makes an invitation undeliverable for sure: Exchange judges the rest.
_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\\\"]{1,64}@[^\s@<>()\[\],;:\\\"]{1,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """Who takes part, as a record says."""

    organizer: Attendee
    organizer_zone: str
    attendees: tuple[Attendee, ...]
    hidden: tuple[Person, ...]
    """Left out because an earlier one has the same address."""
    notes: tuple[str, ...]


def people_of(record: Record) -> frozenset[Person]:
    """Everybody whom a record names: what a directory should fetch before many records are read."""
    assigned = record.get("assignedUserId")
    owner = [Person(PersonKind.USER, assigned)] if isinstance(assigned, str) and assigned else []
    return frozenset([*owner, *_linked(record)])


def read_attendance(record: Record, assigned_user_id: str, people: Directory) -> Attendance:
    """Read organizer and attendees. A person without a usable address keeps the place, with a note."""
    owner = Person(PersonKind.USER, assigned_user_id)
    cards = people.cards(people_of(record) | {owner})
    notes: list[str] = []
    organizer = _attendee(record, owner, cards.get(owner), [])
    taken = {organizer.address} - {""}
    attendees: list[Attendee] = []
    hidden: list[Person] = []
    for person in dict.fromkeys(_linked(record)):
        if person == owner:
            continue
        attendee = _attendee(record, person, cards.get(person), notes)
        if attendee.address and attendee.address in taken:
            notes.append(f"{_words(attendee)} has the address of another participant; invited once")
            hidden.append(person)
            continue
        taken.add(attendee.address)
        attendees.append(attendee)
    card = cards.get(owner)
    return Attendance(
        organizer=organizer,
        organizer_zone=card.zone if card else "",
        attendees=tuple(attendees),
        hidden=tuple(hidden),
        notes=tuple(notes),
    )


def _linked(record: Record) -> Iterator[Person]:
    for kind, link in LINK_OF_KIND.items():
        ids = record.get(f"{link}Ids")
        for person_id in ids if isinstance(ids, list | tuple) else ():
            if isinstance(person_id, str) and person_id:
                yield Person(kind, person_id)


def _attendee(record: Record, person: Person, card: PersonCard | None, notes: list[str]) -> Attendee:
    link = LINK_OF_KIND[person.kind]
    column = _entry(record, f"{link}Columns", person.id)
    status = column.get("status") if isinstance(column, Mapping) else None
    name = (card.name if card else "") or _entry(record, f"{link}Names", person.id)
    attendee = Attendee(
        address=usable_address(card),
        name=fold_line(name) if isinstance(name, str) else "",
        person=person,
        response=_RESPONSE_OF_STATUS.get(str(status), Response.NONE),
    )
    if card is None:
        notes.append(f"{_words(attendee)} is not known to the CRM or not readable for us; not invited")
    elif not attendee.address:
        notes.append(f"{_words(attendee)} has no usable e-mail address; not invited")
    return attendee


def usable_address(card: PersonCard | None) -> str:
    """Primary address in lower case, or the first further one that can be used; empty if none can."""
    addresses = (address.strip() for address in (card.addresses if card else ()))
    return next((address.lower() for address in addresses if _ADDRESS.fullmatch(address)), "")


def _entry(record: Record, attribute: str, person_id: str) -> object:
    # PHP writes an empty map as [].
    entries = record.get(attribute)
    return entries.get(person_id) if isinstance(entries, Mapping) else None


def _words(attendee: Attendee) -> str:
    assert attendee.person is not None
    return f"{attendee.person.kind} {attendee.name or attendee.person.id}"
