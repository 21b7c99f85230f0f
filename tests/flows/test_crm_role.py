"""The bridge's user loses rights in the CRM and gets them back: nothing is lost, nobody has to act on it."""

from __future__ import annotations

from typing import Any

import pytest

from calsync_plugin.engine import second_chances
from calsync_plugin.sandbox.crm import identities as ids
from calsync_plugin.state import Parked
from tests.world import ALICE, BOB, World

HOUR = 3600.0


def _role(world: World, **changes: Any) -> None:
    """An administrator changes the role of the bridge's user; EspoCRM tells nobody."""
    world.crm.store.change("Role", ids.ROLE_BRIDGE_ID, changes)


def _rights(world: World, **levels: str) -> dict[str, Any]:
    """What the role says of all scopes, with other levels for meetings."""
    data: dict[str, Any] = world.crm.store.tables["Role"].rows[ids.ROLE_BRIDGE_ID]["data"]
    return {**data, "Meeting": {**data["Meeting"], **levels}}


def _an_hour_later(world: World) -> None:
    world.clock.advance(HOUR + 1)
    world.sweep()


def test_what_may_not_be_edited_waits_and_comes_in_when_the_right_is_back(world: World) -> None:
    full = _rights(world)
    record = world.save()
    other = world.save(name="Other")
    world.settle()
    world.pull()
    world.sweep()
    _role(world, data=_rights(world, edit="no"))
    world.outlook_patch(ALICE, world.event_of(ALICE, "Kick-off").id, subject="By Outlook")
    world.pull()
    assert world.parked() == {record: "forbidden"}
    assert world.record(record)["name"] == "Kick-off"
    _an_hour_later(world)
    assert world.parked() == {record: "forbidden"}

    _role(world, data=full)
    _an_hour_later(world)

    assert world.record(record)["name"] == "By Outlook"
    assert world.record(other)["name"] == "Other"
    assert world.parked() == {}
    world.quiet()


def test_what_lacks_rights_is_tried_again_however_much_is_parked_for_other_reasons(world: World) -> None:
    full = _rights(world)
    with world.app.store.save(None) as save:
        for number in range(1_001):
            save.park(
                Parked(
                    mailbox_id=world.account(ALICE).mailbox_id or 0,
                    user_id=ALICE,
                    reason="no_end",
                    message="it has no end",
                    entity_type="Meeting",
                    record_id=f"r{number}",
                )
            )
    world.clock.advance(60)
    record = world.save()
    world.settle()
    world.pull()
    world.sweep()
    _role(world, data=_rights(world, edit="no"))
    world.outlook_patch(ALICE, world.event_of(ALICE, "Kick-off").id, subject="By Outlook")
    world.pull()

    _role(world, data=full)
    _an_hour_later(world)

    assert world.record(record)["name"] == "By Outlook"


def test_what_still_lacks_rights_keeps_nothing_behind_it_from_its_turn(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_chances, "PORTION", 2)
    full = _rights(world)
    calls = [world.save("Call", name=f"Call {number}") for number in range(2)]
    meeting = world.save()
    world.settle()
    world.pull()
    world.sweep()
    without_calls = {**full, "Call": {**full["Call"], "edit": "no"}}
    _role(world, data={**without_calls, "Meeting": {**full["Meeting"], "edit": "no"}})
    for subject in ("C: Call 0", "C: Call 1", "Kick-off"):
        world.outlook_patch(ALICE, world.event_of(ALICE, subject).id, subject=f"{subject}, moved")
        world.clock.advance(60)
        world.pull()
    assert world.parked() == dict.fromkeys([*calls, meeting], "forbidden")

    _role(world, data=without_calls)
    for _ in range(3):
        _an_hour_later(world)

    assert world.record(meeting)["name"] == "Kick-off, moved"
    assert world.parked() == dict.fromkeys(calls, "forbidden")


def test_what_may_not_be_created_waits_and_is_created_once_when_the_right_is_back(world: World) -> None:
    full = _rights(world)
    world.sweep()
    _role(world, data=_rights(world, create="no"))
    event = world.outlook_create(ALICE, subject="Visit")
    world.pull()
    assert world.records() == []
    assert [one.reason for one in world.app.store.parked.all()] == ["forbidden"]
    _an_hour_later(world)
    world.outlook_patch(ALICE, event, subject="Visit, later")
    world.pull()

    _role(world, data=full)
    _an_hour_later(world)

    assert world.only_record()["name"] == "Visit, later"
    assert world.app.store.parked.all() == []
    world.quiet()


def test_what_may_not_be_deleted_stays_and_goes_when_the_right_is_back(world: World) -> None:
    full = _rights(world)
    event = world.outlook_create(ALICE)
    world.pull()
    world.sweep()
    _role(world, data=_rights(world, delete="no"))
    world.outlook_delete(ALICE, event)
    world.pull()
    assert len(world.records()) == 1
    assert [one.reason for one in world.app.store.parked.all()] == ["forbidden"]

    _role(world, data=full)
    _an_hour_later(world)

    assert world.records() == []
    assert world.app.store.parked.all() == []
    world.quiet()


def test_what_may_not_be_read_is_left_alone_and_compared_when_the_right_is_back(world: World) -> None:
    full = _rights(world)
    record = world.save(usersIds=[ALICE, BOB])
    gone = world.save(name="Gone")
    world.settle()
    world.pull()
    world.mails()
    world.sweep()
    _role(world, data=_rights(world, read="no", edit="no"))
    world.clock.advance(HOUR)
    world.outlook_patch(ALICE, world.event_of(ALICE, "Kick-off").id, body="By Outlook")
    world.mails()
    world.pull()
    for _ in range(3):
        _an_hour_later(world)
    assert {event.subject for event in world.events(ALICE)} == {"Gone", "Kick-off"}
    assert world.mails() == []
    world.crm.store.change("Meeting", record, {"name": "Renamed meanwhile"})

    _role(world, data=full)
    world.api("DELETE", f"Meeting/{gone}")
    for _ in range(3):
        _an_hour_later(world)

    assert [event.subject for event in world.events(ALICE)] == ["Renamed meanwhile"]
    assert world.link(record).state == "active"
    world.quiet()


def test_a_user_of_ours_who_is_switched_off_stops_everything_in_words_and_nothing_is_lost(
    world: World,
) -> None:
    record = world.save()
    world.settle()
    world.pull()
    world.crm.store.change("User", ids.BRIDGE_API_ID, {"isActive": False})
    world.outlook_patch(ALICE, world.event(ALICE).id, subject="By Outlook")
    world.app.store.queue.hint(world.account(ALICE).mailbox_id or 0)
    world.crm.log.clear()
    for _ in range(100):
        world.drain()
        world.clock.advance(10.0)

    assert len(world.crm.log.requests) < 60
    assert {entry.status for entry in world.crm.log.requests} == {401}
    assert "API key" in world.account(ALICE).last_error
    assert str(world.account(ALICE).status) == "connected"

    world.crm.store.change("User", ids.BRIDGE_API_ID, {"isActive": True})
    world.clock.advance(600.0)
    world.settle()
    assert world.record(record)["name"] == "By Outlook"
    world.quiet()


def test_a_new_key_is_taken_after_a_restart_and_nothing_is_lost(world: World) -> None:
    record = world.save()
    world.settle()
    world.crm.store.change("User", ids.BRIDGE_API_ID, {"apiKey": "new"})
    world.plugins.hook.calsync_entity_updated(entity_type="Meeting", record={"id": record}, changed=None)
    world.crm.store.change("Meeting", record, {"name": "Renamed"})
    world.drain()
    assert world.event(ALICE).subject == "Kick-off"

    world.crm.store.change("User", ids.BRIDGE_API_ID, {"apiKey": "sandbox"})
    world.open()
    world.settle()

    assert world.event(ALICE).subject == "Renamed"
    world.quiet()


def test_without_the_right_to_assign_to_others_nothing_comes_to_belong_to_our_user(world: World) -> None:
    """EspoCRM would give it to our own user without a word; it refuses, as the owner is among the users."""
    _role(world, assignmentPermission="no")
    world.outlook_create(ALICE, subject="Visit")
    world.pull()
    assert world.records() == []
    assert [one.reason for one in world.app.store.parked.all(user_id=ALICE)] == ["assignment"]

    _role(world, assignmentPermission="all")
    _an_hour_later(world)

    assert world.only_record()["assignedUserId"] == ALICE
    assert world.app.store.parked.all() == []
    world.quiet()


def test_a_record_that_may_not_pass_to_a_colleague_waits_until_it_may(world: World) -> None:
    """EspoCRM answers 200 and keeps the owner (9.2.7, measured)."""
    theirs = world.invite_from_outside(ALICE, BOB, subject="Roadmap")
    for user_id in (ALICE, BOB):
        world.pull(user_id)
    world.sweep()
    _role(world, assignmentPermission="no")
    world.outside_patch(theirs, attendees=["bob@example.com"])
    for user_id in (BOB, ALICE):
        world.pull(user_id)
    assert world.only_record()["assignedUserId"] == ALICE
    assert {one.reason for one in world.app.store.parked.all()} == {"assignment"}

    _role(world, assignmentPermission="all")
    for _ in range(2):
        _an_hour_later(world)
        world.pull(BOB)

    assert world.only_record()["assignedUserId"] == BOB
    assert world.app.store.parked.all() == []
    world.quiet()


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 500}, {"drop_after_commit": True}], ids=str)
def test_a_record_that_could_not_pass_to_a_colleague_passes_later(
    world: World, fault: dict[str, Any]
) -> None:
    theirs = world.invite_from_outside(ALICE, BOB, subject="Roadmap")
    for user_id in (ALICE, BOB):
        world.pull(user_id)
    world.outside_patch(theirs, attendees=["bob@example.com"])
    world.crm_fails(method="PUT", path="/Meeting/", **fault)
    for user_id in (ALICE, BOB):
        world.pull(user_id)
    world.clock.advance(600.0)
    world.settle()

    assert world.only_record()["assignedUserId"] == BOB
    assert world.crm.faults.rules == []
    world.quiet()
