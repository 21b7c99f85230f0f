"""What comes by regularly and concerns no single record: old rows go, and whoever has to know is told.

Decides how often: troubles are looked for at each sweep, old rows once a day for each process that sweeps.
"""

from __future__ import annotations

from calsync_plugin.engine.notices import Notices
from calsync_plugin.state import Store

DAY = 24 * 3600.0


class Upkeep:
    """Looks after a store."""

    def __init__(self, store: Store, notices: Notices) -> None:
        """Purge `store`, and tell what it shows through `notices`."""
        self._store = store
        self._notices = notices
        self._purge_at = 0.0

    def run(self) -> None:
        """Do what is due."""
        self._notices.look()
        now = self._store.clock.now()
        if now >= self._purge_at:
            self._purge_at = now + DAY
            self._store.log.purge()
            self._store.audit.purge()
            self._store.figures.purge()
