"""Webhooks come minutes late, twenty at a time, and events of one record in any order: no harm is done."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import pytest

from calsync_plugin.accounts.setup import set_up_webhooks
from calsync_plugin.sandbox.crm.webhook_queue import Batch
from tests.espocrm_side import MODES, quietly
from tests.world import ALICE, BOB, DEFAULTS, World

RUN = 122
"""Seconds from a save to its delivery that were seen."""
EVENTS = ("create", "update", "fieldUpdate.assignedUser", "delete")


@pytest.fixture(params=MODES)
def hooked(request: pytest.FixtureRequest, world: World) -> World:
    """A CRM with calsync's webhooks; both users are in each mode."""
    for user in (ALICE, BOB):
        world.choose(user, mode=request.param)
    world.settle()
    world.crm.dispatcher.session = world.session
    set_up_webhooks(world.app)
    world.sweep()
    return world


def _run(world: World) -> int:
    """One run of EspoCRM's queue, when it is due; returns how many requests it made."""
    world.clock.advance(RUN)
    sent: int = world.crm.dispatcher.run_once()
    world.settle()
    return sent


def _unharmed(world: World) -> None:
    assert (world.parked(), world.told, world.administrators_told) == ({}, [], [])
    assert all(delivery.status == 202 for delivery in world.crm.dispatcher.deliveries)
    world.quiet()


def test_seventy_records_come_in_four_runs(hooked: World) -> None:
    for number in range(70):
        quietly(hooked, "POST", "Meeting", **{**DEFAULTS, "name": f"Meeting {number}"})
    seen = []
    while _run(hooked):
        seen.append(len(hooked.events(ALICE)))
    assert seen == [20, 40, 60, 70]
    _unharmed(hooked)


@pytest.mark.parametrize("order", list(permutations(EVENTS[:3])), ids="-".join)
def test_events_of_one_record_come_in_any_order(
    hooked: World, monkeypatch: pytest.MonkeyPatch, order: Sequence[str]
) -> None:
    due = hooked.crm.queue.due_batches

    def shuffled() -> list[Batch]:
        return sorted(due(), key=lambda batch: order.index(batch.hook["event"].partition(".")[2]))

    monkeypatch.setattr(hooked.crm.queue, "due_batches", shuffled)
    record = quietly(hooked, "POST", "Meeting", **DEFAULTS)["id"]
    quietly(hooked, "PUT", f"Meeting/{record}", name="Renamed")
    quietly(hooked, "PUT", f"Meeting/{record}", assignedUserId=BOB, usersIds=[BOB])
    assert _run(hooked) == 3
    assert (hooked.events(ALICE), hooked.event(BOB).subject) == ([], "Renamed")
    _unharmed(hooked)


@pytest.mark.parametrize("order", [EVENTS, EVENTS[::-1]], ids=["in-order", "backwards"])
def test_events_of_a_record_that_is_gone_by_now(
    hooked: World, monkeypatch: pytest.MonkeyPatch, order: Sequence[str]
) -> None:
    due = hooked.crm.queue.due_batches

    def shuffled() -> list[Batch]:
        return sorted(due(), key=lambda batch: order.index(batch.hook["event"].partition(".")[2]))

    monkeypatch.setattr(hooked.crm.queue, "due_batches", shuffled)
    record = quietly(hooked, "POST", "Meeting", **DEFAULTS)["id"]
    quietly(hooked, "PUT", f"Meeting/{record}", name="Renamed")
    quietly(hooked, "DELETE", f"Meeting/{record}")
    _run(hooked)
    assert hooked.events(ALICE) == []
    _unharmed(hooked)


def test_a_webhook_after_the_sweep_found_it_writes_nothing(hooked: World) -> None:
    record = quietly(hooked, "POST", "Meeting", **DEFAULTS)["id"]
    hooked.sweep()
    assert hooked.event(ALICE).subject == "Kick-off"
    quietly(hooked, "PUT", f"Meeting/{record}", name="Renamed")
    hooked.sweep()
    with hooked.writes() as seen:
        _run(hooked)
    assert seen == []
    assert hooked.event(ALICE).subject == "Renamed"
    _unharmed(hooked)


def test_an_update_that_comes_long_after_the_removal_brings_nothing_back(hooked: World) -> None:
    record = quietly(hooked, "POST", "Meeting", **DEFAULTS)["id"]
    _run(hooked)
    quietly(hooked, "PUT", f"Meeting/{record}", name="Renamed")
    quietly(hooked, "DELETE", f"Meeting/{record}")
    hooked.sweep()
    assert hooked.events(ALICE) == []
    hooked.clock.advance(1800)
    with hooked.writes() as seen:
        _run(hooked)
    assert seen == []
    _unharmed(hooked)
