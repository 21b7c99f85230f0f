"""The rules of attendees: who is added, kept, refused; what their answers change."""

from __future__ import annotations

from typing import Any

import pytest

from calsync_plugin.sandbox.crm.identities import (
    ALICE_ID,
    BOB_ID,
    CAROL_ID,
    DAVE_ID,
    ERIN_ID,
    FRANK_ID,
    ROLE_SALES_ID,
)
from tests.contract.crm.conftest import MEETING, Sandbox

ANSWER = "Meeting/action/setAcceptanceStatus"
DECLINED = {ALICE_ID: {"status": "Declined"}}


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"usersIds": ["nosuch"]}, id="unknown user"),
        pytest.param({"contactsIds": ["nosuch"]}, id="unknown contact"),
        pytest.param({"leadsIds": [DAVE_ID]}, id="a contact is no lead"),
        pytest.param({"assignedUserId": "nosuch"}, id="unknown owner"),
        pytest.param({"parentType": "Account", "parentId": "nosuch"}, id="unknown parent"),
    ],
)
def test_unknown_ids_cannot_be_related(sandbox: Sandbox, values: dict[str, Any]) -> None:
    response = sandbox.call("POST", "Meeting", {**MEETING, **values})

    assert response.status_code == 403
    assert response.headers["X-Status-Reason"].startswith("Can't relate with non-existing record.")
    assert sandbox.ok("GET", "Meeting")["total"] == 0


def test_the_same_id_twice_saves_nothing(sandbox: Sandbox) -> None:
    record_id = sandbox.meeting()

    response = sandbox.call("PUT", f"Meeting/{record_id}", {"name": "no", "usersIds": [BOB_ID, BOB_ID]})

    assert (response.status_code, response.data) == (500, b"")
    assert sandbox.row(record_id)["name"] == "Kick-off"


def test_a_deleted_contact_disappears_and_cannot_come_back(sandbox: Sandbox) -> None:
    record_id = sandbox.meeting(contactsIds=[DAVE_ID, ERIN_ID])
    before = sandbox.row(record_id)["modifiedAt"]
    sandbox.later(5)
    sandbox.ok("DELETE", f"Contact/{DAVE_ID}")

    row = sandbox.row(record_id)
    assert (row["contactsIds"], row["modifiedAt"]) == ([ERIN_ID], before)
    again = sandbox.call("PUT", f"Meeting/{record_id}", {"contactsIds": [ERIN_ID, DAVE_ID]})
    assert again.status_code == 403


@pytest.mark.parametrize(
    ("by", "status"), [pytest.param("alice", "Accepted", id="self"), pytest.param("api", "None", id="other")]
)
def test_the_assigned_user_always_attends(sandbox: Sandbox, by: str, status: str) -> None:
    record_id = sandbox.meeting(by=by, usersIds=[BOB_ID])

    row = sandbox.row(record_id)
    assert row["usersIds"] == [BOB_ID, ALICE_ID]
    assert row["usersColumns"][ALICE_ID] == {"status": status}
    assert sandbox.ok("PUT", f"Meeting/{record_id}", {"usersIds": []})["usersIds"] == [ALICE_ID]


def test_a_put_answers_with_the_columns_of_before(sandbox: Sandbox) -> None:
    record_id = sandbox.meeting(usersIds=[ALICE_ID, BOB_ID], usersColumns={BOB_ID: {"status": "Tentative"}})

    answer = sandbox.ok("PUT", f"Meeting/{record_id}", {"usersIds": [ALICE_ID, CAROL_ID]})

    assert answer["usersIds"] == [ALICE_ID, CAROL_ID]
    assert set(answer["usersColumns"]) == {ALICE_ID, BOB_ID}
    assert set(sandbox.row(record_id)["usersColumns"]) == {ALICE_ID, CAROL_ID}


def test_statuses_survive_and_come_back(sandbox: Sandbox) -> None:
    record_id = sandbox.meeting(usersIds=[ALICE_ID, BOB_ID], usersColumns={BOB_ID: {"status": "Tentative"}})
    for users in ([ALICE_ID, BOB_ID, CAROL_ID], [ALICE_ID], [ALICE_ID, BOB_ID]):
        sandbox.ok("PUT", f"Meeting/{record_id}", {"usersIds": users})

    assert sandbox.row(record_id)["usersColumns"][BOB_ID] == {"status": "Tentative"}


@pytest.mark.parametrize(
    ("method", "path", "body", "by", "rises"),
    [
        pytest.param("PUT", "Meeting/ID", {"name": "x"}, "api", True, id="change"),
        pytest.param("PUT", "Meeting/ID", {"usersIds": [BOB_ID]}, "api", True, id="attendees"),
        pytest.param("PUT", "Meeting/ID", {"usersColumns": DECLINED}, "api", True, id="columns"),
        pytest.param("POST", "Meeting/ID/contacts", {"id": DAVE_ID}, "api", False, id="link"),
        pytest.param("DELETE", "Meeting/ID/leads", {"id": FRANK_ID}, "api", False, id="unlink"),
        pytest.param("POST", ANSWER, {"id": "ID", "status": "Accepted"}, "alice", False, id="answer"),
    ],
)
def test_modified_at(
    sandbox: Sandbox, method: str, path: str, body: dict[str, Any], by: str, rises: bool
) -> None:
    record_id = sandbox.meeting(leadsIds=[FRANK_ID])
    before = sandbox.row(record_id)["modifiedAt"]
    sandbox.later(2)

    filled = {key: record_id if value == "ID" else value for key, value in body.items()}
    sandbox.ok(method, path.replace("ID", record_id), filled, by=by)

    assert (sandbox.row(record_id)["modifiedAt"] > before) is rises


def test_link_calls_and_their_lists(sandbox: Sandbox) -> None:
    record_id = sandbox.meeting()
    sandbox.ok("POST", f"Meeting/{record_id}/contacts", {"ids": [DAVE_ID, ERIN_ID]})
    sandbox.ok("DELETE", f"Meeting/{record_id}/contacts", {"id": ERIN_ID})

    listed = sandbox.ok("GET", f"Meeting/{record_id}/contacts")
    assert [(line["id"], line["acceptanceStatus"]) for line in listed["list"]] == [(DAVE_ID, "None")]
    assert listed["list"][0]["emailAddress"] == "dave@contoso.example"
    people = sandbox.ok("GET", f"Meeting/{record_id}/attendees")["list"]
    assert [(person["_scope"], person["emailAddress"]) for person in people] == [
        ("User", "dummy@dummy.dummy"),
        ("Contact", "dave@contoso.example"),
    ]


def test_only_attendees_answer(sandbox: Sandbox) -> None:
    record_id = sandbox.meeting()
    path, body = "Meeting/action/setAcceptanceStatus", {"id": record_id, "status": "Declined"}

    assert sandbox.call("POST", path, body).status_code == 403
    assert sandbox.call("POST", path, body, by="bob").status_code == 403
    assert sandbox.ok("POST", path, body, by="alice") is True
    assert sandbox.row(record_id)["usersColumns"] == {ALICE_ID: {"status": "Declined"}}


def test_without_assignment_permission(sandbox: Sandbox) -> None:
    sandbox.ok("PUT", f"Role/{ROLE_SALES_ID}", {"assignmentPermission": "no"}, by="admin")

    assert sandbox.row(sandbox.meeting(by="bob"))["assignedUserId"] == BOB_ID
    refused = sandbox.call("POST", "Meeting", {**MEETING, "usersIds": [ALICE_ID]}, by="bob")
    assert refused.headers["X-Status-Reason"] == "Assignment failure: assigned user or team not allowed."


@pytest.mark.parametrize(
    ("link", "values"),
    [("assignedUser", {"assignedUserId": CAROL_ID}), ("users", {"usersIds": [CAROL_ID]})],
    ids=["owner", "attendee"],
)
def test_an_inactive_user_cannot_be_related(sandbox: Sandbox, link: str, values: dict[str, Any]) -> None:
    sandbox.ok("PUT", f"User/{CAROL_ID}", {"isActive": False}, by="admin")

    response = sandbox.call("POST", "Meeting", {**MEETING, **values})

    reason = f"No foreign record access for link operation (Meeting:{link})."
    assert (response.status_code, response.headers["X-Status-Reason"]) == (403, reason)
