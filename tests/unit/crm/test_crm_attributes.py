"""Meetings as attributes of a record, and that reading them back gives the same fingerprint."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync_plugin.crm.attributes import bookkeeping_attributes, record_attributes
from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.gateway import PersonCard, SimpleGateway
from calsync_plugin.crm.names import NAME_LENGTH, read_name, write_name
from calsync_plugin.crm.records import RecordView, read_record
from calsync_plugin.domain.meeting import (
    Attendee,
    Field,
    Meeting,
    Person,
    PersonKind,
    Response,
    Sensitivity,
    ShowAs,
    fold_line,
)
from calsync_plugin.domain.timespan import AllDay, Timed
from calsync_plugin.errors import InvalidEvent
from calsync_plugin.settings import EntitySettings
from tests.unit.crm.recordings import VISIT

CALL = EntitySettings(entity_type="Call", all_day=False)
BOB = Attendee("bob@example.com", "Bob", Person(PersonKind.USER, "u2"), Response.TENTATIVE)
DAVE = Attendee("dave@contoso.example", "Dave", Person(PersonKind.CONTACT, "c1"), Response.DECLINED)
STRANGER = Attendee("stranger@elsewhere.example", "Stranger")
TIMED = Timed(
    datetime(2026, 12, 1, 12, 0, 0, 900_000, tzinfo=timezone(timedelta(hours=2))),
    datetime(2026, 12, 1, 11, tzinfo=UTC),
)
MEETING = Meeting(
    subject="a < b",
    span=TIMED,
    location="Room 5",
    description="one\ntwo",
    attendees=(DAVE, BOB, STRANGER),
    reminder=15,
    sensitivity=Sensitivity.PRIVATE,
    show_as=ShowAs.OOF,
    online=True,
)


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        pytest.param(Field.SUBJECT, {"name": "a \ufe64 b"}, id="subject"),
        pytest.param(
            Field.SPAN,
            {
                "dateStart": "2026-12-01 10:00:00",
                "dateEnd": "2026-12-01 11:00:00",
                "isAllDay": False,
                "dateStartDate": None,
                "dateEndDate": None,
            },
            id="span",
        ),
        pytest.param(Field.LOCATION, {"place": "Room 5"}, id="location"),
        pytest.param(Field.DESCRIPTION, {"description": "one\ntwo"}, id="description"),
        pytest.param(
            Field.ATTENDEES,
            {"usersIds": ["u2"], "contactsIds": ["c1"], "leadsIds": []},
            id="known attendees only",
        ),
        pytest.param(
            Field.RESPONSES,
            {
                "usersColumns": {"u2": {"status": "Tentative"}},
                "contactsColumns": {"c1": {"status": "Declined"}},
            },
            id="responses",
        ),
        pytest.param(Field.REMINDER, {"remindMinutes": 15}, id="reminder"),
        pytest.param(Field.SENSITIVITY, {"sensitivity": "private"}, id="sensitivity"),
        pytest.param(Field.SHOW_AS, {"showAs": "oof"}, id="show as"),
        pytest.param(Field.ONLINE, {"isOnline": True}, id="online"),
    ],
)
def test_each_field(name: Field, attributes: dict[str, object]) -> None:
    write = record_attributes(MEETING, [name], VISIT)

    assert write.attributes == attributes
    assert write.notes == ()


def test_every_field_has_attributes() -> None:
    assert all(record_attributes(MEETING, [name], VISIT).attributes for name in Field)


def test_what_the_entity_lacks_is_not_written() -> None:
    written = record_attributes(MEETING, Field, CALL).attributes

    assert written.keys() == {
        *("name", "description", "dateStart", "dateEnd"),
        *("usersIds", "contactsIds", "leadsIds", "usersColumns", "contactsColumns"),
    }


def test_nothing_is_written_for_no_fields() -> None:
    assert record_attributes(MEETING, (), VISIT).attributes == {}


def test_all_day() -> None:
    meeting = replace(MEETING, span=AllDay(date(2026, 12, 31), date(2027, 1, 2)))

    assert record_attributes(meeting, [Field.SPAN], VISIT).attributes == {
        "isAllDay": True,
        "dateStartDate": "2026-12-31",
        "dateEndDate": "2027-01-01",
    }


def test_an_all_day_call_is_refused() -> None:
    meeting = replace(MEETING, span=AllDay(date(2026, 12, 31), date(2027, 1, 1)))

    with pytest.raises(InvalidEvent, match="all-day") as caught:
        record_attributes(meeting, [Field.SPAN], CALL)

    assert caught.value.reason == "all_day_unsupported"


def test_a_long_subject_is_cut_with_a_note() -> None:
    write = record_attributes(replace(MEETING, subject="x" * 5_000), [Field.SUBJECT], VISIT)

    assert write.attributes == {"name": "x" * 254 + "…"}
    assert "255" in write.notes[0]


def test_a_long_location_is_cut_with_a_note() -> None:
    write = record_attributes(replace(MEETING, location="Room 5; " * 99), [Field.LOCATION], VISIT)

    assert len(str(write.attributes["place"])) <= NAME_LENGTH
    assert "location" in write.notes[0]
    assert record_attributes(replace(MEETING, location="x" * 999), [Field.LOCATION], CALL).notes == ()


def test_who_shares_an_address_stays_on_the_record() -> None:
    current = view(replace(MEETING, attendees=(BOB,)))
    twin = Person(PersonKind.LEAD, "twin")

    write = record_attributes(MEETING, [Field.ATTENDEES], VISIT, current=replace(current, hidden=(twin,)))

    assert write.attributes["leadsIds"] == ["twin"]


def test_nobody_is_named_twice() -> None:
    twice = replace(MEETING, attendees=(BOB, replace(BOB, address="other@example.com")))

    assert record_attributes(twice, [Field.ATTENDEES], VISIT).attributes["usersIds"] == ["u2"]


def test_bookkeeping() -> None:
    assert bookkeeping_attributes(VISIT, marker="i:l") == {"cOutlookEventId": "i:l"}
    assert bookkeeping_attributes(VISIT, join_url="https://t.example") == {
        "cOutlookJoinUrl": "https://t.example"
    }
    assert bookkeeping_attributes(CALL, marker="i:l", join_url="https://t.example") == {}


class People(SimpleGateway):
    def people(self, kind: PersonKind, ids: Collection[str]) -> Mapping[str, PersonCard]:
        cards = {
            "u2": PersonCard(id="u2", addresses=("bob@example.com",)),
            "c1": PersonCard(id="c1", addresses=("dave@contoso.example",)),
        }
        return {i: cards[i] for i in ids if i in cards}


def view(meeting: Meeting, entity: EntitySettings = VISIT) -> RecordView:
    record = {
        "id": "1",
        "assignedUserId": "u1",
        **record_attributes(meeting, Field, entity).attributes,
    }
    return read_record(record, entity, Directory(People()))


@pytest.mark.parametrize("entity", [VISIT, replace(VISIT, description_format="html")], ids=["text", "html"])
@pytest.mark.parametrize(
    "span", [TIMED, AllDay(date(2026, 12, 3), date(2026, 12, 5))], ids=["timed", "all-day"]
)
@pytest.mark.parametrize(
    "subject", ["Kick-off", "", "(no subject)", "a<b>=c", "two\nlines", "Party \U0001f389 e\u0301"], ids=repr
)
@pytest.mark.parametrize(
    "description",
    ["", "one\n\n  two", "<b>no tag</b> & R&D", "x" * 100_000],
    ids=["none", "lines", "tags", "100 kB"],
)
def test_written_and_read_back_nothing_differs(
    entity: EntitySettings, span: Timed | AllDay, subject: str, description: str
) -> None:
    known = (BOB, DAVE)
    meeting = replace(MEETING, span=span, subject=subject, description=description, attendees=known)

    assert view(meeting, entity).meeting.normal_form(Field) == meeting.normal_form(Field)


@given(
    st.text(
        alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\ufe59\ufe5a\ufe64\ufe65\ufe66")
    )
)
def test_names_of_the_length_that_fits_come_back(subject: str) -> None:
    name = write_name(subject)

    assert not set(name) & set("<>=")
    assert 0 < len(name) <= NAME_LENGTH
    if len(fold_line(subject)) <= NAME_LENGTH:
        assert fold_line(read_name(name)) == fold_line(subject)
