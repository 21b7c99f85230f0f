"""The hooks' lane into a SQLite store: one change row and one wake in one short commit.

Decides how long a hook may wait. It has a connection of its own, so that no worker's long wait is in its way;
the writer lock guards it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from time import monotonic
from typing import cast

from sqlalchemy import Engine

from calsync_plugin.errors import StoreBusy
from calsync_plugin.state.clock import Clock
from calsync_plugin.state.lock import WriterLock
from calsync_plugin.state.rows import ROUTER

LANE_SECONDS = 0.2
NewChange = tuple[str, str, str, str]
"""Entity type, record id, user hint, kind."""

_INSERT = (
    "INSERT INTO changes (entity_type, record_id, user_hint, kind, created_at, routed)"
    " VALUES (?, ?, ?, ?, ?, 0)"
)
_WAKE = f"UPDATE mailboxes SET due_at = min(due_at, ?), seq = seq + 1 WHERE id = {ROUTER}"  # noqa: S608


class SqliteLane:
    """Thread-safe; all threads share the connection under the writer lock."""

    def __init__(self, engine: Engine, lock: WriterLock, clock: Clock) -> None:
        fairy = engine.raw_connection()
        self._connection = cast(sqlite3.Connection, fairy.driver_connection)
        fairy.detach()
        self._lock = lock
        self._clock = clock
        self._busy_ms = -1

    def record(self, changes: Sequence[NewChange]) -> None:
        """Write all of `changes` and wake the router, or raise StoreBusy after 200 ms."""
        begun = monotonic()
        if not self._lock.acquire(LANE_SECONDS):
            raise StoreBusy("no turn to note a change within 200 ms; the sweep will find it")
        try:
            self._wait_at_most(LANE_SECONDS - (monotonic() - begun))
            self._commit(changes)
        except sqlite3.OperationalError as error:
            raise StoreBusy(f"a change could not be noted: {error}; the sweep will find it") from error
        finally:
            self._lock.release()

    def _commit(self, changes: Sequence[NewChange]) -> None:
        now = self._clock.now()
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            for change in changes:
                execute(_INSERT, (*change, now))
            execute(_WAKE, (now,))
            execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                execute("ROLLBACK")

    def _wait_at_most(self, seconds: float) -> None:
        # For the lock of another process. Setting it costs as much as a statement: only if it matters.
        wanted = max(0, int(seconds * 1000))
        if not wanted - 10 <= self._busy_ms <= wanted:
            self._connection.execute(f"PRAGMA busy_timeout={wanted}").close()
            self._busy_ms = wanted

    def close(self) -> None:
        """Close the lane's connection."""
        self._connection.close()
