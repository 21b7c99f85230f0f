"""Which combinations of fault and stop there are: single faults, single stops, and their product.

Decides nothing of what is right. All are enumerated from a run that went well, none is drawn by chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from tests.faults.course import Call
from tests.faults.matrix import Bench, Combination
from tests.faults.meanings import distinct_faults
from tests.faults.strikes import faults_of

OF_READS = frozenset({"reset", "401", "403", "404", "404 item", "429 short", "503", "wrong action"})


def every_fault(bench: Bench, calls: Iterable[Call] | None = None) -> Iterator[Combination]:
    """Every fault of every call, or of those that the scenario is about, without a stop."""
    for call in _calls(bench, calls):
        for fault in faults_of(call):
            yield Combination(call=call, fault=fault)


def single_faults(bench: Bench, calls: Iterable[Call] | None = None) -> Iterator[Combination]:
    """Of the faults that mean the same of a call one alone."""
    for call in _calls(bench, calls):
        for fault in distinct_faults(bench.yard, call):
            yield Combination(call=call, fault=fault)


def telling_faults(bench: Bench) -> Iterator[Combination]:
    """Every fault of every write, and of reads those that mean something of their own.

    Of a read it is all one how the service is away and how long it asks to wait, and what it says beside the
    refusals that mean something; `soak` strikes them all.
    """
    for struck in single_faults(bench):
        assert struck.call is not None
        assert struck.fault is not None
        if struck.call.writes or struck.fault.name in OF_READS:
            yield struck


def _calls(bench: Bench, calls: Iterable[Call] | None) -> Iterable[Call]:
    return filter(bench.scenario.concerns, bench.calls) if calls is None else calls


def single_stops(bench: Bench) -> Iterator[Combination]:
    """A stop at the start and after every step, without a fault."""
    for number, step in enumerate(bench.steps):
        yield Combination(stop=number, step=step)


def product(bench: Bench, struck: Iterable[Combination]) -> Iterator[Combination]:
    """These faults with a stop after each step of the run that the fault makes of it."""
    for one in struck:
        for number, step in enumerate(("the start", *bench.course(one).steps)):
            yield replace(one, stop=number, step=step)


def failures(bench: Bench, combinations: Iterable[Combination]) -> str:
    """Run them all; what went wrong, one line for each, empty if nothing did."""
    count, lines = 0, []
    for count, combination in enumerate(combinations, 1):  # noqa: B007
        lines += bench.verdict(combination)
    assert count, "there was nothing to run"
    return "\n".join([f"{len(lines)} differences in {count} runs", *lines[:20]]) if lines else ""
