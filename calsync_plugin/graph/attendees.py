"""Attendees of an event: reading them, and writing a list that keeps what is not ours. Pure.

Decides who belongs to the set that crosses to the CRM, and what stays in Outlook whatever the CRM says:
people that the CRM does not know, rooms, answers. Graph replaces the whole list (Graph docs, "Update event").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from calsync_plugin.domain.meeting import Attendee, JsonValue, Participation, Response
from calsync_plugin.errors import InvalidRecord

MOST = 500
"""Attendees of one event (Graph docs, event resource type)."""

_ADDRESS = re.compile(r"[^@\s<>()\[\]\\,;:\"]+@[^@\s<>()\[\]\\,;:\"]+\.[^@\s<>()\[\]\\,;:\".]+")
_LONGEST_ADDRESS = 320
_RESPONSES = {
    "accepted": Response.ACCEPTED,
    "tentativelyaccepted": Response.TENTATIVE,
    "declined": Response.DECLINED,
}


def read_attendee(json: object) -> Attendee | None:
    """Return an attendee or organizer of Graph's JSON; None for one without an address.

    Addresses are in lower case; one inside an Exchange organisation may be an X.500 name instead.
    """
    if not isinstance(json, Mapping):
        return None
    email = json.get("emailAddress")
    address = email.get("address") if isinstance(email, Mapping) else None
    if not isinstance(address, str) or not address.strip():
        return None
    name = email.get("name") if isinstance(email, Mapping) else None
    kind = str(json.get("type") or "").lower()
    return Attendee(
        address=address.strip().lower(),
        name=name if isinstance(name, str) else "",
        response=read_response(json.get("status")),
        participation=Participation(kind) if kind in set(Participation) else Participation.REQUIRED,
    )


def read_response(status: object) -> Response:
    """Return the answer in a response status; whatever is no answer is none."""
    said = status.get("response") if isinstance(status, Mapping) else None
    return _RESPONSES.get(str(said).lower(), Response.NONE)


def attendee_set(raw: Iterable[object], organizer: Attendee | None) -> tuple[Attendee, ...]:
    """Return the people of an attendee list once each: no organizer, no room, nobody without address (R7)."""
    found: dict[str, Attendee] = {}
    for json in raw:
        attendee = read_attendee(json)
        if attendee is None or attendee.participation is Participation.RESOURCE:
            continue
        if organizer is None or attendee.address != organizer.address:
            found.setdefault(attendee.address, attendee)
    return tuple(found.values())


def merge_attendees(
    present: Sequence[JsonValue], added: Iterable[Attendee], removed: Iterable[str], *, item: str = ""
) -> tuple[list[JsonValue], list[str]]:
    """Return the list to write, and notes on who was left out.

    Everybody of `present` stays as they are, with type and answer, except the addresses in `removed`; rooms
    stay always. Of `added`, only those with a usable address that is not there yet are appended.
    InvalidRecord if more than 500 would be invited.
    """
    gone = {address.lower() for address in removed}
    kept = [json for json in present if not _is_removed(json, gone)]
    there = {attendee.address for json in kept if (attendee := read_attendee(json))}
    notes: list[str] = []
    for attendee in added:
        address = attendee.address.strip().lower()
        if address in there:
            continue
        if not usable(address):
            notes.append(f"{attendee.name or 'an attendee'} is not invited: {_complaint(address)}")
            continue
        there.add(address)
        kept.append(_written(attendee, address))
    if len(kept) > MOST:
        raise InvalidRecord(
            f"{len(kept)} attendees, Outlook takes {MOST}; remove some",
            item=item,
            reason="too_many_attendees",
        )
    return kept, notes


def usable(address: str) -> bool:
    """Tell whether Outlook could send to this address."""
    return len(address) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(address) is not None


def _is_removed(json: JsonValue, gone: set[str]) -> bool:
    attendee = read_attendee(json)
    return (
        attendee is not None
        and attendee.participation is not Participation.RESOURCE
        and attendee.address in gone
    )


def _complaint(address: str) -> str:
    return f"{address!r:.80} is no e-mail address" if address else "no e-mail address in the CRM"


def _written(attendee: Attendee, address: str) -> JsonValue:
    email = {"address": address, "name": attendee.name} if attendee.name else {"address": address}
    return {"emailAddress": email, "type": attendee.participation.value}
