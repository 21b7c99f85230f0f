"""A backup of the CRM that was restored, or a CRM that was emptied: nothing of it spreads to Outlook."""

from __future__ import annotations

from typing import Any

import pytest

from calsync_plugin.accounts import holds
from calsync_plugin.domain.links import LinkState
from calsync_plugin.engine.doubts import EMPTIED, RESTORED
from tests.espocrm_side import MODES, mass_delete, quietly
from tests.world import ALICE, BOB, DEFAULTS, World


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest, world: World) -> str:
    """Both users in each mode, and a sweep that has run once, a day after they were connected."""
    for user in (ALICE, BOB):
        world.choose(user, mode=request.param)
    world.settle()
    world.clock.advance(86_400)
    world.sweep()
    return str(request.param)


def _saved(world: World, count: int, name: str = "Meeting", **attributes: Any) -> list[str]:
    records = [world.save(name=f"{name} {n:03}", **attributes) for n in range(count)]
    world.settle()
    world.mails()
    return records


def _put_back(world: World, backup: Any) -> None:
    """Restore a backup, by hand of an administrator of the database."""
    counter = world.crm.ids.counter
    world.crm.load(backup)
    world.crm.ids.counter = counter
    world.clock.advance(60)


def _subjects(world: World, user: str = ALICE) -> list[str]:
    return sorted(str(event.subject) for event in world.events(user))


@pytest.mark.parametrize("since", [1, 3, 30], ids=["one", "three", "thirty"])
@pytest.mark.usefixtures("mode")
def test_records_that_a_backup_does_not_know_keep_their_events(world: World, since: int) -> None:
    records = _saved(world, 20)
    backup = world.crm.dump()
    world.clock.advance(3600)
    world.change(records[0], name="Changed since")
    later = _saved(world, since, "Later")
    # Some hours pass, in which nothing of it is looked at.
    world.clock.advance(7200)
    _put_back(world, backup)
    for _ in range(3):
        world.sweep()
    assert len(world.events(ALICE)) == 20 + since
    assert {one for one in _subjects(world) if "Later" in one} == {f"Later {n:03}" for n in range(since)}
    assert len(world.app.store.held.all()) == since
    assert {world.link(record).state for record in later} == {LinkState.ACTIVE}
    assert world.mails() == []
    (told,) = world.administrators_told[:1]
    assert told.startswith(RESTORED)
    world.quiet()


@pytest.mark.usefixtures("mode")
def test_new_records_go_on_while_it_is_in_doubt(world: World) -> None:
    records = _saved(world, 5)
    backup = world.crm.dump()
    world.clock.advance(60)
    world.change(records[0], name="Changed since")
    _saved(world, 2, "Later")
    _put_back(world, backup)
    world.sweep()
    world.save(name="New")
    world.change(records[1], name="Changed now")
    world.settle()
    assert {"New", "Changed now", "Later 000", "Later 001"} <= set(_subjects(world))


@pytest.mark.usefixtures("mode")
def test_the_right_state_put_back_ends_it_without_a_person(world: World) -> None:
    records = _saved(world, 10)
    backup = world.crm.dump()
    world.clock.advance(60)
    later = _saved(world, 8, "Later")
    right = world.crm.dump()
    _put_back(world, backup)
    world.sweep()
    world.sweep()
    assert len(world.app.store.held.all()) == 8
    _put_back(world, right)
    for _ in range(3):
        world.sweep()
    assert world.app.store.held.all() == []
    assert world.app.store.bookmarks.get("doubt:Meeting") == ""
    assert {world.link(record).state for record in (*records, *later)} == {LinkState.ACTIVE}
    assert len(world.events(ALICE)) == 18
    assert world.mails() == []
    quietly(world, "DELETE", f"Meeting/{later[0]}")
    world.sweep()
    assert len(world.events(ALICE)) == 17


@pytest.mark.usefixtures("mode")
def test_what_is_held_goes_once_a_person_confirms_it(world: World) -> None:
    records = _saved(world, 5)
    backup = world.crm.dump()
    world.clock.advance(60)
    world.change(records[0], name="Changed since")
    _saved(world, 2, "Later")
    _put_back(world, backup)
    world.sweep()
    assert holds.confirm(world.app.store, world.account(ALICE)) == 2
    world.settle()
    assert not any("Later" in one for one in _subjects(world))
    assert len(world.events(ALICE)) == 5
    for _ in range(3):
        world.sweep()
    assert world.app.store.bookmarks.get("doubt:Meeting") == ""


def test_an_older_version_that_reappears_is_a_clash_of_which_both_values_are_kept(
    world: World, mode: str
) -> None:
    records = _saved(world, 3)
    backup = world.crm.dump()
    world.clock.advance(3600)
    world.change(records[0], name="Said in the CRM")
    world.settle()
    _put_back(world, backup)
    world.sweep()
    # The rule of the account decides: here the side of origin counts.
    assert world.event_of(ALICE, "Meeting 000")
    assert "Said in the CRM" not in _subjects(world)
    if mode == "both":
        (clash,) = world.app.store.log.clashes(ALICE)
        assert (clash.crm, clash.outlook, clash.winner) == ("Meeting 000", "Said in the CRM", "crm")
    world.quiet()


def test_an_event_of_outlook_brings_an_older_record_forward_again(world: World) -> None:
    world.clock.advance(86_400)
    world.outlook_create(ALICE, subject="First")
    world.pull()
    backup = world.crm.dump()
    world.clock.advance(3600)
    world.edit(ALICE, subject="Second")
    world.pull()
    assert world.only_record()["name"] == "Second"
    _put_back(world, backup)
    assert world.only_record()["name"] == "First"
    world.sweep()
    assert world.only_record()["name"] == "Second"
    assert world.event(ALICE).subject == "Second"
    world.quiet()


@pytest.mark.parametrize("count", [2, 5, 40], ids=["two", "five", "forty"])
@pytest.mark.usefixtures("mode")
def test_a_crm_that_was_emptied_empties_no_calendar(world: World, count: int) -> None:
    _saved(world, count)
    _saved(world, 3, "Of bob", assignedUserId=BOB)
    for row in list(world.crm.store.tables["Meeting"].rows.values()):
        world.crm.store.change("Meeting", row["id"], {"deleted": True})
    world.clock.advance(600)
    for _ in range(4):
        world.sweep()
    assert len(world.events(ALICE)) == count
    assert len(world.events(BOB)) == 3
    assert len(world.app.store.held.all()) == count + 3
    assert world.mails() == []
    assert any(EMPTIED in text or RESTORED in text for text in world.administrators_told)


@pytest.mark.usefixtures("mode")
def test_people_who_remove_their_meetings_raise_no_doubt(world: World) -> None:
    records = _saved(world, 12)
    world.clock.advance(60)
    for record in records[:3]:
        quietly(world, "DELETE", f"Meeting/{record}")
    world.sweep()
    assert len(world.events(ALICE)) == 9
    assert world.administrators_told == []


@pytest.mark.usefixtures("mode")
def test_many_removals_here_and_there_are_a_mass_deletion_and_no_backup(world: World) -> None:
    records = []
    for number in range(20):
        records.append(world.save(name=f"Meeting {number:03}"))
        world.clock.advance(1)
    world.settle()
    mass_delete(world, records[::2])
    world.sweep()
    assert len(world.events(ALICE)) == 20
    assert len(world.app.store.held.all()) == 10
    assert world.app.store.bookmarks.get("doubt:Meeting") == ""


@pytest.mark.usefixtures("mode")
def test_a_backup_is_noticed_in_a_kind_of_its_own(world: World) -> None:
    """Calls say nothing of meetings."""
    call = world.save("Call", name="A call")
    _saved(world, 3)
    backup = world.crm.dump()
    world.clock.advance(60)
    world.change(call, "Call", name="Said since")
    world.settle()
    _put_back(world, backup)
    world.sweep()
    assert world.app.store.bookmarks.get("doubt:Call")
    assert world.app.store.bookmarks.get("doubt:Meeting") == ""
    assert DEFAULTS["name"] not in _subjects(world)
