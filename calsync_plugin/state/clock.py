"""The clock of the store, so that a test can move it.

Decides nothing. On PostgreSQL the queue goes by the database's own time as long as nobody injects a clock, so
that workers on several machines agree.
"""

from __future__ import annotations

import time
from typing import Protocol

NEVER = 1e12
"""A due time that does not come (epoch seconds); finite, so that it survives every driver."""


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        ...


class SystemClock:
    """The machine's time."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        return time.time()
