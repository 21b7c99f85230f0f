"""What a booking asks Outlook at that moment, and who is not asked: whom one calendar's trouble must not keep
from being booked, and who is not offered because nobody could book.
"""

from __future__ import annotations

from typing import Any

import pytest

from calsync_plugin.accounts.choices import choose
from calsync_plugin.errors import CalsyncError
from calsync_plugin.state import BookingState
from tests.flows.test_bookings import asking, book, free
from tests.world import ALICE, World


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
