"""Change notifications: handshake, life, delivery and lifecycle events."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from calsync_plugin.sandbox.outlook import Simulator
from calsync_plugin.sandbox.outlook.clock import MovableClock
from calsync_plugin.sandbox.outlook.identities import TENANT_ID, object_id
from tests.contract.outlook.people import IMMUTABLE, Json, Person, attendee, code_of, json_of

HOOK = "https://calsync.example/webhooks/outlook"


class Receiver:
    """A client's webhook in process: echoes handshakes, and answers notifications with what the test sets."""

    def __init__(self, sim: Simulator) -> None:
        self.handshakes: list[str] = []
        self.notes: list[tuple[str, Json]] = []
        self.answers: list[int | OSError] = []
        self.echo = True
        sim.subscriptions.deliver = self
        sim.subscriptions.in_background = False

    def __call__(self, url: str, body: Json | None, timeout: float, /) -> tuple[int, str]:
        if body is None:
            self.handshakes.append(url)
            return 200, parse_qs(urlsplit(url).query)["validationToken"][0] if self.echo else "no"
        answer = self.answers.pop(0) if self.answers else 202
        if isinstance(answer, OSError):
            raise answer
        if 200 <= answer < 300:
            self.notes += [(url, note) for note in body["value"]]
        return answer, ""


@pytest.fixture
def receiver(sim: Simulator) -> Receiver:
    return Receiver(sim)


def asked(clock: MovableClock, *, minutes: int = 600, **more: Any) -> Json:
    return {
        "changeType": "created,updated,deleted",
        "notificationUrl": HOOK,
        "resource": "me/events",
        "expirationDateTime": (clock.now() + timedelta(minutes=minutes)).isoformat(),
        "clientState": "secret",
        **more,
    }


def subscribe(person: Person, body: Json, *, headers: dict[str, str] | None = None) -> Json:
    answer = person.post("/v1.0/subscriptions", body, headers=headers)
    assert answer.status_code == 201, answer.text
    return json_of(answer)


def test_created_updated_deleted(
    alice: Person, sim: Simulator, receiver: Receiver, clock: MovableClock
) -> None:
    made = subscribe(alice, asked(clock))
    assert len(receiver.handshakes) == 1
    one = alice.create()
    alice.patch(f"events/{one['id']}", {"subject": "New"})
    alice.delete(f"events/{one['id']}")
    assert sim.subscriptions.flush() == 3
    notes = [note for _, note in receiver.notes]
    assert [note["changeType"] for note in notes] == ["created", "updated", "deleted"]
    first = notes[0]
    assert (first["subscriptionId"], first["clientState"], first["tenantId"]) == (
        made["id"],
        "secret",
        TENANT_ID,
    )
    assert first["resource"] == f"Users/{object_id('alice@example.com')}/Events/{one['id']}"
    assert first["resourceData"]["@odata.type"] == "#Microsoft.Graph.Event"
    assert {note["resourceData"]["id"] for note in notes} == {one["id"]}


def test_invitations_and_answers_are_told(
    alice: Person, bob: Person, sim: Simulator, receiver: Receiver, clock: MovableClock
) -> None:
    subscribe(alice, asked(clock))
    subscribe(bob, asked(clock))
    alice.create(attendees=[attendee("bob@example.com")])
    (own,) = bob.events()
    bob.post(f"events/{own['id']}/accept", {})
    sim.subscriptions.flush()
    told = [(note["resource"].split("/")[1], note["changeType"]) for _, note in receiver.notes]
    alice_id, bob_id = object_id("alice@example.com"), object_id("bob@example.com")
    assert sorted(told) == sorted(
        [(alice_id, "created"), (bob_id, "created"), (alice_id, "updated"), (bob_id, "updated")]
    )


def test_immutable_ids_if_subscribed_so(
    alice: Person, sim: Simulator, receiver: Receiver, clock: MovableClock
) -> None:
    subscribe(alice, asked(clock), headers=IMMUTABLE)
    one = alice.create(headers=IMMUTABLE)
    sim.subscriptions.flush()
    assert receiver.notes[0][1]["resourceData"]["id"] == one["id"]


def test_only_the_changes_asked_for(
    alice: Person, sim: Simulator, receiver: Receiver, clock: MovableClock
) -> None:
    subscribe(alice, asked(clock, changeType="deleted"))
    one = alice.create()
    alice.delete(f"events/{one['id']}")
    sim.subscriptions.flush()
    assert [note["changeType"] for _, note in receiver.notes] == ["deleted"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param({"notificationUrl": "http://calsync.example/hook"}, 400, id="plain http elsewhere"),
        pytest.param({"notificationUrl": "http://127.0.0.1:8700/hook"}, 201, id="plain http here"),
        pytest.param({"changeType": "renamed"}, 400, id="unknown change"),
        pytest.param({"resource": "me/messages/x"}, 400, id="unknown resource"),
        pytest.param({"resource": "users/alice@example.com/events"}, 201, id="own mailbox by name"),
        pytest.param({"resource": "users/bob@example.com/events"}, 403, id="somebody else's mailbox"),
        pytest.param({"clientState": "x" * 129}, 400, id="long state"),
        pytest.param({"expirationDateTime": "2026-11-22T00:00:00Z"}, 400, id="in the past"),
        pytest.param({"expirationDateTime": "2026-12-30T00:00:00Z"}, 400, id="beyond 10,080 minutes"),
    ],
)
def test_what_may_be_asked(
    alice: Person, receiver: Receiver, clock: MovableClock, change: Json, status: int
) -> None:
    assert alice.post("/v1.0/subscriptions", asked(clock, **change)).status_code == status


@pytest.mark.parametrize("name", ["changeType", "notificationUrl", "resource", "expirationDateTime"])
def test_what_must_be_asked(alice: Person, receiver: Receiver, clock: MovableClock, name: str) -> None:
    body = asked(clock)
    del body[name]
    assert alice.post("/v1.0/subscriptions", body).status_code == 400


def test_a_short_life_is_raised_to_45_minutes(alice: Person, receiver: Receiver, clock: MovableClock) -> None:
    made = subscribe(alice, asked(clock, minutes=5))
    assert made["expirationDateTime"] == "2026-11-23T08:45:00.0000000Z"


def test_a_receiver_that_does_not_echo(alice: Person, receiver: Receiver, clock: MovableClock) -> None:
    receiver.echo = False
    answer = alice.post("/v1.0/subscriptions", asked(clock))
    assert answer.status_code == 400
    assert json_of(alice.get("/v1.0/subscriptions"))["value"] == []


def test_the_same_twice(alice: Person, receiver: Receiver, clock: MovableClock) -> None:
    made = subscribe(alice, asked(clock))
    answer = alice.post("/v1.0/subscriptions", asked(clock))
    assert answer.status_code == 409
    assert made["id"] in json_of(answer)["error"]["message"]


def test_an_expired_subscription_is_gone(
    alice: Person, sim: Simulator, receiver: Receiver, clock: MovableClock
) -> None:
    made = subscribe(alice, asked(clock, minutes=60))
    path = f"/v1.0/subscriptions/{made['id']}"
    later = (clock.now() + timedelta(minutes=120)).isoformat()
    assert alice.patch(path, {"expirationDateTime": later}).status_code == 200
    clock.advance(90 * 60)
    assert alice.get(path).status_code == 200
    clock.advance(90 * 60)
    assert alice.get(path).status_code == 404
    alice.create()
    assert sim.subscriptions.flush() == 0


def test_others_do_not_see_it(alice: Person, bob: Person, receiver: Receiver, clock: MovableClock) -> None:
    made = subscribe(alice, asked(clock))
    assert bob.delete(f"/v1.0/subscriptions/{made['id']}").status_code == 404
    assert json_of(bob.get("/v1.0/subscriptions"))["value"] == []


def test_a_failed_delivery_is_tried_again_with_growing_pauses(
    alice: Person, sim: Simulator, receiver: Receiver, clock: MovableClock
) -> None:
    subscribe(alice, asked(clock))
    receiver.answers = [500, ConnectionRefusedError()]
    alice.create()
    assert sim.subscriptions.flush() == 0
    clock.advance(1)
    assert sim.subscriptions.flush() == 0
    clock.advance(1.5)
    assert sim.subscriptions.flush() == 0
    clock.advance(3)
    assert (sim.subscriptions.flush(), sim.subscriptions.pending()) == (0, 1)
    clock.advance(1.5)
    assert sim.subscriptions.flush() == 1


def test_after_four_hours_it_is_lost(
    alice: Person, sim: Simulator, receiver: Receiver, clock: MovableClock
) -> None:
    subscribe(alice, asked(clock))
    receiver.answers = [503] * 1000
    alice.create()
    for _ in range(40):
        sim.subscriptions.flush()
        clock.advance(600)
    assert (sim.subscriptions.pending(), sim.subscriptions.lost) == (0, 1)


@pytest.mark.parametrize("event", ["missed", "subscriptionRemoved", "reauthorizationRequired"])
def test_lifecycle(
    alice: Person, sim: Simulator, receiver: Receiver, clock: MovableClock, event: str
) -> None:
    made = subscribe(alice, asked(clock, lifecycleNotificationUrl=HOOK + "/lifecycle"))
    assert len(receiver.handshakes) == 2
    assert json_of(alice.post("/control/lifecycle", {"event": event}))["sent"] == 1
    sim.subscriptions.flush()
    ((url, note),) = receiver.notes
    assert (url, note["lifecycleEvent"], note["subscriptionId"]) == (HOOK + "/lifecycle", event, made["id"])
    alive = alice.get(f"/v1.0/subscriptions/{made['id']}").status_code == 200
    assert alive is (event != "subscriptionRemoved")


def test_a_tenant_that_refuses_subscriptions(
    alice: Person, sim: Simulator, receiver: Receiver, clock: MovableClock
) -> None:
    made = subscribe(alice, asked(clock))
    sim.switches = sim.switches.changed({"refuse_subscriptions": True})
    later = {"expirationDateTime": (clock.now() + timedelta(minutes=700)).isoformat()}
    for answer in (
        alice.post("/v1.0/subscriptions", asked(clock, changeType="created")),
        alice.patch(f"/v1.0/subscriptions/{made['id']}", later),
    ):
        assert (answer.status_code, code_of(answer)) == (403, "ExtensionError")
    assert len(receiver.handshakes) == 1


@pytest.mark.parametrize("how", ["reauthorize", "renew"])
@pytest.mark.parametrize("silent", [True, False])
def test_reauthorization(
    alice: Person, sim: Simulator, receiver: Receiver, clock: MovableClock, silent: bool, how: str
) -> None:
    sim.switches = sim.switches.changed({"silent_until_reauthorized": silent})
    made = subscribe(alice, asked(clock, lifecycleNotificationUrl=HOOK + "/lifecycle"))
    path = f"/v1.0/subscriptions/{made['id']}"
    sim.send_lifecycle("reauthorizationRequired", "alice@example.com")
    alice.create()
    assert sim.subscriptions.flush() == (1 if silent else 2)
    if how == "reauthorize":
        assert alice.post(path + "/reauthorize").status_code == 204
    else:
        later = (clock.now() + timedelta(minutes=700)).isoformat()
        assert alice.patch(path, {"expirationDateTime": later}).status_code == 200
    alice.create()
    assert sim.subscriptions.flush() == 1


def test_lifecycle_of_one_mailbox_alone(
    alice: Person, bob: Person, sim: Simulator, receiver: Receiver, clock: MovableClock
) -> None:
    for person in (alice, bob):
        subscribe(person, asked(clock, lifecycleNotificationUrl=HOOK + "/lifecycle"))
    assert sim.send_lifecycle("missed", "bob@example.com") == 1
    assert json_of(alice.post("/control/lifecycle", {"event": "missed"}))["sent"] == 2


@pytest.mark.parametrize(("kind", "status"), [("text/plain; charset=utf-8", 201), ("text/html", 400)])
def test_the_handshake_is_answered_with_text(
    alice: Person, clock: MovableClock, kind: str, status: int
) -> None:
    with hook(kind) as (url, _, _):
        assert alice.post("/v1.0/subscriptions", asked(clock, notificationUrl=url)).status_code == status


def test_over_real_http(alice: Person, sim: Simulator, clock: MovableClock) -> None:
    with hook("text/plain") as (url, received, arrived):
        subscribe(alice, asked(clock, notificationUrl=url))
        alice.create()
        assert arrived.wait(10)
    assert b'"changeType": "created"' in received[0]
    assert sim.subscriptions.pending() == 0


@contextmanager
def hook(kind: str) -> Iterator[tuple[str, list[bytes], threading.Event]]:
    """A receiver over real HTTP that echoes tokens as this type; its address, what it got, and a signal."""
    received: list[bytes] = []
    arrived = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            token = parse_qs(urlsplit(self.path).query).get("validationToken")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = token[0].encode() if token else b""
            self.send_response(200 if token else 202)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
            if not token:
                received.append(body)
                arrived.set()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook?a=1", received, arrived
        server.shutdown()
        thread.join(5)
