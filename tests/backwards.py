"""The option `--backwards`: mailboxes that are due at the same time run in the reverse order.

Which of them runs first is decided by nobody: workers take them at the same time, and requests take as long
as they take. So every test has to pass in both orders. Decides only the order; what is due and what is run
stays.
"""

from __future__ import annotations

from sqlalchemy import desc

from calsync_plugin.state import queue
from calsync_plugin.state.queue import Queue
from calsync_plugin.state.rows import Lease


def run_backwards() -> None:
    """Let queues opened from now on hand out what is due the other way round."""
    first, second = queue.ORDER
    queue.ORDER = (first, desc(second))
    claim = Queue.claim

    def reversed_claim(self: Queue, owner: str, *, limit: int, lease: float) -> list[Lease]:
        return claim(self, owner, limit=limit, lease=lease)[::-1]

    Queue.claim = reversed_claim  # type: ignore[method-assign]
