"""What hooks missed: the sweep finds created, changed, reassigned and removed records."""

from __future__ import annotations

from tests.world import ALICE, BOB, DEFAULTS, World


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
