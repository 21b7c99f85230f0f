"""Private events (R14): what the CRM sees of them, which way the rest may go, and what is forgotten."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from calsync_plugin.domain.links import Origin, Role
from calsync_plugin.domain.meeting import Field, Response, Sensitivity, ShowAs
from calsync_plugin.domain.operations import (
    DeleteEvent,
    MaskLog,
    SaveBase,
    UpdateEvent,
)
from calsync_plugin.domain.planner import plan
from calsync_plugin.domain.policy import Mode, PrivateRule
from calsync_plugin.domain.privacy import became_closed, visible
from tests.unit.domain.cases import (
    AS_IN_BASE,
    BOB,
    EVE,
    GONE_EVENT,
    GONE_RECORD,
    LATER,
    LONG_OVER,
    OVER,
    SOON,
    ZED,
    A,
    home,
    kinds,
    linked,
    meeting,
    ours,
    own,
    policy,
    theirs,
    writes,
)
from tests.unit.domain.private_events import (
    HIDDEN,
    IMPORTED,
    INWARD,
    MASK,
    MASKING,
    ON_RECORD,
    OPEN,
    PRIVATE,
    in_step,
    updates,
)
from tests.unit.domain.world import World

FEW = frozenset(Field) - {Field.SENSITIVITY}


@pytest.mark.parametrize("fields", [frozenset(Field), FEW], ids=["all", "few"])
@pytest.mark.parametrize(("rule", "mode", "origin"), list(product(MASKING, INWARD, IMPORTED)), ids=str)
def test_becoming_private_masks_record_and_log(
    rule: PrivateRule, mode: Mode, origin: Origin, fields: frozenset[Field]
) -> None:
    """At once, also where records cannot hold a sensitivity."""
    chosen = policy(mode=mode, private=rule, entity_fields=fields)
    link = linked(ON_RECORD, OPEN, by=chosen, origin=origin)
    got = plan(link, ours(ON_RECORD), theirs(PRIVATE), chosen)
    assert kinds(got) == ["MaskLog", "UpdateRecord", "SaveBase"]
    given = (HIDDEN | {Field.SENSITIVITY}) & fields
    sensitivity = MASK.sensitivity if Field.SENSITIVITY in fields else OPEN.sensitivity
    assert updates(got) == [(given, replace(MASK, sensitivity=sensitivity))]


@pytest.mark.parametrize("role", Role)
def test_an_open_event_that_looked_like_a_mask_becomes_private(role: Role) -> None:
    """Nothing is left to mask but what was noted before."""
    busy = meeting("Busy")
    chosen = policy(entity_fields=FEW)
    link = linked(busy, by=chosen, origin=Origin.OUTLOOK, role=role)
    got = plan(link, ours(busy), theirs(replace(busy, sensitivity=Sensitivity.PRIVATE)), chosen)
    assert kinds(got) == ["MaskLog", "SaveBase"]


@pytest.mark.parametrize("rule", PrivateRule)
@pytest.mark.parametrize("origin", IMPORTED)
def test_outward_only_the_log_alone_is_masked(rule: PrivateRule, origin: Origin) -> None:
    """A one-way mode never writes to its source; the bases forget what they knew."""
    chosen = policy(mode=Mode.CRM_TO_OUTLOOK, private=rule)
    link = linked(ON_RECORD, OPEN, by=chosen, origin=origin)
    got = plan(link, ours(ON_RECORD), theirs(PRIVATE), chosen)
    if rule is PrivateRule.FULL:
        assert got == ()
    else:
        assert kinds(got) == ["MaskLog", "SaveBase"]
        assert all(o.fields >= HIDDEN - {Field.DESCRIPTION} for o in got if isinstance(o, SaveBase))


@pytest.mark.parametrize("origin", IMPORTED)
def test_full_keeps_the_people_out(origin: Origin) -> None:
    """The owner's alone: who was invited must not read it in the CRM."""
    chosen = policy(private=PrivateRule.FULL)
    link = linked(ON_RECORD, OPEN, by=chosen, origin=origin)
    got = plan(link, ours(ON_RECORD), theirs(PRIVATE), chosen)
    expected = replace(ON_RECORD, attendees=(), sensitivity=Sensitivity.PRIVATE)
    assert updates(got) == [({Field.ATTENDEES, Field.SENSITIVITY}, expected)]
    assert kinds(got) == ["UpdateRecord"]
    after = in_step(PRIVATE, chosen, origin)
    moved = replace(PRIVATE, subject="Surgeon", attendees=(BOB, EVE))
    assert updates(plan(after, ours(expected), theirs(moved), chosen)) == [
        ({Field.SUBJECT}, replace(expected, subject="Surgeon"))
    ]


@pytest.mark.parametrize(("rule", "mode"), list(product(MASKING, Mode)), ids=str)
def test_what_happens_to_a_masked_event(rule: PrivateRule, mode: Mode) -> None:
    """Its time and kind come in, the rest is nobody's business; nothing is masked twice."""
    chosen = policy(mode=mode, private=rule)
    link = in_step(PRIVATE, chosen)
    edited = replace(PRIVATE, subject="Surgeon", description="worse", attendees=(EVE,), reminder=5)
    assert plan(link, ours(MASK), theirs(edited), chosen) == ()
    moved = replace(edited, span=LATER, show_as=ShowAs.OOF, sensitivity=Sensitivity.CONFIDENTIAL)
    got = plan(link, ours(MASK), theirs(moved), chosen)
    shown = {Field.SPAN, Field.SHOW_AS, Field.SENSITIVITY}
    expected = replace(MASK, span=LATER, show_as=ShowAs.OOF, sensitivity=Sensitivity.CONFIDENTIAL)
    assert updates(got) == ([] if mode is Mode.CRM_TO_OUTLOOK else [(shown, expected)])
    assert len(got) == len(updates(got))


EDITS: dict[Field, Any] = {
    Field.SUBJECT: "Ours",
    Field.LOCATION: "Graz",
    Field.DESCRIPTION: "ours",
    Field.ATTENDEES: (EVE,),
    Field.REMINDER: 5,
    Field.SENSITIVITY: Sensitivity.NORMAL,
    Field.SHOW_AS: ShowAs.FREE,
    Field.ONLINE: True,
}


@pytest.mark.parametrize("read", [True, False], ids=["read", "unread"])
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("name", EDITS)
def test_an_edit_of_a_masked_record_never_goes_out(name: Field, mode: Mode, read: bool) -> None:
    """It would overwrite what its owner hides with what nobody meant."""
    chosen = policy(mode=mode, description_both_ways=True)
    link = in_step(PRIVATE, chosen)
    edited = replace(MASK, **{name.value: EDITS[name]})
    got = plan(link, ours(edited), theirs(PRIVATE) if read else AS_IN_BASE, chosen)
    assert got == ()


@pytest.mark.parametrize("read", [True, False], ids=["read", "unread"])
@pytest.mark.parametrize("mode", Mode)
def test_the_time_of_a_masked_event_goes_both_ways(mode: Mode, read: bool) -> None:
    """Somebody moves the block in the CRM."""
    chosen = policy(mode=mode)
    moved = ours(replace(MASK, span=LATER, subject="Ours"))
    got = plan(in_step(PRIVATE, chosen), moved, theirs(PRIVATE) if read else AS_IN_BASE, chosen)
    fields = [o.fields for o in got if isinstance(o, UpdateEvent)]
    assert fields == ([] if mode is Mode.OUTLOOK_TO_CRM else [{Field.SPAN}])


@pytest.mark.parametrize(("rule", "origin"), list(product(MASKING, IMPORTED)), ids=str)
def test_no_longer_private_the_content_comes_in(rule: PrivateRule, origin: Origin) -> None:
    """As an ordinary change."""
    chosen = policy(private=rule)
    got = plan(in_step(PRIVATE, chosen, origin), ours(MASK), theirs(OPEN), chosen)
    (given,) = updates(got)
    assert given[0] == HIDDEN | {Field.SENSITIVITY}
    assert {a.key for a in given[1].attendees} == {BOB.key, ZED.key}
    assert replace(given[1], attendees=()) == replace(OPEN, attendees=())
    assert kinds(got) == ["UpdateRecord"]


def test_hidden_details_mask_what_was_imported_and_nothing_else() -> None:
    """Switched on: masked; switched off: there again. A record of the CRM's is never masked."""
    shown, hidden = policy(), policy(hide_details=True)
    got = plan(linked(ON_RECORD, OPEN, origin=Origin.OUTLOOK), ours(ON_RECORD), theirs(OPEN), hidden)
    assert kinds(got) == ["MaskLog", "UpdateRecord", "SaveBase"]
    assert [fields for fields, _ in updates(got)] == [HIDDEN]
    after = in_step(OPEN, hidden)
    masked = replace(MASK, sensitivity=Sensitivity.NORMAL)
    assert plan(after, ours(masked), theirs(OPEN), hidden) == ()
    assert [fields for fields, _ in updates(plan(after, ours(masked), theirs(OPEN), shown))] == [HIDDEN]
    for origin in (Origin.CRM, Origin.ADOPTED):
        link = linked(ON_RECORD, OPEN, origin=origin)
        assert plan(link, ours(ON_RECORD), theirs(OPEN), hidden) == ()


def test_a_stricter_rule_masks_what_was_private_all_along() -> None:
    """From full to busy: the log held everything until now."""
    link = in_step(PRIVATE, policy(private=PrivateRule.FULL))
    record = ours(replace(PRIVATE, attendees=()))
    got = plan(link, record, theirs(PRIVATE), policy(private=PrivateRule.BUSY))
    assert kinds(got) == ["MaskLog", "UpdateRecord", "SaveBase"]


@pytest.mark.parametrize("origin", IMPORTED)
@pytest.mark.parametrize("read", [True, False], ids=["read", "unread"])
def test_made_private_in_the_crm_the_record_keeps_what_it_holds(origin: Origin, read: bool) -> None:
    """Our own write is no change of Outlook's; what was noted is masked all the same."""
    link = linked(ON_RECORD, OPEN, origin=origin)
    record = replace(ON_RECORD, sensitivity=Sensitivity.PRIVATE)
    got = plan(link, ours(record), theirs(OPEN) if read else AS_IN_BASE, policy())
    assert kinds(got) == ["MaskLog", "UpdateEvent", "SaveBase"]
    world = World(record=record, events={A: {"event-1": OPEN}}, link=link)
    world.settle()
    assert world.record == record
    assert [world.masked, len(world.done)] == [1, 1]
    (saved,) = (o for o in got if isinstance(o, SaveBase))
    assert saved.fields >= HIDDEN


def test_a_masked_event_that_only_looks_edited_goes_with_its_record() -> None:
    """R9: with the setting; what the mask hides is no edit that would save it."""
    chosen = policy(delete_outlook_born_event=True)
    link = in_step(PRIVATE, chosen)
    assert [type(o) for o in plan(link, GONE_RECORD, theirs(PRIVATE), chosen)] == [DeleteEvent]
    assert kinds(plan(link, GONE_RECORD, theirs(replace(PRIVATE, span=LATER)), chosen)) == ["Detach"]
    assert kinds(plan(link, ours(MASK), GONE_EVENT, chosen)) == ["DeleteRecord"]


@pytest.mark.parametrize("event", [theirs(replace(PRIVATE, span=OVER)), AS_IN_BASE], ids=["read", "unread"])
def test_whom_a_mask_hides_is_not_mailed_about_what_is_over(event: Any) -> None:
    """R8: the mask shows no attendees, the event has some."""
    chosen = policy(delete_outlook_born_event=True)
    link = in_step(replace(PRIVATE, span=OVER), chosen)
    assert kinds(plan(link, GONE_RECORD, event, chosen)) == ["Detach"]
    earlier, moved = (ours(replace(MASK, span=span)) for span in (LONG_OVER, SOON))
    assert kinds(plan(link, earlier, event, chosen)) == ["Wait"]
    assert kinds(plan(link, moved, event, chosen)) == ["UpdateEvent"]


def test_a_masked_invitation_answers_nothing() -> None:
    """Neither way: the record shows a block, not a meeting with people."""
    chosen = policy()
    link = in_step(PRIVATE, chosen, role=Role.ATTENDEE, copies=(home(A),))
    record = replace(MASK, attendees=(replace(BOB, response=Response.DECLINED),))
    got = plan(link, ours(record), theirs(PRIVATE, own(Response.ACCEPTED, mailbox_id=A)), chosen)
    assert writes(got) == []
    assert not [o for o in got if isinstance(o, MaskLog)]


def test_masking_twice_is_masking_once() -> None:
    """What reads an event may have masked it already."""
    for origin, rule, hide in product(Origin, PrivateRule, [False, True]):
        chosen = policy(private=rule, hide_details=hide)
        once = visible(origin, PRIVATE, chosen)
        assert visible(origin, once, chosen) == once


@pytest.mark.parametrize("origin", Origin)
@pytest.mark.parametrize(("before", "now"), list(product(Sensitivity, repeat=2)), ids="-".join)
def test_an_event_becomes_its_owners_alone_once(
    origin: Origin, before: Sensitivity, now: Sensitivity
) -> None:
    """The CRM's own meetings never do: what it says of them is its own."""
    link = linked(meeting(sensitivity=before), origin=origin)
    closed = {Sensitivity.PRIVATE, Sensitivity.CONFIDENTIAL}
    became = now in closed and before not in closed and origin is not Origin.CRM
    assert became_closed(link, meeting(sensitivity=now)) is became
    assert became_closed(link, None) is False
