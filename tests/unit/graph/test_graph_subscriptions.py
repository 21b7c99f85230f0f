"""Subscriptions as requests, and deliveries as notifications, whatever else they hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.errors import BadDelivery, UnknownOutcome
from calsync_plugin.graph import subscriptions
from calsync_plugin.graph.protocol import JsonObject, Request
from calsync_plugin.graph.subscriptions import (
    Notification,
    RemoteSubscription,
    read_notifications,
    read_subscription,
    read_subscriptions,
)

ENDS = datetime(2026, 12, 1, 10, tzinfo=timezone(timedelta(hours=1)))

REQUESTS = [
    pytest.param(subscriptions.list_subscriptions(), "GET", "/subscriptions", None, id="list"),
    pytest.param(
        subscriptions.renew("s/1", ENDS),
        "PATCH",
        "/subscriptions/s%2F1",
        {"expirationDateTime": "2026-12-01T09:00:00Z"},
        id="renew",
    ),
    pytest.param(
        subscriptions.reauthorize("s"), "POST", "/subscriptions/s/reauthorize", None, id="reauthorize"
    ),
    pytest.param(subscriptions.delete("s"), "DELETE", "/subscriptions/s", None, id="delete"),
]


@pytest.mark.parametrize(("request_", "method", "path", "body"), REQUESTS)
def test_requests_that_may_be_repeated(
    request_: Request, method: str, path: str, body: JsonObject | None
) -> None:
    assert (request_.method, request_.path, request_.body) == (method, path, body)
    assert request_.repeatable


def test_a_subscription_is_asked_for_once() -> None:
    request = subscriptions.create("https://c.example/n", "https://c.example/l", "secret", ENDS)
    assert (request.method, request.path, request.repeatable) == ("POST", "/subscriptions", False)
    assert request.body == {
        "changeType": "created,updated,deleted",
        "notificationUrl": "https://c.example/n",
        "lifecycleNotificationUrl": "https://c.example/l",
        "resource": "me/events",
        "expirationDateTime": "2026-12-01T09:00:00Z",
        "clientState": "secret",
    }


@pytest.mark.parametrize("make", [subscriptions.delete, subscriptions.reauthorize])
def test_an_empty_id_never_addresses_the_collection(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match="empty id"):
        make("")


ANSWERS = [
    pytest.param(
        {"id": "s", "notificationUrl": "https://n", "expirationDateTime": "2026-11-20T18:23:45.9356913Z"},
        RemoteSubscription("s", "https://n", datetime(2026, 11, 20, 18, 23, 45, 935691, UTC)),
        id="whole",
    ),
    pytest.param(
        {"id": "s", "expirationDateTime": "2026-11-20T18:23:45"},
        RemoteSubscription("s", "", datetime(2026, 11, 20, 18, 23, 45, tzinfo=UTC)),
        id="no-offset",
    ),
    pytest.param({"id": "s", "expirationDateTime": "soon"}, RemoteSubscription("s"), id="unreadable-end"),
    pytest.param(
        {"id": "s", "expirationDateTime": "0001-01-01T00:00:00+14:00"}, RemoteSubscription("s"), id="year-0"
    ),
    pytest.param({"id": "s", "notificationUrl": None}, RemoteSubscription("s"), id="nulls"),
]


@pytest.mark.parametrize(("value", "read"), ANSWERS)
def test_answers(value: JsonObject, read: RemoteSubscription) -> None:
    assert read_subscription(value) == read
    assert read_subscriptions({"value": [None, {}, value]}) == (read,)


@pytest.mark.parametrize("value", [None, {}, {"id": None}, {"id": ""}, {"id": 7}])
def test_an_answer_without_an_id(value: JsonObject | None) -> None:
    with pytest.raises(UnknownOutcome):
        read_subscription(value)


@pytest.mark.parametrize("value", [None, {}, {"value": None}, {"value": {}}])
def test_a_list_that_is_none(value: JsonObject | None) -> None:
    assert read_subscriptions(value) == ()


# --- deliveries

CHANGE: JsonObject = {
    "id": "n1",
    "subscriptionId": "s",
    "subscriptionExpirationDateTime": "2026-11-20T18:23:45Z",
    "clientState": "secret",
    "changeType": "updated",
    "resource": "Users/u/Events/e",
    "tenantId": "t",
    "resourceData": {"@odata.type": "#Microsoft.Graph.Event", "@odata.id": "Users/u/Events/e", "id": "e"},
}
DELETED: JsonObject = {**CHANGE, "changeType": "deleted", "resourceData": {"id": "E1"}}
LIFECYCLE: JsonObject = {
    "subscriptionId": "s",
    "clientState": "secret",
    "lifecycleEvent": "subscriptionRemoved",
    "resource": "me/events",
}

DELIVERIES = [
    pytest.param([CHANGE], [Notification("s", "secret")], id="change"),
    pytest.param([DELETED], [Notification("s", "secret", removed="E1")], id="deleted"),
    pytest.param([{**DELETED, "changeType": "updated"}], [Notification("s", "secret")], id="updated"),
    pytest.param([{**DELETED, "resourceData": "E1"}], [Notification("s", "secret")], id="odd-data"),
    pytest.param([{**DELETED, "resourceData": {"id": 7}}], [Notification("s", "secret")], id="odd-id"),
    pytest.param([LIFECYCLE], [Notification("s", "secret", "subscriptionRemoved")], id="lifecycle"),
    pytest.param([CHANGE, {**CHANGE, "subscriptionId": "r"}, CHANGE], "s r s", id="several"),
    pytest.param([], [], id="empty"),
    pytest.param([None, 7, "s", [], {}, {"subscriptionId": None}, {"subscriptionId": ""}], [], id="rubbish"),
    pytest.param([{"subscriptionId": "s"}], [Notification("s", "")], id="no-secret"),
    pytest.param([{**CHANGE, "clientState": ["secret"]}], [Notification("s", "")], id="secret-in-a-list"),
    pytest.param([{**CHANGE, "lifecycleEvent": 7}], [Notification("s", "secret")], id="odd-lifecycle"),
]


@pytest.mark.parametrize(("items", "read"), DELIVERIES)
def test_deliveries(items: list[JsonValue], read: object) -> None:
    found = read_notifications(json.dumps({"value": items, "validationTokens": None}).encode())
    if isinstance(read, str):
        assert [one.subscription_id for one in found] == read.split()
    else:
        assert found == read


NO_DELIVERIES = [
    pytest.param(b"", id="empty"),
    pytest.param(b"x", id="no-json"),
    pytest.param(b"\xff\xfe\x00", id="no-text"),
    pytest.param(b"[]", id="list"),
    pytest.param(b'"value"', id="text"),
    pytest.param(b"{}", id="no-list"),
    pytest.param(b'{"value": {}}', id="object-for-list"),
    pytest.param(b'{"value": 1e999}', id="number"),
    pytest.param(b'{"value": ' + b"[" * 100_000, id="deep"),
    pytest.param(b'{"value": ' + b"9" * 10_000 + b"}", id="long-number"),
    pytest.param(b'{"value": [' + b'{"value":[' * 20_000, id="deep-objects"),
]


@pytest.mark.parametrize("raw", NO_DELIVERIES)
def test_what_is_no_delivery(raw: bytes) -> None:
    with pytest.raises(BadDelivery) as caught:
        read_notifications(raw)
    assert len(str(caught.value)) < 60


@given(st.binary() | st.text().map(str.encode) | st.text().map(lambda t: json.dumps({"value": [t]}).encode()))
def test_anything_is_read_or_refused(raw: bytes) -> None:
    try:
        read = read_notifications(raw)
    except BadDelivery:
        return
    assert read == []


def test_a_secret_is_not_shown() -> None:
    assert "secret" not in repr(Notification("s", "secret"))
