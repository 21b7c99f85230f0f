"""What a real EspoCRM 9.2.7 sent, byte for byte, through the bridge; read back by Microsoft's own client."""

from __future__ import annotations

import asyncio
import base64
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kiota_abstractions.authentication import (
    AccessTokenProvider,
    AllowedHostsValidator,
    BaseBearerTokenAuthenticationProvider,
)
from werkzeug.test import Client

from calsync_plugin.sandbox.outlook.server import BackgroundServer
from calsync_plugin.state import Webhook
from calsync_plugin.web.app import create_app
from tests import world as worlds
from tests.world import World

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from msgraph.generated.models.event import Event
    from msgraph.graph_request_adapter import GraphRequestAdapter
    from msgraph.graph_service_client import GraphServiceClient

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SAMPLES = Path(__file__).parent.parent / "samples" / "espocrm"
SEED: dict[str, Any] = json.loads((SAMPLES / "seed-of-captures.json").read_text())
ALICE, BOB = SEED["alice"]["id"], SEED["bob"]["id"]
MEETING = "6b000db229ea45c8c"


def recording(name: str) -> dict[str, Any]:
    """One recording by the start of its file name."""
    (file,) = SAMPLES.glob(f"{name}-*.json")
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def webhooks() -> Iterator[Webhook]:
    """The webhooks as their creation was recorded, with the secrets that sign the deliveries."""
    for file in sorted(SAMPLES.glob("1[01]?-webhook-create-*.json")):
        answer = json.loads(file.read_text())["response"]
        if answer["status"] == 201:
            body = answer["body"]
            yield Webhook(body["id"], body["event"], body["secretKey"])


DELIVERIES = [
    pytest.param(delivery, id=f"{file.name[:3]}-{number}")
    for file in sorted(SAMPLES.glob("*-hook-*.json"))
    for number, delivery in enumerate(json.loads(file.read_text())["requests"])
]


class Recorded:
    """The world of the recordings, with the bridge's web addresses."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(worlds.ADDRESS, ALICE, "alice@example.com")
        monkeypatch.setitem(worlds.ADDRESS, BOB, "bob@example.com")
        self.world = World(folder, crm_key=SEED["bridge_api"]["apiKey"])
        self.world.crm.seed_recorded(SEED)
        for user_id in (ALICE, BOB):
            self.world.connect(user_id)
        for webhook in webhooks():
            self.world.app.store.webhooks.save(webhook)
        self.client = Client(create_app(self.world.app))
        self._server: BackgroundServer | None = None

    def deliver(self, delivery: dict[str, Any]) -> int:
        """Send one recorded delivery: raw body, recorded headers; the address is ours for its event."""
        event = delivery["path"].rsplit("/", 1)[1]
        headers = {k: v for k, v in delivery["headers"].items() if k not in ("Host", "Content-Length")}
        answer = self.client.post(
            f"/webhooks/crm/{event}", data=delivery["body_raw"].encode(), headers=headers
        )
        return answer.status_code

    def now_is(self, body: dict[str, Any], entity_type: str = "Meeting") -> None:
        """The CRM holds this record, as it answered when the recording was made."""
        self.world.crm.insert(entity_type, {**body, "modifiedAt": self.world.crm.now()})

    def delivered(self, name: str) -> None:
        """Send all deliveries of one recording, and let calsync work."""
        self.world.clock.advance(5)
        for delivery in recording(name)["requests"]:
            assert self.deliver(delivery) == 202
        self.world.settle()

    def events(self, address: str) -> list[Event]:
        """The calendar of an address, read by the official client over HTTP."""
        if self._server is None:
            self._server = BackgroundServer(self.world.outlook_app).__enter__()
        return asyncio.run(_read(self._server.url, address))

    def close(self) -> None:
        """Stop everything."""
        if self._server is not None:
            self._server.__exit__(None, None, None)
        self.world.close()


class _Token(AccessTokenProvider):
    def __init__(self, address: str) -> None:
        self._token = f"sandbox:{address}"

    async def get_authorization_token(
        self, uri: str, additional_authentication_context: dict[str, Any] | None = None
    ) -> str:
        return self._token

    def get_allowed_hosts_validator(self) -> AllowedHostsValidator:
        return AllowedHostsValidator([])


async def _read(url: str, address: str) -> list[Event]:
    adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(_Token(address)))
    adapter.base_url = f"{url}/v1.0"
    http = adapter._http_client
    try:
        found = await GraphServiceClient(request_adapter=adapter).me.events.get()
    finally:
        await http._transport.transport.aclose()
        await http.aclose()
    assert found is not None
    assert found.value is not None
    return sorted(found.value, key=lambda event: event.subject or "")


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    made = Recorded(tmp_path, monkeypatch)
    yield made
    made.close()


def test_there_are_forty_deliveries() -> None:
    assert len(DELIVERIES) == 40


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """One installation for all deliveries: they are only marked, nothing runs."""
    with pytest.MonkeyPatch.context() as patch:
        made = Recorded(tmp_path_factory.mktemp("receiver"), patch)
        yield made
        made.close()


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_every_recorded_delivery_is_believed(receiver: Recorded, delivery: dict[str, Any]) -> None:
    assert receiver.deliver(delivery) == 202


@pytest.mark.parametrize("header", ["Signature", "X-Signature"])
def test_one_signature_is_enough(recorded: Recorded, header: str) -> None:
    delivery = recording("125")["requests"][0]
    only = {**delivery, "headers": {header: delivery["headers"][header]}}
    assert recorded.deliver(only) == 202


def _forged(signature: str) -> str:
    name, _, mac = base64.b64decode(signature).partition(b":")
    return base64.b64encode(name + b":" + mac[::-1]).decode()


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param({"body_raw": '[{"id":"6b000db229ea45c8c","name":"x"}]'}, 401, id="another-body"),
        pytest.param({"headers": {}}, 401, id="no-signature"),
        pytest.param({"headers": {"Signature": "!!"}}, 401, id="unreadable-signature"),
        pytest.param({"path": "/all/Meeting.delete"}, 401, id="webhook-of-another-event"),
        pytest.param({"body_raw": "[" + " " * 1_100_000 + "]"}, 413, id="too-large"),
    ],
)
def test_what_is_not_believed(recorded: Recorded, change: dict[str, Any], status: int) -> None:
    assert recorded.deliver({**recording("125")["requests"][0], **change}) == status
    assert recorded.world.app.store.changes.waiting() == {"unrouted": 0, "routed": 0}


def test_a_forged_or_unknown_signature(recorded: Recorded) -> None:
    delivery = recording("125")["requests"][0]
    signature = delivery["headers"]["Signature"]
    assert recorded.deliver({**delivery, "headers": {"Signature": _forged(signature)}}) == 401
    unknown = base64.b64encode(b"0" * 17 + b":" + b"0" * 64).decode()
    assert recorded.deliver({**delivery, "headers": {"Signature": unknown}}) == 401


def test_the_recorded_life_of_a_meeting(recorded: Recorded) -> None:
    """Created, renamed, attendees added, reassigned, moved, all-day, three updates at once, removed."""
    recorded.now_is(recording("124")["response"]["body"])
    recorded.delivered("125")
    (event,) = recorded.events("alice@example.com")
    assert (event.subject, event.is_organizer, event.attendees) == ("By Alice", True, [])
    assert event.start is not None
    assert (event.start.date_time or "")[:19] == "2026-12-01T10:00:00"
    recorded.now_is(recording("126")["response"]["body"])
    recorded.delivered("127")
    assert [e.subject for e in recorded.events("alice@example.com")] == ["By Alice 2"]
    mails = recorded.world.mails()
    recorded.now_is(recording("130")["response"]["body"])
    recorded.delivered("131")
    assert recorded.world.mails() == mails == []
    recorded.now_is(recording("132")["response"]["body"])
    recorded.delivered("133")
    assert recorded.world.mails() == [("invitation", "bob@example.com")]
    (invited,) = recorded.events("bob@example.com")
    assert invited.is_organizer is False
    recorded.now_is(recording("144")["response"]["body"])
    recorded.delivered("145")
    (own,) = [e for e in recorded.events("bob@example.com") if e.is_organizer]
    assert own.organizer is not None
    assert own.organizer.email_address is not None
    assert own.organizer.email_address.address == "bob@example.com"
    assert [e for e in recorded.events("alice@example.com") if e.is_organizer] == []
    recorded.now_is(recording("148")["response"]["body"])
    recorded.delivered("149")
    (own,) = [e for e in recorded.events("bob@example.com") if e.is_organizer]
    assert own.is_all_day
    assert own.start is not None
    assert own.end is not None
    days = ((own.start.date_time or "")[:10], (own.end.date_time or "")[:10])
    assert days == ("2026-12-05", "2026-12-07")
    recorded.now_is(recording("154")["response"]["body"])
    recorded.delivered("155")
    assert [e.subject for e in recorded.events("bob@example.com") if e.is_organizer] == ["multi c"]
    assert recorded.world.crm.store.tables["Meeting"].live == {MEETING}, "what went out came in again"
    recorded.world.api("DELETE", f"Meeting/{MEETING}")
    recorded.delivered("157")
    assert [e for e in recorded.events("bob@example.com") if e.is_organizer] == []
    assert recorded.world.crm.store.tables["Meeting"].live == set()


def test_created_and_removed_before_anybody_looked(recorded: Recorded) -> None:
    recorded.now_is(recording("160")["response"]["body"])
    recorded.world.api("DELETE", f"Meeting/{recording('160')['response']['body']['id']}")
    recorded.delivered("162")
    assert recorded.events("alice@example.com") == []
    assert recorded.world.app.store.changes.waiting() == {"unrouted": 0, "routed": 0}


def test_the_recorded_call(recorded: Recorded) -> None:
    call = recording("167")["response"]["body"]
    recorded.now_is(call, "Call")
    recorded.delivered("168")
    (event,) = recorded.events(f"{'alice' if call['assignedUserId'] == ALICE else 'bob'}@example.com")
    assert event.subject == f"C: {call['name']}"


def test_deliveries_in_any_order_and_repeated(recorded: Recorded) -> None:
    """The last state wins; nobody is mailed twice."""
    recorded.now_is(recording("144")["response"]["body"])
    for name in ("145", "127", "125", "133", "125", "145"):
        for delivery in recording(name)["requests"]:
            assert recorded.deliver(delivery) == 202
    recorded.world.settle()
    (own,) = [e for e in recorded.events("bob@example.com") if e.is_organizer]
    assert own.subject == recording("144")["response"]["body"]["name"]
    assert recorded.world.mails() == [("invitation", "alice@example.com")]


def test_a_busy_store_asks_espocrm_to_come_again(recorded: Recorded) -> None:
    """503, not one of the answers after which EspoCRM drops the event."""
    with recorded.world.app.store._database.write():
        assert recorded.deliver(recording("125")["requests"][0]) == 503
    assert recorded.deliver(recording("125")["requests"][0]) == 202
