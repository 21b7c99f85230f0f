"""Outlook's limits for one mailbox: so many requests at once, so many in ten minutes (Graph docs,
throttling limits).

A request of its own takes one place; an unordered batch takes up to four, so that a second batch at the
same time is refused member by member. Refused requests count too: who retries at once only makes it worse.
"""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime

from calsync_plugin.sandbox.outlook.switches import Switches
from calsync_plugin.sandbox.outlook.wire import GraphError

WINDOW_SECONDS = 600


class Throttle:
    """Counts what runs and what ran, per mailbox."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[int, int] = {}
        self._recent: dict[int, deque[list[int]]] = {}
        self._totals: dict[int, int] = {}

    def enter(self, mailbox: int, switches: Switches, *, wanted: int = 1) -> int:
        """Take up to `wanted` of a mailbox's places and return how many; GraphError 429 if none is free."""
        if not switches.throttle:
            return 0
        with self._lock:
            running = self._running.get(mailbox, 0)
            granted = min(wanted, switches.concurrent_requests - running)
            if granted <= 0:
                raise GraphError(
                    429,
                    "ApplicationThrottled",
                    "Application is over its MailboxConcurrency limit.",
                    headers={"Retry-After": str(switches.concurrency_retry_after)},
                )
            self._running[mailbox] = running + granted
            return granted

    def leave(self, mailbox: int, granted: int) -> None:
        """Give places back."""
        with self._lock:
            self._running[mailbox] = self._running.get(mailbox, 0) - granted

    def count(self, mailbox: int, now: datetime, switches: Switches) -> None:
        """Count one request, or one member of a batch; GraphError 429 if it is one too many for ten
        minutes.
        """
        if not switches.throttle:
            return
        second = int(now.timestamp())
        with self._lock:
            recent = self._recent.setdefault(mailbox, deque())
            total = self._totals.get(mailbox, 0)
            while recent and recent[0][0] <= second - WINDOW_SECONDS:
                total -= recent.popleft()[1]
            if recent and recent[-1][0] == second:
                recent[-1][1] += 1
            else:
                recent.append([second, 1])
            self._totals[mailbox] = total + 1
            if total < switches.requests_per_10_minutes:
                return
            wait = recent[0][0] + WINDOW_SECONDS - second
        raise GraphError(
            429,
            "ApplicationThrottled",
            "Application is over its request limit for this mailbox.",
            headers={"Retry-After": str(max(1, wait))},
        )

    def reset(self) -> None:
        """Forget what ran in the last ten minutes; what runs now keeps its places."""
        with self._lock:
            self._recent.clear()
            self._totals.clear()
