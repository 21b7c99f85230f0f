"""Rules of single events: what Graph fills in, what it refuses, how it shows times and bodies."""

from __future__ import annotations

import pytest

from calsync_plugin.sandbox.outlook import Simulator
from tests.contract.outlook.people import Json, Person, attendee, code_of, event, json_of

BERLIN = "W. Europe Standard Time"


def moment(text: str, zone: str = BERLIN) -> Json:
    return {"dateTime": text, "timeZone": zone}


def test_defaults_of_an_event(alice: Person) -> None:
    made = alice.create()
    expected = {
        "showAs": "busy",
        "sensitivity": "normal",
        "importance": "normal",
        "isReminderOn": True,
        "reminderMinutesBeforeStart": 15,
        "responseRequested": True,
        "allowNewTimeProposals": True,
        "isOrganizer": True,
        "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"},
        "seriesMasterId": None,
        "recurrence": None,
        "onlineMeeting": None,
        "transactionId": None,
        "type": "singleInstance",
        "originalStartTimeZone": BERLIN,
    }
    assert {name: made[name] for name in expected} == expected
    assert made["@odata.etag"] == f'W/"{made["changeKey"]}"'
    assert made["start"] == moment("2026-11-24T09:00:00.0000000", "UTC")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param(
            {"start": moment("2026-11-24T12:00:00")}, "ErrorPropertyValidationFailure", id="end before start"
        ),
        pytest.param(
            {"start": moment("2026-11-24T10:00:00", "Mars/Olympus")},
            "TimeZoneNotSupportedException",
            id="zone",
        ),
        pytest.param({"start": moment("0001-01-01T10:00:00")}, "ErrorInvalidRequest", id="year 1"),
        pytest.param({"end": moment("9999-12-31T10:00:00")}, "ErrorInvalidRequest", id="year 9999"),
        pytest.param({"start": moment("tomorrow")}, "RequestBodyRead", id="no date"),
        pytest.param({"isAllDay": True}, "ErrorPropertyValidationFailure", id="all-day off midnight"),
        pytest.param({"showAs": "asleep"}, "RequestBodyRead", id="unknown enumeration value"),
        pytest.param({"colour": "red"}, "RequestBodyRead", id="unknown property"),
        pytest.param({"attendees": [attendee("nobody")]}, "ErrorInvalidRecipients", id="no address"),
        pytest.param(
            {"attendees": [attendee(f"p{n}@example.com") for n in range(501)]},
            "ErrorInvalidRequest",
            id="501 attendees",
        ),
        pytest.param({"attendees": "bob"}, "RequestBodyRead", id="attendees no list"),
        pytest.param({"reminderMinutesBeforeStart": "ten"}, "RequestBodyRead", id="reminder no number"),
        pytest.param(
            {"singleValueExtendedProperties": [{"id": "Mark", "value": "x"}]},
            "ErrorInvalidProperty",
            id="property id",
        ),
        pytest.param({"end": None}, "RequestBodyRead", id="end null"),
    ],
)
def test_refused_on_create(alice: Person, change: Json, code: str) -> None:
    answer = alice.post("events", {**event(), **change})
    assert (answer.status_code, code_of(answer)) == (400, code)
    assert alice.events() == []


@pytest.mark.parametrize("name", ["start", "end"])
def test_start_and_end_are_needed(alice: Person, name: str) -> None:
    body = event()
    del body[name]
    assert alice.post("events", body).status_code == 400


def all_day(start: str, end: str, first: str = "UTC", last: str = "UTC") -> Json:
    return {"isAllDay": True, "start": moment(start, first), "end": moment(end, last)}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(all_day("2026-11-24T00:00:00", "2026-11-25T00:00:00"), 201, id="one day"),
        pytest.param(
            all_day("2026-11-24T00:00:00", "2026-11-28T00:00:00", BERLIN, BERLIN), 201, id="four days"
        ),
        pytest.param(all_day("2026-11-24T00:00:00", "2026-11-24T00:00:00"), 400, id="no day"),
        pytest.param(all_day("2026-11-24T00:00:00", "2026-11-25T01:00:00"), 400, id="end off midnight"),
        pytest.param(all_day("2026-11-24T00:00:00", "2026-11-25T00:00:00", BERLIN), 400, id="two zones"),
        pytest.param(
            all_day("2026-11-24T00:00:00", "2026-11-25T00:00:00", BERLIN, "Europe/Berlin"),
            201,
            id="one zone, two names",
        ),
    ],
)
def test_all_day(alice: Person, body: Json, status: int) -> None:
    assert alice.post("events", {"subject": "Fair", **body}).status_code == status


@pytest.mark.parametrize("zone", ["UTC", BERLIN, "Pacific Standard Time"])
def test_an_all_day_date_is_never_converted(alice: Person, zone: str) -> None:
    body = {"subject": "Fair", **all_day("2026-11-24T00:00:00", "2026-11-26T00:00:00", BERLIN, BERLIN)}
    made = json_of(alice.post("events", body, headers={"Prefer": f'outlook.timezone="{zone}"'}))
    assert made["start"] == moment("2026-11-24T00:00:00.0000000", zone)
    assert made["end"] == moment("2026-11-26T00:00:00.0000000", zone)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", "2026-11-24T09:00:00.0000000"),
        ("Tokyo Standard Time", "2026-11-24T18:00:00.0000000"),
        ("America/New_York", "2026-11-24T04:00:00.0000000"),
    ],
)
def test_times_in_the_preferred_zone(alice: Person, zone: str, expected: str) -> None:
    made = alice.create()
    answer = alice.get(
        f"events/{made['id']}", headers={"Prefer": f'outlook.timezone="{zone}", odata.maxpagesize=5'}
    )
    assert json_of(answer)["start"] == moment(expected, zone)
    assert f'outlook.timezone="{zone}"' in answer.headers["Preference-Applied"]


def test_an_unknown_preferred_zone_is_refused(alice: Person) -> None:
    answer = alice.get("events", headers={"Prefer": 'outlook.timezone="Mars"'})
    assert (answer.status_code, code_of(answer)) == (400, "TimeZoneNotSupportedException")


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        pytest.param("2026-03-29T02:30:00", "2026-03-29T01:30:00.0000000", id="in the spring gap"),
        pytest.param("2026-10-25T02:30:00", "2026-10-25T00:30:00.0000000", id="in the autumn fold"),
        pytest.param("2026-07-01T10:00:00.1234567", "2026-07-01T08:00:00.1234560", id="seven digits"),
        pytest.param("2026-07-01T10:00:00Z", "2026-07-01T10:00:00.0000000", id="with an offset"),
    ],
)
def test_local_times(alice: Person, local: str, utc: str) -> None:
    body = {"subject": "Early", "start": moment(local), "end": moment("2026-12-01T00:00:00")}
    assert json_of(alice.post("events", body))["start"]["dateTime"] == utc


@pytest.mark.usefixtures("loose_requests")
def test_enumerations_in_any_case(alice: Person) -> None:
    made = alice.create(
        showAs="OOF", importance="High", body={"contentType": "HTML", "content": "x"}, isReminderOn="false"
    )
    assert (made["showAs"], made["importance"], made["isReminderOn"]) == ("oof", "high", False)


@pytest.mark.parametrize(
    ("body", "prefer", "inside", "outside"),
    [
        pytest.param(
            {"contentType": "html", "content": "<p>Hi</p>"}, "html", "<p>Hi</p>", "", id="html is wrapped"
        ),
        pytest.param(
            {"contentType": "html", "content": "<html><body>Hi</body></html>"},
            "html",
            "\r\nHi\r\n",
            "",
            id="wrapped once",
        ),
        pytest.param(
            {"contentType": "html", "content": "<p>Hi</p><p>you</p>"},
            "text",
            "Hi\r\nyou",
            "<p>",
            id="as text",
        ),
        pytest.param(
            {"contentType": "text", "content": "a < b\nc"}, "html", "a &lt; b<br>", "a < b", id="text as html"
        ),
        pytest.param({"contentType": "text", "content": "a < b"}, "text", "a < b", "&lt;", id="text as text"),
        pytest.param(
            {"contentType": "html", "content": "x<script>alert(1)</script>"},
            "html",
            "x",
            "alert",
            id="scripts go",
        ),
        pytest.param(
            {"contentType": "html", "content": '<b onclick="f()">x</b>'},
            "html",
            "<b>x</b>",
            "onclick",
            id="handlers go",
        ),
    ],
)
def test_bodies(alice: Person, body: Json, prefer: str, inside: str, outside: str) -> None:
    made = alice.create(body=body)
    got = json_of(
        alice.get(f"events/{made['id']}", headers={"Prefer": f'outlook.body-content-type="{prefer}"'})
    )
    assert got["body"]["contentType"] == prefer
    assert inside in got["body"]["content"]
    assert not outside or outside not in got["body"]["content"]


def test_a_body_written_back_does_not_grow(alice: Person) -> None:
    made = alice.create(body={"contentType": "html", "content": "<p>Hi</p>"})
    again = json_of(alice.patch(f"events/{made['id']}", {"body": made["body"]}))
    assert again["body"] == made["body"]


def test_location_replaces_locations(alice: Person) -> None:
    made = alice.create(locations=[{"displayName": "A"}, {"displayName": "B"}])
    assert made["location"]["displayName"] == "A"
    changed = json_of(alice.patch(f"events/{made['id']}", {"location": {"displayName": "C"}}))
    assert [place["displayName"] for place in changed["locations"]] == ["C"]


@pytest.mark.usefixtures("loose_requests")
def test_read_only_properties_are_ignored(alice: Person) -> None:
    made = alice.create(
        iCalUId="mine", isOrganizer=False, changeKey="mine", responseStatus={"response": "declined"}
    )
    assert made["iCalUId"] != "mine"
    assert made["isOrganizer"]


def test_absent_properties_keep_their_values(alice: Person) -> None:
    made = alice.create(location={"displayName": "Room"}, categories=["Blue"])
    changed = json_of(alice.patch(f"events/{made['id']}", {"subject": "New"}))
    kept = ("location", "categories", "start", "end", "attendees", "iCalUId", "id")
    assert {name: changed[name] for name in kept} == {name: made[name] for name in kept}


def test_a_patch_is_checked_against_what_is_there(alice: Person) -> None:
    made = alice.create()
    assert alice.patch(f"events/{made['id']}", {"start": moment("2026-11-24T12:00:00")}).status_code == 400
    assert alice.patch(f"events/{made['id']}", {"isAllDay": True}).status_code == 400
    assert json_of(alice.get(f"events/{made['id']}"))["start"] == made["start"]


def test_an_online_meeting_gets_a_link_and_a_blob(alice: Person) -> None:
    made = alice.create(
        isOnlineMeeting=True,
        onlineMeetingProvider="teamsForBusiness",
        body={"contentType": "html", "content": "Hi"},
    )
    url = made["onlineMeeting"]["joinUrl"]
    assert url.startswith("https://teams.microsoft.com/l/meetup-join/")
    assert "Hi" in made["body"]["content"]
    assert "Join the meeting" in made["body"]["content"]
    off = json_of(alice.patch(f"events/{made['id']}", {"isOnlineMeeting": False}))
    assert off["isOnlineMeeting"], "Outlook ignores any further change of isOnlineMeeting"


@pytest.mark.parametrize(("ends", "online"), [(True, False), (False, True)])
def test_a_body_without_the_blob(alice: Person, sim: Simulator, ends: bool, online: bool) -> None:
    sim.switches = sim.switches.changed({"body_without_blob_ends_online_meeting": ends})
    made = alice.create(isOnlineMeeting=True)
    kept = json_of(alice.patch(f"events/{made['id']}", {"body": made["body"]}))
    assert kept["isOnlineMeeting"]
    lost = json_of(alice.patch(f"events/{made['id']}", {"body": {"contentType": "html", "content": "New"}}))
    assert lost["isOnlineMeeting"] is online
    assert (lost["onlineMeeting"] is not None) is online


def test_an_event_becomes_a_meeting_online_later(alice: Person) -> None:
    made = alice.create(body={"contentType": "html", "content": "Hi"})
    changed = json_of(alice.patch(f"events/{made['id']}", {"isOnlineMeeting": True}))
    assert changed["onlineMeeting"]["joinUrl"]
    assert changed["onlineMeetingProvider"] == "teamsForBusiness"
    assert "Hi" in changed["body"]["content"]


@pytest.mark.parametrize(("refuse", "status"), [(False, 201), (True, 400)])
def test_a_long_subject(alice: Person, sim: Simulator, refuse: bool, status: int) -> None:
    sim.switches = sim.switches.changed({"refuse_long_subject": refuse})
    assert alice.post("events", event("x" * 5000)).status_code == status


def test_open_extensions(alice: Person) -> None:
    made = alice.create()
    path = f"events/{made['id']}/extensions"
    assert (
        alice.post(
            path, {"@odata.type": "microsoft.graph.openTypeExtension", "extensionName": "com.x", "n": 1}
        ).status_code
        == 201
    )
    assert json_of(alice.patch(f"{path}/com.x", {"extensionName": "com.x", "n": 2}))["n"] == 2
    assert len(json_of(alice.get(path))["value"]) == 1
    assert alice.delete(f"{path}/com.x").status_code == 204
    assert alice.get(f"{path}/com.x").status_code == 404
