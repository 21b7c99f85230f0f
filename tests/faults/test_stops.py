"""The process dies after any step, alone or besides a fault, and another takes over.

Here the product of faults and stops is run for the writes of the two central scenarios; `pytest -m soak` runs
it for every call of every scenario.
"""

from __future__ import annotations

import pytest

from tests.faults.combinations import every_fault, failures, product, single_faults, single_stops
from tests.faults.conftest import MakeBench
from tests.faults.incoming import INCOMING
from tests.faults.scenarios import SCENARIOS, Scenario

EVERY = [pytest.param(s, id=s.name) for s in (*SCENARIOS, *INCOMING)]
CENTRAL = [p for p in EVERY if p.id in {"create with attendees", "update of the subject"}]


@pytest.mark.parametrize("scenario", EVERY)
def test_a_stop_after_any_step_leaves_no_trace(make_bench: MakeBench, scenario: Scenario) -> None:
    bench = make_bench(scenario)
    assert failures(bench, single_stops(bench)) == ""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scenario", CENTRAL)
def test_a_fault_of_a_write_and_a_stop_after_any_step_leave_no_trace(
    make_bench: MakeBench, scenario: Scenario
) -> None:
    bench = make_bench(scenario)
    writes = [call for call in bench.calls if call.service == "graph" and call.writes]
    assert writes
    assert failures(bench, product(bench, single_faults(bench, writes))) == ""


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("scenario", EVERY)
def test_any_fault_and_a_stop_after_any_step_leave_no_trace(
    make_bench: MakeBench, scenario: Scenario
) -> None:
    bench = make_bench(scenario, thorough=True)
    assert failures(bench, product(bench, every_fault(bench, bench.calls))) == ""
