"""What Outlook says at this moment of the calendars that make one user busy, stored as if read in turn.

Decides which calendar's silence leaves too little to rely on. What a sync stored meanwhile is never replaced
by an answer that may be older: the calendar is asked once more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from calsync_plugin.domain.availability import Block, Interval
from calsync_plugin.errors import (
    CalsyncError,
    Forbidden,
    NotFound,
    ReconnectNeeded,
    Refused,
    Throttled,
    Unavailable,
    UnknownOutcome,
)
from calsync_plugin.graph.busy import read_busy
from calsync_plugin.graph.calendar import busy_view, follow
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.protocol import Outcome
from calsync_plugin.state import Account, BusySource, Pace, SourceKind, Store
from calsync_plugin.wording import gettext as _

log = logging.getLogger(__name__)

PAGES = 20
"""Of one calendar; a window of 62 days holds fewer events than that."""
TRIES = 3
"""How often a calendar is asked that a sync writes at the same time."""

NOT_READ = _("Outlook could not be asked: the calendars of this user have not been read yet.")
RECONNECT = _("Outlook could not be asked: the user has to connect again.")
TOO_MANY = _("Outlook could not be asked: it answers no more requests for this mailbox at present.")
NO_ANSWER = _("Outlook could not be asked: it did not answer in time.")

OpenMailbox = Callable[[str, int], MailboxClient]


class BusyNow:
    """Asks mailboxes and stores what they tell."""

    def __init__(self, store: Store, open_mailbox: OpenMailbox) -> None:
        """Ask through `open_mailbox`, keep it in `store`."""
        self._store = store
        self._open_mailbox = open_mailbox

    def ask(self, account: Account, window: Interval) -> str:
        """Ask about one user; empty, or in words why that could not be done."""
        mailbox_id = account.mailbox_id or 0
        sources = self._sources(account)
        if not sources:
            return NOT_READ
        try:
            client = self._open_mailbox(account.user_id, mailbox_id)
            with counted(self._store, mailbox_id, client):
                self._ask(client, account, sources, window)
        except CalsyncError as error:
            log.info("Outlook could not be asked about user %s: %s", account.user_id, error)
            return why(error)
        return ""

    def _ask(
        self, client: MailboxClient, account: Account, sources: Sequence[BusySource], window: Interval
    ) -> None:
        for _attempt in range(TRIES):
            again = self._keep(client, sources, window)
            sources = [one for one in self._sources(account) if one.id in again] if again else []
            if not sources:
                return
        raise Unavailable("a sync writes the same calendar again and again")

    def _keep(
        self, client: MailboxClient, sources: Sequence[BusySource], window: Interval
    ) -> Collection[int]:
        """Ask calendars and store all that answer; the ids of those that were written meanwhile."""
        first, last = (datetime.fromtimestamp(second, UTC) for second in window)
        outcomes = client.batch([busy_view(first, last, source.place) for source in sources])
        again, failed = [], None
        for source, outcome in zip(sources, outcomes, strict=True):
            try:
                blocks = _all_pages(client, outcome)
            except CalsyncError as error:
                if not _can_be_missed(source, error):
                    failed = failed or error
                continue
            with self._store.save(None) as tx:
                if not tx.busy.replace_within(source.id, *window, blocks, version=source.version):
                    again.append(source.id)
        if failed is not None:
            raise failed
        return again

    def _sources(self, account: Account) -> list[BusySource]:
        of_mailbox = self._store.busy.of_mailbox(account.mailbox_id or 0)
        return [one for one in of_mailbox if one.user_id == account.user_id]


@contextmanager
def counted(store: Store, mailbox_id: int, client: MailboxClient) -> Iterator[None]:
    """Keep what is asked within, so that whoever asks next does not ask too much."""
    before = Pace(client.pace.start, client.pace.count)
    try:
        yield
    finally:
        store.queue.add_pace(mailbox_id, before, Pace(client.pace.start, client.pace.count))


def why(error: CalsyncError) -> str:
    """Why Outlook was not asked, for somebody who need not be the mailbox's owner."""
    if isinstance(error, ReconnectNeeded):
        return RECONNECT
    return TOO_MANY if isinstance(error, Throttled) else NO_ANSWER


def _can_be_missed(source: BusySource, error: CalsyncError) -> bool:
    """Whether what was known of a calendar counts on though it does not answer.

    A conflict calendar that is gone, is no longer shared, or could not be read the last time either must not
    keep its user from being booked until somebody takes it off.
    """
    if source.kind is not SourceKind.CONFLICT:
        return False
    if isinstance(error, (NotFound, Forbidden, Refused)):
        return True
    return bool(source.error) and isinstance(error, (Unavailable, UnknownOutcome))


def _all_pages(client: MailboxClient, outcome: Outcome) -> list[Block]:
    page = read_busy(outcome.unwrap())
    blocks = list(page.blocks)
    for _number in range(PAGES):
        if not page.next_link:
            return blocks
        page = read_busy(client.send(follow(page.next_link)))
        blocks += page.blocks
    raise CalsyncError(f"a calendar with more than {len(blocks)} events in the window")
