"""What was saved while no webhook came: during an outage, in one second, under a clock that jumps."""

from __future__ import annotations

from datetime import timedelta

import pytest

from calsync_plugin.engine import saved_lately
from calsync_plugin.state import SWEEP
from tests.espocrm_side import MODES, mass_update, quietly
from tests.flows.conftest import MakeWorld
from tests.world import ALICE, BOB, DEFAULTS, World


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest, world: World) -> str:
    """Both users in each mode, and a sweep that has run once."""
    for user in (ALICE, BOB):
        world.choose(user, mode=request.param)
    world.settle()
    world.sweep()
    return str(request.param)


@pytest.mark.usefixtures("mode")
def test_a_mass_change_during_an_outage_is_found(world: World) -> None:
    records = [world.save(name=f"Meeting {n}") for n in range(30)]
    world.settle()
    mass_update(world, records, dateStart="2026-12-02 10:00:00", dateEnd="2026-12-02 11:00:00")
    world.clock.advance(7200)
    world.sweep()
    assert {event.start for event in world.events(ALICE)} == {"2026-12-02T10:00:00"}
    world.quiet()


@pytest.mark.usefixtures("mode")
def test_hundreds_of_records_saved_in_one_second_are_all_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_lately, "MOST", 200)
    world.clock.advance(60)
    for number in range(450):
        world.crm.insert("Meeting", {**DEFAULTS, "name": f"Meeting {number}", "usersIds": [ALICE]})
    assert len({row["modifiedAt"] for row in world.crm.store.tables["Meeting"].rows.values()}) == 1
    world.clock.advance(60)
    world.sweep()
    assert len({event.subject for event in world.events(ALICE)}) == len(world.events(ALICE)) == 450


@pytest.mark.usefixtures("mode")
def test_a_mass_change_is_walked_through_in_several_runs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_lately, "MOST", 200)
    for number in range(900):
        if number % 100 == 0:
            world.clock.advance(1)
        world.crm.insert("Call", {**DEFAULTS, "name": f"Call {number}", "assignedUserId": "", "usersIds": []})
    world.crm.log.clear()
    world.app.store.queue.wake(SWEEP)
    reached: list[str] = []
    while world.app.worker.drain(rounds=1) and len(reached) < 9:
        reached.append(world.app.store.bookmarks.get("sweep-walk:Call"))
    # Each run began where the one before had stopped, and the last one had nothing left to keep.
    assert len(set(reached)) == 4
    assert reached[:4] == sorted(reached[:4])
    listed = [
        one for one in world.crm.log.requests if one.path.endswith("/Call") and "modifiedAt" in one.query
    ]
    assert len(listed) < 20


@pytest.mark.usefixtures("mode")
def test_a_second_save_in_the_same_second_is_found(world: World) -> None:
    record = world.save()
    world.settle()
    base = world.link(record).crm_base
    assert base is not None
    # No webhook, and a time of modification that says nothing.
    world.crm.store.change("Meeting", record, {"name": "Saved twice"})
    world.sweep()
    assert world.event(ALICE).subject == "Saved twice"
    world.quiet()


@pytest.mark.parametrize(
    "jump",
    [
        pytest.param(timedelta(hours=-3), id="back"),
        pytest.param(timedelta(hours=3), id="ahead"),
        pytest.param(timedelta(days=-1), id="a-day-back"),
    ],
)
@pytest.mark.usefixtures("mode")
def test_a_clock_of_the_crm_that_jumps_hides_no_save(world: World, jump: timedelta) -> None:
    # Nothing from before the connect goes out by itself, and the jump must not lead there (R8).
    world.clock.advance(3 * 86_400)
    record = world.save()
    world.settle()
    world.clock.advance(600)
    world.sweep()
    world.clock.crm.advance(jump)
    quietly(world, "PUT", f"Meeting/{record}", name="After the jump")
    quietly(world, "POST", "Meeting", **{**DEFAULTS, "name": "New", "assignedUserId": BOB})
    world.clock.advance(120)
    world.sweep()
    assert world.event(ALICE).subject == "After the jump"
    assert world.event(BOB).subject == "New"


@pytest.mark.parametrize("hours", [-5, 5], ids=["behind", "ahead"])
def test_a_crm_whose_clock_is_not_ours_loses_nothing_at_a_restart(make_world: MakeWorld, hours: int) -> None:
    world = make_world()
    world.clock.crm.advance(timedelta(hours=hours))
    world.connect(ALICE)
    world.sweep()
    # In a band that is read seldom: only the time of the save leads there.
    far = {"dateStart": "2029-12-01 10:00:00", "dateEnd": "2029-12-01 11:00:00"}
    record = world.save(**far)
    world.settle()
    world.app.store.close()
    world.open()
    quietly(world, "PUT", f"Meeting/{record}", name="While it was down")
    quietly(world, "POST", "Meeting", **{**DEFAULTS, **far, "name": "New"})
    world.clock.advance(60)
    world.sweep()
    assert {event.subject for event in world.events(ALICE)} == {"While it was down", "New"}
