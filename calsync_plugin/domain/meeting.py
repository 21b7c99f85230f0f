"""A meeting as calsync sees it: neither a CRM record nor an Outlook event.

Decides what the fields are, how each is made comparable (its normal form) and what its fingerprint is. Does
not decide which fields cross (`carried`) nor what to do about a difference (`planner`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from calsync_plugin.domain.composed import composed
from calsync_plugin.domain.timespan import TimeSpan

JsonValue = None | bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"]


class Field(StrEnum):
    """What can be carried from one side to the other (R5). The time span is one field."""

    SUBJECT = "subject"
    SPAN = "span"
    LOCATION = "location"
    DESCRIPTION = "description"
    ATTENDEES = "attendees"
    RESPONSES = "responses"
    REMINDER = "reminder"
    SENSITIVITY = "sensitivity"
    SHOW_AS = "show_as"
    ONLINE = "online"


NormalForm = Mapping[Field, JsonValue]


class PersonKind(StrEnum):
    """Who a person is in the CRM."""

    USER = "user"
    CONTACT = "contact"
    LEAD = "lead"


class Response(StrEnum):
    """A person's answer to an invitation."""

    NONE = "none"
    ACCEPTED = "accepted"
    TENTATIVE = "tentative"
    DECLINED = "declined"


class Participation(StrEnum):
    """How a person takes part; Graph calls it the attendee's type."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    RESOURCE = "resource"


class Sensitivity(StrEnum):
    """Who may read it."""

    NORMAL = "normal"
    PERSONAL = "personal"
    PRIVATE = "private"
    CONFIDENTIAL = "confidential"


class ShowAs(StrEnum):
    """How the time counts in the calendar of its owner."""

    FREE = "free"
    TENTATIVE = "tentative"
    BUSY = "busy"
    OOF = "oof"
    WORKING_ELSEWHERE = "workingElsewhere"


@dataclass(frozen=True, slots=True, order=True)
class Person:
    """A user, contact or lead of the CRM."""

    kind: PersonKind
    id: str


@dataclass(frozen=True, slots=True)
class Attendee:
    """One participant. `address` is kept in lower case and may be empty on the CRM's side."""

    address: str
    name: str = ""
    person: Person | None = None
    response: Response = Response.NONE
    participation: Participation = Participation.REQUIRED

    def __post_init__(self) -> None:
        """Fold the address: mail servers and both sides spell it in any case."""
        object.__setattr__(self, "address", self.address.strip().lower())

    @property
    def key(self) -> str:
        """What makes two attendees the same one: the person if known, else the address (R5)."""
        return f"{self.person.kind}:{self.person.id}" if self.person else self.address

    @classmethod
    def from_key(cls, key: str, address: str) -> Attendee:
        """The attendee that a base remembers by key and address."""
        kind, _, person_id = key.partition(":")
        known = kind in set(PersonKind) and person_id
        return cls(address=address, person=Person(PersonKind(kind), person_id) if known else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """The neutral form of a meeting.

    Below the line stand hints and bookkeeping, which take no part in any fingerprint.
    """

    subject: str
    span: TimeSpan
    location: str = ""
    description: str = ""
    attendees: tuple[Attendee, ...] = ()
    reminder: int | None = None
    """Minutes before the start; None switches it off."""
    sensitivity: Sensitivity = Sensitivity.NORMAL
    show_as: ShowAs = ShowAs.BUSY
    online: bool = False
    """Whether it is to be a Teams meeting (R16)."""
    # ----
    zone: str = field(default="", compare=False)
    """The zone to show it in, as the side named it; empty if the side has none."""
    organizer: Attendee | None = field(default=None, compare=False)
    join_url: str = field(default="", compare=False)
    cancelled: bool = field(default=False, compare=False)

    def normal_form(self, fields: Iterable[Field]) -> dict[Field, JsonValue]:
        """Comparable JSON values of `fields`.

        A description is represented by its digest: it can be long, and nobody needs the old text.
        """
        return {name: self._normal(name) for name in fields}

    def _normal(self, name: Field) -> JsonValue:
        match name:
            case Field.SUBJECT:
                return fold_line(self.subject)
            case Field.SPAN:
                return list(self.span.normal())
            case Field.LOCATION:
                return fold_line(self.location)
            case Field.DESCRIPTION:
                return digest(fold_text(self.description))
            case Field.ATTENDEES:
                return {a.key: a.address for a in self.sorted_attendees()}
            case Field.RESPONSES:
                return {a.key: a.response.value for a in self.sorted_attendees()}
            case Field.REMINDER:
                return self.reminder
            case Field.SENSITIVITY:
                return self.sensitivity.value
            case Field.SHOW_AS:
                return self.show_as.value
            case Field.ONLINE:
                return self.online

    def sorted_attendees(self) -> list[Attendee]:
        """Attendees in a stable order, repeated ones too: they are a set, Graph and EspoCRM promise none."""
        return sorted(self.attendees, key=lambda a: (a.key, a.address, a.response))

    def fingerprint(self, fields: Iterable[Field]) -> str:
        """Digest of the normal form of `fields`: equal fingerprints mean nothing to carry."""
        return fingerprint(self.normal_form(fields))


def same_value(name: Field, one: JsonValue, other: JsonValue) -> bool:
    """Whether two normal values of one field mean the same.

    Attendees are the same if their keys are, so that a person whose address changed keeps the invitation
    (R7), or if their addresses are, so that it is no change when an address turns out to be somebody known.
    """
    if name is Field.ATTENDEES and isinstance(one, dict) and isinstance(other, dict):
        addresses = set(one.values())
        return one.keys() == other.keys() or (all(addresses) and addresses == set(other.values()))
    return one == other


def fingerprint(normal: NormalForm) -> str:
    """Digest of a normal form: two forms with the same one mean the same."""
    values: dict[str, JsonValue] = {str(k): v for k, v in normal.items()}
    people = values.get(Field.ATTENDEES)
    if isinstance(people, dict):
        values[Field.ATTENDEES] = sorted(people)
    return digest(json.dumps(values, sort_keys=True, ensure_ascii=False))


def digest(text: str) -> str:
    """SHA-256 of `text`, hexadecimal; the empty text is the empty digest, so that it is readable."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() if text else ""


def fold_line(text: str) -> str:
    """One-line text without what no reader sees: composed form, single blanks, no controls at the edges."""
    return " ".join(composed(text.replace("\0", "")).split())


def fold_text(text: str) -> str:
    """Many-line text without what no reader sees: LF ends, no blanks at line ends, no empty edges."""
    plain = composed(text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n"))
    lines = [line.replace("\u00a0", " ").rstrip() for line in plain.split("\n")]
    return "\n".join(lines).strip("\n")
