"""Events as nobody should send them: each is read as a person would, or refused with a known reason."""

from __future__ import annotations

import copy
import json
import time
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calsync_plugin.domain.meeting import Field, JsonValue, Response, Sensitivity
from calsync_plugin.domain.timespan import AllDay, Timed
from calsync_plugin.errors import InvalidEvent
from calsync_plugin.graph.attendees import merge_attendees
from calsync_plugin.graph.events import EventView, read_event
from calsync_plugin.graph.protocol import JsonObject

REASONS = {"no_id", "no_time", "unknown_zone", "date_out_of_range", "end_before_start"}
X500 = "/o=ExchangeLabs/ou=Exchange Administrative Group/cn=Recipients/cn=0b1c-Dana"


def at(text: str, zone: str | None = "UTC") -> JsonObject:
    return {"dateTime": text, "timeZone": zone}


def person(address: str | None, name: str | None = "N", response: str = "none") -> JsonObject:
    return {
        "type": "required",
        "status": {"response": response, "time": "0001-01-01T00:00:00Z"},
        "emailAddress": {"name": name, "address": address},
    }


SINGLE: JsonObject = {
    "@odata.etag": 'W/"DwAAABYAAAB0"',
    "id": "AAMkADAwATM0MDAAMS0xZ-_wTKAAA=",
    "createdDateTime": "2026-04-01T08:00:00.1234567Z",
    "lastModifiedDateTime": "2026-04-01T08:00:00.1234567Z",
    "changeKey": "DwAAABYAAAB0",
    "categories": [],
    "transactionId": None,
    "originalStartTimeZone": "W. Europe Standard Time",
    "originalEndTimeZone": "W. Europe Standard Time",
    "iCalUId": "040000008200E00074C5B7101A82E00800000000",
    "reminderMinutesBeforeStart": 15,
    "isReminderOn": True,
    "hasAttachments": False,
    "subject": "Kick-off",
    "bodyPreview": "Agenda",
    "importance": "normal",
    "sensitivity": "normal",
    "isAllDay": False,
    "isCancelled": False,
    "isOrganizer": True,
    "responseRequested": True,
    "seriesMasterId": None,
    "showAs": "busy",
    "type": "singleInstance",
    "webLink": "https://outlook.office365.com/owa/?itemid=x",
    "onlineMeetingUrl": None,
    "isOnlineMeeting": False,
    "onlineMeetingProvider": "unknown",
    "allowNewTimeProposals": True,
    "recurrence": None,
    "onlineMeeting": None,
    "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"},
    "body": {
        "contentType": "html",
        "content": "<html><head>\r\n<meta charset=utf-8></head><body>Agenda</body></html>",
    },
    "start": at("2026-04-15T10:00:00.0000000"),
    "end": at("2026-04-15T11:00:00.0000000"),
    "location": {"displayName": "Room 5", "locationType": "default", "uniqueIdType": "private"},
    "locations": [{"displayName": "Room 5"}],
    "attendees": [person("dave@contoso.example", "Dave", "accepted")],
    "organizer": {"emailAddress": {"name": "Alice", "address": "alice@example.com"}},
}
WHOLE_DAY: JsonObject = {
    **SINGLE,
    "isAllDay": True,
    "start": at("2026-04-15T00:00:00.0000000"),
    "end": at("2026-04-17T00:00:00.0000000"),
}
TEAMS: JsonObject = {
    **SINGLE,
    "isOnlineMeeting": True,
    "onlineMeeting": {"joinUrl": "https://teams.microsoft.com/l/meetup-join/1"},
    "body": {
        "contentType": "html",
        "content": "<html><body>Agenda<br><div>________________________________</div>"
        '<div class="me-email-text"><a href="https://teams.microsoft.com/l/meetup-join/1">Join</a></div>'
        "<div>________________________________</div></body></html>",
    },
}
MASTER: JsonObject = {
    **SINGLE,
    "type": "seriesMaster",
    "recurrence": {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["wednesday"]},
        "range": {"type": "noEnd", "startDate": "2026-04-15"},
    },
    "cancelledOccurrences": ["OID.AAMkADAwATM0MDAAMS0xZ.2026-04-22"],
}
EXCEPTION: JsonObject = {
    **SINGLE,
    "type": "exception",
    "seriesMasterId": "AAMkmaster",
    "originalStart": "2026-04-22T10:00:00Z",
}
OCCURRENCE: JsonObject = {
    "@odata.type": "#microsoft.graph.event",
    "@odata.etag": 'W/"DwAAABYAAAB1"',
    "id": "AAMkoccurrence",
    "seriesMasterId": "AAMkmaster",
    "type": "occurrence",
    "start": at("2026-04-29T10:00:00.0000000"),
    "end": at("2026-04-29T11:00:00.0000000"),
}
REAL = [SINGLE, WHOLE_DAY, TEAMS, MASTER, EXCEPTION, OCCURRENCE]


# --- as a person would read them

NO_ORGANIZER = [
    pytest.param(None, id="null"),
    pytest.param({}, id="empty"),
    pytest.param({"emailAddress": None}, id="null-address"),
    pytest.param({"emailAddress": {"name": "Alice"}}, id="no-address"),
    pytest.param({"emailAddress": {"name": "Alice", "address": ""}}, id="empty-address"),
]


@pytest.mark.parametrize("organizer", NO_ORGANIZER)
def test_an_event_that_nobody_organises(organizer: JsonValue) -> None:
    view = read_event({**SINGLE, "organizer": organizer})
    assert (view.meeting.organizer, view.organizer_address) == (None, "")
    assert [a.address for a in view.meeting.attendees] == ["dave@contoso.example"]


def test_who_organises_is_an_address_in_lower_case_or_an_x500_name() -> None:
    view = read_event({**SINGLE, "organizer": {"emailAddress": {"address": " Alice@Example.com "}}})
    assert view.organizer_address == "alice@example.com"
    x500 = read_event({**SINGLE, "organizer": {"emailAddress": {"address": X500}}})
    assert x500.organizer_address == X500.lower()


def test_an_organizer_by_x500_is_not_among_the_attendees() -> None:
    view = read_event(
        {
            **SINGLE,
            "organizer": {"emailAddress": {"address": X500}},
            "attendees": [person(X500.upper()), person("dave@contoso.example")],
        }
    )
    assert [a.address for a in view.meeting.attendees] == ["dave@contoso.example"]


def test_attendees_without_an_address_stay_in_outlook_and_come_nowhere_else() -> None:
    nameless: list[JsonValue] = [
        person(None, "Room upstairs"),
        person("", "Dave"),
        {"type": "required", "emailAddress": None},
        {"type": "optional"},
        None,
    ]
    view = read_event({**SINGLE, "attendees": [*nameless, person(X500)]})
    assert [a.address for a in view.meeting.attendees] == [X500.lower()]
    assert merge_attendees(view.attendees, (), ()) == ([*nameless, person(X500)], [])


@pytest.mark.parametrize("name", ["location", "sensitivity", "responseStatus", "body", "attendees", "showAs"])
@pytest.mark.parametrize("shape", ["missing", "null", "of-another-type"])
def test_what_may_be_missing(name: str, shape: str) -> None:
    odd = {key: value for key, value in SINGLE.items() if key != name}
    if shape != "missing":
        odd[name] = None if shape == "null" else 7
    view = read_event(odd)
    usual: dict[str, tuple[object, object]] = {
        "location": (view.meeting.location, ""),
        "sensitivity": (view.meeting.sensitivity, Sensitivity.NORMAL),
        "responseStatus": (view.response, Response.NONE),
        "body": (view.meeting.description, ""),
        "attendees": (view.meeting.attendees, ()),
        "showAs": (view.meeting.show_as.value, "busy"),
    }
    read, expected = usual[name]
    assert read == expected
    assert view.meeting.subject == "Kick-off"


SUBJECTS = [
    pytest.param({"subject": None}, "", id="null"),
    pytest.param({"subject": ""}, "", id="empty"),
    pytest.param({"subject": 7}, "", id="number"),
    pytest.param({"subject": "a <b> = c > d"}, "a <b> = c > d", id="signs"),
    pytest.param({"subject": "<script>alert(1)</script>"}, "<script>alert(1)</script>", id="markup"),
    pytest.param({"subject": "=HYPERLINK(1)"}, "=HYPERLINK(1)", id="formula"),
    pytest.param({"subject": "x" * 5000}, "x" * 5000, id="long"),
]


@pytest.mark.parametrize(("changed", "subject"), SUBJECTS)
def test_subjects_come_as_they_are(changed: JsonObject, subject: str) -> None:
    assert read_event({**SINGLE, **changed}).meeting.subject == subject


def test_an_event_without_any_subject_is_no_occurrence_of_which_little_is_told() -> None:
    bare = {key: value for key, value in SINGLE.items() if key != "subject"}
    view = read_event(bare)
    assert (view.meeting.subject, view.skeletal) == ("", False)


def test_an_occurrence_of_which_little_is_told() -> None:
    view = read_event(OCCURRENCE)
    assert view.skeletal
    assert (view.series_master_id, view.original_start) == ("AAMkmaster", None)
    assert (view.meeting.subject, view.meeting.attendees, view.organizer_address) == ("", (), "")
    start = datetime(2026, 4, 29, 10, tzinfo=UTC)
    assert view.meeting.span == Timed(start, start + timedelta(hours=1))


ZONES = [
    pytest.param("tzone://Microsoft/Utc", None, id="utc"),
    pytest.param("TZONE://MICROSOFT/UTC", None, id="utc-shouted"),
    pytest.param(None, None, id="null"),
    pytest.param("", None, id="empty"),
    pytest.param("tzone://Microsoft/Custom", "unknown_zone", id="custom"),
    pytest.param("Customized Time Zone", "unknown_zone", id="customized"),
    pytest.param("../../etc/passwd", "unknown_zone", id="path"),
    pytest.param("Europe", "unknown_zone", id="folder"),
    pytest.param("x" * 10_000, "unknown_zone", id="long"),
    pytest.param("Europe/\udcff", "unknown_zone", id="surrogate"),
    pytest.param("UTC\0", "unknown_zone", id="nul"),
]


@pytest.mark.parametrize(("zone", "reason"), ZONES)
def test_zones_of_a_time(zone: str | None, reason: str | None) -> None:
    shown = {
        **SINGLE,
        "start": at("2026-04-15T10:00:00", zone),
        "end": at("2026-04-15T11:00:00", zone),
    }
    if reason is None:
        assert read_event(shown).meeting.span == read_event(SINGLE).meeting.span
        return
    with pytest.raises(InvalidEvent) as caught:
        read_event(shown)
    assert caught.value.reason == reason


@pytest.mark.parametrize("zone", ["tzone://Microsoft/Custom", "Customized Time Zone", None, 5, ""])
def test_days_need_no_zone(zone: str | None) -> None:
    shown = {
        **WHOLE_DAY,
        "originalStartTimeZone": zone,
        "start": at("2026-04-15T00:00:00", zone),
        "end": at("2026-04-17T00:00:00", zone),
    }
    assert read_event(shown).meeting.span == AllDay(date(2026, 4, 15), date(2026, 4, 17))


DATES = [
    pytest.param("0001-01-01T00:00:00.0000000", id="year-1"),
    pytest.param("0001-01-01T00:00:00+14:00", id="before-year-1"),
    pytest.param("9999-12-31T23:59:59.9999999", id="year-9999"),
    pytest.param("9999-12-31T23:59:59-12:00", id="after-year-9999"),
    pytest.param("1899-12-31T00:00:00", id="1899"),
    pytest.param("2201-01-01T00:00:00", id="2201"),
]


@pytest.mark.parametrize("text", DATES)
@pytest.mark.parametrize("edge", ["start", "end"])
@pytest.mark.parametrize("whole_day", [False, True])
@pytest.mark.parametrize("zone", ["UTC", "Tonga Standard Time", "Dateline Standard Time"])
def test_dates_that_mean_never(text: str, edge: str, whole_day: bool, zone: str) -> None:
    odd = {**SINGLE, "isAllDay": whole_day, "originalStartTimeZone": zone, edge: at(text, zone)}
    with pytest.raises(InvalidEvent) as caught:
        read_event(odd)
    assert caught.value.reason == "date_out_of_range"


SLOTS = [
    pytest.param("2026-04-22T10:00:00.1234567Z", datetime(2026, 4, 22, 10, tzinfo=UTC), id="fraction"),
    pytest.param("2026-04-22T12:00:00+02:00", datetime(2026, 4, 22, 10, tzinfo=UTC), id="offset"),
    pytest.param("2026-04-22T10:00:00", datetime(2026, 4, 22, 10, tzinfo=UTC), id="no-offset"),
    pytest.param("0001-01-01T00:00:00Z", None, id="year-1"),
    pytest.param("0001-01-01T00:00:00+14:00", None, id="before-year-1"),
    pytest.param("soon", None, id="no-time"),
    pytest.param(7, None, id="number"),
    pytest.param(None, None, id="null"),
]


@pytest.mark.parametrize(("said", "slot"), SLOTS)
def test_an_unreadable_slot_is_none(said: JsonValue, slot: datetime | None) -> None:
    assert read_event({**EXCEPTION, "originalStart": said}).original_start == slot


def test_ids_that_look_alike_are_others() -> None:
    ids = ["AAMkA-b_C=", "AAMkA-B_C=", "AAMkA_b-C=", "AAMkA-b-C=", " AAMkA-b_C="]
    assert [read_event({**SINGLE, "id": one}).id for one in ids] == ids


def test_cancelled_occurrences_are_told_by_a_master() -> None:
    assert read_event(MASTER).cancelled_occurrences == ("OID.AAMkADAwATM0MDAAMS0xZ.2026-04-22",)
    odd = {**MASTER, "cancelledOccurrences": [None, 7, "OID.x.2026-04-22"]}
    assert read_event(odd).cancelled_occurrences == ("OID.x.2026-04-22",)
    assert read_event({**MASTER, "cancelledOccurrences": None}).cancelled_occurrences == ()


# --- bodies

_WORD = (
    '<p class="MsoNormal"><span style="font-size:11pt">Line &amp; more<o:p>&nbsp;</o:p></span></p>\r\n'
    '<ul><li><a href="https://x.example/">X</a></li></ul><table><tr><td>1</td><td>2</td></tr></table>'
)
BODIES = {
    "word": _WORD,
    "text": "Line & more\r\n",
    "one-letter": "x",
    "brackets": "<",
    "entities": "&#769;&#790;",
    "links": '<a href="https://x.example/">',
    "blocks": "<div>",
    "rules": "<div>________________________________</div>",
    "marks": "<div class=me-email>",
    "comments": "<!--",
    "quotes": "<a title=\"'",
}


@pytest.mark.parametrize("kind", ["html", "text"])
@pytest.mark.parametrize("real", [SINGLE, TEAMS], ids=["plain", "teams"])
@pytest.mark.parametrize("name", BODIES)
def test_a_body_of_two_megabytes_takes_seconds(name: str, real: JsonObject, kind: str) -> None:
    piece = BODIES[name]
    content = piece * (2_000_000 // len(piece))
    begun = time.process_time()
    view = read_event({**real, "body": {"contentType": kind, "content": content}})
    view.meeting.fingerprint([Field.DESCRIPTION])
    # Some 3 seconds at most where work grows with length; minutes where it grows faster.
    assert time.process_time() - begun < 20


def test_a_block_deep_within_a_long_body_is_found_in_time() -> None:
    depth = 40_000
    mark = "<a class=me-email>Join</a>"
    content = "<div>" * depth + mark + "line<br>" * depth + mark + "</div>" * depth
    begun = time.process_time()
    view = read_event({**TEAMS, "body": {"contentType": "html", "content": content}})
    assert view.meeting.description == ""
    assert time.process_time() - begun < 20


# --- anything at all

_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from(
        [
            "UTC", "tzone://Microsoft/Custom", "Customized Time Zone", "0001-01-01T00:00:00.0000000",
            "9999-12-31T23:59:59.9999999", "2026-02-30T00:00:00", "2026-04-15", "2026-W16-3", "24:00",
            "\ud800", "\0", "<", "&#1114112;", X500, "html", "text", "declined", "Asia/Kathmandu",
            "+99:99", 10**40,
        ]
    ),
)  # fmt: skip
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
)


def _places(value: JsonValue, place: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where something can be put: every key and every position, at any depth."""
    keys: list[str | int] = []
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = list(range(len(value)))
    found = [(*place, key) for key in keys]
    for key in keys:
        found += _places(value[key], (*place, key))  # type: ignore[index]
    return found


@st.composite
def _odd_events(draw: st.DrawFn) -> JsonObject:
    """A real event in which up to four values are replaced or left out."""
    made = copy.deepcopy(draw(st.sampled_from(REAL)))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.sampled_from(_places(made)))
        holder: object = made
        for key in place[:-1]:
            holder = holder[key]  # type: ignore[index]
        if isinstance(holder, dict) and draw(st.booleans()):
            del holder[place[-1]]
        else:
            holder[place[-1]] = draw(_JSON)  # type: ignore[index]
        if not made:
            return made
    return made


@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow])
@given(_odd_events())
def test_whatever_else_is_read_or_refused_with_a_known_reason(odd: JsonObject) -> None:
    outcome = _read(odd)
    if isinstance(outcome, EventView):
        _is_usable(outcome)
    else:
        assert outcome in REASONS


def _read(odd: JsonObject) -> EventView | str:
    """The event, or the reason why it is none."""
    try:
        return read_event(odd, label="C")
    except InvalidEvent as error:
        return error.reason


def _is_usable(view: EventView) -> None:
    assert view.id
    assert json.dumps(dict(view.meeting.normal_form(Field)))
    assert view.meeting.fingerprint(Field)
    assert isinstance(view.organizer_address, str)
    assert view.mails in {True, False}
    assert view.original_start is None or view.original_start.tzinfo is UTC
    merge_attendees(view.attendees, (), ("dave@contoso.example",))
