"""Users who are not connected: when they are busy, as Outlook tells a connected colleague of theirs.

Decides whose mailbox asks, and that this is done only where an administrator allows it. What is told of a
person is found by the address by which it was asked for, so that nobody gets the times of another. Asked for
are the same months ahead whatever window somebody wants, as for a calendar that is read in turn: what one
caller asks for costs the colleague's mailbox two requests and no more.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from calsync_plugin.booking.busy_now import NO_ANSWER, OpenMailbox, counted, why
from calsync_plugin.booking.trust import TOLD_AHEAD, TOLD_BEFORE
from calsync_plugin.crm.directory import Directory
from calsync_plugin.domain.meeting import Person, PersonKind
from calsync_plugin.domain.slots import DAY
from calsync_plugin.errors import CalsyncError, SettingsError
from calsync_plugin.graph.schedules import Schedule, read_schedules, refusal, schedule_requests, together
from calsync_plugin.state import Account, AccountStatus, SourceKind, Store

log = logging.getLogger(__name__)

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
        now = int(self._store.clock.now())
        window = now - TOLD_BEFORE, now + TOLD_AHEAD
        if not self._allowed() or not (start < window[1] and window[0] < end):
            return {}
        try:
            users = self._users(user_ids)
        except CalsyncError as error:
            log.info("the addresses of users cannot be asked of the CRM: %s", error)
            return {}
        found: dict[str, str] = {}
        for asker, addresses in self._askers(users, user_ids):
            told = self._told(asker, addresses, *window)
            if isinstance(told, str):
                found |= {users[address]: told for address in addresses}
                continue
            for address in addresses:
                found[users[address]] = self._kept(users[address], told.get(address), *window)
        return found

    def _users(self, user_ids: Collection[str]) -> dict[str, str]:
        """Users by address; one that somebody else has, too, tells of nobody.

        Whoever writes a colleague's address into the own card must not learn the colleague's times by it.
        """
        cards = self._people.cards([Person(PersonKind.USER, one) for one in user_ids])
        first = {
            card.id: card.addresses[0].lower() for card in cards.values() if card.addresses and card.active
        }
        times = Counter(first.values())
        own = {address: user_id for user_id, address in sorted(first.items()) if times[address] == 1}
        holders = self._store.accounts.holders(own)
        others = {a: one.id for a, one in self._people.by_address(own).items() if one.kind is PersonKind.USER}
        return {a: one for a, one in own.items() if {holders.get(a, one), others.get(a, one)} == {one}}

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
            with counted(self._store, mailbox_id, client):
                outcomes = client.batch(schedule_requests(addresses, first, last))
            return together(one for outcome in outcomes for one in read_schedules(outcome.unwrap()))
        except CalsyncError as error:
            log.info("Outlook does not tell user %s when colleagues are busy: %s", asker.user_id, error)
            return refusal(error) or why(error)

    def _kept(self, user_id: str, told: Schedule | None, start: int, end: int) -> str:
        """Store what was told of a user; why nothing was."""
        if told is None or told.problem:
            return told.problem if told else NO_ANSWER
        try:
            self._keep(user_id, told, start, end)
        except CalsyncError as error:
            log.info("what Outlook told of user %s was not kept: %s", user_id, error)
            return NO_ANSWER
        return ""

    def _keep(self, user_id: str, told: Schedule, start: int, end: int) -> None:
        known = self._of(user_id)
        for address, source_id in known.items():
            if address != told.address:
                self._store.busy.remove(source_id, user_id=user_id)
        source_id = known.get(told.address) or self._source(user_id, told.address)
        first, last = (datetime.fromtimestamp(second, UTC) for second in (start, end))
        with self._store.save(None) as tx:
            tx.busy.replace(source_id, told.blocks)
            tx.busy.was_read(source_id, known_from=first, known_until=last)

    def _source(self, user_id: str, address: str) -> int:
        """A new source; that of somebody else who asked for the first time at the same moment."""
        try:
            return self._store.feeds.add(
                user_id,
                SourceKind.SCHEDULE,
                address,
                shown=address,
                name=address,
                most=MOST,
                due_in=NEVER,
            )
        except SettingsError:
            found = self._of(user_id).get(address)
            if found is None:
                raise
            return found

    def _of(self, user_id: str) -> dict[str, int]:
        feeds = self._store.feeds.of(user_id)
        return {one.address: one.source.id for one in feeds if one.source.kind is SourceKind.SCHEDULE}


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()
