"""The grid of free slots: which days and times it shows, and how each time is told."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from calsync_plugin.domain.slots import Slot
from calsync_plugin.web.slot_grid import Freedom, Grid, grid

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 11, 23)
NAMES = {"a": "Alice", "b": "Bob"}
HALF = 1800


def at(day: int, clock: str, *, month: int = 11, fold: int = 0) -> int:
    """An instant by Berlin's clock."""
    return int(
        datetime.combine(date(2026, month, day), time.fromisoformat(clock), BERLIN)
        .replace(fold=fold)
        .timestamp()
    )


def slot(start: int, *user_ids: str) -> Slot:
    return Slot(start, start + HALF, user_ids)


def made(*slots: Slot, monday: date = MONDAY, all_needed: bool = False, step: int = HALF) -> Grid:
    return grid(
        slots,
        monday=monday,
        today=date(2026, 11, 24),
        zone=BERLIN,
        names=NAMES,
        all_needed=all_needed,
        step=step,
    )


@pytest.mark.parametrize(
    ("free", "all_needed", "told", "bookable"),
    [
        pytest.param(("a", "b"), False, Freedom.ALL, True, id="anybody-of-all"),
        pytest.param(("a",), False, Freedom.SOME, True, id="one-is-enough"),
        pytest.param(("a", "b"), True, Freedom.ALL, True, id="all-of-all"),
        pytest.param(("a",), True, Freedom.LACKING, False, id="one-is-not-all"),
        pytest.param((), False, Freedom.NONE, False, id="nobody"),
        pytest.param(("x",), False, Freedom.NONE, False, id="a-stranger-counts-for-nothing"),
    ],
)
def test_how_a_time_is_told(free: tuple[str, ...], all_needed: bool, told: Freedom, bookable: bool) -> None:
    (cell,) = made(slot(at(23, "09:00"), *free), all_needed=all_needed).rows[0].cells[0]
    assert (cell.freedom, cell.bookable) == (told, bookable)


def test_a_cell_names_who_is_free_and_who_is_not() -> None:
    (cell,) = made(slot(at(23, "09:00"), "b")).rows[0].cells[0]
    assert (cell.free, cell.busy, cell.start) == (("Bob",), ("Alice",), at(23, "09:00"))


def test_times_between_that_are_taken_have_a_row() -> None:
    found = made(slot(at(23, "09:00"), "a"), slot(at(25, "11:00"), "a"))
    assert [row.at.isoformat("minutes") for row in found.rows] == [
        "09:00",
        "09:30",
        "10:00",
        "10:30",
        "11:00",
    ]
    assert [[cell.freedom for (cell,) in row.cells] for row in found.rows][1] == [Freedom.NONE] * 5


@pytest.mark.parametrize(
    ("days", "shown"),
    [
        pytest.param((23,), [23, 24, 25, 26, 27], id="workdays"),
        pytest.param((28,), [23, 24, 25, 26, 27, 28], id="saturday-is-worked-on"),
        pytest.param((29,), [23, 24, 25, 26, 27, 29], id="sunday-alone"),
        pytest.param((), [23, 24, 25, 26, 27], id="nothing-free"),
    ],
)
def test_weekends_are_shown_if_something_is_free(days: tuple[int, ...], shown: list[int]) -> None:
    found = made(*(slot(at(day, "09:00"), "a") for day in days))
    assert [column.date.day for column in found.columns] == shown
    assert found.is_empty is (not days)


def test_a_week_in_which_nobody_is_enough_is_empty() -> None:
    found = made(slot(at(23, "09:00"), "a"), all_needed=True)
    assert found.is_empty
    assert len(found.rows) == 1


def test_today_is_marked() -> None:
    assert [column.today for column in made().columns] == [False, True, False, False, False]


def test_what_lies_in_another_week_is_not_shown() -> None:
    assert made(slot(at(30, "09:00"), "a")).rows == ()


def test_an_hour_that_comes_twice_is_shown_twice() -> None:
    first, second = at(25, "02:30", month=10), at(25, "02:30", month=10, fold=1)
    assert second - first == 3600
    found = made(slot(first, "a"), slot(second, "b"), monday=date(2026, 10, 19))
    cells = found.rows[0].cells[-1]
    assert [(cell.start, cell.again) for cell in cells] == [(first, False), (second, True)]


def test_an_hour_that_is_left_out_breaks_nothing() -> None:
    found = made(
        slot(at(29, "01:30", month=3), "a"), slot(at(29, "03:00", month=3), "a"), monday=date(2026, 3, 23)
    )
    taken = [row.at.isoformat("minutes") for row in found.rows if not row.cells[-1][0].bookable]
    assert taken == ["02:00", "02:30"]
