"""Both sides are there: who writes to whom, field by field, in every mode, origin, role and clash rule."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from calsync_plugin.domain.links import Base, Origin, Role
from calsync_plugin.domain.meeting import Field, Sensitivity, ShowAs
from calsync_plugin.domain.operations import (
    Operation,
    RecordClash,
    SaveBase,
    UpdateEvent,
    UpdateRecord,
    Wait,
)
from calsync_plugin.domain.planner import plan
from calsync_plugin.domain.policy import ClashRule, Mode
from tests.unit.domain.cases import LATER, TOMORROW, hours, linked, meeting, ours, policy, theirs, writes

VALUES: dict[Field, tuple[Any, Any]] = {
    Field.SUBJECT: ("Ours", "Theirs"),
    Field.SPAN: (LATER, hours(72)),
    Field.LOCATION: ("Graz", "Wien"),
    Field.DESCRIPTION: ("our text", "their text"),
    Field.REMINDER: (5, 30),
    Field.SENSITIVITY: (Sensitivity.PERSONAL, Sensitivity.PERSONAL),
    Field.SHOW_AS: (ShowAs.FREE, ShowAs.OOF),
}
"""For each field two values that differ from the base, and from each other unless there is but one.

What a private event changes is told in `test_planner_privacy`.
"""

BOTH_SIDES = ["same", "ours", "theirs", "both_equal", "both_differ"]
ALL = list(product(Mode, Origin, Role, BOTH_SIDES))


def ways(mode: Mode, origin: Origin, role: Role, name: Field) -> tuple[bool, bool]:
    """Whether a field goes out to Outlook and in to the CRM, stated anew from the rules."""
    out = mode is not Mode.OUTLOOK_TO_CRM and role is Role.ORGANIZER
    into = mode is not Mode.CRM_TO_OUTLOOK
    if name is Field.DESCRIPTION:
        return out and origin is Origin.CRM, into and origin is not Origin.CRM
    return out, into


def winner(clash: ClashRule, origin: Origin, out: bool, into: bool) -> str:
    """Who wins where both sides changed one field to different values."""
    if out and into:
        born_in_crm = origin is Origin.CRM
        return ("crm" if born_in_crm else "outlook") if clash is ClashRule.ORIGIN else clash.value
    return "crm" if out else "outlook" if into else "nobody"


@pytest.mark.parametrize(("mode", "origin", "role", "state"), ALL, ids=["-".join(map(str, p)) for p in ALL])
def test_one_field(mode: Mode, origin: Origin, role: Role, state: str) -> None:
    """Every field that can clash, under every clash rule."""
    for (name, (mine, yours)), clash in product(VALUES.items(), ClashRule):
        if state == "both_differ" and mine == yours:
            continue
        chosen = policy(mode=mode, clash=clash)
        here = mine if state in {"ours", "both_equal", "both_differ"} else None
        there = {"theirs": yours, "both_equal": mine, "both_differ": yours}.get(state)
        now = meeting(**{name.value: here}) if here is not None else meeting()
        event = meeting(**{name.value: there}) if there is not None else meeting()
        link = linked(by=chosen, origin=origin, role=role)
        got = plan(link, ours(now), theirs(event), chosen)
        out, into = ways(mode, origin, role, name)
        won = winner(clash, origin, out, into)
        to_event = (state == "ours" and out) or (state == "both_differ" and won == "crm")
        to_record = (state == "theirs" and into) or (state == "both_differ" and won == "outlook")
        wanted = expected(name, now, event, to_event, to_record, state, out or into, won)
        if role is Role.ATTENDEE and state == "ours" and into:
            wanted = (Wait(reason="organised by somebody else, not sent", told=True),)
        assert got == wanted, (name, clash)


def expected(
    name: Field,
    now: Any,
    event: Any,
    to_event: bool,
    to_record: bool,
    state: str,
    is_carried: bool,
    won: str,
) -> tuple[Operation, ...]:
    """The plan, in full."""
    result: list[Operation] = []
    if state == "both_differ" and (to_event or to_record):
        result.append(RecordClash(field=name, ours=said(name, now), theirs=said(name, event), winner=won))
    names = frozenset({name})
    if to_event:
        result.append(UpdateEvent(mailbox_id=1, event_id="event-1", meeting=now, fields=names))
    if to_record:
        result.append(UpdateRecord(meeting=event, fields=names))
    if state == "both_equal" and is_carried:
        result.append(SaveBase(fields=names))
    return tuple(result)


def said(name: Field, side: Any) -> str:
    """A value as people read it."""
    return str(side.description if name is Field.DESCRIPTION else side.normal_form([name])[name])


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("origin", Origin)
def test_a_description_goes_both_ways_if_so_chosen(mode: Mode, origin: Origin) -> None:
    """The setting lifts the limit to the side of origin, not that of the mode."""
    chosen = policy(mode=mode, description_both_ways=True)
    link = linked(by=chosen, origin=origin)
    edited = meeting(description="new")
    out = writes(plan(link, ours(edited), theirs(), chosen))
    into = writes(plan(link, ours(), theirs(edited), chosen))
    assert out == ([] if mode is Mode.OUTLOOK_TO_CRM else ["UpdateEvent"])
    assert into == ([] if mode is Mode.CRM_TO_OUTLOOK else ["UpdateRecord"])


@pytest.mark.parametrize("mode", Mode)
def test_a_teams_request_goes_out_only(mode: Mode) -> None:
    """Outlook's own Teams switch is not a request of the record."""
    chosen = policy(mode=mode)
    link = linked(by=chosen)
    out = writes(plan(link, ours(meeting(online=True)), theirs(), chosen))
    assert out == ([] if mode is Mode.OUTLOOK_TO_CRM else ["UpdateEvent"])
    assert plan(link, ours(), theirs(meeting(online=True)), chosen) == ()


def test_different_fields_of_both_sides_are_merged_without_a_clash() -> None:
    """Each side is given the other's field only; the written meeting holds both."""
    link = linked()
    got = plan(link, ours(meeting(subject="Ours")), theirs(meeting(location="Wien")), policy())
    both = meeting(subject="Ours", location="Wien")
    assert got == (
        UpdateEvent(mailbox_id=1, event_id="event-1", meeting=both, fields=frozenset({Field.SUBJECT})),
        UpdateRecord(meeting=both, fields=frozenset({Field.LOCATION})),
    )


def test_an_event_that_nobody_looked_at_is_as_in_its_base() -> None:
    """The record's change is pushed without reading the event."""
    got = plan(linked(), ours(meeting(subject="Ours")), replace(theirs(), meeting=None), policy())
    assert writes(got) == ["UpdateEvent"]


@pytest.mark.parametrize("known", [True, False], ids=["read", "unread"])
def test_a_field_that_enters_is_rebased_from_the_present(known: bool) -> None:
    """A change of settings writes nothing, whatever the sides hold of the new field; a person is told."""
    fields = frozenset(Field) - {Field.LOCATION, Field.RESPONSES}
    link = linked(fields=fields)
    event = theirs(meeting(location="Wien")) if known else replace(theirs(), meeting=None)
    got = plan(link, ours(meeting(location="Graz")), event, policy())
    differ = frozenset({Field.LOCATION}) if known else frozenset()
    assert got == (SaveBase(fields=frozenset({Field.LOCATION, Field.RESPONSES}), apart=differ),)


def test_a_field_that_enters_does_not_rebase_a_change_that_waits() -> None:
    """Otherwise the waiting change would be forgotten."""
    chosen = policy(push_from=TOMORROW)
    link = linked(fields=frozenset(Field) - {Field.LOCATION})
    got = plan(link, ours(meeting(subject="Ours"), modified_at=chosen.now), theirs(), chosen)
    assert [o.fields for o in got if isinstance(o, SaveBase)] == [frozenset({Field.LOCATION})]
    assert not writes(got)


def test_a_field_new_to_one_base_is_not_rebased_while_its_change_waits() -> None:
    """Outlook's base learns of the field when the change has gone out."""
    poor = Base(meeting().normal_form(frozenset(Field) - {Field.LOCATION}))
    link = linked(outlook_base=poor)
    chosen = policy(push_from=TOMORROW)
    got = plan(link, ours(meeting(location="Graz"), modified_at=chosen.now), theirs(), chosen)
    assert [type(o).__name__ for o in got] == ["Wait"]


def test_a_clash_is_logged_when_it_is_settled_not_while_it_waits() -> None:
    """A push that waits for the back-fill would log the same clash in every run."""
    chosen = policy(push_from=TOMORROW, clash=ClashRule.CRM)
    got = plan(
        linked(), ours(meeting(subject="Ours"), modified_at=chosen.now), theirs(meeting(subject="T")), chosen
    )
    assert [type(o).__name__ for o in got] == ["Wait"]
