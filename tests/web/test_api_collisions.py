"""`/api/v1/collisions`: a program learns before it saves what a meeting collides with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from calsync_plugin.booking.features import Feature
from calsync_plugin.state import BookingCalendar, CalendarKind, Subject
from tests.web.test_api import ADMIN, Program, Sessions, user
from tests.world import ADMIN_ID, ADMINISTRATOR, ALICE, BOB, CAROL, World

TEN = {"dateStart": "2026-12-01 10:00:00", "dateEnd": "2026-12-01 11:00:00"}
MEETING = {**TEN, "assignedUserId": ALICE, "usersIds": [ALICE, BOB, CAROL]}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Alice has a meeting at half past ten, bob at ten; carol is not connected."""
    made = World(tmp_path_factory.mktemp("collisions"))
    made.connect(ALICE)
    made.connect(BOB)
    made.outlook_create(ALICE, subject="Merger", start="2026-12-01T10:30:00", end="2026-12-01T12:00:00")
    made.outlook_create(BOB, start="2026-12-01T10:00:00", end="2026-12-01T10:15:00")
    made.pull(ALICE, BOB)
    yield made
    made.close()


@pytest.fixture(scope="module")
def program(world: World) -> Program:
    return Program(world, Sessions())


def found(user_id: str, start: str, end: str) -> dict[str, str]:
    day = "2026-12-01T"
    return {"user": user_id, "from": f"{day}{start}:00Z", "to": f"{day}{end}:00Z", "kind": "linked"}


OF_ALICE, OF_BOB = found(ALICE, "10:30", "12:00"), found(BOB, "10:00", "10:15")


def send(program: Program, headers: dict[str, str], record: Any, entity_type: Any = "Meeting") -> Any:
    return program.send(
        "POST", "/collisions", headers=headers, json={"entity_type": entity_type, "record": record}
    )


def test_what_collides_is_told_of_each_user(program: Program) -> None:
    body = {"entity_type": "Meeting", "record": MEETING}
    answer = program.ask("POST", "/collisions", ADMIN, json=body)
    assert answer.get_json() == {"collisions": [OF_BOB, OF_ALICE], "not_told": []}
    assert "Merger" not in answer.text


@pytest.mark.parametrize(
    ("who", "collisions", "not_told"),
    [
        pytest.param(ALICE, [OF_ALICE], [BOB, CAROL], id="a-user-of-its-own"),
        pytest.param(CAROL, [], [ALICE, BOB], id="another"),
    ],
)
def test_a_user_learns_of_no_strangers_time(
    program: Program, who: str, collisions: list[Any], not_told: list[str]
) -> None:
    answer = send(program, user(who), MEETING)
    assert answer.get_json() == {"collisions": collisions, "not_told": not_told}


def test_members_of_one_booking_calendar_learn_of_each_other(world: World, program: Program) -> None:
    world.app.store.booking_calendars.save(
        BookingCalendar(id="s", name="S", kind=CalendarKind.COLLECTIVE, members={ALICE: 0, BOB: 0})
    )
    told = send(program, user(BOB), MEETING).get_json()
    world.app.store.booking_calendars.remove("s")
    assert told == {"collisions": [OF_BOB, OF_ALICE], "not_told": [CAROL]}


def test_the_records_own_event_does_not_collide(world: World, program: Program) -> None:
    record_id = world.save(dateStart="2026-12-03 10:00:00", dateEnd="2026-12-03 11:00:00")
    world.settle()
    world.pull(ALICE)
    times = {"dateStart": "2026-12-03 10:30:00", "dateEnd": "2026-12-03 11:30:00", "assignedUserId": ALICE}
    assert len(send(program, ADMIN, times).get_json()["collisions"]) == 1
    assert send(program, ADMIN, {**times, "id": record_id}).get_json()["collisions"] == []


def test_whose_a_record_is_cannot_be_told_by_naming_it(world: World, program: Program) -> None:
    """Bob's meeting, named by bob and by alice, who share a booking calendar."""
    record_id = world.save(
        assignedUserId=BOB, usersIds=[BOB], dateStart="2026-12-04 10:00:00", dateEnd="2026-12-04 11:00:00"
    )
    world.settle()
    world.pull(BOB)
    world.app.store.booking_calendars.save(
        BookingCalendar(id="s", name="S", kind=CalendarKind.COLLECTIVE, members={ALICE: 0, BOB: 0})
    )
    record = {"dateStart": "2026-12-04 10:30:00", "dateEnd": "2026-12-04 11:30:00", "assignedUserId": BOB}
    told = {
        who: len(send(program, user(who), {**record, "id": record_id}).get_json()["collisions"])
        for who in (ALICE, BOB, f"+{ADMIN_ID}")
    }
    world.app.store.booking_calendars.remove("s")
    assert told == {ALICE: 1, BOB: 0, f"+{ADMIN_ID}": 0}


def test_who_was_booked_names_the_record(world: World, program: Program) -> None:
    calendar = BookingCalendar(id="s", name="S", kind=CalendarKind.PERSONAL, members={BOB: 0})
    world.app.store.booking_calendars.save(calendar)
    body = {"calendar": "s", "start": "2026-12-07T10:00:00Z", "name": "Demo"}
    made = program.ask("POST", "/bookings", ADMIN, json=body).get_json()
    world.app.store.booking_calendars.remove("s")
    record = {"dateStart": "2026-12-07 10:00:00", "dateEnd": "2026-12-07 11:00:00", "assignedUserId": BOB}
    told = [
        len(send(program, user(BOB), {**record, "id": one}).get_json()["collisions"])
        for one in ("", made["record"])
    ]
    assert told == [1, 0]


@pytest.mark.parametrize(
    ("record", "entity_type", "words"),
    [
        pytest.param(MEETING, "Lead", "must be one of Call, Meeting, Visit", id="unknown-kind"),
        pytest.param(MEETING, None, "entity_type: is missing", id="no-kind"),
        pytest.param(MEETING, ["Meeting"], "must be a text", id="kind-of-wrong-type"),
        pytest.param([], "Meeting", "must be an object", id="list"),
        pytest.param(None, "Meeting", "needs assignedUserId", id="no-record"),
        pytest.param({"assignedUserId": ALICE}, "Meeting", "it has no start", id="no-dates"),
        pytest.param({**MEETING, "dateEnd": None}, "Meeting", "it has no end", id="no-end"),
        pytest.param({**MEETING, "dateStart": 5}, "Meeting", "cannot be read", id="start-of-wrong-type"),
        pytest.param({**MEETING, "dateStart": "soon"}, "Meeting", "cannot be read as a date", id="words"),
        pytest.param(TEN, "Meeting", "needs assignedUserId or usersIds", id="nobody"),
        pytest.param({**MEETING, "usersIds": ALICE}, "Meeting", "must be a list", id="users-of-wrong-type"),
        pytest.param({**MEETING, "usersIds": [5]}, "Meeting", "must be a text", id="user-of-wrong-type"),
        pytest.param({**MEETING, "usersIds": ["x"] * 101}, "Meeting", "at most 100", id="101-users"),
        pytest.param({**MEETING, "assignedUserId": {}}, "Meeting", "must be a text", id="assigned"),
        pytest.param({**MEETING, "id": {"a": 1}}, "Meeting", "record.id: must be a text", id="id"),
    ],
)
def test_what_is_wrong_is_said(program: Program, record: Any, entity_type: Any, words: str) -> None:
    answer = send(program, ADMIN, record, entity_type)
    assert answer.status_code == 400
    assert words in answer.get_json()["error"]


@pytest.mark.parametrize(
    "times",
    [
        pytest.param({"dateStart": "0001-01-01 00:00:00", "dateEnd": "0001-01-01 01:00:00"}, id="year-1"),
        pytest.param({"dateStart": "9999-12-31 22:00:00", "dateEnd": "9999-12-31 23:59:59"}, id="year-9999"),
        pytest.param({"dateStartDate": "0001-01-01", "dateEndDate": "9999-12-30"}, id="all-days"),
        pytest.param({"dateStart": "2026-12-01 11:00:00", "dateEnd": "2026-12-01 10:00:00"}, id="backwards"),
    ],
)
def test_dates_at_the_edges_break_nothing(program: Program, times: dict[str, str]) -> None:
    answer = send(program, ADMIN, {**times, "assignedUserId": ALICE})
    assert answer.status_code in (200, 400), answer.text


def test_a_name_that_is_not_known_is_refused(program: Program) -> None:
    answer = program.send("POST", "/collisions", headers=ADMIN, json={"Record": {}})
    assert (answer.status_code, "'Record' is not known" in answer.text) == (400, True)


def test_a_stranger_learns_nothing(program: Program) -> None:
    answer = send(program, {}, MEETING)
    assert (answer.status_code, "10:" in answer.text) == (401, False)


def test_who_must_do_without_is_told_so(world: World, program: Program) -> None:
    features, everybody = world.app.desk.features, Subject("installation", "")
    features.close(ADMINISTRATOR, Feature.AVAILABILITY, everybody)
    answer = send(program, user(ALICE), MEETING)
    features.open(ADMINISTRATOR, Feature.AVAILABILITY, everybody)
    assert (answer.status_code, "contact the administrator" in answer.text) == (403, True)
