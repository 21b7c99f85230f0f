"""Graph's events as meetings: recorded-like events with what the service leaves out or spells oddly."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from calsync_plugin.domain.meeting import (
    Attendee,
    JsonValue,
    Participation,
    Response,
    Sensitivity,
    ShowAs,
)
from calsync_plugin.domain.timespan import AllDay, Timed
from calsync_plugin.errors import InvalidEvent
from calsync_plugin.graph.calendar import MARKER
from calsync_plugin.graph.events import read_event, with_label, without_label
from calsync_plugin.graph.protocol import JsonObject


def event(**changed: JsonValue) -> JsonObject:
    """An event as Graph answers it (Graph docs, "Create event", response)."""
    full: JsonObject = {
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users('x')/events/$entity",
        "@odata.etag": 'W/"ZlnW4RIAV06KYYwlrfNZvQAAKGWwbw=="',
        "id": "AAMkAGIAAAoZDOFAAA=",
        "changeKey": "ZlnW4RIAV06KYYwlrfNZvQAAKGWwbw==",
        "iCalUId": "040000008200E00074C5B7101A82E008",
        "transactionId": "t1",
        "originalStartTimeZone": "Pacific Standard Time",
        "originalEndTimeZone": "Pacific Standard Time",
        "reminderMinutesBeforeStart": 15,
        "isReminderOn": True,
        "subject": "Let's go for lunch",
        "importance": "normal",
        "sensitivity": "normal",
        "isAllDay": False,
        "isCancelled": False,
        "isOrganizer": True,
        "seriesMasterId": None,
        "showAs": "busy",
        "type": "singleInstance",
        "isOnlineMeeting": False,
        "onlineMeetingProvider": "unknown",
        "onlineMeeting": None,
        "recurrence": None,
        "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"},
        "body": {
            "contentType": "html",
            "content": "<html><head><meta></head><body>Does noon work?<br>\r\nYes</body></html>",
        },
        "start": {"dateTime": "2026-04-15T19:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-04-15T21:00:00.9999999", "timeZone": "UTC"},
        "location": {"displayName": "Harry's Bar", "locationType": "default"},
        "attendees": [
            {
                "type": "required",
                "status": {"response": "accepted", "time": "2026-04-01T00:00:00Z"},
                "emailAddress": {"name": "Samantha Booth", "address": "SamanthaB@contoso.com"},
            }
        ],
        "organizer": {"emailAddress": {"name": "Dana Swope", "address": "DanaS@contoso.com"}},
    }
    return {**full, **changed}


def test_a_whole_event() -> None:
    view = read_event(event())
    assert (view.id, view.etag) == ("AAMkAGIAAAoZDOFAAA=", 'W/"ZlnW4RIAV06KYYwlrfNZvQAAKGWwbw=="')
    assert (view.ical_uid, view.transaction_id) == ("040000008200E00074C5B7101A82E008", "t1")
    assert (view.is_organizer, view.cancelled, view.type, view.series_master_id) == (
        True,
        False,
        "singleInstance",
        "",
    )
    meeting = view.meeting
    assert meeting.subject == "Let's go for lunch"
    assert meeting.span == Timed(datetime(2026, 4, 15, 19, tzinfo=UTC), datetime(2026, 4, 15, 21, tzinfo=UTC))
    assert meeting.location == "Harry's Bar"
    assert meeting.description == "Does noon work?\nYes"
    assert meeting.attendees == (
        Attendee("samanthab@contoso.com", "Samantha Booth", response=Response.ACCEPTED),
    )
    assert meeting.organizer == Attendee("danas@contoso.com", "Dana Swope")
    assert (meeting.reminder, meeting.sensitivity, meeting.show_as) == (15, Sensitivity.NORMAL, ShowAs.BUSY)
    assert (meeting.zone, view.zone) == ("Pacific Standard Time", "Pacific Standard Time")
    assert view.mails is True
    assert view.skeletal is False


def test_a_meeting_reads_the_same_whatever_the_zone_it_is_shown_in() -> None:
    shown = event(
        start={"dateTime": "2026-04-15T12:00:00.0000000", "timeZone": "Pacific Standard Time"},
        end={"dateTime": "2026-04-15T14:00:00", "timeZone": "America/Los_Angeles"},
    )
    assert read_event(shown).meeting.span == read_event(event()).meeting.span


@pytest.mark.parametrize("name", [name for name in event() if name not in {"id", "start", "end", "isAllDay"}])
def test_whatever_is_null_or_missing_is_stood(name: str) -> None:
    for changed in (event(**{name: None}), {k: v for k, v in event().items() if k != name}):
        assert read_event(changed).id == "AAMkAGIAAAoZDOFAAA="


def test_delta_says_little_of_an_occurrence() -> None:
    view = read_event(
        {
            "@odata.type": "#microsoft.graph.event",
            "@odata.etag": 'W/"1"',
            "id": "o1",
            "seriesMasterId": "m1",
            "type": "occurrence",
            "start": {"dateTime": "2026-04-15T19:00:00.0000000", "timeZone": "UTC"},
            "end": {"dateTime": "2026-04-15T20:00:00.0000000", "timeZone": "UTC"},
        }
    )
    assert (view.skeletal, view.type, view.series_master_id, view.mails) == (True, "occurrence", "m1", False)


def test_an_occurrence_knows_its_slot() -> None:
    assert read_event(event(originalStart="2026-04-15T12:00:00Z")).original_start == datetime(
        2026, 4, 15, 12, tzinfo=UTC
    )


def day(text: str, zone: str = "UTC") -> JsonObject:
    return {"dateTime": text, "timeZone": zone}


DAYS = [
    pytest.param("2026-05-01T00:00:00.0000000", "2026-05-02T00:00:00.0000000", "UTC", 1, 2, id="one-day"),
    pytest.param("2026-05-01T00:00:00", "2026-05-04T00:00:00", "W. Europe Standard Time", 1, 4, id="three"),
    pytest.param("2026-05-01T00:00:00", "2026-05-01T00:00:00", "UTC", 1, 2, id="end-inclusive-by-mistake"),
    pytest.param("2026-05-01T07:00:00", "2026-05-02T07:00:00", "UTC", 1, 2, id="converted-from-the-west"),
    pytest.param("2026-05-01T00:00:00", "2026-05-02T00:00:00", "tzone://Microsoft/Custom", 1, 2, id="custom"),
]


@pytest.mark.parametrize(("start", "end", "zone", "first", "until"), DAYS)
def test_all_day_is_dates(start: str, end: str, zone: str, first: int, until: int) -> None:
    view = read_event(event(isAllDay=True, start=day(start, zone), end=day(end, zone)))
    assert view.meeting.span == AllDay(date(2026, 5, first), date(2026, 5, until))


def test_days_that_were_converted_without_a_known_zone_are_the_nearest() -> None:
    view = read_event(
        event(
            isAllDay=True,
            originalStartTimeZone="tzone://Microsoft/Custom",
            start=day("2026-04-30T22:00:00"),
            end=day("2026-05-01T22:00:00"),
        )
    )
    assert view.meeting.span == AllDay(date(2026, 5, 1), date(2026, 5, 2))


ZONES = [
    pytest.param("W. Europe Standard Time", "W. Europe Standard Time", id="windows"),
    pytest.param("Europe/Vienna", "Europe/Vienna", id="iana"),
    pytest.param("tzone://Microsoft/Custom", "", id="custom"),
    pytest.param("Customized Time Zone", "", id="customized"),
    pytest.param("tzone://Microsoft/Utc", "tzone://Microsoft/Utc", id="utc"),
    pytest.param("", "", id="empty"),
]


@pytest.mark.parametrize(("name", "hint"), ZONES)
def test_the_zone_is_a_hint(name: str, hint: str) -> None:
    assert read_event(event(originalStartTimeZone=name)).meeting.zone == hint


UNUSABLE = [
    pytest.param({"id": None}, "no_id", id="no-id"),
    pytest.param({"start": None}, "no_time", id="no-start"),
    pytest.param({"end": {"dateTime": "soon", "timeZone": "UTC"}}, "no_time", id="no-time"),
    pytest.param({"start": day("2026-01-01T00:00:00", "Nowhere")}, "unknown_zone", id="unknown-zone"),
    pytest.param({"end": day("2026-01-01T00:00:00")}, "end_before_start", id="end-before-start"),
    pytest.param({"start": day("0001-01-01T00:00:00")}, "date_out_of_range", id="year-1"),
    pytest.param({"end": day("9999-12-31T00:00:00")}, "date_out_of_range", id="year-9999"),
    pytest.param(
        {"start": day("0001-01-01T00:00:00", "Asia/Tokyo")}, "date_out_of_range", id="before-year-1"
    ),
    pytest.param({"isAllDay": True, "start": day("0001-01-01T00:00:00")}, "date_out_of_range", id="day-1"),
]


@pytest.mark.parametrize(("changed", "reason"), UNUSABLE)
def test_an_unusable_event_has_a_reason_and_a_name(changed: JsonObject, reason: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        read_event(event(**changed))
    assert caught.value.reason == reason
    assert caught.value.item in {"event AAAoZDOFAAA=", "event"}


def test_an_unusable_event_keeps_its_subject_to_its_user() -> None:
    """The message is shown to administrators and logged."""
    with pytest.raises(InvalidEvent) as caught:
        read_event(event(start=None))
    assert "lunch" not in str(caught.value)


def person(address: str | None, kind: str = "required", response: str = "none") -> JsonObject:
    return {
        "type": kind,
        "status": {"response": response, "time": "0001-01-01T00:00:00Z"},
        "emailAddress": {"name": "N", "address": address},
    }


def test_the_set_of_attendees_is_people_once_each() -> None:
    x500 = "/o=ExchangeLabs/ou=Exchange/cn=Recipients/cn=ABC"
    raw: list[JsonValue] = [
        person("a@x.example", response="tentativelyAccepted"),
        person("A@X.example", response="declined"),
        person("b@x.example", "optional", "declined"),
        person("room@x.example", "resource", "accepted"),
        person("danas@CONTOSO.com"),
        person(x500, response="notResponded"),
        person(None),
        person(" "),
        {"type": "required"},
        {"emailAddress": None},
        "text",
        None,
    ]
    view = read_event(event(attendees=raw))
    assert [(a.address, a.response, a.participation) for a in view.meeting.attendees] == [
        ("a@x.example", Response.TENTATIVE, Participation.REQUIRED),
        ("b@x.example", Response.DECLINED, Participation.OPTIONAL),
        (x500.lower(), Response.NONE, Participation.REQUIRED),
    ]
    assert list(view.attendees) == raw


def test_the_owners_own_answer_is_theirs() -> None:
    view = read_event(event(isOrganizer=False, responseStatus={"response": "accepted"}))
    assert (view.is_organizer, view.response, view.mails) == (False, Response.ACCEPTED, False)


CHOICES = [
    pytest.param({"isReminderOn": False}, "reminder", None, id="reminder-off"),
    pytest.param({"reminderMinutesBeforeStart": 0}, "reminder", 0, id="reminder-at-start"),
    pytest.param({"reminderMinutesBeforeStart": "5"}, "reminder", None, id="reminder-text"),
    pytest.param({"sensitivity": "Private"}, "sensitivity", Sensitivity.PRIVATE, id="private"),
    pytest.param({"sensitivity": "odd"}, "sensitivity", Sensitivity.NORMAL, id="odd-sensitivity"),
    pytest.param({"showAs": "workingElsewhere"}, "show_as", ShowAs.WORKING_ELSEWHERE, id="elsewhere"),
    pytest.param({"showAs": "unknown"}, "show_as", ShowAs.BUSY, id="unknown-show-as"),
    pytest.param({"isCancelled": True}, "cancelled", True, id="cancelled"),
    pytest.param(
        {"body": {"contentType": "text", "content": "a <b>\r\n"}}, "description", "a <b>", id="text"
    ),
    pytest.param({"onlineMeeting": {"joinUrl": "https://j"}}, "join_url", "https://j", id="join-url"),
    pytest.param({"onlineMeeting": {"joinUrl": "https://j"}}, "online", True, id="online"),
    pytest.param({"isOnlineMeeting": True}, "online", True, id="online-without-address"),
]


@pytest.mark.parametrize(("changed", "name", "value"), CHOICES)
def test_single_properties(changed: JsonObject, name: str, value: object) -> None:
    assert getattr(read_event(event(**changed)).meeting, name) == value


def test_the_marker_is_read_where_it_was_asked_for() -> None:
    found: list[JsonValue] = [
        {"id": "String {x} Name y", "value": "z"},
        {"id": MARKER, "value": "inst:link"},
        7,
    ]
    assert read_event(event(singleValueExtendedProperties=found)).marker == "inst:link"
    assert read_event(event()).marker == ""


LABELS = [
    pytest.param("C: Call Dave", "C", "Call Dave", id="label"),
    pytest.param("c :Call Dave", "C", "Call Dave", id="any-case"),
    pytest.param("Call Dave", "C", "Call Dave", id="none"),
    pytest.param("CC: Dave", "C", "CC: Dave", id="longer-word"),
    pytest.param("C: C: x", "C", "C: x", id="only-one"),
    pytest.param("C: x", "", "C: x", id="no-label"),
    pytest.param("(x): y", "(x)", "y", id="odd-label"),
]


@pytest.mark.parametrize(("subject", "label", "bare"), LABELS)
def test_labels_are_taken_off(subject: str, label: str, bare: str) -> None:
    assert without_label(subject, label) == bare
    assert read_event(event(subject=subject), label=label).meeting.subject == bare


@pytest.mark.parametrize("label", ["", "C", "(x)"])
@pytest.mark.parametrize("subject", ["Call Dave", "C: Call", ""])
def test_labels_are_put_back(subject: str, label: str) -> None:
    assert without_label(with_label(subject, label), label) == subject


@pytest.mark.parametrize(
    ("subject", "bare", "label"),
    [
        pytest.param("Tel: Dave", "Dave", "Tel", id="present-one"),
        pytest.param("c: Dave", "Dave", "C", id="former-one"),
        pytest.param("Tel: C: Dave", "C: Dave", "Tel", id="never-both"),
        pytest.param("Dave", "Dave", "", id="none"),
    ],
)
def test_a_former_label_is_taken_off_as_well(subject: str, bare: str, label: str) -> None:
    view = read_event(event(subject=subject), label="Tel", former_label="C")
    assert (view.meeting.subject, view.label) == (bare, label)
