"""Faults on demand, in process and over a socket, and the control API that sets them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from calsync_plugin.sandbox.crm import Crm, CrmServer, create_app
from calsync_plugin.sandbox.crm.errors import DroppedConnection
from calsync_plugin.sandbox.crm.identities import ALICE_ID
from calsync_plugin.sandbox.crm.server import Saver
from tests.contract.crm.conftest import MEETING, Sandbox

ACCEPTED = {ALICE_ID: {"status": "Accepted"}}


@dataclass(frozen=True, slots=True)
class Served:
    """A simulator behind a socket."""

    crm: Crm
    url: str

    def post(self, body: object = MEETING) -> requests.Response:
        """Create a meeting over HTTP."""
        headers = {"X-Api-Key": "sandbox"}
        return requests.post(f"{self.url}/api/v1/Meeting", json=body, headers=headers, timeout=60)

    def control(self, path: str, body: object) -> Any:
        """A control request."""
        answer = requests.post(f"{self.url}/control/{path}", json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def saved(self) -> int:
        """How many meetings there are."""
        return self.crm.store.tables["Meeting"].count()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    server = CrmServer(0, webhook_interval=None)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield Served(server.crm, server.url)
    server.close()
    thread.join(timeout=10)
    assert not thread.is_alive()


@pytest.fixture
def clean(served: Served) -> Served:
    served.control("reset", {})
    return served


@pytest.mark.parametrize(
    ("rule", "saved"),
    [
        pytest.param({"drop_before": True}, 0, id="before"),
        pytest.param({"drop_after_commit": True}, 1, id="after commit"),
    ],
)
def test_a_drop_closes_the_socket_without_an_answer(clean: Served, rule: dict[str, Any], saved: int) -> None:
    clean.control("faults", {"path": "/Meeting", "method": "POST", **rule})

    with pytest.raises(requests.ConnectionError):
        clean.post()

    assert clean.saved() == saved
    assert clean.post().status_code == 200
    log = [entry.status for entry in clean.crm.log.requests]
    assert log == [0, 200]


def test_a_cut_body_is_noticed(clean: Served) -> None:
    clean.control("faults", {"path": "/Meeting", "truncate_body": True})

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        clean.post()

    assert clean.saved() == 1


def test_an_answer_in_the_applications_place(clean: Served) -> None:
    rule = {
        "path": "/Meeting$",
        "status": 429,
        "reason": "slow down",
        "retry_after": 7,
        "times": 2,
        "skip": 1,
    }
    clean.control("faults", rule)

    answers = [clean.post() for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 429, 429, 200]
    assert answers[1].headers["Retry-After"] == "7"
    assert answers[1].headers["X-Status-Reason"] == "slow down"
    assert clean.saved() == 2


def test_a_delay(clean: Served) -> None:
    clean.control("faults", {"path": "/Meeting", "delay_ms": 120})
    began = time.monotonic()

    assert clean.post().status_code == 200

    assert time.monotonic() - began >= 0.12


def test_requests_run_side_by_side(clean: Served) -> None:
    """Writers on several threads: every record once, no id twice."""

    def work() -> None:
        for _ in range(20):
            assert clean.post().status_code == 200

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert clean.saved() == 80


@pytest.mark.parametrize("when", ["drop_before", "drop_after_commit"])
def test_a_drop_in_process_is_an_exception(sandbox: Sandbox, when: str) -> None:
    sandbox.client.post("/control/faults", json={"path": "/Meeting", when: True, "times": None})

    for _ in range(2):
        with pytest.raises(DroppedConnection):
            sandbox.meeting()
    sandbox.client.post("/control/faults", json={"clear": True})

    sandbox.meeting()
    assert sandbox.ok("GET", "Meeting")["total"] == (1 if when == "drop_before" else 3)


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        pytest.param("faults", {"path": "("}, "missing )", id="pattern"),
        pytest.param("faults", {"nonsense": 1}, "nonsense", id="rule"),
        pytest.param("settings", {"nonsense": 1}, "unknown settings ['nonsense']", id="setting"),
        pytest.param("settings", {"time_zone": "Mars/Base"}, "Mars/Base", id="zone"),
        pytest.param("clock", {"advance_seconds": "x"}, "must be a number", id="clock"),
        pytest.param("records/Nothing", {}, "unknown entity type", id="entity"),
        pytest.param("reset", [1], "JSON object", id="body"),
    ],
)
def test_control_says_what_is_wrong(sandbox: Sandbox, path: str, body: object, said: str) -> None:
    answer = sandbox.client.post(f"/control/{path}", json=body)

    assert answer.status_code == 400
    assert answer.json is not None
    assert said in answer.json["error"]


def test_control_inserts_without_rules(sandbox: Sandbox) -> None:
    sandbox.hook("Meeting.create")
    bad = {"id": "6b0000000000000aa", "name": "a <b>", "usersIds": [ALICE_ID]}
    answer = sandbox.client.post("/control/records/Meeting", json={"list": [bad, {"name": "no dates"}]})

    assert answer.json is not None
    assert answer.json["ids"][0] == bad["id"]
    row = sandbox.row("6b0000000000000aa")
    assert (row["name"], row["dateStart"], row["usersIds"]) == ("a <b>", None, [ALICE_ID])
    assert sandbox.delivered() == []


def test_control_moves_the_clock_and_the_switches(sandbox: Sandbox) -> None:
    record_id = sandbox.meeting()
    created = sandbox.row(record_id)["createdAt"]
    sandbox.client.post("/control/clock", json={"advance_seconds": 3600})
    switches = {
        "time_zone": "Europe/Berlin",
        "webhook_portion": 3,
        "optimistic_concurrency": {"Meeting": True},
    }
    sandbox.client.post("/control/settings", json=switches)

    row = sandbox.ok("PUT", f"Meeting/{record_id}", {"name": "later"})
    assert row["modifiedAt"] > created
    assert row["versionNumber"] == 1
    assert sandbox.ok("GET", "Settings")["timeZone"] == "Europe/Berlin"


def test_control_lists_requests_and_webhooks(sandbox: Sandbox) -> None:
    sandbox.hook("Meeting.create")
    sandbox.row(sandbox.meeting())
    sandbox.client.post("/control/deliver", json={})

    counts = sandbox.client.get("/control/requests").json
    listed = sandbox.client.get("/control/webhooks").json
    assert counts is not None
    assert listed is not None
    assert counts["counts"]["GET /api/v1/Meeting/ID"] == 1
    assert [delivery["status"] for delivery in listed["deliveries"]] == [200]
    assert [item["status"] for item in listed["items"]] == ["Success"]


def test_reset_forgets_everything(sandbox: Sandbox) -> None:
    sandbox.hook("Meeting.create")
    sandbox.meeting()
    sandbox.client.post("/control/reset", json={})

    assert sandbox.ok("GET", "Meeting")["total"] == 0
    assert sandbox.ok("GET", "Webhook")["total"] == 0
    assert sandbox.delivered() == []


def test_a_restart_keeps_what_was_saved(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.ok("POST", "Admin/fieldManager/Meeting", {"name": "room", "type": "varchar"}, by="admin")
    hook = sandbox.hook("Meeting.update")
    record_id = sandbox.meeting(
        cRoom="7", usersIds=[ALICE_ID], usersColumns={ALICE_ID: {"status": "Accepted"}}
    )
    removed = sandbox.meeting()
    sandbox.ok("DELETE", f"Meeting/{removed}")
    token = sandbox.ok("GET", "App/user", by="alice")["token"]
    before = sandbox.row(record_id)
    path = tmp_path / "crm.json"
    saver = Saver(sandbox.crm, path)
    saver.start()
    saver.stop()

    app = create_app(data_file=path)
    again = Sandbox(app.extensions["crm"], app.test_client(), sandbox.receiver)

    assert again.row(record_id) == before
    assert again.call("GET", f"Meeting/{removed}").status_code == 404
    assert again.ok("GET", f"Webhook/{hook['id']}")["secretKey"] == hook["secretKey"]
    assert token in again.crm.auth.tokens
    found = again.ok(
        "GET", 'Meeting?searchParams={"where":[{"type":"equals","attribute":"cRoom","value":"7"}]}'
    )
    assert found["total"] == 1
    assert again.meeting() not in {record_id, removed}


def test_data_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "crm.json"
    path.write_text(json.dumps({"version": 0}), encoding="utf-8")

    with pytest.raises(ValueError, match="version 0, expected 1"):
        create_app(data_file=path)
