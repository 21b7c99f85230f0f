"""The laws of the plan, over enumerated states and with an executor that dies at every step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from calsync_plugin.domain.links import CopyState, Link, LinkState, Origin, Role
from calsync_plugin.domain.operations import CreateEvent, CreateRecord, DeleteEvent, DeleteRecord, Wait
from calsync_plugin.domain.planner import Standing, plan
from calsync_plugin.domain.policy import ClashRule, Mode
from tests.unit.domain.cases import (
    ABSENT_EVENT,
    ABSENT_RECORD,
    AS_IN_BASE,
    CRM_WRITES,
    DAY,
    FAR_EVENT,
    FAR_RECORD,
    GONE_EVENT,
    GONE_RECORD,
    NOW,
    OUTLOOK_WRITES,
    UNKNOWN_EVENT,
    UNKNOWN_RECORD,
    A,
    B,
    home,
    linked,
    not_syncing,
    ours,
    policy,
    suspended,
    syncing,
    theirs,
    waiting,
)
from tests.unit.domain.scenes import CHOICES, EDITS, EVENT, IN_CRM, IN_OUTLOOK, NAMES, RECORD, edited
from tests.unit.domain.world import World


@pytest.mark.parametrize(("mode", "origin", "role"), CHOICES, ids=NAMES)
def test_after_a_run_there_is_nothing_to_do(mode: Mode, origin: Origin, role: Role) -> None:
    """No write, and nothing to remember either."""
    for clash, (in_crm, in_outlook) in product(ClashRule, EDITS):
        world = edited(in_crm, in_outlook, policy(mode=mode, clash=clash), origin, role)
        world.run()
        assert [o for o in world.plan() if not isinstance(o, Wait)] == [], (clash, in_crm, in_outlook)


@pytest.mark.parametrize(("mode", "origin", "role"), CHOICES, ids=NAMES)
def test_a_one_sided_change_never_writes_the_side_that_changed(
    mode: Mode, origin: Origin, role: Role
) -> None:
    """Neither with the other side read nor with it taken as in its base."""
    for clash, edit in product(ClashRule, IN_CRM):
        world = edited(edit, "nothing", policy(mode=mode, clash=clash), origin, role)
        for event in (world.theirs, AS_IN_BASE):
            got = plan(world.link, world.ours, event, world.settings)
            assert not [o for o in got if isinstance(o, CRM_WRITES)], (clash, edit)
    for clash, edit in product(ClashRule, IN_OUTLOOK):
        got = edited("nothing", edit, policy(mode=mode, clash=clash), origin, role).plan()
        assert not [o for o in got if isinstance(o, OUTLOOK_WRITES)], (clash, edit)


@pytest.mark.parametrize("origin", Origin)
def test_both_ways_the_two_sides_agree_in_the_end(origin: Origin) -> None:
    """In every field that goes both ways; people without a place on one side aside."""
    for clash, (in_crm, in_outlook) in product(ClashRule, EDITS):
        if in_crm == "into the past":
            continue
        world = edited(in_crm, in_outlook, policy(clash=clash, description_both_ways=True), origin)
        world.settle()
        event = world.theirs.meeting
        assert world.record is not None
        assert event is not None
        known = replace(
            event, attendees=tuple(a for a in event.attendees if a.person), online=world.record.online
        )
        assert set(known.attendees) == set(world.record.attendees)
        assert replace(known, attendees=()) == replace(world.record, attendees=())


def states() -> Iterator[Link | None]:
    """Links in every state that a run can meet."""
    for origin, role in product(Origin, Role):
        link = linked(RECORD, EVENT, origin=origin, role=role)
        yield from (link, suspended(link), replace(link, state=LinkState.DETACHED))
        yield from (replace(link, crm_base=None), replace(link, crm_base=None, outlook_base=None))
        yield replace(link, copies=(home(A, CopyState.INTENDED),), crm_base=None, outlook_base=None)
        yield from (replace(link, copies=()), replace(link, record_id=""))
    yield None


RECORDS = [
    GONE_RECORD,
    ABSENT_RECORD,
    UNKNOWN_RECORD,
    FAR_RECORD,
    *(
        ours(edit, who)
        for edit, who in product(IN_CRM.values(), (syncing(A), syncing(B), waiting(B), not_syncing()))
    ),
]


EVENTS = [GONE_EVENT, ABSENT_EVENT, UNKNOWN_EVENT, FAR_EVENT, AS_IN_BASE, *(map(theirs, IN_OUTLOOK.values()))]


@pytest.mark.parametrize(
    ("mode", "forbidden"), [(Mode.CRM_TO_OUTLOOK, CRM_WRITES), (Mode.OUTLOOK_TO_CRM, OUTLOOK_WRITES)]
)
def test_a_one_way_mode_never_writes_to_its_source(mode: Mode, forbidden: tuple[type, ...]) -> None:
    """With every deletion setting on, in every state."""
    chosen = policy(mode=mode, delete_outlook_born_event=True, delete_crm_born_record=True)
    for link, record, event in product(states(), RECORDS, EVENTS):
        got = plan(link, record, event, chosen)
        assert not [o for o in got if isinstance(o, forbidden)], (link, record, event)


def test_only_a_proven_removal_deletes() -> None:
    """With every deletion setting on: unknown, absent and out of scope never delete the other side."""
    chosen = policy(delete_outlook_born_event=True, delete_crm_born_record=True)
    for link, record, event in product(states(), RECORDS, EVENTS):
        got = plan(link, record, event, chosen)
        unassigned = record.meeting is not None and record.assignee.standing is Standing.NONE
        if any(isinstance(o, DeleteEvent) for o in got):
            assert record is GONE_RECORD or unassigned
        if any(isinstance(o, DeleteRecord) for o in got):
            assert event is GONE_EVENT


@pytest.mark.parametrize(
    "shift", [-400 * DAY, -timedelta(minutes=3), timedelta(minutes=3), 400 * DAY], ids=str
)
def test_clocks_are_never_compared(shift: timedelta) -> None:
    """The CRM's clock may be wrong by any amount: its instants are compared with its own only."""
    for modified, (in_crm, in_outlook) in product((NOW - DAY, NOW, NOW + DAY), EDITS):
        chosen = policy(push_from=NOW)
        world = edited(in_crm, in_outlook, chosen, Origin.CRM)
        record = replace(world.ours, modified_at=modified)
        moved = replace(record, modified_at=modified + shift)
        right = plan(world.link, record, world.theirs, chosen)
        assert plan(world.link, moved, world.theirs, replace(chosen, push_from=NOW + shift)) == right
        free = replace(chosen, push_from=None)
        assert plan(world.link, moved, world.theirs, free) == plan(world.link, record, world.theirs, free)


def test_versions_take_no_part() -> None:
    """Etags and modification times are filters of what is read, never a reason to write."""
    link = linked(RECORD, EVENT)
    assert link.crm_base is not None
    assert link.outlook_base is not None
    other = replace(
        link,
        crm_base=replace(link.crm_base, version="9"),
        outlook_base=replace(link.outlook_base, version="z"),
    )
    for in_crm, in_outlook in EDITS:
        sides = ours(IN_CRM[in_crm]), theirs(IN_OUTLOOK[in_outlook])
        assert plan(link, *sides, policy()) == plan(other, *sides, policy())


def test_a_lost_base_removes_nobody_and_nothing() -> None:
    """Compare everything: both sides hold at least the people that they held."""
    for mode, origin, (in_crm, in_outlook) in product(Mode, Origin, EDITS):
        world = edited(in_crm, in_outlook, policy(mode=mode), origin)
        assert world.link is not None
        world.link = replace(world.link, crm_base=None, outlook_base=None)
        before = world.record, world.theirs.meeting
        world.settle()
        after = world.record, world.theirs.meeting
        for was, now in zip(before, after, strict=True):
            assert was is not None
            assert now is not None
            assert {a.key for a in was.attendees} <= {a.key for a in now.attendees}
        assert not [o for o in world.done if isinstance(o, DeleteEvent | DeleteRecord)]


@pytest.mark.parametrize(("mode", "origin", "role"), CHOICES, ids=NAMES)
@pytest.mark.parametrize("setting", [False, True], ids=["keep", "delete"])
def test_nothing_is_recreated_by_itself(mode: Mode, origin: Origin, role: Role, setting: bool) -> None:
    """Whatever is edited, reassigned, lost or resumed after a removal."""
    chosen = policy(mode=mode, delete_outlook_born_event=setting, delete_crm_born_record=setting)
    for in_crm, in_outlook in EDITS:
        without_event = replace(edited(in_crm, "nothing", chosen, origin, role), events={A: {}})
        without_record = replace(
            edited("nothing", in_outlook, chosen, origin, role), record=None, removed=True
        )
        for world in (without_event, without_record):
            world.settle()
            for change in AFTERWARDS:
                change(world)
                if world.link is not None:
                    world.settle()
            assert not [o for o in world.done if isinstance(o, CreateEvent | CreateRecord)], (
                in_crm,
                in_outlook,
            )


def rename(world: World) -> None:
    """Whoever is left is edited."""
    world.record = replace(world.record, subject="Once more") if world.record else None
    world.events = {
        m: {i: replace(e, location="There") for i, e in b.items()} for m, b in world.events.items()
    }


def hand_over(world: World) -> None:
    """The record is reassigned."""
    world.assignee = syncing(B)


def forget(world: World) -> None:
    """The bases are lost."""
    world.link = replace(world.link, crm_base=None, outlook_base=None) if world.link else None


AFTERWARDS = [rename, hand_over, forget, rename]
