"""Calendar addresses and colleagues: read in a lane of their own, and kept as times alone."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from calsync_plugin.accounts import grants
from calsync_plugin.domain.availability import Block
from calsync_plugin.domain.meeting import ShowAs
from calsync_plugin.engine.feed_reading import AT_ONCE, BUDGET, INTERVAL, LONGEST_WAIT, UNFORESEEN
from calsync_plugin.feeds.fetching import Unchanged
from calsync_plugin.feeds.reading import FeedRead, read_feed
from calsync_plugin.graph.schedules import NOT_FOUND, NOT_HERE, NOT_SHOWN
from calsync_plugin.sandbox.outlook.server import BackgroundServer
from calsync_plugin.state import FEEDS, AccountStatus, Feed, SourceKind
from tests.busy_side import Shown, shown_of
from tests.world import ALICE, BOB, CAROL, World

DAY = 24 * 3600.0


@pytest.fixture
def published(world: World) -> Iterator[str]:
    """Where bob's calendar can be read by everybody who knows the address."""
    server = BackgroundServer(world.outlook_app, threads=4)
    server.__enter__()
    yield f"{server.url}/published/bob@example.com/calendar.ics"
    server.__exit__(None, None, None)


def add(world: World, address: str, kind: SourceKind = SourceKind.FEED, user_id: str = ALICE) -> int:
    """A user adds an address; it is read at once."""
    store = world.app.store
    source_id = store.feeds.add(user_id, kind, address, shown="shown", name="Private", most=10)
    store.queue.wake(FEEDS)
    world.settle()
    return source_id


def feed(world: World) -> Feed:
    (found,) = world.app.store.feeds.of(ALICE)
    return found


def again(world: World, seconds: float = INTERVAL) -> None:
    """The next look comes by itself."""
    world.clock.advance(seconds + 1)
    world.settle()


def blocks(world: World, source_id: int) -> list[Shown]:
    return shown_of(world, source_id)


TEN = ("2026-12-02T10:00", "2026-12-02T11:00", "busy")


def test_an_address_is_read_at_once_and_followed(world: World, published: str) -> None:
    world.outlook_create(BOB, subject="Secret")
    world.outlook_create(
        BOB, isAllDay=True, start="2026-12-04T00:00:00", end="2026-12-05T00:00:00", showAs="free"
    )
    source_id = add(world, published)
    assert blocks(world, source_id) == [TEN, ("2026-12-04", "2026-12-05", "free")]
    found = feed(world)
    assert found.source.error == ""
    assert found.source.known_until is not None
    assert found.failures == 0
    world.outlook_delete(BOB, world.event_of(BOB, "Secret").id)
    again(world)
    assert blocks(world, source_id) == [("2026-12-04", "2026-12-05", "free")]
    assert world.records() == []


def test_what_is_unchanged_is_fresh_and_kept(world: World, published: str) -> None:
    world.outlook_create(BOB)
    source_id = add(world, published)
    before = feed(world).source.read_at
    mark = feed(world).etag
    # What was not read again is not written again.
    trace = Block(id="trace", start=0, end=60, show_as=ShowAs.FREE)
    with world.app.store.save(None) as tx:
        tx.busy.put(source_id, [trace])
    again(world)
    after = feed(world)
    assert before is not None
    assert after.source.read_at is not None
    assert (after.source.read_at - before).total_seconds() >= INTERVAL
    assert after.etag == mark
    assert blocks(world, source_id) == [("1970-01-01T00:00", "1970-01-01T00:01", "free"), TEN]


def test_another_window_or_zone_is_read_in_full(world: World, published: str) -> None:
    world.outlook_create(BOB, start="2027-12-10T10:00:00", end="2027-12-10T11:00:00")
    source_id = add(world, published)
    assert blocks(world, source_id) == []
    again(world, 10 * DAY)
    assert blocks(world, source_id) == [("2027-12-10T10:00", "2027-12-10T11:00", "busy")]
    mark = feed(world).etag
    world.app.store.accounts.save(replace(world.account(ALICE), zone="Tokyo Standard Time"))
    again(world)
    assert (feed(world).etag.split(" ")[0], mark.split(" ")[0]) == ("Asia/Tokyo", "Europe/Berlin")


def test_what_fails_waits_longer_each_time_and_keeps_what_was_known(world: World, published: str) -> None:
    world.outlook_create(BOB)
    source_id = add(world, published)
    world.outlook.state.mailboxes["gone@example.com"] = world.outlook.state.mailboxes.pop("bob@example.com")
    waits = []
    for _ in range(9):
        again(world, max(feed(world).due_at - world.clock.now(), 0))
        waits.append(feed(world).due_at - world.clock.now())
        assert blocks(world, source_id) == [TEN]
    assert waits[:4] == pytest.approx([2 * INTERVAL, 4 * INTERVAL, 8 * INTERVAL, 16 * INTERVAL], abs=2)
    assert waits[-1] == pytest.approx(LONGEST_WAIT, abs=2)
    assert "no calendar at this address" in feed(world).source.error
    for _ in range(6):
        again(world, LONGEST_WAIT)
    assert blocks(world, source_id) == [TEN]
    world.outlook.state.mailboxes["bob@example.com"] = world.outlook.state.mailboxes.pop("gone@example.com")
    again(world, LONGEST_WAIT)
    assert blocks(world, source_id) == [TEN]
    assert (feed(world).source.error, feed(world).failures) == ("", 0)


def test_an_address_that_never_answers_says_so_and_no_secret(world: World) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        source_id = add(world, f"http://127.0.0.1:{taken.getsockname()[1]}/secret-token/basic.ics")
    error = feed(world).source.error
    assert error
    assert "secret-token" not in error
    assert blocks(world, source_id) == []


def test_one_that_fails_keeps_no_other_from_being_read(world: World, published: str) -> None:
    world.outlook_create(BOB)
    add(world, "http://127.0.0.1:1/basic.ics")
    source_id = add(world, published, user_id=BOB)
    record = world.save()
    world.settle()
    assert world.link(record).home is not None
    assert blocks(world, source_id) == [TEN]


def test_one_that_brings_the_look_down_is_not_the_first_of_the_next(
    world: World, published: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(address: str, **how: Any) -> FeedRead | Unchanged:
        if "poison" in address:
            raise RuntimeError("nobody foresaw this")
        return read_feed(address, **how)

    monkeypatch.setattr("calsync_plugin.engine.feed_reading.read_feed", read)
    world.outlook_create(BOB)
    add(world, "https://poison.example.com/basic.ics")
    source_id = add(world, published, user_id=BOB)
    world.clock.advance(5)
    world.settle()
    assert blocks(world, source_id) == [TEN]
    assert feed(world).due_at - world.clock.now() > INTERVAL
    assert feed(world).source.error == UNFORESEEN


def test_slow_servers_keep_the_lane_for_a_short_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def slow(address: str, **_: Any) -> Unchanged:
        read.append(address)
        world.clock.advance(BUDGET)
        return Unchanged()

    monkeypatch.setattr("calsync_plugin.engine.feed_reading.read_feed", slow)
    addresses = [f"https://slow.example.com/{number}.ics" for number in range(10)]
    for address in addresses:
        world.app.store.feeds.add(ALICE, SourceKind.FEED, address, shown="shown", name="Slow", most=10)
    world.app.store.queue.wake(FEEDS)
    world.app.worker.drain(rounds=1)
    assert 1 <= len(read) <= AT_ONCE
    world.settle()
    assert sorted(read) == addresses


def test_disconnecting_removes_addresses_too(world: World, published: str) -> None:
    world.outlook_create(BOB)
    source_id = add(world, published)
    world.app.connections.disconnect(ALICE)
    assert world.app.store.feeds.of(ALICE) == []
    assert world.app.store.busy.blocks([source_id], 0, 2**40) == []
    again(world)


def switched_off(world: World) -> None:
    world.plugins.hook.calsync_user_deactivated(user_id=ALICE)


def withdrawn(world: World) -> None:
    grants.revoke(world.app.store, world.account(ALICE))


def paused(world: World) -> None:
    world.app.connections.pause(ALICE)


def connected_again(world: World) -> None:
    world.connect(ALICE)


def granted_again(world: World) -> None:
    grants.grant(world.app.store, world.app.gateway, world.account(ALICE))


def resumed(world: World) -> None:
    world.app.connections.resume(ALICE)


@pytest.mark.parametrize(
    ("leave", "go_on"),
    [
        pytest.param(switched_off, connected_again, id="deactivated"),
        pytest.param(withdrawn, granted_again, id="not-allowed"),
        pytest.param(paused, resumed, id="paused"),
    ],
)
def test_for_who_is_left_alone_nothing_is_read_until_that_ends(
    world: World, published: str, leave: Callable[[World], None], go_on: Callable[[World], None]
) -> None:
    source_id = add(world, published)
    leave(world)
    world.settle()
    before = feed(world).source.read_at
    world.outlook_create(BOB)
    again(world)
    again(world)
    assert feed(world).source.read_at == before
    assert world.app.store.feeds.next_due_in() is None
    go_on(world)
    world.settle()
    assert blocks(world, source_id) == [TEN]


def test_without_addresses_the_lane_rests(world: World) -> None:
    world.app.store.queue.wake(FEEDS)
    assert world.drain() == 1
    world.clock.advance(DAY / 2)
    assert world.drain() == 0


# --- colleagues


def test_a_colleague_who_is_not_connected(world: World) -> None:
    world.outlook_create(CAROL, subject="Secret", sensitivity="private")
    world.outlook_create(CAROL, start="2026-12-03T10:00:00", end="2026-12-03T11:00:00", showAs="oof")
    world.outlook_create(CAROL, start="2027-02-20T10:00:00", end="2027-02-20T11:00:00")
    source_id = add(world, "carol@example.com", SourceKind.SCHEDULE)
    assert blocks(world, source_id) == [
        TEN,
        ("2026-12-03T10:00", "2026-12-03T11:00", "oof"),
        ("2027-02-20T10:00", "2027-02-20T11:00", "busy"),
    ]
    world.outlook_create(CAROL, start="2026-12-04T10:00:00", end="2026-12-04T11:00:00")
    again(world)
    assert len(blocks(world, source_id)) == 4
    found = feed(world).source
    assert (found.error, found.kind) == ("", SourceKind.SCHEDULE)


@pytest.mark.parametrize(
    ("address", "changes", "said"),
    [
        pytest.param("nobody@example.com", {}, NOT_FOUND, id="unknown"),
        pytest.param(
            "carol@example.com", {"carol@example.com": {"showsFreeBusy": False}}, NOT_SHOWN, id="not-shown"
        ),
        pytest.param(
            "carol@example.com", {"alice@example.com": {"personal": True}}, NOT_HERE, id="personal-account"
        ),
    ],
)
def test_why_a_colleague_cannot_be_asked_is_said(
    world: World, address: str, changes: dict[str, dict[str, bool]], said: str
) -> None:
    for mailbox, values in changes.items():
        world.control("PATCH", f"mailboxes/{mailbox}", **values)
    source_id = add(world, address, SourceKind.SCHEDULE)
    assert feed(world).source.error == said
    assert blocks(world, source_id) == []


def test_a_colleague_is_asked_for_only_by_who_is_connected(world: World) -> None:
    world.outlook_create(CAROL)
    source_id = add(world, "carol@example.com", SourceKind.SCHEDULE)
    world.app.store.accounts.set_status(ALICE, AccountStatus.RECONNECT)
    again(world)
    assert "while you are connected" in feed(world).source.error
    assert blocks(world, source_id) == [TEN]
    world.app.store.accounts.set_status(ALICE, AccountStatus.CONNECTED)
    again(world, 4 * INTERVAL)
    assert feed(world).source.error == ""
