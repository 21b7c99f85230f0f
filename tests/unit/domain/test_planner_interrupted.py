"""Runs that die at any step, and happenings in any order: what people find in the end."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from itertools import product

import pytest

from calsync_plugin.domain.links import Origin, Role
from calsync_plugin.domain.meeting import Meeting, Response, Sensitivity
from calsync_plugin.domain.policy import ClashRule, Mode
from tests.unit.domain.cases import (
    BOB,
    LATER,
    OVER,
    A,
    B,
    leaving,
    linked,
    not_syncing,
    own,
    policy,
    suspended,
    syncing,
    waiting,
)
from tests.unit.domain.scenes import EDITS, EVENT, RECORD, edited
from tests.unit.domain.world import World

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


def adopted() -> World:
    """An event and a record that are the same meeting, and differ."""
    event = replace(EVENT, location="Wien", attendees=(*EVENT.attendees, BOB))
    return World(record=RECORD, events={A: {"event-1": event}}, loose="event-1")


def invited() -> World:
    """An invitation from outside that was accepted in Outlook, and nothing knows of."""
    event = replace(EVENT, attendees=(BOB,))
    answered = own(Response.ACCEPTED, mailbox_id=A)
    return World(events={A: {"event-1": event}}, loose="event-1", role=Role.ATTENDEE, own=answered)


def answered_and_edited() -> World:
    """Bob accepts in the CRM what was moved in Outlook."""
    link = linked(replace(RECORD, attendees=(BOB,)), role=Role.ATTENDEE, origin=Origin.OUTLOOK)
    record = replace(RECORD, attendees=(replace(BOB, response=Response.ACCEPTED),))
    event = replace(RECORD, attendees=(BOB,), span=LATER)
    own_copy = own(Response.NONE, mailbox_id=A)
    return World(record=record, events={A: {"event-1": event}}, link=link, own=own_copy)


def called_off() -> World:
    """Its organizer called it off."""
    link = linked(RECORD, EVENT, role=Role.ATTENDEE, origin=Origin.OUTLOOK)
    return World(record=RECORD, events={A: {"event-1": replace(EVENT, cancelled=True)}}, link=link)


def made_private() -> World:
    """An import becomes private while its record is edited."""
    event = replace(EVENT, sensitivity=Sensitivity.PRIVATE, subject="Dentist")
    world = edited("text and place", "nothing", policy(), Origin.OUTLOOK)
    return replace(world, events={A: {"event-1": event}})


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
    adopted,
    invited,
    answered_and_edited,
    called_off,
    made_private,
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
    record = plainly(world.record) if world.record else None
    return record, world.removed, world.not_held, events, state, world.own


def plainly(side: Meeting) -> Meeting:
    """With the people in a stable order."""
    return replace(side, attendees=tuple(side.sorted_attendees()))


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
