"""Webhooks that are deleted, switched off or get another secret: the sweep finds all, and mends them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from calsync_plugin.accounts.rounds import go
from calsync_plugin.accounts.setup import set_up_webhooks
from tests.espocrm_side import quietly, requests_of
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


AN_HOUR = 3600.0


def _mended(world: World, record: str) -> int:
    quietly(world, "PUT", f"Meeting/{record}", name=f"Saved at {world.clock.now():.0f}")
    return _accepted(world)


@pytest.mark.parametrize("harm", HARMS)
def test_webhooks_are_mended_within_an_hour_without_a_start(world: World, harm: Harm) -> None:
    world.crm.dispatcher.session = world.session
    set_up_webhooks(world.app)
    world.sweep()
    record = quietly(world, "POST", "Meeting", **DEFAULTS)["id"]
    assert _accepted(world) == 1
    for webhook_id in list(world.crm.store.tables["Webhook"].rows):
        harm(world, webhook_id)
    assert _mended(world, record) == 0
    world.sweep()
    assert _mended(world, record) == 0

    world.clock.advance(AN_HOUR)
    world.sweep()

    assert _mended(world, record) >= 1
    world.settle()
    assert world.event(ALICE).subject == world.record(record)["name"]
    world.quiet()


def _webhook_requests(world: World) -> list[str]:
    return [one for one in requests_of(world) if "Webhook" in one]


def test_webhooks_that_are_all_right_cost_one_list_an_hour(world: World) -> None:
    set_up_webhooks(world.app)
    world.crm.log.clear()
    for _ in range(4):
        world.clock.advance(AN_HOUR / 2 - 1)
        world.sweep()
    assert _webhook_requests(world) == ["GET /api/v1/Webhook"]


def test_webhooks_that_cannot_be_read_are_looked_at_again_an_hour_later(world: World) -> None:
    set_up_webhooks(world.app)
    world.crm.log.clear()
    world.crm_fails(path="/Webhook", status=500)
    for _ in range(4):
        world.clock.advance(AN_HOUR / 2 + 1)
        world.sweep()
    assert _webhook_requests(world) == ["GET /api/v1/Webhook"] * 2


def _pause(world: World) -> None:
    world.app.store.installation.update(paused="the public address was another one")


def _remove(world: World) -> None:
    for webhook in world.app.store.webhooks.all():
        world.app.store.webhooks.delete(webhook.id)


@pytest.mark.parametrize("change", [_pause, _remove])
def test_webhooks_that_are_not_wanted_are_not_looked_at(
    world: World, change: Callable[[World], None]
) -> None:
    set_up_webhooks(world.app)
    change(world)
    world.clock.advance(AN_HOUR)
    world.crm.log.clear()
    go(world.app)
    assert _webhook_requests(world) == []
