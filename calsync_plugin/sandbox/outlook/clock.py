"""The simulator's clock: real time plus an offset that a test moves. Every expiry and every time stamp asks
it.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Protocol

_FARTHEST_SECONDS = 100 * 366 * 86_400


class Clock(Protocol):
    """What the simulator needs to know of time: an aware datetime in UTC."""

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        ...


class MovableClock:
    """Real time, or a frozen instant, that can be moved forward."""

    def __init__(self, *, frozen_at: datetime | None = None) -> None:
        self._frozen_at = frozen_at
        self._offset = timedelta()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        return (self._frozen_at or datetime.now(UTC)) + self._offset

    def advance(self, seconds: float) -> None:
        """Move the clock by so many seconds, ValueError beyond a century; sleeps are not shortened by it."""
        if abs(seconds) > _FARTHEST_SECONDS:
            raise ValueError(f"the clock moves by at most {_FARTHEST_SECONDS} seconds")
        with self._lock:
            self._offset += timedelta(seconds=seconds)
