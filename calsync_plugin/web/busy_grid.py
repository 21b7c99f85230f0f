"""A week of busy times drawn as a grid: a column for each day, hours from top to bottom.

Decides which hours are shown, where everything lies and which source looks how. Everything is drawn with
attributes, because the content policy forbids styles. Who does not see it reads the same as a list.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from calsync_plugin.web.busy_days import DAYS, BusyDay, Look, Piece
from calsync_plugin.web.speaking import say

WIDTH = 760.0
LEFT = 40.0
HEAD = 26.0
STRIP = 22.0
"""Height of one busy time that takes all day."""
HOUR = 32.0
DAY = (WIDTH - LEFT) / DAYS
LEAST = 12.0
"""Height of the shortest busy time: enough to be seen."""
WORDS, NAMES = 14.0, 30.0
"""From which height on a busy time tells whose it is, and on a line of its own when."""
BROAD = 80.0
"""From which width on it tells when it is; a slim one tells whose it is only."""
EARLY, LATE = 8 * 60, 18 * 60
"""What is shown at least, in minutes since midnight."""

PATTERNS = MappingProxyType(
    {"linked": "plain", "conflict": "rising", "feed": "dots", "schedule": "falling", "booking": "squares"}
)
COLOURS = (
    ("#cfe2ff", "#0a58ca"),
    ("#ffe5b4", "#8a5a00"),
    ("#d1e7dd", "#146c43"),
    ("#e9d8fd", "#59359a"),
    ("#f8d7da", "#a52834"),
    ("#cff4fc", "#055160"),
    ("#e7dfd5", "#6b4a2b"),
    ("#f7d6e6", "#991f5c"),
)
"""Ground and ink; each ink stands out from its ground and from white."""


@dataclass(frozen=True, slots=True)
class Box:
    """Something drawn. `lines`: what stands in it; `title`: the whole of what it says."""

    x: float
    y: float
    width: float
    height: float
    look: Look | None = None
    """None for what is no busy time."""
    lines: tuple[str, ...] = ()
    title: str = ""
    day: int = 0


@dataclass(frozen=True, slots=True)
class Grid:
    """All that the template needs."""

    height: float
    top: float
    """Where the hours begin."""
    columns: tuple[float, ...]
    hours: tuple[tuple[float, int], ...]
    """Where each hour lies, and which one it is."""
    working: tuple[Box, ...]
    unknown: tuple[Box, ...]
    """Days of which not all is known."""
    boxes: tuple[Box, ...]
    width: float = WIDTH
    left: float = LEFT
    day: float = DAY
    head: float = HEAD


def looks(kinds: Sequence[str]) -> list[Look]:
    """A look for each source, in their order, by its kind."""
    return [
        Look(id=f"look{n}", ground=ground, ink=ink, pattern=PATTERNS.get(kind, "plain"))
        for n, kind in enumerate(kinds)
        for ground, ink in (COLOURS[n % len(COLOURS)],)
    ]


def grid_of(days: Sequence[BusyDay]) -> Grid:
    """Draw a week."""
    first, last = _shown(days)
    top = HEAD + STRIP * max((len(day.all_day) for day in days), default=0)

    def y(minutes: int) -> float:
        return top + (minutes - first * 60) / 60 * HOUR

    return Grid(
        height=_rounded(top + (last - first) * HOUR + 1),
        top=_rounded(top),
        columns=tuple(_rounded(LEFT + DAY * n) for n in range(DAYS)),
        hours=tuple((_rounded(y(hour * 60)), hour) for hour in range(first, last)),
        working=tuple(
            Box(_rounded(LEFT + DAY * n), _rounded(y(a)), _rounded(DAY), _rounded(y(b) - y(a)), day=n)
            for n, day in enumerate(days)
            for a, b in day.hours
        ),
        unknown=tuple(
            Box(_rounded(LEFT + DAY * n), top, _rounded(DAY), _rounded((last - first) * HOUR), day=n)
            for n, day in enumerate(days)
            if not day.known
        ),
        boxes=tuple(_boxes(days, y(first * 60), first)),
    )


def _shown(days: Sequence[BusyDay]) -> tuple[int, int]:
    """The hours that are shown: the usual ones, and as many more as anything takes."""
    spans = [one.minutes for day in days for one in day.pieces] + [h for day in days for h in day.hours]
    first = min([EARLY, *(start for start, _ in spans)])
    last = max([LATE, *(end for _, end in spans)])
    return first // 60, math.ceil(last / 60)


def _boxes(days: Sequence[BusyDay], top: float, first: int) -> list[Box]:
    found = []
    for n, day in enumerate(days):
        for row, piece in enumerate(day.all_day):
            y = HEAD + STRIP * row
            found.append(_box(piece, n, LEFT + DAY * n, y, DAY, STRIP - 2, (piece.taking.name,)))
        for piece in day.pieces:
            start, end = (top + (m - first * 60) / 60 * HOUR for m in piece.minutes)
            width = DAY / piece.lanes
            height = max(end - start, LEAST)
            lines = _lines(piece, width, height)
            found.append(_box(piece, n, LEFT + DAY * n + width * piece.lane, start, width, height, lines))
    return found


def _box(
    piece: Piece, day: int, x: float, y: float, width: float, height: float, lines: tuple[str, ...]
) -> Box:
    title = f"{say(piece.when)}: {say(piece.taking.name)}"
    sizes = (_rounded(x + 2), _rounded(y + 1), _rounded(width - 4), _rounded(height - 1))
    return Box(*sizes, look=piece.taking.look, lines=lines, title=title, day=day)


def _lines(piece: Piece, width: float, height: float) -> tuple[str, ...]:
    """What there is room for; what does not fit is cut by the box. Where it lies tells when it is, too."""
    name = piece.taking.name
    if height < WORDS:
        return ()
    if width < BROAD:
        return (name,)
    hour, minute = divmod(piece.minutes[0], 60)
    return (piece.when, name) if height >= NAMES else (f"{hour:02}:{minute:02} {say(name)}",)


def _rounded(value: float) -> float:
    return round(value, 1)
