"""The process dies after any step over PostgreSQL, and another takes over.

The store is put back from a template database, which takes seconds.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.faults.combinations import failures, single_stops
from tests.faults.incoming import INCOMING
from tests.faults.matrix import Bench
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.faults.yard import Yard

SERVER = "host=127.0.0.1 port=5432 user=postgres dbname=postgres connect_timeout=30"
EVERY = [pytest.param(s, id=s.name) for s in (*SCENARIOS, *INCOMING)]


class PostgresYard(Yard):
    """A yard over a database that is copied from another one to put it back."""

    def __init__(self, folder: Path, server: psycopg.Connection) -> None:
        self._server = server
        self._name = f"calsync_faults_{uuid4().hex[:8]}"
        self._copies = [self._name]
        self._do(f'CREATE DATABASE "{self._name}"')
        super().__init__(folder, store_url=f"postgresql://postgres@127.0.0.1:5432/{self._name}")
        self.fresh = self.keep("fresh")

    def close(self) -> None:
        """Leave no database behind."""
        super().close()
        for name in self._copies:
            self._do(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _save_store(self, folder: Path) -> None:
        self._copies.append(f"{self._name}_{len(self._copies)}")
        (folder / "name").write_text(self._copies[-1])
        self._do(f'CREATE DATABASE "{self._copies[-1]}" TEMPLATE "{self._name}"')

    def _load_store(self, folder: Path) -> None:
        self._do(f'DROP DATABASE "{self._name}" WITH (FORCE)')
        self._do(f'CREATE DATABASE "{self._name}" TEMPLATE "{(folder / "name").read_text()}"')

    def _do(self, statement: str) -> None:
        self._server.execute(statement.encode())


@pytest.fixture(scope="module")
def yard() -> Iterator[PostgresYard]:
    """A yard on a server, or a skip that says why there is none."""
    try:
        server = psycopg.connect(SERVER, autocommit=True)
    except psycopg.OperationalError as error:
        if os.environ.get("CALSYNC_REQUIRE_SERVICES") == "1":
            pytest.fail(f"PostgreSQL is required and not there: {error}")
        pytest.skip(f"no PostgreSQL on 127.0.0.1:5432: {error}")
    with server, tempfile.TemporaryDirectory(prefix="calsync-faults-") as folder:
        made = PostgresYard(Path(folder), server)
        yield made
        made.close()


@pytest.mark.soak
@pytest.mark.services
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("scenario", EVERY)
def test_a_stop_after_any_step_of_any_scenario_leaves_no_trace(
    yard: PostgresYard, scenario: Scenario
) -> None:
    bench = Bench(yard, scenario, yard.fresh)
    assert failures(bench, single_stops(bench)) == ""
