"""Hearing of wakes in other processes: a background thread that rings this process's doorbell.

Decides how it is heard: PostgreSQL notifies (needs a direct connection, not a transaction pooler); SQLite's
data_version is looked at every 50 ms. What is missed is found by the poll of `waiting`.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from calsync_plugin.errors import StoreBusy, StoreError
from calsync_plugin.state.database import Database
from calsync_plugin.state.waiting import Doorbell

_LOOK_SECONDS = 0.05
_RETRY_SECONDS = 1.0


class Listener:
    """A daemon thread, started by the first one who waits."""

    def __init__(self, database: Database, doorbell: Doorbell) -> None:
        self._database = database
        self._doorbell = doorbell
        self._stop = threading.Event()
        self._mutex = threading.Lock()
        self._thread: threading.Thread | None = None
        self.listening = threading.Event()
        """Set once wakes of other processes are heard."""

    def start(self) -> None:
        """Listen, unless it does already or was stopped."""
        if self._thread is not None or self._stop.is_set():
            return
        with self._mutex:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="calsync-listener", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread is None:
            return
        if not self._database.is_sqlite:
            # It sits in a wait for notifications: give it one, unless the server does not answer.
            threading.Thread(target=self._notify, name="calsync-listener-stop", daemon=True).start()
        self._thread.join(timeout=2)

    def _notify(self) -> None:
        with suppress(StoreBusy, StoreError), self._database.write() as connection:
            connection.execute(text("SELECT pg_notify('calsync', '')"))

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                fairy = self._database.engine.raw_connection()
            except DBAPIError:
                self._stop.wait(_RETRY_SECONDS)
                continue
            connection: Any = fairy.driver_connection
            fairy.detach()
            try:
                self._look(connection) if self._database.is_sqlite else self._listen(connection)
            except self._database.engine.dialect.loaded_dbapi.Error:
                self.listening.clear()
                self._stop.wait(_RETRY_SECONDS)
            finally:
                connection.close()

    def _listen(self, connection: Any) -> None:
        connection.autocommit = True
        connection.execute("LISTEN calsync")
        self.listening.set()
        while not self._stop.is_set():
            for _ in connection.notifies(timeout=0.5, stop_after=1):
                self._doorbell.ring()

    def _look(self, connection: Any) -> None:
        seen = None
        while not self._stop.is_set():
            (version,) = connection.execute("PRAGMA data_version").fetchone()
            if version != seen:
                seen = version
                self._doorbell.ring()
            self.listening.set()
            self._stop.wait(_LOOK_SECONDS)
