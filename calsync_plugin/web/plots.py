"""Bar and line plots as SVG, drawn on the server: no script, no style, and a table that says the same.

Decides geometry and colours; `templates/macros/plot.html` writes it down. Colours can be seen on a light and
on a dark page, and nobody has to tell them apart: the first series is filled or solid, the second hollow or
dashed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from calsync_plugin.web.speaking import amount, say
from calsync_plugin.wording import gettext as _

WIDTH, HEIGHT = 640.0, 220.0
LEFT, RIGHT, TOP, BOTTOM = 48.0, 8.0, 10.0, 28.0
COLOURS = ("#0d6efd", "#d63384")
DASHES = ("", "6 4")
MOST_TICKS = 8
"""Names under the axis: more of them do not fit a phone's width."""

NONE = "\N{EN DASH}"

Value = float | None


@dataclass(frozen=True, slots=True)
class Series:
    """One row of values; None: there is none at that place."""

    name: str
    values: Sequence[Value]


@dataclass(frozen=True, slots=True)
class Mark:
    """A bar, or (without a width) a point."""

    x: float
    y: float
    width: float
    height: float
    text: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """One series as it is drawn."""

    name: str
    colour: str
    dash: str
    marks: tuple[Mark, ...]
    lines: tuple[str, ...]
    """The points of each stretch without a gap."""

    @property
    def hollow(self) -> bool:
        """Whether only its outline is drawn."""
        return bool(self.dash)


@dataclass(frozen=True, slots=True)
class Tick:
    """A name or number at an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """All that the template needs. `key` makes ids of it that are unique on the page."""

    key: str
    title: str
    description: str
    names: tuple[str, ...]
    series: tuple[Series, ...]
    drawn: tuple[Drawn, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    """The table: name of each place, and its values as text."""
    below: tuple[Tick, ...]
    beside: tuple[Tick, ...]
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    bottom: float = HEIGHT - BOTTOM


def bars(key: str, title: str, names: Sequence[str], series: Sequence[Series], *, unit: str = "") -> Plot:
    """Up to two series as bars side by side, one group for each of `names`."""
    top = _ceiling(series)
    step = _step(names)
    width = step * 0.8 / max(len(series), 1)

    def drawn(number: int, one: Series) -> Drawn:
        marks = []
        for place, value in enumerate(one.values):
            if value:
                height = _rounded(value / top * _depth())
                x = _rounded(LEFT + step * (place + 0.1) + width * number)
                text = f"{names[place]}: {one.name} {number_text(value, unit)}"
                marks.append(Mark(x, _rounded(HEIGHT - BOTTOM - height), _rounded(width), height, text))
        return Drawn(one.name, COLOURS[number], DASHES[number], tuple(marks), ())

    return _plot(key, title, names, series, [drawn(*pair) for pair in enumerate(series)], top, unit)


def lines(key: str, title: str, names: Sequence[str], series: Sequence[Series], *, unit: str = "") -> Plot:
    """Up to two series as lines, with a gap where there is no value."""
    top = _ceiling(series)
    step = _step(names)

    def drawn(number: int, one: Series) -> Drawn:
        marks: list[Mark] = []
        stretches: list[list[str]] = [[]]
        for place, value in enumerate(one.values):
            if value is None:
                stretches.append([])
                continue
            x = _rounded(LEFT + step * (place + 0.5))
            y = _rounded(HEIGHT - BOTTOM - value / top * _depth())
            text = f"{names[place]}: {one.name} {number_text(value, unit)}"
            marks.append(Mark(x, y, 0.0, 0.0, text))
            stretches[-1].append(f"{x:g},{y:g}")
        found = tuple(" ".join(stretch) for stretch in stretches if len(stretch) > 1)
        return Drawn(one.name, COLOURS[number], DASHES[number], tuple(marks), found)

    return _plot(key, title, names, series, [drawn(*pair) for pair in enumerate(series)], top, unit)


def number_text(value: Value, unit: str = "") -> str:
    """A value as people read it; a dash for none."""
    if value is None:
        return NONE
    text = amount(value, 0 if value == round(value) or value >= 100 else 1)
    return f"{text} {unit}".rstrip()


def _plot(
    key: str,
    title: str,
    names: Sequence[str],
    series: Sequence[Series],
    drawn: Sequence[Drawn],
    top: float,
    unit: str,
) -> Plot:
    step = _step(names)
    every = max(1, math.ceil(len(names) / MOST_TICKS))
    return Plot(
        key=key,
        title=title,
        description=_description(names, series, unit),
        names=tuple(names),
        series=tuple(series),
        drawn=tuple(drawn),
        rows=tuple(
            (name, tuple(number_text(one.values[place], unit) for one in series))
            for place, name in enumerate(names)
        ),
        below=tuple(
            Tick(_rounded(LEFT + step * (place + 0.5)), name)
            for place, name in enumerate(names)
            if place % every == 0
        ),
        beside=tuple(
            Tick(_rounded(HEIGHT - BOTTOM - share * _depth()), number_text(top * share, unit))
            for share in (0.0, 0.5, 1.0)
        ),
    )


def _description(names: Sequence[str], series: Sequence[Series], unit: str) -> str:
    """What somebody should know who does not see the plot."""
    if not names:
        return say(_("There is nothing to show yet."))
    said = []
    for one in series:
        known = [value for value in one.values if value is not None]
        most = number_text(max(known, default=None), unit)
        told = (
            _("%(name)s: at most %(most)s", name=one.name, most=most)
            if any(known)
            else _("%(name)s: none", name=one.name)
        )
        said.append(say(told))
    span = say(_("%(start)s to %(end)s", start=names[0], end=names[-1]))
    return f"{span}. {'; '.join(said)}."


def _ceiling(series: Sequence[Series]) -> float:
    """The top of the axis: 1, 2 or 5 times a power of ten, so that its middle is a plain number, too."""
    most = max((value for one in series for value in one.values if value is not None), default=0.0)
    if most <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return next(power * factor for factor in (1.0, 2.0, 5.0, 10.0) if most <= power * factor * (1 + 1e-9))


def _step(names: Sequence[str]) -> float:
    return (WIDTH - LEFT - RIGHT) / max(len(names), 1)


def _depth() -> float:
    return HEIGHT - TOP - BOTTOM


def _rounded(value: float) -> float:
    return round(value, 1)
