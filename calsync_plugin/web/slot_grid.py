"""A week of free slots as people read it: days beside each other, times below each other.

Decides which days and times are shown, and in which of four ways a time is told: free for everybody, for
some, not for all of whom all are needed, or taken. Knows no calendar and asks nobody: what is free is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from calsync_plugin.domain.slots import Slot

DAYS = 7
WORKDAYS = 5
"""Saturday and Sunday are shown when there is something free on them."""


class Freedom(StrEnum):
    """How much of a team is free at a time."""

    ALL = "all"
    SOME = "some"
    LACKING = "lacking"
    """All are needed, and not all are free."""
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One time of one day. `start` is an epoch second; None if nobody is free."""

    at: datetime
    freedom: Freedom
    start: int | None = None
    free: tuple[str, ...] = ()
    """Names of those who are free."""
    busy: tuple[str, ...] = ()
    """Names of the others."""
    again: bool = False
    """The clock shows this time a second time on this day."""

    @property
    def bookable(self) -> bool:
        """Whether a meeting can begin then."""
        return self.freedom in (Freedom.ALL, Freedom.SOME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One day, with what can be booked on it in order of time."""

    date: date
    today: bool
    cells: tuple[Cell, ...]

    @property
    def free(self) -> tuple[Cell, ...]:
        """What can be booked."""
        return tuple(cell for cell in self.cells if cell.bookable)


@dataclass(frozen=True, slots=True)
class Row:
    """One time of the clock, with its cells by day; a day may have none, or two of them."""

    at: time
    cells: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A week."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing can be booked in it."""
        return not any(column.free for column in self.columns)


def grid(
    slots: Iterable[Slot],
    *,
    monday: date,
    today: date,
    zone: ZoneInfo,
    names: Mapping[str, str],
    all_needed: bool,
    step: int,
) -> Grid:
    """The week that begins on `monday`; `names` are those of whom any could be free, by user id."""
    cells = [_cell(slot, zone, names, all_needed=all_needed) for slot in slots]
    by_day: dict[date, list[Cell]] = {}
    for cell in sorted(cells, key=lambda one: one.start or 0):
        by_day.setdefault(cell.at.date(), []).append(cell)
    days = [monday + timedelta(days=n) for n in range(DAYS)]
    shown = [day for n, day in enumerate(days) if n < WORKDAYS or by_day.get(day)]
    columns = tuple(Column(date=day, today=day == today, cells=_marked(by_day.get(day, ()))) for day in shown)
    return Grid(columns=columns, rows=_rows(columns, max(step, 60), zone))


def _cell(slot: Slot, zone: ZoneInfo, names: Mapping[str, str], *, all_needed: bool) -> Cell:
    free = tuple(names[one] for one in slot.user_ids if one in names)
    busy = tuple(name for user_id, name in names.items() if user_id not in slot.user_ids)
    if not free:
        freedom = Freedom.NONE
    elif not busy:
        freedom = Freedom.ALL
    else:
        freedom = Freedom.LACKING if all_needed else Freedom.SOME
    at = datetime.fromtimestamp(slot.start, zone)
    return Cell(at=at, freedom=freedom, start=slot.start, free=free, busy=busy)


def _marked(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """Those that the clock shows a second time, after it was put back, say so."""
    seen: set[time] = set()
    found = []
    for cell in cells:
        clock = cell.at.time()
        found.append(replace(cell, again=True) if clock in seen else cell)
        seen.add(clock)
    return tuple(found)


def _rows(columns: Sequence[Column], step: int, zone: ZoneInfo) -> tuple[Row, ...]:
    """Each step of the clock from the first free time of the week to the last, whatever lies on it."""
    by_time: dict[time, dict[date, list[Cell]]] = {}
    for column in columns:
        for cell in column.cells:
            by_time.setdefault(cell.at.time().replace(tzinfo=None), {}).setdefault(column.date, []).append(
                cell
            )
    if not by_time:
        return ()
    times = sorted({*by_time, *_between(min(by_time), max(by_time), step)})
    return tuple(
        Row(
            at,
            tuple(
                tuple(by_time.get(at, {}).get(column.date, ()))
                or (Cell(at=datetime.combine(column.date, at, zone), freedom=Freedom.NONE),)
                for column in columns
            ),
        )
        for at in times
    )


def _between(first: time, last: time, step: int) -> Iterable[time]:
    seconds = _seconds(first)
    while seconds <= _seconds(last):
        yield time(seconds // 3600, seconds // 60 % 60, seconds % 60)
        seconds += step


def _seconds(at: time) -> int:
    return (at.hour * 60 + at.minute) * 60 + at.second
