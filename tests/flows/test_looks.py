"""What a booking asks Outlook at that moment, and who is not asked: whom one calendar's trouble must not keep
from being booked, and who is not offered because nobody could book.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from calsync_plugin.accounts.choices import choose
from calsync_plugin.booking.fitting import SlotQuery
from calsync_plugin.booking.trust import NOT_READY, SWITCHED_OFF
from calsync_plugin.domain.slots import Mode
from calsync_plugin.errors import CalsyncError, SlotTaken
from calsync_plugin.state import AccountStatus, BookingState
from tests.flows.test_bookings import HOUR, TEN, asking, book, free
from tests.world import ALICE, BOB, World


def private_calendar(world: World) -> str:
    """A conflict calendar of alice's that was read."""
    calendar = world.calendar(ALICE, "Private")
    choose(world.app.store, world.app.gateway, ALICE, {"conflict_calendars": [calendar]})
    world.settle()
    return calendar


@pytest.mark.parametrize("pulled", [True, False], ids=["known", "not-known-yet"])
def test_a_conflict_calendar_that_is_gone_keeps_nobody_from_a_booking(world: World, pulled: bool) -> None:
    calendar = private_calendar(world)
    world.graph("DELETE", ALICE, f"calendars/{calendar}")
    if pulled:
        world.pull(ALICE)
    assert free(world, ALICE)
    assert book(world, asking(ALICE)).state is BookingState.CONFIRMED


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_conflict_calendar_that_cannot_be_read_keeps_nobody_from_a_booking(
    world: World, status: int
) -> None:
    calendar = private_calendar(world)
    rule: dict[str, Any] = {"method": "GET", "path": f"calendars/{calendar}/calendarView"}
    world.fail(match=rule, times=10_000, status=status)
    world.pull(ALICE)
    assert free(world, ALICE)
    assert book(world, asking(ALICE)).state is BookingState.CONFIRMED


def test_while_the_main_calendar_cannot_be_read_nobody_is_booked(world: World) -> None:
    private_calendar(world)
    main = world.app.store.busy.sources([ALICE])[0].place
    rule = {"method": "GET", "path": f"calendars/{main}/calendarView"}
    world.fail(match=rule, times=10_000, status=500)
    with pytest.raises(CalsyncError):
        book(world, asking(ALICE))
    assert world.records() == []


NOT_ASKED: list[Any] = [
    pytest.param(lambda world: world.app.connections.pause(ALICE), NOT_READY, id="paused"),
    pytest.param(
        lambda world: world.app.store.accounts.set_status(ALICE, AccountStatus.RECONNECT, "expired"),
        NOT_READY,
        id="reconnect",
    ),
    pytest.param(
        lambda world: world.app.store.accounts.set_status(ALICE, AccountStatus.NEEDS_ATTENTION, "so"),
        NOT_READY,
        id="needs-attention",
    ),
]


@pytest.mark.parametrize(("how", "says"), NOT_ASKED)
def test_who_cannot_be_booked_is_not_offered(world: World, how: Callable[[World], Any], says: str) -> None:
    how(world)
    query = SlotQuery(window=(TEN, TEN + HOUR), users=(ALICE, BOB), duration=HOUR, mode=Mode.ROUND_ROBIN)
    found = world.app.desk.slots.find(query)
    assert ([slot.user_ids for slot in found.slots], dict(found.lacking)) == ([(BOB,)], {ALICE: says})
    with pytest.raises(SlotTaken, match="not ready"):
        book(world, asking(ALICE))
    assert world.records() == []


def test_while_syncing_is_switched_off_nobody_is_offered(world: World) -> None:
    world.settings = replace(world.settings, graph=replace(world.settings.graph, enabled=False))
    world.open()
    query = SlotQuery(window=(TEN, TEN + HOUR), users=(ALICE,), duration=HOUR)
    found = world.app.desk.slots.find(query)
    assert (found.slots, dict(found.lacking)) == ([], {ALICE: SWITCHED_OFF})


def test_what_is_stopped_asks_nobody_any_more(world: World) -> None:
    desk = world.app.desk
    world.app.stop()
    with pytest.raises(RuntimeError):
        desk.looking._threads.submit(print)
    assert desk.collisions.of("Meeting", {"assignedUserId": ALICE}) == ()
    world.open()
