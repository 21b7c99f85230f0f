"""The hooks' lane into a PostgreSQL store: one change row and one wake in one statement.

Decides how long a hook may wait, also for a server that does not answer at all: connections are opened in the
background, and an answer is waited for on the socket with a deadline. A hook never opens a connection.
"""

from __future__ import annotations

import json
import select
import threading
from collections.abc import Sequence
from queue import Empty, LifoQueue
from time import monotonic

import psycopg
from psycopg.pq import ConnStatus, ExecStatus
from sqlalchemy import Engine

from calsync_plugin.errors import StoreBusy
from calsync_plugin.state.clock import Clock
from calsync_plugin.state.lane_sqlite import LANE_SECONDS, NewChange
from calsync_plugin.state.rows import ROUTER

CHANNEL = "calsync"
_SIZE = 4
_STATEMENT = b"calsync_record_changes"
# A wake that finds the row due already notifies nobody: NOTIFY takes a lock that all commits share.
_PREPARE = f"""
PREPARE {_STATEMENT.decode()} (jsonb, double precision) AS
WITH time AS (
  SELECT coalesce($2, extract(epoch FROM statement_timestamp())::double precision) AS now
), noted AS (
  INSERT INTO changes (entity_type, record_id, user_hint, kind, created_at, routed)
  SELECT change->>0, change->>1, change->>2, change->>3, now, 0 FROM jsonb_array_elements($1) AS change, time
), woken AS (
  UPDATE mailboxes SET due_at = least(due_at, now), seq = seq + 1 FROM time WHERE id = {ROUTER}
  RETURNING ready_at, now
)
SELECT pg_notify('{CHANNEL}', '{ROUTER}') FROM woken WHERE ready_at = now
"""  # noqa: S608
_TIMEOUT_MS = int(LANE_SECONDS * 900)


class PostgresLane:
    """Thread-safe: up to four connections, each used by one hook at a time."""

    def __init__(self, engine: Engine, clock: Clock | None) -> None:
        self._engine = engine
        self._clock = clock
        self._ready: LifoQueue[psycopg.Connection] = LifoQueue()
        self._mutex = threading.Lock()
        self._opened = 0
        self._closed = False
        self._opener: threading.Thread | None = None
        self._opened += 1
        self._open()

    def record(self, changes: Sequence[NewChange]) -> None:
        """Write all of `changes` and wake the router, or raise StoreBusy after 200 ms."""
        deadline = monotonic() + LANE_SECONDS
        now = None if self._clock is None else repr(self._clock.now()).encode()
        parameters = [json.dumps(changes).encode(), now]
        # A connection may have died with a restart of the server; noting a change twice does no harm.
        while not self._recorded(self._take(deadline), parameters, deadline):
            pass

    def _recorded(
        self, connection: psycopg.Connection, parameters: list[bytes | None], deadline: float
    ) -> bool:
        try:
            _run(connection, parameters, deadline)
        except psycopg.OperationalError:
            self._discard(connection)
            return False
        except BaseException:
            # Its answer may still come: nobody else must read it.
            self._discard(connection)
            raise
        self._ready.put(connection)
        return True

    def _take(self, deadline: float) -> psycopg.Connection:
        try:
            return self._ready.get_nowait()
        except Empty:
            self._open_one()
        try:
            return self._ready.get(timeout=max(0.0, deadline - monotonic()))
        except Empty:
            raise StoreBusy("no connection to note a change within 200 ms; the sweep will find it") from None

    def _open_one(self) -> None:
        with self._mutex:
            if self._opened >= _SIZE or self._closed:
                return
            self._opened += 1
            self._opener = threading.Thread(target=self._open, name="calsync-lane", daemon=True)
            self._opener.start()

    def _open(self) -> None:
        try:
            connection = _connect(self._engine)
        except psycopg.Error:
            with self._mutex:
                self._opened -= 1
            return
        with self._mutex:
            if not self._closed:
                self._ready.put(connection)
                return
        connection.close()

    def _discard(self, connection: psycopg.Connection) -> None:
        connection.close()
        with self._mutex:
            self._opened -= 1

    def close(self) -> None:
        """Close the lane's connections."""
        with self._mutex:
            self._closed = True
        # The one being opened closes itself when it sees the flag.
        if self._opener is not None:
            self._opener.join(timeout=LANE_SECONDS * 5)
        while not self._ready.empty():
            self._ready.get_nowait().close()


def _connect(engine: Engine) -> psycopg.Connection:
    arguments, options = engine.dialect.create_connect_args(engine.url)
    connection = psycopg.connect(*arguments, **{**options, "connect_timeout": 10, "autocommit": True})
    try:
        connection.execute(f"SET lock_timeout = {_TIMEOUT_MS}".encode())
        connection.execute(f"SET statement_timeout = {_TIMEOUT_MS}".encode())
        connection.execute(_PREPARE.encode())
    except BaseException:
        connection.close()
        raise
    return connection


def _run(connection: psycopg.Connection, parameters: list[bytes | None], deadline: float) -> None:
    """Execute the prepared statement by libpq's asynchronous calls, up to `deadline` (monotonic seconds)."""
    pgconn = connection.pgconn
    poll = select.poll()
    poll.register(pgconn.socket, select.POLLIN)
    pgconn.send_query_prepared(_STATEMENT, parameters)
    while pgconn.flush():
        _await(poll, pgconn.socket, select.POLLIN | select.POLLOUT, deadline)
        pgconn.consume_input()
    refusal = ""
    while True:
        while pgconn.is_busy():
            _await(poll, pgconn.socket, select.POLLIN, deadline)
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            break
        if result.status != ExecStatus.TUPLES_OK:
            refusal = result.error_message.decode("utf-8", "replace").strip()
    if pgconn.status != ConnStatus.OK:
        raise psycopg.OperationalError(refusal)
    if refusal:
        raise StoreBusy(f"a change could not be noted: {refusal}; the sweep will find it")


def _await(poll: select.poll, socket: int, events: int, deadline: float) -> None:
    poll.modify(socket, events)
    if not poll.poll(max(0.0, (deadline - monotonic()) * 1000)):
        raise StoreBusy("the database did not answer within 200 ms; the sweep will find what changed")
