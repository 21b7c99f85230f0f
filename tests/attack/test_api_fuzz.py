"""`/api/v1` under any input that its own description allows, and much that it does not: never a 5xx."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import SkipTest

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from calsync_plugin.settings import ServeSettings
from calsync_plugin.web.api import DESCRIPTION
from calsync_plugin.web.app import create_app
from tests.world import ALICE, PUBLIC, World

TOKEN = "t" * 40


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("fuzz"), serve=ServeSettings(public_url=PUBLIC, api_token=TOKEN))
    made.connect(ALICE)
    yield made
    made.close()


@pytest.fixture(scope="module")
def description(world: World) -> Any:
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", create_app(world.app))


OPERATIONS = [
    pytest.param(path, method, id=f"{method.upper()} {path}")
    for path, methods in DESCRIPTION["paths"].items()
    for method in methods
    if method in {"get", "post", "put", "patch", "delete"}
]


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
@pytest.mark.parametrize("mode", ["what it allows", "what it does not allow"])
def test_no_input_breaks_it(description: Any, path: str, method: str, mode: str) -> None:
    way = GenerationMode.POSITIVE if mode == "what it allows" else GenerationMode.NEGATIVE
    operation = description[path][method]

    @given(case=operation.as_strategy(generation_mode=way))
    @settings(max_examples=10, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def play(case: Any) -> None:
        answer = case.call(headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code < 500, (case.as_curl_command(), answer.text)

    try:
        play()
    except (Unsatisfiable, SkipTest):
        pytest.skip("this operation takes nothing that could be wrong")
