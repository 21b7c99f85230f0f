"""Ids in the shape of EspoCRM's: 8 hexadecimal digits of the time, 9 more that make it unique.

They sort by age, which decides the order of records that are equal otherwise. A test may queue the ids to
hand out next, so that a recorded conversation can be replayed with its own ids.
"""

from __future__ import annotations

import uuid
from collections import deque

from calsync_plugin.sandbox.crm.clock import Clock


class IdSource:
    """Hands out record ids, `uid`s and webhook secrets."""

    def __init__(self, clock: Clock, start: int = 0) -> None:
        self._clock = clock
        self.counter = start
        self.queued_ids: deque[str] = deque()
        self.queued_secrets: deque[str] = deque()
        self.queued_uids: deque[str] = deque()

    def next_id(self) -> str:
        """The next record id, 17 hexadecimal digits."""
        if self.queued_ids:
            return self.queued_ids.popleft()
        self.counter += 1
        return f"{int(self._clock.now().timestamp()) & 0xFFFFFFFF:08x}{self.counter & 0xFFFFFFFFF:09x}"

    def next_uid(self) -> str:
        """The next `uid` of a meeting."""
        return self.queued_uids.popleft() if self.queued_uids else str(uuid.uuid4())

    def next_secret(self, fresh: str) -> str:
        """A queued secret, or else the fresh one."""
        return self.queued_secrets.popleft() if self.queued_secrets else fresh
