"""Every call of a create, struck once by every fault: one event, one invitation, nothing left behind."""

from __future__ import annotations

import pytest

from tests.faults.combinations import failures, single_faults
from tests.faults.conftest import MakeBench
from tests.faults.scenarios import CREATES, Scenario


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scenario", [pytest.param(s, id=s.name) for s in CREATES])
def test_a_fault_of_any_call_leaves_no_trace(make_bench: MakeBench, scenario: Scenario) -> None:
    bench = make_bench(scenario)
    assert failures(bench, single_faults(bench)) == ""
