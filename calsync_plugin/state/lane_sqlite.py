"""The hooks' lane into a SQLite store: one change row and one wake in one short commit.

Decides how long a hook may wait. It has a connection of its own, so that no worker's long wait is in its way;
the writer lock guards it.
"""

from __future__ import annotations

import json
import sqlite3
import threading
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
# One statement for many: each gives the interpreter's lock away, and busy threads keep it for a while.
_INSERT_MANY = (
    "INSERT INTO changes (entity_type, record_id, user_hint, kind, created_at, routed)"
    " SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),"
    " json_extract(value, '$[3]'), ?, 0 FROM json_each(?) ORDER BY key"
)
_WAKE = f"UPDATE mailboxes SET due_at = min(due_at, ?), seq = seq + 1 WHERE id = {ROUTER}"  # noqa: S608


class _Request:
    """The changes of one hook that could not be written at once."""

    __slots__ = ("changes", "done", "error", "turn")

    def __init__(self, changes: Sequence[NewChange]) -> None:
        self.changes = changes
        self.done = False
        self.error: StoreBusy | None = None
        self.turn = threading.Lock()
        self.turn.acquire()


class SqliteLane:
    """Thread-safe. Hooks that have to wait do so together: the first of them writes for all."""

    def __init__(self, engine: Engine, lock: WriterLock, clock: Clock) -> None:
        fairy = engine.raw_connection()
        self._connection = cast(sqlite3.Connection, fairy.driver_connection)
        fairy.detach()
        self._lock = lock
        self._clock = clock
        self._busy_ms = -1
        self._mutex = threading.Lock()
        self._pending: list[_Request] = []
        self._closed = False

    def record(self, changes: Sequence[NewChange]) -> None:
        """Write all of `changes` and wake the router, or raise StoreBusy after 200 ms."""
        deadline = monotonic() + LANE_SECONDS
        if self._lock.acquire(0):
            try:
                self._commit(changes, deadline)
            finally:
                self._lock.release()
        else:
            self._record_together(_Request(changes), deadline)

    def _record_together(self, request: _Request, deadline: float) -> None:
        with self._mutex:
            self._pending.append(request)
            leads = self._pending[0] is request
        # Woken either because it is written, or to lead because the one before gave up.
        if not leads and not request.turn.acquire(timeout=max(0.0, deadline - monotonic())):
            self._withdraw(request)
            raise _late()
        if not request.done:
            if not self._lock.acquire(max(0.0, deadline - monotonic())):
                self._withdraw(request)
                raise _late()
            try:
                self._write_pending(deadline)
            finally:
                self._lock.release()
        if request.error is not None:
            raise request.error

    def _write_pending(self, deadline: float) -> None:
        with self._mutex:
            batch, self._pending = self._pending, []
        error = None
        try:
            self._commit([change for request in batch for change in request.changes], deadline)
        except StoreBusy as busy:
            error = busy
        for request in batch:
            request.error = error
            request.done = True
            if request.turn.locked():
                request.turn.release()

    def _withdraw(self, request: _Request) -> None:
        with self._mutex:
            if request not in self._pending:
                return
            leads = self._pending[0] is request
            self._pending.remove(request)
            if leads and self._pending and self._pending[0].turn.locked():
                self._pending[0].turn.release()

    def _commit(self, changes: Sequence[NewChange], deadline: float) -> None:
        now = self._clock.now()
        if self._closed:
            raise StoreBusy("the store is closed; the sweep will find what changed")
        execute = self._connection.execute
        try:
            self._wait_until(deadline)
            execute("BEGIN IMMEDIATE")
            if len(changes) == 1:
                execute(_INSERT, (*changes[0], now))
            else:
                execute(_INSERT_MANY, (now, json.dumps(changes)))
            execute(_WAKE, (now,))
            execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise StoreBusy(f"a change could not be noted: {error}; the sweep will find it") from error
        finally:
            if self._connection.in_transaction:
                execute("ROLLBACK")

    def _wait_until(self, deadline: float) -> None:
        # For the lock of another process. Setting it costs as much as a statement: only if it matters.
        wanted = max(0, int((deadline - monotonic()) * 1000))
        if not wanted - 10 <= self._busy_ms <= wanted:
            self._connection.execute(f"PRAGMA busy_timeout={wanted}").close()
            self._busy_ms = wanted

    def close(self) -> None:
        """Close the lane's connection, after the write that is under way."""
        self._closed = True
        had = self._lock.acquire(LANE_SECONDS)
        try:
            self._connection.close()
        finally:
            if had:
                self._lock.release()


def _late() -> StoreBusy:
    return StoreBusy("no turn to note a change within 200 ms; the sweep will find it")
