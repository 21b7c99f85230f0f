"""A backup of the store is put back: what was made since is found on both sides, and made no second time."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from calsync_plugin.accounts.put_back import compare_all
from calsync_plugin.state import back_up
from tests.world import ALICE, BOB, DAVE, World


def put_back(world: World, folder: Path) -> None:
    """What an administrator does while calsync is stopped."""
    world.app.store.close()
    for name in ("calsync.db-wal", "calsync.db-shm"):
        (folder / name).unlink(missing_ok=True)
    shutil.copyfile(folder / "kept.db", folder / "calsync.db")
    world.open()


@pytest.fixture
def changed_since(tmp_path: Path) -> World:
    """Two users in step, a backup, and a day's work after it: in the CRM, in Outlook, with people outside."""
    world = World(tmp_path)
    for user_id in (ALICE, BOB):
        world.connect(user_id, push_contacts=True)
    kept, gone = world.save(name="Kept"), world.save(name="Gone")
    world.settle()
    back_up(world.store_url, tmp_path / "kept.db")
    world.save(name="Since", contactsIds=[DAVE])
    world.save(name="Since, of bob", assignedUserId=BOB, usersIds=[BOB])
    world.change(kept, name="Kept, changed")
    world.remove(gone)
    world.outlook_create(ALICE, subject="From Outlook")
    world.settle()
    world.pull()
    return world


def state(world: World) -> dict[str, list[str]]:
    """What stands in the CRM and in both calendars."""
    calendars = {name: sorted(e.subject for e in world.events(name)) for name in (ALICE, BOB)}
    return {**calendars, "CRM": sorted(record["name"] for record in world.records())}


def test_nothing_is_doubled_and_nobody_is_mailed(changed_since: World, tmp_path: Path) -> None:
    world = changed_since
    before = state(world)
    assert world.mails()
    put_back(world, tmp_path)
    compared = list(compare_all(world.app))
    assert [(one.user_id, one.error) for one in compared] == [(ALICE, ""), (BOB, "")]
    world.clock.advance(3600)
    world.sweep()
    world.pull()
    world.settle()
    assert (state(world), world.mails()) == (before, [])


def test_what_is_made_afterwards_travels_as_ever(changed_since: World, tmp_path: Path) -> None:
    world = changed_since
    put_back(world, tmp_path)
    list(compare_all(world.app))
    world.settle()
    world.pull()
    world.clock.advance(60)
    since = next(record["id"] for record in world.records() if record["name"] == "Since")
    world.change(since, name="Since, changed")
    world.settle()
    assert [e.subject for e in world.events(ALICE)].count("Since, changed") == 1
    world.outlook_patch(ALICE, world.event_of(ALICE, "From Outlook").id, subject="From Outlook, changed")
    world.pull()
    assert [r["name"] for r in world.records()].count("From Outlook, changed") == 1


def test_who_does_not_sync_is_left_alone(changed_since: World, tmp_path: Path) -> None:
    world = changed_since
    put_back(world, tmp_path)
    world.forbid(ALICE)
    assert [(one.user_id, one.error) for one in compare_all(world.app)] == [(BOB, "")]


def test_what_was_deleted_on_one_side_meanwhile_stays_on_the_other(
    changed_since: World, tmp_path: Path
) -> None:
    world = changed_since
    kept = next(record["id"] for record in world.records() if record["name"] == "Kept, changed")
    put_back(world, tmp_path)
    world.remove(kept)
    list(compare_all(world.app))
    world.clock.advance(3600)
    world.sweep()
    world.pull()
    assert "Kept, changed" in state(world)[ALICE]
