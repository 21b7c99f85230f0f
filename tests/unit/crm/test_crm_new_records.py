"""What a new record carries: one for an event of Outlook, and one that takes a removed one's place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from calsync_plugin.crm.attributes import (
    cancelled_attributes,
    new_record_attributes,
    restored_attributes,
)
from calsync_plugin.domain.meeting import Attendee, Field, Meeting, Person, PersonKind, Response
from calsync_plugin.domain.timespan import AllDay, Timed
from calsync_plugin.errors import InvalidEvent, InvalidRecord
from calsync_plugin.settings import EntitySettings
from tests.unit.crm.recordings import VISIT, recordings

CALL = EntitySettings(entity_type="Call", all_day=False)
MEETING = EntitySettings(entity_type="Meeting", marker="cOutlookEventId")
ALICE = Attendee("alice@example.com", "Alice", Person(PersonKind.USER, "u1"), Response.TENTATIVE)
BOB = Attendee("bob@example.com", "Bob", Person(PersonKind.USER, "u2"), Response.DECLINED)
DAVE = Attendee("dave@contoso.example", "Dave", Person(PersonKind.CONTACT, "c1"), Response.ACCEPTED)
FRANK = Attendee("frank@fabrikam.example", "Frank", Person(PersonKind.LEAD, "u2"))
STRANGER = Attendee("stranger@elsewhere.example", "Stranger", response=Response.ACCEPTED)
TIMED = Timed(datetime(2026, 12, 1, 10, tzinfo=UTC), datetime(2026, 12, 1, 11, tzinfo=UTC))
EVENT = Meeting(subject="Kick-off", span=TIMED, attendees=(STRANGER, DAVE, BOB, FRANK))
TIMES = {
    "dateStart": "2026-12-01 10:00:00",
    "dateEnd": "2026-12-01 11:00:00",
    "isAllDay": False,
    "dateStartDate": None,
    "dateEndDate": None,
}


def written(
    meeting: Meeting,
    fields: Iterable[Field] = Field,
    *,
    entity: EntitySettings = MEETING,
    teams: tuple[str, ...] = (),
    response: Response | None = None,
) -> dict[str, object]:
    write = new_record_attributes(
        meeting, fields, entity, assigned_user_id="u1", teams=teams, marker="i:l", response=response
    )
    return dict(write.attributes)


def test_everything() -> None:
    assert written(EVENT, teams=("t1", "t2", "t1")) == {
        "name": "Kick-off",
        **TIMES,
        "description": "",
        "assignedUserId": "u1",
        "usersIds": ["u1", "u2"],
        "usersColumns": {"u1": {"status": "Accepted"}, "u2": {"status": "Declined"}},
        "contactsIds": ["c1"],
        "contactsColumns": {"c1": {"status": "Accepted"}},
        "leadsIds": ["u2"],
        "leadsColumns": {"u2": {"status": "None"}},
        "teamsIds": ["t1", "t2"],
        "cOutlookEventId": "i:l",
    }


def test_a_masked_meeting_is_the_owners_alone() -> None:
    busy = Meeting(subject="Busy", span=TIMED)

    assert written(busy, [Field.SPAN]) == {
        "name": "Busy",
        **TIMES,
        "assignedUserId": "u1",
        "usersIds": ["u1"],
        "usersColumns": {"u1": {"status": "Accepted"}},
        "cOutlookEventId": "i:l",
    }


@pytest.mark.parametrize(
    ("attendees", "response", "status"),
    [
        pytest.param((BOB,), None, "Accepted", id="organizer"),
        pytest.param((ALICE, BOB), None, "Tentative", id="attendee"),
        pytest.param((ALICE,), Response.DECLINED, "Declined", id="attendee whose own copy knows better"),
        pytest.param((BOB,), Response.NONE, "None", id="invited through a group"),
        pytest.param(
            (replace(ALICE, response=Response.NONE),), None, "None", id="attendee without an answer"
        ),
    ],
)
@pytest.mark.parametrize("fields", [set(Field), {Field.SPAN}], ids=["all", "span"])
def test_the_owners_answer(
    fields: set[Field], attendees: tuple[Attendee, ...], response: Response | None, status: str
) -> None:
    attributes = written(replace(EVENT, attendees=attendees), fields, response=response)

    users = attributes["usersColumns"]
    assert isinstance(users, dict)
    assert users["u1"] == {"status": status}
    assert attributes["usersIds"] == (["u1", "u2"] if BOB in attendees and len(fields) > 1 else ["u1"])


def test_answers_that_are_not_carried_are_not_written() -> None:
    attributes = written(EVENT, [Field.ATTENDEES])

    assert (attributes["usersIds"], attributes["contactsIds"]) == (["u1", "u2"], ["c1"])
    assert attributes["usersColumns"] == {"u1": {"status": "Accepted"}}
    assert "contactsColumns" not in attributes


def test_nobody_is_named_twice() -> None:
    again = replace(BOB, address="bob.baker@example.com")
    owner = replace(ALICE, address="a.able@example.com")

    attributes = written(replace(EVENT, attendees=(ALICE, owner, BOB, again)))

    assert attributes["usersIds"] == ["u1", "u2"]
    assert "contactsIds" not in attributes


def test_what_an_own_entity_can_hold() -> None:
    meeting = replace(EVENT, location="Room 5", online=True, join_url="https://teams.example/x")

    attributes = written(meeting, entity=VISIT)

    assert attributes["place"] == "Room 5"
    assert attributes["isOnline"] is True
    assert (attributes["cOutlookEventId"], attributes["cOutlookJoinUrl"]) == (
        "i:l",
        "https://teams.example/x",
    )
    assert "status" not in attributes


def test_a_call_has_neither_days_nor_a_marker() -> None:
    assert written(EVENT, [Field.SUBJECT], entity=CALL).keys() == {
        *("name", "dateStart", "dateEnd", "assignedUserId", "usersIds", "usersColumns")
    }
    with pytest.raises(InvalidEvent, match="all-day"):
        written(replace(EVENT, span=AllDay(date(2026, 12, 3), date(2026, 12, 4))), entity=CALL)


def test_notes_come_along() -> None:
    write = new_record_attributes(
        replace(EVENT, subject="x" * 300), Field, MEETING, assigned_user_id="u1", teams=(), marker=""
    )

    assert len(write.notes) == 1
    assert "cOutlookEventId" not in write.attributes


def test_a_cancelled_meeting() -> None:
    assert cancelled_attributes() == {"status": "Not Held"}


def test_a_recorded_record_is_restored() -> None:
    """The whole answer to a GET of EspoCRM 9.2.7, made into a new record."""
    body = recordings()["015-meeting-get-after-users"].body

    attributes = restored_attributes({**body, "cOutlookEventId": "i:l"}, MEETING)

    assert attributes.keys() == {
        *("name", "status", "description", "parentId", "parentType", "assignedUserId", "teamsIds"),
        *("dateStart", "dateEnd", "isAllDay", "dateStartDate", "dateEndDate", "cOutlookEventId"),
        *("usersIds", "usersColumns", "contactsIds", "contactsColumns", "leadsIds", "leadsColumns"),
    }
    same = attributes.keys() - {"usersColumns", "contactsColumns", "leadsColumns", "cOutlookEventId"}
    assert {name: attributes[name] for name in same} == {name: body[name] for name in same}
    assert attributes["usersColumns"] == {i: body["usersColumns"][i] for i in body["usersIds"]}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param(
            {"usersIds": ["u1", "u2", "u1"], "usersColumns": {"u1": {"status": "Accepted"}, "gone": {}}},
            {"usersIds": ["u1", "u2"], "usersColumns": {"u1": {"status": "Accepted"}}},
            id="people once",
        ),
        pytest.param(
            {"contactsIds": ["c1"], "contactsColumns": []},
            {"contactsIds": ["c1"], "contactsColumns": {}},
            id="a map of PHP",
        ),
        pytest.param({"leadsColumns": {"l1": {}}}, {}, id="columns of nobody"),
        pytest.param(
            {"cProjectId": "p", "cProjectName": "P", "cName": "own", "cTeamNames": "A, B"},
            {"cProjectId": "p", "cName": "own", "cTeamNames": "A, B"},
            id="own fields",
        ),
        pytest.param({"deleted": True, "createdById": "u1", "description": None}, {}, id="of the CRM"),
        pytest.param(
            {"status": "Held", "direction": "Inbound"}, {"status": "Held", "direction": "Inbound"}, id="own"
        ),
    ],
)
def test_restored_attributes(record: dict[str, object], expected: dict[str, object]) -> None:
    times = {"dateStart": "2026-12-01 10:00:00", "dateEnd": "2026-12-01 11:00:00"}

    assert restored_attributes({"id": "1", **times, **record}, MEETING) == {**TIMES, **expected}


def test_days_are_restored_as_days() -> None:
    days = {"isAllDay": True, "dateStartDate": "2026-12-03", "dateEndDate": "2026-12-04"}
    times = {"dateStart": "2026-12-03 05:00:00", "dateEnd": "2026-12-05 05:00:00"}

    assert restored_attributes({"id": "1", **days, **times}, MEETING) == days


def test_a_record_without_times_is_not_restored() -> None:
    with pytest.raises(InvalidRecord, match="Meeting 1") as caught:
        restored_attributes({"id": "1", "dateStart": "2026-12-01 10:00:00"}, MEETING)

    assert caught.value.reason == "no_end"
