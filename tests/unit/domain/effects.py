"""What the two sides and the store hold after an operation, for the executor of `world`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from calsync_plugin.domain.carried import carried
from calsync_plugin.domain.links import Base, Link
from calsync_plugin.domain.meeting import Attendee, Field, JsonValue, Meeting, Response
from calsync_plugin.domain.operations import CreateEvent, UpdateEvent
from calsync_plugin.domain.policy import Policy

SCALARS = frozenset(Field) - {Field.ATTENDEES, Field.RESPONSES}
LEFT_OUT: dict[Field, JsonValue] = {Field.ATTENDEES: {}, Field.ONLINE: False}


def with_sensitivity(base: Base, event: Meeting) -> Base:
    """Outlook's base always tells whether the event was private."""
    return replace(base, values={**event.normal_form({Field.SENSITIVITY}), **base.values})


def saved(
    base: Base | None, seen: Meeting | None, now: Meeting, fields: frozenset[Field], settled: frozenset[Field]
) -> Base:
    """A side's base after a plan."""
    if base is None:
        return Base(now.normal_form(fields))
    return base.after(seen or now, now, fields, settled, "")


def based(
    link: Link | None, created: CreateEvent, record: Meeting | None, event: Meeting | None, chosen: Policy
) -> Link:
    """The link after a create: what the create left out is still to be carried."""
    assert link is not None
    assert record is not None
    assert event is not None
    fields = frozenset(carried(link.origin, link.role, chosen))
    ours = record.normal_form(fields)
    ours |= {name: empty for name, empty in LEFT_OUT.items() if name in fields - created.fields}
    outlook = Base(event.normal_form(fields | {Field.SENSITIVITY}))
    return replace(link, crm_base=Base(ours), outlook_base=outlook)


def sent(created: CreateEvent) -> Meeting:
    """The event that a create makes."""
    empty = Meeting(subject="", span=created.meeting.span)
    people = invited(a for a in created.meeting.attendees if a.address)
    values = {name.value: getattr(created.meeting, name.value) for name in created.fields & SCALARS}
    return replace(empty, **values, attendees=people if Field.ATTENDEES in created.fields else ())


def invited(people: Iterable[Attendee]) -> tuple[Attendee, ...]:
    """Whoever is invited has not answered yet, whatever the record says."""
    return tuple(replace(a, response=Response.NONE) for a in people)


def updated(event: Meeting, update: UpdateEvent) -> Meeting:
    """The event after a PATCH: only the named fields, only the people whom the record's edits concern."""
    values = {name.value: getattr(update.meeting, name.value) for name in update.fields & SCALARS}
    if Field.ATTENDEES in update.fields:
        away = {a.key for a in update.removed}
        kept = tuple(a for a in event.attendees if a.key not in away)
        present = {a.address for a in kept}
        values["attendees"] = (*kept, *invited(a for a in update.added if a.address not in present))
    return replace(event, **values)


def recorded(record: Meeting, given: Meeting, fields: frozenset[Field]) -> Meeting:
    """The record after a PUT; it has no place for people whom the CRM does not know."""
    values = {name.value: getattr(given, name.value) for name in fields & SCALARS}
    people: tuple[Attendee, ...] = record.attendees
    if Field.ATTENDEES in fields:
        people = tuple(a for a in given.attendees if a.person)
    elif Field.RESPONSES in fields:
        answers = {a.key: a.response for a in given.attendees}
        people = tuple(replace(a, response=answers.get(a.key, a.response)) for a in people)
    return replace(record, **values, attendees=people)
