"""A CRM asks what a meeting collides with, before it saves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from calsync_plugin.booking.asking import BookingRequest
from calsync_plugin.booking.fitting import SlotQuery
from tests.world import ALICE, BOB, CAROL, DEFAULTS, World

START, END = "2026-12-01T10:00:00+00:00", "2026-12-01T11:00:00+00:00"


def collisions(world: World, **changes: Any) -> list[Mapping[str, str]]:
    """What the hook answers about the usual meeting."""
    record = {**DEFAULTS, **changes}
    found: list[Mapping[str, str]] = world.plugins.hook.calsync_collisions(
        entity_type="Meeting", record=record
    )
    return found


def test_a_meeting_collides_with_the_events_of_its_users(world: World) -> None:
    assert collisions(world) == []
    world.outlook_create(BOB, subject="Secret", start="2026-12-01T10:30", end="2026-12-01T12:00")
    world.pull(BOB)
    told = {
        "user_id": BOB,
        "start": "2026-12-01T10:30:00+00:00",
        "end": "2026-12-01T12:00:00+00:00",
        "kind": "linked",
    }
    assert collisions(world, usersIds=[ALICE, BOB, CAROL]) == [told]
    assert collisions(world) == []


@pytest.mark.parametrize("users", [[ALICE], [ALICE, BOB]], ids=["alone", "with-another"])
def test_a_meeting_does_not_collide_with_itself(world: World, users: list[str]) -> None:
    record_id = world.save(usersIds=users)
    world.settle()
    world.pull()
    assert collisions(world, id=record_id, usersIds=users) == []
    others = collisions(world, usersIds=users)
    assert [(one["user_id"], one["start"], one["end"]) for one in others] == [
        (user_id, START, END) for user_id in sorted(users)
    ]


def test_a_booking_that_no_event_tells_of_yet_collides_but_not_with_its_own_record(world: World) -> None:
    query = SlotQuery(window=(0, 1), users=(ALICE,), duration=3600)
    booking = world.app.desk.booker.book(
        BookingRequest(query=query, start=1_796_119_200, name="Consultation")
    )
    assert collisions(world) == [{"user_id": ALICE, "start": START, "end": END, "kind": "booking"}]
    assert collisions(world, id=booking.record_id) == []


def test_a_partial_record_collides_with_nothing(world: World) -> None:
    world.outlook_create(ALICE, start="2026-12-01T10:00", end="2026-12-01T11:00")
    world.pull(ALICE)
    assert len(collisions(world)) == 1
    assert world.plugins.hook.calsync_collisions(entity_type="Meeting", record={"id": "42"}) == []
