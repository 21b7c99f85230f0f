"""The plain model: what each meeting should be on both sides once everything has come to rest.

Written from the rules alone, in a few plain steps, with none of the product's code. Here: which meetings come
into being, move, end and lie still; how their contents are brought together is `contents`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from tests.soak.contents import Contents
from tests.soak.sides import CONTENT, KNOWN, USERS, Event, Mail, Record
from tests.soak.things import IN, OUT, Account, Meet

AWAY = {"paused", "reconnect"}
"""Accounts whose work waits for them."""


@dataclass(slots=True)
class Model:
    """All meetings. `told_home`: whose copy stands for a meeting where several may."""

    accounts: dict[str, Account]
    told_home: Callable[[Meet], str]
    now: datetime
    meets: list[Meet] = field(default_factory=list)
    mails: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """What Outlook is to mail because of the sync: kind, name, tag."""
    deletions: int = 0
    """How much was removed since this was last asked."""

    @property
    def contents(self) -> Contents:
        """How contents are brought together now."""
        return Contents(self.accounts, self.now)

    def add(self, kind: str, born: str) -> Meet:
        """One more meeting."""
        self.meets.append(Meet(len(self.meets) + 1, kind, born))
        return self.meets[-1]

    @property
    def living(self) -> int:
        """How many meetings there are on either side."""
        return sum(meet.record is not None or meet.event is not None for meet in self.meets)

    def settle(self) -> None:
        """Let the rules bring both sides of every meeting together."""
        for meet in self.meets:
            self._settle(meet)
            owner = meet.record.owner if meet.record else ""
            # What was saved while an account is away or off goes out once it is back (R19).
            meet.stirred = meet.stirred and owner in self.accounts and self.status(owner) != "connected"

    # --- accounts

    def status(self, user: str) -> str:
        """How the account of a user is; "off" for everybody without one."""
        return self.accounts[user].status if user in self.accounts else "off"

    def leave(self, user: str) -> None:
        """An account is off: its meetings lie still (R12)."""
        self.accounts[user].status = "off"
        for meet in self.meets:
            if meet.home == user and meet.link == "active":
                meet.link = "suspended"

    def choose_mode(self, user: str, mode: str) -> None:
        """Another direction: nothing is written for it, what differs stays until it is edited again."""
        account = self.accounts[user]
        before, account.mode = account.mode, mode
        account.push_from = self.now
        for meet in self.meets:
            if meet.home == user and meet.link in {"active", "suspended"}:
                self.contents.opened(meet, before)

    # --- what happens to one meeting

    def _settle(self, meet: Meet) -> None:
        self._clear_away(meet)
        if meet.link == "detached":
            return
        status = self.status(meet.home)
        if not meet.link:
            self._begin(meet)
        elif meet.record is not None and self._moves(meet):
            self._move(meet, status)
        elif status == "connected":
            meet.link = "active"
            self._follow(meet)
        self._join(meet)

    def _join(self, meet: Meet) -> None:
        """Copies in mailboxes that are read become known."""
        if meet.link and meet.event is not None:
            read = frozenset(user for user in self.accounts if self.status(user) == "connected")
            meet.joined = (meet.joined | read) & meet.event.all_copies

    def _follow(self, meet: Meet) -> None:
        self._hand_over(meet)
        if meet.record is None:
            self._record_gone(meet)
        elif meet.event is None or meet.home not in meet.event.all_copies:
            self._event_gone(meet)
        else:
            self._mail(meet, self.contents.merge(meet))

    def _clear_away(self, meet: Meet) -> None:
        """Former events go once their accounts are back (R2)."""
        for user in [user for user in meet.left if self.status(user) == "connected"]:
            self._mail(meet, meet.left.pop(user).removed())

    # --- the beginning

    def _begin(self, meet: Meet) -> None:
        if meet.record is not None and meet.event is None:
            self._push(meet, meet.record)
        elif meet.event is not None and meet.record is None and not meet.private:
            self._import(meet, meet.event)

    def _push(self, meet: Meet, record: Record) -> None:
        account = self.accounts.get(record.owner)
        ready = account is not None and account.status == "connected" and OUT in account.ways
        if account is None or not ready or not meet.stirred or record.saved < account.push_from:
            return
        self._create_event(meet, self.contents.let_out(meet, record.people, account))

    def _import(self, meet: Meet, event: Event) -> None:
        takers = [user for user in self.accounts if self.status(user) == "connected"]
        takers = [user for user in takers if user in event.all_copies and IN in self.accounts[user].ways]
        if not takers:
            return
        if event.host in takers:
            meet.home = event.host
        else:
            meet.home = takers[0] if len(takers) == 1 else self.told_home(meet)
        meet.record = Record(
            kind=meet.kind,
            owner=event.host if event.host in USERS else meet.home,
            people=event.guests & KNOWN,
            saved=self.now,
            **{name: getattr(event, name) for name in CONTENT},
        )
        self.contents.link(meet)

    def _create_event(self, meet: Meet, guests: frozenset[str]) -> None:
        record = meet.record
        assert record is not None
        meet.home = record.owner
        over = record.span.over(self.now)
        guests = frozenset() if over else guests - {record.owner}
        values = {name: getattr(record, name) for name in CONTENT}
        meet.event = Event(host=record.owner, guests=guests, **values)
        self._mail(meet, meet.event.created())
        self.contents.link(meet)
        if over:
            meet.ours["people"] = frozenset()

    # --- another assignee (R2)

    def _moves(self, meet: Meet) -> bool:
        assert meet.record is not None
        return meet.born == "crm" and meet.home != meet.record.owner

    def _move(self, meet: Meet, status: str) -> None:
        """Made with the new assignee first, then deleted at the old one."""
        record, former = meet.record, meet.event
        assert record is not None
        account = self.accounts.get(record.owner)
        syncs = account is not None and account.status != "off" and OUT in account.ways
        if not syncs and status != "connected":
            return
        if syncs and account is not None and account.status != "connected":
            return
        if former is None and status == "connected":
            meet.link = "detached" if syncs else ""
            return
        if former and former.span.over(self.now) and record.span.over(self.now) and former.guests:
            return
        if status == "connected":
            self.contents.take_in(meet)
        if syncs and account is not None:
            # Nobody can look into a calendar whose account is away: what is gone there counts as it was.
            known = former.guests if former else meet.theirs["people"]
            guests = self.contents.let_out(meet, record.people, account)
            self._create_event(meet, guests | (known - KNOWN))
        else:
            meet.event = None
            self.deletions += 1
            self._drop(meet)
        if former and status == "connected":
            self._mail(meet, former.removed())
        elif former:
            meet.left[former.host] = former

    # --- the end

    def _hand_over(self, meet: Meet) -> None:
        """Somebody else's meeting, whose home copy went: another one stands for it (R3)."""
        event = meet.event
        if event is None:
            return
        gives = self.status(event.host) == "connected" and IN in self.accounts[event.host].ways
        if gives and meet.born == "outlook":
            # The organizer's own mailbox goes before all others, unless it would end what another one brings.
            meet.home = event.host
        if meet.home not in event.all_copies:
            heirs = meet.joined & event.all_copies
            meet.home = min(heirs) if heirs else meet.home

    def _record_gone(self, meet: Meet) -> None:
        event, account = meet.event, self.accounts[meet.home]
        if event is None:
            self._drop(meet)
        elif (
            OUT not in account.ways
            or event.host != meet.home
            or (meet.born == "outlook" and not account.remove_event_with_record)
            or self.contents.event_edited(meet)
            or (event.span.over(self.now) and event.guests)
        ):
            meet.link = "detached"
        else:
            self._mail(meet, event.removed())
            meet.event = None
            self.deletions += 1
            self._drop(meet)

    def _event_gone(self, meet: Meet) -> None:
        record, account = meet.record, self.accounts[meet.home]
        assert record is not None
        uninvited = meet.event is None or meet.home not in meet.event.guests
        if meet.host != meet.home and uninvited and meet.home not in meet.dropped:
            self._called_off(meet, record)
        elif (
            IN not in account.ways
            or meet.event is not None
            or meet.host != meet.home
            or (meet.born == "crm" and not account.remove_record_with_event)
            or self.contents.record_edited(meet)
        ):
            meet.link = "detached"
        else:
            meet.record = None
            self.deletions += 1
            self._drop(meet)

    def _called_off(self, meet: Meet, record: Record) -> None:
        """R5: by an organizer who is not ours."""
        if meet.theirs["span"].over(self.now):
            return
        if IN in self.accounts[meet.home].ways:
            record.put(self.now, status="Not Held")
        meet.link = "detached"

    def _drop(self, meet: Meet) -> None:
        meet.link, meet.home, meet.ours, meet.theirs = "", "", {}, {}

    def _mail(self, meet: Meet, mails: list[Mail]) -> None:
        self.mails.update((kind, name, meet.tag) for kind, name in mails)
