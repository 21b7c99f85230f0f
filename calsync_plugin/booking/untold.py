"""Users who are not connected and of whom nothing is known any more: about them colleagues have to be asked.

Decides who that is when somebody looks for slots, and that what Outlook did not tell is not asked for again
at every look. Where it is not allowed to ask nobody is named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from calsync_plugin.booking.trust import TOLD_AHEAD, TOLD_BEFORE, TOLD_FOR, is_connected
from calsync_plugin.domain.availability import Interval
from calsync_plugin.settings import GraphSettings
from calsync_plugin.state import SourceKind, Store

AGAIN = 60.0
"""Seconds until it is tried again of itself."""


class Untold:
    """Names them, each once in a while."""

    def __init__(self, store: Store, graph: Callable[[], GraphSettings]) -> None:
        """Look into `store`; `graph` tells what an administrator allows now."""
        self._store = store
        self._graph = graph
        self._named: dict[str, float] = {}

    def of(self, user_ids: Sequence[str], window: Interval) -> list[str]:
        """Those of some users about whom to ask before a window is told."""
        graph, now = self._graph(), self._store.clock.now()
        told = window[0] < now + TOLD_AHEAD and now - TOLD_BEFORE < window[1]
        if not (graph.enabled and graph.schedules and told):
            return []
        accounts = self._store.accounts.many(list(user_ids))
        others = [one for one in user_ids if not is_connected(accounts.get(one))]
        known = {
            source.user_id
            for source in self._store.busy.sources(others)
            if source.kind is SourceKind.SCHEDULE
            and source.read_at
            and now - source.read_at.timestamp() <= TOLD_FOR
        }
        named = [one for one in others if one not in known and not self._lately(one, now)]
        self._named |= dict.fromkeys(named, now)
        return named

    def _lately(self, user_id: str, now: float) -> bool:
        return 0 <= now - self._named.get(user_id, -AGAIN) < AGAIN
