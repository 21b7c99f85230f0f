"""What an administrator reads about somebody else's account holds no content of meetings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages import Browser
from tests.world import ALICE, World

SUBJECT = "Salary talk"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def test_a_parked_event_is_named_to_its_user_alone(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.connect(ALICE)
    world.plant(ALICE, subject=SUBJECT, start=None)
    world.pull()
    (parked,) = world.app.store.parked.all(user_id=ALICE)
    assert SUBJECT not in parked.message
    boss = Browser(world)
    boss.sign_in("admin")
    assert SUBJECT not in boss.get(f"/admin/accounts/{ALICE}").text
    assert SUBJECT not in caplog.text
    own = Browser(world)
    own.sign_in("alice")
    assert SUBJECT in own.get("/external-account/parked").text
