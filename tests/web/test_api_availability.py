"""`/api/v1/availability`: when users are busy, for those who may know, and never with what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from calsync_plugin.booking.features import Feature
from calsync_plugin.sandbox.crm.identities import TEAM_SALES_ID
from calsync_plugin.state import BookingCalendar, CalendarKind, Subject
from tests.web.test_api import ADMIN, Program, Sessions, user
from tests.world import ADMIN_ID, ADMINISTRATOR, ALICE, BOB, CAROL, World

DAY = {"from": "2026-12-01T00:00:00Z", "to": "2026-12-02T00:00:00Z"}
NINE = {"start": "2026-12-01T08:00:00", "end": "2026-12-01T09:00:00"}
"""By the clocks of Vienna."""
HALF_PAST = {"start": "2026-12-01T08:30:00", "end": "2026-12-01T10:00:00"}
HOST_ADMIN = user(f"+{ADMIN_ID}")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Alice, who is busy, and bob are connected and share a booking calendar; carol may connect.

    Alice went out of the team since.
    """
    made = World(tmp_path_factory.mktemp("availability"))
    made.connect(ALICE)
    made.connect(BOB)
    made.app.store.booking_calendars.save(
        BookingCalendar(id="sales", name="Sales", kind=CalendarKind.ROUND_ROBIN, members={ALICE: 0, BOB: 0})
    )
    made.crm.store.change("User", ALICE, {"teamsIds": []})
    made.outlook_create(ALICE, subject="Secret merger", **NINE)
    other = made.calendar(ALICE, "Private")
    made.outlook_create(ALICE, calendar=other, subject="Doctor", **HALF_PAST)
    made.choose(ALICE, conflict_calendars=[other])
    made.pull(ALICE)
    made.clock.advance(60)
    yield made
    made.close()


@pytest.fixture(scope="module")
def program(world: World) -> Program:
    return Program(world, Sessions())


@contextmanager
def switched_off(world: World, kind: str = "installation", subject: str = "") -> Iterator[None]:
    """Availability is off within."""
    features, whose = world.app.desk.features, Subject(kind, subject)
    features.close(ADMINISTRATOR, Feature.AVAILABILITY, whose, "Sales")
    try:
        yield
    finally:
        features.open(ADMINISTRATOR, Feature.AVAILABILITY, whose)


def path_of(*users: str, **query: str) -> str:
    return f"/availability?{urlencode({'users': ','.join(users), **DAY, **query})}"


def ask(program: Program, *users: str, **query: str) -> list[dict[str, Any]]:
    """What an administrator is told of users on the first of December."""
    answer = program.ask("GET", path_of(*users, **query), ADMIN)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.get_json()["users"]
    return found


def span(start: str, end: str) -> dict[str, str]:
    return {"from": start, "to": end}


# What is answered ------------------------------------------------------------------------------------------


def test_a_users_time_is_told_by_source(program: Program) -> None:
    (alice,) = ask(program, ALICE)
    assert alice["known"], alice
    assert alice["busy"] == [span("2026-12-01T08:00:00Z", "2026-12-01T10:00:00Z")]
    assert alice["sources"] == [
        {"kind": "conflict", "busy": [span("2026-12-01T08:30:00Z", "2026-12-01T10:00:00Z")]},
        {"kind": "linked", "busy": [span("2026-12-01T08:00:00Z", "2026-12-01T09:00:00Z")]},
    ]
    assert (alice["age_seconds"], alice["stale"], alice["problems"]) == (60, False, [])
    assert alice["working_hours"]
    text = program.ask("GET", path_of(ALICE), ADMIN).text
    assert not any(word in text for word in ("Secret", "merger", "Doctor", "Private", "@example.com"))


def test_users_come_in_the_order_asked_and_each_once(program: Program) -> None:
    query = urlencode([("users", f"{BOB},{ALICE}"), ("users", BOB), ("users", " "), *DAY.items()])
    answer = program.send("GET", f"/availability?{query}", headers=ADMIN)
    assert [one["user"] for one in answer.get_json()["users"]] == [BOB, ALICE]


def test_times_are_asked_and_answered_in_a_zone(program: Program) -> None:
    query = {"from": "2026-12-01", "to": "2026-12-02", "zone": "America/New_York"}
    found = program.ask("GET", path_of(ALICE, **query), ADMIN).get_json()
    assert (found["from"], found["to"]) == ("2026-12-01T00:00:00-05:00", "2026-12-02T00:00:00-05:00")
    assert found["users"][0]["busy"] == [span("2026-12-01T03:00:00-05:00", "2026-12-01T05:00:00-05:00")]


def test_who_is_not_connected_is_said(program: Program) -> None:
    (carol,) = ask(program, CAROL)
    assert (carol["known"], carol["busy"], carol["sources"], carol["read_at"]) == (False, [], [], None)
    assert "not connected" in carol["reason"]


def test_outlook_is_asked_before_the_answer(world: World, program: Program) -> None:
    day = {"from": "2026-12-03T00:00:00Z", "to": "2026-12-04T00:00:00Z"}
    world.outlook_create(BOB, start="2026-12-03T08:00:00", end="2026-12-03T09:00:00")
    (before,) = ask(program, BOB, **day)
    assert (before["busy"], before["fresh"]) == ([], False)
    bob, carol = ask(program, BOB, CAROL, **day, fresh="true")
    assert (bob["fresh"], carol["fresh"]) == (True, False)
    assert carol["reason"]
    assert bob["busy"] == [span("2026-12-03T08:00:00Z", "2026-12-03T09:00:00Z")]


# Who may ask -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "users", "status"),
    [
        pytest.param({}, [ALICE], 401, id="nobody"),
        pytest.param(ADMIN, [ALICE, BOB, CAROL], 200, id="token"),
        pytest.param(HOST_ADMIN, [ALICE, CAROL], 200, id="admin"),
        pytest.param(user(ALICE), [ALICE], 200, id="self"),
        pytest.param(user(ALICE), [ALICE, BOB], 200, id="of-the-same-calendar"),
        pytest.param(user(ALICE), [CAROL], 403, id="of-another"),
        pytest.param(user(ALICE), [BOB, CAROL], 403, id="one-of-another"),
        pytest.param(user(CAROL), [ALICE], 403, id="in-no-calendar"),
        pytest.param(user(CAROL), ["nobody"], 403, id="who-exists-is-not-told"),
    ],
)
def test_who_may_ask_about_whom(
    program: Program, headers: dict[str, str], users: list[str], status: int
) -> None:
    answer = program.ask("GET", path_of(*users), headers)
    assert answer.status_code == status
    assert ("08:00" in answer.text) is (status == 200 and ALICE in users)


def test_another_users_time_and_nobodys_look_alike(program: Program) -> None:
    there, nowhere = (program.ask("GET", path_of(one), user(CAROL)) for one in (ALICE, "nobody"))
    assert (there.status_code, there.get_json()) == (nowhere.status_code, nowhere.get_json())


# What is switched off --------------------------------------------------------------------------------------


def test_a_feature_that_is_off_is_refused_in_words_for_the_reader(world: World, program: Program) -> None:
    with switched_off(world):
        answers = [program.ask("GET", path_of(ALICE), headers) for headers in (ADMIN, user(ALICE))]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert "on the page Features" in answers[0].get_json()["error"]
    assert "contact the administrator" in answers[1].get_json()["error"]


def test_an_administrator_learns_of_single_users_in_the_answer(world: World, program: Program) -> None:
    with switched_off(world, "team", TEAM_SALES_ID):
        alice, bob = ask(program, ALICE, BOB)
        asked = [(BOB, ADMIN), (BOB, user(BOB)), (ALICE, user(ALICE))]
        statuses = [program.ask("GET", path_of(one), headers).status_code for one, headers in asked]
    assert (alice["known"], bob["known"]) == (True, False)
    assert "not enabled" in bob["reason"]
    assert statuses == [403, 403, 200]


# Bad input -------------------------------------------------------------------------------------------------

MANY = [f"u{number}" for number in range(500)]


@pytest.mark.parametrize(
    ("users", "query", "status", "words"),
    [
        pytest.param(["nobody"], {}, 404, "no user nobody", id="unknown-user"),
        pytest.param([ALICE, "x1", "x2"], {}, 404, "no user x1, x2", id="unknown-users"),
        pytest.param([ADMIN_ID], {}, 403, f"Outlook: {ADMIN_ID}", id="no-grant"),
        pytest.param([], {}, 400, "at least one user", id="no-users"),
        pytest.param([" ", ""], {}, 400, "at least one user", id="blank-users"),
        pytest.param(MANY, {}, 400, "at most 100 at once, 500", id="500-users"),
        pytest.param(["x" * 101], {}, 400, "cannot be the id", id="long-user"),
        pytest.param(["a\nb"], {}, 400, "cannot be the id", id="line-in-user"),
        pytest.param(["a\0"], {}, 400, "cannot be the id", id="null-in-user"),
        pytest.param([ALICE], {"to": "2027-02-02T00:00:00Z"}, 400, "62 days", id="63-days"),
        pytest.param([ALICE], {"to": "2026-11-30T00:00:00Z"}, 400, "after from", id="backwards"),
        pytest.param([ALICE], {"to": DAY["from"]}, 400, "after from", id="nothing"),
        pytest.param([ALICE], {"zone": "Mars/Olympus"}, 400, "Mars/Olympus", id="zone"),
        pytest.param([ALICE], {"from": "2026-12-01T00:00"}, 400, "has no zone", id="from-without-zone"),
        pytest.param([ALICE], {"from": ""}, 400, "from: is missing", id="no-from"),
        pytest.param([ALICE], {"from": "0001-01-01T00:00:00Z"}, 400, "1970", id="year-1"),
        pytest.param([ALICE], {"to": "9999-12-31T23:59:59Z"}, 400, "2199", id="year-9999"),
        pytest.param([ALICE], {"frsh": "true"}, 400, "'frsh' is not known; did you mean fresh?", id="frsh"),
        pytest.param([ALICE], {"x": "1"}, 400, "'x' is not known (expected users, from", id="unknown"),
        pytest.param([ALICE], {"fresh": "yes"}, 400, "true or false", id="fresh"),
    ],
)
def test_what_is_wrong_is_said(
    program: Program, users: list[str], query: dict[str, str], status: int, words: str
) -> None:
    answer = program.send("GET", path_of(*users, **query), headers=ADMIN)
    assert (answer.status_code, answer.is_json) == (status, True), answer.text
    assert words in answer.get_json()["error"]


@pytest.mark.parametrize("name", ["users", "zone", "from", "x"])
def test_a_query_of_400_kilobytes_is_refused(program: Program, name: str) -> None:
    answer = program.send("GET", f"{path_of(ALICE)}&{name}={'a' * 400_000}", headers=ADMIN)
    assert (answer.status_code, answer.is_json) == (414, True)
    assert len(answer.text) < 500


def test_62_days_are_not_too_many(program: Program) -> None:
    assert ask(program, ALICE, to="2027-02-01T00:00:00Z")


def test_a_crm_that_is_away_is_needed_for_unknown_users_only(world: World, program: Program) -> None:
    world.crm_fails(path=".*", status=500, times=1)
    assert program.ask("GET", path_of(ALICE), ADMIN).status_code == 200
    assert program.ask("GET", path_of("nobody"), ADMIN).status_code == 502


@pytest.mark.parametrize(("schedules", "status"), [(False, 403), (True, 200)], ids=["off", "allowed"])
def test_who_does_not_sync_is_asked_about_where_outlook_may_tell(
    tmp_path: Path, schedules: bool, status: int
) -> None:
    made = World(tmp_path)
    made.settings = replace(made.settings, graph=replace(made.settings.graph, schedules=schedules))
    answer = Program(made, Sessions()).ask("GET", path_of(ADMIN_ID), ADMIN)
    made.close()
    assert answer.status_code == status
