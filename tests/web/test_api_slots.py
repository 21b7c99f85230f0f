"""`/api/v1/slots`: free times of users and teams, for those who may know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from calsync_plugin.booking.features import Feature
from calsync_plugin.state import BookingCalendar, CalendarKind, Subject
from tests.web.test_api import ADMIN, Program, Sessions, user
from tests.world import ADMIN_ID, ADMINISTRATOR, ALICE, BOB, CAROL, World

DAY = {"from": "2026-12-01T00:00:00Z", "to": "2026-12-02T00:00:00Z"}
RULES: Mapping[str, Any] = {"duration": 60, "step": 60, "hours": "own", "start": "09:00", "end": "12:00"}
"""Three slots of an hour a day, in UTC."""
CALENDARS = [
    BookingCalendar(
        id="team", name="Sales", kind=CalendarKind.ROUND_ROBIN, rules=RULES, members={ALICE: 0, BOB: 0}
    ),
    BookingCalendar(
        id="all", name="All", kind=CalendarKind.COLLECTIVE, rules=RULES, members={ALICE: 0, BOB: 0}
    ),
    BookingCalendar(
        id="help", name="Help", kind=CalendarKind.SERVICE, rules=RULES, members={ALICE: 0, BOB: 0, CAROL: 0}
    ),
    BookingCalendar(id="own", name="Own", kind=CalendarKind.PERSONAL, rules=RULES, members={CAROL: 0}),
    BookingCalendar(id="fair", name="Fair", kind=CalendarKind.EVENT, members={ALICE: 0}),
    BookingCalendar(id="empty", name="Empty", kind=CalendarKind.ROUND_ROBIN, rules=RULES),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Alice is busy from ten to eleven, bob from nine to ten; carol is not connected."""
    made = World(tmp_path_factory.mktemp("slots"))
    made.connect(ALICE)
    made.connect(BOB)
    made.outlook_create(ALICE, subject="Merger", start="2026-12-01T10:00:00", end="2026-12-01T11:00:00")
    made.outlook_create(BOB, start="2026-12-01T09:00:00", end="2026-12-01T10:00:00")
    made.pull(ALICE, BOB)
    for calendar in CALENDARS:
        made.app.store.booking_calendars.save(calendar)
    yield made
    made.close()


@pytest.fixture(scope="module")
def program(world: World) -> Program:
    return Program(world, Sessions())


def path_of(**query: Any) -> str:
    return f"/slots?{urlencode({**DAY, **query}, doseq=True)}"


def found(program: Program, headers: dict[str, str] = ADMIN, **query: Any) -> dict[str, Any]:
    answer = program.ask("GET", path_of(**query), headers)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.get_json()
    return told


def times(told: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(one["from"][11:16], one["users"]) for one in told["slots"]]


BOTH = sorted([ALICE, BOB])


@pytest.mark.parametrize(
    ("query", "slots"),
    [
        pytest.param(
            {"calendar": "team"}, [("09:00", [ALICE]), ("10:00", [BOB]), ("11:00", BOTH)], id="round-robin"
        ),
        pytest.param({"calendar": "all"}, [("11:00", BOTH)], id="collective"),
        pytest.param(
            {"calendar": "help"}, [("09:00", [ALICE]), ("10:00", [BOB]), ("11:00", BOTH)], id="service"
        ),
        pytest.param(
            {"calendar": "help", "user": BOB}, [("10:00", [BOB]), ("11:00", [BOB])], id="asked-user"
        ),
        pytest.param({"calendar": "team", "notice": 9 * 1440}, [], id="notice"),
        pytest.param({"calendar": "team", "limit": 1}, [("09:00", [ALICE])], id="limit"),
        pytest.param({"calendar": "all", "before": 30}, [], id="buffer"),
        pytest.param({"calendar": "all", "duration": 30}, [("11:00", BOTH)], id="shorter"),
        pytest.param({"calendar": "all", "from": "2026-12-01T11:30:00Z"}, [], id="window"),
    ],
)
def test_a_booking_calendars_slots(
    program: Program, query: dict[str, Any], slots: list[tuple[str, list[str]]]
) -> None:
    assert times(found(program, **query)) == slots


def test_users_slots_are_within_their_working_hours(program: Program) -> None:
    told = found(program, users=[ALICE, BOB], mode="collective", duration=120, step=60)
    assert (told["mode"], told["duration"], told["step"]) == ("collective", 120, 60)
    assert ("11:00", BOTH) in times(told)
    assert ("10:00", BOTH) not in times(told)
    assert (told["more"], told["lacking"], told["stale"]) == (False, [], False)
    assert told["age_seconds"] is not None


def test_who_is_left_out_is_said(program: Program) -> None:
    (lacking,) = found(program, calendar="help")["lacking"]
    assert (lacking["user"], "not connected" in lacking["reason"]) == (CAROL, True)


def test_if_nobody_is_left_it_is_said_why(program: Program) -> None:
    answer = program.ask("GET", path_of(calendar="own"), ADMIN)
    assert (answer.status_code, answer.get_json()["lacking"][0]["user"]) == (409, CAROL)


def test_a_limit_says_that_there_are_more(program: Program) -> None:
    assert found(program, calendar="team", limit=2)["more"]
    assert not found(program, calendar="team", limit=3)["more"]


def test_times_are_told_in_the_zone_that_is_asked_for(program: Program) -> None:
    day: dict[str, Any] = {"from": "2026-12-01", "to": "2026-12-02"}
    told = found(program, calendar="all", zone="Asia/Tokyo", **day)
    assert [one["from"] for one in told["slots"]] == ["2026-12-01T20:00:00+09:00"]
    assert told["zone"] == "UTC"
    assert found(program, users=[ALICE], zone="Asia/Tokyo", **day)["zone"] == "Asia/Tokyo"


def test_outlook_is_asked_before_the_answer(world: World, program: Program) -> None:
    world.outlook_create(BOB, start="2026-12-03T09:30:00", end="2026-12-03T11:30:00")
    day: dict[str, Any] = {"calendar": "all", "from": "2026-12-03T09:00:00Z", "to": "2026-12-03T11:00:00Z"}
    assert times(found(program, **day)) == [("09:00", BOTH), ("10:00", BOTH)]
    assert times(found(program, **day, fresh="true")) == []


# Who may ask -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        pytest.param({}, {"calendar": "team"}, 401, id="nobody"),
        pytest.param(user(f"+{ADMIN_ID}"), {"calendar": "team"}, 200, id="admin"),
        pytest.param(user(ALICE), {"calendar": "team"}, 200, id="member"),
        pytest.param(user(CAROL), {"calendar": "team"}, 403, id="no-member"),
        pytest.param(user(CAROL), {"calendar": "nowhere"}, 403, id="who-exists-is-not-told"),
        pytest.param(user(CAROL), {"users": [ALICE]}, 200, id="of-the-same-calendar"),
        pytest.param(user(BOB), {"users": [ADMIN_ID]}, 403, id="of-another"),
        pytest.param(user(BOB), {"users": ["nobody"]}, 403, id="nobody-of-another"),
    ],
)
def test_who_may_ask_about_what(
    program: Program, headers: dict[str, str], query: dict[str, Any], status: int
) -> None:
    answer = program.ask("GET", path_of(**query), headers)
    assert answer.status_code == status, answer.text
    assert ("2026-12-01" in answer.text) is (status == 200)
    assert "Merger" not in answer.text


@pytest.mark.parametrize("feature", [Feature.BOOKINGS, Feature.AVAILABILITY])
def test_a_feature_that_is_off_is_refused_in_words_for_the_reader(
    world: World, program: Program, feature: Feature
) -> None:
    features, everybody = world.app.desk.features, Subject("installation", "")
    features.close(ADMINISTRATOR, feature, everybody)
    try:
        answers = [
            (words, program.ask("GET", path_of(**query), headers))
            for headers, words in ((ADMIN, "on the page Features"), (user(ALICE), "contact the"))
            for query in ({"calendar": "team"}, {"users": [ALICE]})
        ]
    finally:
        features.open(ADMINISTRATOR, feature, everybody)
    assert [(one.status_code, words in one.get_json()["error"]) for words, one in answers] == [
        (403, True)
    ] * 4


# Bad input -------------------------------------------------------------------------------------------------

TEAM = {"calendar": "team"}


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        pytest.param({}, 400, "name users, or a booking calendar", id="nobody"),
        pytest.param({**TEAM, "users": [ALICE]}, 400, "not both", id="users-and-calendar"),
        pytest.param({"users": ["nobody"]}, 404, "no user nobody", id="unknown-user"),
        pytest.param({"users": [ADMIN_ID]}, 403, "not allowed to sync", id="no-grant"),
        pytest.param({"users": ["x"] * 50 + list(map(str, range(500)))}, 400, "at most 100", id="500-users"),
        pytest.param({"users": [ALICE, BOB]}, 400, "need a mode", id="several-without-mode"),
        pytest.param({"calendar": "nowhere"}, 404, "no such booking calendar", id="unknown-calendar"),
        pytest.param({"calendar": "fair"}, 409, "not connected to Outlook", id="event-kind"),
        pytest.param({"calendar": "empty"}, 409, "has no members", id="no-members"),
        pytest.param({"calendar": "x" * 101}, 400, "at most 100 characters", id="long-calendar"),
        pytest.param({**TEAM, "user": BOB}, 400, "for a service only", id="asked-user-of-a-team"),
        pytest.param({"calendar": "help", "user": "nobody"}, 400, "does not give", id="asked-stranger"),
        pytest.param({**TEAM, "mode": "any"}, 400, "must be one of single", id="mode"),
        pytest.param({**TEAM, "mode": "single"}, 400, "leave it out", id="mode-of-calendar"),
        *(
            pytest.param({**TEAM, "duration": one}, 400, "whole number from 1 to 1440", id=f"duration-{one}")
            for one in ("0", "-5", "1e9", "1000000000", "abc", "NaN", "30.5", "", " 30", "\u0663\u0660")
        ),
        pytest.param({**TEAM, "step": "0"}, 400, "step: must be a whole", id="step-0"),
        pytest.param({**TEAM, "step": "1441"}, 400, "step: must be a whole", id="step-longer-than-a-day"),
        pytest.param({**TEAM, "before": "-1"}, 400, "before: must be", id="before"),
        pytest.param({**TEAM, "after": "9999"}, 400, "after: must be", id="after"),
        pytest.param({**TEAM, "notice": "-1"}, 400, "notice: must be", id="notice"),
        pytest.param({**TEAM, "daily_limit": "0"}, 400, "daily_limit: must be", id="daily-limit"),
        pytest.param({**TEAM, "limit": "2001"}, 400, "limit must be", id="limit"),
        pytest.param({**TEAM, "notic": "1"}, 400, "'notic' is not known; did you mean notice?", id="notic"),
        pytest.param({**TEAM, "fresh": "1"}, 400, "true or false", id="fresh"),
        pytest.param({**TEAM, "zone": "Mars/Olympus"}, 400, "Mars/Olympus", id="zone"),
        pytest.param({**TEAM, "to": "2027-03-01T00:00:00Z"}, 400, "62 days", id="90-days"),
        pytest.param({**TEAM, "to": DAY["from"]}, 400, "after from", id="nothing"),
        pytest.param({**TEAM, "from": "2026-12-01"}, 400, "has no zone", id="day-without-zone"),
        pytest.param({**TEAM, "to": "9999-12-31T00:00:00Z"}, 400, "2199", id="year-9999"),
    ],
)
def test_what_is_wrong_is_said(program: Program, query: dict[str, Any], status: int, words: str) -> None:
    answer = program.send("GET", path_of(**query), headers=ADMIN)
    assert (answer.status_code, answer.is_json) == (status, True), answer.text
    assert words in answer.get_json()["error"]
