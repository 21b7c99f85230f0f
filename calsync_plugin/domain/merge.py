"""Three-way merge, field by field: what each side changed since its own base, and what follows.

Decides the merged value of every carried field and which side it must be written to. Does not decide whether
the write may happen (`planner`, `backfill`, `breaker`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from calsync_plugin.domain.carried import Flow, with_flow
from calsync_plugin.domain.links import Base, Link, Origin
from calsync_plugin.domain.meeting import Attendee, Field, Meeting
from calsync_plugin.domain.operations import RecordClash
from calsync_plugin.domain.policy import ClashRule, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The outcome: one meeting, and the fields that each side must be given of it."""

    meeting: Meeting
    to_outlook: frozenset[Field]
    to_crm: frozenset[Field]
    rebase: frozenset[Field]
    """Fields that differ from a base although nothing needs to be written for them."""
    clashes: tuple[RecordClash, ...]
    added: tuple[Attendee, ...] = ()
    removed: tuple[Attendee, ...] = ()


def merge(
    link: Link, ours: Meeting, theirs: Meeting | None, flows: Mapping[Field, Flow], policy: Policy
) -> Merged:
    """Merge the record's meeting with the event's. `theirs` None means: as in its base."""
    fields = frozenset(flows)
    ours_changed = _changed(link.crm_base, ours, fields)
    theirs_changed = _changed(link.outlook_base, theirs, fields) if theirs else frozenset()
    both = frozenset(f for f in ours_changed & theirs_changed if f is not Field.ATTENDEES)
    agreed = frozenset(f for f in both if theirs and _equal(f, ours, theirs))
    clashing = both - agreed
    ours_win = frozenset(f for f in clashing if _ours_win(flows[f], link.origin, policy))
    out, into = with_flow(flows, Flow.OUT), with_flow(flows, Flow.IN)
    to_outlook = (((ours_changed - both) | ours_win) & out) - {Field.ATTENDEES}
    to_crm = (((theirs_changed - both) | (clashing - ours_win)) & into) - {Field.ATTENDEES}
    people = _merge_people(link, ours, theirs)
    if Field.ATTENDEES in out and (people.added or people.removed):
        to_outlook |= {Field.ATTENDEES}
    if Field.ATTENDEES in into and theirs and people.known_keys != _keys(ours.attendees):
        to_crm |= {Field.ATTENDEES}
    meeting = _compose(ours, theirs, to_crm, people.result if Field.ATTENDEES in to_crm else ours.attendees)
    return Merged(
        meeting=meeting,
        to_outlook=to_outlook,
        to_crm=to_crm,
        rebase=agreed,
        clashes=tuple(
            _clash(f, ours, theirs, f in ours_win)
            for f in sorted(clashing)
            if theirs and flows[f] is Flow.BOTH
        ),
        added=people.added,
        removed=people.removed,
    )


def merge_into_crm(ours: Meeting, theirs: Meeting, flows: Mapping[Field, Flow]) -> frozenset[Field]:
    """Adoption without a base: the fields in which the record is to follow the event."""
    return frozenset(f for f in with_flow(flows, Flow.IN) if not _equal(f, ours, theirs))


def _changed(base: Base | None, now: Meeting, fields: frozenset[Field]) -> frozenset[Field]:
    return base.changed(now, fields) if base else fields


def _equal(name: Field, ours: Meeting, theirs: Meeting) -> bool:
    if name is Field.ATTENDEES:
        return _keys(ours.attendees) == _keys(theirs.attendees)
    return ours.normal_form([name]) == theirs.normal_form([name])


def _ours_win(flow: Flow, origin: Origin, policy: Policy) -> bool:
    if flow is not Flow.BOTH:
        return flow is Flow.OUT
    if policy.clash is ClashRule.ORIGIN:
        return origin is Origin.CRM
    return policy.clash is ClashRule.CRM


def _clash(name: Field, ours: Meeting, theirs: Meeting, ours_win: bool) -> RecordClash:
    return RecordClash(
        field=name,
        ours=_readable(name, ours),
        theirs=_readable(name, theirs),
        winner="crm" if ours_win else "outlook",
    )


def _readable(name: Field, meeting: Meeting) -> str:
    """The value as its owner shall read it; a description in full, not its digest."""
    if name is Field.DESCRIPTION:
        return meeting.description
    return str(meeting.normal_form([name])[name])


@dataclass(frozen=True, slots=True)
class _People:
    result: tuple[Attendee, ...]
    added: tuple[Attendee, ...]
    removed: tuple[Attendee, ...]

    @property
    def known_keys(self) -> frozenset[str]:
        return _keys(a for a in self.result if a.person)


def _merge_people(link: Link, ours: Meeting, theirs: Meeting | None) -> _People:
    """The attendees as a set merged three ways (R7).

    `added` and `removed` are what the record's own edits did since its base; everybody else whom Outlook has
    stays as Outlook has them, known to the CRM or not.
    """
    base = _base_people(link.crm_base)
    added = tuple(a for a in ours.sorted_attendees() if base is not None and a.key not in base)
    now = _keys(ours.attendees)
    removed = tuple(a for key, a in (base or {}).items() if key not in now)
    present = theirs.attendees if theirs else tuple((_base_people(link.outlook_base) or {}).values())
    missing = tuple(a for a in added if not _contains(present, a))
    leaving = tuple(a for a in removed if _contains(present, a))
    kept = tuple(a for a in present if not _contains(leaving, a))
    return _People(result=kept + missing, added=missing, removed=leaving)


def _base_people(base: Base | None) -> dict[str, Attendee] | None:
    value = base.values.get(Field.ATTENDEES) if base else None
    if not isinstance(value, dict):
        return None
    return {key: Attendee.from_key(key, str(address)) for key, address in value.items()}


def _contains(people: Iterable[Attendee], one: Attendee) -> bool:
    return any(a.key == one.key or (one.address and a.address == one.address) for a in people)


def _keys(people: Iterable[Attendee]) -> frozenset[str]:
    return frozenset(a.key for a in people)


_ATTRIBUTES = {
    Field.SUBJECT: "subject",
    Field.SPAN: "span",
    Field.LOCATION: "location",
    Field.DESCRIPTION: "description",
    Field.REMINDER: "reminder",
    Field.SENSITIVITY: "sensitivity",
    Field.SHOW_AS: "show_as",
    Field.ONLINE: "online",
}


def _compose(
    ours: Meeting, theirs: Meeting | None, from_theirs: frozenset[Field], attendees: tuple[Attendee, ...]
) -> Meeting:
    """Our meeting with the fields of theirs that won."""
    changes: dict[str, object] = {"attendees": attendees}
    if theirs:
        changes |= {_ATTRIBUTES[f]: getattr(theirs, _ATTRIBUTES[f]) for f in from_theirs if f in _ATTRIBUTES}
    return replace(ours, **changes)  # type: ignore[arg-type]
