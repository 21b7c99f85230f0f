"""The rules of saving: dates, names, stamps, removal, concurrency, mass actions."""

from __future__ import annotations

import pytest

from calsync_plugin.sandbox.crm.identities import (
    ALICE_ID,
    BRIDGE_API_ID,
    CONTOSO_ID,
    DAVE_ID,
    ROLE_SALES_ID,
)
from tests.contract.crm.conftest import MEETING, Sandbox


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
        pytest.param(rb'{"name": "\ud83d"}', "application/json", 500, id="half a character"),
        pytest.param(b'{"name": "x"}', "text/plain", 400, id="wrong content type"),
        pytest.param(b"", "application/json", 400, id="empty"),
    ],
)
def test_bodies_that_are_none(sandbox: Sandbox, data: bytes, content_type: str, status: int) -> None:
    response = sandbox.client.post(
        "/api/v1/Meeting", data=data, headers={"X-Api-Key": "sandbox"}, content_type=content_type
    )

    assert response.status_code == status
