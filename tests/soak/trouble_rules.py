"""What goes wrong: calls that fail, processes that die; and what is worked off meanwhile."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.faults.strikes import Fault
from tests.soak.stage import Stage

PASSING = (
    "refused", "reset", "timeout", "truncated",
    "404", "409", "412", "423", "429", "429 short", "500", "503", "504",
)  # fmt: skip
"""Faults that must leave no trace once they are over."""
STRIKES = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from(PASSING), st.integers(-1, 3)), min_size=1, max_size=10
)


class TroubleRules(Stage):
    """Trouble begins with the next call, and is over when all has come to rest."""

    @precondition(lambda self: self.pending and not self.unread and not self.unsaid)
    @rule()
    def work_off_what_the_crm_told(self) -> None:
        self.story.append("settle")
        if self.troubled:
            # How far it came nobody knows.
            self.run(self.yard.settle)
            self.come_to_rest()
        else:
            self.yard.settle()
            self.model_follows()

    @precondition(lambda self: not self.storm.faults)
    @rule(strikes=STRIKES)
    def storm_comes(self, strikes: list[tuple[int, str, int]]) -> None:
        self.storm.begin({n: Fault(name, None if member < 0 else member) for n, name, member in strikes})

    @precondition(lambda self: self.yard.course.stop_after is None)
    @rule(after=st.integers(1, 25))
    def process_will_die(self, after: int) -> None:
        course = self.yard.course
        course.stop_after = len(course.steps) + after
        self.story.append(f"it will die {after} steps later")
