"""The machine's clock, behind the seams that tests use to move it. Decides nothing."""

from __future__ import annotations

import time


class SystemClock:
    """Epoch seconds, and real sleep."""

    def now(self) -> float:
        """Return epoch seconds."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
