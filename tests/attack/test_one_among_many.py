"""One broken account or one bad plugin stops itself and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from calsync_plugin.domain.meeting import Meeting
from calsync_plugin.hookspecs import hookimpl
from tests.world import ALICE, BOB, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.connect(ALICE)
    yield made
    made.close()


class Outbound:
    """A plugin that answers one meeting with whatever it was given."""

    def __init__(self, answer: object) -> None:
        self._answer = answer

    @hookimpl
    def calsync_outbound(self, meeting: Meeting, record: object) -> object:
        """Return the answer for the bad meeting only."""
        del record
        return self._answer if meeting.subject == "bad" else None


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"subject": 7}, id="number-for-text"),
        pytest.param({"subject": None}, id="nothing-for-text"),
        pytest.param({"span": None}, id="no-span"),
        pytest.param({"attendees": "dave@contoso.example"}, id="text-for-attendees"),
        pytest.param({"attendees": ("dave@contoso.example",)}, id="texts-for-attendees"),
        pytest.param({"reminder": "ten"}, id="text-for-minutes"),
        pytest.param("no mapping", id="text"),
    ],
)
def test_a_plugins_impossible_answer_parks_that_meeting_only(world: World, answer: object) -> None:
    world.open(Outbound(answer))
    bad = world.save(name="bad")
    world.save(name="good")
    world.settle()
    assert [event.subject for event in world.events(ALICE)] == ["good"]
    assert world.parked() == {bad: "vetoed"}


def test_unreadable_settings_of_one_user_stop_nobody_else(world: World) -> None:
    world.connect(BOB)
    good = dict(world.account(BOB).settings)
    world.app.store.accounts.set_settings(BOB, {"sync_since": "not a date"})
    world.save(name="for bob", assignedUserId=BOB, usersIds=[BOB])
    world.save(name="for alice")
    world.settle()
    assert [event.subject for event in world.events(ALICE)] == ["for alice"]
    assert world.account(BOB).status.value == "needs_attention"
    assert "sync_since" in world.account(BOB).reason
    # Corrected and resumed, what waited goes out.
    world.app.store.accounts.set_settings(BOB, good)
    world.app.connections.resume(BOB)
    world.settle()
    assert [event.subject for event in world.events(BOB)] == ["for bob"]


def test_a_meeting_does_not_leave_its_calendar_for_a_user_with_unreadable_settings(world: World) -> None:
    world.connect(BOB)
    record = world.save()
    world.settle()
    world.app.store.accounts.set_settings(BOB, {})
    world.reassign(record, BOB)
    world.settle()
    assert len(world.events(ALICE)) == 1
    assert world.account(BOB).status.value == "needs_attention"
