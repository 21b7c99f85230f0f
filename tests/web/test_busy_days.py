"""A week of busy times, day by day and drawn: where a time stands, whatever the clocks do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from flask import Flask

from calsync_plugin.domain.availability import Interval
from calsync_plugin.web.busy_days import DAYS, BusyDay, Look, Taking, days_of, window_of
from calsync_plugin.web.busy_grid import COLOURS, DAY, HOUR, LEAST, LEFT, STRIP, grid_of, looks
from calsync_plugin.web.speaking import set_up_speaking

BERLIN = "Europe/Berlin"
MONDAY = date(2026, 11, 30)
FORWARD, BACK = date(2026, 3, 23), date(2026, 10, 19)
"""Of the weeks whose Sundays lose and gain an hour."""
SUNDAY = 6
LOOK = Look(id="look0", ground="#ffffff", ink="#000000", pattern="plain")


@pytest.fixture(autouse=True)
def page() -> Iterator[None]:
    """Times are written in the language of a page."""
    app = Flask("busy")
    set_up_speaking(app)
    with app.test_request_context("/healthz"):
        yield


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def span(start: str, end: str) -> Interval:
    return utc(start), utc(end)


def week(
    *spans: Interval, monday: date = MONDAY, zone: str = BERLIN, hours: tuple[Interval, ...] = ()
) -> list[BusyDay]:
    return days_of(monday, monday, zone, [Taking(look=LOOK, name="Main", spans=spans)], hours)


def told(day: BusyDay) -> list[tuple[tuple[int, int], str]]:
    return [(one.minutes, str(one.when)) for one in (*day.all_day, *day.pieces)]


@pytest.mark.parametrize(
    ("spans", "monday", "day", "expected"),
    [
        pytest.param(
            [span("2026-12-01T09:00", "2026-12-01T10:30")],
            MONDAY,
            1,
            [((600, 690), "10:00 to 11:30")],
            id="hours",
        ),
        pytest.param(
            [span("2026-11-30T23:00", "2026-12-01T23:00")], MONDAY, 1, [((0, 1440), "All day")], id="all-day"
        ),
        pytest.param(
            [span("2026-12-01T21:00", "2026-12-02T03:00")],
            MONDAY,
            1,
            [((1320, 1440), "22:00 to 24:00")],
            id="into-the-night",
        ),
        pytest.param(
            [span("2026-12-01T21:00", "2026-12-02T03:00")],
            MONDAY,
            2,
            [((0, 240), "00:00 to 04:00")],
            id="out-of-the-night",
        ),
        pytest.param(
            [span("2026-11-28T09:00", "2026-12-09T10:00")],
            MONDAY,
            3,
            [((0, 1440), "All day")],
            id="many-days",
        ),
        pytest.param(
            [span("2026-12-01T09:00", "2026-12-01T10:00"), span("2026-12-01T09:30", "2026-12-01T11:00")],
            MONDAY,
            1,
            [((600, 720), "10:00 to 12:00")],
            id="of-one-source-joined",
        ),
        pytest.param([], MONDAY, 1, [], id="nothing"),
        pytest.param(
            [span("2026-03-29T00:30", "2026-03-29T01:30")],
            FORWARD,
            SUNDAY,
            [((90, 210), "01:30 to 03:30")],
            id="the-hour-that-is-not",
        ),
        pytest.param(
            [span("2026-10-25T00:30", "2026-10-25T01:10")],
            BACK,
            SUNDAY,
            [((150, 190), "02:30 CEST to 02:10 CET")],
            id="the-hour-that-comes-twice",
        ),
        pytest.param(
            [span("2026-10-24T22:00", "2026-10-25T23:00")],
            BACK,
            SUNDAY,
            [((0, 1440), "All day")],
            id="a-day-of-25-hours",
        ),
    ],
)
def test_where_a_busy_time_stands(
    spans: list[Interval], monday: date, day: int, expected: list[tuple[tuple[int, int], str]]
) -> None:
    assert told(week(*spans, monday=monday)[day]) == expected


@pytest.mark.parametrize(("monday", "changes"), [(MONDAY, []), (FORWARD, [SUNDAY]), (BACK, [SUNDAY])])
def test_a_day_says_that_its_clocks_change(monday: date, changes: list[int]) -> None:
    assert [n for n, day in enumerate(week(monday=monday)) if day.clocks_change] == changes


@pytest.mark.parametrize(("monday", "hours"), [(MONDAY, 168), (FORWARD, 167), (BACK, 169)])
def test_a_week_is_as_long_as_its_clocks_say(monday: date, hours: int) -> None:
    start, end = window_of(monday, BERLIN)
    assert (end - start) / 3600 == hours


def test_days_of_which_not_all_was_read() -> None:
    """Read from the middle of Tuesday on to the end of Friday."""
    known = span("2026-12-01T12:00", "2026-12-04T23:00")
    days = days_of(MONDAY, MONDAY, BERLIN, [], (), known)
    assert [day.known for day in days] == [False, False, True, True, True, False, False]
    assert [box.day for box in grid_of(days).unknown] == [0, 1, 5, 6]


def test_working_hours_are_by_the_wall() -> None:
    day = week(hours=(span("2026-12-02T08:00", "2026-12-02T16:00"),))[2]
    assert (day.hours, [str(one) for one in day.hours_words]) == (((540, 1020),), ["09:00 to 17:00"])


def lanes(*spans: tuple[str, str]) -> list[tuple[int, int]]:
    takings = [
        Taking(look=LOOK, name=f"{n}", spans=[span(f"2026-12-01T{a}", f"2026-12-01T{b}")])
        for n, (a, b) in enumerate(spans)
    ]
    return [(one.lane, one.lanes) for one in days_of(MONDAY, MONDAY, "UTC", takings, ())[1].pieces]


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        pytest.param([("09:00", "10:00"), ("10:00", "11:00")], [(0, 1), (0, 1)], id="one-after-the-other"),
        pytest.param([("09:00", "10:00"), ("09:30", "11:00")], [(0, 2), (1, 2)], id="side-by-side"),
        pytest.param(
            [("09:00", "12:00"), ("09:30", "10:00"), ("10:30", "11:00")],
            [(0, 2), (1, 2), (1, 2)],
            id="a-free-lane-again",
        ),
        pytest.param(
            [("09:00", "10:00"), ("09:00", "10:00"), ("10:00", "12:00")],
            [(0, 2), (1, 2), (0, 1)],
            id="alone-again",
        ),
    ],
)
def test_what_overlaps_stands_side_by_side(
    spans: list[tuple[str, str]], expected: list[tuple[int, int]]
) -> None:
    assert lanes(*spans) == expected


# --- drawn


def test_the_usual_hours_are_shown_and_more_if_something_lies_there() -> None:
    assert [hour for _, hour in grid_of(week()).hours] == list(range(8, 18))
    early = week(span("2026-12-01T03:20", "2026-12-01T04:00"), span("2026-12-02T20:10", "2026-12-02T20:30"))
    assert [hour for _, hour in grid_of(early).hours] == list(range(4, 22))


def test_a_busy_time_lies_in_its_column_at_its_hour() -> None:
    grid = grid_of(week(span("2026-12-01T09:00", "2026-12-01T10:30")))
    (box,) = grid.boxes
    assert box.x == pytest.approx(LEFT + DAY + 2, abs=0.1)
    at_ten = next(y for y, hour in grid.hours if hour == 10)
    assert box.y == pytest.approx(at_ten + 1, abs=0.1)
    assert box.height == pytest.approx(1.5 * HOUR - 1, abs=0.1)
    assert box.lines == ("10:00 to 11:30", "Main")


@pytest.mark.parametrize(
    ("end", "lines"),
    [
        pytest.param("10:30", ("10:00 to 11:30", "Main"), id="room-for-both"),
        pytest.param("09:45", ("10:00 Main",), id="one-line"),
        pytest.param("09:10", (), id="none"),
    ],
)
def test_as_much_is_told_as_there_is_room_for(end: str, lines: tuple[str, ...]) -> None:
    (box,) = grid_of(week(span("2026-12-01T09:00", f"2026-12-01T{end}"))).boxes
    assert box.lines == lines


def test_a_slim_one_tells_whose_it_is() -> None:
    takings = [
        Taking(look=LOOK, name=name, spans=[span("2026-12-01T09:00", "2026-12-01T11:00")]) for name in "AB"
    ]
    boxes = grid_of(days_of(MONDAY, MONDAY, BERLIN, takings, ())).boxes
    assert [box.lines for box in boxes] == [("A",), ("B",)]


def test_the_shortest_can_be_seen_and_tells_itself_to_who_points_at_it() -> None:
    (box,) = grid_of(week(span("2026-12-01T09:00", "2026-12-01T09:05"))).boxes
    assert (box.height, box.lines) == (LEAST - 1, ())
    assert box.title == "10:00 to 10:05: Main"


def test_whole_days_stand_above_the_hours() -> None:
    grid = grid_of(week(span("2026-11-30T23:00", "2026-12-02T23:00")))
    assert [(box.day, box.lines) for box in grid.boxes] == [(1, ("Main",)), (2, ("Main",))]
    assert all(box.y + box.height <= grid.top for box in grid.boxes)
    assert grid.top == pytest.approx(grid_of(week()).top + STRIP)


def test_everything_lies_within_the_grid() -> None:
    spans = [
        span(f"2026-12-{day:02}T00:00", f"2026-12-{day:02}T{hour}:00")
        for day, hour in ((1, 23), (2, 12), (6, 22))
    ]
    grid = grid_of(week(*spans, hours=(span("2026-12-01T02:00", "2026-12-01T23:30"),)))
    for box in (*grid.boxes, *grid.working):
        assert grid.left <= box.x <= box.x + box.width <= grid.width + 0.2
        assert 0 <= box.y <= box.y + box.height <= grid.height
    assert len(grid.columns) == DAYS


def _brightness(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colours", COLOURS)
def test_ink_stands_out_from_its_ground(colours: tuple[str, str]) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1."""
    ground, ink = (_brightness(one) for one in colours)
    assert (ground + 0.05) / (ink + 0.05) >= 4.5


def test_sources_beside_each_other_look_different() -> None:
    found = looks(["linked", *["conflict"] * 9, "feed"])
    assert len({one.id for one in found}) == len(found)
    assert all((a.ground, a.pattern) != (b.ground, b.pattern) for a, b in pairwise(found))
    assert {one.pattern for one in looks(["linked", "conflict", "feed", "schedule", "booking"])} == {
        "plain", "rising", "dots", "falling", "squares",
    }  # fmt: skip
