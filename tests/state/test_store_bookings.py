"""Bookings in the store: one transaction at a time gives a slot away, and events take over from holds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from calsync_plugin.domain.availability import Block
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.errors import SettingsError, StaleLink, StoreBusy
from calsync_plugin.state import (
    Account,
    AccountStatus,
    Booking,
    BookingCalendar,
    BookingState,
    CalendarKind,
    HoldState,
    SourceKind,
    Standing,
    Store,
)
from calsync_plugin.state.busy_writes import BusyWrites
from tests.state.samples import MovedClock

HOUR, DAYLONG = 3600, 86_400
START = 1_800_000_000 // HOUR * HOUR
AROUND = (START - HOUR, START + 2 * HOUR)
DAY = (START - 12 * HOUR, START + 12 * HOUR)


def _reserve(
    store: Store, number: int, *users: str, key: str = "", start: int = START, content: str = "{}"
) -> Booking | None:
    """Book an hour for the first of some users who is free, as a round robin does."""

    def first_free(standing: Standing) -> Sequence[str] | None:
        free = [
            user
            for user in users
            if not any(a < start + HOUR and start < b for a, b in standing.taken.get(user, []))
        ]
        return sorted(free, key=lambda user: standing.turns[user].booked if user in standing.turns else 0)[:1]

    booking = Booking(
        id=f"b{number}",
        calendar_id="team",
        start=start,
        end=start + HOUR,
        key=key,
        request_hash="asked",
        content=content,
    )
    return store.bookings.reserve(booking, users, first_free, around=AROUND, day=DAY, since=0.0)


def test_a_slot_is_given_to_each_member_once(store: Store) -> None:
    given = [_reserve(store, number, "alice", "bob") for number in range(3)]
    assert [one.user_id if one else None for one in given] == ["alice", "bob", None]
    assert store.bookings.get("b2") is None


def test_of_many_at_once_one_gets_the_slot(store: Store) -> None:
    begin = threading.Barrier(8)
    won: list[str] = []

    def book(number: int) -> None:
        begin.wait(30)
        if _reserve(store, number, "alice"):
            won.append(f"b{number}")

    threads = [threading.Thread(target=book, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(won) == 1
    assert [hold.booking_id for hold in store.bookings.holds(["alice"], *AROUND)] == won


def test_what_is_released_is_free_and_its_key_too(store: Store) -> None:
    assert _reserve(store, 1, "alice", key="k")
    with pytest.raises(StaleLink):
        _reserve(store, 2, "alice", key="k", start=START + 5 * HOUR)
    assert store.bookings.release("b1", "the CRM refused it")
    assert not store.bookings.release("b1", "again")
    released = store.bookings.get("b1")
    assert released is not None
    assert (released.state, released.reason) == (BookingState.RELEASED, "the CRM refused it")
    assert _reserve(store, 2, "alice", key="k")


def test_a_confirmed_booking_keeps_its_time_and_content(store: Store) -> None:
    _reserve(store, 1, "alice", key="k")
    assert store.bookings.confirm("b1", "m1")
    assert not store.bookings.confirm("b1", "m2")
    (hold,) = store.bookings.holds(["alice", "bob"], *AROUND)
    assert (hold.user_id, hold.state) == ("alice", HoldState.KEPT)
    booking = store.bookings.by_key("", "k")
    assert booking is not None
    assert (booking.record_id, booking.content) == ("m1", "{}")
    assert [one.id for one in store.bookings.kept(START, "", 10)] == ["b1"]
    assert store.bookings.kept(START + HOUR, "", 10) == []


def test_what_is_booked_next_of_somebodys_time(store: Store) -> None:
    for number, hours, user in (
        (1, 4, "alice"),
        (2, 2, "alice"),
        (3, 1, "bob"),
        (4, 3, "alice"),
        (5, -5, "alice"),
    ):
        assert _reserve(store, number, user, start=START + hours * HOUR)
    store.bookings.confirm("b1", "m1")
    store.bookings.release("b4", "the CRM refused it")
    assert [one.id for one in store.bookings.upcoming("alice", START, 10)] == ["b2", "b1"]
    assert [one.id for one in store.bookings.upcoming("alice", START + 3 * HOUR, 10)] == ["b1"]
    assert [one.id for one in store.bookings.upcoming("alice", START, 1)] == ["b2"]


def test_a_record_that_moved_takes_its_hold_along(store: Store) -> None:
    held = _reserve(store, 1, "alice")
    assert held
    store.bookings.confirm("b1", "m1")
    moved = store.bookings.of_record("", "m1")
    assert moved
    later = Booking(
        id="b1",
        start=START + HOUR,
        end=START + 2 * HOUR,
        user_id="bob",
        state=BookingState.CONFIRMED,
        record_id="m1",
    )
    store.bookings.follow(later, ["bob"])
    (hold,) = store.bookings.holds(["alice", "bob"], *DAY)
    assert (hold.user_id, hold.start) == ("bob", START + HOUR)


def test_a_booking_that_is_given_anew_and_finds_nobody_is_released(store: Store) -> None:
    """Whoever asked with the same key meanwhile was told its id."""
    assert _reserve(store, 1, "alice", key="k")
    assert _reserve(store, 1, key="k") is None
    released = store.bookings.get("b1")
    assert released
    assert released.state is BookingState.RELEASED
    assert "not free" in released.reason
    assert store.bookings.holds(["alice"], *AROUND) == []


def test_what_was_released_meanwhile_is_not_held_again(store: Store) -> None:
    assert _reserve(store, 1, "alice")
    store.bookings.release("b1", "it took too long")
    with pytest.raises(StaleLink):
        _reserve(store, 1, "alice")
    assert store.bookings.holds(["alice"], *AROUND) == []


def test_what_decides_sees_the_blocks_of_all_who_may_be_named(store: Store) -> None:
    (source,) = store.busy.keep_calendars("alice", 7, {"c1": (SourceKind.LINKED, "Calendar")})
    store.busy.keep_calendars("bob", 8, {"c2": (SourceKind.LINKED, "Calendar")})
    with store.save(None) as tx:
        tx.busy.put(source.id, [Block(id="a", start=START, end=START + HOUR)])
    seen: list[Standing] = []

    def nobody(standing: Standing) -> None:
        seen.append(standing)

    booking = Booking(id="b1", start=START, end=START + HOUR, content="{}")
    users = ["alice", "carol"]
    assert store.bookings.reserve(booking, users, nobody, around=AROUND, day=DAY, since=0.0) is None
    assert [one.id for one in seen[0].sources] == [source.id]
    assert [row[:3] for row in seen[0].times] == [(source.id, START, START + HOUR)]


def test_a_booking_is_found_by_its_record_while_it_is_confirmed(store: Store) -> None:
    for number, user in ((1, "alice"), (2, "bob"), (3, "carol")):
        _reserve(store, number, user)
    store.bookings.confirm("b1", "m1")
    store.bookings.confirm("b2", "m2")
    store.bookings.release("b2", "cancelled")
    keys = [("", "m2"), ("", "m1"), ("Call", "m1"), ("", "")]
    assert [one.id for one in store.bookings.of_records(keys)] == ["b1"]
    assert store.bookings.takers(["b1", "b2", "b3"]) == {"b1": ["alice"], "b3": ["carol"]}


def test_a_released_booking_follows_nothing(store: Store) -> None:
    _reserve(store, 1, "alice")
    store.bookings.confirm("b1", "m1")
    kept = store.bookings.get("b1")
    assert kept
    store.bookings.release("b1", "cancelled")
    store.bookings.follow(kept, ["alice"])
    released = store.bookings.get("b1")
    assert released
    assert released.state is BookingState.RELEASED
    assert store.bookings.holds(["alice"], *DAY) == []


@pytest.mark.parametrize(
    ("fairness", "days", "left"),
    [
        pytest.param(30, 20, "what it was made of", id="as-it-was"),
        pytest.param(30, 40, None, id="forgotten"),
        pytest.param(365, 40, "", id="counted-without-content"),
        pytest.param(365, 400, None, id="not-counted-any-more"),
    ],
)
def test_a_booking_that_is_over_counts_for_as_long_as_turns_are_compared(
    store: Store, clock: MovedClock, fairness: int, days: int, left: str | None
) -> None:
    rules: dict[str, JsonValue] = {"fairness_days": fairness}
    calendar = BookingCalendar(id="team", name="Team", kind=CalendarKind.ROUND_ROBIN, rules=rules)
    store.booking_calendars.save(calendar)
    start = int(store.clock.now()) + HOUR
    assert _reserve(store, 1, "alice", start=start, key="k", content="what it was made of")
    store.bookings.confirm("b1", "m1")
    clock.move(days * DAYLONG)
    for _ in range(2):
        store.bookings.purge()
    found = store.bookings.get("b1")
    assert (found.content if found else None) == left
    assert bool(store.bookings.by_key("", "k")) is bool(left)
    following = _reserve(store, 2, "alice", "bob", start=start + days * DAYLONG)
    assert following
    assert following.user_id == ("alice" if left is None else "bob")


@pytest.mark.parametrize(
    ("block", "stays"),
    [
        pytest.param(Block(id="x", start=START, end=START + HOUR), False, id="within"),
        pytest.param(Block(id="x", start=START - HOUR, end=START + 1), False, id="reaches-in"),
        pytest.param(Block(id="x", start=START - HOUR, end=START), True, id="ends-there"),
        pytest.param(
            Block(id="x", start=START + 4 * DAYLONG, end=START + 5 * DAYLONG), True, id="begins-there"
        ),
        pytest.param(
            Block(id="x", start=START + DAYLONG, end=START + 2 * DAYLONG, whole_days=True), False, id="day"
        ),
        pytest.param(
            Block(id="x", start=START - DAYLONG, end=START + HOUR, whole_days=True),
            True,
            id="day-that-may-be-over-before",
        ),
        pytest.param(
            Block(id="x", start=START + 4 * DAYLONG - HOUR, end=START + 5 * DAYLONG, whole_days=True),
            True,
            id="day-that-may-begin-later",
        ),
    ],
)
def test_what_an_answer_for_a_window_leaves_out_is_forgotten_there_alone(
    store: Store, block: Block, stays: bool
) -> None:
    (source,) = store.busy.keep_calendars("alice", 7, {"c1": (SourceKind.LINKED, "Calendar")})
    new = Block(id="new", start=START + HOUR, end=START + 2 * HOUR)
    with store.save(None) as tx:
        tx.busy.put(source.id, [block])
        tx.busy.replace_within(source.id, START, START + 4 * DAYLONG, [new])
    found = store.busy.blocks([source.id], START - 9 * DAYLONG, START + 9 * DAYLONG)
    assert {one.id for _, one in found} == ({"x", "new"} if stays else {"new"})


WRITTEN_MEANWHILE: list[Any] = [
    pytest.param(
        lambda busy, source: busy.put(source, [Block(id="b", start=START, end=START + 1)]), id="put"
    ),
    pytest.param(lambda busy, source: busy.remove(source, ["a"]), id="remove"),
    pytest.param(lambda busy, source: busy.replace(source, []), id="replace"),
    pytest.param(lambda busy, source: busy.replace_within(source, START, START + 1, []), id="replace-within"),
]


@pytest.mark.parametrize("write", WRITTEN_MEANWHILE)
def test_an_answer_that_may_be_older_than_what_is_stored_is_not_written(
    store: Store, write: Callable[[BusyWrites, int], object]
) -> None:
    (source,) = store.busy.keep_calendars("alice", 7, {"c1": (SourceKind.LINKED, "Calendar")})
    old = Block(id="a", start=START, end=START + HOUR)
    with store.save(None) as tx:
        write(tx.busy, source.id)
    with store.save(None) as tx:
        assert not tx.busy.replace_within(source.id, START, START + HOUR, [old], version=source.version)
    (now,) = store.busy.sources(["alice"])
    with store.save(None) as tx:
        assert tx.busy.replace_within(source.id, START, START + HOUR, [old], version=now.version)
    assert "a" in {block.id for _, block in store.busy.blocks([source.id], START, START + HOUR)}


def test_blocks_are_kept_by_source_and_window(store: Store) -> None:
    (source,) = store.busy.keep_calendars("alice", 7, {"c1": (SourceKind.LINKED, "Calendar")})
    blocks = [
        Block(id="a", start=START, end=START + HOUR),
        Block(id="s1", start=START + HOUR, end=START + 2 * HOUR, series_id="s"),
        Block(id="far", start=START + 900 * HOUR, end=START + 901 * HOUR),
    ]
    with store.save(None) as tx:
        tx.busy.replace(source.id, blocks)
        tx.busy.was_read(source.id)
    found = store.busy.blocks([source.id], START, START + 3 * HOUR)
    assert [block.id for _, block in found] == ["a", "s1"]
    with store.save(None) as tx:
        tx.busy.remove(source.id, ["s"])
        tx.busy.put(source.id, [Block(id="a", start=START - HOUR, end=START)])
    assert [row[:3] for row in store.busy.times([source.id], START - HOUR, START)] == [
        (source.id, START - HOUR, START)
    ]
    assert store.busy.keep_calendars("alice", 7, {}) == []
    assert store.busy.blocks([source.id], START - HOUR, START) == []


def test_nothing_is_written_to_a_source_that_is_gone(store: Store) -> None:
    (source,) = store.busy.keep_calendars("alice", 7, {"c1": (SourceKind.LINKED, "Calendar")})
    store.busy.remove_all("alice")
    with store.save(None) as tx:
        tx.busy.put(source.id, [Block(id="a", start=START, end=START + HOUR)])
    assert store.busy.times([source.id], START, START + HOUR) == []


def test_a_feed_is_added_once_and_its_address_is_no_plain_text(store: Store) -> None:
    address = "https://calendar.example.com/secret/basic.ics"
    for user_id in ("alice", "bob"):
        store.accounts.save(Account(user_id=user_id, status=AccountStatus.CONNECTED))
    source_id = store.feeds.add("alice", SourceKind.FEED, address, shown="calendar…", name="Home", most=2)
    with pytest.raises(SettingsError, match="already"):
        store.feeds.add("alice", SourceKind.FEED, address, shown="calendar…", name="Home", most=2)
    store.feeds.add("bob", SourceKind.FEED, address, shown="calendar…", name="Home", most=2)
    (feed,) = store.feeds.of("alice")
    assert (feed.source.id, feed.address) == (source_id, address)
    assert address not in repr(feed)
    assert len(store.feeds.due(10)) == 2
    store.feeds.answered(source_id, next_in=900, failures=0, etag='"1"')
    assert [one.source.user_id for one in store.feeds.due(10)] == ["bob"]
    assert not store.feeds.read_soon(source_id, user_id="bob")
    assert not store.busy.remove(source_id, user_id="bob")
    assert store.busy.remove(source_id, user_id="alice")
    assert store.feeds.of("alice") == []
    store.feeds.add("carol", SourceKind.FEED, "https://a.example.com/1.ics", shown="", name="1", most=1)
    with pytest.raises(SettingsError, match="1 addresses"):
        store.feeds.add("carol", SourceKind.FEED, "https://a.example.com/2.ics", shown="", name="2", most=1)


def test_addresses_that_are_added_at_once_are_no_more_than_may_be(store: Store) -> None:
    def add(number: int) -> bool:
        address = f"https://a.example.com/{number}.ics"
        try:
            store.feeds.add("alice", SourceKind.FEED, address, shown="", name="", most=3)
        except SettingsError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(add, range(16))) == 3
    assert len(store.feeds.of("alice")) == 3


def test_readings_of_one_source_at_once_wait_for_each_other(store: Store) -> None:
    """A sync and a look into Outlook write the same rows; nobody is told that the database was busy."""
    (source,) = store.busy.keep_calendars("alice", 7, {"c1": (SourceKind.LINKED, "Calendar")})
    blocks = [Block(id=f"e{n:03}", start=START + n, end=START + n + HOUR) for n in range(60)]
    begin = threading.Barrier(3)
    failed: list[Exception] = []

    def read(write: Callable[[BusyWrites], object]) -> None:
        begin.wait(30)
        try:
            for _number in range(15):
                with store.save(None) as tx:
                    write(tx.busy)
        except StoreBusy as error:
            failed.append(error)

    def remove_and_put(busy: BusyWrites) -> None:
        busy.remove(source.id, [block.id for block in blocks[30:]])
        busy.put(source.id, blocks)

    ways: list[Callable[[BusyWrites], object]] = [
        lambda busy: busy.replace(source.id, blocks),
        lambda busy: busy.replace_within(source.id, START, START + HOUR, blocks),
        remove_and_put,
    ]
    threads = [threading.Thread(target=read, args=(way,)) for way in ways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert len(store.busy.times([source.id], START, START + DAYLONG)) == len(blocks)
