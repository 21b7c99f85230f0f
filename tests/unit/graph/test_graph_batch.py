"""The envelope of a batch, and what its answer says of each member."""

from __future__ import annotations

import base64

import pytest

from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.errors import NotFound, Throttled, UnknownOutcome
from calsync_plugin.graph.batch import decode_batch, encode_batch
from calsync_plugin.graph.protocol import Request

GET = Request(method="GET", path="/me/events/1", headers={"Prefer": "x"}, repeatable=True)
POST = Request(method="POST", path="/me/events", body={"subject": "s"}, item="Meeting 1")
DELETE = Request(method="DELETE", path="/me/events/2")


def test_the_envelope() -> None:
    assert encode_batch([GET, POST, DELETE]) == {
        "requests": [
            {"id": "0", "method": "GET", "url": "/me/events/1", "headers": {"Prefer": "x"}},
            {
                "id": "1",
                "method": "POST",
                "url": "/me/events",
                "headers": {"Content-Type": "application/json"},
                "body": {"subject": "s"},
            },
            {"id": "2", "method": "DELETE", "url": "/me/events/2"},
        ]
    }


def test_members_are_answered_in_any_order_and_each_for_itself() -> None:
    body: JsonValue = {
        "responses": [
            {"id": "2", "status": 204, "headers": {}},
            {"id": "1", "status": 429, "headers": {"Retry-After": "9"}, "body": {"error": {"code": "x"}}},
            {"id": "0", "status": 200, "headers": {"ETag": "e"}, "body": {"id": "1"}},
        ]
    }
    read, created, deleted = decode_batch(body, [GET, POST, DELETE])
    assert (read.value, read.error, read.request) == ({"id": "1"}, None, GET)
    assert isinstance(created.error, Throttled)
    assert created.error.retry_after == 9
    assert str(created.error).startswith("Meeting 1: ")
    assert (deleted.value, deleted.error) == (None, None)


def test_bodies_that_are_no_json_come_as_base64() -> None:
    found = base64.b64encode(b'{"id":"1"}').decode()
    html = base64.b64encode(b"<html>").decode()
    body: JsonValue = {
        "responses": [{"id": "0", "status": 200, "body": found}, {"id": "1", "status": 404, "body": html}]
    }
    read, other = decode_batch(body, [GET, GET])
    assert read.value == {"id": "1"}
    assert other.error is not None
    assert not isinstance(other.error, NotFound)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(None, id="nothing"),
        pytest.param([], id="no-object"),
        pytest.param({"responses": {}}, id="no-list"),
        pytest.param({"responses": []}, id="missing"),
        pytest.param({"responses": [7, {"id": "1", "status": 200}]}, id="another"),
        pytest.param({"responses": [{"id": "0"}]}, id="no-status"),
        pytest.param({"responses": [{"id": "0", "status": "200"}]}, id="status-text"),
        pytest.param({"responses": [{"id": "0", "status": True}]}, id="status-bool"),
        pytest.param({"responses": [{"id": "0", "status": 200, "body": "%%%"}]}, id="unreadable"),
        pytest.param({"responses": [{"id": "0", "status": 200, "body": [1]}]}, id="no-object-within"),
    ],
)
def test_a_member_of_which_nothing_is_said_has_an_unknown_outcome(body: JsonValue) -> None:
    assert isinstance(decode_batch(body, [POST])[0].error, UnknownOutcome)
