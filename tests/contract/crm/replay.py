"""Replays the recordings, in order, against the simulator in the world of the recordings.

The recorded ids and webhook secrets are handed out again, and the clock stands where EspoCRM's stood, so that
answers, payloads and even signatures can be compared as they are.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import requests
from flask.testing import FlaskClient
from requests.adapters import BaseAdapter
from werkzeug.test import TestResponse

from calsync_plugin.sandbox.crm import Crm, create_app
from calsync_plugin.sandbox.crm.clock import MovableClock
from tests.contract.crm.recordings import Recording, load, recorded_uids, recordings

START = datetime(2026, 11, 20, 9, 6, 52, tzinfo=UTC)


class Receiver(BaseAdapter):
    """Takes webhook deliveries in process and answers with a settable status."""

    def __init__(self, status: int = 200) -> None:
        super().__init__()
        self.status = status
        self.requests: list[requests.PreparedRequest] = []
        self._arrived = threading.Condition()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Keep the request and answer; status 0 refuses the connection."""
        with self._arrived:
            self.requests.append(request)
            self._arrived.notify_all()
        if self.status == 0:
            raise requests.ConnectionError("refused")
        response = requests.Response()
        response.status_code = self.status
        response.request = request
        return response

    def wait_for(self, count: int, *, within: float = 5.0) -> None:
        """Wait until that many requests have come, at most for some seconds."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.requests) >= count, within), self.requests

    def close(self) -> None:
        """Nothing is open."""


def session_to(receiver: Receiver) -> requests.Session:
    """A session whose requests all end at the receiver."""
    session = requests.Session()
    session.mount("http://", receiver)
    return session


@dataclass
class World:
    """The simulator in the world of the recordings."""

    clock: MovableClock = field(default_factory=lambda: MovableClock(START))
    receiver: Receiver = field(default_factory=Receiver)

    def __post_init__(self) -> None:
        app = create_app(seed=False, clock=self.clock, session=session_to(self.receiver), marker_fields=False)
        self.client: FlaskClient = app.test_client(use_cookies=False)
        self.crm: Crm = app.extensions["crm"]
        self.uids = recorded_uids()
        self.crm.seed_recorded(load("seed-of-captures.json"))

    def move_to(self, moment: datetime) -> None:
        """Set the clock."""
        self.clock.advance(moment - self.clock.now())

    def send(self, recording: Recording) -> TestResponse:
        """Send a recorded request."""
        asked = recording.request
        answered = recording.response["body"]
        self.move_to(recording.at)
        if asked["method"] == "POST" and isinstance(answered, dict) and "id" in answered:
            self.crm.ids.queued_ids.append(answered["id"])
            if answered["id"] in self.uids:
                self.crm.ids.queued_uids.append(self.uids[answered["id"]])
            if "secretKey" in answered:
                self.crm.ids.queued_secrets.append(answered["secretKey"])
        body = asked["body"]
        data = body if isinstance(body, str) or body is None else json.dumps(body)
        path, _, query = asked["path"].partition("?")
        response = self.client.open(
            path, query_string=query, method=asked["method"], headers=asked["headers"], data=data
        )
        self.crm.ids.queued_ids.clear()
        self.crm.ids.queued_secrets.clear()
        return response

    def deliveries(self) -> list[requests.PreparedRequest]:
        """Send what is due and return the requests."""
        self.receiver.requests.clear()
        self.crm.deliver_now()
        return list(self.receiver.requests)


def _log_in(user: str, token: str, secret: str | None = None) -> Callable[[World], None]:
    def act(world: World) -> None:
        user_id = load("seed-of-captures.json")[user]["id"]
        world.crm.auth.tokens[token] = (user_id, secret)

    return act


def _own_role(world: World) -> None:
    access = {"Meeting": {"create": "yes", "read": "own", "edit": "own", "delete": "no", "stream": "own"}}
    role = {"id": "6b000dbfcb99c3191", "name": "Own only", "data": access, "fieldData": {}}
    world.crm.insert("Role", {**role, "assignmentPermission": "no"})


def _zone(name: str) -> Callable[[World], None]:
    def act(world: World) -> None:
        world.crm.settings.time_zone = name

    return act


def _second_factor(world: World) -> None:
    world.crm.settings.two_factor = {"alice": "123456"}


def _lock_out(world: World) -> None:
    world.crm.settings.two_factor = {}
    world.crm.auth.clear_failures()
    for _ in range(11):
        world.client.get("/api/v1/App/user", headers={"Espo-Authorization": "YWxpY2U6d3Jvbmc="})


def _clear_lock(world: World) -> None:
    world.crm.auth.clear_failures()


def _deleted_contact(world: World) -> None:
    seed = load("seed-of-captures.json")
    gone = "6b000dce268d3dc6f"
    world.crm.insert("Contact", {"id": gone, "firstName": "Gone", "lastName": "Guest", "deleted": True})
    alice = seed["alice"]["id"]
    world.crm.insert(
        "Meeting",
        {
            "id": "6b000dce2ce51062e",
            "name": "with gone",
            "dateStart": "2026-12-01 10:00:00",
            "dateEnd": "2026-12-01 11:00:00",
            "assignedUserId": alice,
            "createdById": seed["bridge_api"]["id"],
            "uid": "5f8b080c-bf03-46a7-9f87-84cf389a7822",
            "versionNumber": 1,
            "usersIds": [alice],
            "contactsIds": [seed["contact1"]["id"], gone],
        },
    )
    world.crm.store.follow("6b000dce2ce51062e", [alice])


def _inactive_user(world: World) -> None:
    user = {"id": "6b000dce58920a8aa", "userName": "gone", "lastName": "Gone", "isActive": False}
    world.crm.insert("User", user)


_FIELDS = {"Meeting": ["outlookEventId"]}


def _extension(world: World) -> None:
    world.crm.settings.site_url = "http://127.0.0.1:8080"
    world.crm.install("Outlook", "OutlookCalendar", fields=_FIELDS)


def _no_extension(world: World) -> None:
    world.crm.uninstall("Outlook", fields=_FIELDS)


# What happened on the recorded server between the recordings, before the one that is named.
BETWEEN: dict[str, Callable[[World], None]] = {
    "224-by-token-meeting": _log_in("alice", "35d341e4ce72a431308a55abfbfe6a3a"),
    "229-token-with-secret-no-cookie": _log_in("alice", "d4ce1c846179f2b09ba5604cced5bd61", "in the cookie"),
    "307-create-user-carl": _own_role,
    "404-tz-allday": _zone("America/New_York"),
    "408-tz-touch": _zone("UTC"),
    "410-2fa-no-code": _second_factor,
    "413-2fa-token": _log_in("alice", "f4e601694d8001435709ac37748f1639"),
    "416-limit-good-password": _lock_out,
    "418-limit-cleared": _clear_lock,
    "501-integration-get": _extension,
    "601-name-lt": _no_extension,
    "630-deleted-contact-attendee": _deleted_contact,
    "632-assign-inactive": _inactive_user,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the simulator did where EspoCRM answered, or delivered, what was recorded."""

    recording: Recording
    response: TestResponse | None
    deliveries: list[requests.PreparedRequest]


def replay() -> dict[str, Outcome]:
    """Replay everything; the outcomes by the recordings' names."""
    world = World()
    outcomes = {}
    for recording in recordings():
        if recording.name in BETWEEN:
            BETWEEN[recording.name](world)
        response = None if recording.is_delivery else world.send(recording)
        sent = world.deliveries() if recording.is_delivery else []
        outcomes[recording.name] = Outcome(recording, response, sent)
    return outcomes
