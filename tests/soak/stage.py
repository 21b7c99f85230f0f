"""Where a history is played: one yard, the model beside it, and the moments at which both are compared.

Decides what must hold once everything has come to rest. What people do is the rules'.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine

from calsync_plugin.domain.links import Link
from tests.faults.course import Killed
from tests.soak.comparing import different, expected_events, expected_record, place
from tests.soak.ground import Ground, Unforeseen
from tests.soak.hands import Hands
from tests.soak.model import AWAY, Model
from tests.soak.sides import LABELS, USERS, Span
from tests.soak.storm import Storm
from tests.soak.tally import TALLY
from tests.soak.things import Account, Meet, Tagged

TOGETHER = 5
"""What happens at most until all comes to rest."""
When = tuple[int, int, bool]


class Stage(RuleBasedStateMachine):
    """What all rules share."""

    def __init__(self) -> None:
        super().__init__()
        self.yard = Ground.prepared()
        self.hands = Hands(self.yard, self._tell)
        now = self.now()
        self.model = Model({name: Account(now) for name in ("alice", "bob")}, self._home_of, now)
        self.story: list[str] = []
        self.pending = 0
        self.unread = False
        """Something happened in Outlook that was not read yet."""
        self.unsaid = False
        """Something happened in the CRM that no hook told of."""
        self.mailed: Counter[tuple[str, str, str]] = Counter()
        self.storm = Storm(self.yard, self.story)
        self.died = False
        self.apart: set[str] = set()
        """Tags of what the rules compare themselves."""
        self.unforeseen = Unforeseen()
        logging.getLogger("calsync_plugin").addHandler(self.unforeseen)

    def teardown(self) -> None:
        """The last rest."""
        try:
            if self.pending:
                self.come_to_rest()
        finally:
            logging.getLogger("calsync_plugin").removeHandler(self.unforeseen)
            TALLY.histories += 1
            TALLY.calls += len(self.yard.course.calls)

    # --- for the rules

    def now(self) -> datetime:
        """By the model's clock."""
        return datetime.fromtimestamp(self.yard.clock.now(), UTC).replace(tzinfo=None)

    def span(self, when: When, kind: str) -> Span:
        """So many days from now, at that hour; whole days where the kind has them."""
        days, hour, whole = when
        start = self.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)
        if whole and kind != "Call":
            return Span(start, start + timedelta(days=1 + hour % 3), whole_days=True)
        return Span(start + timedelta(hours=hour), start + timedelta(hours=hour + 1))

    def any(self, wanted: Callable[[Meet], object]) -> bool:
        """Whether there is such a meeting."""
        return any(wanted(meet) for meet in self.model.meets)

    def pick(self, number: int, wanted: Callable[[Meet], object]) -> Meet:
        """One of such meetings."""
        found = [meet for meet in self.model.meets if wanted(meet)]
        return found[number % len(found)]

    def did(self, meet: Tagged, *what: object) -> None:
        """Somebody did something."""
        TALLY.steps += 1
        self.story.append(" ".join(map(str, (meet.tag, *what))))
        self.pending += 1
        if self.pending >= TOGETHER:
            self.come_to_rest()

    def in_outlook(self, act: Callable[[], Any]) -> Any:
        """Somebody does something in Outlook; what that mails is not the sync's doing."""
        self.mailed += self.hands.mailed()
        made = act()
        self.yard.outlook.state.mails.clear()
        self.unread = True
        return made

    def run(self, what: Callable[[], object]) -> bool:
        """Do something that calsync takes part in; whether it survived."""
        try:
            what()
        except Killed:
            steps = self.yard.course.steps
            self.story.append(f"  died after {steps[-1] if steps else 'the start'}")
            self.yard.course.restart()
            self.died = True
            TALLY.deaths += 1
            self.yard.open()
            return False
        return True

    def _tell(self, hook: Callable[[], object]) -> None:
        if not self.run(hook):
            self.unsaid = True

    def calm(self) -> None:
        """Nothing goes wrong any more. What did is still to be recovered from."""
        self.died = self.died or self.troubled
        self.storm.faults = {}
        self.yard.course.restart()

    # --- rest

    @property
    def troubled(self) -> bool:
        """Whether something may still go wrong."""
        return bool(self.storm.faults) or self.yard.course.stop_after is not None or self.died

    def come_to_rest(self) -> None:
        """Everything is worked off, and must be as the model says."""
        TALLY.rests += 1
        self.story.append("rest")
        self.pending = 0
        if self.troubled:
            self.run(self.yard.pull)
            self.run(self.yard.sweep)
            self.calm()
            self.died = False
            self.yard.clock.advance(1000)
        self.yard.pull()
        self.yard.sweep()
        self.unread = self.unsaid = False
        self.model_follows()
        self._compare()
        self.yard.quiet()
        self.rested()
        self._clock_moves()

    def rested(self) -> None:
        """Everything was compared."""

    def _clock_moves(self) -> None:
        """So far that the breaker's window never holds more deletions than it lets pass."""
        days = 1 if self.model.deletions else 0
        self.model.deletions = 0
        self.yard.clock.advance(days * 24 * 3600 + 60)

    def model_follows(self) -> None:
        """The model comes to rest likewise, and learns the ids of what came into being."""
        self.model.now = self.now()
        self.model.settle()
        by_tag = {meet.tag: meet for meet in self.model.meets}
        for kind in LABELS:
            for row in self.yard.records(kind):
                meet = next((by_tag[word] for word in row["name"].split() if word in by_tag), None)
                if meet is not None:
                    meet.record_id = row["id"]
        for user_id in USERS.values():
            for event in self.yard.events(user_id):
                meet = next((by_tag[word] for word in event.subject.split() if word in by_tag), None)
                if meet is not None and meet.event is not None and event.isOrganizer:
                    meet.event_id = event.id if USERS.get(meet.event.host) == user_id else meet.event_id

    def _home_of(self, meet: Meet) -> str:
        """Whose copy stands for a meeting that several could stand for."""
        (row,) = [row for row in self.yard.records(meet.kind) if meet.tag in row["name"].split()]
        home = self.yard.link(row["id"], meet.kind).home
        assert home is not None
        return next(name for name in self.model.accounts if self.mailbox(name) == home.mailbox_id)

    def mailbox(self, name: str) -> int:
        """The mailbox of a user's account."""
        return self.yard.account(USERS[name]).mailbox_id or 0

    def _compare(self) -> None:
        records, events = self.hands.records(), self.hands.events()
        mails = self.mailed + self.hands.mailed()
        wrong = []
        for tag in self.apart:
            records.pop(tag, None)
            events.pop(tag, None)
        for meet in self.model.meets:
            wrong += different(f"{meet.tag} record", records.pop(meet.tag, []), expected_record(meet))
            seen = sorted(events.pop(meet.tag, []), key=place)
            wrong += different(f"{meet.tag} event", seen, expected_events(meet))
            state = self._state(meet)
            waits = self._begun(meet) or self._leaves(meet) or self._ended(meet, state)
            if (meet.record or meet.event) and state != meet.link and not waits:
                wrong.append(f"{meet.tag} link: {state!r}, expected {meet.link!r}")
        wrong += [f"nobody knows {tag}" for tag in {**records, **events}]
        wrong += [f"mailed without a reason: {mail}" for mail in (mails - self.model.mails).elements()]
        wrong += [f"never mailed: {mail}" for mail in (self.model.mails - mails).elements()]
        wrong += [f"parked: {one}" for one in self.yard.app.store.parked.all()]
        wrong += [f"logged: {line}" for line in self.unforeseen.said]
        self.model.mails.clear()
        self.mailed.clear()
        assert not wrong, "\n".join([*self.story, *self._told(), *wrong])

    def _begun(self, meet: Meet) -> bool:
        """A create may have been begun with an account that turned out to be away."""
        return meet.event is None and meet.record is not None and self.model.status(meet.record.owner) in AWAY

    def _ended(self, meet: Meet, state: str) -> bool:
        """Whoever was given the record may have told its end before the home's account is back."""
        return meet.record is None and state == "detached" and self.model.status(meet.home) in AWAY

    def _leaves(self, meet: Meet) -> bool:
        """A link is not let go while a former event waits for its account."""
        link = self._link(meet)
        away = {self.mailbox(name) for name, one in self.model.accounts.items() if one.status != "connected"}
        return link is not None and any(copy.mailbox_id in away for copy in link.leaving)

    def _told(self) -> list[str]:
        """What calsync says of its accounts, for whoever looks into a failure."""
        said = []
        for name in self.model.accounts:
            account = self.yard.account(USERS[name])
            said.append(f"{name} is {account.status}: {account.reason}")
            said += [f"  {line}" for line in self.yard.notes(USERS[name]).splitlines()[-12:]]
        return said

    def _state(self, meet: Meet) -> str:
        link = self._link(meet)
        return str(link.state) if link else ""

    def _link(self, meet: Meet) -> Link | None:
        key = (meet.kind, meet.record_id)
        return self.yard.app.store.links.by_records([key]).get(key)
