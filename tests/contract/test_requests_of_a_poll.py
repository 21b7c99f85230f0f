"""What a look through an unchanged CRM costs: requests are counted where they go out, nothing is timed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from calsync_plugin.crm.spans import wire_instant
from calsync_plugin.settings import CrmSettings
from tests.espocrm_side import requests_of
from tests.world import ALICE, CAROL, CRM, DEFAULTS, ENTITIES, START, World

UNLINKED, LINKED = 600, 260


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Thousands of meetings, some of them in alice's calendar, all looked at before."""
    only = CrmSettings(
        url=CRM, api_key="sandbox", entities=ENTITIES[:1], sweep_seconds=86_400, reread_seconds=300
    )
    made = World(tmp_path, crm=only)
    made.connect(ALICE)
    for number in range(UNLINKED):
        made.crm.insert("Meeting", {**DEFAULTS, **_at(number / 10), "assignedUserId": CAROL})
    for number in range(LINKED):
        made.save(name=f"Meeting {number}", **_at(1 + number / 10))
    made.settle()
    for _ in range(8):
        made.clock.advance(600)
        made.sweep()
    made.crm.log.clear()
    yield made
    made.close()


def _at(days: float) -> dict[str, str]:
    start = START + timedelta(days=days)
    return {"dateStart": wire_instant(start), "dateEnd": wire_instant(start + timedelta(hours=1))}


def _asked_by(world: World, what: str) -> int:
    return sum(what in one.query for one in world.crm.log.requests)


def test_what_is_unchanged_costs_one_request_and_the_portions_that_are_due(world: World) -> None:
    world.clock.advance(600)
    with world.watched() as sent:
        world.sweep()
    # Saved lately; three portions of what lies ahead; the witnesses and one portion of what is linked.
    found = {
        "saved": _asked_by(world, "%22attribute%22:%22modifiedAt%22"),
        "ahead": _asked_by(world, "%22attribute%22:%22dateStart%22"),
        "linked": _asked_by(world, "%22attribute%22:%22id%22"),
    }
    assert found == {"saved": 1, "ahead": 3, "linked": 2}
    assert len(requests_of(world)) == 6
    assert sent == []


def test_between_two_readings_it_costs_one_request(world: World) -> None:
    world.clock.advance(600)
    world.sweep()
    world.crm.log.clear()
    world.clock.advance(100)
    world.sweep()
    assert requests_of(world) == ["GET /api/v1/Meeting"]


def test_nothing_is_marked_and_nothing_is_written(world: World) -> None:
    world.clock.advance(600)
    with world.writes() as seen:
        world.sweep()
    assert seen == []
    assert world.app.store.changes.waiting() == {"unrouted": 0, "routed": 0}
