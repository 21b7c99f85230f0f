"""Meetings as Graph's events: only what changed, and nothing lost that is not ours."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync_plugin.domain.meeting import (
    Attendee,
    Field,
    Meeting,
    Participation,
    Sensitivity,
    ShowAs,
    fold_text,
)
from calsync_plugin.domain.timespan import AllDay, Timed
from calsync_plugin.errors import InvalidRecord
from calsync_plugin.graph.attendees import merge_attendees, usable
from calsync_plugin.graph.event_body import LONGEST_LINE, event_body
from calsync_plugin.graph.events import EventView, read_event
from calsync_plugin.graph.online import split_meeting_blob
from calsync_plugin.graph.protocol import JsonObject
from calsync_plugin.markup import html_to_text
from tests.unit.graph.test_graph_events import event, person

BERLIN = "W. Europe Standard Time"
MEETING = Meeting(
    subject="Lunch",
    span=Timed(datetime(2026, 7, 1, 10, tzinfo=UTC), datetime(2026, 7, 1, 11, tzinfo=UTC)),
    location="Bar",
    description="a\n\n<b>",
    attendees=(
        Attendee("bob@x.example", "Bob"),
        Attendee("eve@x.example", participation=Participation.OPTIONAL),
    ),
    reminder=5,
    sensitivity=Sensitivity.PRIVATE,
    show_as=ShowAs.FREE,
    online=True,
)


def present(**changed: object) -> EventView:
    return read_event(event(**changed))  # type: ignore[arg-type]


def test_a_new_event_says_every_field() -> None:
    body = event_body(MEETING, set(Field), zone="Europe/Vienna", label="C")
    assert body.notes == ()
    assert body.json == {
        "subject": "C: Lunch",
        "isAllDay": False,
        "start": {"dateTime": "2026-07-01T12:00:00", "timeZone": BERLIN},
        "end": {"dateTime": "2026-07-01T13:00:00", "timeZone": BERLIN},
        "location": {"displayName": "Bar"},
        "body": {"contentType": "html", "content": "<div>a</div><div><br></div><div>&lt;b&gt;</div>"},
        "attendees": [
            {"emailAddress": {"address": "bob@x.example", "name": "Bob"}, "type": "required"},
            {"emailAddress": {"address": "eve@x.example"}, "type": "optional"},
        ],
        "isReminderOn": True,
        "reminderMinutesBeforeStart": 5,
        "sensitivity": "private",
        "showAs": "free",
        "isOnlineMeeting": True,
        "onlineMeetingProvider": "teamsForBusiness",
    }


PROPERTIES = {
    Field.SUBJECT: {"subject"},
    Field.SPAN: {"isAllDay", "start", "end"},
    Field.LOCATION: {"location"},
    Field.DESCRIPTION: {"body"},
    Field.ATTENDEES: {"attendees"},
    Field.RESPONSES: set(),
    Field.REMINDER: {"isReminderOn", "reminderMinutesBeforeStart"},
    Field.SENSITIVITY: {"sensitivity"},
    Field.SHOW_AS: {"showAs"},
    Field.ONLINE: {"isOnlineMeeting", "onlineMeetingProvider"},
}


@pytest.mark.parametrize("field", Field)
def test_an_update_says_its_field_and_nothing_else(field: Field) -> None:
    assert set(event_body(MEETING, {field}, zone="UTC", present=present()).json) == PROPERTIES[field]


def test_no_reminder_is_switched_off() -> None:
    body = event_body(replace(MEETING, reminder=None), {Field.REMINDER}, zone="UTC")
    assert body.json == {"isReminderOn": False}


def times(meeting: Meeting, zone: str, view: EventView | None = None) -> list[tuple[object, object]]:
    json = event_body(meeting, {Field.SPAN}, zone=zone, present=view).json
    edges = [json["start"], json["end"]]
    return [(edge["dateTime"], edge["timeZone"]) for edge in edges if isinstance(edge, dict)]


def test_times_stay_in_the_events_own_zone() -> None:
    assert times(MEETING, "Europe/Vienna", present()) == [
        ("2026-07-01T03:00:00", "Pacific Standard Time"),
        ("2026-07-01T04:00:00", "Pacific Standard Time"),
    ]
    custom = present(originalStartTimeZone="tzone://Microsoft/Custom")
    assert times(MEETING, "Europe/Vienna", custom)[0] == ("2026-07-01T12:00:00", BERLIN)
    assert times(MEETING, "")[0] == ("2026-07-01T10:00:00", "UTC")


def test_a_wall_time_that_comes_twice_is_said_in_utc() -> None:
    span = Timed(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), datetime(2026, 10, 25, 3, tzinfo=UTC))
    assert times(replace(MEETING, span=span), "Europe/Berlin") == [
        ("2026-10-25T01:30:00", "UTC"),
        ("2026-10-25T03:00:00", "UTC"),
    ]


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "Pacific/Honolulu", "UTC", BERLIN])
def test_all_day_is_midnights_whatever_the_zone(zone: str) -> None:
    meeting = replace(MEETING, span=AllDay(date(2026, 3, 28), date(2026, 3, 30)))
    assert [when for when, _ in times(meeting, zone)] == ["2026-03-28T00:00:00", "2026-03-30T00:00:00"]
    assert event_body(meeting, {Field.SPAN}, zone=zone).json["isAllDay"] is True


def test_an_unknown_zone_parks_the_record() -> None:
    with pytest.raises(InvalidRecord) as caught:
        event_body(MEETING, {Field.SPAN}, zone="Nowhere", item="Meeting 1")
    assert (caught.value.reason, caught.value.item) == ("unknown_zone", "Meeting 1")


INSTANTS = st.datetimes(datetime(1971, 1, 2), datetime(2037, 12, 30), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0)
)


@given(
    INSTANTS,
    st.integers(0, 200_000),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"]),
)
def test_instants_survive_any_zone(start: datetime, seconds: int, zone: str) -> None:
    span = Timed(start, datetime.fromtimestamp(start.timestamp() + seconds, UTC))
    json = event_body(replace(MEETING, span=span), {Field.SPAN}, zone=zone).json
    assert read_event({"id": "1", **json}).meeting.span == span


@given(st.text(max_size=300))
def test_texts_survive(text: str) -> None:
    meeting = replace(MEETING, subject=text, description=text, location=text)
    json = event_body(meeting, {Field.SUBJECT, Field.DESCRIPTION, Field.LOCATION}, zone="UTC").json
    back = read_event({**event(), **json}).meeting
    again = event_body(back, {Field.SUBJECT, Field.DESCRIPTION, Field.LOCATION}, zone="UTC")
    assert (again.json, again.notes) == (json, ())
    assert len(back.subject.encode("utf-16-le")) <= 2 * LONGEST_LINE


def test_a_long_subject_is_shortened_the_same_way_every_time() -> None:
    body = event_body(replace(MEETING, subject="x" * 5000), {Field.SUBJECT}, zone="UTC", label="C")
    assert body.json == {"subject": "C: " + "x" * 251 + "…"}
    assert body.notes == ("the subject is longer than 255 characters and is shortened in Outlook",)
    emoji = event_body(replace(MEETING, subject="😀" * 200), {Field.SUBJECT}, zone="UTC").json["subject"]
    assert emoji == "😀" * 127 + "…"
    fits = event_body(replace(MEETING, subject="x" * 255), {Field.SUBJECT}, zone="UTC")
    assert (fits.json, fits.notes) == ({"subject": "x" * 255}, ())


def test_what_exchange_cannot_hold_is_left_out() -> None:
    meeting = replace(MEETING, subject="a\x01b\ud800\nc", description="d\x0be\uffff", location="\x1b[0m")
    json = event_body(meeting, {Field.SUBJECT, Field.DESCRIPTION, Field.LOCATION}, zone="UTC").json
    assert json == {
        "subject": "ab c",
        "location": {"displayName": "[0m"},
        "body": {"contentType": "html", "content": "<div>de</div>"},
    }


# ---- attendees

ROOM = person("room@x.example", "resource", "accepted")
KNOWN = person("bob@x.example", "optional", "accepted")
STRANGER = person("Stranger@x.example", "required", "declined")
NAMELESS: JsonObject = {"type": "required", "emailAddress": {"name": "Group"}}


def test_everybody_who_is_not_ours_survives() -> None:
    there = [ROOM, KNOWN, STRANGER, NAMELESS]
    added = [Attendee("BOB@x.example", "Another name"), Attendee("new@x.example", "New")]
    merged, notes = merge_attendees(there, added, [])
    assert merged == [
        *there,
        {"emailAddress": {"address": "new@x.example", "name": "New"}, "type": "required"},
    ]
    assert notes == []


def test_a_removed_person_leaves_and_a_room_stays() -> None:
    merged, _ = merge_attendees([ROOM, KNOWN, STRANGER], [], ["Bob@X.example", "room@x.example"])
    assert merged == [ROOM, STRANGER]


def test_an_update_writes_the_whole_list_back() -> None:
    view = present(attendees=[ROOM, KNOWN, STRANGER])
    body = event_body(MEETING, {Field.ATTENDEES}, zone="UTC", present=view, removed=["stranger@x.example"])
    assert body.json["attendees"] == [
        ROOM,
        KNOWN,
        {"emailAddress": {"address": "eve@x.example"}, "type": "optional"},
    ]


ADDRESSES = [
    pytest.param("bob@x.example", True, id="plain"),
    pytest.param("o'neil+tag@mail.x.example", True, id="signs"),
    pytest.param("jürgen@müller.example", True, id="international"),
    pytest.param("", False, id="none"),
    pytest.param("bob", False, id="no-at"),
    pytest.param("bob@localhost", False, id="no-domain"),
    pytest.param("bob@x.example.", False, id="last-dot"),
    pytest.param("a@b@x.example", False, id="two"),
    pytest.param("bob smith@x.example", False, id="blank"),
    pytest.param("Bob <bob@x.example>", False, id="with-name"),
    pytest.param("a@x.example,b@x.example", False, id="list"),
    pytest.param("a@x.example\n", False, id="line-end"),
    pytest.param("a" * 320 + "@x.example", False, id="endless"),
]


@pytest.mark.parametrize(("address", "good"), ADDRESSES)
def test_a_broken_address_is_skipped_with_a_note(address: str, good: bool) -> None:
    assert usable(address) is good
    merged, notes = merge_attendees([], [Attendee(address.strip("\n") if good else address, "Bob")], [])
    if good:
        assert (len(merged), notes) == (1, [])
    elif not usable(address.strip()):
        assert (merged, len(notes)) == ([], 1)
        assert notes[0].startswith("Bob is not invited: ")


def test_one_person_is_invited_once() -> None:
    merged, notes = merge_attendees([], [Attendee("a@x.example"), Attendee("A@x.example ")], [])
    assert (len(merged), notes) == (1, [])


def test_more_than_500_are_refused() -> None:
    people = [Attendee(f"a{n}@x.example") for n in range(501)]
    assert len(merge_attendees([], people[:500], [])[0]) == 500
    with pytest.raises(InvalidRecord) as caught:
        merge_attendees([], people, [], item="Meeting 1")
    assert (caught.value.reason, caught.value.item) == ("too_many_attendees", "Meeting 1")


# ---- online meetings

RULE = "_" * 80
JOIN = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_x%40thread.v2/0?context=%7b%7d"
OLD_BLOB = (
    f'<div style="width:100%"><span style="white-space:nowrap">{RULE}</span></div>\r\n'
    '<div class="me-email-text" lang="en-US"><div><span>Microsoft Teams meeting</span></div>'
    f'<a href="{JOIN}" class="me-email-headline">Click here to join</a></div>\r\n'
    f'<div style="width:100%"><span style="white-space:nowrap">{RULE}</span></div>'
)
NEW_BLOB = (
    f'<div class="me-email-text"><div>{RULE}</div><div>Join: '
    f'<a id="meet_invite_block.action.join_link" href="{JOIN}">Join now</a>'
    f"</div><div>Meeting ID: 1</div><div>{RULE}</div></div>"
)
BLOBS = [
    pytest.param(f"<div>own</div>\r\n<br>{NEW_BLOB}", NEW_BLOB, id="new"),
    pytest.param(f"<div>own</div><br>{OLD_BLOB}<br>", OLD_BLOB, id="old"),
    pytest.param(f"<div><p>own</p>{NEW_BLOB}</div>", NEW_BLOB, id="beside-own-text"),
    pytest.param(f"<div><p>own</p><div>{OLD_BLOB}</div></div>", f"<div>{OLD_BLOB}</div>", id="in-a-wrapper"),
    pytest.param(f"{OLD_BLOB}own", OLD_BLOB, id="before-own-text"),
    pytest.param(f"<p>own{RULE}</p><p></p>{OLD_BLOB}", OLD_BLOB, id="own-line-in-text"),
    pytest.param(f"<p>own</p><p>{RULE}</p>{NEW_BLOB}", NEW_BLOB, id="own-line-above"),
    pytest.param(f'own<a href="{JOIN}">join</a>', f'<a href="{JOIN}">join</a>', id="only-the-link"),
]


@pytest.mark.parametrize(("html", "blob"), BLOBS)
def test_the_meeting_block_is_told_from_the_own_text(html: str, blob: str) -> None:
    whole = f"<html><head></head><body>{html}</body></html>"
    own, found = split_meeting_blob(whole)
    assert found == blob
    assert html_to_text(own).rstrip("_\n") == "own"


def test_without_marks_there_is_no_block() -> None:
    assert split_meeting_blob(f"<p>{RULE}</p><p>own</p>{RULE}") == (f"<p>{RULE}</p><p>own</p>{RULE}", "")


@pytest.mark.parametrize(
    "piece", ["<div>", "<a href='https://teams.microsoft.com/meet/'>", RULE + "<b>", "<!--", "</div><p>x"]
)
def test_a_hostile_body_is_split_in_no_time(piece: str) -> None:
    begun = time.process_time()
    split_meeting_blob(piece * (100_000 // len(piece)))
    assert time.process_time() - begun < 3


def online(blob: str = NEW_BLOB, **changed: object) -> EventView:
    body = {"contentType": "html", "content": f"<html><body><div>old</div>{blob}</body></html>"}
    return present(isOnlineMeeting=True, onlineMeeting={"joinUrl": JOIN}, body=body, **changed)


@pytest.mark.parametrize("blob", [NEW_BLOB, OLD_BLOB])
def test_a_new_description_keeps_the_meeting(blob: str) -> None:
    assert online(blob).meeting.description == "old"
    body = event_body(
        replace(MEETING, description="new"), {Field.DESCRIPTION}, zone="UTC", present=online(blob)
    )
    assert body.json == {"body": {"contentType": "html", "content": f"<div>new</div>{blob}"}}


def test_a_meeting_that_is_not_recognised_is_left_alone() -> None:
    body = event_body(MEETING, {Field.DESCRIPTION}, zone="UTC", present=online("<p>Join by other means</p>"))
    assert body.json == {}
    assert len(body.notes) == 1


def test_a_teams_meeting_is_asked_for_once_and_never_taken_back() -> None:
    asked = event_body(MEETING, {Field.ONLINE}, zone="UTC", present=present()).json
    assert asked == {"isOnlineMeeting": True, "onlineMeetingProvider": "teamsForBusiness"}
    assert event_body(MEETING, {Field.ONLINE}, zone="UTC", present=online()).json == {}
    off = event_body(replace(MEETING, online=False), {Field.ONLINE}, zone="UTC", present=online())
    assert off.json == {}
    assert off.notes == ("it stays an online meeting: Outlook does not take that back",)
    assert event_body(replace(MEETING, online=False), {Field.ONLINE}, zone="UTC").json == {}


@given(st.text(max_size=100).map(fold_text))
def test_descriptions_of_online_meetings_do_not_grow(text: str) -> None:
    view = online()
    for _ in range(3):
        json = event_body(
            replace(MEETING, description=text), {Field.DESCRIPTION}, zone="UTC", present=view
        ).json
        body = json["body"]
        assert isinstance(body, dict)
        view = present(isOnlineMeeting=True, onlineMeeting={"joinUrl": JOIN}, body=body)
    assert view.body.count(JOIN) == 1
