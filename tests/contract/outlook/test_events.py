"""Rules of single events: what Graph fills in, what it refuses, how it shows times, ids and bodies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from calsync_plugin.sandbox.outlook import Simulator
from tests.contract.outlook.people import IMMUTABLE, MARK, Json, Person, attendee, code_of, event, json_of

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


# Ids


def test_both_ids_name_one_event(alice: Person) -> None:
    made = alice.create()
    immutable = json_of(alice.get(f"events/{made['id']}", headers=IMMUTABLE))["id"]
    assert immutable != made["id"]
    assert json_of(alice.get(f"events/{immutable}"))["id"] == made["id"]
    body = {"inputIds": [made["id"], "x"], "sourceIdType": "restId", "targetIdType": "restImmutableEntryId"}
    values = json_of(alice.post("translateExchangeIds", body))["value"]
    assert values[0]["targetId"] == immutable
    assert values[1]["errorDetails"]["code"] == "ErrorInvalidIdMalformed"


def test_a_move_changes_the_default_id_only(alice: Person) -> None:
    other = json_of(alice.post("calendars", {"name": "Second"}))
    made = alice.create(headers=IMMUTABLE)
    default = json_of(alice.get(f"events/{made['id']}"))["id"]
    moved = alice.post(
        "/control/mailboxes/alice@example.com/events/move", {"id": made["id"], "calendar": other["id"]}
    )
    assert alice.get(f"events/{default}").status_code == 404
    assert alice.get(f"events/{json_of(moved)['id']}").status_code == 200
    assert alice.get(f"calendars/{other['id']}/events/{made['id']}").status_code == 200
    assert alice.get(f"calendar/events/{made['id']}").status_code == 200
    assert alice.events() == []


def test_ids_are_case_sensitive(alice: Person) -> None:
    ids = [alice.create(f"{number}")["id"] for number in range(60)]
    twins = {one.lower(): one for one in ids}
    assert len(set(ids)) == 60
    assert len(twins) < 60, "some ids have to differ in case only, as Exchange's do"
    subjects = [json_of(alice.get(f"events/{one}"))["subject"] for one in ids]
    assert subjects == [f"{number}" for number in range(60)]


@pytest.mark.parametrize("text", ["x", "AAMkAGI1", "AAMkAG!!", "%20"])
def test_a_malformed_id(alice: Person, text: str) -> None:
    answer = alice.get(f"events/{text}")
    assert (answer.status_code, code_of(answer)) == (400, "ErrorInvalidIdMalformed")


def test_an_id_of_another_mailbox(alice: Person, bob: Person) -> None:
    made = alice.create()
    answer = bob.get(f"events/{made['id']}")
    assert (answer.status_code, code_of(answer)) == (404, "ErrorItemNotFound")


# Deletion


@pytest.mark.parametrize(("setting", "status"), [(404, 404), (200, 200)])
def test_a_deleted_event_by_its_immutable_id(
    alice: Person, sim: Simulator, setting: int, status: int
) -> None:
    sim.switches = sim.switches.changed({"deleted_by_immutable_id": setting})
    made = alice.create(headers=IMMUTABLE)
    assert alice.delete(f"events/{made['id']}").status_code == 204
    assert alice.get(f"events/{made['id']}").status_code == status
    calendar = json_of(alice.get("calendar"))["id"]
    assert alice.get(f"calendars/{calendar}/events/{made['id']}").status_code == 404
    assert alice.events() == []


def test_a_permanent_delete_leaves_nothing(alice: Person, sim: Simulator) -> None:
    sim.switches = sim.switches.changed({"deleted_by_immutable_id": 200})
    made = alice.create(headers=IMMUTABLE)
    assert alice.post(f"events/{made['id']}/permanentDelete").status_code == 204
    assert alice.get(f"events/{made['id']}").status_code == 404


# transactionId and If-Match


def test_a_replay_gives_the_same_event(alice: Person) -> None:
    first, again = (
        alice.create(transactionId="t1", attendees=[attendee("dave@contoso.example")]) for _ in range(2)
    )
    assert first["id"] == again["id"]
    assert again["transactionId"] == "t1"
    assert len(alice.events()) == 1
    assert len(json_of(alice.get("/control/mails"))["mails"]) == 1


@pytest.mark.parametrize("status", [400, 409])
def test_a_transaction_id_for_another_event(alice: Person, sim: Simulator, status: int) -> None:
    sim.switches = sim.switches.changed({"duplicate_transaction_status": status})
    made = alice.create(transactionId="t1")
    answer = alice.post("events", event("Other", transactionId="t1"))
    assert (answer.status_code, code_of(answer)) == (status, "ErrorDuplicateTransactionId")
    assert json_of(answer)["error"]["@event.existingEventId"] == made["id"]
    alice.delete(f"events/{made['id']}")
    assert alice.post("events", event(transactionId="t1")).status_code == status


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("enforce", "tag", "refused"),
    [
        (True, "old", True),
        (True, "new", False),
        (True, "*", False),
        (False, "old", False),
    ],
)
def test_if_match(alice: Person, sim: Simulator, method: str, enforce: bool, tag: str, refused: bool) -> None:
    sim.switches = sim.switches.changed({"enforce_if_match": enforce})
    old = alice.create()
    new = json_of(alice.patch(f"events/{old['id']}", {"subject": "New"}))
    headers = {"If-Match": {"old": old["@odata.etag"], "new": new["@odata.etag"], "*": "*"}[tag]}
    path = f"events/{old['id']}"
    answer = (
        alice.patch(path, {"subject": "X"}, headers=headers)
        if method == "PATCH"
        else alice.delete(path, headers=headers)
    )
    assert (answer.status_code == 412) == refused
    if refused:
        assert code_of(answer) == "ErrorIrresolvableConflict"


# Online meetings


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


# Extended properties and lists


@pytest.mark.parametrize(
    ("clause", "found"),
    [
        pytest.param(f"ep/id eq '{MARK}' and ep/value eq 'LINK-1'", ["A"], id="value in any case"),
        pytest.param(
            f"ep/id eq '{MARK.replace('Name Cal', 'Name cal')}' and ep/value eq 'link-1'",
            [],
            id="name in its case",
        ),
        pytest.param(f"ep/id eq '{MARK}' and startswith(ep/value,'link')", ["A", "B"], id="startswith"),
        pytest.param(f"ep/id eq '{MARK}' and contains(ep/value, '-2')", ["B"], id="contains"),
        pytest.param(f"ep/id eq '{MARK}' and ep/value ne 'link-1'", ["B"], id="ne"),
    ],
)
def test_filter_by_extended_property(alice: Person, clause: str, found: list[str]) -> None:
    for subject, value in (("A", "link-1"), ("B", "link-2")):
        alice.create(subject, singleValueExtendedProperties=[{"id": MARK, "value": value}])
    alice.create("C")
    events = alice.events(filter=f"singleValueExtendedProperties/Any(ep: {clause})")
    assert [one["subject"] for one in events] == found
    assert all("singleValueExtendedProperties" not in one for one in events)


def test_an_extended_property_spans_the_mailbox_and_follows_changes(alice: Person) -> None:
    other = json_of(alice.post("calendars", {"name": "Second"}))
    body = event(singleValueExtendedProperties=[{"id": MARK, "value": "one"}])
    made = json_of(alice.post(f"calendars/{other['id']}/events", body))
    wanted = "singleValueExtendedProperties/Any(ep: ep/id eq '{}' and ep/value eq '{}')"
    assert len(alice.events(filter=wanted.format(MARK, "one"))) == 1
    alice.patch(f"events/{made['id']}", {"singleValueExtendedProperties": [{"id": MARK, "value": "two"}]})
    assert alice.events(filter=wanted.format(MARK, "one")) == []
    assert len(alice.events(filter=wanted.format(MARK, "two"))) == 1
    got = json_of(
        alice.get(f"events/{made['id']}", expand=f"singleValueExtendedProperties($filter=id eq '{MARK}')")
    )
    assert got["singleValueExtendedProperties"] == [{"id": MARK, "value": "two"}]
    assert alice.get(f"events/{made['id']}", expand="singleValueExtendedProperties").status_code == 400
    alice.delete(f"events/{made['id']}")
    assert alice.events(filter=wanted.format(MARK, "two")) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param({"filter": "subject eq 'b'"}, ["B"], id="subject"),
        pytest.param({"filter": "start/dateTime ge '2026-11-25T00:00:00Z'"}, ["B", "C"], id="start"),
        pytest.param({"filter": "end/dateTime lt '2026-11-25' or subject eq 'C'"}, ["A", "C"], id="or"),
        pytest.param({"filter": "not (contains(subject, 'a')) and isAllDay eq false"}, ["B", "C"], id="not"),
        pytest.param({"filter": "startswith(subject,'a')"}, ["A"], id="startswith"),
        pytest.param({"filter": "transactionId eq 't-B'"}, ["B"], id="transaction"),
        pytest.param({"orderby": "start/dateTime desc"}, ["C", "B", "A"], id="descending"),
        pytest.param({"top": 2, "skip": 1}, ["B", "C"], id="part"),
    ],
)
def test_lists(alice: Person, query: dict[str, Any], found: list[str]) -> None:
    for number, subject in enumerate("ABC"):
        alice.create(subject, day=f"2026-11-2{4 + number}", transactionId=f"t-{subject}")
    assert [one["subject"] for one in alice.events(**query)] == found


def test_filter_by_icaluid_and_select(alice: Person) -> None:
    made = alice.create("A")
    alice.create("B")
    (found,) = alice.events(filter=f"iCalUId eq '{made['iCalUId']}'", select="subject")
    assert found == {"@odata.etag": made["@odata.etag"], "id": made["id"], "subject": "A"}


def test_pages(alice: Person) -> None:
    for number in range(25):
        alice.create(f"{number}")
    subjects: list[str] = []
    link, pages = "events?$count=true", 0
    while link:
        body = json_of(alice.get(link))
        assert body["@odata.count"] == 25
        subjects += [one["subject"] for one in body["value"]]
        link, pages = body.get("@odata.nextLink", ""), pages + 1
    assert (pages, subjects) == (3, [f"{number}" for number in range(25)])


@pytest.mark.parametrize(
    "query",
    [
        {"filter": "subject"},
        {"filter": "smell eq 'x'"},
        {"orderby": "smell"},
        {"top": 0},
        {"top": 1001},
        {"top": "x"},
        {"expand": "nothing"},
    ],
)
def test_bad_queries(alice: Person, query: dict[str, Any]) -> None:
    assert alice.get("events", **query).status_code == 400


# Envelope, tokens, paths


def test_the_error_envelope_echoes_the_clients_id(alice: Person) -> None:
    answer = alice.get("events/x", headers={"client-request-id": "c-1"})
    inner = json_of(answer)["error"]["innerError"]
    assert inner["client-request-id"] == answer.headers["client-request-id"] == "c-1"
    assert inner["request-id"] == answer.headers["request-id"]


@pytest.mark.parametrize(
    "token", ["", "Bearer", "Bearer nonsense", "Bearer sandbox:nobody@example.com", "Basic x"]
)
def test_no_token(alice: Person, token: str) -> None:
    answer = alice.get("events", headers={"Authorization": token})
    assert (answer.status_code, code_of(answer)) == (401, "InvalidAuthenticationToken")


@pytest.mark.parametrize(
    ("call", "status"),
    [
        pytest.param(lambda one: one.get("nonsense"), 400, id="unknown segment"),
        pytest.param(lambda one: one.delete("events"), 405, id="unknown method"),
        pytest.param(lambda one: one.get("/v1.0/users/nobody@example.com/events"), 404, id="unknown user"),
        pytest.param(lambda one: one.post("events", event(subject="x" * 4_200_000)), 413, id="over 4 MB"),
        pytest.param(lambda one: one.post("events", [1]), 400, id="no object"),
        pytest.param(lambda one: one.post("findMeetingTimes", {}), 501, id="no suggestions"),
    ],
)
def test_refused_requests(alice: Person, call: Callable[[Person], Any], status: int) -> None:
    assert call(alice).status_code == status


@pytest.mark.parametrize(
    "path", ["/v1.0/users/alice@example.com/events", "/v1.0/Me/Events", "calendar/events"]
)
def test_spellings_of_a_path(alice: Person, path: str) -> None:
    alice.create()
    assert len(json_of(alice.get(path))["value"]) == 1


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
