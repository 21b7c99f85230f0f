"""`calsync_inbound`: what a third party changes or vetoes of what comes from Outlook."""

from __future__ import annotations

from collections.abc import Mapping

from calsync_plugin.domain.meeting import Meeting
from calsync_plugin.hookspecs import Veto, hookimpl
from tests.flows.conftest import MakeWorld
from tests.world import ALICE, World


class _Focus:
    """A plugin that keeps focus time out, and shouts."""

    @hookimpl
    def calsync_inbound(self, meeting: Meeting, event: Mapping[str, object]) -> Mapping[str, object] | Veto:
        """Decide by the event's categories, which no meeting has."""
        categories = event.get("categories")
        if isinstance(categories, list) and "Focus" in categories:
            return Veto("focus time is not a meeting")
        return {"subject": meeting.subject.upper()}


class _Broken:
    """A plugin that fails."""

    @hookimpl
    def calsync_inbound(self, meeting: Meeting, event: Mapping[str, object]) -> Mapping[str, object]:
        """Fail for everything."""
        raise RuntimeError(f"no idea what {meeting.subject} is, nor {len(event)} properties")


def _world(make_world: MakeWorld, plugin: object) -> World:
    world = make_world()
    world.open(plugin)
    world.connect(ALICE)
    world.settle()
    return world


def test_a_plugin_changes_what_comes_in_and_nothing_bounces(make_world: MakeWorld) -> None:
    world = _world(make_world, _Focus())
    event = world.outlook_create(ALICE, subject="Lunch")
    world.pull(ALICE)
    assert world.only_record()["name"] == "LUNCH"
    world.outlook_patch(ALICE, event, subject="Dinner")
    world.pull(ALICE)
    assert world.only_record()["name"] == "DINNER"
    assert world.event(ALICE).subject == "Dinner"
    world.quiet()


def test_a_veto_parks_the_event_with_its_reason_until_it_changes(make_world: MakeWorld) -> None:
    world = _world(make_world, _Focus())
    event = world.outlook_create(ALICE, subject="Alone", categories=["Focus"])
    world.pull(ALICE)
    assert world.records() == []
    (parked,) = world.app.store.parked.all()
    assert (parked.event_id, parked.reason) == (event, "vetoed")
    assert "focus time" in parked.message
    world.outlook_patch(ALICE, event, categories=[])
    world.pull(ALICE)
    assert world.only_record()["name"] == "ALONE"
    assert world.app.store.parked.all() == []


def test_a_plugin_that_fails_parks_and_stops_nothing(make_world: MakeWorld) -> None:
    world = _world(make_world, _Broken())
    world.outlook_create(ALICE, subject="Odd")
    world.pull(ALICE)
    assert world.records() == []
    assert len(world.app.store.parked.all()) == 1
    record = world.save(name="From the CRM")
    world.settle()
    assert world.link(record).home is not None
