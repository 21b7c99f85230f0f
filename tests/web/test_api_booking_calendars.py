"""`/api/v1/booking-calendars`: administrators set up what can be booked, members read what is theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.test_api import ADMIN, Program, Sessions, user
from tests.world import ADMIN_ID, ALICE, BOB, CAROL, World

TEAM: dict[str, Any] = {
    "name": "Demo with sales",
    "kind": "round_robin",
    "members": [{"user": ALICE, "priority": 2}, {"user": BOB}],
    "rules": {"duration": 45, "notice": 120},
}
PATH = "/booking-calendars"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Nobody is connected: who is a member needs not be."""
    made = World(tmp_path_factory.mktemp("calendars"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def _program(world: World) -> Program:
    return Program(world, Sessions())


@pytest.fixture
def program(world: World, _program: Program) -> Iterator[Program]:
    """One that finds no booking calendars."""
    yield _program
    for calendar in world.app.store.booking_calendars.all():
        world.app.store.booking_calendars.remove(calendar.id)


def add(program: Program, **changes: Any) -> dict[str, Any]:
    answer = program.ask("POST", PATH, ADMIN, json={**TEAM, **changes})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    assert answer.headers["Location"] == f"/api/v1{PATH}/{made['id']}"
    return made


def names(program: Program, headers: dict[str, str]) -> list[str]:
    return [one["name"] for one in program.ask("GET", PATH, headers).get_json()["calendars"]]


def test_one_is_added_read_changed_and_removed(program: Program) -> None:
    made = add(program)
    path = f"{PATH}/{made['id']}"
    assert made["members"] == [{"user": ALICE, "priority": 2}, {"user": BOB, "priority": 0}]
    assert (made["rules"]["duration"], made["rules"]["step"], made["rules"]["notice"]) == (45, 30, 120)
    assert program.ask("GET", path, ADMIN).get_json() == made
    changed = program.ask("PUT", path, ADMIN, json={**TEAM, "name": "Demo", "version": made["version"]})
    assert (changed.status_code, changed.get_json()["name"]) == (200, "Demo")
    assert changed.get_json()["version"] == made["version"] + 1
    assert program.ask("DELETE", path, ADMIN).get_json() == {"removed": made["id"]}
    assert [program.ask(how, path, ADMIN).status_code for how in ("GET", "DELETE")] == [404, 404]
    assert program.ask("PUT", path, ADMIN, json={**TEAM, "version": 2}).status_code == 404


def test_what_was_changed_meanwhile_is_not_overwritten(program: Program) -> None:
    made = add(program)
    path, version = f"{PATH}/{made['id']}", made["version"]
    program.ask("PUT", path, ADMIN, json={**TEAM, "name": "First", "version": version})
    answer = program.ask("PUT", path, ADMIN, json={**TEAM, "name": "Second", "version": version})
    assert (answer.status_code, "changed meanwhile" in answer.get_json()["error"]) == (409, True)
    assert names(program, ADMIN) == ["First"]


def test_events_for_many_guests_are_said_not_to_be_connected(program: Program) -> None:
    assert not add(program, name="Fair", kind="event", members=[])["connected_to_outlook"]
    assert add(program)["connected_to_outlook"]


def test_members_read_theirs_and_nobody_elses(program: Program) -> None:
    theirs, other = add(program), add(program, name="Other", members=[{"user": BOB}])
    assert names(program, ADMIN) == names(program, user(f"+{ADMIN_ID}")) == ["Demo with sales", "Other"]
    assert names(program, user(ALICE)) == ["Demo with sales"]
    assert names(program, user(CAROL)) == []
    asked = [
        program.ask("GET", f"{PATH}/{one}", user(ALICE)) for one in (theirs["id"], other["id"], "nowhere")
    ]
    assert [answer.status_code for answer in asked] == [200, 403, 403]
    assert asked[1].get_json() == asked[2].get_json()


@pytest.mark.parametrize(("headers", "status"), [({}, 401), (user(ALICE), 403)], ids=["nobody", "member"])
def test_only_administrators_change_them(program: Program, headers: dict[str, str], status: int) -> None:
    made = add(program)
    path = f"{PATH}/{made['id']}"
    asked = [
        program.ask("POST", PATH, headers, json=TEAM),
        program.ask("PUT", path, headers, json={**TEAM, "version": made["version"]}),
        program.ask("DELETE", path, headers),
    ]
    assert {answer.status_code for answer in asked} == {status}
    assert program.ask("GET", path, ADMIN).get_json() == made


def member(user_id: Any, **more: Any) -> dict[str, Any]:
    return {"members": [{"user": user_id, **more}]}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"name": ""}, "name: is missing", id="no-name"),
        pytest.param({"name": "x" * 101}, "at most 100 characters", id="long-name"),
        pytest.param({"name": "a\nb"}, "name: ", id="name-of-two-lines"),
        pytest.param({"name": 5}, "name: must be a text", id="name-of-wrong-type"),
        pytest.param({"kind": "team"}, "kind: must be one of personal", id="unknown-kind"),
        pytest.param({"kind": None}, "kind: must be one of personal", id="no-kind"),
        pytest.param({"members": []}, "name at least one", id="no-members"),
        pytest.param({"members": {}}, "must be a list", id="members-of-wrong-type"),
        pytest.param({"members": [ALICE]}, "must be an object", id="member-of-wrong-type"),
        pytest.param({"members": [{"user": ALICE}] * 2}, "each user once", id="twice"),
        pytest.param({"members": [{}] * 101}, "at most 100", id="101-members"),
        pytest.param(member(""), "needs a user", id="no-user"),
        pytest.param(member(5), "must be a text", id="user-of-wrong-type"),
        pytest.param(member("nobody"), "no user nobody", id="unknown-user"),
        pytest.param(member(ALICE, priority=101), "from 0 to 100", id="priority"),
        pytest.param(member(ALICE, priority=True), "from 0 to 100", id="priority-of-wrong-type"),
        pytest.param(member(ALICE, rank=1), "'rank' is not known", id="misspelt-priority"),
        pytest.param({"kind": "personal"}, "exactly one", id="personal-with-two"),
        pytest.param({"kind": "event"}, "not connected to Outlook", id="event-with-members"),
        pytest.param({"rules": []}, "must be an object", id="rules-of-wrong-type"),
        pytest.param({"rules": {"duration": 0}}, "duration", id="duration-0"),
        pytest.param({"rules": {"duration": "30"}}, "duration", id="duration-of-wrong-type"),
        pytest.param({"rules": {"step": 1441}}, "step", id="step-longer-than-a-day"),
        pytest.param({"rules": {"lenght": 30}}, "lenght", id="misspelt-rule"),
        pytest.param({"rules": {"zone": "Mars/Olympus"}}, "zone", id="zone"),
        pytest.param({"rules": {"entity_type": "Lead"}}, "entity_type", id="entity-type"),
        pytest.param({"rules": {"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}}}, "JSON object", id="deep"),
        pytest.param({"version": 1}, "'version' is not known", id="version-of-a-new-one"),
    ],
)
def test_what_is_wrong_is_said(program: Program, changes: dict[str, Any], words: str) -> None:
    answer = program.send("POST", PATH, headers=ADMIN, json={**TEAM, **changes})
    assert answer.status_code == 400, answer.text
    assert words in answer.get_json()["error"]
    assert names(program, ADMIN) == []


@pytest.mark.parametrize("version", [None, 0, "x", 1.5, 2**40], ids=["none", "0", "text", "half", "large"])
def test_a_change_names_the_version_that_was_read(program: Program, version: Any) -> None:
    path = f"{PATH}/{add(program)['id']}"
    answer = program.send("PUT", path, headers=ADMIN, json={**TEAM, "version": version})
    assert (answer.status_code, "version: must be" in answer.get_json()["error"]) == (400, True)


def test_what_was_done_is_in_the_audit_log(program: Program) -> None:
    made = add(program)
    program.ask("DELETE", f"{PATH}/{made['id']}", user(f"+{ADMIN_ID}"))
    removed, added = program.ask("GET", "/audit?limit=2", ADMIN).get_json()["entries"]
    assert (removed["actor"], removed["subject"]) == (ADMIN_ID, TEAM["name"])
    assert (added["actor"], "added the booking calendar" in added["text"]) == ("API token", True)
