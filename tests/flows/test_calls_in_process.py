"""What a host in the same process calls: the desk by datetimes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from calsync_plugin.booking.calls import Calls, Question, free_slots
from calsync_plugin.domain.slots import Mode
from calsync_plugin.errors import KeyReused, SettingsError, SlotTaken
from calsync_plugin.state import BookingCalendar, BookingState, CalendarKind
from tests.world import ALICE, BOB, CAROL, World

HOUR = timedelta(hours=1)
VIENNA = ZoneInfo("Europe/Vienna")
DAY = datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, 2, tzinfo=UTC)
RULES: Mapping[str, Any] = {"duration": 60, "step": 60, "hours": "own", "start": "09:00", "end": "12:00"}
TEAM = Question(calendar="team")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Alice and bob can be booked from nine to twelve; alice is busy at ten."""
    made = World(tmp_path)
    made.connect(ALICE, mode="crm_to_outlook")
    made.connect(BOB, mode="crm_to_outlook")
    made.app.store.booking_calendars.save(
        BookingCalendar(
            id="team", name="Team", kind=CalendarKind.COLLECTIVE, rules=RULES, members={ALICE: 0, BOB: 0}
        )
    )
    made.outlook_create(ALICE, start="2026-12-01T10:00:00", end="2026-12-01T11:00:00")
    made.pull(ALICE)
    yield made
    made.close()


@pytest.fixture
def calls(world: World) -> Calls:
    return world.app.desk.calls


def at(hour: int) -> datetime:
    return DAY[0].replace(hour=hour)


def test_a_host_asks_when_users_are_busy(calls: Calls) -> None:
    carol, alice = calls.busy([CAROL, ALICE], *DAY)
    assert (carol.known, carol.spans, "not connected" in carol.reason) == (False, [], True)
    assert alice.known
    assert alice.spans == alice.by_kind["linked"] == [(at(10), at(11))]
    assert alice.hours
    assert alice.read_at is not None
    assert (alice.stale, list(alice.problems)) == (False, [])


def test_a_host_books_what_it_was_offered(world: World, calls: Calls) -> None:
    found = calls.slots(TEAM, *DAY, fresh=True)
    assert [slot.start for slot in found.slots] == [at(9), at(11)]
    booked = calls.book(TEAM, found.slots[0].start, "Demo", description="By phone", key="1")
    assert (booked.state, booked.start, booked.end) == (BookingState.CONFIRMED, at(9), at(10))
    record = world.only_record()
    assert (record["id"], record["name"], record["description"]) == (booked.record_id, "Demo", "By phone")
    assert calls.book(TEAM, at(9), "Demo", description="By phone", key="1") == booked
    with pytest.raises(KeyReused):
        calls.book(TEAM, at(11), "Demo", key="1")


def test_who_is_too_late_is_offered_the_next_slots(calls: Calls) -> None:
    calls.book(TEAM, at(9), "Demo")
    with pytest.raises(SlotTaken) as taken:
        calls.book(TEAM, at(9), "Another")
    first = free_slots(taken.value.next_slots)[0]
    assert (first.start, first.end, sorted(first.user_ids)) == (at(11), at(12), sorted([ALICE, BOB]))


def test_a_host_cancels(world: World, calls: Calls) -> None:
    booked = calls.book(TEAM, at(9), "Demo")
    cancelled = calls.cancel(booked.id)
    assert cancelled is not None
    assert (cancelled.state, cancelled.reason) == (BookingState.RELEASED, "it was cancelled")
    assert world.records() == []
    assert calls.cancel("nowhere") is None
    assert calls.book(TEAM, at(9), "Demo").id != booked.id


def test_users_are_asked_about_without_a_booking_calendar(calls: Calls) -> None:
    both = Question(users=[ALICE, BOB, CAROL], mode=Mode.ROUND_ROBIN, duration=HOUR, step=HOUR, zone="UTC")
    ten = datetime(2026, 12, 1, 11, tzinfo=VIENNA)
    found = calls.slots(both, ten, ten + HOUR, limit=1)
    assert [(slot.start, slot.user_ids) for slot in found.slots] == [(at(10), (BOB,))]
    assert list(found.lacking) == [CAROL]


@pytest.mark.parametrize("naive", [datetime(2026, 12, 1), datetime(2026, 12, 1, 9)])  # noqa: DTZ001
def test_a_datetime_without_a_zone_is_refused(calls: Calls, naive: datetime) -> None:
    with pytest.raises(SettingsError, match="has no zone"):
        calls.busy([ALICE], naive, DAY[1])
    with pytest.raises(SettingsError, match="has no zone"):
        calls.book(TEAM, naive, "Demo")
