"""One meeting that is saved again and again: its event is written once a second then, not at every save.

Decides when a mailbox has to rest because one of its events was written too often just now. What was saved
meanwhile is read as it is after the rest, so that the last state wins. Others in that mailbox wait along.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

SPAN = 3.0
"""Seconds that a write is remembered."""
FREE = 3
"""Writes of one event within that time that nobody has to wait for."""
REST = 1.0
"""Seconds between further ones."""


class Bursts:
    """The latest writes to each mailbox, as far as this process made them; one run of it at a time."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Go by the clock `now`."""
        self._now = now
        self._mailboxes: dict[int, dict[str, tuple[float, ...]]] = {}

    def rest_after(self, mailbox_id: int, written: Collection[str]) -> float | None:
        """Seconds that a mailbox is to rest after these events were written; None for not at all."""
        now = self._now()
        known = self._mailboxes.pop(mailbox_id, {})
        recent = {
            event_id: kept
            for event_id, times in known.items()
            if (kept := tuple(at for at in times if now - SPAN < at <= now))
        }
        recent |= {event_id: (*recent.get(event_id, ()), now) for event_id in written}
        if recent:
            self._mailboxes[mailbox_id] = recent
        return REST if any(len(recent[event_id]) >= FREE for event_id in written) else None
