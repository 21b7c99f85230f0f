"""Who is free when: getSchedule with its refusals, working hours, and the published calendar."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar

from tests.contract.outlook.people import Person, code_of, event, json_of, weekly

SPAN = {
    "startTime": {"dateTime": "2026-11-24T00:00:00", "timeZone": "UTC"},
    "endTime": {"dateTime": "2026-11-26T00:00:00", "timeZone": "UTC"},
}
FEED = "/published/alice@example.com/calendar.ics"


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def _asked(person: Person, *addresses: str) -> list[dict[str, Any]]:
    answer = person.post("calendar/getSchedule", {"schedules": [*addresses], **SPAN})
    return list(json_of(answer)["value"])


def _set(client: FlaskClient, address: str, **values: Any) -> None:
    assert client.patch(f"/control/mailboxes/{address}", json=values).status_code == 200


def test_what_a_colleague_is_told(alice: Person, bob: Person) -> None:
    alice.post("events", event(showAs="oof", sensitivity="private"))
    days = {"start": {"dateTime": "2026-11-25T00:00:00", "timeZone": "W. Europe Standard Time"},
            "end": {"dateTime": "2026-11-26T00:00:00", "timeZone": "W. Europe Standard Time"}}  # fmt: skip
    alice.post("events", event(isAllDay=True) | days)
    (found,) = _asked(bob, "alice@example.com")
    told = [
        (item["start"]["dateTime"][:16], item["status"], item["subject"]) for item in found["scheduleItems"]
    ]
    # A day is a day of the mailbox, wherever it is asked from.
    assert told == [("2026-11-24T09:00", "oof", ""), ("2026-11-24T23:00", "busy", "Plan")]


def test_refusals(alice: Person, bob: Person, client: FlaskClient) -> None:
    _set(client, "alice@example.com", showsFreeBusy=False)
    hidden, unknown, own = _asked(bob, "alice@example.com", "nobody@example.com", "bob@example.com")
    assert hidden["error"]["responseCode"] == "ErrorNoFreeBusyAccess"
    assert unknown["error"]["responseCode"] == "ErrorMailRecipientNotFound"
    assert "error" not in own
    assert "error" not in _asked(alice, "alice@example.com")[0]
    _set(client, "bob@example.com", personal=True)
    answer = bob.post("calendar/getSchedule", {"schedules": ["alice@example.com"], **SPAN})
    assert (answer.status_code, code_of(answer)) == (403, "ErrorAccessDenied")


def test_working_hours(alice: Person, bob: Person, client: FlaskClient) -> None:
    hours = {
        "daysOfWeek": ["saturday"],
        "startTime": "10:00:00.0000000",
        "endTime": "12:00:00.0000000",
        "timeZone": {"name": "UTC"},
    }
    _set(client, "alice@example.com", workingHours=hours)
    assert json_of(alice.get("mailboxSettings"))["workingHours"] == hours
    assert _asked(bob, "alice@example.com")[0]["workingHours"] == hours
    assert client.patch("/control/mailboxes/alice@example.com", json={"mood": 1}).status_code == 400
    assert client.patch("/control/mailboxes/who@example.com", json={}).status_code == 400


def test_a_published_calendar(alice: Person, client: FlaskClient) -> None:
    alice.post(
        "events",
        event("Lunch; with, \\ a\nbreak and a name that is longer than a line of a file: Österreich"),
    )
    alice.post("events", event("Secret", hour=14, sensitivity="private", showAs="free"))
    alice.post("events", event("Weekly", day="2026-12-01", recurrence=weekly(start="2026-12-01", count=2)))
    answer = client.get(FEED)
    assert answer.mimetype == "text/calendar"
    assert max(len(line) for line in answer.data.split(b"\r\n")) <= 75
    events = Calendar.from_ical(answer.data).walk("VEVENT")
    assert [str(one["SUMMARY"])[:7] for one in events] == ["Lunch; ", "Private", "Weekly", "Weekly"]
    assert len({str(one["UID"]) for one in events}) == 4
    assert (str(events[1]["TRANSP"]), str(events[1]["X-MICROSOFT-CDO-BUSYSTATUS"])) == ("TRANSPARENT", "FREE")
    assert b"Secret" not in answer.data


def test_a_published_calendar_is_known_again(alice: Person, client: FlaskClient) -> None:
    first = client.get(FEED)
    assert client.get(FEED, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    alice.post("events", event())
    again = client.get(FEED, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200
    since = {"If-Modified-Since": again.headers["Last-Modified"]}
    assert client.get(FEED, headers=since).status_code == 304
    assert client.get("/published/nobody@example.com/calendar.ics").status_code == 404
