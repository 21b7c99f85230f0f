"""Runs a scenario with a fault and a stop, and compares what is left with a run without either.

Decides what "the end state is right" means, and which lasting refusals may leave an item for a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from calsync_plugin.domain.links import Base, Link
from tests.faults.course import Call, Course, Killed
from tests.faults.refusals import Refusal, mend, refusal_of
from tests.faults.scenarios import Scenario
from tests.faults.strikes import Fault, always, once, strike
from tests.faults.yard import Kept, Yard
from tests.world import ADDRESS, ALICE, BOB, CAROL

Picture = dict[str, Any]
_VOLATILE = {"id", "modifiedAt", "createdAt", "versionNumber", "cOutlookJoinUrl", "uid"}


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
    """One scenario, prepared once and run again and again."""

    def __init__(self, yard: Yard, scenario: Scenario, fresh: Kept) -> None:
        self.yard = yard
        self.scenario = scenario
        yard.put_back(fresh)
        yard.begin()
        self.records = scenario.prepare(yard)
        self.kept = yard.keep(scenario.name)
        plain = self.course(Combination())
        self.calls, self.steps = tuple(plain.calls), ("the start", *plain.steps)
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
        refusal = refusal_of(call, fault, (), lasts=True) or Refusal("it is tried again")
        reasons = {reason for reason, _ in left["parked"]}
        found = [] if reasons == refusal.parked else [f"{refusal.name}: parked {reasons}"]
        if left["accounts"][ALICE] != refusal.status:
            found.append(f"{refusal.name}: the account is {left['accounts'][ALICE]}")
        found += [f"mailed: {mail}" for mail in left["mails"] if mail not in self.right["mails"]]
        course.strike_of = Course().strike_of
        mend(yard, self.records)
        found += [*_differences(self.right, picture(yard)), *self._echoes()]
        return [f"{self.scenario.name}: lasting {fault} at {call}: {text}" for text in found]

    def _end(self) -> list[str]:
        return [*_differences(self.right, picture(self.yard)), *self._echoes()]

    def _refused(self, refusal: Refusal, *, whole: bool) -> list[str]:
        """What a lasting refusal left, and that a person can mend it. `whole`: it surely came into effect."""
        left = picture(self.yard)
        if left == self.right:
            return self._echoes()
        reasons = {reason for reason, _ in left["parked"]}
        statuses = set(left["accounts"].values())
        found = []
        if reasons - refusal.parked or statuses - {"connected", refusal.status}:
            found.append(f"{refusal.name}, but parked {reasons}, accounts {statuses}")
        if whole and (refusal.parked - reasons or refusal.status not in statuses):
            found.append(f"{refusal.name}: not so; parked {reasons}, accounts {statuses}")
        mend(self.yard, self.records)
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
        return [*found, *_differences(right, mended), *self._echoes()]

    def _echoes(self) -> list[str]:
        """Nothing happened since: no write may follow from being told so."""
        self.yard.course.calls.clear()
        self.yard.touch(self.records)
        self.yard.settle()
        return [f"a no-op wrote: {c}" for c in self.yard.course.calls if c.service == "graph" and c.writes]


def picture(yard: Yard) -> Picture:
    """Everything that a person could see on either side, and what the store believes of it."""
    store = yard.app.store
    links = store.links.by_records([("Meeting", r["id"]) for r in _records(yard)])
    by_name = {row["id"]: row["name"] for row in _records(yard)}
    return {
        "events": {
            user_id: [_event(e.json) for e in yard.events(user_id)] for user_id in (ALICE, BOB, CAROL)
        },
        "made": {address: len(yard.outlook.state.mailboxes[address].items) for address in ADDRESS.values()},
        "mails": sorted((mail.kind, mail.to, mail.subject) for mail in yard.outlook.state.mails),
        "records": [
            {k: v for k, v in row.items() if k not in _VOLATILE} | {"joins": bool(row.get("cOutlookJoinUrl"))}
            for row in _records(yard)
        ],
        "links": sorted((by_name[r], *_link(link)) for (_, r), link in links.items()),
        "links in all": {m: store.links.count(m) for m in (1, 2, 3, 4)},
        "parked": sorted((p.reason, p.message) for p in store.parked.all()),
        "held": len(store.held.all()),
        "waiting": store.changes.waiting(),
        "accounts": {u: str(yard.account(u).status) for u in (ALICE, BOB)},
    }


def _link(link: Link) -> tuple[Any, ...]:
    copies = sorted((c.mailbox_id, str(c.purpose), str(c.state)) for c in link.copies)
    return str(link.state), link.reason, copies, _values(link.crm_base), _values(link.outlook_base)


def _values(base: Base | None) -> dict[str, Any] | None:
    if base is None:
        return None
    values: dict[str, Any] = {str(name): value for name, value in base.values.items()}
    # Of somebody who is not invited any more, "none" is left or not; both say the same.
    answers = values.get("responses") or {}
    return {**values, "responses": {key: said for key, said in answers.items() if said != "none"}}


def _records(yard: Yard) -> list[dict[str, Any]]:
    rows = yard.crm.dump()["records"]["Meeting"]
    return sorted((row for row in rows if not row.get("deleted")), key=lambda row: str(row["name"]))


def _event(json: dict[str, Any]) -> dict[str, Any]:
    return {
        "subject": json["subject"],
        "body": json["bodyPreview"],
        "start": json["start"],
        "end": json["end"],
        "attendees": sorted(
            (a["emailAddress"]["address"], a["status"]["response"]) for a in json["attendees"]
        ),
        "online": json["isOnlineMeeting"],
        "joins": bool(json.get("onlineMeeting")),
        "organizer": json["organizer"]["emailAddress"]["address"],
    }


def _mails(right: list[tuple[str, str, str]], mended: list[tuple[str, str, str]]) -> list[str]:
    """Everybody was told what there was to tell, and nobody was invited twice."""
    invited = [mail for mail in mended if mail[0] == "invitation"]
    found = [f"never mailed: {mail}" for mail in right if mail not in mended]
    return found + [
        f"mailed twice: {mail}" for mail in set(invited) if invited.count(mail) > right.count(mail)
    ]


def _differences(right: Picture, left: Picture) -> list[str]:
    return [
        f"{name}: {left[name]!r}, expected {right[name]!r}" for name in right if left[name] != right[name]
    ]
