"""Every call that carries an edit, an answer or a deletion of Outlook, struck once: it comes in, once."""

from __future__ import annotations

import pytest

from tests.faults.combinations import failures, telling_faults
from tests.faults.conftest import MakeBench
from tests.faults.incoming import EDITS, SUBSCRIPTIONS
from tests.faults.scenarios import Scenario


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scenario", [pytest.param(s, id=s.name) for s in (*EDITS, *SUBSCRIPTIONS)])
def test_a_fault_of_any_call_leaves_no_trace(make_bench: MakeBench, scenario: Scenario) -> None:
    bench = make_bench(scenario)
    assert failures(bench, telling_faults(bench)) == ""
