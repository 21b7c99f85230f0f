"""Every call to the CRM that takes much in at once, struck once by every fault: all of it is there, once."""

from __future__ import annotations

import pytest

from tests.faults.combinations import failures, telling_faults
from tests.faults.conftest import MakeBench
from tests.faults.incoming import IN_THE_CRM
from tests.faults.scenarios import Scenario


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scenario", [pytest.param(s, id=s.name) for s in IN_THE_CRM])
def test_a_fault_of_any_call_leaves_no_trace(make_bench: MakeBench, scenario: Scenario) -> None:
    bench = make_bench(scenario)
    assert failures(bench, telling_faults(bench)) == ""
