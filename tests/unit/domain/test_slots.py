"""Slots against an oracle that tries every minute, round robin, and questions without an answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync_plugin.domain.availability import Interval, WorkingHours, joined
from calsync_plugin.domain.slots import Member, Mode, Record, Slot, Wanted, in_turn, slots
from calsync_plugin.errors import SettingsError

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE, HOUR = 60, 3600
ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Africa/Cairo"]
NIGHTS = ["2026-03-28", "2026-10-24", "2026-04-04", "2026-10-03", "2026-04-23", "2026-10-29", "2026-12-01"]
"""Days around which the clocks of these zones are moved, and an ordinary one."""


def _at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp())


def _local(second: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(second, zone)


def _oracle(wanted: Wanted, members: Sequence[Member]) -> list[Slot]:
    """Every minute of the window, looked at by itself."""
    found = []
    for start in range(wanted.window[0] // MINUTE * MINUTE, wanted.window[1], MINUTE):
        end = start + wanted.duration
        on_wall = datetime.fromtimestamp(start, wanted.zone)
        past_midnight = on_wall.hour * HOUR + on_wall.minute * MINUTE + on_wall.second
        if past_midnight % wanted.step or start < max(wanted.window[0], wanted.earliest):
            continue
        if end > wanted.window[1]:
            continue
        free = sorted(member.user_id for member in members if _is_free(wanted, member, start, end))
        if free and (wanted.mode is Mode.ROUND_ROBIN or len(free) == len(members)):
            found.append(Slot(start, end, tuple(free)))
    return found


def _is_free(wanted: Wanted, member: Member, start: int, end: int) -> bool:
    first, last = start - wanted.before, end + wanted.after
    busy = any(one < last and other > first for one, other in member.busy)
    works = any(one <= start and end <= other for one, other in member.hours)
    day = datetime.fromtimestamp(start, wanted.zone).date()
    taken = Counter(datetime.fromtimestamp(one, wanted.zone).date() for one in member.booked)
    full = wanted.daily_limit is not None and taken[day] >= wanted.daily_limit
    return works and not busy and not full


@st.composite
def questions(draw: st.DrawFn) -> tuple[Wanted, list[Member]]:
    """Two days and a half around a night on which clocks are moved, in whole minutes."""
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    day = draw(st.sampled_from(NIGHTS))
    begin = int(datetime.fromisoformat(day).replace(tzinfo=zone).timestamp())
    minutes = st.integers(-12 * 60, 60 * 60).map(lambda minute: begin + minute * MINUTE)
    spans = st.tuples(minutes, st.integers(1, 600)).map(lambda one: (one[0], one[0] + one[1] * MINUTE))

    def member(number: int) -> Member:
        hours = draw(st.sampled_from([(time(9), time(17)), (time(22), time(6)), (time(0), time(0))]))
        works = WorkingHours(zone=zone, weekdays=frozenset(range(7)), start=hours[0], end=hours[1])
        return Member(
            user_id=f"u{number}",
            busy=joined(draw(st.lists(spans, max_size=8))),
            hours=works.within((begin, begin + 60 * HOUR)),
            booked=draw(st.lists(minutes, max_size=4)),
        )

    wanted = Wanted(
        window=(begin, begin + draw(st.integers(0, 60)) * HOUR),
        duration=draw(st.integers(1, 180)) * MINUTE,
        step=draw(st.sampled_from([5, 15, 30, 45, 60, 90, 7, 25 * 60])) * MINUTE,
        before=draw(st.sampled_from([0, 0, 10, 45])) * MINUTE,
        after=draw(st.sampled_from([0, 0, 5, 60])) * MINUTE,
        earliest=draw(minutes),
        daily_limit=draw(st.sampled_from([None, None, 1, 2])),
        zone=zone,
        mode=draw(st.sampled_from(list(Mode))),
    )
    count = 1 if wanted.mode is Mode.SINGLE else draw(st.integers(1, 3))
    return wanted, [member(number) for number in range(count)]


@given(questions())
def test_slots_are_those_that_trying_every_minute_finds(question: tuple[Wanted, list[Member]]) -> None:
    wanted, members = question
    assert slots(wanted, members) == _oracle(wanted, members)


def _member(user_id: str = "a", *busy: tuple[str, str], **changes: Any) -> Member:
    blocks = [(_at(f"2026-12-01 {start}"), _at(f"2026-12-01 {end}")) for start, end in busy]
    hours: Sequence[Interval] = [(_at("2026-12-01 09:00"), _at("2026-12-01 12:00"))]
    return replace(Member(user_id=user_id, busy=joined(blocks), hours=hours), **changes)


DAY = Wanted(window=(_at("2026-12-01 00:00"), _at("2026-12-02 00:00")), duration=HOUR, zone=BERLIN)


@pytest.mark.parametrize(
    ("changes", "members", "expected"),
    [
        pytest.param({}, [_member()], "09:00 09:30 10:00 10:30 11:00", id="a-free-morning"),
        pytest.param({}, [], "", id="nobody"),
        pytest.param({}, [_member("a", ("09:30", "10:00"))], "10:00 10:30 11:00", id="back-to-back"),
        pytest.param(
            {"before": 600, "after": 600}, [_member("a", ("10:00", "10:30"))], "11:00", id="with-buffers"
        ),
        pytest.param({"before": HOUR}, [_member()], "09:00 09:30 10:00 10:30 11:00", id="buffer-before-work"),
        pytest.param({"earliest": _at("2026-12-01 10:01")}, [_member()], "10:30 11:00", id="minimum-notice"),
        pytest.param(
            {"daily_limit": 1}, [_member(booked=[_at("2026-12-01 18:00")])], "", id="the-day-is-full"
        ),
        pytest.param(
            {"daily_limit": 1},
            [_member(booked=[_at("2026-12-02 00:30")])],
            "09:00 09:30 10:00 10:30 11:00",
            id="another-day-is-full",
        ),
        pytest.param({"duration": 4 * HOUR}, [_member()], "", id="longer-than-the-hours"),
        pytest.param(
            {"mode": Mode.COLLECTIVE},
            [_member("a", ("09:00", "10:00")), _member("b", ("11:00", "12:00"))],
            "10:00",
            id="all-are-free",
        ),
        pytest.param(
            {"mode": Mode.ROUND_ROBIN},
            [_member("a", ("09:00", "11:00")), _member("b", ("09:30", "12:00"))],
            "11:00",
            id="any-is-free",
        ),
    ],
)
def test_the_morning(changes: dict[str, Any], members: list[Member], expected: str) -> None:
    found = slots(replace(DAY, **changes), members)
    assert " ".join(f"{_local(slot.start, BERLIN):%H:%M}" for slot in found) == expected


def test_a_round_robin_says_who_could_take_it() -> None:
    wanted = replace(DAY, mode=Mode.ROUND_ROBIN)
    found = slots(wanted, [_member("b", ("10:00", "12:00")), _member("a")])
    assert [slot.user_ids for slot in found] == [("a", "b"), ("a",), ("a",), ("a",), ("a",)]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        pytest.param([Record(user_id="b"), Record(user_id="a")], "a b", id="the-id-at-last"),
        pytest.param(
            [Record(user_id="a", booked_lately=2, priority=9), Record(user_id="b", booked_lately=1)],
            "b a",
            id="fewest-first",
        ),
        pytest.param(
            [Record(user_id="a", priority=1), Record(user_id="b", priority=2)], "b a", id="then-priority"
        ),
        pytest.param(
            [Record(user_id="a", last_booked=20), Record(user_id="b", last_booked=10)], "b a", id="then-idle"
        ),
        pytest.param(
            [Record(user_id="a", last_booked=0), Record(user_id="b")],
            "b a",
            id="never-booked-is-longest-idle",
        ),
        pytest.param([], "", id="nobody"),
    ],
)
def test_whose_turn_it_is(records: list[Record], expected: str) -> None:
    assert " ".join(in_turn(records)) == expected
    assert " ".join(in_turn(reversed(records))) == expected


@given(st.lists(st.integers(0, 3), min_size=2, max_size=5), st.integers(1, 40))
def test_taking_turns_evens_out(begun: list[int], bookings: int) -> None:
    records = [Record(user_id=f"u{n}", booked_lately=count) for n, count in enumerate(begun)]
    for now in range(bookings):
        first = in_turn(records)[0]
        records = [
            replace(r, booked_lately=r.booked_lately + 1, last_booked=now) if r.user_id == first else r
            for r in records
        ]
    counts = [record.booked_lately for record in records]
    assert max(counts) - min(counts) <= max(1, max(begun) - min(begun))
    if bookings >= sum(max(begun) - count for count in begun):
        assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        pytest.param({"duration": 0}, "duration", id="no-duration"),
        pytest.param({"step": -1}, "step", id="backwards"),
        pytest.param({"before": -1}, "before", id="negative-buffer"),
        pytest.param({"daily_limit": 0}, "daily_limit", id="none-a-day"),
        pytest.param({"window": (2, 1)}, "window", id="ends-before-it-starts"),
    ],
)
def test_a_question_without_an_answer(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(SettingsError, match=f"^{path}: "):
        replace(DAY, **changes)


def test_a_zone_without_offsets_of_its_own() -> None:
    assert len(slots(replace(DAY, zone=UTC), [_member()])) == 5
