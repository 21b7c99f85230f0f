"""Turns at mailboxes: of each, one question is asked at a time, and many who want to know share an answer.

Decides whose answer is good enough for whom: one to a question that was put after somebody came, about no
less than is wanted. Does not decide what is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Condition
from time import monotonic

from calsync_plugin.domain.availability import Interval

Begin = Callable[[], "Future[str]"]


class Turn:
    """Questions to one mailbox, one after the other."""

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self._over = Condition()
        self._answer: Future[str] | None = None
        self._window: Interval = (0, 0)
        self._begun = 0
        self._put_at = 0.0

    @property
    def begun(self) -> int:
        """How many questions were put until now."""
        return self._begun

    def take(
        self, window: Interval, begin: Begin, *, came: int, until: float, lately: float = 0.0
    ) -> Future[str] | None:
        """The answer about `window` to somebody who came when so many questions had been put.

        `begin` puts the question, unless somebody else did meanwhile, or within `lately` seconds before. None
        if no turn came `until` a moment of the monotonic clock.
        """
        with self._over:
            while True:
                new = self._begun > came or monotonic() - self._put_at < lately
                if new and _covers(self._window, window):
                    return self._answer
                if self._answer is None or self._answer.done():
                    return self._put(window, begin)
                if not self._over.wait(until - monotonic()):
                    return None

    def _put(self, window: Interval, begin: Begin) -> Future[str]:
        answer = begin()
        self._answer, self._window = answer, window
        self._begun, self._put_at = self._begun + 1, monotonic()
        answer.add_done_callback(self._wake)
        return answer

    def _wake(self, _answer: Future[str]) -> None:
        with self._over:
            self._over.notify_all()


class Turns:
    """The turns of all mailboxes."""

    def __init__(self) -> None:
        """Nobody has come yet."""
        self._by_mailbox: dict[int, Turn] = {}

    def at(self, mailbox_id: int) -> Turn:
        """That of one mailbox."""
        return self._by_mailbox.setdefault(mailbox_id, Turn())


def _covers(wide: Interval, narrow: Interval) -> bool:
    return wide[0] <= narrow[0] and narrow[1] <= wide[1]
