"""Users who are not connected: when they are busy, as Outlook tells a connected colleague of theirs.

Decides whose mailbox asks, and that this is done only where an administrator allows it. What is told of a
person is found by the address by which it was asked for, so that nobody gets the times of another. It is kept
for months ahead, as one that is read in turn would be; but it is read only when somebody asks.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from calsync_plugin.booking.looking import NO_ANSWER, OpenMailbox, why
from calsync_plugin.crm.directory import Directory
from calsync_plugin.domain.meeting import Person, PersonKind
from calsync_plugin.domain.slots import DAY
from calsync_plugin.errors import CalsyncError
from calsync_plugin.graph.schedules import Schedule, read_schedules, refusal, schedule_requests, together
from calsync_plugin.state import Account, AccountStatus, Pace, SourceKind, Store

log = logging.getLogger(__name__)

BEFORE, AHEAD = DAY, 123 * DAY
"""With the day before now two requests for twenty people: Outlook takes 62 days at once."""
NEVER = 20 * 365 * DAY
"""When it is read again by itself."""
MOST = 20
"""Sources outside of a mailbox that one user has."""


class Unconnected:
    """Asks colleagues' mailboxes about users."""

    def __init__(
        self,
        store: Store,
        gateway: Callable[[], Any],
        open_mailbox: OpenMailbox,
        *,
        allowed: Callable[[], bool],
    ) -> None:
        """Find addresses through `gateway`, a `CrmGateway`; ask only while it is `allowed`."""
        self._store = store
        self._gateway = gateway
        self._open_mailbox = open_mailbox
        self._allowed = allowed

    @cached_property
    def _people(self) -> Directory:
        return Directory(self._gateway())

    def ask(self, user_ids: Collection[str], start: int, end: int) -> Mapping[str, str]:
        """Ask about users; why that could not be done, by user. Left out is whom nobody could ask about."""
        if not self._allowed():
            return {}
        try:
            users = self._users(user_ids)
        except CalsyncError as error:
            log.info("the addresses of users cannot be asked of the CRM: %s", error)
            return {}
        found: dict[str, str] = {}
        now = int(self._store.clock.now())
        window = min(start, now - BEFORE), max(end, now + AHEAD)
        for asker, addresses in self._askers(users, user_ids):
            told = self._told(asker, addresses, *window)
            if isinstance(told, str):
                found |= {users[address]: told for address in addresses}
                continue
            for address in addresses:
                schedule = told.get(address)
                kept = self._keep(users[address], schedule, *window) if schedule else NO_ANSWER
                found[users[address]] = kept
        return found

    def _users(self, user_ids: Collection[str]) -> dict[str, str]:
        """Users by address; an address that two of them have tells of neither."""
        cards = self._people.cards([Person(PersonKind.USER, one) for one in user_ids])
        first = {
            card.id: card.addresses[0].lower() for card in cards.values() if card.addresses and card.active
        }
        times = Counter(first.values())
        return {address: user_id for user_id, address in sorted(first.items()) if times[address] == 1}

    def _askers(self, addresses: Collection[str], asked: Collection[str]) -> list[tuple[Account, list[str]]]:
        """Through whom each address is asked about: somebody of the same domain, always the same one."""
        ready = self._store.accounts.in_status(AccountStatus.CONNECTED, AccountStatus.SYNCING)
        by_domain: dict[str, Account] = {}
        for account in sorted(ready, key=lambda one: (one.user_id not in asked, one.user_id)):
            if account.mailbox_id:
                by_domain.setdefault(_domain(account.address), account)
        groups: dict[str, list[str]] = defaultdict(list)
        for address in sorted(addresses):
            if _domain(address) in by_domain:
                groups[_domain(address)].append(address)
        return [(by_domain[domain], found) for domain, found in sorted(groups.items())]

    def _told(self, asker: Account, addresses: list[str], start: int, end: int) -> dict[str, Schedule] | str:
        """What Outlook tells, by address; or why it tells nothing."""
        first, last = (datetime.fromtimestamp(second, UTC) for second in (start, end))
        mailbox_id = asker.mailbox_id or 0
        try:
            client = self._open_mailbox(asker.user_id, mailbox_id)
            try:
                outcomes = client.batch(schedule_requests(addresses, first, last))
            finally:
                self._store.queue.set_pace(mailbox_id, Pace(client.pace.start, client.pace.count))
            return together(one for outcome in outcomes for one in read_schedules(outcome.unwrap()))
        except CalsyncError as error:
            log.info("Outlook does not tell user %s when colleagues are busy: %s", asker.user_id, error)
            return refusal(error) or why(error)

    def _keep(self, user_id: str, told: Schedule, start: int, end: int) -> str:
        """Store what was told of a user; why nothing was."""
        if told.problem:
            return told.problem
        known = {feed.address: feed.source.id for feed in self._of(user_id)}
        for address, source_id in known.items():
            if address != told.address:
                self._store.busy.remove(source_id, user_id=user_id)
        source_id = known.get(told.address) or self._store.feeds.add(
            user_id,
            SourceKind.SCHEDULE,
            told.address,
            shown=told.address,
            name=told.address,
            most=MOST,
            due_in=NEVER,
        )
        first, last = (datetime.fromtimestamp(second, UTC) for second in (start, end))
        with self._store.save(None) as tx:
            tx.busy.replace(source_id, told.blocks)
            tx.busy.was_read(source_id, known_from=first, known_until=last)
        return ""

    def _of(self, user_id: str) -> list[Any]:
        return [one for one in self._store.feeds.of(user_id) if one.source.kind is SourceKind.SCHEDULE]


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()
