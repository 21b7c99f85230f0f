"""`/api/v1/features`: administrators switch features off and on, nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from calsync_plugin.booking.features import Feature
from calsync_plugin.sandbox.crm.identities import ROLE_SALES_ID, TEAM_SALES_ID
from tests.web.test_api import ADMIN, Program, Sessions, user
from tests.world import ADMIN_ID, ALICE, World

HOST_ADMIN = user(f"+{ADMIN_ID}")
OFF: dict[str, Any] = {"on": False}
ON: dict[str, Any] = {"on": True}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Nobody is connected."""
    made = World(tmp_path_factory.mktemp("features"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def _program(world: World) -> Program:
    return Program(world, Sessions())


@pytest.fixture
def program(world: World, _program: Program) -> Iterator[Program]:
    """One in which all is on at first."""
    yield _program
    for gate in world.app.store.gates.closed():
        world.app.store.gates.open(gate.feature, gate.subject)


def _off(program: Program) -> list[tuple[str, str, str, str]]:
    found = program.ask("GET", "/features", ADMIN).get_json()["off"]
    return [(one["feature"], one["kind"], one["id"], one["name"]) for one in found]


def test_a_feature_goes_off_and_on_for_everybody(program: Program) -> None:
    assert _off(program) == []
    answer = program.ask("PUT", "/features/bookings", HOST_ADMIN, json=OFF)
    (gate,) = answer.get_json()["off"]
    assert (answer.status_code, gate["feature"], gate["kind"]) == (200, "bookings", "installation")
    assert (gate["closed_by"], gate["closed_at"][:10]) == (ADMIN_ID, "2026-11-23")
    assert program.ask("PUT", "/features/bookings", HOST_ADMIN, json=OFF).get_json() == answer.get_json()
    assert program.ask("PUT", "/features/bookings", ADMIN, json=ON).get_json()["off"] == []
    program.ask("PUT", "/features/feeds", ADMIN, json=OFF)
    assert program.ask("DELETE", "/features/feeds", ADMIN).get_json()["off"] == []
    assert program.ask("DELETE", "/features/feeds", ADMIN).status_code == 200


@pytest.mark.parametrize(
    ("kind", "subject", "name"),
    [
        pytest.param("team", TEAM_SALES_ID, "Sales", id="team"),
        pytest.param("role", ROLE_SALES_ID, "Sales", id="role"),
    ],
)
def test_a_feature_goes_off_for_a_group(program: Program, kind: str, subject: str, name: str) -> None:
    path = f"/features/availability/{kind}/{subject}"
    program.ask("PUT", path, ADMIN, json=OFF)
    assert _off(program) == [("availability", kind, subject, name)]
    program.ask("DELETE", path, ADMIN)
    assert _off(program) == []


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        pytest.param("/features/mail", OFF, 404, "no such feature", id="unknown-feature"),
        pytest.param(f"/features/feeds/user/{ALICE}", OFF, 404, "everybody, a team or a role", id="a-user"),
        pytest.param("/features/feeds/installation/x", OFF, 404, "everybody", id="installation-with-id"),
        pytest.param("/features/feeds/team/nobodys", OFF, 409, "nobodys", id="unknown-team"),
        pytest.param(f"/features/feeds/team/{'x' * 101}", OFF, 404, "everybody", id="long-id"),
        pytest.param("/features/feeds/team/%00", OFF, 404, "everybody", id="null"),
        pytest.param("/features/feeds", {}, 400, "on: true or false", id="empty"),
        pytest.param("/features/feeds", {"on": "false"}, 400, "on: true or false", id="text"),
        pytest.param("/features/feeds", {"on": 0}, 400, "on: true or false", id="number"),
        pytest.param("/features/feeds", [], 400, "JSON object", id="list"),
    ],
)
def test_what_is_wrong_is_said(program: Program, path: str, body: Any, status: int, words: str) -> None:
    answer = program.send("PUT", path, headers=ADMIN, json=body)
    assert answer.status_code == status
    assert words in answer.get_json()["error"]
    assert _off(program) == []


@pytest.mark.parametrize(("headers", "status"), [({}, 401), (user(ALICE), 403)], ids=["nobody", "a-user"])
def test_features_are_for_administrators(program: Program, headers: dict[str, str], status: int) -> None:
    group = f"/features/feeds/team/{TEAM_SALES_ID}"
    asked = [
        program.ask("GET", "/features", headers),
        program.ask("PUT", "/features/feeds", headers, json=OFF),
        program.ask("DELETE", "/features/feeds", headers),
        program.ask("PUT", group, headers, json=OFF),
        program.ask("DELETE", group, headers),
        program.send("PUT", "/features/feeds", headers=headers, json={}),
    ]
    assert {answer.status_code for answer in asked} == {status}
    assert _off(program) == []


def test_what_was_switched_is_in_the_audit_log(program: Program) -> None:
    program.ask("PUT", "/features/bookings", HOST_ADMIN, json=OFF)
    (entry,) = program.ask("GET", "/audit?limit=1", ADMIN).get_json()["entries"]
    assert (entry["actor"], entry["text"], entry["subject"]) == (
        ADMIN_ID,
        "switched off bookings",
        "everybody",
    )


def test_all_features_are_named(program: Program) -> None:
    told = program.ask("GET", "/features", ADMIN).get_json()
    assert told["features"] == [feature.value for feature in Feature]
