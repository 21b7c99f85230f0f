"""What came in over the wire: the last requests, and counts per mailbox that tests and benches read."""

from __future__ import annotations

import threading
from collections import deque

from calsync_plugin.sandbox.outlook.wire import Json

KEPT = 5000


class RequestLog:
    """Counts requests on the wire, batches among them, and members inside; keeps the last requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Json] = deque(maxlen=KEPT)
        self._counts: dict[str, dict[str, int]] = {}

    def add(self, mailbox: str, method: str, path: str, status: int, *, member: bool = False) -> None:
        """Note one finished request or member of a batch."""
        entry = {"mailbox": mailbox, "method": method, "path": path, "status": status, "member": member}
        with self._lock:
            self._entries.append(entry)
            counts = self._counts.setdefault(
                mailbox, {"requests": 0, "batches": 0, "members": 0, "refused": 0}
            )
            if member:
                counts["members"] += 1
            else:
                counts["requests"] += 1
                if path.startswith("/v1.0/$batch"):
                    counts["batches"] += 1
            if status == 429:
                counts["refused"] += 1

    def as_json(self) -> Json:
        """Return counts per mailbox, their totals and the last requests, oldest first."""
        with self._lock:
            counts = {name: dict(part) for name, part in self._counts.items()}
            entries = list(self._entries)
        total = {
            kind: sum(part[kind] for part in counts.values())
            for kind in ("requests", "batches", "members", "refused")
        }
        return {"total": total, "mailboxes": counts, "requests": entries}

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._counts.clear()
