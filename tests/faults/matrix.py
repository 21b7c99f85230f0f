"""Runs a scenario with a fault and a stop, and compares what is left with a run without either.

Decides what "the end state is right" means, and which lasting refusals may leave an item for a person.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.faults.course import Call, Course, Killed
from tests.faults.pictures import Picture, bases, differences, picture
from tests.faults.refusals import Refusal, mend, refusal_of
from tests.faults.scenarios import Scenario
from tests.faults.strikes import Fault, always, once, strike
from tests.faults.yard import Kept, Yard


@dataclass(frozen=True, slots=True)
class Combination:
    """One run: the fault of one call (or none), and the step after which the process dies (or none)."""

    call: Call | None = None
    fault: Fault | None = None
    stop: int | None = None
    step: str = ""

    def __str__(self) -> str:
        fault = f"{self.fault} at {self.call}" if self.call else "no fault"
        return fault + ("" if self.stop is None else f"; killed after step {self.stop} ({self.step})")


class Bench:
    """One scenario, prepared once and run again and again.

    `thorough`: what follows from being told of no-ops is tried after every run. Otherwise once for each end
    that runs come to: what calsync writes follows from the links, their bases and both sides' present values,
    and an end is known by all of these.
    """

    def __init__(self, yard: Yard, scenario: Scenario, fresh: Kept, *, thorough: bool = False) -> None:
        self.yard = yard
        self.thorough = thorough
        self._quiet: list[tuple[Picture, Picture]] = []
        self.scenario = scenario
        yard.put_back(fresh)
        yard.begin()
        self.records = scenario.prepare(yard)
        self.kept = yard.keep(scenario.name)
        plain = self.course(Combination())
        self.calls, self.steps = tuple(plain.calls), ("the start", *plain.steps)
        scenario.later(yard)
        self.right = picture(yard)
        assert self.calls, "nothing was called"

    def course(self, combination: Combination) -> Course:
        """Run one combination until it rests, with a restart if it dies."""
        yard = self.yard
        yard.put_back(self.kept)
        course = Course(stop_after=combination.stop)
        if combination.call is not None and combination.fault is not None:
            happens = strike(combination.fault, yard.outlook, yard.crm)
            course.strike_of = once(combination.call.number, happens)
        yard.begin(course)
        try:
            yard.settle()
        except Killed:
            course.restart()
            yard.open()
            yard.settle()
        assert course.stop_after is None, f"{combination}: it never came to the step"
        return course

    def verdict(self, combination: Combination) -> list[str]:
        """Run one combination; how its end differs from what is right, in words."""
        course = self.course(combination)
        self.scenario.later(self.yard)
        refusal = None
        if course.struck is not None and combination.fault is not None:
            before = course.calls[: course.struck.number - 1]
            refusal = refusal_of(course.struck, combination.fault, before)
        found = self._end() if refusal is None else self._refused(refusal, whole=combination.stop is None)
        return [f"{self.scenario.name}: {combination}: {text}" for text in found]

    def lasting(self, call: Call, fault: Fault) -> list[str]:
        """Strike every call like this one until the fault is lifted; what was wrong before or after that."""
        yard = self.yard
        yard.put_back(self.kept)
        course = Course(strike_of=always(call, strike(fault, yard.outlook, yard.crm)))
        yard.begin(course)
        yard.run(rounds=15)
        left = picture(yard)
        refusal = refusal_of(call, fault, self.calls[: call.number - 1], lasts=True)
        expected = refusal or Refusal("it is tried again")
        found = self._told(left, expected, whole=True)
        found += [f"mailed: {mail}" for mail in left["mails"] if mail not in self.right["mails"]]
        course.strike_of = Course().strike_of
        if refusal is None:
            yard.settle()
        else:
            mend(yard, self.records)
        self.scenario.later(yard)
        found += self._mended(expected)
        return [f"{self.scenario.name}: lasting {fault} at {call}: {text}" for text in found]

    def _end(self) -> list[str]:
        left = picture(self.yard)
        return [*differences(self.right, left), *self._echoes(left)]

    def _refused(self, refusal: Refusal, *, whole: bool) -> list[str]:
        """What a lasting refusal left, and that a person can mend it. `whole`: it surely came into effect."""
        left = picture(self.yard)
        if left == self.right:
            return self._echoes(left)
        found = self._told(left, refusal, whole=whole)
        mend(self.yard, self.records)
        return [*found, *self._mended(refusal)]

    def _told(self, left: Picture, refusal: Refusal, *, whole: bool) -> list[str]:
        """How what people are told of a refusal differs from what it is."""
        reasons = {reason for reason, _ in left["parked"]}
        statuses = set(left["accounts"].values()) - {"connected"}
        # What another mailbox, or Outlook's side, brought nevertheless leaves nothing to tell.
        undone = any(left[name] != self.right[name] for name in ("events", "records"))
        untold = refusal.parked - reasons | {refusal.status} - {"connected"} - statuses
        if reasons - refusal.parked or statuses - {refusal.status} or (whole and undone and untold):
            return [f"{refusal.name}: not so; parked {reasons}, accounts {statuses}"]
        return []

    def _mended(self, refusal: Refusal) -> list[str]:
        """What is not as it should be after a person mended what a refusal left."""
        found = []
        mended = picture(self.yard)
        right = dict(self.right)
        if refusal.mails_more:
            found += _mails(right.pop("mails"), mended["mails"])
        if not refusal.cured:
            right = {name: right[name] for name in ("parked", "held", "waiting", "accounts")}
            found += [
                f"made more: {mended['made']}"
                for who, n in mended["made"].items()
                if n > self.right["made"][who]
            ]
            found += [f"mailed: {mail}" for mail in mended["mails"] if mail not in self.right["mails"]]
        return [*found, *differences(right, mended), *self._echoes(mended)]

    def _echoes(self, left: Picture) -> list[str]:
        """Nothing happened since: no write may follow from being told so."""
        yard = self.yard
        end = (left, bases(yard))
        if end in self._quiet and not self.thorough:
            return []
        yard.course.calls.clear()
        yard.touch({*self.records, *(str(row["id"]) for row in yard.records())})
        yard.due(*yard.connected())
        yard.settle()
        calls = [c for c in yard.course.calls if c.service != "login" and "/subscriptions" not in c.path]
        wrote = [f"a no-op wrote: {c}" for c in calls if c.writes]
        if not wrote:
            self._quiet.append(end)
        return wrote


def _mails(right: list[tuple[str, str, str]], mended: list[tuple[str, str, str]]) -> list[str]:
    """Everybody was told what there was to tell, and nobody was invited twice."""
    invited = [mail for mail in mended if mail[0] == "invitation"]
    found = [f"never mailed: {mail}" for mail in right if mail not in mended]
    return found + [
        f"mailed twice: {mail}" for mail in set(invited) if invited.count(mail) > right.count(mail)
    ]
