"""A week of busy times, day by day: which part of each day is taken by which source.

Decides where a busy time stands on a day, by the clock on the wall, and which ones stand side by side. Does
not know where busy times come from; `busy_grid` draws them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from calsync_plugin.domain.availability import Interval, cut, joined
from calsync_plugin.graph import zones
from calsync_plugin.web.speaking import clock
from calsync_plugin.wording import gettext as _

DAYS = 7
WHOLE_DAY = 24 * 60
Minutes = tuple[int, int]
"""From and to, in minutes since midnight by the clock on the wall."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a source is drawn: colours and a pattern, so that nobody has to tell colours apart."""

    id: str
    ground: str
    ink: str
    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """What one source takes of a week."""

    look: Look
    name: str
    spans: Sequence[Interval]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A busy time as far as it lies on one day. `lane` of `lanes`: where it stands beside others."""

    taking: Taking
    minutes: Minutes
    when: str
    lane: int = 0
    lanes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BusyDay:
    """One day: what takes all of it, what takes parts of it, and when its user works."""

    date: date
    today: bool
    all_day: tuple[Piece, ...]
    pieces: tuple[Piece, ...]
    hours: tuple[Minutes, ...]
    hours_words: tuple[str, ...]
    clocks_change: bool
    """Whether the day is longer or shorter than others."""
    known: bool
    """Whether all of it was read; if not, something else may take time up."""


EVER: Interval = (-(2**62), 2**62)


def days_of(
    monday: date,
    today: date,
    zone: str,
    takings: Sequence[Taking],
    hours: Sequence[Interval],
    known: Interval = EVER,
) -> list[BusyDay]:
    """The week that begins on `monday` in `zone`; `known` is what was read."""
    joint = [replace(one, spans=joined(one.spans)) for one in takings]
    return [_day(monday + timedelta(days=n), today, zone, joint, hours, known) for n in range(DAYS)]


def window_of(monday: date, zone: str) -> Interval:
    """The seconds of that week."""
    return _midnight(monday, zone), _midnight(monday + timedelta(days=DAYS), zone)


def _day(
    day: date,
    today: date,
    zone: str,
    takings: Iterable[Taking],
    hours: Sequence[Interval],
    known: Interval,
) -> BusyDay:
    whole = (_midnight(day, zone), _midnight(day + timedelta(days=1), zone))
    pieces = [
        Piece(taking=one, minutes=_minutes(span, day, zone), when=_when(span, whole, day, zone))
        for one in takings
        for span in cut(one.spans, whole)
    ]
    worked = cut(hours, whole)
    return BusyDay(
        date=day,
        today=day == today,
        all_day=tuple(one for one in pieces if one.minutes == (0, WHOLE_DAY)),
        pieces=tuple(_side_by_side([one for one in pieces if one.minutes != (0, WHOLE_DAY)])),
        hours=tuple(_minutes(span, day, zone) for span in worked),
        hours_words=tuple(_when(span, whole, day, zone) for span in worked),
        clocks_change=whole[1] - whole[0] != WHOLE_DAY * 60,
        known=known[0] <= whole[0] and whole[1] <= known[1],
    )


def _midnight(day: date, zone: str) -> int:
    return int(zones.instant(datetime.combine(day, time(0)), zone).timestamp())


def _local(second: int, zone: str) -> datetime:
    return datetime.fromtimestamp(second, UTC).astimezone(ZoneInfo(zone))


def _minutes(span: Interval, day: date, zone: str) -> Minutes:
    """A span of a day by the clock on the wall; one that ends before it began there keeps its length."""
    start, end = (_local(second, zone) for second in span)
    first = start.hour * 60 + start.minute
    last = WHOLE_DAY if end.date() > day else end.hour * 60 + end.minute + (end.second > 0)
    if last <= first:
        last = min(WHOLE_DAY, first + max(1, (span[1] - span[0]) // 60))
    return first, last


def _when(span: Interval, whole: Interval, day: date, zone: str) -> str:
    if span == whole:
        return _("All day")
    start, end = (_local(second, zone) for second in span)
    until = "24:00" if end.date() > day else _clock(end)
    return _("%(start)s to %(end)s", start=_clock(start), end=until)


def _clock(local: datetime) -> str:
    """The time of a day, with the name of its offset where the clock shows it twice."""
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{clock(local)} {local.tzname()}" if twice else clock(local)


def _side_by_side(pieces: list[Piece]) -> list[Piece]:
    """In order of their beginning; those that overlap get lanes of their own."""
    found: list[Piece] = []
    bunch: list[Piece] = []
    ends: list[int] = []
    for one in sorted(pieces, key=lambda piece: (piece.minutes, piece.taking.name)):
        if ends and one.minutes[0] >= max(ends):
            found += _bunched(bunch, len(ends))
            bunch, ends = [], []
        lane = next((n for n, end in enumerate(ends) if end <= one.minutes[0]), len(ends))
        ends[lane : lane + 1] = [one.minutes[1]]
        bunch.append(replace(one, lane=lane))
    return found + _bunched(bunch, len(ends))


def _bunched(bunch: list[Piece], lanes: int) -> list[Piece]:
    return [replace(one, lanes=lanes) for one in bunch]
