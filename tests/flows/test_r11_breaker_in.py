"""R11 on the way in: what vanishes from Outlook in masses takes no record with it until a person says so."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from calsync_plugin.accounts import holds
from calsync_plugin.accounts.choices import choose
from calsync_plugin.accounts.restore import Restorer
from calsync_plugin.domain.links import LinkState
from tests.flows.conftest import MakeWorld
from tests.world import ALICE, BOB, World

LABELS = {"Meeting": "", "Call": "C: ", "Visit": "V: "}


def _born(world: World, count: int, kind: str = "Meeting", **properties: Any) -> list[str]:
    """So many meetings that were born in alice's Outlook, as ids of their events."""
    ids = [
        world.outlook_create(
            ALICE,
            **{
                "subject": f"{LABELS[kind]}Meeting {n:02}",
                "start": f"2026-12-02T{8 + n // 4:02}:{15 * (n % 4):02}:00",
                "end": f"2026-12-02T{8 + n // 4:02}:{15 * (n % 4) + 10:02}:00",
                **properties,
            },
        )
        for n in range(count)
    ]
    world.pull()
    assert len(world.records(kind)) == count
    world.mails()
    return ids


def _names(world: World, kind: str = "Meeting") -> list[str]:
    return sorted(one["name"] for one in world.records(kind))


def _held(world: World, user_id: str = ALICE) -> int:
    return len(world.app.store.held.all(world.account(user_id).mailbox_id))


def _restorer(world: World) -> Restorer:
    return Restorer(world.app.store, world.app.gateway, world.app.open_mailbox, world.app.entities)


@pytest.mark.parametrize("kind", list(LABELS))
def test_r11_pain_12_a_mass_deletion_in_outlook_is_held_and_all_else_goes_on(world: World, kind: str) -> None:
    events = _born(world, 10, kind)
    for event in events[:6]:
        world.outlook_delete(ALICE, event)
    world.outlook_patch(ALICE, events[9], subject=f"{LABELS[kind]}Changed")
    world.outlook_create(ALICE, subject=f"{LABELS[kind]}New")
    world.pull()
    assert len(world.records(kind)) == 11
    assert {"Changed", "New"} <= set(_names(world, kind))
    assert _held(world) == 6
    assert [user for user, _ in world.told] == [ALICE]
    assert "6 deletions are held" in world.told[0][1]
    assert world.app.store.log.journal(user_id=ALICE) == []
    world.quiet()
    assert len(world.told) == 1


def test_r11_confirmed_the_records_go_and_each_is_in_the_journal(world: World) -> None:
    events = _born(world, 10)
    for event in events[:6]:
        world.outlook_delete(ALICE, event)
    world.pull()
    assert holds.confirm(world.app.store, world.account(ALICE)) == 6
    world.settle()
    assert _names(world) == [f"Meeting {n:02}" for n in range(6, 10)]
    journal = world.app.store.log.journal(user_id=ALICE)
    assert sorted(json.loads(entry.content)["name"] for entry in journal) == [
        f"Meeting {n:02}" for n in range(6)
    ]
    assert _held(world) == 0
    world.quiet()


def test_r11_discarded_the_records_stay_and_are_left_alone(world: World) -> None:
    events = _born(world, 10)
    records = {one["name"]: one["id"] for one in world.records()}
    for event in events[:6]:
        world.outlook_delete(ALICE, event)
    world.pull()
    assert holds.discard(world.app.store, world.account(ALICE)) == 6
    world.pull()
    world.sweep()
    assert len(world.records()) == 10
    gone = [records[f"Meeting {n:02}"] for n in range(6)]
    assert {world.link(record).state for record in gone} == {LinkState.DETACHED}
    world.change(gone[0], name="Still mine")
    world.settle()
    assert len(world.events(ALICE)) == 4
    world.quiet()


def test_r11_what_was_confirmed_by_mistake_is_restored(world: World) -> None:
    """From the journal, one by one; nothing of it is mailed or pushed by itself."""
    events = _born(world, 7, attendees=["dave@contoso.example"])
    for event in events:
        world.outlook_delete(ALICE, event)
    world.mails()
    world.pull()
    holds.confirm(world.app.store, world.account(ALICE))
    world.settle()
    assert world.records() == []
    restorer, account = _restorer(world), world.account(ALICE)
    entries = [entry.id for entry in restorer.entries(account)]
    assert all(one.done for one in restorer.restore(account, entries, with_attendees=True))
    assert _names(world) == [f"Meeting {n:02}" for n in range(7)]
    world.settle()
    world.pull()
    assert world.events(ALICE) == []
    world.quiet()
    assert world.mails() == []


def test_r11_pain_12_the_whole_calendar_emptied_takes_nothing_along(world: World) -> None:
    events = _born(world, 25)
    for event in events:
        world.outlook_delete(ALICE, event)
    world.pull()
    world.expire_cursors()
    world.pull()
    world.clock.advance(90_000)
    world.pull()
    assert len(world.records()) == 25
    assert _held(world) == 25
    assert len(world.told) == 1


def test_r11_the_rest_does_not_slip_through_day_by_day(world: World) -> None:
    """Time alone releases nothing."""
    events = _born(world, 12)
    for event in events:
        world.outlook_delete(ALICE, event)
    world.pull()
    for _ in range(4):
        world.clock.advance(90_000)
        world.pull()
        world.sweep()
    assert len(world.records()) == 12
    holds.confirm(world.app.store, world.account(ALICE))
    world.settle()
    assert world.records() == []


@pytest.mark.parametrize("count", [1, 5])
def test_r11_a_few_deletions_are_nobodys_question(world: World, count: int) -> None:
    for event in _born(world, count):
        world.outlook_delete(ALICE, event)
    world.pull()
    assert world.records() == []
    assert (_held(world), world.told) == (0, [])


def test_r11_deletions_that_come_one_by_one_are_counted_over_a_day(world: World) -> None:
    events = _born(world, 10)
    for event in events[:7]:
        world.outlook_delete(ALICE, event)
        world.pull()
        world.clock.advance(3600)
    assert len(world.records()) == 5
    assert _held(world) == 2


def test_r11_deletions_on_both_sides_count_together(world: World) -> None:
    """Three by the CRM and three by Outlook are six of ten."""
    choose(world.app.store, world.app.gateway, ALICE, {"remove_event_with_record": True})
    events = _born(world, 10)
    by_name = {one["name"]: one["id"] for one in world.records()}
    for n in range(3):
        world.remove(by_name[f"Meeting {n:02}"])
    world.settle()
    for n in range(3, 6):
        world.outlook_delete(ALICE, events[n])
    world.pull()
    assert len(world.events(ALICE)) == 4
    assert len(world.records()) == 7
    assert _held(world) == 3


def test_r11_a_series_that_is_deleted_is_one_deletion(world: World) -> None:
    master = world.series(ALICE, "daily", subject="Stand-up", count=8)
    world.outlook_create(ALICE, subject="Other")
    world.pull()
    assert len(world.records()) == 9
    world.outlook_delete(ALICE, master)
    world.pull()
    assert _names(world) == ["Other"]
    assert (_held(world), world.told) == (0, [])
    world.quiet()


def test_r11_events_of_the_crm_that_vanish_only_let_go_of_their_records(world: World) -> None:
    """Nothing is lost by it, so nobody is asked."""
    for n in range(10):
        world.save(name=f"Meeting {n:02}")
    world.settle()
    world.pull()
    for event in world.events(ALICE):
        world.outlook_delete(ALICE, event.id)
    world.pull()
    assert len(world.records()) == 10
    assert {world.link(one["id"]).state for one in world.records()} == {LinkState.DETACHED}
    assert (_held(world), world.told) == (0, [])
    world.quiet()


def test_r11_events_of_the_crm_whose_records_would_go_are_held(world: World) -> None:
    choose(world.app.store, world.app.gateway, ALICE, {"remove_record_with_event": True})
    for n in range(10):
        world.save(name=f"Meeting {n:02}")
    world.settle()
    world.pull()
    for event in world.events(ALICE):
        world.outlook_delete(ALICE, event.id)
    world.pull()
    assert len(world.records()) == 10
    assert _held(world) == 10


def test_r11_a_record_that_is_edited_while_its_deletion_is_held_stays_when_it_is_confirmed(
    world: World,
) -> None:
    events = _born(world, 10)
    by_name = {one["name"]: one["id"] for one in world.records()}
    for event in events[:6]:
        world.outlook_delete(ALICE, event)
    world.pull()
    world.change(by_name["Meeting 00"], name="Needed")
    world.settle()
    assert "Needed" in _names(world)
    holds.confirm(world.app.store, world.account(ALICE))
    world.settle()
    assert _names(world) == ["Meeting 06", "Meeting 07", "Meeting 08", "Meeting 09", "Needed"]
    assert world.link(by_name["Meeting 00"]).state is LinkState.DETACHED
    assert _held(world) == 0
    world.quiet()


def test_r11_a_record_that_is_removed_while_its_deletion_is_held_is_no_longer_held(world: World) -> None:
    events = _born(world, 10)
    by_name = {one["name"]: one["id"] for one in world.records()}
    for event in events[:6]:
        world.outlook_delete(ALICE, event)
    world.pull()
    world.remove(by_name["Meeting 00"])
    world.settle()
    assert _held(world) == 5
    assert len(world.records()) == 9


def test_r11_one_mailbox_is_held_and_others_go_on(world: World) -> None:
    events = _born(world, 10)
    other = world.outlook_create(BOB, subject="Of bob")
    world.pull()
    for event in events[:6]:
        world.outlook_delete(ALICE, event)
    world.outlook_delete(BOB, other)
    world.pull()
    assert "Of bob" not in _names(world)
    assert (_held(world), _held(world, BOB)) == (6, 0)


def test_r11_attendees_who_clear_their_calendar_end_nothing(world: World) -> None:
    """Ten declined invitations are no deletions."""
    records = [world.save(name=f"Meeting {n:02}", usersIds=[ALICE, BOB]) for n in range(10)]
    world.settle()
    world.pull()
    for event in world.events(BOB):
        world.outlook_delete(BOB, event.id)
    world.mails()
    world.pull()
    assert len(world.records()) == 10
    said = {world.record(one)["usersColumns"][BOB]["status"] for one in records}
    assert said == {"Declined"}
    assert world.told == []
    world.quiet()
    assert world.mails() == []


def test_r11_after_a_restart_what_was_held_is_still_held(make_world: MakeWorld) -> None:
    world = make_world()
    world.connect(ALICE)
    events = _born(world, 10)
    for event in events[:6]:
        world.outlook_delete(ALICE, event)
    world.pull()
    world.open()
    world.pull()
    world.sweep()
    assert len(world.records()) == 10
    assert _held(world) == 6
    holds.confirm(world.app.store, world.account(ALICE))
    world.settle()
    assert len(world.records()) == 4


def test_r11_a_purge_in_portions_is_one_mass_deletion(make_world: MakeWorld) -> None:
    """Runs that yield after a few items count what the runs before have let through."""
    world = make_world()
    world.settings = replace(world.settings, worker=replace(world.settings.worker, run_items=3))
    world.open()
    world.connect(ALICE)
    events = _born(world, 16)
    for event in events:
        world.outlook_delete(ALICE, event)
    world.pull()
    left = len(world.records())
    assert left >= 11
    assert _held(world) == left
