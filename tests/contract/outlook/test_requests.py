"""Whom and what Graph refuses before it looks at an event, and how a path may be spelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.outlook.people import Person, code_of, event, json_of


def test_the_error_envelope_echoes_the_clients_id(alice: Person) -> None:
    answer = alice.get("events/x", headers={"client-request-id": "c-1"})
    inner = json_of(answer)["error"]["innerError"]
    assert inner["client-request-id"] == answer.headers["client-request-id"] == "c-1"
    assert inner["request-id"] == answer.headers["request-id"]


@pytest.mark.parametrize(
    "token", ["", "Bearer", "Bearer nonsense", "Bearer sandbox:nobody@example.com", "Basic x"]
)
def test_no_token(alice: Person, token: str) -> None:
    answer = alice.get("events", headers={"Authorization": token})
    assert (answer.status_code, code_of(answer)) == (401, "InvalidAuthenticationToken")


@pytest.mark.parametrize(
    ("call", "status"),
    [
        pytest.param(lambda one: one.get("nonsense"), 400, id="unknown segment"),
        pytest.param(lambda one: one.delete("events"), 405, id="unknown method"),
        pytest.param(lambda one: one.get("/v1.0/users/nobody@example.com/events"), 404, id="unknown user"),
        pytest.param(lambda one: one.post("events", event(subject="x" * 4_200_000)), 413, id="over 4 MB"),
        pytest.param(lambda one: one.post("events", [1]), 400, id="no object"),
        pytest.param(lambda one: one.post("findMeetingTimes", {}), 501, id="no suggestions"),
    ],
)
def test_refused_requests(alice: Person, call: Callable[[Person], Any], status: int) -> None:
    assert call(alice).status_code == status


@pytest.mark.parametrize(
    "path", ["/v1.0/users/alice@example.com/events", "/v1.0/Me/Events", "calendar/events"]
)
def test_spellings_of_a_path(alice: Person, path: str) -> None:
    alice.create()
    assert len(json_of(alice.get(path))["value"]) == 1
