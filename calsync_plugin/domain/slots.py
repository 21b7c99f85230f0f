"""The times that a meeting could begin at, and who takes it.

Decides which slots are free for one user, for all of a team, or for any of it, and in which order the members
of a round robin come. Does not read calendars and reserves nothing: what is free here can be taken a second
later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum

from calsync_plugin.domain.availability import Interval, gaps
from calsync_plugin.errors import SettingsError

DAY = 86_400
_FAR = 1 << 40
"""Beyond every date that a calendar holds."""


class Mode(StrEnum):
    """Whose time a slot needs."""

    SINGLE = "single"
    COLLECTIVE = "collective"
    """All members are free."""
    ROUND_ROBIN = "round_robin"
    """Any member is free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for; durations in seconds, instants in epoch seconds."""

    window: Interval
    """The whole meeting lies within; its buffers need not."""
    duration: int
    step: int = 1800
    """Slots begin at multiples of it after midnight in `zone`."""
    before: int = 0
    after: int = 0
    """How long before and after the meeting nobody may be busy."""
    earliest: int = -_FAR
    """Now and the minimum notice."""
    daily_limit: int | None = None
    """How many such meetings a member takes on one day in `zone`."""
    zone: tzinfo = UTC
    mode: Mode = Mode.SINGLE

    def __post_init__(self) -> None:
        """Refuse what has no answer, before it is looked for."""
        for name in ("duration", "step"):
            if getattr(self, name) <= 0:
                raise SettingsError(f"{name}: must be more than 0 seconds")
        for name in ("before", "after"):
            if getattr(self, name) < 0:
                raise SettingsError(f"{name}: must not be less than 0 seconds")
        if self.daily_limit is not None and self.daily_limit <= 0:
            raise SettingsError("daily_limit: must be more than 0 meetings")
        if self.window[1] < self.window[0]:
            raise SettingsError("window: ends before it starts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One user's time. Both lists are joined; `busy` reaches beyond the window by the buffers."""

    user_id: str
    busy: Sequence[Interval]
    hours: Sequence[Interval]
    """When the user works."""
    booked: Sequence[int] = ()
    """When the meetings begin that count for the daily limit."""


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """A time that is free, and for whom: one, all, or whoever could take it, in order of their ids."""

    start: int
    end: int
    user_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a round robin knows of one member."""

    user_id: str
    booked_lately: int = 0
    """Bookings of the last days; how many days is the team's setting."""
    priority: int = 0
    """Higher comes first among those who had equally many."""
    last_booked: int | None = None
    """When the last booking was made, None if there was none."""


def slots(wanted: Wanted, members: Sequence[Member]) -> list[Slot]:
    """The free slots in order of time; for nobody none. Cost: blocks and slots added up, no product."""
    free: dict[int, list[str]] = {}
    for member in sorted(members, key=lambda member: member.user_id):
        for start in _starts(wanted, member):
            free.setdefault(start, []).append(member.user_id)
    needed = 1 if wanted.mode is Mode.ROUND_ROBIN else len(members)
    return [
        Slot(start, start + wanted.duration, tuple(user_ids))
        for start, user_ids in sorted(free.items())
        if len(user_ids) >= needed
    ]


def in_turn(records: Iterable[Record]) -> list[str]:
    """Members of a round robin, whose turn it is first.

    Who had fewest bookings lately; among equals the higher priority, then who has waited longest, then the
    id: two requests that know the same come to the same.
    """

    def turn(record: Record) -> tuple[int, int, int, str]:
        waited_since = -_FAR if record.last_booked is None else record.last_booked
        return record.booked_lately, -record.priority, waited_since, record.user_id

    return [record.user_id for record in sorted(records, key=turn)]


def _starts(wanted: Wanted, member: Member) -> Iterator[int]:
    """When a meeting of this member could begin, at the steps of the wanted zone."""
    full = _full_days(wanted, member.booked)
    for first, last in _ranges(wanted, member):
        if full:
            yield from (
                start for start in _steps(first, last, wanted) if _day(start, wanted.zone) not in full
            )
        else:
            yield from _steps(first, last, wanted)


def _ranges(wanted: Wanted, member: Member) -> Iterator[Interval]:
    """From the first to the last second at which it could begin, both included."""
    around = (-_FAR, _FAR)
    free = [
        (start + wanted.before, end - wanted.after - wanted.duration)
        for start, end in gaps(member.busy, around)
    ]
    window = max(wanted.window[0], wanted.earliest), wanted.window[1]
    works = [(max(start, window[0]), min(end, window[1]) - wanted.duration) for start, end in member.hours]
    i = j = 0
    while i < len(free) and j < len(works):
        first, last = max(free[i][0], works[j][0]), min(free[i][1], works[j][1])
        if first <= last:
            yield first, last
        if free[i][1] < works[j][1]:
            i += 1
        else:
            j += 1


def _steps(first: int, last: int, wanted: Wanted) -> Iterator[int]:
    """The multiples of the step after each local midnight, from `first` to `last`."""
    while first <= last:
        # As far as the day goes and the clock is not moved: there is no more to it than adding up.
        offset = _offset(first, wanted.zone)
        past_midnight = (first + offset) % DAY
        end = min(last, first - past_midnight + DAY - 1)
        if _offset(end, wanted.zone) != offset:
            end = _moved(first, end, wanted.zone) - 1
        yield from range(first + -past_midnight % wanted.step, end + 1, wanted.step)
        first = end + 1


def _moved(start: int, end: int, zone: tzinfo) -> int:
    """The first second after `start` at which the offset is another one; it is so at `end`."""
    offset = _offset(start, zone)
    while end - start > 1:
        middle = (start + end) // 2
        if _offset(middle, zone) == offset:
            start = middle
        else:
            end = middle
    return end


def _full_days(wanted: Wanted, booked: Sequence[int]) -> frozenset[date]:
    if wanted.daily_limit is None:
        return frozenset()
    counts: dict[date, int] = {}
    for start in booked:
        day = _day(start, wanted.zone)
        counts[day] = counts.get(day, 0) + 1
    return frozenset(day for day, count in counts.items() if count >= wanted.daily_limit)


def _day(second: int, zone: tzinfo) -> date:
    return datetime.fromtimestamp(second, zone).date()


def _offset(second: int, zone: tzinfo) -> int:
    found = datetime.fromtimestamp(second, zone).utcoffset()
    return 0 if found is None else int(found.total_seconds())
