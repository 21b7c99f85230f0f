"""`/api/v1`: held changes and deleted items, for administrators and the user, and for nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.test_api import ADMIN, Program, Sessions, user
from tests.world import ALICE, BOB, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Alice is connected, bob too."""
    made = World(tmp_path)
    made.connect(ALICE)
    made.connect(BOB)
    yield made
    made.close()


@pytest.fixture
def program(world: World) -> Program:
    return Program(world, Sessions())


def _many_removed(world: World) -> int:
    """Twelve of alice's meetings are removed at once; returns how many of her events are left by that."""
    records = [world.save(name=f"Meeting {n}") for n in range(12)]
    world.settle()
    for record in records:
        world.remove(record)
    world.settle()
    left = len(world.events(ALICE))
    assert left > 0
    return left


@pytest.mark.parametrize("who", [ADMIN, user(ALICE)], ids=["administrator", "the-user"])
@pytest.mark.parametrize(("decision", "stays"), [("confirm", False), ("discard", True)], ids=["go", "stay"])
def test_held_changes_are_counted_and_decided(
    world: World, program: Program, who: dict[str, str], decision: str, stays: bool
) -> None:
    left = _many_removed(world)
    told = program.ask("GET", f"/accounts/{ALICE}/held", who).get_json()
    assert (told["held"], sum(told["by_operation"].values())) == (left, left)
    assert told["since"].startswith("2026-11-23T")
    answer = program.ask("POST", f"/accounts/{ALICE}/held", who, json={"decision": decision})
    assert answer.get_json() == {"decided": left}
    world.settle()
    assert len(world.events(ALICE)) == (left if stays else 0)
    assert program.ask("GET", f"/accounts/{ALICE}/held", who).get_json() == {
        "held": 0,
        "by_operation": {},
        "since": None,
    }


def test_what_was_deleted_comes_back(world: World, program: Program) -> None:
    record = world.save(name="Lost")
    world.settle()
    world.remove(record)
    world.settle()
    assert world.events(ALICE) == []
    told = program.ask("GET", f"/accounts/{ALICE}/deleted", ADMIN).get_json()
    assert (told["by_side"], told["invited"]) == ({"event": 1}, 0)
    assert "Lost" not in str(told)
    chosen = {"ids": [*told["ids"], "of-nobody"]}
    (back,) = program.ask("POST", f"/accounts/{ALICE}/deleted", ADMIN, json=chosen).get_json()["restored"]
    assert (back["id"], back["done"]) == (told["ids"][0], True)
    assert world.event(ALICE).subject == "Lost"
    world.settle()
    assert world.mails() == []
    again = program.ask("GET", f"/accounts/{ALICE}/deleted", ADMIN).get_json()
    assert again == {"ids": [], "by_side": {}, "first": None, "last": None, "invited": 0}


@pytest.mark.parametrize("what", ["held", "deleted"])
@pytest.mark.parametrize(
    ("who", "status"),
    [
        pytest.param({}, 401, id="nobody"),
        pytest.param(user(BOB), 403, id="another-user"),
        pytest.param(ADMIN, 404, id="an-account-that-is-not-there"),
    ],
)
def test_nobody_else_reaches_them(
    world: World, program: Program, what: str, who: dict[str, str], status: int
) -> None:
    left = _many_removed(world)
    of = "nobody" if status == 404 else ALICE
    body = {"decision": "confirm"} if what == "held" else {"ids": ["any"]}
    assert program.ask("GET", f"/accounts/{of}/{what}", who).status_code == status
    assert program.ask("POST", f"/accounts/{of}/{what}", who, json=body).status_code == status
    assert len(world.events(ALICE)) == left


@pytest.mark.parametrize(
    ("what", "body"),
    [
        pytest.param("held", {}, id="no-decision"),
        pytest.param("held", {"decision": "all"}, id="unknown-decision"),
        pytest.param("held", {"decision": ["confirm"]}, id="a-list-of-decisions"),
        pytest.param("deleted", {}, id="no-ids"),
        pytest.param("deleted", {"ids": []}, id="none-chosen"),
        pytest.param("deleted", {"ids": "one"}, id="no-list"),
        pytest.param("deleted", {"ids": [1]}, id="no-text"),
        pytest.param("deleted", {"ids": ["x"] * 201}, id="too-many"),
        pytest.param("deleted", {"ids": ["x"], "with_attendees": "yes"}, id="no-boolean"),
    ],
)
def test_a_body_that_says_nothing_is_refused(program: Program, what: str, body: dict[str, Any]) -> None:
    answer = program.ask("POST", f"/accounts/{ALICE}/{what}", user(ALICE), json=body)
    assert answer.status_code == 400
    assert answer.get_json()["error"]
