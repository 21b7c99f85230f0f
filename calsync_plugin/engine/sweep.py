"""The sweep: finds what no hook and no webhook reported.

Decides when the CRM is looked through, and in which order: what was saved lately each time, and what is read
again (`rereading`) at an interval of its own. It is also what comes by regularly, so the upkeep of the store
goes with it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from calsync_plugin.engine.rereading import Rereading
from calsync_plugin.engine.saved_lately import SavedLately
from calsync_plugin.engine.upkeep import Upkeep
from calsync_plugin.engine.worker import Rest, backoff
from calsync_plugin.errors import RemoteError, Transient
from calsync_plugin.state import SWEEP, Lease, Store

log = logging.getLogger(__name__)

_REREAD = "reread"
"""The bookmark of when records were read again, by our clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """Seconds between two looks of each kind."""

    saved: float
    reread: float


class Sweep:
    """Looks through the CRM regularly."""

    def __init__(
        self,
        store: Store,
        entity_types: Iterable[str],
        saved_lately: SavedLately,
        rereading: Rereading,
        upkeep: Upkeep,
        *,
        intervals: Intervals,
    ) -> None:
        """Sweep the records of `entity_types`."""
        self._store = store
        self._entity_types = tuple(entity_types)
        self._saved_lately = saved_lately
        self._rereading = rereading
        self._upkeep = upkeep
        self._intervals = intervals

    def run(self, lease: Lease) -> Rest:
        """One sweep. The next is due after the interval whether this one succeeded or not."""
        self._upkeep.run(lease)
        interval = min(self._intervals.saved, self._intervals.reread or self._intervals.saved)
        try:
            # All of them: one with much to list must not keep the others from their turn.
            ended = [self._saved_lately.look(entity_type) for entity_type in self._entity_types]
            if not all(ended):
                return Rest(next_due=0.0)
            self._read_again()
        except Transient as error:
            wait = error.retry_after or backoff(lease.attempt)
            return Rest(next_due=interval, not_before=min(wait, interval), failed=True)
        except RemoteError as error:
            log.error("the sweep could not read the CRM: %s", error)
            return Rest(next_due=interval, failed=True)
        return Rest(next_due=interval)

    def _read_again(self) -> None:
        now, last = self._store.clock.now(), self._store.bookmarks.get(_REREAD)
        # A clock that was set back must not put it off for longer than the interval.
        if last and 0 <= now - float(last) < self._intervals.reread:
            return
        self._store.bookmarks.set(_REREAD, f"{now:.3f}")
        for entity_type in self._entity_types:
            self._rereading.look(entity_type)


def look_back(store: Store, entity_types: Iterable[str], since: datetime) -> None:
    """Let a sweep come at once that finds what was saved from `since` on, by the CRM's clock."""
    for entity_type in entity_types:
        name = f"sweep:{entity_type}"
        known = store.bookmarks.get(name)
        if not known or datetime.fromisoformat(known.partition(" ")[0]) > since:
            store.bookmarks.set(name, since.isoformat())
    store.queue.wake(SWEEP)
