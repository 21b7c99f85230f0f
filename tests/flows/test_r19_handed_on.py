"""R19 with 4.2 and R3: whose mailbox is no longer followed, and a colleague attends: the meeting goes on."""

from __future__ import annotations

import pytest

from calsync_plugin.accounts import grants
from calsync_plugin.accounts.choices import choose
from calsync_plugin.domain.links import LinkState, Role
from tests.outlook_side import repeats
from tests.world import ADDRESS, ALICE, BOB, World

DAYS = ["2026-12-02", "2026-12-09", "2026-12-16"]


def _leave(world: World, how: str) -> None:
    match how:
        case "disconnect":
            world.app.connections.disconnect(ALICE)
        case "revoke":
            grants.revoke(world.app.store, world.account(ALICE))
        case _:
            choose(world.app.store, world.app.gateway, ALICE, {"mode": "crm_to_outlook"})
    world.settle()


def _come_back(world: World, how: str) -> None:
    match how:
        case "disconnect":
            world.connect(ALICE)
        case "revoke":
            grants.grant(world.app.store, world.app.gateway, world.account(ALICE))
        case _:
            choose(world.app.store, world.app.gateway, ALICE, {"mode": "both"})
    world.settle()
    world.pull()


def _still(world: World) -> None:
    world.mails()
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize("how", ["disconnect", "revoke", "mode"])
def test_r19_a_meeting_of_somebody_outside_goes_on_by_another_invited_user(world: World, how: str) -> None:
    event = world.invite_from_outside(ALICE, subject="Visit")
    world.pull(ALICE)
    world.outside_patch(event, attendees=[ADDRESS[ALICE], ADDRESS[BOB]])
    world.pull()
    record = world.only_record()["id"]
    _leave(world, how)
    world.outside_patch(event, subject="Visit 2")
    world.pull(BOB)
    assert world.only_record()["name"] == "Visit 2"
    link = world.link(record)
    assert link.home is not None
    assert (link.state, link.home.mailbox_id) == (LinkState.ACTIVE, world.account(BOB).mailbox_id)
    _still(world)
    _come_back(world, how)
    assert world.only_record()["id"] == record
    assert len(world.link(record).copies) == 2
    world.outside_patch(event, subject="Visit 3")
    world.pull()
    assert world.only_record()["name"] == "Visit 3"
    _still(world)


def test_r19_a_series_of_somebody_outside_goes_on_by_another_invited_user(world: World) -> None:
    event = world.invite_from_outside(ALICE, BOB, subject="Visit", recurrence=repeats(count=3))
    world.pull()
    before = [one["id"] for one in world.records()]
    _leave(world, "disconnect")
    world.outside_patch(event, subject="Visit 2")
    world.pull(BOB)
    assert [(one["dateStart"][:10], one["name"]) for one in world.records()] == [
        (day, "Visit 2") for day in DAYS
    ]
    _come_back(world, "disconnect")
    assert [one["id"] for one in world.records()] == before
    assert {len(world.link(one).copies) for one in before} == {2}
    _still(world)


def test_r19_what_a_user_organizes_is_suspended_and_compared_when_the_user_is_back(world: World) -> None:
    event = world.outlook_create(ALICE, subject="Visit", attendees=[ADDRESS[BOB]])
    world.pull()
    record = world.only_record()["id"]
    _leave(world, "disconnect")
    world.outlook_patch(ALICE, event, subject="Visit 2")
    world.pull(BOB)
    assert (world.link(record).state, world.only_record()["name"]) == (LinkState.SUSPENDED, "Visit")
    _come_back(world, "disconnect")
    assert (world.link(record).role, world.only_record()["name"]) == (Role.ORGANIZER, "Visit 2")
    _still(world)


def test_r19_what_the_crm_bore_waits_for_its_assigned_user(world: World) -> None:
    """R1: it belongs into the assigned user's calendar, whoever attends."""
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.pull()
    _leave(world, "disconnect")
    world.edit(ALICE, subject="Edited in Outlook")
    world.pull(BOB)
    assert (world.link(record).state, world.record(record)["name"]) == (LinkState.SUSPENDED, "Kick-off")
    _come_back(world, "disconnect")
    assert world.record(record)["name"] == "Edited in Outlook"
    _still(world)


def test_r19_what_was_saved_while_nothing_was_allowed_goes_out_when_it_is(world: World) -> None:
    _leave(world, "revoke")
    world.clock.advance(60)
    world.save(name="New", usersIds=[ALICE, BOB])
    world.settle()
    assert world.events(ALICE) == []
    world.clock.advance(3600)
    _come_back(world, "revoke")
    assert world.event(ALICE).subject == "New"
    assert world.mails() == [("invitation", ADDRESS[BOB])]
    _still(world)


def test_r19_what_nobody_else_attends_waits(world: World) -> None:
    event = world.invite_from_outside(ALICE, subject="Visit")
    world.pull()
    record = world.only_record()["id"]
    _leave(world, "disconnect")
    world.outside_patch(event, subject="Visit 2")
    world.pull(BOB)
    assert (world.link(record).state, world.only_record()["name"]) == (LinkState.SUSPENDED, "Visit")
    _come_back(world, "disconnect")
    assert world.only_record()["name"] == "Visit 2"
    _still(world)


def test_r14_what_its_owner_hid_is_not_shown_by_an_invited_user(world: World) -> None:
    choose(world.app.store, world.app.gateway, ALICE, {"hide_imported_details": True})
    world.invite_from_outside(ALICE, subject="Visit", attendees=[ADDRESS[BOB]])
    world.pull(ALICE)
    world.pull()
    assert world.only_record()["name"] == "Busy"
    _leave(world, "disconnect")
    world.pull()
    assert world.only_record()["name"] == "Busy"
    _still(world)
