"""Faults that tests of a client inject, in process and over a real connection."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from calsync_plugin.sandbox.outlook import DroppedConnection, Simulator
from calsync_plugin.sandbox.outlook.server import BackgroundServer
from tests.contract.outlook.description import Recorder
from tests.contract.outlook.people import Json, Person, code_of, event, json_of, member

TOKEN = {"Authorization": "Bearer sandbox:alice@example.com"}
# Broken answers are no answers of Graph's to be judged.
pytestmark = pytest.mark.usefixtures("loose_requests")


def rule(alice: Person, **body: Any) -> None:
    assert alice.post("/control/faults", body).status_code == 200


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"status": 401}, 401, "InvalidAuthenticationToken"),
        ({"status": 403}, 403, "ErrorAccessDenied"),
        ({"status": 404, "code": "MailboxNotEnabledForRESTAPI"}, 404, "MailboxNotEnabledForRESTAPI"),
        ({"status": 412}, 412, "ErrorIrresolvableConflict"),
        ({"status": 423}, 423, "Locked"),
        ({"status": 429, "retry_after": 7}, 429, "ApplicationThrottled"),
        ({"status": 500}, 500, "ErrorInternalServerError"),
        ({"status": 503, "retry_after": 2.5}, 503, "ErrorServerBusy"),
        ({"status": 504}, 504, "UnknownError"),
    ],
)
@pytest.mark.parametrize("committed", [False, True])
def test_a_status(alice: Person, fault: Json, status: int, code: str, committed: bool) -> None:
    rule(alice, match={"method": "POST", "path": "/events"}, times=1, after_commit=committed, **fault)
    answer = alice.post("events", event())
    assert (answer.status_code, code_of(answer)) == (status, code)
    assert answer.headers.get("Retry-After") == ({7: "7", 2.5: "2.5"}.get(fault.get("retry_after", 0)))
    assert len(alice.events()) == int(committed)
    assert alice.post("events", event()).status_code == 201


def test_a_rule_meets_members_of_a_batch(alice: Person) -> None:
    rule(alice, match={"method": "POST", "path": "/me/events"}, status=503, retry_after=3, skip=1, times=1)
    found = alice.batch(
        *(member(f"{number}", "POST", "/me/events", event(f"{number}")) for number in range(3))
    )
    assert [found[name]["status"] for name in "012"] == [201, 503, 201]
    assert found["1"]["headers"]["Retry-After"] == "3"
    (seen,) = json_of(alice.get("/control/faults"))["rules"]
    assert (seen["matched"], seen["fired"]) == (3, 1)


def test_a_rule_for_one_mailbox(alice: Person, bob: Person) -> None:
    rule(alice, match={"mailbox": "bob@example.com"}, status=500)
    assert alice.get("events").status_code == 200
    assert bob.get("events").status_code == 500


def test_rules_are_replaced_and_removed(alice: Person) -> None:
    rule(alice, status=500)
    answer = alice._call("PUT", "/control/faults", {"rules": [{"status": 503}]}, None)
    assert [one["status"] for one in json_of(answer)["rules"]] == [503]
    alice.delete("/control/faults")
    assert alice.get("events").status_code == 200


@pytest.mark.parametrize("body", [{"explode": True}, {"match": {"colour": "red"}}])
def test_a_wrong_rule_is_refused(alice: Person, body: Json) -> None:
    answer = alice.post("/control/faults", body)
    assert answer.status_code == 400
    assert "know" in json_of(answer)["error"]


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("batched", [False, True])
def test_a_dropped_connection_in_process(alice: Person, committed: bool, batched: bool) -> None:
    what = "drop_after_commit" if committed else "drop_before"
    rule(
        alice,
        match={"method": "POST", "path": r"/me/events|\$batch" if not batched else "/me/events"},
        times=1,
        **{what: True},
    )
    body = {"requests": [member("1", "POST", "/me/events", event())]} if batched else event()
    with pytest.raises(DroppedConnection) as dropped:
        alice.post("/v1.0/$batch" if batched else "events", body)
    assert dropped.value.committed is committed
    assert len(alice.events()) == int(committed)


def test_a_delay_before_and_after(alice: Person, sim: Simulator) -> None:
    slept: list[tuple[float, int]] = []
    sim.sleep = lambda seconds: slept.append((seconds, len(sim.state.mailboxes["alice@example.com"].items)))
    rule(alice, match={"method": "POST"}, delay_ms=200, delay_after_ms=300)
    alice.post("events", event())
    assert slept == [(0.2, 0), (0.3, 1)]


@pytest.fixture
def http(server: BackgroundServer) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update(TOKEN)
        yield session


def fault(http: requests.Session, server: BackgroundServer, **body: Any) -> None:
    http.post(f"{server.url}/control/faults", json=body, timeout=60).raise_for_status()


@pytest.mark.parametrize("committed", [False, True])
def test_a_dropped_connection_over_http(
    server: BackgroundServer, http: requests.Session, committed: bool
) -> None:
    what = "drop_after_commit" if committed else "drop_before"
    fault(http, server, match={"method": "POST", "path": "/me/events"}, times=1, **{what: True})
    with pytest.raises(requests.ConnectionError):
        http.post(f"{server.url}/v1.0/me/events", json=event(), timeout=60)
    listed = http.get(f"{server.url}/v1.0/me/events", timeout=60)
    assert len(listed.json()["value"]) == int(committed)


@pytest.mark.parametrize("batched", [False, True])
def test_truncated_json_over_http(
    server: BackgroundServer, http: requests.Session, recorder: Recorder, batched: bool, sim: Simulator
) -> None:
    fault(http, server, match={"method": "POST", "path": "/me/events"}, times=1, truncate_body=True)
    body = {"requests": [member("1", "POST", "/me/events", event())]} if batched else event()
    path = "$batch" if batched else "me/events"
    answer = http.post(f"{server.url}/v1.0/{path}", json=body, timeout=60)
    assert answer.status_code in {200, 201}
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.text)
    assert len(sim.state.mailboxes["alice@example.com"].items) == 1
    recorder.exchanges.clear()


def test_a_client_that_does_not_wait(
    server: BackgroundServer, http: requests.Session, sim: Simulator
) -> None:
    done, given_up = threading.Event(), threading.Event()

    def wait(_seconds: float) -> None:
        done.set()
        given_up.wait(60)

    sim.sleep = wait
    fault(http, server, match={"method": "POST", "path": "/me/events"}, times=1, delay_after_ms=400)
    with pytest.raises(requests.ReadTimeout):
        http.post(f"{server.url}/v1.0/me/events", json=event(), timeout=(30, 0.1))
    assert done.wait(60)
    given_up.set()
    assert len(http.get(f"{server.url}/v1.0/me/events", timeout=60).json()["value"]) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [({"status": 503, "retry_after": 4}, 503), ({"status": 400, "code": "invalid_grant"}, 400)],
)
def test_the_token_endpoint_has_faults_too(
    server: BackgroundServer, http: requests.Session, body: Json, status: int
) -> None:
    fault(http, server, match={"path": "/oauth2/v2.0/token"}, times=1, **body)
    url = f"{server.url}/common/oauth2/v2.0/token"
    assert http.post(url, data={"grant_type": "refresh_token"}, timeout=60).status_code == status
    fault(http, server, match={"path": "/oauth2/v2.0/token"}, times=1, drop_before=True)
    with pytest.raises(requests.ConnectionError):
        http.post(url, data={"grant_type": "refresh_token"}, timeout=60)
