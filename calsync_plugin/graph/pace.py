"""How fast one mailbox may be asked. Pure.

Decides whether some more requests fit into the present window of a mailbox. Source: Graph docs, "Outlook
service limits": 10,000 requests in 10 minutes for one app and one mailbox; each member of a batch counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from calsync_plugin.errors import Throttled


@dataclass(slots=True)
class Pace:
    """Requests of the present window. `start` (epoch seconds) and `count` come from the store and go back."""

    start: float = 0.0
    count: int = 0
    limit: int = 10_000
    window: float = 600.0

    def take(self, requests: int, now: float) -> None:
        """Count `requests` that are about to be sent; Throttled, and nothing counted, if they do not fit.

        The window begins with its first request, and a clock that was set back begins a new one.
        """
        if not self.start <= now < self.start + self.window:
            self.start, self.count = now, 0
        if self.count + requests > self.limit:
            raise Throttled(
                f"{self.count} requests of this mailbox in {self.window / 60:.0f} minutes; pausing",
                retry_after=self.start + self.window - now,
            )
        self.count += requests
