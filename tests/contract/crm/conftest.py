"""A simulator in process: a client that speaks JSON as a chosen caller, a clock, a receiver of webhooks."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from calsync_plugin.sandbox.crm import Crm, create_app
from calsync_plugin.sandbox.crm.clock import MovableClock
from calsync_plugin.sandbox.crm.identities import ALICE_ID, API_KEY, PASSWORD
from tests.contract.crm.replay import Receiver, session_to

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
MEETING = {
    "name": "Kick-off",
    "dateStart": "2026-12-01 10:00:00",
    "dateEnd": "2026-12-01 11:00:00",
    "assignedUserId": ALICE_ID,
}


@dataclass
class Sandbox:
    """The simulator and the hands that a test needs."""

    crm: Crm
    client: FlaskClient
    receiver: Receiver

    def call(
        self, method: str, path: str, body: object = None, *, by: str = "api", **headers: str
    ) -> TestResponse:
        """A request by the API user, or by a user with the sandbox's password."""
        if by == "api":
            who = {"X-Api-Key": API_KEY}
        else:
            who = {"Espo-Authorization": base64.b64encode(f"{by}:{PASSWORD}".encode()).decode()}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(f"/api/v1/{path}", method=method, json=body, headers={**who, **named})

    def ok(self, method: str, path: str, body: object = None, *, by: str = "api", **headers: str) -> Any:
        """The JSON of a request that must succeed."""
        response = self.call(method, path, body, by=by, **headers)
        assert response.status_code in (200, 201), (response.status_code, dict(response.headers))
        return response.json

    def meeting(self, *, by: str = "api", **values: object) -> str:
        """A new meeting's id."""
        found: str = self.ok("POST", "Meeting", {**MEETING, **values}, by=by)["id"]
        return found

    def row(self, record_id: str, entity_type: str = "Meeting") -> Any:
        """The record as the API user reads it."""
        return self.ok("GET", f"{entity_type}/{record_id}")

    def hook(self, event: str, **values: object) -> Any:
        """A new webhook of the API user."""
        return self.ok("POST", "Webhook", {"event": event, "url": f"http://hook.invalid/{event}", **values})

    def later(self, seconds: float) -> None:
        """Move the clock."""
        self.crm.advance(timedelta(seconds=seconds))

    def delivered(self) -> list[tuple[str, Any]]:
        """What was sent since the last look: (event, array)."""
        self.receiver.requests.clear()
        self.crm.deliver_now()
        return self.received()

    def received(self) -> list[tuple[str, Any]]:
        """What the receiver got: (event, array)."""
        return [
            (request.path_url.removeprefix("/"), json.loads(request.body or b"null"))
            for request in self.receiver.requests
        ]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    receiver = Receiver()
    app = create_app(clock=MovableClock(START), session=session_to(receiver))
    crm: Crm = app.extensions["crm"]
    yield Sandbox(crm, app.test_client(use_cookies=False), receiver)
    crm.close()
