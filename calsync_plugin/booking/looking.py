"""A look into Outlook at this moment: when are these users busy in a window?

Decides whom it can ask, and that nobody waits longer than some seconds for the answers. What Outlook tells
is stored as if it had been read in turn; what it leaves out in the window is gone. Feeds are not read here:
their servers are asked as often as they allow.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cached_property, partial
from time import monotonic
from typing import Any, TypeVar

from calsync_plugin.booking.busy_now import NO_ANSWER, BusyNow, OpenMailbox
from calsync_plugin.booking.trust import is_connected, unasked
from calsync_plugin.booking.turns import Begin, Turns
from calsync_plugin.domain.availability import Interval
from calsync_plugin.errors import Unavailable
from calsync_plugin.state import Account, Store

SECONDS = 5.0
"""The longest time that somebody who books waits for Outlook."""
AT_ONCE = 32
"""Mailboxes that are asked at the same time; one that hangs holds one of these places, no more."""
LATELY = 3.0
"""Seconds for which an answer is new to somebody who only wants to see: who asks in a loop must not use up
what Outlook answers a mailbox."""
OTHERS_AT_ONCE = 4
"""Questions to colleagues' mailboxes about users who are not connected."""
BESIDE = 28 * 3600
"""Asked for besides, on both sides: in which zone whole days are meant is each mailbox's matter, and a day
that was taken out must not go on blocking."""

Answer = TypeVar("Answer")
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
        self._busy_now = BusyNow(store, open_mailbox)
        self._enabled = enabled
        self._ask_others = ask_others
        self._seconds = seconds
        self._turns = Turns()

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="calsync-look")

    @cached_property
    def _threads_for_others(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(OTHERS_AT_ONCE, thread_name_prefix="calsync-look-others")

    def close(self) -> None:
        """Begin nothing any more. Nobody waits for what is under way."""
        # None is cancelled: that would take the locks of executor and turn the other way round than a look.
        self._threads.shutdown(wait=False)
        self._threads_for_others.shutdown(wait=False, cancel_futures=True)

    def look(
        self, user_ids: Collection[str], start: int, end: int, *, lately: float = 0.0
    ) -> Mapping[str, str]:
        """Ask about each user between two seconds; empty, or in words why Outlook could not be asked.

        An answer to a question of the last `lately` seconds is good enough.
        A user without a connected account has nothing that could be asked for, unless Outlook tells others
        about everybody's free times.
        """
        wanted, until = sorted(set(user_ids)), monotonic() + self._seconds
        accounts, enabled = self._store.accounts.many(wanted), self._enabled()
        found: dict[str, str] = {one: unasked(accounts.get(one), enabled=enabled) or "" for one in wanted}
        own = [accounts[one] for one in wanted if not found[one] and is_connected(accounts.get(one))]
        others = [one for one in wanted if not found[one] and not is_connected(accounts.get(one))]
        of_others: Future[Mapping[str, str]] | None = None
        if others:
            of_others = self._threads_for_others.submit(self._ask_others, others, start, end)
        asked = self._asked(own, (start - BESIDE, end + BESIDE), until, lately)
        pending: list[Future[Any]] = [*asked.values(), *([of_others] if of_others else ())]
        wait(pending, timeout=max(0.0, until - monotonic()))
        found |= {one.user_id: _in_time(asked.get(one.user_id), NO_ANSWER) for one in own}
        if of_others is not None:
            untold: Mapping[str, str] = dict.fromkeys(others, NO_ANSWER)
            told: Mapping[str, str] = _in_time(of_others, untold)
            # What did not begin yet is not begun any more.
            of_others.cancel()
            found |= told
        return found

    def _asked(
        self, accounts: Sequence[Account], window: Interval, until: float, lately: float
    ) -> dict[str, Future[str]]:
        """What is being asked about users; who is left out had no turn in time.

        Outlook refuses a mailbox's fifth request of a moment, and some of these may be of a sync. A thread is
        taken for a mailbox whose turn it is: one that hangs holds one, however many people want to know.
        """
        turns = [(one, self._turns.at(one.mailbox_id or 0)) for one in accounts]
        came = [(account, turn, turn.begun) for account, turn in turns]
        asked: dict[str, Future[str]] = {}
        # First those whose turn it is, then those who have to wait.
        for latest in (0.0, until):
            for account, turn, begun in came:
                if account.user_id in asked:
                    continue
                begin: Begin = partial(self._put, account, window)
                answer = turn.take(window, begin, came=begun, until=latest, lately=lately)
                if answer is not None:
                    asked[account.user_id] = answer
        return asked

    def _put(self, account: Account, window: Interval) -> Future[str]:
        """Ask about one user, in a thread of its own. Raises Unavailable once calsync is stopping."""
        try:
            return self._threads.submit(self._busy_now.ask, account, window)
        except RuntimeError as error:
            raise Unavailable("calsync is stopping, so that Outlook was not asked") from error


def _in_time(answer: Future[Answer] | None, otherwise: Answer) -> Answer:
    """An answer that is there. One that is late is left to whoever shares it."""
    there = answer is not None and answer.done() and not answer.cancelled()
    return answer.result() if answer is not None and there else otherwise
