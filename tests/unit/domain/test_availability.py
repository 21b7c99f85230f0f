"""Busy and free: what blocks, how intervals are joined and cut, and hours by the clock on the wall."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync_plugin.domain.availability import (
    Blocking,
    Interval,
    WorkingHours,
    common,
    cut,
    gaps,
    joined,
    taken,
)
from calsync_plugin.domain.meeting import ShowAs
from calsync_plugin.domain.timespan import AllDay, Timed

BERLIN = ZoneInfo("Europe/Berlin")
END = 60
intervals = st.lists(st.tuples(st.integers(0, END), st.integers(0, END)), max_size=12)


def _at(text: str, zone: ZoneInfo = BERLIN) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


def _seconds(found: list[Interval]) -> set[int]:
    return {second for start, end in found for second in range(start, end)}


@pytest.mark.parametrize(
    ("show_as", "blocking", "expected"),
    [
        pytest.param(ShowAs.BUSY, Blocking(out_of_office=False, tentative=False), True, id="busy"),
        pytest.param(ShowAs.OOF, Blocking(), True, id="out-of-office"),
        pytest.param(ShowAs.OOF, Blocking(out_of_office=False), False, id="out-of-office-let-through"),
        pytest.param(ShowAs.TENTATIVE, Blocking(), True, id="tentative"),
        pytest.param(ShowAs.TENTATIVE, Blocking(tentative=False), False, id="tentative-let-through"),
        pytest.param(ShowAs.FREE, Blocking(), False, id="free"),
        pytest.param(ShowAs.WORKING_ELSEWHERE, Blocking(), False, id="working-elsewhere"),
    ],
)
def test_what_blocks(show_as: ShowAs, blocking: Blocking, expected: bool) -> None:
    assert blocking.blocks(show_as) is expected


@pytest.mark.parametrize(
    ("span", "start", "end"),
    [
        pytest.param(
            Timed(datetime(2026, 12, 1, 9, tzinfo=UTC), datetime(2026, 12, 1, 10, tzinfo=UTC)),
            "2026-12-01 10:00",
            "2026-12-01 11:00",
            id="timed",
        ),
        pytest.param(
            AllDay(date(2026, 12, 1), date(2026, 12, 3)),
            "2026-12-01 00:00",
            "2026-12-03 00:00",
            id="two-days",
        ),
        pytest.param(
            AllDay(date(2026, 3, 29), date(2026, 3, 30)),
            "2026-03-29 00:00",
            "2026-03-30 00:00",
            id="a-day-of-23-hours",
        ),
    ],
)
def test_the_time_that_a_meeting_takes(span: Timed | AllDay, start: str, end: str) -> None:
    assert taken(span, BERLIN) == (_at(start), _at(end))


@pytest.mark.parametrize(
    ("some", "expected"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([(3, 3), (5, 4)], [], id="without-length"),
        pytest.param([(5, 7), (1, 3)], [(1, 3), (5, 7)], id="in-order"),
        pytest.param([(1, 3), (3, 5)], [(1, 5)], id="touching"),
        pytest.param([(1, 9), (2, 3)], [(1, 9)], id="within"),
        pytest.param([(1, 4), (2, 6), (8, 9)], [(1, 6), (8, 9)], id="overlapping"),
    ],
)
def test_joined(some: list[Interval], expected: list[Interval]) -> None:
    assert joined(some) == expected


@given(intervals, intervals, st.tuples(st.integers(0, END), st.integers(0, END)))
def test_intervals_are_sets_of_seconds(
    some: list[Interval], others: list[Interval], window: Interval
) -> None:
    one, other = joined(some), joined(others)
    inside = set(range(*window))
    assert _seconds(one) == _seconds(some)
    assert all(a[1] < b[0] for a, b in pairwise(one))
    assert _seconds(cut(one, window)) == _seconds(some) & inside
    assert _seconds(gaps(one, window)) == inside - _seconds(some)
    assert _seconds(common(one, other)) == _seconds(some) & _seconds(others)


def _words(second: int) -> str:
    return f"{datetime.fromtimestamp(second, BERLIN):%m-%d %H:%M}"


def _hours_of(window: tuple[str, str], hours: WorkingHours) -> list[tuple[str, str]]:
    found = hours.within((_at(window[0]), _at(window[1])))
    return [(_words(start), _words(end)) for start, end in found]


@pytest.mark.parametrize(
    ("window", "hours", "expected"),
    [
        pytest.param(
            ("2026-12-04 00:00", "2026-12-08 00:00"),
            WorkingHours(zone=BERLIN),
            [("12-04 09:00", "12-04 17:00"), ("12-07 09:00", "12-07 17:00")],
            id="over-a-weekend",
        ),
        pytest.param(
            ("2026-12-01 12:00", "2026-12-01 15:00"),
            WorkingHours(zone=BERLIN),
            [("12-01 12:00", "12-01 15:00")],
            id="cut-to-the-window",
        ),
        pytest.param(
            ("2026-12-01 00:00", "2026-12-01 12:00"),
            WorkingHours(zone=BERLIN, start=time(22), end=time(6)),
            [("12-01 00:00", "12-01 06:00")],
            id="a-night-that-reaches-in",
        ),
        pytest.param(
            ("2026-12-01 00:00", "2026-12-03 00:00"),
            WorkingHours(zone=BERLIN, start=time(0), end=time(0)),
            [("12-01 00:00", "12-03 00:00")],
            id="around-the-clock",
        ),
        pytest.param(
            ("2026-12-01 00:00", "2026-12-02 00:00"),
            WorkingHours(zone=ZoneInfo("America/New_York")),
            [("12-01 15:00", "12-01 23:00")],
            id="in-another-zone",
        ),
        pytest.param(
            ("2026-10-24 00:00", "2026-10-27 00:00"),
            WorkingHours(zone=BERLIN, weekdays=frozenset(range(7))),
            [
                ("10-24 09:00", "10-24 17:00"),
                ("10-25 09:00", "10-25 17:00"),
                ("10-26 09:00", "10-26 17:00"),
            ],
            id="over-the-end-of-summer-time",
        ),
        pytest.param(
            ("2026-12-01 00:00", "2026-12-02 00:00"),
            WorkingHours(zone=BERLIN, weekdays=frozenset()),
            [],
            id="no-working-days",
        ),
    ],
)
def test_working_hours(window: tuple[str, str], hours: WorkingHours, expected: list[tuple[str, str]]) -> None:
    assert _hours_of(window, hours) == expected
