"""The calendar page: what it shows, and that it writes as the chosen user by the same rules."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from werkzeug.test import TestResponse

from calsync_plugin.sandbox.crm.identities import ADMIN_ID, ALICE_ID, BOB_ID, CAROL_ID
from calsync_plugin.sandbox.crm.week import EventRow, Week, lay_out
from tests.contract.crm.conftest import Sandbox

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 11, 30)
FORM = {
    "name": "From the page",
    "dateStart": "2026-12-01T10:00",
    "dateEnd": "2026-12-01T11:30",
    "assignedUserId": ALICE_ID,
    "zone": "Europe/Berlin",
}


def save(sandbox: Sandbox, method: str, path: str, body: object, acting: str = ADMIN_ID) -> TestResponse:
    return sandbox.client.open(
        f"/page/records/{path}", method=method, json=body, headers={"X-Acting-As": acting}
    )


def shown(sandbox: Sandbox, **query: str) -> list[str]:
    page = sandbox.client.get("/", query_string={"week": "2026-12-01", **query}).text
    return re.findall(r'data-record-name="([^"]*)"', page)


def test_create_move_reassign_delete(sandbox: Sandbox) -> None:
    created = save(sandbox, "POST", "Meeting", FORM)
    assert created.json is not None
    record_id = created.json["id"]
    row = sandbox.row(record_id)
    assert (row["dateStart"], row["dateEnd"]) == ("2026-12-01 09:00:00", "2026-12-01 10:30:00")
    assert shown(sandbox) == ["From the page"]

    moved = {"dateStart": "2026-12-02T12:00", "zone": "Europe/Berlin"}
    save(sandbox, "PUT", f"Meeting/{record_id}", moved)
    save(sandbox, "PUT", f"Meeting/{record_id}", {"assignedUserId": BOB_ID}, acting=ALICE_ID)

    row = sandbox.row(record_id)
    assert (row["dateStart"], row["dateEnd"]) == ("2026-12-02 11:00:00", "2026-12-02 12:30:00")
    assert (row["assignedUserId"], row["modifiedById"]) == (BOB_ID, ALICE_ID)
    assert shown(sandbox, user=CAROL_ID) == []
    assert shown(sandbox, user=BOB_ID) == ["From the page"]
    save(sandbox, "DELETE", f"Meeting/{record_id}", None)
    assert shown(sandbox) == []
    assert 'id="empty-week"' in sandbox.client.get("/").text


def test_whole_days_and_back(sandbox: Sandbox) -> None:
    days = {"isAllDay": True, "dateStartDate": "2026-12-01", "dateEndDate": "2026-12-02"}
    created = save(sandbox, "POST", "Visit", {**FORM, "dateStart": "", "dateEnd": "", **days})
    assert created.json is not None
    record_id = created.json["id"]
    opened = sandbox.client.get(f"/page/records/Visit/{record_id}?zone=Europe/Berlin").json
    assert opened is not None
    assert {name: opened[name] for name in days} == days
    timed = {**FORM, "isAllDay": False, "dateStartDate": None, "dateEndDate": None}
    save(sandbox, "PUT", f"Visit/{record_id}", timed)

    opened = sandbox.client.get(f"/page/records/Visit/{record_id}?zone=Asia/Tokyo").json
    assert opened is not None
    assert (opened["isAllDay"], opened["dateStart"], opened["dateStartDate"]) == (
        False,
        "2026-12-01T18:00",
        None,
    )


def test_the_page_fires_webhooks_as_the_acting_user(sandbox: Sandbox) -> None:
    sandbox.hook("Meeting.create", skipOwn=True)
    save(sandbox, "POST", "Meeting", FORM, acting=ALICE_ID)

    [(_, [item])] = sandbox.delivered()

    assert item["createdById"] == ALICE_ID
    page = sandbox.client.get("/").text
    assert 'id="deliveries"' in page
    assert "Meeting.create" in page


@pytest.mark.parametrize(
    ("values", "acting", "said"),
    [
        pytest.param({"name": "a < b"}, ADMIN_ID, "name must not contain <, > or =.", id="pattern"),
        pytest.param({"name": ""}, ADMIN_ID, "name is required.", id="required"),
        pytest.param({"dateStart": "soon"}, ADMIN_ID, "dateStart is no date and time.", id="date"),
        pytest.param({"usersIds": [BOB_ID, BOB_ID]}, ADMIN_ID, "The CRM refused this (500).", id="twice"),
        pytest.param({}, "nobody", "Choose a user to act as.", id="no user"),
    ],
)
def test_refusals_in_words(sandbox: Sandbox, values: dict[str, Any], acting: str, said: str) -> None:
    answer = save(sandbox, "POST", "Meeting", {**FORM, **values}, acting=acting)

    assert answer.status_code >= 400
    assert answer.json == {"error": said}


def test_only_own_records_can_be_changed(sandbox: Sandbox) -> None:
    record_id = sandbox.meeting()

    answer = save(sandbox, "PUT", f"Meeting/{record_id}", {"name": "x"}, acting=CAROL_ID)

    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["error"].startswith("No edit access.")


def test_a_foreign_form_is_refused(sandbox: Sandbox) -> None:
    """Without our header, which a form on another site cannot send."""
    answer = sandbox.client.post("/page/records/Meeting", json=FORM)

    assert answer.status_code == 400
    assert sandbox.ok("GET", "Meeting")["total"] == 0


def test_names_are_escaped(sandbox: Sandbox) -> None:
    nasty = '"><script>alert(1)</script>'
    sandbox.crm.insert("Meeting", {"name": nasty, "dateStart": "2026-12-01 10:00:00"})

    assert "<script>alert" not in sandbox.client.get("/?week=2026-12-01").text


def test_strange_parameters_do_no_harm(sandbox: Sandbox) -> None:
    answer = sandbox.client.get("/?week=never&zone=Mars/Base&as=nobody&user=nobody")

    assert answer.status_code == 200


def week(*spans: tuple[str, str | None], **more: str) -> Week:
    now = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
    rows = [
        {"id": f"{place}", "name": f"{place}", "dateStart": start, "dateEnd": end, **more}
        for place, (start, end) in enumerate(spans)
    ]
    return lay_out([EventRow("Meeting", row, "") for row in rows], MONDAY, BERLIN, now)


def test_layout_in_the_zone() -> None:
    [entry] = week(("2026-12-01 09:00:00", "2026-12-01 10:30:00")).days[1].entries

    assert (entry.start, entry.end, entry.when) == (600, 690, "10:00 - 11:30")


def test_layout_of_what_overlaps() -> None:
    entries = (
        week(
            ("2026-12-01 09:00:00", "2026-12-01 11:00:00"),
            ("2026-12-01 10:00:00", "2026-12-01 12:00:00"),
            ("2026-12-01 11:00:00", "2026-12-01 12:00:00"),
            ("2026-12-01 14:00:00", "2026-12-01 15:00:00"),
        )
        .days[1]
        .entries
    )

    places = {entry.name: (entry.column, entry.columns) for entry in entries}
    assert places == {"0": (0, 2), "1": (1, 2), "2": (0, 2), "3": (0, 1)}


def test_layout_over_midnight() -> None:
    found = week(("2026-12-01 22:00:00", "2026-12-02 01:00:00"))

    assert [(entry.start, entry.end, entry.continued) for entry in found.days[1].entries] == [
        (1380, 1440, False)
    ]
    assert [(entry.start, entry.end, entry.continued) for entry in found.days[2].entries] == [(0, 120, True)]


@pytest.mark.parametrize(
    ("end", "warning"),
    [
        pytest.param("2026-12-01 08:00:00", "ends before it starts", id="backwards"),
        pytest.param(None, "has no end", id="no end"),
        pytest.param("2026-12-01 09:00:00", "", id="zero length"),
    ],
)
def test_layout_of_odd_spans(end: str | None, warning: str) -> None:
    [entry] = week(("2026-12-01 09:00:00", end)).days[1].entries

    assert (entry.start, entry.end, entry.warning) == (600, 600, warning)


@pytest.mark.parametrize(
    ("first", "last", "place"),
    [
        pytest.param("2026-12-01", "2026-12-01", (1, 1, False), id="one day"),
        pytest.param("2026-11-27", "2026-12-01", (0, 2, True), id="from before"),
        pytest.param("2026-12-05", "2026-12-09", (5, 2, False), id="beyond"),
    ],
)
def test_layout_of_whole_days(first: str, last: str, place: tuple[int, int, bool]) -> None:
    found = week(("2026-12-01 00:00:00", None), dateStartDate=first, dateEndDate=last)

    [entry] = found.lane
    assert (entry.day, entry.span, entry.continued) == place
