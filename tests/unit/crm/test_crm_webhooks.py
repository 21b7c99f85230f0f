"""Recorded webhook deliveries: who signed them, and what they say happened."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections import Counter

import pytest

from calsync_plugin.crm.webhook_setup import Webhook, ensure_webhooks, wanted_events
from calsync_plugin.crm.webhooks import (
    AttendanceChanged,
    Created,
    Deleted,
    HookCall,
    Reassigned,
    Updated,
    deliveries,
    verify,
)
from calsync_plugin.errors import BadDelivery, BadSignature, Forbidden, UnknownOutcome
from calsync_plugin.http import Answer
from calsync_plugin.settings import DEFAULT_ENTITIES, EntitySettings
from tests.unit.crm.recordings import (
    Delivery,
    Player,
    Sent,
    client_of,
    ok,
    reason,
    recordings,
    rows,
    webhook_deliveries,
    webhook_secrets,
)

SECRETS = webhook_secrets()
DELIVERIES = webhook_deliveries()
ONE = DELIVERIES[0]
URL = "https://calsync.example.com/webhooks/crm"


def test_all_forty_deliveries_were_recorded() -> None:
    assert len(DELIVERIES) == 40


@pytest.mark.parametrize("header", ["Signature", "X-Signature"])
@pytest.mark.parametrize("delivery", DELIVERIES, ids=lambda d: d.name)
def test_recorded_signatures(delivery: Delivery, header: str) -> None:
    webhook_id = verify(delivery.body, delivery.headers[header], SECRETS.get)

    created = {
        r.body["id"]: r.body["url"] for r in recordings().values() if r.path == "Webhook" and r.status == 201
    }
    assert created[webhook_id].endswith(delivery.path)


def signed(webhook_id: str, secret: str, body: bytes) -> str:
    mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return base64.b64encode(f"{webhook_id}:{mac}".encode()).decode()


WEBHOOK, SECRET = next(iter(SECRETS.items()))


@pytest.mark.parametrize(
    ("body", "header"),
    [
        pytest.param(ONE.body + b" ", ONE.headers["Signature"], id="another body"),
        pytest.param(ONE.body, signed(WEBHOOK, "guess", ONE.body), id="another secret"),
        pytest.param(ONE.body, signed("unknown", "", ONE.body), id="unknown webhook with an empty secret"),
        pytest.param(ONE.body, signed("", SECRET, ONE.body), id="no id"),
        pytest.param(ONE.body, base64.b64encode(f"{WEBHOOK}:".encode()).decode(), id="no digest"),
        pytest.param(ONE.body, base64.b64encode(WEBHOOK.encode()).decode(), id="no colon"),
        pytest.param(ONE.body, base64.b64encode(b"\xff\xfe:x").decode(), id="an id that is no text"),
        pytest.param(ONE.body, "%%%", id="no base64"),
        pytest.param(ONE.body, "é", id="no ASCII"),
        pytest.param(ONE.body, "", id="no header"),
    ],
)
def test_forged_deliveries(body: bytes, header: str) -> None:
    with pytest.raises(BadSignature) as caught:
        verify(body, header, SECRETS.get)

    assert SECRET not in str(caught.value)


def test_a_webhook_whose_secret_is_empty_is_not_believed() -> None:
    with pytest.raises(BadSignature):
        verify(b"[]", signed("w", "", b"[]"), {"w": ""}.get)


def test_a_good_signature() -> None:
    assert verify(b"[]", signed(WEBHOOK, SECRET, b"[]"), SECRETS.get) == WEBHOOK


@pytest.mark.parametrize(
    ("event", "body", "calls"),
    [
        pytest.param(
            "Meeting.create",
            [{"id": "1", "name": "x"}],
            [Created("Meeting", {"id": "1", "name": "x"})],
            id="create",
        ),
        pytest.param(
            "Call.update",
            [{"reminders": [], "id": "1"}, {"id": "2", "name": "y", "dateEnd": None}],
            [
                Updated("Call", {"reminders": [], "id": "1"}, ("reminders",)),
                Updated("Call", {"id": "2", "name": "y", "dateEnd": None}, ("dateEnd", "name")),
            ],
            id="update",
        ),
        pytest.param("Meeting.delete", [{"id": "1"}], [Deleted("Meeting", "1")], id="delete"),
        pytest.param(
            "CVisit.fieldUpdate.assignedUser",
            [{"id": "1", "assignedUserId": "u2"}],
            [Reassigned("CVisit", {"id": "1", "assignedUserId": "u2"})],
            id="reassigned",
        ),
        pytest.param(
            "Meeting.fieldUpdate.users", [{"id": "1"}], [AttendanceChanged("Meeting", "1")], id="attendance"
        ),
        pytest.param(
            "Meeting.fieldUpdate.dateStart",
            [{"id": "1", "dateStart": "2026-12-01 10:00:00"}],
            [Updated("Meeting", {"id": "1", "dateStart": "2026-12-01 10:00:00"}, ("dateStart",))],
            id="another field",
        ),
        pytest.param("Meeting.create", [], [], id="nothing"),
    ],
)
def test_deliveries(event: str, body: object, calls: list[HookCall]) -> None:
    assert deliveries(event, json.dumps(body).encode()) == calls


@pytest.mark.parametrize(
    ("event", "body", "words"),
    [
        pytest.param("Meeting.create", b"[{", "is not JSON", id="broken"),
        pytest.param("Meeting.create", b"", "is not JSON", id="empty"),
        pytest.param("Meeting.create", b"\xff", "is not JSON", id="no text"),
        pytest.param("Meeting.create", b"[" * 100_000, "is not JSON", id="nested without end"),
        pytest.param("Meeting.create", b'{"id": "1"}', "is no array", id="an object"),
        pytest.param("Meeting.create", b"null", "is no array", id="null"),
        pytest.param("Meeting.update", b'[{"name": "x"}]', "without an id", id="no id"),
        pytest.param("Meeting.update", b'[{"id": 7}]', "without an id", id="an id that is no text"),
        pytest.param("Meeting.update", b'["1"]', "without an id", id="no element"),
        pytest.param("Meeting.explode", b"[]", "no webhook event 'Meeting.explode'", id="unknown event"),
        pytest.param("Meeting", b"[]", "no webhook event", id="no event"),
        pytest.param(".create", b"[]", "no webhook event", id="no entity"),
    ],
)
def test_bad_deliveries(event: str, body: bytes, words: str) -> None:
    with pytest.raises(BadDelivery, match=words):
        deliveries(event, body)


def test_recorded_deliveries_become_calls() -> None:
    calls = [call for d in DELIVERIES for call in deliveries(d.path.split("/")[-1], d.body)]

    kinds = Counter((type(call).__name__, call.entity_type) for call in calls)
    assert kinds == {
        ("Created", "Meeting"): 3 + 2,
        ("Created", "Call"): 1,
        ("Updated", "Meeting"): 13 + 11 + 2,
        ("Updated", "Contact"): 1,
        ("Updated", "User"): 1,
        ("Reassigned", "Meeting"): 1,
        ("Deleted", "Meeting"): 3 + 3,
        ("AttendanceChanged", "Meeting"): 3,
    }


def test_wanted_events() -> None:
    assert wanted_events(DEFAULT_ENTITIES) == (
        "Meeting.create",
        "Meeting.update",
        "Meeting.delete",
        "Meeting.fieldUpdate.assignedUser",
        "Call.create",
        "Call.update",
        "Call.delete",
        "Call.fieldUpdate.assignedUser",
    )


EVENTS = wanted_events([EntitySettings(entity_type="Meeting")])


def hook(event: str, webhook_id: str, **changed: object) -> dict[str, object]:
    own = {"id": webhook_id, "event": event, "url": f"{URL}/{event}", "secretKey": f"secret of {webhook_id}"}
    return {**own, "isActive": True, "skipOwn": True, **changed}


def play(*present: object) -> Player:
    def answer(sent: Sent) -> Answer:
        if sent.method == "POST":
            return ok(hook(sent.payload["event"], "new " + sent.payload["event"]))
        if sent.path != "Webhook":
            return ok(hook("Meeting.create", sent.path.split("/")[1]))
        return rows(*present)

    return Player(answer)


def test_missing_webhooks_are_made() -> None:
    player = play()

    made = ensure_webhooks(client_of(player), URL, EVENTS, {})

    assert made == tuple(Webhook(f"new {e}", e, f"secret of new {e}") for e in EVENTS)
    assert [sent.payload for sent in player.sent[1:]] == [
        {"event": event, "url": f"{URL}/{event}", "skipOwn": True} for event in EVENTS
    ]


def test_present_webhooks_are_left_alone() -> None:
    player = play(*(hook(event, event) for event in EVENTS), hook("Meeting.create", "x", url="https://other"))

    present = ensure_webhooks(client_of(player), URL, EVENTS, {})

    assert [webhook.id for webhook in present] == list(EVENTS)
    assert [sent.method for sent in player.sent] == ["GET"]


@pytest.mark.parametrize("changed", [{"isActive": False}, {"skipOwn": False}], ids=["switched off", "echoes"])
def test_webhooks_are_repaired(changed: dict[str, object]) -> None:
    player = play(hook("Meeting.create", "w1", **changed))

    ensure_webhooks(client_of(player), URL, EVENTS[:1], {})

    assert [(s.method, s.path, s.payload) for s in player.sent[1:]] == [
        ("PUT", "Webhook/w1", {"isActive": True, "skipOwn": True})
    ]


def test_of_two_webhooks_for_one_event_the_known_one_is_taken() -> None:
    twice = [hook("Meeting.create", webhook_id) for webhook_id in ("w1", "w2", "w3")]

    present = ensure_webhooks(client_of(play(*twice)), URL, EVENTS[:1], {"w2": "secret"})

    assert [webhook.id for webhook in present] == ["w2"]


def test_a_secret_that_the_list_hides_is_read() -> None:
    player = play(hook("Meeting.create", "w1", secretKey=None))

    assert ensure_webhooks(client_of(player), URL, EVENTS[:1], {})[0].secret == "secret of w1"


def test_secrets_are_not_shown() -> None:
    assert "secret" not in repr(Webhook("w1", "Meeting.create", "secret"))


def test_webhooks_without_a_secret_are_no_webhooks() -> None:
    player = Player(lambda sent: rows() if sent.method == "GET" else ok({"id": "w1"}))

    with pytest.raises(UnknownOutcome):
        ensure_webhooks(client_of(player), URL, EVENTS, {})


def test_no_right_to_webhooks() -> None:
    player = Player(lambda sent: rows() if sent.method == "GET" else reason(403, "No access to 'Webhook'."))

    with pytest.raises(Forbidden, match="No access to 'Webhook'"):
        ensure_webhooks(client_of(player), URL, EVENTS, {})
