"""The yard on which all histories of a process are played, each from the same beginning; and its log.

Decides nothing of what is right.
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

from calsync_plugin.engine.roster import READY
from tests.faults.yard import Kept, Yard

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


class Field(Yard):
    """A yard in which accounts may be away: nobody waits for their mailboxes to be read."""

    def wants(self, user_id: str) -> bool:
        """Whether a mailbox is due to be read, and may be."""
        return self.account(user_id).status in READY and super().wants(user_id)


class Ground:
    """One yard for all histories of a process."""

    yard: Field | None = None
    fresh: Kept

    @classmethod
    def prepared(cls) -> Field:
        """The yard as at the beginning."""
        if cls.yard is None:
            cls.yard = Field(Path(tempfile.mkdtemp(prefix="calsync-soak-", dir=MEMORY)))
            cls.yard.settle()
            cls.yard.sweep()
            cls.fresh = cls.yard.keep("fresh")
        cls.yard.put_back(cls.fresh)
        cls.yard.outlook.log.clear()
        cls.yard.outlook.faults.replace([])
        cls.yard.begin()
        return cls.yard


class Unforeseen(logging.Handler):
    """Remembers what the log says that must never be said."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.said.append(self.format(record))
