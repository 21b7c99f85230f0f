"""What was asked of the simulator: the last requests and how often each kind came."""

from __future__ import annotations

import re
from collections import Counter, deque
from dataclasses import dataclass

KEPT = 10_000
_ID = re.compile(r"/[0-9a-f]{17}(?=/|$)")


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request to the REST API; status 0 was dropped."""

    at: str
    method: str
    path: str
    query: str
    status: int


class RequestLog:
    """Keeps the last requests and counts all of them."""

    def __init__(self) -> None:
        self.requests: deque[LoggedRequest] = deque(maxlen=KEPT)
        self.counts: Counter[str] = Counter()

    def note(self, request: LoggedRequest) -> None:
        """Add a request; ids in its path count as one kind."""
        self.requests.append(request)
        self.counts[f"{request.method} {_ID.sub('/ID', request.path)}"] += 1

    def clear(self) -> None:
        """Forget everything."""
        self.requests.clear()
        self.counts.clear()
