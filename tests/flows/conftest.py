"""A world for each test, on both databases.

Migrating a database costs more than most tests: SQLite files are copies of one, and PostgreSQL's tables are
emptied.
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
from tests.world import ALICE, BOB, KEY, World

SERVER = "host=127.0.0.1 port=5432 user=postgres dbname=postgres connect_timeout=3"

MakeWorld = Callable[..., World]


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
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    url = str(request.getfixturevalue("database"))
    with psycopg.connect(url, autocommit=True) as connection:
        tables = connection.execute(
            "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables "
            "WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        ).fetchone()
        assert tables is not None
        connection.execute(f"TRUNCATE {tables[0]} CASCADE".encode())
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
def world(make_world: MakeWorld) -> World:
    """Alice and bob are connected in both directions, carol is not."""
    made = make_world()
    made.connect(ALICE)
    made.connect(BOB)
    return made
