"""Users who are not connected: when they are busy, as far as Outlook tells a colleague."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.booking.asking import BookingRequest
from calsync_plugin.booking.availability import UserTime
from calsync_plugin.booking.fitting import SlotQuery
from calsync_plugin.booking.trust import TOLD_FOR
from calsync_plugin.booking.untold import AGAIN
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
    assert list(time.kinds) == ["schedule"]
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
    assert list(carol(world).kinds) == ["schedule"]
    world.connect(CAROL)
    world.settle()
    assert list(carol(world).kinds) == ["linked"]


def free(world: World, user_id: str, start: int) -> bool:
    """Whether an hour of a user is on offer."""
    query = SlotQuery(window=(start, start + HOUR), users=(user_id,), duration=HOUR)
    return bool(world.app.desk.slots.find(query).slots)


def test_who_looks_for_slots_asks_without_being_told_to(world: World) -> None:
    assert not carol(world, fresh=False).known
    assert not free(world, CAROL, TEN)
    assert free(world, CAROL, TEN + 2 * HOUR)
    request = BookingRequest(
        query=SlotQuery(window=(0, 1), users=(CAROL,), duration=HOUR), start=TEN + 2 * HOUR, name="Talk"
    )
    assert world.app.desk.booker.book(request).user_id == CAROL


def test_what_was_told_long_ago_is_not_known_any_more(world: World) -> None:
    carol(world)
    world.clock.advance(TOLD_FOR + 1)
    time = carol(world, fresh=False)
    assert (time.known, time.reason) == (False, "The calendars were not read for a long time.")
    world.outlook_create(CAROL, start="2026-12-01T11:00", end="2026-12-01T12:00")
    assert not free(world, CAROL, TEN + HOUR)
    assert carol(world, fresh=False).known


def test_who_looks_for_slots_again_and_again_asks_once_a_while(world: World) -> None:
    world.fail(match={"path": "getSchedule"}, status=403, times=1)
    with world.watched() as asked:
        for _again in range(3):
            assert not free(world, CAROL, TEN + 2 * HOUR)
    assert len(asked) <= 2
    world.clock.advance(AGAIN)
    assert free(world, CAROL, TEN + 2 * HOUR)


@pytest.mark.parametrize("schedules", [True, False], ids=["allowed", "no-longer-allowed"])
def test_what_nobody_asked_for_is_forgotten_after_a_day(world: World, schedules: bool) -> None:
    carol(world)
    own = world.app.desk.own.add_schedule(Actor(ALICE, ALICE), ALICE, "dan@example.com")
    world.settle()
    allowed(world, schedules=schedules)
    world.clock.advance(DAY - HOUR)
    world.sweep()
    assert len(world.app.store.busy.sources([CAROL])) == 1
    world.clock.advance(DAY + HOUR)
    world.sweep()
    assert world.app.store.busy.sources([CAROL]) == []
    assert own.id in {one.id for one in world.app.store.busy.sources([ALICE])}


@pytest.mark.parametrize(
    ("address", "disconnected"),
    [
        pytest.param("bob@example.com", False, id="of-a-connected-one"),
        pytest.param("Bob@Example.com", False, id="in-other-letters"),
        pytest.param("bob@example.com", True, id="of-one-who-was-connected"),
        pytest.param("dave@example.com", True, id="of-one-who-never-was"),
    ],
)
def test_a_colleagues_address_on_the_own_card_tells_nothing_of_the_colleague(
    world: World, address: str, disconnected: bool
) -> None:
    busy = {"start": "2026-12-01T10:00", "end": "2026-12-01T11:00"}
    world.outlook_create(BOB, **busy)
    users = world.crm.store.tables["User"].rows
    if address.startswith("dave"):
        world.crm.insert("User", {"userName": "dave", "name": "Dave", "emailAddress": address})
    if disconnected:
        world.app.connections.disconnect(BOB)
    users[CAROL]["emailAddress"] = address
    users[CAROL]["createdAt"] = "2026-11-19 00:00:00"
    with world.watched() as asked:
        time = carol(world)
    assert (time.known, time.busy, asked) == (False, (), [])
