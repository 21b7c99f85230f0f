"""R3 and R5: a copy that its organizer called off: the meeting is off, or only its owner was taken off it.

Outlook marks both alike. The colleagues' copies tell which it is, whosever mailbox is read first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import permutations

import pytest

from calsync_plugin.domain.links import LinkState
from calsync_plugin.state import AccountStatus
from tests.flows.conftest import MakeWorld
from tests.outlook_side import repeats
from tests.world import ADDRESS, ALICE, BOB, CAROL, World

ORDERS = [(ALICE, BOB), (BOB, ALICE)]
NAMES = {ALICE: "alice", BOB: "bob", CAROL: "carol"}


def _names(order: object) -> str:
    return "-".join(NAMES[user] for user in order) if isinstance(order, tuple) else str(order)


def _pull_in(world: World, order: Iterable[str]) -> None:
    for user in order:
        world.pull(user)


def _still(world: World) -> None:
    world.mails()
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize("then", ORDERS, ids=_names)
@pytest.mark.parametrize("first", ORDERS, ids=_names)
def test_r05_whoever_is_read_first_a_meeting_that_is_off_is_not_held(
    world: World, first: tuple[str, str], then: tuple[str, str]
) -> None:
    theirs = world.invite_from_outside(ALICE, BOB, subject="Roadmap")
    _pull_in(world, first)
    record = world.only_record()["id"]
    world.outside_cancel(theirs)
    _pull_in(world, then)
    found = world.only_record()
    assert (found["id"], found["status"], found["assignedUserId"]) == (record, "Not Held", first[0])
    assert set(found["usersIds"]) == {ALICE, BOB}
    assert world.link(record).state is LinkState.DETACHED
    _still(world)


@pytest.mark.parametrize("gone", [ALICE, BOB, CAROL], ids=NAMES.get)
@pytest.mark.parametrize("first", list(permutations((ALICE, BOB, CAROL))), ids=_names)
def test_r03_of_three_invited_users_one_is_taken_off(
    make_world: MakeWorld, first: tuple[str, ...], gone: str
) -> None:
    world = make_world()
    for user in (ALICE, BOB, CAROL):
        world.connect(user)
    theirs = world.invite_from_outside(ALICE, BOB, CAROL, subject="Roadmap")
    _pull_in(world, first)
    record = world.only_record()["id"]
    stay = [user for user in first if user != gone]
    world.outside_patch(theirs, attendees=[ADDRESS[user] for user in stay])
    _pull_in(world, first[::-1])
    found = world.only_record()
    assert (found["id"], found["status"]) == (record, "Planned")
    assert found["assignedUserId"] in stay
    assert set(found["usersIds"]) == set(stay)
    world.outside_patch(theirs, subject="Roadmap 2027")
    _pull_in(world, first)
    assert world.only_record()["name"] == "Roadmap 2027"
    _still(world)


@pytest.mark.parametrize("order", ORDERS, ids=_names)
def test_r13_who_is_taken_off_a_series_leaves_all_of_its_dates(world: World, order: tuple[str, str]) -> None:
    theirs = world.invite_from_outside(ALICE, BOB, subject="Weekly", recurrence=repeats(count=3))
    _pull_in(world, order)
    before = [one["id"] for one in world.records()]
    assert len(before) == 3
    world.outside_patch(theirs, attendees=[ADDRESS[ALICE]])
    _pull_in(world, order)
    assert [one["id"] for one in world.records()] == before
    assert {(one["status"], *one["usersIds"]) for one in world.records()} == {("Planned", ALICE)}
    _still(world)


def test_r03_a_record_that_somebody_else_looks_after_stays_with_them(world: World) -> None:
    theirs = world.invite_from_outside(ALICE, BOB, subject="Roadmap")
    _pull_in(world, (BOB, ALICE))
    record = world.only_record()["id"]
    world.reassign(record, CAROL, stays=True)
    world.settle()
    world.outside_patch(theirs, attendees=[ADDRESS[ALICE]])
    _pull_in(world, (BOB, ALICE))
    found = world.only_record()
    assert (found["status"], found["assignedUserId"]) == ("Planned", CAROL)
    assert set(found["usersIds"]) == {ALICE, CAROL}
    _still(world)


def _pause(world: World) -> None:
    world.app.store.accounts.set_status(ALICE, AccountStatus.PAUSED)


def _resume(world: World) -> None:
    world.app.store.accounts.set_status(ALICE, AccountStatus.CONNECTED)


def _break(world: World) -> None:
    world.fail(match={"mailbox": ADDRESS[ALICE]}, status=503)


def _mend(world: World) -> None:
    world.outlook.faults.replace([])


@pytest.mark.parametrize(
    ("away", "back"), [(_pause, _resume), (_break, _mend)], ids=["paused", "unreachable"]
)
@pytest.mark.parametrize("is_on", [True, False], ids=["on", "off"])
def test_r03_a_colleague_whose_calendar_cannot_be_asked_is_waited_for(
    world: World, away: Callable[[World], None], back: Callable[[World], None], is_on: bool
) -> None:
    theirs = world.invite_from_outside(ALICE, BOB, subject="Roadmap")
    _pull_in(world, (BOB, ALICE))
    if is_on:
        world.outside_patch(theirs, attendees=[ADDRESS[ALICE]])
    else:
        world.outside_cancel(theirs)
    away(world)
    world.app.store.queue.hint(world.account(BOB).mailbox_id or 0)
    world.drain()
    assert world.only_record()["status"] == "Planned"
    back(world)
    _pull_in(world, (BOB, ALICE))
    found = world.only_record()
    assert found["status"] == ("Planned" if is_on else "Not Held")
    assert world.link(found["id"]).state is (LinkState.ACTIVE if is_on else LinkState.DETACHED)
    _still(world)


@pytest.mark.parametrize("first", [ALICE, BOB], ids=NAMES.get)
def test_r03_taken_off_before_the_colleagues_calendar_was_read(world: World, first: str) -> None:
    theirs = world.invite_from_outside(ALICE, BOB, subject="Roadmap")
    world.pull(first)
    record = world.only_record()["id"]
    world.outside_patch(theirs, attendees=[ADDRESS[ALICE]])
    _pull_in(world, (BOB, ALICE))
    found = world.only_record()
    assert (found["id"], found["status"], found["usersIds"]) == (record, "Planned", [ALICE])
    _still(world)
