"""A store of its own for each test, on SQLite always and on PostgreSQL when it is there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from calsync_plugin.state import Clock, Keyring, Store, open_store
from calsync_plugin.state.schema import metadata
from tests.state.samples import MovedClock, Opener

SERVER = "host=127.0.0.1 port=5432 user=postgres dbname=postgres connect_timeout=30"


@pytest.fixture(scope="session")
def server() -> str:
    """How to reach PostgreSQL, or a skip that says why not."""
    try:
        psycopg.connect(SERVER).close()
    except psycopg.OperationalError as error:
        if os.environ.get("CALSYNC_REQUIRE_SERVICES") == "1":
            pytest.fail(f"PostgreSQL is required and not there: {error}")
        pytest.skip(f"no PostgreSQL on 127.0.0.1:5432: {error}")
    return SERVER


@pytest.fixture(scope="session")
def database(server: str) -> Iterator[str]:
    """A database of this session; each test has a schema of its own in it."""
    name = f"calsync_test_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    yield name
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture(scope="session")
def used_schema(database: str) -> str:
    """A schema that tests use one after the other: to migrate one takes longer than most tests."""
    return _new_schema(database)


@pytest.fixture
def fresh() -> bool:
    """Whether the database has never been opened; a module that needs that overrides it."""
    return False


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def url(request: pytest.FixtureRequest, tmp_path: Path, fresh: bool) -> Iterator[str]:
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'calsync.db'}"
        return
    database = request.getfixturevalue("database")
    if fresh:
        yield _new_schema(database)
        return
    used = request.getfixturevalue("used_schema")
    yield used
    with psycopg.connect(used, autocommit=True) as connection:
        connection.execute(_EMPTY.encode())


def _new_schema(database: str) -> str:
    base = f"postgresql://postgres@127.0.0.1:5432/{database}"
    schema = f"test_{uuid4().hex}"
    with psycopg.connect(base, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
    return f"{base}?options=-csearch_path%3D{schema}"


_EMPTY = ";".join(
    [
        *(f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables)),
        "ALTER TABLE mailboxes ALTER COLUMN id RESTART",
        "ALTER TABLE changes ALTER COLUMN id RESTART",
    ]
)


@pytest.fixture
def keyring() -> Keyring:
    """One fresh key."""
    return Keyring({"first": Keyring.generate()})


@pytest.fixture
def clock() -> MovedClock:
    """The clock of `store`."""
    return MovedClock()


@pytest.fixture
def opened(url: str, keyring: Keyring) -> Iterator[Opener]:
    """Opens stores on the test's database (as another process would); all are closed at the end."""
    stores: list[Store] = []

    def opener(*, clock: Clock | None = None, keyring: Keyring = keyring, kind: str = "sandbox") -> Store:
        stores.append(open_store(url, keyring, kind=kind, clock=clock))
        return stores[-1]

    yield opener
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Opener, clock: MovedClock) -> Store:
    """A store that goes by `clock`."""
    return opened(clock=clock)


@pytest.fixture
def live_store(opened: Opener) -> Store:
    """A store that goes by the real time."""
    return opened()


@pytest.fixture
def mailbox(store: Store) -> int:
    """A mailbox of `store`."""
    return store.accounts.ensure_mailbox("tenant", "alice", "alice@example.com")
