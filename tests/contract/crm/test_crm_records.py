"""The rules of saving: dates, names, attendees, stamps, removal, concurrency, mass actions."""

from __future__ import annotations

from typing import Any

import pytest

from calsync_plugin.sandbox.crm.identities import (
    ALICE_ID,
    BOB_ID,
    BRIDGE_API_ID,
    CAROL_ID,
    CONTOSO_ID,
    DAVE_ID,
    ERIN_ID,
    FRANK_ID,
    ROLE_SALES_ID,
)
from tests.contract.crm.conftest import MEETING, Sandbox

ANSWER = "Meeting/action/setAcceptanceStatus"
DECLINED = {ALICE_ID: {"status": "Declined"}}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        pytest.param("2026-12-01 10:00:00", "2026-12-01 10:00:00", id="stored form"),
        pytest.param("2026-12-01 10:00", "2026-12-01 10:00:00", id="no seconds"),
        pytest.param("2026-12-01T10:00:00+02:00", "2026-12-01 08:00:00", id="offset"),
        pytest.param("2026-12-01T10:00:00Z", "2026-12-01 10:00:00", id="zulu"),
        pytest.param("0001-01-01 00:00:00", "0001-01-01 00:00:00", id="year 1"),
        pytest.param("9999-12-31 23:59:59", "9999-12-31 23:59:59", id="year 9999"),
    ],
)
def test_date_time_is_kept(sandbox: Sandbox, given: str, kept: str) -> None:
    assert sandbox.row(sandbox.meeting(dateStart=given))["dateStart"] == kept


@pytest.mark.parametrize(
    "given",
    [
        pytest.param("2026-12-01T10:00:00.0000000", id="graph's fraction"),
        pytest.param("2026-12-01T10:00:00.000Z", id="fraction and zulu"),
        pytest.param("2026-12-01T10:00:00", id="no offset"),
        pytest.param("2026-12-01", id="day"),
        pytest.param("2026-13-01 10:00:00", id="month 13"),
        pytest.param(17, id="number"),
    ],
)
def test_date_time_is_refused(sandbox: Sandbox, given: object) -> None:
    response = sandbox.call("POST", "Meeting", {**MEETING, "dateStart": given})

    reason = "Field validation failure; entityType: Meeting, field: dateStart, type: valid."
    assert (response.status_code, response.headers["X-Status-Reason"]) == (400, reason)


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        pytest.param("UTC", "2026-12-03 00:00:00", "2026-12-05 00:00:00", id="utc"),
        pytest.param("America/New_York", "2026-12-03 05:00:00", "2026-12-05 05:00:00", id="west"),
        pytest.param("Europe/Berlin", "2026-12-02 23:00:00", "2026-12-04 23:00:00", id="east"),
    ],
)
def test_whole_days_lie_at_the_servers_midnight(sandbox: Sandbox, zone: str, start: str, end: str) -> None:
    sandbox.ok("PUT", "Settings", {"timeZone": zone}, by="admin")
    days = {"dateStartDate": "2026-12-03", "dateEndDate": "2026-12-04"}
    body = {"name": "fair", "assignedUserId": ALICE_ID, "isAllDay": True, **days}
    row = sandbox.row(sandbox.ok("POST", "Meeting", body)["id"])

    assert (row["dateStart"], row["dateEnd"], row["isAllDay"]) == (start, end, True)
    assert {name: row[name] for name in days} == days


def test_a_new_start_moves_the_end(sandbox: Sandbox) -> None:
    record_id = sandbox.meeting()

    answer = sandbox.ok("PUT", f"Meeting/{record_id}", {"dateStart": "2026-12-02 15:00:00"})

    assert (answer["dateStart"], answer["dateEnd"]) == ("2026-12-02 15:00:00", "2026-12-02 16:00:00")


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        pytest.param("a < b", "pattern", id="less"),
        pytest.param("a > b", "pattern", id="greater"),
        pytest.param("a = b", "pattern", id="equals"),
        pytest.param("x" * 256, "maxLength", id="256"),
        pytest.param("x" * 255, None, id="255"),
        pytest.param("   ", "required", id="spaces"),
        pytest.param(None, "required", id="null"),
        pytest.param("two\nlines & 🎉", None, id="newline and emoji"),
    ],
)
def test_name(sandbox: Sandbox, name: str | None, refusal: str | None) -> None:
    response = sandbox.call("POST", "Meeting", {**MEETING, "name": name})

    if refusal is None:
        assert response.json is not None
        assert response.json["name"] == name
    else:
        reason = f"Field validation failure; entityType: Meeting, field: name, type: {refusal}."
        assert (response.status_code, response.headers["X-Status-Reason"]) == (400, reason)


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


def test_removal_and_return(sandbox: Sandbox) -> None:
    record_id = sandbox.meeting(contactsIds=[DAVE_ID])
    assert sandbox.ok("DELETE", f"Meeting/{record_id}") is True

    gone = sandbox.call("GET", f"Meeting/{record_id}")
    assert (gone.status_code, gone.headers["X-Status-Reason"]) == (404, f"Record {record_id} does not exist.")
    assert sandbox.ok("GET", f"Meeting/{record_id}", by="admin")["deleted"] is True
    assert sandbox.ok("GET", "Meeting")["total"] == 0
    assert sandbox.call("POST", "Meeting/action/restoreDeleted", {"id": record_id}).status_code == 403
    sandbox.ok("POST", "Meeting/action/restoreDeleted", {"id": record_id}, by="admin")
    assert sandbox.row(record_id)["contactsIds"] == [DAVE_ID]


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        pytest.param("GET", "No 'read' access.", id="read"),
        pytest.param("PUT", "No edit access.", id="edit"),
        pytest.param("DELETE", "No delete access.", id="delete"),
    ],
)
def test_no_access_is_not_gone(sandbox: Sandbox, method: str, reason: str) -> None:
    record_id = sandbox.meeting()
    access = {"Meeting": {"read": "own", "edit": "own", "delete": "own"}}
    sandbox.ok("PUT", f"Role/{ROLE_SALES_ID}", {"data": access}, by="admin")

    response = sandbox.call(method, f"Meeting/{record_id}", {}, by="bob")

    assert (response.status_code, response.headers["X-Status-Reason"]) == (403, reason)
    assert sandbox.ok("GET", "Meeting", by="bob")["total"] == 0
    assert sandbox.ok("GET", "Meeting", by="alice")["total"] == 1


def test_without_assignment_permission(sandbox: Sandbox) -> None:
    sandbox.ok("PUT", f"Role/{ROLE_SALES_ID}", {"assignmentPermission": "no"}, by="admin")

    assert sandbox.row(sandbox.meeting(by="bob"))["assignedUserId"] == BOB_ID
    refused = sandbox.call("POST", "Meeting", {**MEETING, "usersIds": [ALICE_ID]}, by="bob")
    assert refused.headers["X-Status-Reason"] == "Assignment failure: assigned user or team not allowed."


def test_an_inactive_user_cannot_be_assigned(sandbox: Sandbox) -> None:
    sandbox.ok("PUT", f"User/{CAROL_ID}", {"isActive": False}, by="admin")

    response = sandbox.call("POST", "Meeting", {**MEETING, "assignedUserId": CAROL_ID})

    reason = "No foreign record access for link operation (Meeting:assignedUser)."
    assert (response.status_code, response.headers["X-Status-Reason"]) == (403, reason)


def test_a_visit_has_a_location_and_needs_no_owner(sandbox: Sandbox) -> None:
    dates = {name: MEETING[name] for name in ("dateStart", "dateEnd")}
    answer = sandbox.ok("POST", "Visit", {"name": "Tour", "location": "Hall 3", **dates})

    assert answer["location"] == "Hall 3"
    assert "assignedUserId" not in answer
    assert sandbox.row(answer["id"], "Visit")["usersIds"] == []


def test_a_call_knows_no_whole_days(sandbox: Sandbox) -> None:
    body = {**MEETING, "direction": "Inbound", "isAllDay": True, "dateStartDate": "2026-12-03"}
    answer = sandbox.ok("POST", "Call", body)

    assert {"isAllDay", "dateStartDate"} & set(answer) == set()
    assert (answer["direction"], answer["dateStart"]) == ("Inbound", MEETING["dateStart"])


@pytest.mark.parametrize("entity_type", ["Meeting", "Call", "Visit"])
def test_marker_fields(sandbox: Sandbox, entity_type: str) -> None:
    marked = {"cOutlookEventId": "AAMk=", "cOutlookJoinUrl": "https://teams.example/1"}
    answer = sandbox.ok("POST", entity_type, {**MEETING, **marked, "uid": "mine", "joinUrl": "mine"})

    row = sandbox.row(answer["id"], entity_type)
    assert {name: row[name] for name in marked} == marked
    assert row.get("joinUrl") is None
    assert "uid" not in row


def test_concurrency(sandbox: Sandbox) -> None:
    old = sandbox.meeting()
    switch = {"name": "Meeting", "optimisticConcurrencyControl": True}
    sandbox.ok("POST", "EntityManager/action/updateEntity", switch, by="admin")
    assert sandbox.row(old)["versionNumber"] is None
    record_id = sandbox.meeting()
    sandbox.ok("PUT", f"Meeting/{record_id}", {"name": "two"}, X_Version_Number="1")

    stale = sandbox.call("PUT", f"Meeting/{record_id}", {"name": "three"}, X_Version_Number="1")

    assert (stale.status_code, stale.headers["X-Status-Reason"]) == (409, "modified")
    assert stale.json == {"values": {"name": "two"}, "versionNumber": 2}
    assert sandbox.ok("PUT", f"Meeting/{record_id}", {"name": "four"})["versionNumber"] == 3


def test_mass_actions(sandbox: Sandbox) -> None:
    ids = [sandbox.meeting(), sandbox.meeting(), sandbox.meeting()]
    update = {
        "entityType": "Meeting",
        "action": "update",
        "params": {"where": [{"type": "in", "attribute": "id", "value": ids[:2]}]},
        "data": {"values": {"status": "Held"}},
    }
    done = sandbox.ok("POST", "MassAction", update, by="admin")
    assert (done["count"], set(done["ids"])) == (2, set(ids[:2]))
    assert [sandbox.row(record_id)["status"] for record_id in ids] == ["Held", "Held", "Planned"]
    delete = {"entityType": "Meeting", "action": "delete", "params": {"ids": ids}, "data": {}}
    assert sandbox.ok("POST", "MassAction", delete, by="admin")["count"] == 3
    assert sandbox.ok("GET", "Meeting")["total"] == 0


def test_account_follows_the_parent(sandbox: Sandbox) -> None:
    row = sandbox.row(sandbox.meeting(parentType="Account", parentId=CONTOSO_ID))

    assert (row["accountId"], row["parentName"], row["createdById"]) == (CONTOSO_ID, "Contoso", BRIDGE_API_ID)


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        pytest.param(b"{bad", "application/json", 500, id="broken"),
        pytest.param(b'{"name": "x"}', "text/plain", 400, id="wrong content type"),
        pytest.param(b"", "application/json", 400, id="empty"),
    ],
)
def test_bodies_that_are_none(sandbox: Sandbox, data: bytes, content_type: str, status: int) -> None:
    response = sandbox.client.post(
        "/api/v1/Meeting", data=data, headers={"X-Api-Key": "sandbox"}, content_type=content_type
    )

    assert response.status_code == status
