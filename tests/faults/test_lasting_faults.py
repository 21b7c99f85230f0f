"""A fault that lasts: the account says what a person can do, nothing is doubled, all comes right after it.

A batch is struck whole: one member's fault is met again by that member alone, which is a call of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.faults.conftest import MakeBench
from tests.faults.course import Call
from tests.faults.incoming import INCOMING
from tests.faults.matrix import Bench
from tests.faults.meanings import distinct_faults
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.faults.strikes import Fault

PUSHES = {"create with attendees", "update of the subject", "delete"}
PULLS = {
    "import with attendees", "edit in Outlook", "deleted in Outlook", "first read of two pages",
    "subscription renewed",
}  # fmt: skip
OF_READS = frozenset({"401", "403", "404", "404 item", "503"})
"""While a fault lasts, all is tried again alike after those that merely pass."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scenario", [pytest.param(s, id=s.name) for s in SCENARIOS if s.name in PUSHES])
def test_a_write_that_fails_again_and_again_is_made_good_when_the_fault_ends(
    make_bench: MakeBench, scenario: Scenario
) -> None:
    bench = make_bench(scenario)
    write = next(call for call in bench.calls if call.service == "graph" and call.writes)
    # That an event is not there, again and again, is no fault but a fact (a 404 for it).
    faults = [f for f in _lasting(bench, write) if f.name != "404 item" or write.method == "POST"]
    assert [line for fault in faults for line in bench.lasting(write, fault)] == []


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scenario", [pytest.param(s, id=s.name) for s in INCOMING if s.name in PULLS])
def test_a_call_of_a_pull_that_fails_again_and_again_is_made_good_when_the_fault_ends(
    make_bench: MakeBench, scenario: Scenario
) -> None:
    bench = make_bench(scenario)
    struck = [(c, f) for c in _kinds(bench) for f in _lasting(bench, c) if c.writes or f.name in OF_READS]
    assert [line for call, fault in struck for line in bench.lasting(call, fault)] == []


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("scenario", [pytest.param(s, id=s.name) for s in INCOMING])
def test_any_call_of_a_pull_that_fails_again_and_again_is_made_good_when_the_fault_ends(
    make_bench: MakeBench, scenario: Scenario
) -> None:
    bench = make_bench(scenario, thorough=True)
    struck = [(c, f) for c in filter(scenario.concerns, bench.calls) for f in _lasting(bench, c)]
    assert [line for call, fault in struck for line in bench.lasting(call, fault)] == []


def _lasting(bench: Bench, call: Call) -> list[Fault]:
    return [fault for fault in distinct_faults(bench.yard, call) if fault.member is None]


def _kinds(bench: Bench) -> Iterator[Call]:
    """The first call of each kind."""
    seen = set()
    for call in filter(bench.scenario.concerns, bench.calls):
        kind = (call.service, call.method, re.sub(r"/[\w-]{16,}|\?.*", "", call.path))
        if kind not in seen:
            seen.add(kind)
            yield call
