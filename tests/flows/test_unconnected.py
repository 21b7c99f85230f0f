"""Users who are not connected: when they are busy, as far as Outlook tells a colleague."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from calsync_plugin.booking.asking import BookingRequest
from calsync_plugin.booking.availability import UserTime
from calsync_plugin.booking.fitting import SlotQuery
from calsync_plugin.errors import CalsyncError, SlotTaken
from calsync_plugin.state import AccountStatus, Feed, SourceKind
from tests.world import ALICE, BOB, CAROL, World

HOUR, DAY = 3600, 86_400
TEN = 1_796_119_200
"""1 December 2026, 10:00 UTC."""


@pytest.fixture
def world(world: World) -> World:
    """Alice and bob are connected, and Outlook may be asked about carol; she is busy at ten."""
    return allowed(world, schedules=True)


def allowed(world: World, *, schedules: bool) -> World:
    """Whether an administrator allows it."""
    graph = replace(world.settings.graph, schedules=schedules)
    world.settings = replace(world.settings, graph=graph)
    world.open()
    world.outlook_create(CAROL, subject="Secret", start="2026-12-01T10:00", end="2026-12-01T11:00")
    return world


def carol(world: World, *, fresh: bool = True) -> UserTime:
    """Her times."""
    (time,) = world.app.desk.availability.of([CAROL], TEN - HOUR, TEN + 3 * HOUR, fresh=fresh)
    return time


def test_a_colleague_asks_and_what_is_told_stays_known(world: World) -> None:
    assert not carol(world, fresh=False).known
    time = carol(world)
    assert (time.known, time.busy, time.stale) == (True, ((TEN, TEN + HOUR),), False)
    assert [one.kind for one in time.spans] == ["schedule"]
    assert carol(world, fresh=False).busy == time.busy
    world.settle()
    assert carol(world, fresh=False).problems == ()
    world.discard(CAROL)
    assert carol(world).busy == ()


def test_nobody_asks_unless_it_is_allowed(world: World) -> None:
    allowed(world, schedules=False)
    with world.watched() as asked:
        time = carol(world)
    assert (time.known, time.busy) == (False, ())
    assert asked == []


def test_nobody_asks_where_no_colleague_is_connected(world: World) -> None:
    for user_id in (ALICE, BOB):
        world.app.store.accounts.set_status(user_id, AccountStatus.RECONNECT, "the login has expired")
    assert not carol(world).known


def test_nobody_of_another_organization_is_asked(world: World) -> None:
    for user_id in (ALICE, BOB):
        account = world.account(user_id)
        world.app.store.accounts.save(replace(account, address="somebody@elsewhere.example"))
    assert not carol(world).known


@pytest.mark.parametrize(
    "rule", [{"status": 403}, {"status": 429, "retry_after": 120}], ids=["refused", "throttled"]
)
def test_what_outlook_does_not_tell_is_said_and_what_was_known_stays(
    world: World, rule: dict[str, Any]
) -> None:
    before = carol(world)
    world.fail(match={"path": "getSchedule"}, **rule)
    after = carol(world)
    assert after.busy == before.busy
    assert after.stale
    assert len(after.problems) == 1


@pytest.mark.parametrize("when", [DAY, (1 << 33) - 10 * DAY], ids=["long-ago", "far-ahead"])
def test_nobody_is_asked_about_a_time_that_is_not_told(world: World, when: int) -> None:
    carol(world)
    with world.watched() as asked:
        (time,) = world.app.desk.availability.of([CAROL], when, when + HOUR, fresh=True)
    assert asked == []
    assert time.unknown((when, when + HOUR)) == [(when, when + HOUR)]


def test_whatever_window_is_asked_for_the_same_months_are_told(world: World) -> None:
    start = int(world.app.clock.now()) + 122 * DAY
    with world.watched() as asked:
        (time,) = world.app.desk.availability.of([CAROL], start, start + 60 * DAY, fresh=True)
    assert 1 <= len(asked) <= 2
    assert time.known_until is not None
    assert time.known_until.timestamp() < start + 2 * DAY


def test_two_who_ask_at_once_for_the_first_time_are_both_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    feeds = world.app.store.feeds
    of = feeds.of

    def first_of_all(user_id: str) -> list[Feed]:
        """Somebody else stores the same person right after this look."""
        found = of(user_id)
        if not found:
            feeds.add(user_id, SourceKind.SCHEDULE, "carol@example.com", shown="c", name="c", most=20)
        return found

    monkeypatch.setattr(feeds, "of", first_of_all)
    assert carol(world).busy == ((TEN, TEN + HOUR),)


def test_an_unconnected_user_is_booked_where_free(world: World) -> None:
    carol(world)
    query = SlotQuery(window=(0, 1), users=(CAROL,), duration=HOUR)
    with pytest.raises(SlotTaken):
        world.app.desk.booker.book(BookingRequest(query=query, start=TEN, name="Consultation"))
    world.outlook_create(CAROL, start="2026-12-01T11:00", end="2026-12-01T12:00")
    with pytest.raises(CalsyncError):
        world.app.desk.booker.book(BookingRequest(query=query, start=TEN + HOUR, name="Consultation"))
    later = BookingRequest(query=query, start=TEN + 2 * HOUR, name="Consultation")
    assert world.app.desk.booker.book(later).user_id == CAROL
    assert world.only_record()["assignedUserId"] == CAROL


def test_who_connects_tells_by_the_own_calendars_from_then_on(world: World) -> None:
    carol(world)
    world.connect(CAROL)
    kinds = [one.kind for one in world.app.store.busy.sources([CAROL])]
    assert kinds == [SourceKind.LINKED]
    assert carol(world, fresh=False).busy == ((TEN, TEN + HOUR),)


def test_who_connects_again_tells_by_the_own_calendars(world: World) -> None:
    world.connect(CAROL)
    world.settle()
    world.app.connections.disconnect(CAROL)
    assert [one.kind for one in carol(world).spans] == ["schedule"]
    world.connect(CAROL)
    world.settle()
    assert [one.kind for one in carol(world).spans] == ["linked"]
