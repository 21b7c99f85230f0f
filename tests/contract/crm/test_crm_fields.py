"""The simulator's field manager and metadata: what was recorded, and what EspoCRM's published source says."""

from __future__ import annotations

from typing import Any

import pytest

from calsync_plugin.sandbox.crm import identities as ids
from tests.contract.crm.conftest import Sandbox

VARCHAR = {"name": "room", "type": "varchar", "label": "Room", "maxLength": 20}
INDEX: dict[str, Any] = {"index": True, "fieldManagerAdditionalParamList": [{"name": "index"}]}


def manager(scope: str, name: str = "") -> str:
    return f"Admin/fieldManager/{scope}" + (f"/{name}" if name else "")


@pytest.mark.parametrize(
    ("scope", "name"),
    [
        pytest.param("Meeting", "cRoom", id="prefix"),
        pytest.param("Visit", "room", id="no prefix in a custom type"),
    ],
)
def test_what_a_new_field_is_called(sandbox: Sandbox, scope: str, name: str) -> None:
    told = sandbox.ok("POST", manager(scope), VARCHAR, by="admin")

    assert told == {"type": "varchar", "maxLength": 20, "isCustom": True, "label": "Room"}
    fields = sandbox.ok("GET", f"Metadata?key=entityDefs.{scope}.fields")
    assert fields[name] == {"type": "varchar", "maxLength": 20, "isCustom": True}


def test_a_field_is_used(sandbox: Sandbox) -> None:
    sandbox.ok("POST", manager("Meeting"), VARCHAR, by="admin")
    record_id = sandbox.meeting(cRoom="7")

    assert sandbox.row(record_id)["cRoom"] == "7"
    refused = sandbox.call("PUT", f"Meeting/{record_id}", {"cRoom": "x" * 21})
    assert (refused.status_code, refused.headers["X-Status-Reason"]) == (
        400,
        "Field validation failure; entityType: Meeting, field: cRoom, type: maxLength.",
    )


def test_an_index_is_kept_only_as_an_additional_parameter(sandbox: Sandbox) -> None:
    sandbox.ok("POST", manager("Meeting"), {**VARCHAR, "index": True}, by="admin")
    assert "index" not in sandbox.ok("GET", manager("Meeting", "cRoom"), by="admin")

    changed = sandbox.ok("PUT", manager("Meeting", "cRoom"), {"type": "varchar", **INDEX}, by="admin")

    assert (changed["index"], changed["maxLength"], changed["label"]) == (True, 20, "Room")
    assert "fieldManagerAdditionalParamList" not in changed


@pytest.mark.parametrize(
    ("scope", "body", "status", "words"),
    [
        pytest.param("Meeting", {"type": "varchar"}, 400, "", id="no name"),
        pytest.param("Meeting", {"name": "room"}, 400, "No type.", id="no type"),
        pytest.param("Meeting", {**VARCHAR, "name": "outlookEventId"}, 409, "already exists", id="taken"),
        pytest.param("Visit", {**VARCHAR, "name": "parent"}, 409, "already exists", id="a link"),
        pytest.param("Visit", {**VARCHAR, "name": "deleted"}, 409, "", id="forbidden"),
        pytest.param("Visit", {**VARCHAR, "name": "Room"}, 500, "letters and numbers", id="capital"),
        pytest.param("Webhook", VARCHAR, 500, "not customizable", id="not customizable"),
    ],
)
def test_refused_fields(sandbox: Sandbox, scope: str, body: object, status: int, words: str) -> None:
    answer = sandbox.call("POST", manager(scope), body, by="admin")

    assert answer.status_code == status
    assert words in answer.headers["X-Status-Reason"]


def test_a_removed_field_is_gone(sandbox: Sandbox) -> None:
    record_id = sandbox.meeting(cOutlookEventId="x")

    assert sandbox.ok("DELETE", manager("Meeting", "cOutlookEventId"), by="admin") is True

    assert "cOutlookEventId" not in sandbox.row(record_id)
    assert "cOutlookEventId" not in sandbox.ok("GET", "Metadata?key=entityDefs.Meeting.fields")
    assert (
        sandbox.call("GET", "Meeting?where[0][type]=isNull&where[0][attribute]=cOutlookEventId").status_code
        == 400
    )


def test_what_cannot_be_removed_or_changed(sandbox: Sandbox) -> None:
    core = sandbox.call("DELETE", manager("Meeting", "name"), by="admin")
    unknown = sandbox.call("PUT", manager("Meeting", "cNone"), {"type": "varchar"}, by="admin")
    untyped = sandbox.call("PUT", manager("Meeting", "cOutlookEventId"), {"maxLength": 9}, by="admin")

    assert [answer.status_code for answer in (core, unknown, untyped)] == [500, 500, 500]


@pytest.mark.parametrize("method", ["POST", "GET", "PUT", "DELETE"])
def test_fields_are_for_admins(sandbox: Sandbox, method: str) -> None:
    path = manager("Meeting") if method == "POST" else manager("Meeting", "cOutlookEventId")
    assert sandbox.call(method, path, {} if method in ("POST", "PUT") else None).status_code == 403


def test_a_restart_keeps_definitions_and_removals(sandbox: Sandbox) -> None:
    sandbox.ok("POST", manager("Meeting"), {**VARCHAR, **INDEX}, by="admin")
    sandbox.ok("DELETE", manager("Call", "cOutlookJoinUrl"), by="admin")

    sandbox.crm.load(sandbox.crm.dump())

    assert sandbox.ok("GET", manager("Meeting", "cRoom"), by="admin")["index"] is True
    assert "cOutlookJoinUrl" not in sandbox.ok("GET", "Metadata?key=entityDefs.Call.fields")


def test_metadata_shows_only_what_may_be_read(sandbox: Sandbox) -> None:
    sandbox.ok("PUT", f"Role/{ids.ROLE_BRIDGE_ID}", {"data": {"Meeting": {"read": "all"}}}, by="admin")

    scopes = sandbox.ok("GET", "Metadata?key=scopes")
    assert "Meeting" in scopes
    assert "Call" not in scopes
    assert "Call" in sandbox.ok("GET", "Metadata?key=scopes", by="admin")


def test_concurrency_shows_in_the_metadata(sandbox: Sandbox) -> None:
    body = {"name": "Meeting", "optimisticConcurrencyControl": True}
    sandbox.ok("POST", "EntityManager/action/updateEntity", body, by="admin")

    assert sandbox.ok("GET", "Metadata?key=entityDefs.Meeting.optimisticConcurrencyControl") is True
    assert sandbox.ok("GET", "Metadata?key=entityDefs.Call.optimisticConcurrencyControl") is None


def test_api_users_need_no_last_name_and_get_a_key(sandbox: Sandbox) -> None:
    made = sandbox.ok(
        "POST", "User", {"userName": "robot", "type": "api", "authMethod": "ApiKey"}, by="admin"
    )
    assert len(sandbox.ok("GET", f"User/{made['id']}", by="admin")["apiKey"]) == 32

    again = sandbox.call("POST", "User", {"userName": "robot", "type": "api"}, by="admin")
    assert (again.status_code, again.headers["X-Status-Reason"]) == (409, "userNameExists")


def test_mail_settings(sandbox: Sandbox) -> None:
    assert sandbox.ok("GET", "Settings")["assignmentEmailNotifications"] is False
    wanted = {"assignmentEmailNotifications": True, "assignmentEmailNotificationsEntityList": ["Meeting"]}

    told = sandbox.ok("PUT", "Settings", wanted, by="admin")

    assert {name: told[name] for name in wanted} == wanted
    bad = {"assignmentEmailNotificationsEntityList": "Meeting"}
    assert sandbox.call("PUT", "Settings", bad, by="admin").status_code == 400
