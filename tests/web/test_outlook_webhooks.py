"""What Microsoft posts, and what others post in its name: at most a mailbox is read once more."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from calsync_plugin.state import Subscription
from calsync_plugin.web.app import create_app
from tests.world import ALICE, BOB, START, World

CHANGES, LIFECYCLE = "/webhooks/outlook", "/webhooks/outlook/lifecycle"
ADDRESSES = [pytest.param(CHANGES, id="changes"), pytest.param(LIFECYCLE, id="lifecycle")]
SECRET = "s3cret-of-alice-with-many-random-bits-in-it"
ENDS = START + timedelta(days=6)


class Receiver:
    """The bridge's addresses, the store behind them, and two mailboxes with a subscription each."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.store = self.world.app.store
        self.client = Client(create_app(self.world.app))
        for user_id in (ALICE, BOB):
            self.world.connect(user_id)
        self.alice, self.bob = (self.world.account(user_id).mailbox_id or 0 for user_id in (ALICE, BOB))
        self.subscribe("sub-alice", self.alice, SECRET)
        self.subscribe("sub-bob", self.bob, "bobs")

    def subscribe(self, identity: str, mailbox_id: int, secret: str, ends: datetime = ENDS) -> None:
        digest = hashlib.sha256(secret.encode()).hexdigest()
        self.store.subscriptions.save(
            Subscription(
                id=identity,
                mailbox_id=mailbox_id,
                resource="me/events",
                client_state_hash=digest,
                expires_at=ends,
            )
        )

    def post(self, path: str, *items: object) -> int:
        return self.client.post(path, json={"value": list(items)}).status_code

    def hints(self, mailbox_id: int) -> int:
        return self.store.queue.pull_state(mailbox_id).hints

    def seen(self) -> tuple[int, int]:
        """Hints for Alice's mailbox and for Bob's."""
        return self.hints(self.alice), self.hints(self.bob)

    def row(self, identity: str = "sub-alice") -> Subscription | None:
        return self.store.subscriptions.get(identity)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """For tests that only ask what is ignored."""
    made = Receiver(tmp_path_factory.mktemp("receiver"))
    yield made
    made.world.close()


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    made = Receiver(tmp_path)
    yield made
    made.world.close()


def change(**changed: object) -> dict[str, object]:
    """A basic notification as Graph sends it."""
    return {
        "id": "n1",
        "subscriptionId": "sub-alice",
        "subscriptionExpirationDateTime": "2026-11-29T09:00:00Z",
        "clientState": SECRET,
        "changeType": "updated",
        "resource": "Users/u/Events/e",
        "tenantId": "t",
        "resourceData": {"@odata.type": "#Microsoft.Graph.Event", "@odata.id": "Users/u/Events/e", "id": "e"},
        **changed,
    }


def lifecycle(event: object, **changed: object) -> dict[str, object]:
    """A lifecycle notification as Graph sends it."""
    return {
        "subscriptionId": "sub-alice",
        "subscriptionExpirationDateTime": "2026-11-29T09:00:00Z",
        "tenantId": "t",
        "clientState": SECRET,
        "lifecycleEvent": event,
        **changed,
    }


class TestHandshake:
    @pytest.mark.parametrize("path", ADDRESSES)
    @pytest.mark.parametrize(
        "token",
        [
            pytest.param("Validation: Testing client application reachability for x", id="as-graph-says-it"),
            pytest.param("<script>alert(1)</script>", id="markup"),
            pytest.param("a\r\nSet-Cookie: x=1", id="lines"),
            pytest.param("a+b %26 é", id="signs"),
            pytest.param("x" * 2048, id="longest"),
        ],
    )
    def test_a_token_is_echoed_as_text(self, shared: Receiver, path: str, token: str) -> None:
        answer = shared.client.post(f"{path}?validationToken={quote(token)}", content_type="text/plain")
        assert (answer.status_code, answer.get_data(as_text=True)) == (200, token)
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in answer.headers

    @pytest.mark.parametrize("path", ADDRESSES)
    @pytest.mark.parametrize(
        "token", [pytest.param("", id="empty"), pytest.param("é" * 1025, id="longer-than-2-kB")]
    )
    def test_what_is_no_token_is_not_echoed(self, shared: Receiver, path: str, token: str) -> None:
        answer = shared.client.post(f"{path}?validationToken={quote(token)}")
        assert answer.status_code == 400
        assert "é" not in answer.get_data(as_text=True)

    @pytest.mark.parametrize("path", ADDRESSES)
    @pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
    def test_only_posts_are_taken(self, shared: Receiver, path: str, method: str) -> None:
        assert shared.client.open(f"{path}?validationToken=x", method=method).status_code == 405

    def test_it_is_answered_whatever_stands_in_the_body(self, shared: Receiver) -> None:
        answer = shared.client.post(f"{CHANGES}?validationToken=x", json={"value": [change()]})
        assert answer.get_data() == b"x"


class TestChanges:
    def test_a_notification_has_its_mailbox_read(self, receiver: Receiver) -> None:
        before = receiver.seen()
        assert receiver.post(CHANGES, change()) == 202
        assert receiver.seen() == (before[0] + 1, before[1])
        assert receiver.store.queue.pull_state(receiver.alice).pull_at <= receiver.world.clock.now()

    def test_many_in_one_delivery_are_one_hint_for_each_mailbox(self, receiver: Receiver) -> None:
        before = receiver.seen()
        mine = [change(id=f"n{number}") for number in range(150)]
        others = [change(subscriptionId="sub-bob", clientState="bobs") for _ in range(50)]
        assert receiver.post(CHANGES, *mine, *others, {"subscriptionId": "sub-bob"}) == 202
        assert receiver.seen() == (before[0] + 1, before[1] + 1)

    def test_two_subscriptions_of_a_mailbox_are_one_hint(self, receiver: Receiver) -> None:
        receiver.subscribe("second", receiver.alice, "other")
        before = receiver.seen()
        receiver.post(CHANGES, change(), change(subscriptionId="second", clientState="other"))
        assert receiver.seen() == (before[0] + 1, before[1])

    def test_a_repeated_delivery_does_no_harm(self, receiver: Receiver) -> None:
        assert [receiver.post(CHANGES, change()) for _ in range(3)] == [202, 202, 202]

    def test_a_late_one_counts_although_its_subscription_has_ended(self, receiver: Receiver) -> None:
        receiver.world.clock.advance(7 * 86_400)
        before = receiver.seen()
        assert receiver.post(CHANGES, change()) == 202
        assert receiver.seen() == (before[0] + 1, before[1])

    def test_it_leads_to_one_read_and_one_commit_in_no_time(self, receiver: Receiver) -> None:
        receiver.post(CHANGES, change())
        times = []
        for _ in range(20):
            begun = time.thread_time()
            receiver.post(CHANGES, *[change(id=f"n{number}") for number in range(100)])
            times.append(time.thread_time() - begun)
        assert sorted(times)[10] < 0.1

    def test_a_busy_store_has_graph_come_again(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("calsync_plugin.state.database._PATIENCE", 0.05)
        before = receiver.seen()
        with receiver.store._database.write():
            assert receiver.post(CHANGES, change()) == 503
        assert receiver.seen() == before
        assert receiver.post(CHANGES, change()) == 202
        assert receiver.seen() == (before[0] + 1, before[1])


IGNORED: list[Any] = [
    pytest.param([change(clientState="forged")], id="forged"),
    pytest.param([change(clientState=SECRET[:-1])], id="forged-nearly"),
    pytest.param([change(clientState=SECRET.upper())], id="forged-in-capitals"),
    pytest.param([change(clientState=hashlib.sha256(SECRET.encode()).hexdigest())], id="the-hash"),
    pytest.param([change(clientState="bobs")], id="another-mailbox's"),
    pytest.param([change(clientState="")], id="empty-secret"),
    pytest.param([change(clientState=None)], id="no-secret"),
    pytest.param([change(clientState=[SECRET])], id="secret-in-a-list"),
    pytest.param([change(clientState={"a": SECRET})], id="secret-in-an-object"),
    pytest.param([change(clientState=7)], id="secret-of-digits"),
    pytest.param([change(clientState="\ud800")], id="surrogate"),
    pytest.param([change(clientState="x" * 100_000)], id="long-secret"),
    pytest.param([change(subscriptionId="unknown")], id="unknown"),
    pytest.param([change(subscriptionId="SUB-ALICE")], id="unknown-in-capitals"),
    pytest.param([change(subscriptionId="sub-alice\0")], id="unknown-with-nul"),
    pytest.param([change(subscriptionId="\ud800")], id="unknown-surrogate"),
    pytest.param([change(subscriptionId="' OR 1=1 --")], id="unknown-sql"),
    pytest.param([change(subscriptionId=["sub-alice"])], id="id-in-a-list"),
    pytest.param([change(subscriptionId=None)], id="no-id"),
    pytest.param([None, 7, "x", [], {}, [[]], True], id="of-other-types"),
    pytest.param([], id="none"),
    pytest.param([lifecycle("subscriptionRemoved", clientState="forged")], id="forged-removal"),
    pytest.param([lifecycle("reauthorizationRequired", clientState="forged")], id="forged-reauthorization"),
    pytest.param([lifecycle("subscriptionRemoved", subscriptionId="unknown")], id="unknown-removal"),
]


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("items", IGNORED)
def test_what_nobody_sent_is_ignored(shared: Receiver, path: str, items: list[object]) -> None:
    before, row = shared.seen(), shared.row()
    assert shared.post(path, *items) == 202
    assert (shared.seen(), shared.row()) == (before, row)


RUBBISH = [
    pytest.param(b"", id="empty"),
    pytest.param(b"{", id="cut-short"),
    pytest.param(b"\xff\xfe", id="bytes"),
    pytest.param(b"[]", id="list"),
    pytest.param(b"null", id="null"),
    pytest.param(b'{"value": "x"}', id="text"),
    pytest.param(b"[" * 200_000, id="deep"),
    pytest.param(b"value=x", id="form"),
]


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("raw", RUBBISH)
@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
def test_rubbish_is_not_asked_for_again(shared: Receiver, path: str, raw: bytes, kind: str) -> None:
    before = shared.seen()
    assert shared.client.post(path, data=raw, content_type=kind).status_code == 202
    assert shared.seen() == before


@pytest.mark.parametrize("path", ADDRESSES)
def test_256_kb_are_enough(shared: Receiver, path: str) -> None:
    room = 256 * 1024 - len(json.dumps({"value": [change(filler="")]}))
    before = shared.seen()
    too_much = json.dumps({"value": [change(filler="x" * (room + 1))]}).encode()
    assert shared.client.post(path, data=too_much).status_code == 413
    assert shared.seen() == before
    fits = json.dumps({"value": [change(filler="x" * room)]}).encode()
    assert len(fits) == 256 * 1024
    assert shared.client.post(path, data=fits).status_code == 202
    assert shared.seen() == (before[0] + 1, before[1])


def test_a_body_whose_length_is_not_told_is_not_read_further(shared: Receiver) -> None:
    class Endless:
        """Gives as much as anybody takes."""

        def __init__(self) -> None:
            self.given = 0

        def read(self, size: int = -1) -> bytes:
            assert size >= 0
            self.given += size
            return b"x" * size

    body = Endless()
    environ: dict[str, Any] = {"wsgi.input": body, "wsgi.input_terminated": True}
    answer = shared.client.post(CHANGES, headers={"Transfer-Encoding": "chunked"}, environ_overrides=environ)
    assert answer.status_code in {202, 413}
    assert body.given <= 256 * 1024


class TestLifecycle:
    def test_what_was_missed_is_read(self, receiver: Receiver) -> None:
        before = receiver.seen()
        assert receiver.post(LIFECYCLE, lifecycle("missed")) == 202
        assert receiver.seen() == (before[0] + 1, before[1])
        assert receiver.row() is not None

    def test_a_removed_subscription_is_forgotten(self, receiver: Receiver) -> None:
        before = receiver.seen()
        assert receiver.post(LIFECYCLE, lifecycle("subscriptionRemoved")) == 202
        assert (receiver.row(), receiver.seen()) == (None, (before[0] + 1, before[1]))
        # Said again, it is about nothing that we know.
        assert receiver.post(LIFECYCLE, lifecycle("subscriptionRemoved")) == 202
        assert receiver.seen() == (before[0] + 1, before[1])

    def test_one_that_wants_to_be_renewed_ends_now(self, receiver: Receiver) -> None:
        before = receiver.seen()
        assert receiver.post(LIFECYCLE, lifecycle("reauthorizationRequired")) == 202
        row = receiver.row()
        assert row is not None
        assert row.expires_at == datetime.fromtimestamp(receiver.world.clock.now(), UTC)
        assert receiver.seen() == (before[0] + 1, before[1])

    def test_one_that_has_ended_does_not_end_later_for_it(self, receiver: Receiver) -> None:
        receiver.subscribe("sub-alice", receiver.alice, SECRET, START - timedelta(days=1))
        receiver.post(LIFECYCLE, lifecycle("reauthorizationRequired"))
        row = receiver.row()
        assert row is not None
        assert row.expires_at == START - timedelta(days=1)

    def test_what_was_removed_is_not_brought_back(self, receiver: Receiver) -> None:
        both = [lifecycle("reauthorizationRequired"), lifecycle("subscriptionRemoved")]
        receiver.post(LIFECYCLE, *both, *reversed(both))
        assert receiver.row() is None

    @pytest.mark.parametrize("event", ["", "somethingNew", None, 7, ["missed"]])
    def test_what_is_not_known_has_the_mailbox_read(self, receiver: Receiver, event: object) -> None:
        before = receiver.seen()
        assert receiver.post(LIFECYCLE, lifecycle(event)) == 202
        assert receiver.seen() == (before[0] + 1, before[1])
        assert receiver.row() is not None

    def test_either_address_takes_both_kinds(self, receiver: Receiver) -> None:
        receiver.post(CHANGES, lifecycle("subscriptionRemoved"))
        assert receiver.row() is None


def test_the_log_counts_and_tells_nothing(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        receiver.post(CHANGES, change(), change(clientState="forged-one"), change(subscriptionId="other-one"))
        receiver.client.post(CHANGES, data=b"<private>")
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("calsync_plugin")]
    assert "2 notifications of unknown origin were ignored" in ours
    assert any("no JSON" in line for line in ours)
    said = "\n".join(ours)
    assert not [word for word in (SECRET, "forged-one", "other-one", "<private>") if word in said]


_JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(),
        st.sampled_from(["sub-alice", "sub-bob", "subscriptionRemoved", "missed", "\ud800", "\0"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(["value", "subscriptionId", "clientState", "lifecycleEvent", "resourceData"]),
            inner,
        ),
    ),
    max_leaves=12,
)
_BODIES = st.one_of(
    st.binary(max_size=200),
    _JSON.map(json.dumps).map(str.encode),
    st.lists(_JSON, max_size=4).map(lambda items: json.dumps({"value": items}).encode()),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(path=st.sampled_from([CHANGES, LIFECYCLE]), raw=_BODIES)
def test_no_body_is_an_error_of_ours(shared: Receiver, path: str, raw: bytes) -> None:
    before, row = shared.seen(), shared.row()
    assert shared.client.post(path, data=raw).status_code == 202
    assert (shared.seen(), shared.row()) == (before, row)


@settings(max_examples=200, deadline=None)
@given(
    path=st.sampled_from([CHANGES, LIFECYCLE]), query=st.binary(max_size=60).map(quote) | st.text(max_size=60)
)
def test_no_query_is_an_error_of_ours(shared: Receiver, path: str, query: str) -> None:
    for sent in (query, f"validationToken={query}"):
        assert shared.client.post(path, query_string=sent, data=b"").status_code in {200, 202, 400}
