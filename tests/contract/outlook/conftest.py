"""The Outlook simulator under test: in process, over HTTP, and every exchange held against Graph's description."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from calsync_plugin.sandbox.outlook import Simulator, create_app
from calsync_plugin.sandbox.outlook.clock import MovableClock
from calsync_plugin.sandbox.outlook.server import BackgroundServer
from flask import Flask

from tests.contract.outlook.description import Description, Recorder
from tests.contract.outlook.people import Person

# A Monday, so that weekly patterns are easy to read.
START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def require(reason: str) -> None:
    """Skip, or fail where the environment promises that all services are there."""
    if os.environ.get("CALSYNC_REQUIRE_SERVICES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def description() -> Description | None:
    """Graph's strict description, None where its path is not set."""
    path = os.environ.get("CALSYNC_GRAPH_OPENAPI")
    if not path or not Path(path).exists():
        return None
    return Description(Path(path))


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(frozen_at=START)


@pytest.fixture
def app(clock: MovableClock, description: Description | None) -> Iterator[Flask]:
    """The application in process; at the end every recorded exchange is validated."""
    made = create_app(clock=clock)
    recorder = Recorder(made.wsgi_app)
    made.wsgi_app = recorder  # type: ignore[method-assign]
    yield made
    made.extensions["outlook"].close()
    if description is not None:
        problems = description.problems(recorder.exchanges)
        assert not problems, "\n".join(problems[:5])


@pytest.fixture
def sim(app: Flask) -> Simulator:
    found = app.extensions["outlook"]
    assert isinstance(found, Simulator)
    return found


@pytest.fixture
def server(app: Flask) -> Iterator[BackgroundServer]:
    """The application over real HTTP, on a port of its own."""
    with BackgroundServer(app, threads=16) as running:
        yield running


@pytest.fixture
def alice(app: Flask) -> Person:
    return Person(app, "alice@example.com")


@pytest.fixture
def bob(app: Flask) -> Person:
    return Person(app, "bob@example.com")


@pytest.fixture
def carol(app: Flask) -> Person:
    return Person(app, "carol@example.com")
