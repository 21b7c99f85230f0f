"""The slow sweep of Outlook: a few linked events a day, which notifications and delta may both have missed.

Decides how many and how often: once a day for each mailbox, `PORTION` events, going round. Each costs two
members of a batch; of a series that has one of its dates among them all dates are looked at. What is found is
decided by the look itself.
"""

from __future__ import annotations

from collections.abc import Callable

from calsync_plugin.state import Store

DAY = 24 * 3600.0
PORTION = 100
"""Events a day and mailbox."""


class Verifying:
    """Chooses the events to look at."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        """Remember in `store` how far it came."""
        self._store = store
        self._now = now

    def due(self, mailbox_id: int) -> list[str]:
        """The events of a mailbox to look at now; none if it was done within the day.

        The first time is a day after the mailbox was first read: all its events were seen then.
        """
        name = f"verified:{mailbox_id}"
        at, _, last = self._store.bookmarks.get(name).partition(" ")
        if at and float(at) + DAY > self._now():
            return []
        portion = self._store.links.event_ids(mailbox_id, after=last, limit=PORTION) if at else []
        done = portion[-1][0] if len(portion) == PORTION else ""
        self._store.bookmarks.set(name, f"{self._now()} {done}")
        return [event_id for _, event_id in portion]
