"""A fault that lasts: the account says what a person can do, nothing is doubled, all comes right after it."""

from __future__ import annotations

import pytest

from tests.faults.conftest import MakeBench
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.faults.strikes import faults_of

LASTING = {"create with attendees", "update of the subject", "delete"}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scenario", [pytest.param(s, id=s.name) for s in SCENARIOS if s.name in LASTING])
def test_a_write_that_fails_again_and_again_is_made_good_when_the_fault_ends(
    make_bench: MakeBench, scenario: Scenario
) -> None:
    bench = make_bench(scenario)
    write = next(call for call in bench.calls if call.service == "graph" and call.writes)
    # That an event is not there, again and again, is no fault but a fact (a 404 for it).
    faults = [fault for fault in faults_of(write) if fault.name != "404 item" or write.method == "POST"]
    assert [line for fault in faults for line in bench.lasting(write, fault)] == []
