"""Waiting for work without asking the database all the time.

Decides when a waiting worker looks again: at once after a wake in this process, soon after one in another
process, and every second in any case. Does not decide what is due (`queue`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

POLL_SECONDS = 1.0
_LEAST_SECONDS = 0.01
"""So that a clock that stands still does not make a busy loop."""


class Doorbell:
    """Rung by every wake; whoever waits looks again at each ring that came after the last look."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rings = 0
        self._interruptions = 0

    def ring(self) -> None:
        """Let everybody who waits look again."""
        with self._condition:
            self._rings += 1
            self._condition.notify_all()

    def interrupt(self) -> None:
        """End all waits that are under way, whatever is due."""
        with self._condition:
            self._interruptions += 1
            self._condition.notify_all()

    def wait(self, timeout: float, due_in: Callable[[], float | None]) -> bool:
        """Whether something is due; False after `timeout` seconds of nothing or an interruption.

        `due_in` tells the seconds until the next row is ready, None for never.
        """
        deadline = monotonic() + timeout
        begun = self._interruptions
        while True:
            # Read before looking: a ring during the look ends the wait below at once.
            seen = self._rings
            next_in = due_in()
            if next_in is not None and next_in <= 0:
                return True
            patience = min(deadline - monotonic(), POLL_SECONDS)
            if next_in is not None:
                patience = min(patience, max(next_in, _LEAST_SECONDS))
            with self._condition:
                while self._rings == seen and self._interruptions == begun and patience > 0:
                    if not self._condition.wait(patience):
                        break
                if self._interruptions != begun:
                    return False
            if monotonic() >= deadline and self._rings == seen:
                return False
