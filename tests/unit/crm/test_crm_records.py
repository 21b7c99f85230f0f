"""Records of the CRM as meetings: each attribute, each bad record, each recorded answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest

from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.gateway import PersonCard, Record, SimpleGateway
from calsync_plugin.crm.records import RecordView, attributes_read, read_record
from calsync_plugin.domain.meeting import Attendee, Person, PersonKind, Response, Sensitivity, ShowAs
from calsync_plugin.domain.timespan import AllDay, Timed, TimeSpan
from calsync_plugin.errors import InvalidRecord
from calsync_plugin.settings import EntitySettings
from tests.unit.crm.recordings import VISIT, recordings

MEETING = EntitySettings(entity_type="Meeting")
CALL = EntitySettings(entity_type="Call", label="C", all_day=False)

CARDS = {
    Person(PersonKind.USER, "u1"): PersonCard(id="u1", name="Alice", addresses=("Alice@Example.com",)),
    Person(PersonKind.USER, "u2"): PersonCard(id="u2", name="Bob", addresses=("bob@example.com",)),
    Person(PersonKind.USER, "zoned"): PersonCard(id="zoned", zone="Asia/Tokyo"),
    Person(PersonKind.CONTACT, "c1"): PersonCard(id="c1", name="Dave", addresses=(" DAVE@contoso.example ",)),
    Person(PersonKind.CONTACT, "none"): PersonCard(id="none", name="Nora"),
    Person(PersonKind.CONTACT, "broken"): PersonCard(id="broken", name="Bea", addresses=("bea at home",)),
    Person(PersonKind.CONTACT, "second"): PersonCard(id="second", addresses=("x", "s@contoso.example")),
    Person(PersonKind.LEAD, "l1"): PersonCard(id="l1", name="Frank", addresses=("frank@fabrikam.example",)),
    Person(PersonKind.LEAD, "twin"): PersonCard(id="twin", name="D.", addresses=("dave@contoso.example",)),
}


class People(SimpleGateway):
    def people(self, kind: PersonKind, ids: Collection[str]) -> Mapping[str, PersonCard]:
        return {p.id: card for p, card in CARDS.items() if p.kind is kind and p.id in ids}


def read(entity: EntitySettings = MEETING, /, **attributes: object) -> RecordView:
    record: Record = {
        "id": "m1",
        "name": "Kick-off",
        "status": "Planned",
        "dateStart": "2026-12-01 10:00:00",
        "dateEnd": "2026-12-01 11:00:00",
        "assignedUserId": "u1",
        "usersIds": ["u1"],
        **attributes,
    }
    return read_record(record, entity, Directory(People()), installation_zone="Europe/Kyiv")


def at(hour: int, minute: int = 0, *, day: int = 1) -> datetime:
    return datetime(2026, 12, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("attributes", "span"),
    [
        pytest.param({}, Timed(at(10), at(11)), id="utc"),
        pytest.param({"dateEnd": "2026-12-01 10:00:00"}, Timed(at(10), at(10)), id="zero length"),
        pytest.param({"dateStart": "2026-12-01 10:00"}, Timed(at(10), at(11)), id="without seconds"),
        pytest.param({"dateStart": "2026-12-01T11:30:00+02:00"}, Timed(at(9, 30), at(11)), id="offset"),
        pytest.param({"dateStart": "2026-12-01T10:00:00.9Z"}, Timed(at(10), at(11)), id="fraction"),
        pytest.param({"dateStart": at(8)}, Timed(at(8), at(11)), id="a host's own datetime"),
        pytest.param(
            {"isAllDay": True, "dateStartDate": "2026-12-03", "dateEndDate": "2026-12-03"},
            AllDay(date(2026, 12, 3), date(2026, 12, 4)),
            id="one day, its times are not looked at",
        ),
        pytest.param(
            {"isAllDay": False, "dateStartDate": "2026-12-03", "dateEndDate": "2026-12-05"},
            AllDay(date(2026, 12, 3), date(2026, 12, 6)),
            id="days without the flag",
        ),
        pytest.param(
            {"isAllDay": True, "dateStartDate": date(2026, 12, 31), "dateEndDate": date(2027, 1, 1)},
            AllDay(date(2026, 12, 31), date(2027, 1, 2)),
            id="over the year's end",
        ),
    ],
)
def test_span(attributes: dict[str, object], span: TimeSpan) -> None:
    assert read(**attributes).meeting.span == span


def test_a_call_has_no_days() -> None:
    view = read(CALL, isAllDay=True, dateStartDate="2026-12-03", dateEndDate="2026-12-03")

    assert view.meeting.span == Timed(at(10), at(11))


@pytest.mark.parametrize(
    ("attributes", "reason", "words"),
    [
        pytest.param({"dateEnd": None}, "no_end", "has no end", id="no end"),
        pytest.param({"dateEnd": ""}, "no_end", "has no end", id="empty end"),
        pytest.param({"dateStart": None}, "no_start", "has no start", id="no start"),
        pytest.param(
            {"dateEnd": "2026-12-01 09:59:59"}, "end_before_start", "before the start", id="end first"
        ),
        pytest.param({"assignedUserId": None}, "no_assigned_user", "no assigned user", id="no assigned user"),
        pytest.param(
            {"assignedUserId": ""}, "no_assigned_user", "no assigned user", id="empty assigned user"
        ),
        pytest.param({"dateStart": "tomorrow"}, "unreadable_date", "'tomorrow'", id="words"),
        pytest.param({"dateStart": "0000-00-00 00:00:00"}, "unreadable_date", "0000", id="MySQL's zero date"),
        pytest.param({"dateStart": "2026-12-03"}, "unreadable_date", "dateStart", id="a day for a time"),
        pytest.param({"dateStart": "2026-12-01T10:00:00"}, "unreadable_date", "dateStart", id="no offset"),
        pytest.param({"dateStart": 1795165610}, "unreadable_date", "dateStart", id="a number"),
        pytest.param({"dateStart": datetime(2026, 1, 1)}, "unreadable_date", "dateStart", id="naive"),  # noqa: DTZ001
        pytest.param({"dateStart": "0001-01-01 00:00:00"}, "date_out_of_range", "year 1 ", id="year 1"),
        pytest.param(
            {"dateStart": "0001-01-01T00:00:00+14:00"}, "date_out_of_range", "edge", id="before year 1"
        ),
        pytest.param({"dateEnd": "9999-12-31 23:59:59"}, "date_out_of_range", "year 9999", id="year 9999"),
        pytest.param({"timeZone": "Mars/Base"}, "unknown_zone", "'Mars/Base'", id="unknown zone"),
        pytest.param({"timeZone": "America"}, "unknown_zone", "'America'", id="a folder of zones"),
        pytest.param({"isAllDay": True}, "no_start", "dateStartDate", id="all-day without days"),
        pytest.param(
            {"isAllDay": True, "dateStartDate": "2026-12-03"},
            "no_end",
            "dateEndDate",
            id="all-day without end",
        ),
        pytest.param(
            {"dateStartDate": "2026-12-03", "dateEndDate": "2026-12-02"},
            "end_before_start",
            "before the first",
            id="last day first",
        ),
        pytest.param(
            {"dateStartDate": "2026-13-03", "dateEndDate": "2026-12-02"},
            "unreadable_date",
            "2026-13-03",
            id="no such day",
        ),
        pytest.param(
            {"dateStartDate": "2026-12-03", "dateEndDate": "9999-12-31"},
            "date_out_of_range",
            "",
            id="last day ever",
        ),
        pytest.param({"deleted": True}, "deleted", "deleted", id="deleted"),
    ],
)
def test_bad_records(attributes: dict[str, object], reason: str, words: str) -> None:
    with pytest.raises(InvalidRecord) as caught:
        read(**attributes)

    assert caught.value.reason == reason
    assert caught.value.item == "Meeting m1"
    assert words in str(caught.value)
    assert str(caught.value).count("Meeting m1") == 1


@pytest.mark.parametrize("record_id", [None, "", 7], ids=["none", "empty", "a number"])
def test_a_record_without_id(record_id: object) -> None:
    with pytest.raises(InvalidRecord) as caught:
        read(id=record_id)

    assert caught.value.reason == "no_id"


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        pytest.param("Kick-off", "Kick-off", id="plain"),
        pytest.param("  two\nlines\t", "two lines", id="folded"),
        pytest.param("a \ufe64 b \ufe65 c \ufe66 d", "a < b > c = d", id="look-alikes"),
        pytest.param("\ufe59no subject\ufe5a", "", id="no subject"),
        pytest.param(None, "", id="none"),
        pytest.param("x" * 5_000, "x" * 5_000, id="5,000 characters"),
    ],
)
def test_subject(name: object, subject: str) -> None:
    assert read(name=name).meeting.subject == subject


def test_everybody_has_a_place() -> None:
    view = read(
        usersIds=["u1", "u2", "u2"],
        usersColumns={"u2": {"status": "Tentative"}, "gone": {"status": "Accepted"}},
        contactsIds=["c1"],
        contactsColumns={"c1": {"status": "Bogus"}},
        leadsIds=["l1"],
        leadsColumns={"l1": {"status": "Declined"}},
    )

    assert view.meeting.organizer == Attendee("alice@example.com", "Alice", Person(PersonKind.USER, "u1"))
    assert view.meeting.attendees == (
        Attendee("bob@example.com", "Bob", Person(PersonKind.USER, "u2"), Response.TENTATIVE),
        Attendee("dave@contoso.example", "Dave", Person(PersonKind.CONTACT, "c1")),
        Attendee("frank@fabrikam.example", "Frank", Person(PersonKind.LEAD, "l1"), Response.DECLINED),
    )
    assert view.notes == ()


@pytest.mark.parametrize(
    ("attributes", "addresses", "note"),
    [
        pytest.param({"contactsIds": ["none"]}, [""], "contact Nora has no usable e-mail", id="no address"),
        pytest.param(
            {"contactsIds": ["broken"]}, [""], "contact Bea has no usable e-mail", id="broken address"
        ),
        pytest.param(
            {"contactsIds": ["second"]}, ["s@contoso.example"], "", id="a second address can be used"
        ),
        pytest.param(
            {"contactsIds": ["x"], "contactsNames": {"x": "Gone Person"}},
            [""],
            "contact Gone Person is not known",
            id="unknown person",
        ),
        pytest.param(
            {"leadsIds": ["x"], "leadsNames": []}, [""], "lead x is not known", id="not even a name"
        ),
        pytest.param(
            {"contactsIds": ["c1", "c1"], "leadsIds": ["twin"]},
            ["dave@contoso.example"],
            "lead D. has the address of another",
            id="one address, two people",
        ),
        pytest.param({"usersIds": None, "contactsIds": "c1"}, [], "", id="not a list"),
        pytest.param({"contactsIds": [None, 3, ""]}, [], "", id="not ids"),
    ],
)
def test_attendees_with_a_note(attributes: dict[str, object], addresses: list[str], note: str) -> None:
    view = read(**attributes)

    assert [attendee.address for attendee in view.meeting.attendees] == addresses
    assert [n for n in view.notes if note in n] == list(view.notes)
    assert bool(view.notes) is bool(note)


def test_who_is_left_out_is_kept_for_the_way_back() -> None:
    assert read(contactsIds=["c1"], leadsIds=["twin"]).hidden == (Person(PersonKind.LEAD, "twin"),)


def test_everybody_whom_a_record_names() -> None:
    view = read(usersIds=["u1", "u2"], contactsIds=["c1"], leadsIds=["twin"])

    kinds = {PersonKind.USER: ("u1", "u2"), PersonKind.CONTACT: ("c1",), PersonKind.LEAD: ("twin",)}
    assert view.people == {Person(kind, i) for kind, people in kinds.items() for i in people}


@pytest.mark.parametrize(("told", "uid"), [({"uid": "a@b"}, "a@b"), ({"uid": None}, ""), ({}, "")], ids=repr)
def test_the_crms_own_uid(told: dict[str, object], uid: str) -> None:
    assert read(**told).uid == uid


def test_six_hundred_attendees_are_read() -> None:
    ids = [f"c{number}" for number in range(600)]

    assert len(read(contactsIds=ids).meeting.attendees) == 600


@pytest.mark.parametrize(
    ("attributes", "zone"),
    [
        pytest.param({"timeZone": "America/New_York"}, "America/New_York", id="the record's"),
        pytest.param({"assignedUserId": "zoned"}, "Asia/Tokyo", id="the assigned user's"),
        pytest.param({}, "Europe/Kyiv", id="the installation's"),
    ],
)
def test_zone(attributes: dict[str, object], zone: str) -> None:
    assert read(**attributes).meeting.zone == zone


@pytest.mark.parametrize(
    ("attributes", "field", "value", "notes"),
    [
        pytest.param({"place": " Room\n5 "}, "location", "Room 5", 0, id="location"),
        pytest.param({"remindMinutes": 15}, "reminder", 15, 0, id="reminder"),
        pytest.param({"remindMinutes": "30"}, "reminder", 30, 0, id="reminder of an enumeration"),
        pytest.param({"remindMinutes": None}, "reminder", None, 0, id="no reminder"),
        pytest.param({"remindMinutes": -5}, "reminder", None, 1, id="negative reminder"),
        pytest.param({"remindMinutes": True}, "reminder", None, 1, id="a reminder that is no number"),
        pytest.param({"sensitivity": "Private"}, "sensitivity", Sensitivity.PRIVATE, 0, id="sensitivity"),
        pytest.param({"sensitivity": "Odd"}, "sensitivity", Sensitivity.NORMAL, 1, id="unknown sensitivity"),
        pytest.param({"showAs": "Working Elsewhere"}, "show_as", ShowAs.WORKING_ELSEWHERE, 0, id="show as"),
        pytest.param({"showAs": ""}, "show_as", ShowAs.BUSY, 0, id="no show as"),
        pytest.param({"isOnline": True}, "online", True, 0, id="online"),
        pytest.param(
            {"cOutlookJoinUrl": "https://t.example/j"}, "join_url", "https://t.example/j", 0, id="join"
        ),
        pytest.param({"description": "a\r\nb\0 \r\n"}, "description", "a\nb", 0, id="description"),
    ],
)
def test_own_attributes(attributes: dict[str, object], field: str, value: object, notes: int) -> None:
    view = read(VISIT, **attributes)

    assert getattr(view.meeting, field) == value
    assert len(view.notes) == notes


def test_attributes_that_the_entity_does_not_have_are_not_read() -> None:
    view = read(place="Room 5", isOnline=True, remindMinutes=5, cOutlookEventId="x")

    assert (view.meeting.location, view.meeting.online, view.meeting.reminder, view.marker) == (
        "",
        False,
        None,
        "",
    )


@pytest.mark.parametrize(
    ("status", "held"), [("Planned", False), ("Held", True), ("Not Held", True), (None, False)]
)
def test_held(status: object, held: bool) -> None:
    assert read(status=status).held is held


def test_a_description_in_html_becomes_text() -> None:
    entity = EntitySettings(entity_type="CVisit", description="notes", description_format="html")

    view = read(entity, notes="<p>Hi <b>there</b></p><script>alert(1)</script>", description="not this one")

    assert view.meeting.description == "Hi there"


def test_a_text_that_looks_like_html_stays_text() -> None:
    assert read(description="<script>alert(1)</script>").meeting.description == "<script>alert(1)</script>"


def test_bookkeeping_of_the_view() -> None:
    view = read(VISIT, modifiedAt="2026-11-20 09:06:53", versionNumber=3, cOutlookEventId="i:l")

    assert view.modified_at == datetime(2026, 11, 20, 9, 6, 53, tzinfo=UTC)
    assert (view.version, view.marker, view.assigned_user_id) == (3, "i:l", "u1")


def test_an_unreadable_modified_at_is_none() -> None:
    assert read(modifiedAt="lately", versionNumber=None).modified_at is None


def test_attributes_read() -> None:
    assert {"place", "cOutlookEventId", "isAllDay", "versionNumber"} <= set(attributes_read(VISIT))
    assert "isAllDay" not in attributes_read(CALL)
    assert "" not in attributes_read(MEETING)


RECORDED = {
    name: r
    for name, r in recordings().items()
    if r.status == 200 and isinstance(r.body, dict) and "usersIds" in r.body and "dateStart" in r.body
}
UNUSABLE = {
    "027-meeting-put-end-before-start": "end_before_start",
    "057-meeting-get-deleted-admin": "deleted",
    "204-date-end-before-start": "end_before_start",
    "206-date-no-end": "no_end",
}


@pytest.mark.parametrize("name", sorted(RECORDED.keys() - UNUSABLE.keys()))
def test_recorded_records_become_meetings(name: str) -> None:
    body: dict[str, Any] = RECORDED[name].body
    entity = CALL if RECORDED[name].path.startswith("Call") else MEETING

    view = read_record(body, entity, Directory(People()))

    people = [body.get(f"{link}Ids") or [] for link in ("users", "contacts", "leads")]
    assert len(view.meeting.attendees) == len({i for ids in people for i in ids} - {body["assignedUserId"]})
    assert view.meeting.subject == " ".join(body["name"].split())
    assert isinstance(view.meeting.span, AllDay) is bool(body.get("dateStartDate"))
    assert view.modified_at is not None


@pytest.mark.parametrize("name", UNUSABLE)
def test_recorded_records_that_are_no_meetings(name: str) -> None:
    with pytest.raises(InvalidRecord) as caught:
        read_record(RECORDED[name].body, MEETING, Directory(People()))

    assert caught.value.reason == UNUSABLE[name]
