"""The attendees of a meeting as a set, merged three ways (R7).

Decides who has to be added to or removed from either side, and whose answer the record is to take over. Does
not decide whether attendees may be written at all (`carried`, `planner`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from calsync_plugin.domain.links import Base, Link
from calsync_plugin.domain.meeting import Attendee, Field, Meeting, Response


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """What follows for the people of one meeting."""

    record: tuple[Attendee, ...]
    """The record's attendees after the merge; people unknown to the CRM stand at the end."""
    added: tuple[Attendee, ...]
    """To be invited: the record gained them and the event lacks them."""
    removed: tuple[Attendee, ...]
    """To be uninvited, as the event has them."""
    joined: tuple[Attendee, ...]
    """Known to the CRM; the event gained them and the record lacks them."""
    left: tuple[Attendee, ...]
    """On the record; the event lost them."""
    answers: tuple[Attendee, ...]
    """People of the record with an answer that the event gained."""
    rebase: frozenset[Field]
    """Fields that moved away from a base although nothing has to be written for them."""
    strangers: tuple[Attendee, ...] = ()
    """Whom the event gained and nobody knows: the record gets them only if contacts are made of them."""


def merge_people(link: Link, ours: Meeting, theirs: Meeting | None, apart: str = "") -> People:
    """Merge both sides' attendees, each against its own base. `theirs` None means: as in its base.

    Everybody whom no side's own edit concerns stays: the sides need not be equal, people without an address
    or unknown to the CRM exist on one only. Without a base nobody is removed. `apart` is the key of a person
    whose answer this event does not tell: the owner of a copy, who answers for himself (`answering`).
    """
    gained, lost = _since(link.crm_base, ours.attendees)
    arrived, gone = _since(link.outlook_base, theirs.attendees) if theirs else ((), ())
    present = theirs.attendees if theirs else _remembered(link.outlook_base) or ()
    added = tuple(a for a in gained if a.address and not _contains(present, a))
    removed = tuple(a for a in present if _contains(lost, a))
    joined = tuple(
        replace(a, response=Response.NONE) if a.key == apart else a
        for a in arrived
        if a.person and not _contains(ours.attendees, a) and not _contains(lost, a)
    )
    left = tuple(a for a in ours.attendees if _contains(gone, a) and not _contains(gained, a))
    known = (*(a for a in ours.attendees if a not in left), *joined)
    joining = {a.key: Response.NONE for a in joined}
    on_record = {a.key: a.response for a in known} | joining
    answers, equal_answers = _answers(link.outlook_base, on_record, theirs, apart)
    rebase: set[Field] = {Field.RESPONSES} if equal_answers else set()
    if (gained or lost or arrived or gone) and not (added or removed or joined or left):
        rebase.add(Field.ATTENDEES)
    answered = {a.key: a.response for a in answers}
    return People(
        record=(
            *(replace(a, response=answered.get(a.key, a.response)) for a in known),
            *(a for a in present if not a.person and not _contains(removed, a)),
        ),
        added=added,
        removed=removed,
        joined=joined,
        left=left,
        answers=answers,
        rebase=frozenset(rebase),
        strangers=tuple(a for a in arrived if a.person is None and not _contains(ours.attendees, a)),
    )


def recognised(base: Base | None, theirs: Meeting) -> Meeting:
    """`theirs` with the people whom its base knows by address: a new one in the CRM makes no stranger."""
    known = {a.address: a.person for a in _remembered(base) or () if a.address and a.person}
    taken = {a.person for a in theirs.attendees if a.person}
    people = tuple(
        replace(a, person=known[a.address])
        if a.person is None and a.address in known and known[a.address] not in taken
        else a
        for a in theirs.attendees
    )
    return replace(theirs, attendees=people)


def _since(base: Base | None, now: tuple[Attendee, ...]) -> tuple[tuple[Attendee, ...], tuple[Attendee, ...]]:
    """Who was gained and who was lost since `base`. Without one all are new; a new field has no past."""
    if base is None:
        return now, ()
    remembered = _remembered(base)
    if remembered is None:
        return (), ()
    reachable = {a.key for a in remembered if a.address}
    silent = {a.key for a in remembered if not a.address}
    keys = {a.key for a in now}
    # Who had no address could not be invited: the first address makes a participant of him.
    gained = tuple(
        a
        for a in now
        if a.key not in reachable and (a.key not in silent or a.address) and not _has_address(remembered, a)
    )
    return gained, tuple(a for a in remembered if a.key not in keys and not _has_address(now, a))


def _remembered(base: Base | None) -> tuple[Attendee, ...] | None:
    value = base.values.get(Field.ATTENDEES) if base else None
    if not isinstance(value, dict):
        return None
    return tuple(Attendee.from_key(key, str(address)) for key, address in sorted(value.items()))


def _answers(
    base: Base | None, on_record: Mapping[str, Response], theirs: Meeting | None, apart: str
) -> tuple[tuple[Attendee, ...], bool]:
    """The answers that the record is to take over, and whether others moved that it needs not.

    Without a base all that were given count; that somebody did not answer here undoes no answer there.
    """
    if theirs is None or (base is not None and Field.RESPONSES not in base.values):
        return (), False
    value = base.values[Field.RESPONSES] if base else None
    before = value if isinstance(value, dict) else {}
    told = [a for a in theirs.attendees if a.key != apart]
    moved = [a for a in told if a.response != before.get(a.key, Response.NONE)]
    news = tuple(a for a in moved if on_record.get(a.key, a.response) is not a.response)
    return news, bool(moved) and not news


def _contains(people: Iterable[Attendee], one: Attendee) -> bool:
    return any(a.key == one.key or _same_address(a, one) for a in people)


def _has_address(people: Iterable[Attendee], one: Attendee) -> bool:
    return any(_same_address(a, one) for a in people)


def _same_address(one: Attendee, other: Attendee) -> bool:
    return bool(one.address) and one.address == other.address
