"""The calendar page over plain HTTP: what a browser without script would see and send."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from calsync_plugin.sandbox.outlook import Simulator
from tests.contract.outlook.people import Person, attendee, json_of, weekly

FORM = {
    "mailbox": "alice@example.com",
    "week": "2026-11-23",
    "zone": "W. Europe Standard Time",
    "subject": "Plan",
    "start": "2026-11-24T10:00",
    "end": "2026-11-24T11:00",
    "location": "",
    "attendees": "",
    "description": "",
    "showAs": "busy",
    "sensitivity": "normal",
}


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    return app.test_client()


def send(browser: FlaskClient, path: str = "/page/events", **fields: str) -> str:
    """Send a form and return the page that follows."""
    answer = browser.post(path, data={**FORM, **fields}, follow_redirects=True)
    assert answer.status_code == 200
    return answer.text


def shown(page: str) -> list[str]:
    return [html.unescape(name) for name in re.findall(r'data-event-subject="([^"]*)"', page)]


def ids(page: str) -> list[str]:
    return re.findall(r'data-event-id="([^"]*)"', page)


def test_an_empty_week_says_so(browser: FlaskClient) -> None:
    page = browser.get("/").text
    assert "Nothing in this week" in page
    assert "No mail yet" in page
    assert shown(page) == []


def test_create_move_and_delete(browser: FlaskClient, alice: Person) -> None:
    page = send(browser)
    assert shown(page) == ["Plan"]
    page = send(browser, id=ids(page)[0], start="2026-11-25T14:00", end="2026-11-25T15:00", subject="Moved")
    (event,) = alice.events()
    assert (event["subject"], event["start"]["dateTime"]) == ("Moved", "2026-11-25T13:00:00.0000000")
    assert shown(send(browser, "/page/events/delete", id=ids(page)[0])) == []


def test_other_weeks_and_mailboxes(browser: FlaskClient) -> None:
    send(browser)
    assert shown(browser.get("/?week=2026-11-30").text) == []
    assert shown(browser.get("/?mailbox=bob@example.com&week=2026-11-23").text) == []
    assert shown(browser.get("/?week=2026-11-26").text) == ["Plan"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"end": "2026-11-24T09:00"}, "lies before its start"),
        ({"attendees": "nobody"}, "is no e-mail address"),
        ({"start": ""}, "cannot be converted"),
        ({"id": "nonsense"}, "Id is malformed"),
    ],
)
def test_what_is_refused_is_said(browser: FlaskClient, fields: dict[str, str], reason: str) -> None:
    page = send(browser, **fields)
    assert 'id="error"' in page
    assert reason in page


def test_what_people_type_is_never_markup(browser: FlaskClient) -> None:
    evil = "<script>alert('x')</script>\"'"
    page = send(browser, subject=evil, location=evil, description=evil, attendees="dave@contoso.example")
    assert "<script>alert" not in page
    assert shown(page) == [evil]


def test_an_invitation_is_answered(browser: FlaskClient, alice: Person) -> None:
    send(browser, attendees="bob@example.com; dave@contoso.example")
    page = browser.get("/?mailbox=bob@example.com&week=2026-11-23").text
    assert "unanswered" in page
    send(browser, "/page/events/accepted", id=ids(page)[0], mailbox="bob@example.com")
    (event,) = alice.events()
    assert [one["status"]["response"] for one in event["attendees"]] == ["accepted", "none"]
    page = browser.get("/").text
    assert re.findall(r'data-mail-kind="(\w+)"', page) == ["response", "invitation", "invitation"]


def test_saving_keeps_responses_and_what_was_not_changed(
    browser: FlaskClient, alice: Person, bob: Person
) -> None:
    made = alice.create(
        attendees=[attendee("bob@example.com")],
        body={"contentType": "html", "content": "<p>One</p><p>Two</p>"},
        isOnlineMeeting=True,
        start={"dateTime": "2026-11-24T18:00:00", "timeZone": "Tokyo Standard Time"},
        end={"dateTime": "2026-11-24T19:00:00", "timeZone": "Tokyo Standard Time"},
    )
    (own,) = bob.events()
    bob.post(f"events/{own['id']}/decline", {})
    page = browser.get("/?week=2026-11-23").text
    kept = {"id": ids(page)[0], "attendees": "bob@example.com", "description": "One\r\nTwo"}
    send(browser, **kept)
    assert [mail.kind for mail in _mails(browser)] == ["invitation", "response"]
    send(browser, **{**kept, "subject": "New", "attendees": "bob@example.com, dave@contoso.example"})
    changed = json_of(alice.get(f"events/{made['id']}"))
    assert [one["status"]["response"] for one in changed["attendees"]] == ["declined", "none"]
    assert changed["body"] == made["body"]
    assert changed["originalStartTimeZone"] == "Tokyo Standard Time"
    send(browser, **{**kept, "description": "Three", "attendees": "bob@example.com, dave@contoso.example"})
    changed = json_of(alice.get(f"events/{made['id']}"))
    assert "Three" in changed["body"]["content"]
    assert changed["isOnlineMeeting"]


def _mails(browser: FlaskClient) -> list[Any]:
    sim = browser.application.extensions["outlook"]
    assert isinstance(sim, Simulator)
    return sim.state.mails


def test_series_and_whole_days(browser: FlaskClient, alice: Person) -> None:
    send(browser, subject="Series", repeat="weekly", count="3")
    send(browser, subject="Fair", allDay="on", start="2026-11-26", end="2026-11-27")
    events = {one["subject"]: one for one in alice.events()}
    assert events["Series"]["recurrence"]["range"]["numberOfOccurrences"] == 3
    assert events["Fair"]["end"]["dateTime"] == "2026-11-28T00:00:00.0000000"
    page = browser.get("/?week=2026-11-30").text
    assert shown(page) == ["Series"]
    assert shown(send(browser, "/page/events/delete", id=ids(page)[0], week="2026-11-30")) == []
    assert "Series" in shown(browser.get("/?week=2026-12-07").text)
    page = browser.get("/?week=2026-12-07").text
    send(browser, "/page/events/delete-series", id=ids(page)[0])
    assert [one["subject"] for one in alice.events()] == ["Fair"]


@pytest.mark.parametrize("kind", ["daily", "monthly"])
def test_other_repetitions(browser: FlaskClient, alice: Person, kind: str) -> None:
    send(browser, repeat=kind, count="2")
    assert alice.events()[0]["type"] == "seriesMaster"


def test_the_refresh_follows_a_counter(browser: FlaskClient, alice: Person) -> None:
    alice.create(recurrence=weekly())
    counter = json_of(browser.get("/control/counter"))["counter"]
    answer = browser.get("/page/week?week=2026-11-23")
    assert answer.headers["X-Counter"] == str(counter)
    assert f'data-counter="{counter}"' in answer.text
    assert shown(answer.text) == ["Plan"]
    alice.create()
    assert json_of(browser.get("/control/counter"))["counter"] != counter


def test_a_form_of_another_site_is_refused(browser: FlaskClient, alice: Person) -> None:
    answer = browser.post("/page/events", data=FORM, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert alice.events() == []


def test_an_event_moves_to_another_calendar(browser: FlaskClient, alice: Person) -> None:
    assert 'name="calendar"' not in browser.get("/").text, "one calendar gives no choice"
    other = json_of(alice.post("calendars", {"name": "Private"}))["id"]
    page = send(browser, calendar=other)
    assert "<option value=" in page
    assert ">Private</option>" in page
    (made,) = json_of(alice.get(f"calendars/{other}/events"))["value"]
    main = json_of(alice.get("calendar"))["id"]
    page = send(browser, id=ids(page)[0], calendar=main)
    assert shown(page) == ["Plan"]
    assert json_of(alice.get(f"calendars/{other}/events"))["value"] == []
    assert [one["subject"] for one in json_of(alice.get(f"calendars/{main}/events"))["value"]] == ["Plan"]
    assert alice.get(f"events/{made['id']}").status_code == 404, "the default id changes with the calendar"
    assert "not found" in send(browser, id=ids(page)[0], calendar=other[:-1] + "A")
