"""What was refused for want of rights is tried again by itself: whoever gives them back need not touch it.

Decides which parked items that concerns, how many at a time, and how often. EspoCRM tells nobody that a role
was changed. All other parked items wait for a change of their own content.
"""

from __future__ import annotations

from calsync_plugin.state import Lease, Parked, Store

HOUR = 3600.0
OF_RIGHTS = frozenset({"forbidden", "assignment"})
"""Reasons that lie in a role or a permission, and not in the item (`failures`, `crm.protocol`)."""
PORTION = 1_000
"""Items that are tried again at a time: each costs the CRM a request or more."""


class SecondChances:
    """Marks such items again, now and every hour, for each process that sweeps."""

    def __init__(self, store: Store) -> None:
        """Look at what is parked in `store`."""
        self._store = store
        self._again_at = 0.0
        self._reached: Parked | None = None

    def run(self, lease: Lease) -> None:
        """Mark what is due; `lease` is the sweep's."""
        now = self._store.clock.now()
        # A clock that was set back must not put it off for longer than the interval.
        if self._again_at - HOUR <= now < self._again_at:
            return
        self._again_at = now + HOUR
        due = self._due()
        self._store.queue.record_changes(
            [(item.entity_type, item.record_id, "", "again") for item in due if not item.event_id]
        )
        self._mark_events(lease, [item for item in due if item.event_id])

    def _due(self) -> list[Parked]:
        """The next portion; after the last one it begins again, so that none is kept from its turn."""
        due = self._store.parked.of_reasons(OF_RIGHTS, after=self._reached, limit=PORTION)
        self._reached = due[-1] if len(due) == PORTION else None
        return due

    def _mark_events(self, lease: Lease, items: list[Parked]) -> None:
        if not items:
            return
        with self._store.save(lease) as tx:
            for item in items:
                tx.mark_events(item.mailbox_id, [item.event_id])
                tx.wake(item.mailbox_id)
