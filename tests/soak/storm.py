"""Calls that go wrong while a storm lasts.

Decides which calls are struck by what.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tests.faults.course import Call, Strike
from tests.faults.strikes import Fault, faults_of, strike
from tests.faults.yard import Yard
from tests.soak.tally import TALLY


@dataclass(slots=True)
class Storm:
    """`faults`: what strikes the call of that number; empty while it is calm."""

    yard: Yard
    story: list[str]
    faults: dict[int, Fault] = field(default_factory=dict)

    def begin(self, faults: dict[int, Fault]) -> None:
        """From now on calls go wrong; `faults` are by the calls from now on, the next one is 0."""
        course = self.yard.course
        first = len(course.calls) + 1
        self.faults = {first + number: fault for number, fault in faults.items()}
        course.strike_of = self.strike
        self.story.append("storm")

    def strike(self, call: Call) -> Strike | None:
        """What goes wrong with a call."""
        fault = self.faults.get(call.number)
        if fault is not None and (fault.member or 0) >= len(call.members):
            fault = replace(fault, member=None)
        if fault is None or fault not in set(faults_of(call)) or not _passes(call, fault):
            return None
        TALLY.struck += 1
        self.story.append(f"  {fault} at {call}")
        return strike(fault, self.yard.outlook, self.yard.crm)


def _passes(call: Call, fault: Fault) -> bool:
    """Whether a service may say that to such a call, and mean it for a while only."""
    method = call.members[fault.member or 0][0] if call.members else call.method
    return method != "GET" or fault.name not in {"409", "412", "423"}
