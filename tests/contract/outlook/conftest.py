"""The Outlook simulator under test: in process, over HTTP, and every exchange held against Graph's
description.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from calsync_plugin.sandbox.outlook import Simulator, create_app
from calsync_plugin.sandbox.outlook.clock import MovableClock
from calsync_plugin.sandbox.outlook.server import BackgroundServer
from tests.contract.outlook.description import Description, Recorder
from tests.contract.outlook.people import Person

# A Monday, so that weekly patterns are easy to read.
START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def description() -> Description | None:
    """Graph's strict description; None where its path is not set, unless the environment promises all
    services.
    """
    path = os.environ.get("CALSYNC_GRAPH_OPENAPI")
    if path and Path(path).exists():
        return Description(Path(path))
    if os.environ.get("CALSYNC_REQUIRE_SERVICES") == "1":
        pytest.fail("CALSYNC_GRAPH_OPENAPI has to name Graph's strict description")
    return None


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(frozen_at=START)


@pytest.fixture
def recorder() -> Recorder:
    """What passed to and from Graph's paths in this test."""
    return Recorder()


@pytest.fixture
def loose_requests(recorder: Recorder) -> None:
    """Judge answers only."""
    recorder.judge_requests = False


@pytest.fixture
def unjudged(recorder: Recorder) -> None:
    """Judge nothing: what was planted is told against Graph's description."""
    recorder.judge_answers = False


@pytest.fixture
def app(clock: MovableClock, recorder: Recorder, description: Description | None) -> Iterator[Flask]:
    """The application in process; at the end every recorded exchange is validated."""
    made = create_app(clock=clock)
    recorder.wrap(made.wsgi_app)
    made.wsgi_app = recorder  # type: ignore[method-assign]
    yield made
    made.extensions["outlook"].close()
    if description is not None and recorder.judge_answers:
        problems = description.problems(recorder.exchanges, judge_requests=recorder.judge_requests)
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
