"""A world for each test, on both databases.

Migrating a database and connecting two users cost more than most tests: SQLite files are copies of one,
and PostgreSQL's tables are emptied and filled. Every test runs on SQLite, and every test function on
PostgreSQL, too. Of a table of cases PostgreSQL sees the first one, unless `--all-postgresql` asks for all or
the module is about what the database decides (`BOTH`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from calsync_plugin.state import Keyring, open_store
from calsync_plugin.state.schema import metadata
from tests.keeping import Kept, keep
from tests.patience import let_hooks_wait
from tests.world import ALICE, BOB, KEY, World

SERVER = "host=127.0.0.1 port=5432 user=postgres dbname=postgres connect_timeout=30"

MakeWorld = Callable[..., World]
Rows = list[tuple[str, bytes]]
HERE = Path(__file__).parent
BOTH = {
    "test_bursts",
    "test_echo",
    "test_found_by_soak",
    "test_hooks",
    "test_many_portions",
    "test_notifications",
    "test_r03_copies_join",
    "test_r03_many_mailboxes",
    "test_sweep",
}
"""Queue, cursors, unique rows and whatever a random history once found: every case on both databases."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out further cases of a table on PostgreSQL, of those that were asked for."""
    if config.getoption("all_postgresql"):
        return
    seen: set[str] = set()
    left_out = [item for item in items if _is_further_case(item, seen)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]


def _is_further_case(item: pytest.Item, seen: set[str]) -> bool:
    if item.path.parent != HERE or item.path.stem in BOTH or not isinstance(item, pytest.Function):
        return False
    callspec = getattr(item, "callspec", None)
    if callspec is None or callspec.params.get("store_url") != "postgresql":
        return False
    function = item.nodeid.partition("[")[0]
    if function in seen:
        return True
    seen.add(function)
    return False


@pytest.fixture(autouse=True)
def _patient_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No hook gives up because the machine is busy."""
    let_hooks_wait(monkeypatch)


@pytest.fixture(scope="session")
def connected(tmp_path_factory: pytest.TempPathFactory) -> Connected:
    """Alice and bob connected, kept for all tests of this process."""
    return Connected(tmp_path_factory.mktemp("connected"))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite store with all its tables."""
    path = tmp_path_factory.mktemp("template") / "calsync.db"
    open_store(f"sqlite:///{path}", Keyring({"k1": KEY}), kind="sandbox").close()
    return path


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """A PostgreSQL database of this session with all its tables, or a skip that says why not."""
    name = f"calsync_flows_{uuid4().hex}"
    try:
        server = psycopg.connect(SERVER, autocommit=True)
    except psycopg.OperationalError as error:
        if os.environ.get("CALSYNC_REQUIRE_SERVICES") == "1":
            pytest.fail(f"PostgreSQL is required and not there: {error}")
        pytest.skip(f"no PostgreSQL on 127.0.0.1:5432: {error}")
    with server:
        server.execute(f'CREATE DATABASE "{name}"'.encode())
        server.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off'.encode())
        url = f"postgresql://postgres@127.0.0.1:5432/{name}"
        open_store(url, Keyring({"k1": KEY}), kind="sandbox").close()
        yield url
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
    server.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store."""
    if request.param == "sqlite":
        path = tmp_path / "calsync.db"
        _copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    url = str(request.getfixturevalue("database"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_EMPTY.encode())
    return url


@pytest.fixture
def make_world(tmp_path: Path, store_url: str) -> Iterator[MakeWorld]:
    """Makes worlds over one store; nobody is connected in them."""
    made: list[World] = []

    def make(**changes: Any) -> World:
        made.append(World(tmp_path, store_url=store_url, **changes))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(make_world: MakeWorld, store_url: str, connected: Connected) -> World:
    """Alice and bob are connected in both directions, and their empty calendars were read; carol is not."""
    return make_world(begin=connected.into(store_url))


class Connected:
    """The state in which most tests begin: reached once for each database, put back for each test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, tuple[Kept, Rows]] = {}

    def into(self, store_url: str) -> Kept:
        """Fill an empty store with it; returns what the simulators need."""
        backend = store_url.partition(":")[0]
        if backend not in self._kept:
            self._kept[backend] = self._reach(store_url, self._folder / backend)
            return self._kept[backend][0]
        kept, rows = self._kept[backend]
        if backend == "sqlite":
            _copy(kept.folder / "calsync.db", Path(store_url.removeprefix("sqlite:///")))
        else:
            _fill(store_url, rows)
        return kept

    def _reach(self, store_url: str, folder: Path) -> tuple[Kept, Rows]:
        folder.mkdir()
        world = World(folder, store_url=store_url)
        world.connect(ALICE)
        world.connect(BOB)
        world.settle()
        kept = keep(world, folder)
        world.close()
        if store_url.startswith("sqlite:"):
            shutil.copy(store_url.removeprefix("sqlite:///"), folder / "calsync.db")
            return kept, []
        return kept, _rows(store_url)


def _copy(source: Path, target: Path) -> None:
    """Put a SQLite store in another's place; what the other had not yet written into its file goes, too."""
    for suffix in ("-wal", "-shm"):
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    shutil.copy(source, target)


def _rows(url: str) -> Rows:
    """All rows of a store, each table's as COPY writes them, in an order in which they can be written."""
    found: Rows = []
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for table in metadata.sorted_tables:
            with cursor.copy(f"COPY {table.name} TO STDOUT".encode()) as copy:
                found.append((table.name, b"".join(bytes(part) for part in copy)))
    return [(name, rows) for name, rows in found if rows]


def _fill(url: str, rows: Rows) -> None:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for name, text in rows:
            with cursor.copy(f"COPY {name} FROM STDIN".encode()) as copy:
                copy.write(text)


# Few rows in many tables: to delete them takes a fraction of what TRUNCATE takes.
_EMPTY = ";".join(f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables))
