"""What a process counts: writes, reads, requests, runs, and how long changes took.

Decides what is counted under which name, and that it costs nothing: sums in memory, of which the store gets
those of some seconds in one commit, and nothing while nothing happens. What a crash loses is a few seconds of
figures. No name, address or content is ever counted by.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from calsync_plugin.domain.lag import bucket
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.errors import StoreBusy, StoreError
from calsync_plugin.state import MailboxKind, Store

log = logging.getLogger(__name__)

EVERY = 10.0
"""Seconds between two commits of figures of one process, at least."""
NO_ANSWER = "no_answer"
LAG_SUM = "lag_seconds"
"""The seconds behind the buckets of `lag`, by direction."""

Sums = Mapping[tuple[str, str], float]
Count = Callable[[str, str, float], None]
"""Name, label, amount."""


def uncounted(name: str, label: str, amount: float) -> None:
    """Nobody wants to know."""


class Counting:
    """The sums of one process. Thread-safe."""

    def __init__(self, store: Store) -> None:
        """Keep the hourly figures in `store`."""
        self._store = store
        self._lock = threading.Lock()
        self._totals: defaultdict[tuple[str, str], float] = defaultdict(float)
        self._unsaved: defaultdict[tuple[str, str], float] = defaultdict(float)
        self._saved_at = float("-inf")

    def add(self, name: str, label: str = "", amount: float = 1.0) -> None:
        """Add to a sum."""
        if amount:
            with self._lock:
                self._totals[name, label] += amount
                self._unsaved[name, label] += amount

    def totals(self) -> Sums:
        """All sums since the process began."""
        with self._lock:
            return dict(self._totals)

    # --- what there is to count

    def graph_answered(self, status: int | None, requests: int = 1) -> None:
        """Microsoft Graph answered requests; None: no answer came."""
        self.add("graph_requests", _status(status), requests)

    def crm_answered(self, status: int | None) -> None:
        """The CRM answered a request; None: no answer came."""
        self.add("crm_requests", _status(status))

    def ran(self, kind: MailboxKind, result: str) -> None:
        """A run ended. Router and sweep go by for ever: what they find is counted, not that they looked."""
        if kind is MailboxKind.MAILBOX:
            self.add("runs", result)

    def saved(self, items: Sequence[Item], *, parked: int) -> None:
        """Items of a run were saved; `parked` of them came to be parked."""
        now = self._store.clock.now()
        self.add("parked", amount=parked)
        for item in items:
            for side, kind in item.writes:
                self.add("writes", f"{side}:{kind}")
            self.add("clashes", amount=len(item.clashes))
            known_at = item.key.created_at if item.key.change_ids else item.known_at
            if item.writes and known_at and item.state in (ItemState.DONE, ItemState.PARKED):
                self._lag("out" if item.key.change_ids else "in", max(now - known_at, 0.0))

    def _lag(self, direction: str, seconds: float) -> None:
        self.add("lag", f"{direction}:{bucket(seconds)}")
        self.add(LAG_SUM, direction, seconds)

    # --- the store's share

    def save_if_due(self) -> None:
        """Give the store what came together, unless it got something only some seconds ago."""
        if self._unsaved and not 0 <= self._store.clock.now() - self._saved_at < EVERY:
            self.save()

    def save(self) -> None:
        """Give the store what came together; if it cannot take it now, it gets it with the next."""
        with self._lock:
            unsaved, self._unsaved = self._unsaved, defaultdict(float)
            self._saved_at = self._store.clock.now()
        try:
            self._store.figures.add(unsaved)
        except (StoreBusy, StoreError) as error:
            log.info("figures could not be saved yet: %s", error)
            with self._lock:
                for sum_, amount in unsaved.items():
                    self._unsaved[sum_] += amount


def _status(status: int | None) -> str:
    return NO_ANSWER if status is None else str(status)
