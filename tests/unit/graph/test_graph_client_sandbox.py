"""The client against the Outlook simulator, in process."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from flask import Flask

from calsync_plugin.domain.meeting import Attendee, Field, Meeting, Response
from calsync_plugin.domain.timespan import AllDay, Timed
from calsync_plugin.errors import (
    CalsyncError,
    CursorExpired,
    DuplicateTransaction,
    Forbidden,
    NotFound,
    PreconditionFailed,
    Refused,
    Throttled,
    Unauthorized,
    Unavailable,
    UnknownOutcome,
)
from calsync_plugin.graph import calendar
from calsync_plugin.graph.client import GraphClient, MailboxClient
from calsync_plugin.graph.delta import read_page
from calsync_plugin.graph.event_body import event_body
from calsync_plugin.graph.events import EventView, read_event
from calsync_plugin.graph.pace import Pace
from calsync_plugin.graph.protocol import JsonObject, Request
from calsync_plugin.http import Http
from calsync_plugin.sandbox.outlook import faults
from calsync_plugin.sandbox.outlook.app import create_app
from calsync_plugin.sandbox.outlook.simulator import Simulator
from tests.unit.graph.scripted import SteppingClock
from tests.wsgi import WsgiAdapter

ADDRESS = "http://127.0.0.1:8702"
MEETING = Meeting(
    subject="Lunch",
    span=Timed(datetime(2026, 7, 1, 10, tzinfo=UTC), datetime(2026, 7, 1, 11, tzinfo=UTC)),
    location="Bar",
    description="a  b\n\n- <c>",
    attendees=(Attendee("bob@example.com", "Bob Baker"),),
    reminder=5,
)
Connect = Callable[[str], MailboxClient]


class Sandbox:
    """The simulator and a client for each of its people."""

    def __init__(self) -> None:
        app: Flask = create_app()
        found = app.extensions["outlook"]
        assert isinstance(found, Simulator)
        self.sim = found
        self.clock = SteppingClock()
        self.http = Http()
        self.http.mount(ADDRESS, WsgiAdapter(app))
        self.graph = GraphClient(self.http, f"{ADDRESS}/v1.0", self.clock, random.Random(1))

    def client(self, name: str = "alice") -> MailboxClient:
        return self.graph.mailbox(SandboxToken(name), Pace())

    def bend(self, **rule: object) -> None:
        self.sim.faults.replace([faults.parse({"times": 1, **rule})])

    def switch(self, **values: object) -> None:
        self.sim.switches = self.sim.switches.changed(values)

    @property
    def mails(self) -> int:
        return len(self.sim.state.mails)


class SandboxToken:
    """The token that stands for a mailbox of the simulator."""

    def __init__(self, name: str) -> None:
        self.name = name

    def token(self, *, force_refresh: bool = False) -> str:
        return f"sandbox:{self.name}@example.com"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox()
    yield made
    made.http.close()


def created(sandbox: Sandbox, meeting: Meeting = MEETING, key: str = "t1") -> EventView:
    body = event_body(meeting, set(Field), zone="Europe/Vienna").json
    answer = sandbox.client().send(calendar.create_event(body, transaction=key, marker=f"inst:{key}"))
    assert answer is not None
    return read_event(answer)


def read(sandbox: Sandbox, event_id: str, name: str = "alice") -> EventView:
    answer = sandbox.client(name).send(calendar.get_event(event_id))
    assert answer is not None
    return read_event(answer)


def found(answer: JsonObject | None) -> list[EventView]:
    values = answer["value"] if answer else None
    assert isinstance(values, list)
    return [read_event(value) for value in values]


ALL_DAY = replace(MEETING, span=AllDay(date(2026, 3, 28), date(2026, 3, 30)))


@pytest.mark.parametrize(
    "meeting", [MEETING, ALL_DAY, replace(MEETING, online=True)], ids=["timed", "days", "teams"]
)
def test_what_was_created_reads_back_the_same(sandbox: Sandbox, meeting: Meeting) -> None:
    view = created(sandbox, meeting)
    fields = set(Field)
    assert view.meeting.normal_form(fields) == meeting.normal_form(fields)
    again = read(sandbox, view.id)
    assert again.meeting.normal_form(fields) == meeting.normal_form(fields)
    assert (again.id, again.etag, again.marker, again.transaction_id) == (view.id, view.etag, "inst:t1", "t1")
    assert bool(again.join_url) is meeting.online


def test_events_are_found_by_marker_and_uid(sandbox: Sandbox) -> None:
    view, other = created(sandbox), created(sandbox, key="t2")
    client = sandbox.client()
    assert [v.id for v in found(client.send(calendar.find_by_marker("inst:t1")))] == [view.id]
    assert found(client.send(calendar.find_by_marker("inst:t3"))) == []
    assert {v.marker for v in found(client.send(calendar.list_marked("inst")))} == {"inst:t1", "inst:t2"}
    assert [v.id for v in found(client.send(calendar.find_by_ical_uid(other.ical_uid)))] == [other.id]
    copy = found(sandbox.client("bob").send(calendar.find_by_ical_uid(view.ical_uid)))
    assert [(v.is_organizer, v.id == view.id) for v in copy] == [(False, False)]


def test_calendars_and_settings_are_read(sandbox: Sandbox) -> None:
    outcomes = sandbox.client().batch(
        [calendar.get_calendar(), calendar.list_calendars(), calendar.mailbox_settings(), calendar.me()]
    )
    default, calendars, settings, person = (outcome.unwrap() or {} for outcome in outcomes)
    assert default["isDefaultCalendar"] is True
    assert calendars["value"] == [{k: v for k, v in default.items() if k != "@odata.context"}]
    assert settings["timeZone"] == "W. Europe Standard Time"
    assert person["mail"] == "alice@example.com"


def test_an_update_changes_what_it_says_and_keeps_the_rest(sandbox: Sandbox) -> None:
    view = created(sandbox, replace(MEETING, online=True))
    attendees = (Attendee("carol@example.com", "Carol"),)
    meeting = replace(view.meeting, description="new", attendees=attendees)
    fields = {Field.DESCRIPTION, Field.ATTENDEES}
    body = event_body(meeting, fields, zone="UTC", present=view, removed=["bob@example.com"])
    answer = sandbox.client().send(calendar.update_event(view.id, body.json, etag=view.etag))
    assert answer is not None
    now = read_event(answer)
    assert now.meeting.normal_form(set(Field)) == meeting.normal_form(set(Field))
    assert (now.online, now.join_url) == (True, view.join_url)


@pytest.mark.parametrize("keeps", [True, False])
def test_answers_survive_a_new_attendee(sandbox: Sandbox, keeps: bool) -> None:
    sandbox.switch(attendee_without_status_keeps_response=keeps)
    view = created(sandbox)
    (copy,) = found(sandbox.client("bob").send(calendar.find_by_ical_uid(view.ical_uid)))
    accept = Request(method="POST", path=f"/me/events/{copy.id}/accept", body={"sendResponse": True})
    sandbox.client("bob").send(accept)
    view = read(sandbox, view.id)
    more = replace(view.meeting, attendees=(*view.meeting.attendees, Attendee("carol@example.com")))
    body = event_body(more, {Field.ATTENDEES}, zone="UTC", present=view).json
    sandbox.client().send(calendar.update_event(view.id, body, etag=view.etag))
    answers = {a.address: a.response for a in read(sandbox, view.id).meeting.attendees}
    assert answers == {"bob@example.com": Response.ACCEPTED, "carol@example.com": Response.NONE}


def test_an_old_version_is_not_overwritten(sandbox: Sandbox) -> None:
    view = created(sandbox)
    client = sandbox.client()
    client.send(calendar.update_event(view.id, {"subject": "Dinner"}, etag=view.etag))
    for request in (
        calendar.update_event(view.id, {"subject": "x"}, etag=view.etag),
        calendar.delete_event(view.id, etag=view.etag),
    ):
        with pytest.raises(PreconditionFailed):
            client.send(request)
    assert read(sandbox, view.id).meeting.subject == "Dinner"


@pytest.mark.parametrize("status", [200, 404])
def test_a_deleted_event_is_gone_whatever_its_id_still_finds(sandbox: Sandbox, status: int) -> None:
    sandbox.switch(deleted_by_immutable_id=status)
    view = created(sandbox)
    sandbox.client().send(calendar.delete_event(view.id, etag=view.etag))
    with pytest.raises(NotFound):
        sandbox.client().send(calendar.calendar_of(view.id))
    if status == 404:
        with pytest.raises(NotFound):
            read(sandbox, view.id)
    else:
        assert read(sandbox, view.id).id == view.id


@pytest.mark.parametrize("status", [400, 409])
def test_a_key_is_used_once(sandbox: Sandbox, status: int) -> None:
    sandbox.switch(duplicate_transaction_status=status)
    view = created(sandbox)
    assert created(sandbox).id == view.id
    with pytest.raises(DuplicateTransaction):
        created(sandbox, replace(MEETING, subject="Dinner"))
    assert sandbox.mails == 1


FAULTS = [
    pytest.param({"drop_before": True}, UnknownOutcome, 0, id="reset"),
    pytest.param({"drop_after_commit": True}, UnknownOutcome, 1, id="time-out-after-commit"),
    pytest.param({"truncate_body": True}, UnknownOutcome, 1, id="cut-short"),
    pytest.param({"status": 500}, UnknownOutcome, 0, id="500"),
    pytest.param({"status": 504, "after_commit": True}, UnknownOutcome, 1, id="504-after-commit"),
    pytest.param({"status": 503, "retry_after": 60}, Unavailable, 0, id="503"),
    pytest.param({"status": 429, "retry_after": 60}, Throttled, 0, id="429"),
    pytest.param({"status": 423, "retry_after": 60}, Unavailable, 0, id="423"),
    pytest.param({"status": 403}, Forbidden, 0, id="403"),
    pytest.param({"status": 401, "times": 2}, Unauthorized, 0, id="401"),
    pytest.param({"status": 409}, PreconditionFailed, 0, id="409"),
    pytest.param({"status": 412}, PreconditionFailed, 0, id="412"),
    pytest.param({"status": 410}, CursorExpired, 0, id="410"),
    pytest.param({"status": 400, "times": 2}, Refused, 0, id="400"),
]


@pytest.mark.parametrize("together", [False, True], ids=["alone", "in-a-batch"])
@pytest.mark.parametrize(("fault", "meaning", "events"), FAULTS)
def test_a_create_meets_each_fault_once_and_is_never_doubled(
    sandbox: Sandbox, fault: dict[str, object], meaning: type[CalsyncError], events: int, together: bool
) -> None:
    sandbox.bend(match={"method": "POST", "path": r"/calendar/events|\$batch"}, **fault)
    body = event_body(MEETING, set(Field), zone="UTC").json
    create = calendar.create_event(body, transaction="t1", marker="inst:t1")
    outcomes = sandbox.client().batch([create, calendar.me()] if together else [create])
    assert [type(o.error) for o in outcomes if o.request is create] == [meaning]
    assert sandbox.mails == events
    assert len(found(sandbox.client().send(calendar.find_by_marker("inst:t1")))) == events


RECOVERED = [
    pytest.param({"status": 503}, id="503"),
    pytest.param({"status": 429, "retry_after": 2}, id="429"),
    pytest.param({"status": 423}, id="423"),
    pytest.param({"status": 401}, id="401"),
    pytest.param({"status": 503, "times": 3}, id="503-thrice"),
]


@pytest.mark.parametrize("path", ["/calendar/events", r"\$batch"], ids=["a-member", "the-batch"])
@pytest.mark.parametrize("fault", RECOVERED)
def test_short_troubles_are_overcome_here(sandbox: Sandbox, fault: dict[str, object], path: str) -> None:
    sandbox.bend(match={"method": "POST", "path": path}, **fault)
    creates = [
        calendar.create_event(
            event_body(MEETING, set(Field), zone="UTC").json, transaction=f"t{n}", marker=f"inst:t{n}"
        )
        for n in range(20)
    ]
    assert [o.error for o in sandbox.client().batch(creates)] == [None] * 20
    assert sandbox.mails == 20
    assert len(found(sandbox.client().send(calendar.list_marked("inst")))) == 20


def test_reads_are_repeated_whatever_broke(sandbox: Sandbox) -> None:
    view = created(sandbox)
    for fault in (
        {"drop_before": True},
        {"truncate_body": True},
        {"status": 500},
        {"drop_after_commit": True},
    ):
        sandbox.bend(match={"method": "GET"}, **fault)
        assert read(sandbox, view.id).id == view.id


def test_our_pace_keeps_the_service_from_refusing(sandbox: Sandbox) -> None:
    sandbox.switch(requests_per_10_minutes=100)
    client = sandbox.graph.mailbox(SandboxToken("alice"), Pace(limit=100))
    outcomes = client.batch([calendar.me()] * 130)
    assert [type(o.error) for o in outcomes] == [type(None)] * 100 + [Throttled] * 30
    assert {o.error.status for o in outcomes if isinstance(o.error, Throttled)} == {None}, (
        "refused here, not there"
    )


def test_changes_are_read_page_by_page(sandbox: Sandbox) -> None:
    views = {created(sandbox, key=f"t{n}").id for n in range(7)}
    client = sandbox.client()
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    pages = [read_page(client.send(calendar.calendar_view_delta(start, end, page=3)))]
    while pages[-1].next_link:
        pages.append(read_page(client.send(calendar.follow(pages[-1].next_link, page=3))))
    assert {read_event(json).id for page in pages for json in page.events} == views
    assert len(pages) == 3
    client.send(calendar.delete_event(min(views)))
    last = read_page(client.send(calendar.follow(pages[-1].delta_link, page=3)))
    assert (last.events, last.removed) == ((), (min(views),))


WEEKLY: JsonObject = {
    "subject": "Weekly",
    "start": {"dateTime": "2026-07-01T10:00:00", "timeZone": "UTC"},
    "end": {"dateTime": "2026-07-01T11:00:00", "timeZone": "UTC"},
    "attendees": [{"emailAddress": {"address": "bob@example.com"}, "type": "required"}],
    "recurrence": {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["wednesday"]},
        "range": {"type": "numbered", "startDate": "2026-07-01", "numberOfOccurrences": 3},
    },
}
JULY = (datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC))


def test_a_series_as_a_page_of_changes_tells_it(sandbox: Sandbox) -> None:
    client = sandbox.client()
    master = client.send(calendar.create_event(WEEKLY, transaction="t", marker="inst:t"))
    assert master is not None
    events = [read_event(json) for json in read_page(client.send(calendar.calendar_view_delta(*JULY))).events]
    told = {view.id: view for view in events}
    assert told[str(master["id"])].skeletal is False
    occurrences = [view for view in events if view.skeletal]
    assert {view.series_master_id for view in occurrences} == {master["id"]}
    assert [v.meeting.span for v in occurrences] == [
        Timed(datetime(2026, 7, day, 10, tzinfo=UTC), datetime(2026, 7, day, 11, tzinfo=UTC))
        for day in (1, 8, 15)
    ]
    whole = found(client.send(calendar.instances(str(master["id"]), *JULY)))
    assert {v.id for v in whole} == {v.id for v in occurrences}
    assert [v.original_start for v in whole] == [datetime(2026, 7, d, 10, tzinfo=UTC) for d in (1, 8, 15)]
    assert {(v.meeting.subject, v.organizer_address) for v in whole} == {("Weekly", "alice@example.com")}


def test_a_master_reads_as_any_event_and_tells_what_was_cancelled(sandbox: Sandbox) -> None:
    client = sandbox.client()
    created = client.send(calendar.create_event(WEEKLY, transaction="t", marker="inst:t"))
    assert created is not None
    series = str(created["id"])
    occurrences = found(client.send(calendar.instances(series, *JULY)))
    client.send(calendar.delete_event(occurrences[1].id))
    master = client.send(calendar.get_master(series))
    assert master is not None
    view = read_event(master)
    assert [name[-10:] for name in view.cancelled_occurrences] == ["2026-07-08"]
    assert replace(view, cancelled_occurrences=()) == read(sandbox, series)
    assert master["recurrence"] == created["recurrence"]


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(Response.ACCEPTED, id="accepted"),
        pytest.param(Response.TENTATIVE, id="tentative"),
        pytest.param(Response.DECLINED, id="declined"),
    ],
)
def test_an_answer_reaches_the_organizer(sandbox: Sandbox, response: Response) -> None:
    view = created(sandbox)
    copy = found(sandbox.client("bob").send(calendar.find_by_ical_uid(view.ical_uid)))[0]
    before = sandbox.mails
    assert sandbox.client("bob").send(calendar.respond(copy.id, response)) is None
    assert sandbox.mails == before + 1
    assert [a.response for a in read(sandbox, view.id).meeting.attendees] == [response]
    left = found(sandbox.client("bob").send(calendar.find_by_ical_uid(view.ical_uid)))
    assert [v.response for v in left] == ([] if response is Response.DECLINED else [response])
    with pytest.raises(Refused):
        sandbox.client("alice").send(calendar.respond(view.id, response))


def test_a_subject_of_any_length_is_taken(sandbox: Sandbox) -> None:
    sandbox.switch(refuse_long_subject=True)
    assert len(created(sandbox, replace(MEETING, subject="x" * 5000)).meeting.subject) == 255
