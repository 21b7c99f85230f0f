"""Somebody saves one meeting over and over: Outlook gets the last state, and not every one before it."""

from __future__ import annotations

import pytest

from calsync_plugin.engine.bursts import FREE, REST, SPAN, Bursts
from tests.flows.conftest import MakeWorld
from tests.world import ALICE

SAVES = 100
STEP = 0.1


def test_a_burst_of_saves_is_few_writes_and_the_last_state_wins(make_world: MakeWorld) -> None:
    """The worker runs after every save, as if nothing else were to do."""
    world = make_world()
    world.connect(ALICE)
    record_id = world.save(name="Before")
    world.settle()
    with world.watched() as sent:
        for number in range(SAVES):
            world.clock.advance(STEP)
            record = world.api("PUT", f"Meeting/{record_id}", json={"name": f"Saved {number}"})
            world.plugins.hook.calsync_entity_updated(entity_type="Meeting", record=record, changed=["name"])
            world.drain()
        world.settle()
    assert world.event(ALICE).subject == f"Saved {SAVES - 1}"
    assert sent.count("PATCH") <= FREE + SAVES * STEP / REST + 1


def test_others_in_the_mailbox_wait_no_longer_than_the_rest(make_world: MakeWorld) -> None:
    """A new meeting beside one that is saved again and again."""
    world = make_world()
    world.connect(ALICE)
    record_id = world.save(name="Busy")
    world.settle()
    for number in range(FREE):
        record = world.api("PUT", f"Meeting/{record_id}", json={"name": f"Busy {number}"})
        world.plugins.hook.calsync_entity_updated(entity_type="Meeting", record=record, changed=["name"])
        world.drain()
    saved = world.clock.now()
    world.save(name="New")
    world.settle()
    assert "New" in {event.subject for event in world.events(ALICE)}
    assert world.clock.now() - saved <= REST + 0.01


@pytest.mark.parametrize(
    ("times", "rests"),
    [
        pytest.param([0.0], False, id="once"),
        pytest.param([0.0, 0.1], False, id="twice"),
        pytest.param([0.0, 0.1, 0.2], True, id="often"),
        pytest.param([0.0, 2.0, 4.0, 6.0], False, id="now and then"),
        pytest.param([0.0, 0.1, 0.2, 0.2 + SPAN], False, id="not after a while"),
    ],
)
def test_when_a_mailbox_rests(times: list[float], rests: bool) -> None:
    """The last of these writes of one event, beside another event that is written each time for once."""
    now = 0.0
    bursts = Bursts(lambda: now)
    rest = None
    for number, at in enumerate(times):
        now = at
        rest = bursts.rest_after(7, ["same", f"other {number}"])
    assert (rest == REST) is rests


def test_a_write_elsewhere_does_not_count() -> None:
    """Each mailbox for itself, and a run that writes nothing does not rest."""
    bursts = Bursts(lambda: 0.0)
    for mailbox_id in range(2 * FREE):
        assert bursts.rest_after(mailbox_id, ["same"]) is None
    for _ in range(FREE - 1):
        bursts.rest_after(1, ["same"])
    assert bursts.rest_after(1, []) is None
