"""How the contents of both sides are brought together, in the model.

Every field that only one side changed goes to the other, as far as its flow lets it; where both changed it,
the user's rule decides. People are merged one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.soak.sides import CONTACTS, CONTENT, KNOWN, Mail
from tests.soak.things import IN, MODES, OUT, Account, Meet, Side

NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Contents:
    """At one moment, with the accounts as they are then."""

    accounts: Mapping[str, Account]
    now: datetime

    def link(self, meet: Meet) -> None:
        """Both are equal now, or as equal as they ever get."""
        assert meet.event is not None
        meet.link, meet.host = "active", meet.event.host
        meet.theirs = self._their_values(meet)
        meet.ours = self._our_values(meet)

    def merge(self, meet: Meet) -> list[Mail]:
        """Both are there: what is mailed when they are brought together."""
        record, event = meet.record, meet.event
        assert record is not None
        assert event is not None
        to_event, to_record, settled = self._compare(meet)
        added, removed, joined, left = self._compare_people(meet)
        ways = self.flow(meet, "people")
        asked = (added or removed) and OUT in ways
        over = to_record.get("span", record.span).over(self.now) and event.span.over(self.now)
        if over and (event.guests or asked):
            # Whoever is invited would be mailed for nothing, and nobody else is invited any more.
            to_event, added, removed = {} if event.guests else to_event, NOBODY, NOBODY
        guests = (event.guests | added) - removed if OUT in ways else event.guests
        mails = event.patch(guests=guests, **to_event)
        if to_record:
            record.put(self.now, **to_record)
        for name in {*to_event, *to_record, *settled}:
            meet.ours[name], meet.theirs[name] = getattr(record, name), getattr(event, name)
        self._settle_people(meet, joined, left, waits=bool(over and asked))
        return mails

    def _settle_people(
        self, meet: Meet, joined: frozenset[str], left: frozenset[str], *, waits: bool
    ) -> None:
        assert meet.record is not None
        assert meet.event is not None
        ways = self.flow(meet, "people")
        comes = bool(joined or left) and IN in ways
        if comes:
            meet.record.put(self.now, people=(meet.record.people - left) | joined)
        if comes or not waits:
            if IN in ways or comes:
                meet.theirs["people"] = meet.event.guests
            if OUT in ways or comes:
                meet.ours["people"] = self.seated(meet)

    def take_in(self, meet: Meet) -> None:
        """What was changed in Outlook reaches the record before the event moves."""
        assert meet.record is not None
        _, to_record, _ = self._compare(meet)
        _, _, joined, left = self._compare_people(meet)
        if IN in self.flow(meet, "people") and (joined or left):
            to_record["people"] = (meet.record.people - left) | joined
        if to_record:
            meet.record.put(self.now, **to_record)

    def opened(self, meet: Meet, before: str) -> None:
        """A mode lets more pass than the one before: what differs by then is as it should be."""
        ways = self.accounts[meet.home].ways - MODES[before]
        for name in (*CONTENT, "people"):
            flow = self.flow(meet, name) & ways
            if OUT in flow and meet.record is not None:
                meet.ours[name] = self._our_values(meet)[name]
            if IN in flow and meet.event is not None:
                meet.theirs[name] = self._their_values(meet)[name]

    def record_edited(self, meet: Meet) -> bool:
        """Whether the record was changed since the last success."""
        return self._edited(meet, meet.ours, self._our_values(meet))

    def event_edited(self, meet: Meet) -> bool:
        """Whether the event was changed since the last success."""
        return self._edited(meet, meet.theirs, self._their_values(meet))

    def _edited(self, meet: Meet, base: Side, now: Side) -> bool:
        return any(base[name] != now[name] for name in base if self.flow(meet, name))

    # --- fields

    def flow(self, meet: Meet, name: str) -> frozenset[str]:
        """The ways that a field may go."""
        account = self.accounts[meet.home]
        ways = account.ways
        if meet.event is not None and meet.event.host != meet.home:
            # Somebody else's meeting only gives.
            ways &= {IN}
        if name == "location" and meet.kind != "Visit":
            return frozenset()
        if name == "text" and not account.text_both_ways:
            return ways & {OUT if meet.born == "crm" else IN}
        return ways

    def _compare(self, meet: Meet) -> tuple[Side, Side, set[str]]:
        to_event: Side = {}
        to_record: Side = {}
        settled = set()
        for name in CONTENT:
            ways = self.flow(meet, name)
            mine, yours = getattr(meet.record, name), getattr(meet.event, name)
            if mine == yours:
                settled.add(name)
                continue
            changed, they_changed = mine != meet.ours[name], yours != meet.theirs[name]
            if changed and they_changed:
                changed = self._ours_wins(meet, ways)
                they_changed = not changed
            if changed and OUT in ways and self._may_push(meet):
                to_event[name] = mine
            if they_changed and IN in ways:
                to_record[name] = yours
        return to_event, to_record, settled

    def _may_push(self, meet: Meet) -> bool:
        assert meet.record is not None
        return meet.record.saved >= self.accounts[meet.home].push_from

    def _ours_wins(self, meet: Meet, ways: frozenset[str]) -> bool:
        if len(ways) == 1:
            return OUT in ways
        clash = self.accounts[meet.home].clash
        return meet.born == "crm" if clash == "origin" else clash == "crm"

    # --- people

    def _compare_people(
        self, meet: Meet
    ) -> tuple[frozenset[str], frozenset[str], frozenset[str], frozenset[str]]:
        """Whom the event gains and loses, whom the record gains and loses."""
        assert meet.event is not None
        ours, theirs = self.seated(meet), meet.event.guests
        gained, lost = ours - meet.ours["people"], meet.ours["people"] - ours
        arrived, gone = theirs - meet.theirs["people"], meet.theirs["people"] - theirs
        if not self._may_push(meet):
            gained, lost = NOBODY, NOBODY
        joined = (arrived & KNOWN) - ours - lost
        return gained - theirs, lost & theirs, joined, (gone & ours) - gained

    def seated(self, meet: Meet) -> frozenset[str]:
        """The people of the record as its event seats them: its host is no guest, the owner may be one."""
        assert meet.record is not None
        owner = frozenset({meet.record.owner})
        people = self.let_out(meet, meet.record.people, self.accounts[meet.home])
        hosts = meet.event is None or meet.event.host == meet.home
        return (people - owner - ({meet.home} if hosts else NOBODY)) | (owner & self._out_already(meet))

    def let_out(self, meet: Meet, people: frozenset[str], account: Account) -> frozenset[str]:
        """Contacts by setting, unless they are invited already."""
        hidden = NOBODY if account.push_contacts else frozenset(CONTACTS)
        return people - (hidden - self._out_already(meet))

    @staticmethod
    def _out_already(meet: Meet) -> frozenset[str]:
        out: frozenset[str] = meet.ours.get("people", NOBODY) | meet.theirs.get("people", NOBODY)
        return out | (meet.event.guests if meet.event else NOBODY)

    def _our_values(self, meet: Meet) -> dict[str, Any]:
        return {name: getattr(meet.record, name) for name in CONTENT} | {"people": self.seated(meet)}

    @staticmethod
    def _their_values(meet: Meet) -> dict[str, Any]:
        assert meet.event is not None
        return {name: getattr(meet.event, name) for name in CONTENT} | {"people": meet.event.guests}
