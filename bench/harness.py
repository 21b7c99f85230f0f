"""Rounds, medians and lines of the table.

Decides how a measurement is repeated and how a figure is judged. Does not know what is measured.
"""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table. `value` is what is held against `limit`."""

    row: str
    what: str
    floor: str = ""
    ours: str = ""
    value: float | None = None
    limit: float | None = None
    at_least: bool = False
    """Whether `value` must reach `limit` (a share of the floor's throughput) or stay below it."""
    unit: str = "x"
    note: str = ""
    failed: bool = False

    @property
    def verdict(self) -> str:
        """`ok`, `short`, `failed`, or nothing for a line that is only printed."""
        if self.failed:
            return "failed"
        if self.value is None or self.limit is None:
            return ""
        met = self.value >= self.limit if self.at_least else self.value <= self.limit
        return "ok" if met else "short"

    @property
    def required(self) -> str:
        """The limit in words."""
        if self.limit is None:
            return ""
        return f"{'>=' if self.at_least else '<='} {self.limit:g} {self.unit}"

    @property
    def measured(self) -> str:
        """The value with its unit."""
        return "" if self.value is None else f"{self.value:.2f} {self.unit}"

    def as_json(self) -> dict[str, object]:
        """The line for `--json`."""
        return {**asdict(self), "verdict": self.verdict}


Row = Callable[[], list[Line]]


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes; the garbage of what was before is not its burden."""
    gc.collect()
    started = perf_counter()
    work()
    return perf_counter() - started


def alternate(rounds: int, *candidates: Callable[[int], float]) -> list[list[float]]:
    """Let the candidates measure in turn, `rounds` times; each gets the number of the round.

    In turn, so that whatever else the machine does burdens all alike. The first turn of each warms up and is
    not counted.
    """
    results: list[list[float]] = [[] for _ in candidates]
    for number in range(rounds + 1):
        for place, candidate in enumerate(candidates):
            seconds = candidate(number)
            if number:
                results[place].append(seconds)
    return results


def median_ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """The median of the ratios of rounds that were taken one after the other."""
    return statistics.median(one / other for one, other in zip(over, under, strict=True))


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def seconds(value: float) -> str:
    """A duration as people read it."""
    if value >= 1:
        return f"{value:.2f} s"
    return f"{value * 1000:.1f} ms" if value >= 0.01 else f"{value * 1000:.3f} ms"


def latency_lines(
    row: str, what: str, floor_is: str, mine: Sequence[float], direct: Sequence[float], longest_ms: float
) -> list[Line]:
    """The p50 and p95 of seconds that alternate with those of a floor; `longest_ms` limits the p95."""
    lines = []
    for name, share in (("p50", 0.5), ("p95", 0.95)):
        ours, floor = percentile(mine, share), percentile(direct, share)
        limited = name == "p95"
        ratio = statistics.median(mine) / statistics.median(direct)
        lines.append(
            Line(
                row=row,
                what=f"{what}, {name}",
                floor=f"{seconds(floor)} (one {floor_is})",
                ours=f"{seconds(ours)}, {ours / floor:.1f} x",
                value=ours * 1000,
                limit=longest_ms if limited else None,
                unit="ms",
                note=f"median ratio {ratio:.1f}" if limited else "",
            )
        )
    return lines


def print_table(console: Console, lines: Sequence[Line]) -> None:
    """Print all lines."""
    table = Table(title="calsync against its floors", title_justify="left")
    for name in ("row", "what", "floor", "ours", "measured", "required", ""):
        table.add_column(name, overflow="fold")
    for line in lines:
        colour = {"ok": "green", "short": "red", "failed": "red"}.get(line.verdict, "")
        what = f"{line.what}\n[dim]{line.note}[/dim]" if line.note else line.what
        verdict = f"[{colour}]{line.verdict}[/{colour}]" if colour else ""
        table.add_row(line.row, what, line.floor, line.ours, line.measured, line.required, verdict)
    console.print(table)
