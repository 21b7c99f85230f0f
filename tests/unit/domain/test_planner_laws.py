"""The laws of the plan, over enumerated states and with an executor that dies at every step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from calsync_plugin.domain.links import CopyState, Link, LinkState, Origin, Role
from calsync_plugin.domain.meeting import Meeting, Response
from calsync_plugin.domain.operations import CreateEvent, CreateRecord, DeleteEvent, DeleteRecord, Wait
from calsync_plugin.domain.planner import Standing, plan
from calsync_plugin.domain.policy import ClashRule, Mode, Policy
from tests.unit.domain.cases import (
    ABSENT_EVENT,
    ABSENT_RECORD,
    AS_IN_BASE,
    BOB,
    CRM_WRITES,
    DAN,
    DAY,
    EVE,
    FAR_EVENT,
    FAR_RECORD,
    GONE_EVENT,
    GONE_RECORD,
    NOW,
    OUTLOOK_WRITES,
    OVER,
    UNKNOWN_EVENT,
    UNKNOWN_RECORD,
    ZED,
    A,
    B,
    home,
    leaving,
    linked,
    meeting,
    not_syncing,
    ours,
    policy,
    suspended,
    syncing,
    theirs,
    waiting,
)
from tests.unit.domain.world import World

RECORD, EVENT = meeting(attendees=(DAN,)), meeting(attendees=(DAN, ZED))
YES = replace(DAN, response=Response.ACCEPTED)

IN_CRM: dict[str, Meeting] = {
    "nothing": RECORD,
    "subject": replace(RECORD, subject="Ours"),
    "text and place": replace(RECORD, description="our text", location="Graz"),
    "added": replace(RECORD, attendees=(DAN, BOB)),
    "removed": replace(RECORD, attendees=()),
    "all": replace(RECORD, subject="Ours", reminder=5, attendees=(BOB,), online=True),
    "into the past": replace(RECORD, span=OVER),
}
IN_OUTLOOK: dict[str, Meeting] = {
    "nothing": EVENT,
    "subject": replace(EVENT, subject="Theirs"),
    "the same subject": replace(EVENT, subject="Ours"),
    "text and place": replace(EVENT, description="their text", location="Wien"),
    "known added": replace(EVENT, attendees=(DAN, ZED, EVE)),
    "stranger gone": replace(EVENT, attendees=(DAN,)),
    "removed": replace(EVENT, attendees=(ZED,)),
    "answered": replace(EVENT, attendees=(YES, ZED)),
    "all": replace(EVENT, subject="Theirs", reminder=30, attendees=(EVE,)),
}
EDITS = list(product(IN_CRM, IN_OUTLOOK))
CHOICES = list(product(Mode, Origin, Role))
NAMES = ["-".join(map(str, c)) for c in CHOICES]


def edited(
    in_crm: str, in_outlook: str, chosen: Policy, origin: Origin, role: Role = Role.ORGANIZER
) -> World:
    """Both sides in step, then edited."""
    return World(
        record=IN_CRM[in_crm],
        events={A: {"event-1": IN_OUTLOOK[in_outlook]}},
        link=linked(RECORD, EVENT, by=chosen, origin=origin, role=role),
        settings=chosen,
    )


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


Scene = Callable[[], World]


def new() -> World:
    """A record that nothing knows of yet."""
    return World(record=RECORD)


def new_and_over() -> World:
    """A record of a meeting that took place."""
    return World(record=replace(RECORD, span=OVER))


def imported() -> World:
    """An event that nothing knows of yet."""
    return World(events={A: {"event-1": EVENT}}, loose="event-1")


def reassigned() -> World:
    """From alice to bob, while edited on both sides."""
    return replace(edited("subject", "text and place", policy(), Origin.CRM), assignee=syncing(B))


def unassigned() -> World:
    """From alice to somebody who does not sync."""
    return replace(edited("nothing", "text and place", policy(), Origin.CRM), assignee=not_syncing())


def removed_in_crm() -> World:
    """The record is gone, a former home is still there."""
    world = edited("nothing", "nothing", policy(), Origin.CRM)
    assert world.link is not None
    link = replace(world.link, copies=(*world.link.copies, leaving(B)))
    return replace(
        world, record=None, removed=True, link=link, events={**world.events, B: {"event-2": EVENT}}
    )


def removed_in_outlook() -> World:
    """The event of an import is gone."""
    return replace(edited("nothing", "nothing", policy(), Origin.OUTLOOK), events={A: {}})


def resumed() -> World:
    """A pause ended while both sides were edited."""
    world = edited("added", "text and place", policy(), Origin.CRM)
    return replace(world, link=suspended(world.link) if world.link else None)


def lost_bases() -> World:
    """Both bases are lost, both sides differ."""
    world = edited("added", "known added", policy(), Origin.CRM)
    link = replace(world.link, crm_base=None, outlook_base=None) if world.link else None
    return replace(world, link=link)


SCENES = [
    new,
    new_and_over,
    imported,
    reassigned,
    unassigned,
    removed_in_crm,
    removed_in_outlook,
    resumed,
    lost_bases,
]


@pytest.mark.parametrize("scene", SCENES)
def test_an_interrupted_run_converges(scene: Scene) -> None:
    """Stopped before any effect, however often: the same end as without a stop, and no event twice."""
    calm = scene()
    calm.settle()
    stops = 0
    while (shaken := scene()).settle_after_stop(stops):
        assert outcome(shaken) == outcome(calm), f"stopped after {stops} effects"
        stops += 1
    assert stops > 1
    for first, second in product(range(stops), repeat=2):
        twice = scene()
        twice.run_until_stop(first)
        twice.run_until_stop(second)
        twice.settle()
        assert outcome(twice) == outcome(calm), f"stopped after {first} and {second} effects"


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("origin", Origin)
def test_an_interrupted_edit_converges(mode: Mode, origin: Origin) -> None:
    """For edits of both sides, at every stop."""
    for clash, (in_crm, in_outlook) in product((ClashRule.ORIGIN, ClashRule.OUTLOOK), EDITS):
        chosen = policy(mode=mode, clash=clash)
        calm = edited(in_crm, in_outlook, chosen, origin)
        calm.settle()
        stops = 0
        while (shaken := edited(in_crm, in_outlook, chosen, origin)).settle_after_stop(stops):
            assert outcome(shaken) == outcome(calm), (clash, in_crm, in_outlook, stops)
            stops += 1


def outcome(world: World) -> object:
    """What people and the next run see; ids and generations aside."""
    events = {m: sorted(map(str, map(plainly, e.values()))) for m, e in world.events.items() if e}
    link = world.link
    copies = [(c.mailbox_id, c.purpose, c.state) for c in link.copies] if link else []
    state = (link.state, link.record_id, copies) if link else None
    return plainly(world.record) if world.record else None, world.removed, events, state


def plainly(side: Meeting) -> Meeting:
    """With the people in a stable order."""
    return replace(side, attendees=tuple(side.sorted_attendees()))


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


def edit_record(world: World) -> None:
    """Edited in the CRM."""
    world.record = replace(world.record, subject=world.record.subject + "!") if world.record else None


def edit_event(world: World) -> None:
    """Edited in Outlook, wherever it lies."""
    link = world.link
    if link and link.home and (event := world.theirs.meeting):
        world.events[link.home.mailbox_id][link.home.event_id] = replace(event, location=event.location + "?")


def to_bob(world: World) -> None:
    """Reassigned to bob."""
    world.assignee = syncing(B)


def to_alice(world: World) -> None:
    """Reassigned to alice."""
    world.assignee = syncing(A)


def to_waiting(world: World) -> None:
    """Reassigned to somebody whose account is not ready."""
    world.assignee = waiting(B)


def one_run(world: World) -> None:
    """A run, whole."""
    world.run()


def pause(world: World) -> None:
    """A pause begins and is noticed."""
    world.settings = policy(suspended="paused")
    world.run()
    world.settings = policy()


def die(world: World) -> None:
    """A run dies after two effects."""
    world.run_until_stop(2)


HAPPENINGS = [edit_record, edit_event, to_bob, to_alice, to_waiting, one_run, pause, die]


@pytest.mark.parametrize("first", HAPPENINGS)
def test_whatever_happens_one_meeting_is_one_event(first: Callable[[World], None]) -> None:
    """All orders of three happenings; in the end the assigned user has the one event, equal to the record."""
    start = new()
    start.settle()
    for rest in product(HAPPENINGS, repeat=2):
        world = deepcopy(start)
        for happening in (first, *rest):
            happening(world)
        world.assignee = syncing(world.assignee.mailbox_id)
        world.settle()
        found = [(m, e) for m, box in world.events.items() for e in box.values()]
        assert world.record is not None
        assert [m for m, _ in found] == [world.assignee.mailbox_id], rest
        assert [replace(e, attendees=()) for _, e in found] == [replace(world.record, attendees=())], rest
        if die not in (first, *rest):
            edits = sum(h is edit_event for h in (first, *rest))
            assert world.record.location.count("?") == edits, rest
