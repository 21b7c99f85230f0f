"""`/api/v1/bookings`: a slot becomes a record of the right person, once, and others are told why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from calsync_plugin.booking.features import Feature
from calsync_plugin.state import BookingCalendar, BookingState, CalendarKind, Subject
from tests.pages import Browser
from tests.web.test_api import ADMIN, Program, Sessions, user
from tests.world import ADMIN_ID, ADMINISTRATOR, ALICE, BOB, CAROL, DAVE, World

RULES: Mapping[str, Any] = {"duration": 60, "step": 60, "hours": "own", "start": "09:00", "end": "12:00"}
"""Three slots of an hour a day, in UTC."""
AT_NINE, AT_TEN, AT_ELEVEN = (f"2026-12-01T{hour}:00:00Z" for hour in ("09", "10", "11"))
DEMO: dict[str, Any] = {"calendar": "team", "start": AT_NINE, "name": "Demo"}
KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
PATH = "/bookings"


def calendar(kind: CalendarKind, calendar_id: str, *members: str) -> BookingCalendar:
    return BookingCalendar(
        id=calendar_id, name=calendar_id, kind=kind, rules=RULES, members=dict.fromkeys(members, 0)
    )


CALENDARS = [
    calendar(CalendarKind.ROUND_ROBIN, "team", ALICE, BOB),
    calendar(CalendarKind.COLLECTIVE, "all", ALICE, BOB),
    calendar(CalendarKind.SERVICE, "help", ALICE, BOB),
    calendar(CalendarKind.PERSONAL, "hers", ALICE),
    calendar(CalendarKind.PERSONAL, "nobodys", CAROL),
    BookingCalendar(id="fair", name="Fair", kind=CalendarKind.EVENT),
]


def _made(world: World) -> World:
    world.connect(ALICE)
    world.connect(BOB)
    for one in CALENDARS:
        world.app.store.booking_calendars.save(one)
    return world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Alice and bob are connected and free, carol is not connected."""
    made = World(tmp_path)
    yield _made(made)
    made.close()


@pytest.fixture
def program(world: World) -> Program:
    return Program(world, Sessions())


def book(program: Program, headers: Mapping[str, str] = ADMIN, **changes: Any) -> TestResponse:
    return program.ask("POST", PATH, dict(headers), json={**DEMO, **changes})


# What comes of it ------------------------------------------------------------------------------------------


def test_a_slot_becomes_a_record_of_its_user(world: World, program: Program) -> None:
    answer = book(program, description="By phone", contacts=[DAVE], attributes={"status": "Planned"})
    made = answer.get_json()
    assert (answer.status_code, made["state"], made["calendar"]) == (201, "confirmed", "team")
    assert (made["from"], made["to"]) == (AT_NINE, AT_TEN)
    record = world.only_record()
    assert (record["id"], record["name"], record["description"]) == (made["record"], "Demo", "By phone")
    assert (record["assignedUserId"], record["contactsIds"]) == (made["user"], [DAVE])
    assert answer.headers["Location"] == f"/api/v1{PATH}/{made['id']}"
    assert program.ask("GET", f"{PATH}/{made['id']}", ADMIN).get_json() == made
    world.settle()
    assert world.event(made["user"]).subject == "Demo"


def test_a_team_that_comes_together_attends(world: World, program: Program) -> None:
    made = book(program, calendar="all").get_json()
    record = world.only_record()
    assert set(made["users"]) == set(record["usersIds"]) == {ALICE, BOB}
    assert made["users"][0] == made["user"] == record["assignedUserId"]


def test_users_are_booked_without_a_booking_calendar(world: World, program: Program) -> None:
    made = book(program, calendar="", users=[BOB], duration=30).get_json()
    assert (made["user"], made["calendar"], made["to"]) == (BOB, "", "2026-12-01T09:30:00Z")
    assert world.only_record()["assignedUserId"] == BOB


def test_the_member_of_a_service_who_is_asked_for_gives_it(program: Program) -> None:
    assert [book(program, calendar="help", user=one).get_json()["user"] for one in (BOB, ALICE)] == [
        BOB,
        ALICE,
    ]


def test_who_comes_too_late_is_offered_the_next_free_slots(world: World, program: Program) -> None:
    taken = [book(program).get_json()["user"] for _ in range(2)]
    answer = book(program, zone="Europe/Vienna")
    assert sorted(taken) == sorted([ALICE, BOB])
    assert answer.status_code == 409
    first = answer.get_json()["next"][0]
    assert (first["from"], sorted(first["users"])) == ("2026-12-01T11:00:00+01:00", sorted([ALICE, BOB]))
    assert len(world.records()) == 2


def test_outlook_is_looked_at_once_more(world: World, program: Program) -> None:
    world.outlook_create(ALICE, start="2026-12-01T09:30:00", end="2026-12-01T10:30:00")
    answer = book(program, calendar="hers")
    assert (answer.status_code, answer.get_json()["next"][0]["from"]) == (409, AT_ELEVEN)
    assert world.records() == []


def test_the_same_key_gives_the_same_booking(world: World, program: Program) -> None:
    first, again = book(program, {**ADMIN, **KEY}), book(program, {**ADMIN, **KEY})
    assert [first.status_code, again.status_code] == [201, 200]
    assert first.get_json() == again.get_json()
    assert len(world.records()) == 1


def test_a_key_is_for_one_request_of_one_caller(world: World, program: Program) -> None:
    book(program, {**ADMIN, **KEY})
    other = book(program, {**ADMIN, **KEY}, start=AT_TEN)
    assert (other.status_code, "key" in other.get_json()["error"]) == (409, True)
    assert book(program, {**user(ALICE), **KEY}, start=AT_TEN).status_code == 201
    assert len(world.records()) == 2


def test_a_booking_whose_record_is_looked_for_is_held(world: World, program: Program) -> None:
    world.crm_fails(path=".*Meeting", method="POST", status=504, times=1)
    world.crm_fails(path=".*Meeting", method="GET", status=503, times=None)
    answer = book(program, {**ADMIN, **KEY})
    assert (answer.status_code, answer.get_json()["state"]) == (202, "held")
    again = book(program, {**ADMIN, **KEY})
    assert (again.status_code, again.get_json()["id"]) == (202, answer.get_json()["id"])
    waiting = program.ask("DELETE", f"{PATH}/{answer.get_json()['id']}", ADMIN)
    assert (waiting.status_code, "still being made" in waiting.get_json()["error"]) == (409, True)


def test_what_the_crm_refuses_is_said(world: World, program: Program) -> None:
    world.crm_fails(path=".*Meeting", method="POST", status=400, times=1)
    answer = book(program)
    assert (answer.status_code, "did not take the meeting" in answer.get_json()["error"]) == (409, True)
    assert book(program).status_code == 201


def test_a_crm_that_is_away_is_said(world: World, program: Program) -> None:
    world.crm_fails(path=".*Meeting", method="POST", status=503, times=None)
    assert book(program).status_code == 502


def test_what_comes_of_requests_is_counted(world: World, program: Program) -> None:
    made = book(program, {**ADMIN, **KEY}, calendar="hers").get_json()
    book(program, {**ADMIN, **KEY}, calendar="hers")
    book(program, calendar="hers")
    world.crm_fails(path=".*Meeting", method="POST", status=400, times=1)
    book(program, calendar="hers", start=AT_TEN)
    program.ask("DELETE", f"{PATH}/{made['id']}", ADMIN)
    totals = world.app.counting.totals()
    counted = {label: amount for (name, label), amount in totals.items() if name == "bookings"}
    assert counted == dict.fromkeys(["made", "taken", "refused", "cancelled"], 1)


# Cancelling ------------------------------------------------------------------------------------------------


def test_a_cancelled_booking_frees_its_time(world: World, program: Program) -> None:
    made = book(program, calendar="hers").get_json()
    path = f"{PATH}/{made['id']}"
    for _ in range(2):
        answer = program.ask("DELETE", path, ADMIN)
        assert (answer.status_code, answer.get_json()["state"]) == (200, "released")
    assert world.records() == []
    assert program.ask("GET", path, ADMIN).get_json()["reason"] == "it was cancelled"
    assert book(program, calendar="hers").status_code == 201


# Who may do what -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "changes", "status"),
    [
        pytest.param({}, {}, 401, id="nobody"),
        pytest.param(user(f"+{ADMIN_ID}"), {}, 201, id="admin"),
        pytest.param(user(ALICE), {}, 201, id="member"),
        pytest.param(user(CAROL), {}, 403, id="no-member"),
        pytest.param(user(CAROL), {"calendar": "nowhere"}, 403, id="who-exists-is-not-told"),
        pytest.param(user(ALICE), {"calendar": "", "users": [ALICE]}, 201, id="oneself"),
        pytest.param(user(ALICE), {"calendar": "", "users": [BOB]}, 403, id="of-the-same-calendar"),
        pytest.param(
            user(ALICE),
            {"calendar": "", "users": [ALICE, BOB], "mode": "collective"},
            403,
            id="oneself-and-another",
        ),
        pytest.param(
            user(f"+{ADMIN_ID}"), {"calendar": "", "users": [BOB]}, 201, id="another-by-an-administrator"
        ),
        pytest.param(user(ALICE), {"duration": 60, "step": 120}, 409, id="fewer-times"),
        pytest.param(user(ALICE), {"duration": 30}, 403, id="another-duration"),
        pytest.param(user(ALICE), {"step": 30}, 403, id="beside-the-steps"),
        pytest.param(user(f"+{ADMIN_ID}"), {"duration": 30}, 201, id="another-duration-by-an-administrator"),
        pytest.param(user(ALICE), {"calendar": "", "users": [CAROL]}, 403, id="of-another"),
    ],
)
def test_who_may_book_whom(
    world: World, program: Program, headers: dict[str, str], changes: dict[str, Any], status: int
) -> None:
    assert book(program, headers, **changes).status_code == status
    assert len(world.records()) == (status == 201)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("attributes", {"parentType": "Account", "parentId": "1"}, id="attributes"),
        pytest.param("contacts", [DAVE], id="contacts"),
        pytest.param("leads", ["somebody"], id="leads"),
    ],
)
def test_nothing_is_written_with_more_rights_than_the_callers(
    world: World, program: Program, name: str, value: Any
) -> None:
    answer = book(program, user(ALICE), **{name: value})
    assert (answer.status_code, name in answer.get_json()["error"]) == (403, True)
    assert world.records() == []
    assert book(program, user(ALICE), **{name: type(value)()}).status_code == 201


def test_who_sees_and_who_cancels(world: World, program: Program) -> None:
    """Alice booked for bob; carol has nothing to do with it."""
    path = f"{PATH}/{book(program, user(ALICE), calendar='help', user=BOB).get_json()['id']}"
    for headers, status in ((ADMIN, 200), (user(ALICE), 200), (user(BOB), 200), (user(CAROL), 404)):
        assert program.ask("GET", path, headers).status_code == status
    refused = [program.ask("DELETE", path, headers).status_code for headers in ({}, user(CAROL))]
    assert refused == [401, 404]
    nowhere = program.ask("GET", f"{PATH}/nowhere", user(CAROL))
    assert nowhere.get_json() == program.ask("GET", path, user(CAROL)).get_json()
    assert len(world.records()) == 1
    assert program.ask("DELETE", path, user(BOB)).status_code == 200


def _left(world: World) -> None:
    for one in CALENDARS:
        world.app.store.booking_calendars.remove(one.id)


@pytest.mark.parametrize(
    "ended",
    [
        pytest.param(_left, id="left-the-booking-calendar"),
        pytest.param(lambda world: world.reassign(world.only_record()["id"], CAROL), id="given-to-another"),
    ],
)
def test_what_was_booked_for_others_is_not_the_bookers_for_ever(
    world: World, program: Program, ended: Callable[[World], None]
) -> None:
    path = f"{PATH}/{book(program, user(ALICE), calendar='help', user=BOB).get_json()['id']}"
    assert program.ask("GET", path, user(ALICE)).status_code == 200
    ended(world)
    world.sweep()
    assert [program.ask(method, path, user(ALICE)).status_code for method in ("GET", "DELETE")] == [404, 404]
    assert len(world.records()) == 1
    assert program.ask("DELETE", path, ADMIN).status_code == 200


def test_no_user_is_named_like_a_program(program: Program) -> None:
    path = f"{PATH}/{book(program).get_json()['id']}"
    for name in ("API token", "token", "page", "user"):
        assert program.ask("GET", path, user(name)).status_code == 404


def test_what_was_booked_on_the_page_is_cancelled_by_the_api(world: World, program: Program) -> None:
    page = Browser(world)
    page.sign_in("alice")
    sent = {"start": "1796115600", "name": "Demo", "key": "k" * 32, "user": BOB}
    assert page.post(f"/booking-calendars/help/book?user={BOB}", sent).status_code == 200
    (booking,) = world.app.store.bookings.upcoming(BOB, 0, 9)
    path = f"{PATH}/{booking.id}"
    assert program.ask("GET", path, user(ALICE)).get_json()["user"] == BOB
    assert program.ask("DELETE", path, user(ALICE)).status_code == 200
    assert world.records() == []


def test_who_only_attends_does_not_cancel(world: World, program: Program) -> None:
    made = book(program, calendar="all").get_json()
    (other,) = set(made["users"]) - {made["user"]}
    path = f"{PATH}/{made['id']}"
    assert program.ask("GET", path, user(other)).status_code == 200
    assert program.ask("DELETE", path, user(other)).status_code == 403
    assert len(world.records()) == 1


def test_a_feature_that_is_off_is_refused_in_words_for_the_reader(world: World, program: Program) -> None:
    world.app.desk.features.close(ADMINISTRATOR, Feature.BOOKINGS, Subject("installation", ""))
    for headers, words in ((ADMIN, "on the page Features"), (user(ALICE), "contact the administrator")):
        answer = book(program, headers)
        assert (answer.status_code, words in answer.get_json()["error"]) == (403, True)
    assert world.records() == []


# Bad input -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Program]]:
    """A world in which nothing is ever booked."""
    made = World(tmp_path_factory.mktemp("untouched"))
    yield _made(made), Program(made, Sessions())
    made.close()


def _deep(levels: int) -> dict[str, Any]:
    return {"a": _deep(levels - 1)} if levels else {}


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        pytest.param({"start": None}, 400, "start: is missing", id="no-start"),
        pytest.param({"start": 1796115600}, 400, "start: must be a text", id="start-in-seconds"),
        pytest.param({"start": "2026-12-01T09:00"}, 400, "has no zone", id="start-without-zone"),
        pytest.param({"start": "9999-12-31T23:00:00Z"}, 400, "2199", id="year-9999"),
        pytest.param({"start": "2026-12-01T09:17:00Z"}, 409, "not offered", id="between-two-slots"),
        pytest.param({"start": "2026-12-01T20:00:00Z"}, 409, "not offered", id="at-night"),
        pytest.param({"start": "2026-11-20T09:00:00Z"}, 409, "not offered", id="in-the-past"),
        pytest.param({"start": "2027-10-01T09:00:00Z"}, 409, "not offered", id="too-far-ahead"),
        pytest.param({"name": ""}, 400, "name: is missing", id="no-name"),
        pytest.param({"name": "x" * 251}, 400, "at most 250", id="long-name"),
        pytest.param({"name": "a\0b"}, 400, "name: must be a text", id="null-in-name"),
        pytest.param({"name": ["Demo"]}, 400, "name: must be a text", id="name-of-wrong-type"),
        pytest.param({"description": "x" * 30_001}, 400, "at most 30000", id="long-description"),
        pytest.param({"contacts": DAVE}, 400, "contacts: must be a list", id="contacts-of-wrong-type"),
        pytest.param({"contacts": [5]}, 400, "contacts: must be a text", id="contact-of-wrong-type"),
        pytest.param({"contacts": [""]}, 400, "an id is empty", id="empty-contact"),
        pytest.param({"leads": ["x"] * 101}, 400, "at most 100", id="101-leads"),
        pytest.param({"entity_type": "Lead"}, 400, "not synced", id="entity-type"),
        pytest.param({"attributes": []}, 400, "must be an object", id="attributes-of-wrong-type"),
        pytest.param(
            {"attributes": {"assignedUserId": CAROL}}, 400, "assignedUserId", id="attribute-of-ours"
        ),
        pytest.param({"attributes": {"x": "y" * 70_000}}, 400, "more text", id="too-much"),
        pytest.param({"attributes": _deep(12)}, 400, "JSON object", id="deep"),
        pytest.param({"titel": "Demo"}, 400, "'titel' is not known", id="misspelt"),
        pytest.param({"users": [ALICE]}, 400, "not both", id="users-and-calendar"),
        pytest.param({"calendar": ""}, 400, "name users, or", id="nobody"),
        pytest.param({"calendar": "", "users": ["nobody"]}, 404, "no user nobody", id="unknown-user"),
        pytest.param({"calendar": "", "users": [ADMIN_ID]}, 403, "not allowed to sync", id="no-grant"),
        pytest.param({"calendar": "", "users": ["x"] * 500}, 400, "at most 100", id="500-users"),
        pytest.param({"calendar": "", "users": [CAROL]}, 409, "not connected", id="not-connected"),
        pytest.param({"calendar": "nowhere"}, 404, "no such booking calendar", id="unknown-calendar"),
        pytest.param({"calendar": "fair"}, 409, "not connected to Outlook", id="event-kind"),
        pytest.param({"calendar": "nobodys"}, 409, "not connected", id="nobody-connected"),
        pytest.param(
            {"calendar": {"id": "team"}}, 400, "calendar: must be a text", id="calendar-of-wrong-type"
        ),
        pytest.param({"mode": "any"}, 400, "must be one of", id="mode"),
        pytest.param({"mode": 1}, 400, "must be one of", id="mode-of-wrong-type"),
        pytest.param({"duration": 0}, 400, "duration: must be", id="duration-0"),
        pytest.param({"duration": 1e9}, 400, "duration: must be", id="duration-1e9"),
        pytest.param({"duration": 30.5}, 400, "duration: must be", id="half-a-minute"),
        pytest.param({"duration": True}, 400, "duration: must be", id="duration-true"),
        pytest.param({"step": 1}, 400, "step: must be", id="step-1"),
        pytest.param({"contacts": [DAVE, "51"]}, 400, "contacts: the CRM does not know 51.", id="no-contact"),
        pytest.param({"leads": [DAVE]}, 400, "leads: the CRM does not know", id="a-contact-is-no-lead"),
        pytest.param({"zone": "Mars/Olympus"}, 400, "Mars/Olympus", id="zone"),
        pytest.param({"zone": 5}, 400, "zone: must be a text", id="zone-of-wrong-type"),
    ],
)
def test_what_is_wrong_is_said(
    untouched: tuple[World, Program], changes: dict[str, Any], status: int, words: str
) -> None:
    world, program = untouched
    answer = program.send("POST", PATH, headers=ADMIN, json={**DEMO, **changes})
    assert (answer.status_code, answer.is_json) == (status, True), answer.text
    assert words in answer.get_json()["error"]
    assert world.records() == []


@pytest.mark.parametrize(
    "key",
    ["", " ", "x" * 201, "x" * 10_000, "two words", "\u00e4", "tab\there"],
    ids=["empty", "blank", "201", "10-kilobytes", "words", "umlaut", "tab"],
)
def test_an_odd_key_is_refused(untouched: tuple[World, Program], key: str) -> None:
    world, program = untouched
    answer = program.send("POST", PATH, headers={**ADMIN, "Idempotency-Key": key}, json=DEMO)
    assert (answer.status_code, "Idempotency-Key" in answer.get_json()["error"]) == (400, True)
    assert world.records() == []


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        pytest.param('{"calendar": NaN}', "application/json", 400, id="nan"),
        pytest.param("[" * 100_000, "application/json", 400, id="brackets"),
        pytest.param("[]", "application/json", 400, id="list"),
        pytest.param("", "application/json", 400, id="empty"),
        pytest.param("{}", "text/plain", 415, id="a-form-of-another-site"),
        pytest.param('{"name": "' + "x" * 1_100_000 + '"}', "application/json", 413, id="a-megabyte"),
    ],
)
def test_a_body_that_is_none(untouched: tuple[World, Program], data: str, kind: str, status: int) -> None:
    world, program = untouched
    answer = program.send("POST", PATH, headers=ADMIN, data=data, content_type=kind)
    assert answer.status_code == status
    assert world.records() == []


def test_nothing_of_a_refused_booking_is_kept(untouched: tuple[World, Program]) -> None:
    world, program = untouched
    program.send("POST", PATH, headers={**ADMIN, **KEY}, json={**DEMO, "start": "2026-12-01T20:00:00Z"})
    assert world.app.store.bookings.by_key("API token", KEY["Idempotency-Key"]) is None
    held = world.app.store.bookings.unsettled(float("inf"), 10)
    assert [one for one in held if one.state is BookingState.HELD] == []
