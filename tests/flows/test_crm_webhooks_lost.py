"""Webhooks that are deleted, switched off or get another secret: the sweep finds all, a start mends them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from calsync_plugin.accounts.setup import set_up_webhooks
from tests.espocrm_side import quietly
from tests.world import ALICE, DEFAULTS, World

Harm = Callable[[World, str], object]
HARMS = [
    pytest.param(lambda w, i: w.api("DELETE", f"Webhook/{i}"), id="deleted"),
    pytest.param(lambda w, i: w.crm.store.change("Webhook", i, {"secretKey": "f" * 32}), id="another-secret"),
    pytest.param(lambda w, i: w.crm.store.change("Webhook", i, {"isActive": False}), id="switched-off"),
    pytest.param(
        lambda w, i: w.crm.store.change("Webhook", i, {"url": "http://127.0.0.1:3/elsewhere"}), id="moved"
    ),
]


def _accepted(world: World) -> int:
    """Deliver what waits; how many deliveries calsync took."""
    world.clock.advance(122)
    world.crm.dispatcher.deliveries.clear()
    world.crm.dispatcher.run_once()
    return sum(delivery.status == 202 for delivery in world.crm.dispatcher.deliveries)


@pytest.mark.parametrize("harm", HARMS)
def test_nothing_is_lost_with_a_webhook_and_a_start_mends_it(world: World, harm: Harm) -> None:
    world.crm.dispatcher.session = world.session
    set_up_webhooks(world.app)
    world.sweep()
    record = quietly(world, "POST", "Meeting", **DEFAULTS)["id"]
    assert _accepted(world) == 1
    world.settle()
    for webhook_id in list(world.crm.store.tables["Webhook"].rows):
        harm(world, webhook_id)

    quietly(world, "PUT", f"Meeting/{record}", name="Renamed")
    assert _accepted(world) == 0
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"
    world.sweep()
    assert world.event(ALICE).subject == "Renamed"

    set_up_webhooks(world.open())
    quietly(world, "PUT", f"Meeting/{record}", name="Renamed twice")
    assert _accepted(world) >= 1
    world.settle()
    assert world.event(ALICE).subject == "Renamed twice"
    world.quiet()
