"""Three-way merge, field by field: what each side changed since its own base, and what follows.

Decides the merged value of every carried field and which side it must be written to. Does not decide whether
the write may happen (`planner`, `backfill`, `breaker`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from calsync_plugin.domain.carried import Flow, with_flow
from calsync_plugin.domain.links import Base, Link, Origin
from calsync_plugin.domain.meeting import Attendee, Field, Meeting
from calsync_plugin.domain.operations import RecordClash
from calsync_plugin.domain.people import merge_people, recognised
from calsync_plugin.domain.policy import ClashRule, Policy

SETS = frozenset({Field.ATTENDEES, Field.RESPONSES})
"""Fields that are merged person by person, so that they never clash as a whole."""

LINES = frozenset({Field.SUBJECT, Field.LOCATION})
CUT_FROM = 100
"""Both sides take 255 characters of a line, however they count them; a shorter one nobody has cut for us."""


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
    everybody: tuple[Attendee, ...] = ()
    """Whom the event is to have if it is created anew, people unknown to the CRM included."""


def merge(
    link: Link,
    ours: Meeting,
    theirs: Meeting | None,
    flows: Mapping[Field, Flow],
    policy: Policy,
    apart: str = "",
) -> Merged:
    """Merge the record's meeting with the event's. `theirs` None means: as in its base.

    A side without a base counts as changed in every field: all is compared, nothing is assumed. `apart` is
    whose answer takes no part (`merge_people`).
    """
    theirs = recognised(link.outlook_base, theirs) if theirs else None
    fields = frozenset(flows) - SETS
    ours_changed = _changed(link.crm_base, ours, fields)
    theirs_changed = _changed(link.outlook_base, theirs, fields) if theirs else frozenset()
    # Whoever changed it: what is equal now is written to nobody.
    changed = ours_changed | theirs_changed
    agreed = frozenset(f for f in changed if theirs and agree(f, ours, theirs))
    ours_changed, theirs_changed = ours_changed - agreed, theirs_changed - agreed
    clashing = ours_changed & theirs_changed
    ours_win = frozenset(f for f in clashing if _ours_win(flows[f], link.origin, policy))
    people = merge_people(link, ours, theirs, apart)
    to_outlook = (ours_changed - clashing) | ours_win | _sets(people.added or people.removed)
    to_crm = (theirs_changed - clashing) | (clashing - ours_win) | _sets(people.joined or people.left)
    to_crm |= _sets(people.strangers) if policy.create_contacts else frozenset()
    to_crm |= {Field.RESPONSES} if people.answers else frozenset()
    to_outlook &= with_flow(flows, Flow.OUT)
    to_crm &= with_flow(flows, Flow.IN)
    return Merged(
        meeting=_compose(ours, theirs, to_crm, people.record),
        to_outlook=to_outlook,
        to_crm=to_crm,
        rebase=agreed | (people.rebase & flows.keys()),
        clashes=tuple(_clash(f, ours, theirs, f in ours_win) for f in sorted(clashing) if theirs),
        added=people.added,
        removed=people.removed,
        everybody=people.record,
    )


def _sets(people: tuple[Attendee, ...]) -> frozenset[Field]:
    return frozenset({Field.ATTENDEES}) if people else frozenset()


def _changed(base: Base | None, now: Meeting, fields: frozenset[Field]) -> frozenset[Field]:
    return base.changed(now, fields) if base else fields


def agree(name: Field, ours: Meeting, theirs: Meeting) -> bool:
    """Whether both sides say the same in one field; a line that one side cannot hold whole is the same."""
    one, other = ours.normal_form([name])[name], theirs.normal_form([name])[name]
    if name not in LINES or not isinstance(one, str) or not isinstance(other, str):
        return one == other
    return one == other or _shortens(one, other) or _shortens(other, one)


def _shortens(short: str, whole: str) -> bool:
    """Whether a side that holds no longer line was given this one: the other keeps its own words."""
    head = short.removesuffix("…")
    return len(short) >= CUT_FROM and head != short and len(whole) > len(head) and whole.startswith(head)


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
    ours: Meeting, theirs: Meeting | None, from_theirs: frozenset[Field], people: tuple[Attendee, ...]
) -> Meeting:
    """Our meeting with the fields of theirs that won."""
    changes: dict[str, object] = {}
    if Field.ATTENDEES in from_theirs:
        changes["attendees"] = people
    elif Field.RESPONSES in from_theirs:
        answers = {a.key: a.response for a in people}
        changes["attendees"] = tuple(
            replace(a, response=answers.get(a.key, a.response)) for a in ours.attendees
        )
    if theirs:
        changes |= {_ATTRIBUTES[f]: getattr(theirs, _ATTRIBUTES[f]) for f in from_theirs if f in _ATTRIBUTES}
    return replace(ours, **changes)  # type: ignore[arg-type]
