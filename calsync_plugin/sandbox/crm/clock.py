"""The simulator's time: the machine's, moved by as much as a test or the control API says."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where the simulator reads its time."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        ...

    def advance(self, by: timedelta) -> None:
        """Move time forward."""


class MovableClock:
    """The machine's time plus an offset, or a fixed instant that only `advance` moves."""

    def __init__(self, frozen_at: datetime | None = None) -> None:
        self._frozen_at = frozen_at
        self._offset = timedelta(0)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The present instant, in UTC."""
        return (self._frozen_at or datetime.now(UTC)) + self._offset

    def advance(self, by: timedelta) -> None:
        """Move time forward (or back, with a negative span)."""
        with self._lock:
            self._offset += by


def stored(instant: datetime) -> str:
    """An instant as EspoCRM writes it: UTC, one second, `YYYY-MM-DD HH:MM:SS`."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
