"""Which combinations of fault and stop there are: single faults, single stops, and their product.

Decides nothing of what is right. All are enumerated from a run that went well, none is drawn by chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.faults.course import Call
from tests.faults.matrix import Bench, Combination
from tests.faults.strikes import faults_of


def single_faults(bench: Bench, calls: Iterable[Call] | None = None) -> Iterator[Combination]:
    """Every fault of every call, without a stop."""
    for call in bench.calls if calls is None else calls:
        for fault in faults_of(call):
            yield Combination(call=call, fault=fault)


def single_stops(bench: Bench) -> Iterator[Combination]:
    """A stop at the start and after every step, without a fault."""
    for number, step in enumerate(bench.steps):
        yield Combination(stop=number, step=step)


def product(bench: Bench, calls: Iterable[Call] | None = None) -> Iterator[Combination]:
    """Every fault of every call with a stop after each step of the run that the fault makes of it."""
    for struck in single_faults(bench, calls):
        steps = ("the start", *bench.course(struck).steps)
        for number, step in enumerate(steps):
            yield Combination(call=struck.call, fault=struck.fault, stop=number, step=step)


def failures(bench: Bench, combinations: Iterable[Combination]) -> str:
    """Run them all; what went wrong, one line for each, empty if nothing did."""
    count, lines = 0, []
    for count, combination in enumerate(combinations, 1):  # noqa: B007
        lines += bench.verdict(combination)
    assert count, "there was nothing to run"
    return "\n".join([f"{len(lines)} differences in {count} runs", *lines[:20]]) if lines else ""
