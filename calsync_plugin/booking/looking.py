"""A look into Outlook at this moment: when are these users busy in a window?

Decides whom it can ask, and that nobody waits longer than some seconds for the answers. What Outlook tells
is stored as if it had been read in turn; what it leaves out in the window is gone. Feeds are not read here:
their servers are asked as often as they allow.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from functools import cached_property
from threading import Lock
from typing import TypeVar

from calsync_plugin.domain.availability import Block
from calsync_plugin.errors import CalsyncError, ReconnectNeeded, Throttled
from calsync_plugin.graph.busy import read_busy
from calsync_plugin.graph.calendar import busy_view, follow
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.protocol import Outcome
from calsync_plugin.state import Account, AccountStatus, BusySource, Pace, Store
from calsync_plugin.wording import gettext as _

log = logging.getLogger(__name__)

SECONDS = 5.0
"""The longest time that somebody who books waits for Outlook."""
AT_ONCE = 8
"""Mailboxes that are asked at the same time."""
PAGES = 20
"""Of one calendar; a window of 62 days holds fewer events than that."""
BESIDE = 28 * 3600
"""Asked for besides, on both sides: in which zone whole days are meant is each mailbox's matter, and a day
that was taken out must not go on blocking."""

SWITCHED_OFF = _("Syncing is switched off for everybody, so that Outlook was not asked.")
NOT_READY = _("Outlook could not be asked: the account is not ready. Its owner sees why on the account page.")
NOT_READ = _("Outlook could not be asked: the calendars of this user have not been read yet.")
RECONNECT = _("Outlook could not be asked: the user has to connect again.")
TOO_MANY = _("Outlook could not be asked: it answers no more requests for this mailbox at present.")
NO_ANSWER = _("Outlook could not be asked: it did not answer in time.")

_READY = frozenset({AccountStatus.CONNECTED, AccountStatus.SYNCING})

Answer = TypeVar("Answer")
OpenMailbox = Callable[[str, int], MailboxClient]
AskOthers = Callable[[Collection[str], int, int], Mapping[str, str]]
"""Asks about users who are not connected; why that could not be done, by user; who is left out has no way."""


class Looking:
    """Asks Outlook about users, each through the own mailbox."""

    def __init__(
        self,
        store: Store,
        open_mailbox: OpenMailbox,
        *,
        enabled: Callable[[], bool],
        ask_others: AskOthers = lambda _users, _start, _end: {},
        seconds: float = SECONDS,
    ) -> None:
        """Ask through `open_mailbox`, if `enabled`; wait for `seconds`, all users together."""
        self._store = store
        self._open_mailbox = open_mailbox
        self._enabled = enabled
        self._ask_others = ask_others
        self._seconds = seconds
        self._turns: defaultdict[int, Lock] = defaultdict(Lock)

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="calsync-look")

    def look(self, user_ids: Collection[str], start: int, end: int) -> Mapping[str, str]:
        """Ask about each user between two seconds; empty, or in words why Outlook could not be asked.

        A user without a connected account has nothing that could be asked for, unless Outlook tells others
        about everybody's free times.
        """
        wanted = sorted(set(user_ids))
        if not self._enabled():
            return dict.fromkeys(wanted, SWITCHED_OFF)
        accounts = self._store.accounts.many(wanted)
        asked, found = {}, dict.fromkeys(wanted, "")
        others = [one for one in wanted if not _connected(accounts.get(one))]
        for user_id in wanted:
            account = accounts.get(user_id)
            if account is not None and _connected(account):
                if account.status in _READY:
                    asked[user_id] = self._threads.submit(self._ask, account, start - BESIDE, end + BESIDE)
                else:
                    found[user_id] = NOT_READY
        of_others = self._threads.submit(self._ask_others, others, start, end) if others else None
        wait([*asked.values(), *([of_others] if of_others else ())], timeout=self._seconds)
        found |= {user_id: _in_time(answer, NO_ANSWER) for user_id, answer in asked.items()}
        if of_others is not None:
            untold: Mapping[str, str] = dict.fromkeys(others, NO_ANSWER)
            told: Mapping[str, str] = _in_time(of_others, untold)
            found |= told
        return found

    def _ask(self, account: Account, start: int, end: int) -> str:
        """Ask about one user and store the answer; why that could not be done."""
        mailbox_id = account.mailbox_id or 0
        sources = [one for one in self._store.busy.of_mailbox(mailbox_id) if one.user_id == account.user_id]
        if not sources:
            return NOT_READ
        # Outlook refuses a mailbox's fifth request of a moment, and one of these may be of a sync.
        turn = self._turns[mailbox_id]
        if not turn.acquire(timeout=self._seconds):
            return NO_ANSWER
        try:
            self._keep(account.user_id, mailbox_id, sources, start, end)
        except CalsyncError as error:
            log.info("Outlook could not be asked about user %s: %s", account.user_id, error)
            return why(error)
        finally:
            turn.release()
        return ""

    def _keep(
        self, user_id: str, mailbox_id: int, sources: Sequence[BusySource], start: int, end: int
    ) -> None:
        client = self._open_mailbox(user_id, mailbox_id)
        try:
            found = _read(client, sources, start, end)
        finally:
            self._store.queue.set_pace(mailbox_id, Pace(client.pace.start, client.pace.count))
        for source_id, blocks in found.items():
            with self._store.save(None) as tx:
                tx.busy.replace_within(source_id, start, end, blocks)


def _in_time(answer: Future[Answer], otherwise: Answer) -> Answer:
    """An answer that is there; one that did not begin yet is not begun any more."""
    if answer.done():
        return answer.result()
    answer.cancel()
    return otherwise


def why(error: CalsyncError) -> str:
    """Why Outlook was not asked, for somebody who need not be the mailbox's owner."""
    if isinstance(error, ReconnectNeeded):
        return RECONNECT
    return TOO_MANY if isinstance(error, Throttled) else NO_ANSWER


def _connected(account: Account | None) -> bool:
    return account is not None and bool(account.mailbox_id) and account.status is not AccountStatus.OFF


def _read(
    client: MailboxClient, sources: Sequence[BusySource], start: int, end: int
) -> dict[int, list[Block]]:
    """All blocks of some calendars between two seconds, by source: one request, then further pages."""
    first, last = (datetime.fromtimestamp(second, UTC) for second in (start, end))
    outcomes = client.batch([busy_view(first, last, source.place) for source in sources])
    return {source.id: _all_pages(client, outcome) for source, outcome in zip(sources, outcomes, strict=True)}


def _all_pages(client: MailboxClient, outcome: Outcome) -> list[Block]:
    page = read_busy(outcome.unwrap())
    blocks = list(page.blocks)
    for _number in range(PAGES):
        if not page.next_link:
            return blocks
        page = read_busy(client.send(follow(page.next_link)))
        blocks += page.blocks
    raise CalsyncError(f"a calendar with more than {len(blocks)} events in the window")
