"""What comes by regularly and is no news: old rows go, people are told, what lacked rights is tried again.

Decides how often: troubles are looked for at each sweep, old rows once a day for each process that sweeps.
"""

from __future__ import annotations

from calsync_plugin.engine.notices import Notices
from calsync_plugin.engine.second_chances import SecondChances
from calsync_plugin.state import Lease, Store

DAY = 24 * 3600.0


class Upkeep:
    """Looks after a store."""

    def __init__(self, store: Store, notices: Notices) -> None:
        """Purge `store`, and tell what it shows through `notices`."""
        self._store = store
        self._notices = notices
        self._purge_at = 0.0
        self._second_chances = SecondChances(store)

    def run(self, lease: Lease) -> None:
        """Do what is due; `lease` is that of the sweep with which it comes."""
        self._notices.look()
        self._second_chances.run(lease)
        now = self._store.clock.now()
        if now >= self._purge_at:
            self._purge_at = now + DAY
            self._store.log.purge()
            self._store.audit.purge()
            self._store.figures.purge()
            self._store.bookings.purge()
            self._store.busy.purge()
