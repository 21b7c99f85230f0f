"""One way to read and write for SQLite and PostgreSQL.

Decides how connections are opened, when a transaction begins, what time the queue goes by and which errors of
the driver mean "try again". Does not know any table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Double,
    Engine,
    bindparam,
    cast,
    create_engine,
    event,
    extract,
    func,
    make_url,
)
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from calsync_plugin.errors import StaleLink, StoreBusy, StoreError
from calsync_plugin.state.clock import Clock, SystemClock
from calsync_plugin.state.lock import WriterLock, writer_lock

_PATIENCE = 10.0
"""Seconds that a worker waits for a lock or a connection; hooks have their own, shorter lane."""


_DEAD_PEER = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""How soon a connection whose server vanished is given up: without it a worker waits for 15 minutes and more
(PostgreSQL docs, libpq connection parameters)."""


class Database:
    """An engine with calsync's habits. Thread-safe."""

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        self.url = known_url(url)
        said = self.url.set(drivername=self.url.get_backend_name(), query={})
        self.name = said.render_as_string()
        """For messages: as configured, the password is masked."""
        self.clock: Clock = clock or SystemClock()
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._binds_time = self.is_sqlite or clock is not None
        self.lock: WriterLock | None = None
        if self.is_sqlite:
            self.lock = writer_lock(_prepared_file(self.url))
        self.engine = self._engine()
        self._writer = self.engine.execution_options(calsync_begin="BEGIN IMMEDIATE")
        self._reader = self.engine
        if not self.is_sqlite:
            # A link, its copies and its bases are read by three statements and must belong together.
            self._reader = self.engine.execution_options(isolation_level="REPEATABLE READ")
        self.now = self._now()

    def _engine(self) -> Engine:
        if self.is_sqlite:
            arguments: dict[str, Any] = {
                "isolation_level": None,
                "timeout": _PATIENCE,
                "check_same_thread": False,
            }
        else:
            arguments = {"connect_timeout": int(_PATIENCE), **_DEAD_PEER}
        try:
            engine = create_engine(
                self.url,
                connect_args=arguments,
                # What is above the pool is opened and closed for each use: as many as worker threads need.
                pool_size=40 if self.is_sqlite else 20,
                max_overflow=0 if self.is_sqlite else 20,
                pool_timeout=_PATIENCE,
                hide_parameters=True,
            )
        except ModuleNotFoundError as error:
            raise StoreError(
                f"the driver '{error.name}' is missing; install calsync-plugin[postgres]"
            ) from error
        if self.is_sqlite:
            event.listen(engine, "connect", _set_pragmas)
            event.listen(engine, "begin", _begin)
        return engine

    def _now(self) -> ColumnElement[float]:
        """The queue's time in SQL; every statement that uses it is executed with `times()`."""
        bound: ColumnElement[Any] = cast(bindparam("now", type_=Double), Double)
        if self.is_sqlite:
            return bound
        # Not clock_timestamp(): it is volatile, so no index could be used.
        return func.coalesce(bound, cast(extract("epoch", func.statement_timestamp()), Double))

    def times(self) -> dict[str, float | None]:
        """The parameter of `now`: an injected clock's time, or None for the database's own."""
        return {"now": self.clock.now() if self._binds_time else None}

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A transaction that only reads, all of it at one instant."""
        with _translated(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Generator[Connection]:
        """A transaction that writes; commits at the end, or nothing is left of it.

        Raises StoreBusy if the database gave no lock or connection in time, StaleLink if a unique value was
        taken by another run meanwhile.
        """
        with _translated(), self._turn(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def _turn(self) -> Generator[None]:
        if self.lock is None:
            yield
            return
        if not self.lock.acquire(_PATIENCE):
            raise StoreBusy(f"no turn to write within {_PATIENCE:g} s; repeat it")
        try:
            yield
        finally:
            self.lock.release()

    def close(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except IntegrityError as error:
        raise StaleLink(f"another run saved this meanwhile: {_line(error)}") from error
    # InternalError: PostgreSQL after a failover, when the old primary only reads.
    except (OperationalError, InterfaceError, InternalError, PoolTimeout) as error:
        raise StoreBusy(f"the database could not do it now: {_line(error)}") from error
    except DBAPIError as error:
        # SQLite says a bare DatabaseError for what is no database or a damaged one.
        if type(error) is DatabaseError or getattr(error.orig, "sqlstate", "") == _NOT_ALLOWED:
            raise StoreError(f"the store cannot be used: {_line(error)}") from error
        raise


_NOT_ALLOWED = "42501"
"""PostgreSQL docs, error codes: insufficient_privilege."""


def _line(error: SQLAlchemyError) -> str:
    """The driver's message in one line, without the statement and its parameters."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return " ".join(str(cause).split())


def known_url(url: str) -> URL:
    """The URL with the driver that we use. Raises StoreError for what cannot be a store."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError(
            "the store's URL is not readable (expected sqlite:///FILE or postgresql://...)"
        ) from None
    match parsed.get_backend_name():
        case "sqlite":
            if not parsed.database or parsed.database == ":memory:" or parsed.database.startswith("file:"):
                raise StoreError("a store in memory is not supported; name a file: sqlite:///FILE")
            return parsed.set(drivername="sqlite+pysqlite")
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise StoreError(f"'{other}' is not supported (expected sqlite:///FILE or postgresql://...)")


def _prepared_file(url: URL) -> str:
    """The file's real path; a new file is readable by its owner only."""
    path = Path(str(url.database)).resolve()
    try:
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the store {path} cannot be opened: {error.strerror}") from error
    return str(path)


def _set_pragmas(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    # FULL: with NORMAL the last wakes of a host could be lost with the machine's power.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("calsync_begin", "BEGIN"))
