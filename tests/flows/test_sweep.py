"""What hooks missed: the sweep finds created, changed, reassigned and removed records."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from calsync_plugin.engine.portions import BANDS, Portions
from calsync_plugin.errors import UnknownOutcome
from calsync_plugin.sandbox.crm import identities as ids
from calsync_plugin.state import SWEEP, MailboxKind
from tests.world import ALICE, BOB, DEFAULTS, START, World


def _quiet(world: World, method: str, path: str, **attributes: object) -> str:
    """Save in the CRM without any hook."""
    world.clock.advance(30)
    record = world.api(method, path, json=attributes)
    return str(record["id"]) if isinstance(record, dict) else ""


def test_pain_15_a_created_record_is_found(world: World) -> None:
    world.sweep()
    _quiet(world, "POST", "Meeting", **DEFAULTS)
    world.settle()
    assert world.events(ALICE) == []
    world.sweep()
    assert world.event(ALICE).subject == "Kick-off"


def test_pain_15_a_changed_and_a_reassigned_record_are_found(world: World) -> None:
    world.sweep()
    changed, moved = world.save(), world.save(name="Moves")
    world.settle()
    _quiet(world, "PUT", f"Meeting/{changed}", name="Changed")
    _quiet(world, "PUT", f"Meeting/{moved}", assignedUserId=BOB, usersIds=[BOB])
    world.sweep()
    assert world.event(ALICE).subject == "Changed"
    assert world.event(BOB).subject == "Moves"


def test_pain_15_a_removed_record_is_found(world: World) -> None:
    record, other = world.save(), world.save(name="Stays")
    world.settle()
    _quiet(world, "DELETE", f"Meeting/{record}")
    world.sweep()
    assert world.event(ALICE).subject == "Stays"
    assert world.link(other).state == "active"


def test_sweep_of_nothing_new_asks_graph_for_nothing(world: World) -> None:
    for number in range(5):
        world.save(name=f"Meeting {number}")
    world.settle()
    world.sweep()
    world.clock.advance(60)
    with world.watched() as sent:
        world.sweep()
    assert sent == []


def test_pain_03_the_first_sweep_pushes_nothing_old(world: World) -> None:
    before = {"createdAt": "2026-11-20 08:00:00", "modifiedAt": "2026-11-20 08:00:00"}
    world.crm.insert("Meeting", {**DEFAULTS, "usersIds": [ALICE], **before})
    world.clock.advance(3600)
    world.sweep()
    assert world.events(ALICE) == []


def test_the_first_sweep_finds_what_was_saved_since_the_connect(world: World) -> None:
    _quiet(world, "POST", "Meeting", **DEFAULTS)
    world.clock.advance(3600)
    world.sweep()
    assert world.event(ALICE).subject == "Kick-off"


def test_sweep_goes_on_after_a_crm_that_was_away(world: World) -> None:
    world.sweep()
    _quiet(world, "POST", "Meeting", **DEFAULTS)
    world.crm_fails(path="api/v1/", status=503, times=None)
    world.sweep()
    world.crm.faults.clear()
    world.clock.advance(86_400)
    world.sweep()
    assert world.event(ALICE).subject == "Kick-off"


def test_pain_12_a_list_that_is_empty_by_mistake_deletes_nothing(world: World) -> None:
    for number in range(8):
        world.save(name=f"Meeting {number}")
    world.settle()
    role = world.crm.store.tables["Role"].rows["5f0000000000b0001"]
    world.crm.store.change("Role", role["id"], {"data": {**role["data"], "Meeting": {"read": "own"}}})
    world.sweep()
    assert len(world.events(ALICE)) == 8
    assert world.mails() == []


def _cut_reading(world: World) -> None:
    row = world.crm.store.tables["Role"].rows[ids.ROLE_BRIDGE_ID]
    data = {**row["data"], "Meeting": {**row["data"]["Meeting"], "read": "no"}}
    world.crm.store.change("Role", ids.ROLE_BRIDGE_ID, {"data": data})


def _fail(world: World, **rule: Any) -> None:
    world.crm_fails(path="/Meeting", method="GET", times=None, **rule)


KIND_TROUBLES = [
    pytest.param(_cut_reading, id="may-not-be-read"),
    pytest.param(
        lambda w: _fail(w, status=404, reason="Controller 'Meeting' does not exist."), id="no-such-kind"
    ),
    pytest.param(lambda w: _fail(w, status=400, reason="Bad attribute in where."), id="attribute-unknown"),
    pytest.param(lambda w: _fail(w, status=400, reason="Bad request."), id="refused"),
    pytest.param(lambda w: _fail(w, status=500, reason=""), id="fails"),
]


@pytest.mark.parametrize("trouble", KIND_TROUBLES)
def test_a_kind_that_cannot_be_read_keeps_no_other_from_its_turn(
    world: World, trouble: Callable[[World], None]
) -> None:
    world.sweep()
    trouble(world)
    _quiet(world, "POST", "Call", **{**DEFAULTS, "name": "Ring"})
    world.sweep()
    assert world.event(ALICE).subject == "C: Ring"
    assert _failures(world) == 1


@pytest.mark.parametrize("trouble", KIND_TROUBLES)
def test_a_kind_that_cannot_be_read_keeps_no_other_from_being_read_again(
    world: World, trouble: Callable[[World], None]
) -> None:
    call = world.save("Call", name="Ring")
    world.settle()
    world.sweep()
    # EspoCRM raises no time of modification for people.
    world.crm.store.tables["Call"].rows[call]["name"] = "Ring again"
    trouble(world)
    world.clock.advance(3600)
    world.sweep()
    assert world.event(ALICE).subject == "C: Ring again"


AWAY = [
    pytest.param({"status": 403}, id="address-blocked"),
    pytest.param({"status": 401}, id="key-refused"),
    pytest.param({"status": 429, "retry_after": 30}, id="throttled"),
    pytest.param({"status": 502}, id="bad-gateway"),
    pytest.param({"status": 503}, id="maintained"),
    pytest.param({"status": 504}, id="gateway-timeout"),
    pytest.param({"drop_before": True}, id="no-answer"),
]


@pytest.mark.parametrize("rule", AWAY)
def test_a_crm_that_is_away_is_asked_once_by_a_sweep(world: World, rule: dict[str, Any]) -> None:
    world.sweep()
    world.clock.advance(60)
    world.crm_fails(path="api/v1/", times=None, **rule)
    world.crm.log.clear()
    world.app.store.queue.wake(SWEEP)
    world.drain()
    assert len(world.crm.log.requests) == 1


def _failures(world: World) -> int:
    """How many sweeps in a row failed, the last one among them."""
    world.clock.advance(600)
    queue = world.app.store.queue
    queue.wake(SWEEP)
    leases = queue.claim("the test", limit=100, lease=60)
    return next(lease.attempt for lease in leases if lease.kind is MailboxKind.SWEEP) - 1


def test_a_portion_that_was_not_compared_comes_again(world: World) -> None:
    """An error, or a stop, between what was read and what was noted."""
    portions = Portions(world.app.store, world.app.gateway)
    band = replace(BANDS[1], most=2)
    for number in range(4):
        world.crm.insert("Meeting", {**DEFAULTS, "dateStart": f"2026-11-25 1{number}:00:00"})

    seen: list[set[str]] = []
    with portions.ahead("Meeting", band, START) as first:
        seen.append(set(first))
    with suppress(UnknownOutcome), portions.ahead("Meeting", band, START) as broken:
        seen.append(set(broken))
        raise UnknownOutcome("the CRM did not answer")
    for _ in range(2):
        with portions.ahead("Meeting", band, START) as portion:
            seen.append(set(portion))

    assert [len(found) for found in seen] == [2, 2, 2, 2]
    assert seen[1] == seen[2]
    assert len({frozenset(found) for found in seen}) == 3
