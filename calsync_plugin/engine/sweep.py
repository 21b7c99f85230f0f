"""The sweep: finds what no hook and no webhook reported.

Decides when the CRM is looked through, and in which order: what was saved lately each time, and what is read
again (`rereading`) at an interval of its own. It is also what comes by regularly, so the upkeep of the store
goes with it.

A kind of records that cannot be read keeps no other from its turn. What concerns the CRM as a whole ends the
sweep at once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from calsync_plugin.engine.rereading import Rereading
from calsync_plugin.engine.saved_lately import SavedLately
from calsync_plugin.engine.upkeep import Upkeep
from calsync_plugin.engine.worker import Rest, backoff
from calsync_plugin.errors import (
    CalsyncError,
    ConfigurationError,
    ItemError,
    RemoteError,
    Throttled,
    Transient,
    Unauthorized,
)
from calsync_plugin.state import SWEEP, Lease, Store

log = logging.getLogger(__name__)

_REREAD = "reread"
"""The bookmark of when records were read again, by our clock."""
_TROUBLES = (RemoteError, ItemError, ConfigurationError)
"""What an answer of the CRM can mean (`crm.protocol`), not what is wrong with our own store."""
_AWAY = frozenset({None, 502, 503, 504})
"""Statuses without an answer of the CRM itself, and that of its maintenance."""


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
        troubles: list[CalsyncError] = []
        try:
            if not self._list_saved(troubles):
                return Rest(next_due=0.0, failed=bool(troubles))
            self._read_again(troubles)
        except _TROUBLES as error:
            log.error("the sweep could not read the CRM: %s", error)
            troubles.append(error)
        waits = [e.retry_after or backoff(lease.attempt) for e in troubles if isinstance(e, Transient)]
        not_before = min(max(waits), interval) if waits else None
        return Rest(next_due=interval, not_before=not_before, failed=bool(troubles))

    def _list_saved(self, troubles: list[CalsyncError]) -> bool:
        """List what was saved lately; returns whether all that could be listed came to the end."""
        ended = True
        # All of them: one with much to list must not keep the others from their turn.
        for entity_type in self._entity_types:
            with _apart(entity_type, troubles):
                ended = self._saved_lately.look(entity_type) and ended
        return ended

    def _read_again(self, troubles: list[CalsyncError]) -> None:
        now, last = self._store.clock.now(), self._store.bookmarks.get(_REREAD)
        # A clock that was set back must not put it off for longer than the interval.
        if last and 0 <= now - float(last) < self._intervals.reread:
            return
        self._store.bookmarks.set(_REREAD, f"{now:.3f}")
        for entity_type in self._entity_types:
            with _apart(entity_type, troubles):
                self._rereading.look(entity_type)


@contextmanager
def _apart(entity_type: str, troubles: list[CalsyncError]) -> Iterator[None]:
    """Add to `troubles` what went wrong with this kind alone; what ends the sweep is raised."""
    try:
        yield
    except _TROUBLES as error:
        if _ends_sweep(error):
            raise
        log.error("the sweep could not read the CRM's records of the kind %s: %s", entity_type, error)
        troubles.append(error)


def _ends_sweep(error: CalsyncError) -> bool:
    """Whether it concerns the CRM as a whole: further requests would be refused, too, or make it worse."""
    if isinstance(error, (Throttled, Unauthorized)):
        return True
    return isinstance(error, Transient) and error.status in _AWAY


def look_back(store: Store, entity_types: Iterable[str], since: datetime) -> None:
    """Let a sweep come at once that finds what was saved from `since` on, by the CRM's clock."""
    for entity_type in entity_types:
        name = f"sweep:{entity_type}"
        known = store.bookmarks.get(name)
        if not known or datetime.fromisoformat(known.partition(" ")[0]) > since:
            store.bookmarks.set(name, since.isoformat())
    store.queue.wake(SWEEP)
