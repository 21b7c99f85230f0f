"""When somebody is busy and when free: intervals of a calendar, joined, cut and turned round.

Decides which events take up time and what is left between them and the working hours. Does not know whose
calendars these are, where they were read, or how fresh they are. Instants are whole epoch seconds: people
have thousands of busy blocks, and adding up numbers is what is done with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from calsync_plugin.domain.meeting import ShowAs
from calsync_plugin.domain.timespan import AllDay, TimeSpan

Interval = tuple[int, int]
"""From the first second to before the second one: meetings back to back do not touch."""
TOLD: Interval = (0, 7_258_118_400)
"""1970 to 2200, midnights: what calendars tell of before or after is cut. No zone can show the year 10000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocking:
    """Which events block the time that they take; *free* and *working elsewhere* never do."""

    out_of_office: bool = True
    tentative: bool = True

    def blocks(self, show_as: ShowAs) -> bool:
        """Whether an event that is shown like this takes up its time."""
        match show_as:
            case ShowAs.BUSY:
                return True
            case ShowAs.OOF:
                return self.out_of_office
            case ShowAs.TENTATIVE:
                return self.tentative
            case ShowAs.FREE | ShowAs.WORKING_ELSEWHERE:
                return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One event as far as availability needs it: when, and how it is shown. Nothing of what it says."""

    id: str
    """The event's id within its source."""
    start: int
    end: int
    whole_days: bool = False
    """`start` and `end` are midnights of UTC that stand for those of the calendar's own zone."""
    show_as: ShowAs = ShowAs.BUSY
    series_id: str = ""
    """The master's id, for a date of a series."""

    def within(self, zone: tzinfo) -> Interval:
        """The seconds that it takes up in a calendar of `zone`."""
        if not self.whole_days:
            return self.start, self.end
        return local_midnight(self.start, zone), local_midnight(self.end, zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingHours:
    """From `start` to `end` by the clock on the wall of `zone`, on these weekdays (Monday is 0).

    An `end` that is not after `start` lies on the next day: a night shift. Midnight to midnight is all day.
    """

    zone: tzinfo
    weekdays: frozenset[int] = frozenset(range(5))
    start: time = time(9)
    end: time = time(17)

    def within(self, window: Interval) -> list[Interval]:
        """The working hours of a window, joined and cut to it."""
        over_night = self.end <= self.start
        found = []
        for day in local_days(window, self.zone):
            if day.weekday() in self.weekdays:
                last = day + timedelta(days=1) if over_night else day
                found.append((_second(day, self.start, self.zone), _second(last, self.end, self.zone)))
        return cut(joined(found), window)


@lru_cache(maxsize=8192)
def local_midnight(second: int, zone: tzinfo) -> int:
    """The midnight of `zone` for which one of UTC stands; thousands of whole days share a few of them."""
    return _second(datetime.fromtimestamp(within_told(second), UTC).date(), time(0), zone)


def within_told(second: int) -> int:
    """A second that can be shown in every zone: the nearest of those that are told."""
    return min(max(second, TOLD[0]), TOLD[1])


def taken(span: TimeSpan, zone: tzinfo) -> Interval:
    """The seconds that a meeting takes up; whole days are those of the calendar's `zone`."""
    if isinstance(span, AllDay):
        return _second(span.first, time(0), zone), _second(span.until, time(0), zone)
    return int(span.start.timestamp()), int(span.end.timestamp())


def joined(intervals: Iterable[Interval]) -> list[Interval]:
    """In order, with those that overlap or touch made one; those without length are left out."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if end <= start:
            continue
        if found and start <= found[-1][1]:
            if end > found[-1][1]:
                found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def cut(intervals: Iterable[Interval], window: Interval) -> list[Interval]:
    """What lies within `window`, the edges cut to it."""
    first, last = window
    pieces = ((max(start, first), min(end, last)) for start, end in intervals)
    return [(start, end) for start, end in pieces if start < end]


def gaps(busy: Sequence[Interval], window: Interval) -> list[Interval]:
    """What `busy` (joined) leaves of `window`."""
    found, free_from = [], window[0]
    for start, end in cut(busy, window):
        if start > free_from:
            found.append((free_from, start))
        free_from = end
    if free_from < window[1]:
        found.append((free_from, window[1]))
    return found


def common(some: Sequence[Interval], others: Sequence[Interval]) -> list[Interval]:
    """What lies in both; each joined."""
    found, i, j = [], 0, 0
    while i < len(some) and j < len(others):
        start, end = max(some[i][0], others[j][0]), min(some[i][1], others[j][1])
        if start < end:
            found.append((start, end))
        if some[i][1] < others[j][1]:
            i += 1
        else:
            j += 1
    return found


def local_days(window: Interval, zone: tzinfo) -> Iterator[date]:
    """The days of `zone` that a window touches, and the one before it, whose night may reach into it."""
    day = _local(window[0], zone) - timedelta(days=1)
    last = _local(window[1], zone)
    while day <= last:
        yield day
        day += timedelta(days=1)


def _local(second: int, zone: tzinfo) -> date:
    return datetime.fromtimestamp(second, UTC).astimezone(zone).date()


def _second(day: date, at: time, zone: tzinfo) -> int:
    """The second at which the wall's clock shows `at`; where a clock is moved, the earlier one."""
    return int(datetime.combine(day, at, zone).timestamp())
