"""Paths, queries and headers of the calendar operations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest

from calsync_plugin.domain.meeting import Response
from calsync_plugin.graph import calendar
from calsync_plugin.graph.protocol import JsonObject, Request

ID = "AAMk/a+b=="
START = datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(hours=1)))
END = datetime(2027, 3, 1, tzinfo=UTC)
BUSY = "id,type,seriesMasterId,start,end,isAllDay,originalStartTimeZone,showAs,isCancelled,responseStatus"

REQUESTS = [
    pytest.param(calendar.get_calendar(), "GET", "/me/calendar", id="default-calendar"),
    pytest.param(calendar.get_calendar(ID), "GET", "/me/calendars/AAMk%2Fa%2Bb%3D%3D", id="calendar"),
    pytest.param(calendar.list_calendars(), "GET", "/me/calendars?$top=100", id="calendars"),
    pytest.param(calendar.mailbox_settings(), "GET", "/me/mailboxSettings", id="settings"),
    pytest.param(calendar.me(), "GET", "/me?$select=id,displayName,mail,userPrincipalName", id="me"),
    pytest.param(calendar.delete_event(ID), "DELETE", "/me/events/AAMk%2Fa%2Bb%3D%3D", id="delete"),
    pytest.param(calendar.calendar_of(ID), "GET", "/me/events/AAMk%2Fa%2Bb%3D%3D/calendar", id="calendar-of"),
    pytest.param(
        calendar.instances(ID, START, END),
        "GET",
        "/me/events/AAMk%2Fa%2Bb%3D%3D/instances"
        "?startDateTime=2026-03-01T00%3A00%3A00Z&endDateTime=2027-03-01T00%3A00%3A00Z&$top=100",
        id="instances",
    ),
    pytest.param(
        calendar.calendar_view_delta(START, END),
        "GET",
        "/me/calendarView/delta?startDateTime=2026-03-01T00%3A00%3A00Z&endDateTime=2027-03-01T00%3A00%3A00Z",
        id="delta",
    ),
    pytest.param(
        calendar.calendar_view_delta(START, END, calendar_id="c d"),
        "GET",
        "/me/calendars/c%20d/calendarView/delta"
        "?startDateTime=2026-03-01T00%3A00%3A00Z&endDateTime=2027-03-01T00%3A00%3A00Z",
        id="delta-of-a-calendar",
    ),
    pytest.param(
        calendar.list_looks(START, END, "c d"),
        "GET",
        "/me/calendars/c%20d/calendarView"
        "?startDateTime=2026-03-01T00%3A00%3A00Z&endDateTime=2027-03-01T00%3A00%3A00Z"
        "&$select=id,type,subject,start,end,isAllDay,attendees,organizer,isOrganizer&$top=100",
        id="looks",
    ),
    pytest.param(
        calendar.busy_view(START, END, "c d"),
        "GET",
        "/me/calendars/c%20d/calendarView"
        "?startDateTime=2026-03-01T00%3A00%3A00Z&endDateTime=2027-03-01T00%3A00%3A00Z"
        f"&$select={BUSY}&$top=500",
        id="busy",
    ),
    pytest.param(
        calendar.busy_instances(ID, START, END),
        "GET",
        "/me/events/AAMk%2Fa%2Bb%3D%3D/instances"
        "?startDateTime=2026-03-01T00%3A00%3A00Z&endDateTime=2027-03-01T00%3A00%3A00Z"
        f"&$select={BUSY}&$top=500",
        id="busy-dates-of-a-series",
    ),
    pytest.param(
        calendar.follow("https://g/v1.0/x?$deltatoken=a%2Fb"),
        "GET",
        "https://g/v1.0/x?$deltatoken=a%2Fb",
        id="link",
    ),
]


@pytest.mark.parametrize(("request_", "method", "path"), REQUESTS)
def test_paths(request_: Request, method: str, path: str) -> None:
    assert (request_.method, request_.path) == (method, path)
    assert request_.repeatable is (method == "GET")


def query(request: Request) -> dict[str, str]:
    """The query as the service decodes it, in which a plus would be a plus."""
    raw = urlsplit(request.path).query
    assert not set(raw) & set(' +{}#"')
    return {name: values[0] for name, values in parse_qs(raw, strict_parsing=True).items()}


MARKER = "String {b7a4f3c2-6c1d-4e0b-9d35-0f4c5a1e8d27} Name calsync"


def test_the_marker_never_changes() -> None:
    assert calendar.MARKER == MARKER


def test_events_are_found_by_what_only_they_have() -> None:
    expand = f"singleValueExtendedProperties($filter=id eq '{MARKER}')"
    assert query(calendar.get_event(ID)) == {"$expand": expand}
    found = query(calendar.find_by_marker("o'hara:1", calendar_id="c"))
    condition = f"ep: ep/id eq '{MARKER}' and ep/value eq 'o''hara:1'"
    assert found["$filter"] == f"singleValueExtendedProperties/Any({condition})"
    assert found["$expand"] == expand
    assert calendar.find_by_marker("x", calendar_id="c").path.startswith("/me/calendars/c/events?")
    assert calendar.find_by_marker("x").path.startswith("/me/events?")
    assert "startswith(ep/value,'inst:')" in query(calendar.list_marked("inst"))["$filter"]
    assert query(calendar.find_by_ical_uid("040'&#+"))["$filter"] == "iCalUId eq '040''&#+'"


def test_a_create_brings_key_and_marker_and_is_never_repeated() -> None:
    body: JsonObject = {"subject": "s"}
    request = calendar.create_event(body, transaction="t", marker="i:l", calendar_id="c", item="Meeting 1")
    assert (request.method, request.path, request.item) == ("POST", "/me/calendars/c/events", "Meeting 1")
    assert request.repeatable is False
    assert request.body == {
        "subject": "s",
        "transactionId": "t",
        "singleValueExtendedProperties": [{"id": MARKER, "value": "i:l"}],
    }
    assert body == {"subject": "s"}
    assert calendar.create_event(body, transaction="t", marker="m").path == "/me/calendar/events"


def test_changes_are_made_to_the_version_that_was_seen() -> None:
    update = calendar.update_event(ID, {"subject": "s"}, etag='W/"1"')
    assert (update.method, update.headers, update.repeatable) == ("PATCH", {"If-Match": 'W/"1"'}, False)
    assert calendar.delete_event(ID, etag="e").headers == {"If-Match": "e"}
    assert calendar.update_event(ID, {}).headers == {}


def test_pages_of_changes_have_a_size() -> None:
    assert calendar.calendar_view_delta(START, END, page=50).headers == {"Prefer": "odata.maxpagesize=50"}
    assert calendar.follow("/x", page=7).headers == {"Prefer": "odata.maxpagesize=7"}


ANSWERS = [
    pytest.param(Response.ACCEPTED, "accept", id="accept"),
    pytest.param(Response.DECLINED, "decline", id="decline"),
    pytest.param(Response.TENTATIVE, "tentativelyAccept", id="tentative"),
]


@pytest.mark.parametrize(("response", "action"), ANSWERS)
def test_an_invitation_is_answered_once_and_its_organizer_told(response: Response, action: str) -> None:
    request = calendar.respond(ID, response, item="Meeting 1")
    assert (request.method, request.path) == ("POST", f"/me/events/AAMk%2Fa%2Bb%3D%3D/{action}")
    assert (request.body, request.repeatable, request.item) == ({"sendResponse": True}, False, "Meeting 1")


def test_an_answer_cannot_be_taken_back() -> None:
    with pytest.raises(ValueError, match="taken back"):
        calendar.respond(ID, Response.NONE)


def test_a_master_tells_its_cancelled_occurrences_only_by_name() -> None:
    asked = query(calendar.get_master(ID, item="Meeting 1"))
    named = asked["$select"].split(",")
    assert {"id", "subject", "organizer", "recurrence", "cancelledOccurrences"} <= {*named}
    assert len(named) == len({*named})
    assert asked["$expand"] == f"singleValueExtendedProperties($filter=id eq '{MARKER}')"


@pytest.mark.parametrize(
    "make", [calendar.get_event, calendar.get_master, calendar.delete_event, calendar.calendar_of]
)
def test_an_empty_id_never_addresses_a_collection(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match="empty id"):
        make("")


def test_windows_need_instants() -> None:
    with pytest.raises(ValueError, match="aware"):
        calendar.instances(ID, START.replace(tzinfo=None), END)
