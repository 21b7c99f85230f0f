"""R12 on the way in: what is out of reach is left alone, on both sides, and compared when it is back."""

from __future__ import annotations

from typing import Any

import pytest

from calsync_plugin.accounts import grants
from calsync_plugin.accounts.choices import choose
from calsync_plugin.domain.links import LinkState
from tests.flows.conftest import MakeWorld
from tests.world import ALICE, BOB, CAROL, World

DAY = 24 * 3600.0


def _choose(world: World, **settings: Any) -> None:
    """Alice chooses on the settings page."""
    choose(world.app.store, world.app.gateway, ALICE, settings)
    world.settle()


def _with_calendar(world: World, *, chosen: bool) -> str:
    """A further calendar of alice's, read or not."""
    calendar = world.calendar(ALICE, "Projects")
    if chosen:
        _choose(world, other_calendars=[calendar])
    return calendar


def _imported(world: World, **properties: Any) -> tuple[str, str]:
    """A meeting of alice's Outlook that came in: its event's and its record's id."""
    event = world.outlook_create(ALICE, **{"subject": "Planning", **properties})
    world.pull()
    return event, str(world.only_record()["id"])


# --- moved between calendars


@pytest.mark.parametrize("origin", ["outlook", "crm"])
def test_r12_an_event_that_moves_to_another_chosen_calendar_takes_its_link_along(
    world: World, origin: str
) -> None:
    calendar = _with_calendar(world, chosen=True)
    if origin == "outlook":
        event, record = _imported(world)
    else:
        record = world.save(name="Planning")
        world.settle()
        event = world.event(ALICE).id
    world.move_event(ALICE, event, calendar)
    world.pull()
    assert world.link(record).state is LinkState.ACTIVE
    assert world.only_record()["id"] == record
    world.outlook_patch(ALICE, event, subject="Edited there")
    world.pull()
    assert world.record(record)["name"] == "Edited there"
    world.change(record, name="Edited here")
    world.settle()
    assert world.event_at(ALICE, event).subject == "Edited here"
    home = world.graph("GET", ALICE, "calendar")["id"]
    world.move_event(ALICE, event, home)
    world.outlook_patch(ALICE, event, subject="And back")
    world.pull()
    assert world.only_record()["name"] == "And back"
    world.quiet()
    assert world.mails() == []


def test_r12_an_event_that_moves_to_a_calendar_that_is_not_chosen_is_suspended(world: World) -> None:
    calendar = _with_calendar(world, chosen=False)
    event, record = _imported(world)
    world.move_event(ALICE, event, calendar)
    world.pull()
    assert world.only_record()["id"] == record
    assert world.link(record).state is LinkState.SUSPENDED
    world.change(record, name="Edited here")
    world.outlook_patch(ALICE, event, location="Room 9")
    world.pull()
    assert world.event_at(ALICE, event).subject == "Planning"
    world.quiet()
    home = world.graph("GET", ALICE, "calendar")["id"]
    world.move_event(ALICE, event, home)
    world.pull()
    assert world.link(record).state is LinkState.ACTIVE
    assert world.event_at(ALICE, event).subject == "Edited here"
    world.quiet()


@pytest.mark.parametrize("gone", [404, 200])
def test_r12_what_is_deleted_in_a_calendar_that_is_not_chosen_takes_nothing_along(
    world: World, gone: int
) -> None:
    """Nobody looks there; an administrator may wonder, but no record is lost."""
    world.switch(deleted_by_immutable_id=gone)
    calendar = _with_calendar(world, chosen=False)
    event, record = _imported(world)
    world.move_event(ALICE, event, calendar)
    world.pull()
    world.outlook_delete(ALICE, event)
    world.pull()
    assert world.only_record()["id"] == record
    world.quiet()


def test_r12_a_suspended_meetings_record_is_removed_and_its_event_stays(world: World) -> None:
    calendar = _with_calendar(world, chosen=False)
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    event = world.event(ALICE).id
    world.mails()
    world.move_event(ALICE, event, calendar)
    world.pull()
    world.remove(record)
    world.settle()
    assert world.event_at(ALICE, event).subject == "Kick-off"
    world.quiet()
    assert world.mails() == []


# --- calendars that are chosen and not


def test_r12_a_calendar_that_is_not_chosen_stays_out(world: World) -> None:
    calendar = _with_calendar(world, chosen=False)
    world.outlook_create(ALICE, calendar=calendar, subject="Dentist")
    world.pull()
    assert world.records() == []
    _choose(world, other_calendars=[calendar])
    assert world.only_record()["name"] == "Dentist"
    world.quiet()


def test_r12_a_calendar_that_is_unchosen_suspends_its_meetings_and_comes_back_compared(world: World) -> None:
    calendar = _with_calendar(world, chosen=True)
    event, record = _imported(world, calendar=calendar)
    _choose(world, other_calendars=[])
    world.pull()
    assert world.link(record).state is LinkState.SUSPENDED
    world.outlook_patch(ALICE, event, subject="Edited there")
    world.pull()
    assert world.record(record)["name"] == "Planning"
    world.quiet()
    _choose(world, other_calendars=[calendar])
    world.pull()
    assert world.link(record).state is LinkState.ACTIVE
    assert world.only_record()["name"] == "Edited there"
    world.quiet()


def test_r12_an_event_that_was_deleted_while_its_calendar_was_not_chosen(world: World) -> None:
    calendar = _with_calendar(world, chosen=True)
    event, record = _imported(world, calendar=calendar)
    _choose(world, other_calendars=[])
    world.outlook_delete(ALICE, event)
    world.pull()
    assert world.only_record()["id"] == record
    _choose(world, other_calendars=[calendar])
    world.pull()
    assert world.records() == []
    world.quiet()


def test_r12_records_in_a_calendar_that_is_unchosen_are_suspended_too(world: World) -> None:
    """It was the main calendar once: the record's event lies there as long as it is read."""
    calendar = _with_calendar(world, chosen=False)
    _choose(world, main_calendar=calendar)
    old = world.save(name="In Projects")
    world.settle()
    world.pull()
    assert [e.subject for e in world.events(ALICE, calendar=calendar)] == ["In Projects"]
    _choose(world, main_calendar="")
    new = world.save(name="In the own one")
    world.settle()
    world.pull()
    home = world.graph("GET", ALICE, "calendar")["id"]
    assert [e.subject for e in world.events(ALICE, calendar=home)] == ["In the own one"]
    assert [e.subject for e in world.events(ALICE, calendar=calendar)] == ["In Projects"]
    # Existing links keep theirs, which is read while it holds them.
    assert world.link(old).state is LinkState.ACTIVE
    (event,) = world.events(ALICE, calendar=calendar)
    world.outlook_patch(ALICE, event.id, subject="Edited there")
    world.pull()
    assert world.record(old)["name"] == "Edited there"
    world.change(old, name="Edited here")
    world.settle()
    assert world.event_at(ALICE, event.id).subject == "Edited here"
    assert world.link(new).state is LinkState.ACTIVE
    world.quiet()
    world.remove(old)
    world.settle()
    assert world.events(ALICE, calendar=calendar) == []
    world.quiet()


def test_r12_a_calendar_that_is_deleted_takes_no_record_along(world: World) -> None:
    """Twenty meetings of a project calendar that its owner removed: suspended, and nobody is cancelled."""
    calendar = _with_calendar(world, chosen=True)
    for n in range(8):
        world.outlook_create(ALICE, calendar=calendar, subject=f"Meeting {n}")
    world.pull()
    world.graph("DELETE", ALICE, f"calendars/{calendar}")
    world.pull()
    world.pull()
    assert len(world.records()) == 8
    assert {world.link(one["id"]).state for one in world.records()} == {LinkState.SUSPENDED}
    assert world.account(ALICE).status == "connected"
    assert "cannot be read" in world.notes(ALICE)
    world.outlook_create(ALICE, subject="Goes on")
    world.pull()
    assert len(world.records()) == 9
    world.quiet()


def test_r12_a_main_calendar_that_is_deleted_asks_its_user(world: World) -> None:
    calendar = _with_calendar(world, chosen=False)
    _choose(world, main_calendar=calendar)
    record = world.save()
    world.settle()
    world.pull()
    world.graph("DELETE", ALICE, f"calendars/{calendar}")
    world.pull()
    assert world.account(ALICE).status == "needs_attention"
    assert "calendar" in world.account(ALICE).reason
    assert world.only_record()["id"] == record
    assert [user for user, _ in world.told] == [ALICE]
    _choose(world, main_calendar="")
    world.app.connections.resume(ALICE)
    world.save(name="New")
    world.settle()
    assert [e.subject for e in world.events(ALICE)] == ["New"]
    assert record in {one["id"] for one in world.records()}
    world.quiet()


@pytest.mark.parametrize("status", [404, 403])
def test_r12_a_share_that_is_taken_away_suspends_and_comes_back(world: World, status: int) -> None:
    world.switch(lost_share_status=status)
    shared = world.share(CAROL, ALICE)
    _choose(world, other_calendars=[shared])
    event = world.outlook_create(CAROL, subject="Team day")
    world.pull()
    record = world.only_record()["id"]
    world.share(CAROL, ALICE, "none")
    world.pull()
    assert world.only_record()["id"] == record
    assert world.link(record).state is LinkState.SUSPENDED
    assert world.account(ALICE).status == "connected"
    world.outlook_patch(CAROL, event, subject="Team week")
    world.change(record, description="Still ours")
    world.pull()
    assert world.event_at(CAROL, event).subject == "Team week"
    world.share(CAROL, ALICE, add=False)
    world.pull()
    world.pull()
    assert world.link(record).state is LinkState.ACTIVE
    assert world.only_record()["name"] == "Team week"
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize("status", [404, 403])
@pytest.mark.parametrize("origin", ["outlook", "crm"])
@pytest.mark.parametrize("cause", ["edit", "removal", "daily-look"])
def test_pain_13_what_lies_behind_a_lost_share_is_not_gone(
    world: World, status: int, origin: str, cause: str
) -> None:
    """Its events answer as if they were deleted, before anybody noticed that the share is lost."""
    world.switch(lost_share_status=status)
    choose(
        world.app.store,
        world.app.gateway,
        ALICE,
        {"remove_record_with_event": True, "remove_event_with_record": True},
    )
    shared = world.share(CAROL, ALICE)
    _choose(world, **({"other_calendars": [shared]} if origin == "outlook" else {"main_calendar": shared}))
    if origin == "outlook":
        world.outlook_create(CAROL, subject="Kick-off")
        world.pull()
        record = str(world.only_record()["id"])
    else:
        record = world.save()
        world.settle()
        world.pull()
    event = world.event(CAROL).id
    world.share(CAROL, ALICE, "none")
    if cause == "edit":
        world.change(record, name="Edited here")
    elif cause == "removal":
        world.remove(record)
    else:
        with world.app.store.save(None) as tx:
            tx.mark_events(world.account(ALICE).mailbox_id or 0, [world.link(record).copies[0].event_id])
    world.settle()
    world.pull()
    assert world.event_at(CAROL, event).subject == "Kick-off"
    assert len(world.records()) == (0 if cause == "removal" else 1)
    assert world.link(record).state is not LinkState.DETACHED
    world.share(CAROL, ALICE, add=False)
    if world.account(ALICE).status == "needs_attention":
        world.app.connections.resume(ALICE)
    world.pull()
    world.sweep()
    left = [e.subject for e in world.events(CAROL)]
    assert left == {"edit": ["Edited here"], "removal": [], "daily-look": ["Kick-off"]}[cause]
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize("status", [404, 403])
def test_r12_a_shared_main_calendar_that_is_taken_away_asks_its_user(world: World, status: int) -> None:
    world.switch(lost_share_status=status)
    shared = world.share(CAROL, ALICE)
    _choose(world, main_calendar=shared)
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.mails()
    world.share(CAROL, ALICE, "none")
    world.pull()
    assert world.account(ALICE).status == "needs_attention"
    assert world.only_record()["id"] == record
    assert world.event(CAROL).subject == "Kick-off"
    assert world.mails() == []
    world.share(CAROL, ALICE, add=False)
    world.app.connections.resume(ALICE)
    world.settle()
    world.pull()
    world.change(record, name="Renamed")
    world.settle()
    assert world.event(CAROL).subject == "Renamed"
    world.mails()
    world.quiet()
    assert world.mails() == []


def test_r12_a_share_that_may_only_be_read_refuses_what_the_record_changed(world: World) -> None:
    """What cannot be written stays as it is, is shown, and stops nothing else."""
    shared = world.share(CAROL, ALICE, "read")
    _choose(world, other_calendars=[shared])
    event = world.outlook_create(CAROL, subject="Team day")
    world.pull()
    record = world.only_record()["id"]
    world.change(record, name="Team week")
    world.outlook_create(ALICE, subject="Own")
    world.pull()
    assert world.event_at(CAROL, event).subject == "Team day"
    assert len(world.records()) == 2
    assert world.account(ALICE).status == "connected"
    world.outlook_patch(CAROL, event, subject="Team month")
    world.pull()
    assert world.event_at(CAROL, event).subject == "Team month"


# --- records that the CRM does not show


@pytest.mark.parametrize("struck_by", ["outlook", "crm"])
@pytest.mark.parametrize("back_by", ["outlook", "crm", "daily-look"])
def test_pain_13_a_record_that_is_refused_once_comes_back_with_the_next_change_of_either_side(
    world: World, struck_by: str, back_by: str
) -> None:
    """What the refused look was about comes across then."""
    event, record = _imported(world)
    world.crm_fails(method="GET", path=f"/Meeting/{record}", status=403, reason="No access to entity.")
    if struck_by == "outlook":
        world.outlook_patch(ALICE, event, subject="Missed")
    else:
        world.change(record, name="Missed")
    world.pull()
    assert world.link(record).state is LinkState.SUSPENDED
    if back_by == "outlook":
        world.outlook_patch(ALICE, event, showAs="tentative")
    elif back_by == "crm":
        world.change(record, status="Held")
    else:
        world.clock.advance(1.1 * DAY)
    world.pull()
    assert world.link(record).state is LinkState.ACTIVE
    assert world.only_record()["name"] == "Missed"
    assert world.event_at(ALICE, event).subject == "Missed"
    world.quiet()


# --- accounts that rest


REASONS = ["paused", "deactivated", "disconnected", "revoked-grant"]


def _rest(world: World, reason: str) -> None:
    if reason == "paused":
        world.app.connections.pause(ALICE)
    elif reason == "deactivated":
        world.plugins.hook.calsync_user_deactivated(user_id=ALICE)
    elif reason == "disconnected":
        world.app.connections.disconnect(ALICE)
    else:
        _grant(world, given=False)


def _wake(world: World, reason: str) -> None:
    if reason == "paused":
        world.app.connections.resume(ALICE)
    elif reason == "revoked-grant":
        _grant(world, given=True)
    else:
        world.connect(ALICE)
    world.settle()


def _grant(world: World, *, given: bool) -> None:
    """An administrator lets alice sync, or no longer."""
    if given:
        grants.grant(world.app.store, world.app.gateway, world.account(ALICE))
    else:
        grants.revoke(world.app.store, world.account(ALICE))
    world.settle()


@pytest.mark.parametrize("reason", REASONS)
def test_r12_an_account_that_rests_loses_nothing_and_compares_afterwards(world: World, reason: str) -> None:
    edited = world.outlook_create(ALICE, subject="Edited in Outlook")
    gone = world.outlook_create(ALICE, subject="Deleted in Outlook")
    world.outlook_create(ALICE, subject="Edited in the CRM")
    world.outlook_create(ALICE, subject="Left alone")
    world.pull()
    ids = {one["name"]: one["id"] for one in world.records()}
    _rest(world, reason)
    world.outlook_patch(ALICE, edited, subject="Edited in Outlook 2")
    world.outlook_delete(ALICE, gone)
    world.outlook_create(ALICE, subject="New in Outlook")
    world.change(ids["Edited in the CRM"], name="Edited in the CRM 2")
    with world.writes() as seen:
        world.settle()
        world.sweep()
    assert seen == []
    assert set(ids.values()) == {one["id"] for one in world.records()}
    _wake(world, reason)
    world.pull(ALICE)
    assert sorted(one["name"] for one in world.records()) == [
        "Edited in Outlook 2",
        "Edited in the CRM 2",
        "Left alone",
        "New in Outlook",
    ]
    assert sorted(e.subject for e in world.events(ALICE)) == [
        "Edited in Outlook 2",
        "Edited in the CRM 2",
        "Left alone",
        "New in Outlook",
    ]
    assert {world.link(one["id"]).state for one in world.records()} == {LinkState.ACTIVE}
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize("reason", REASONS)
def test_r12_what_both_sides_lost_while_an_account_rested(world: World, reason: str) -> None:
    _, record = _imported(world)
    _rest(world, reason)
    world.discard(ALICE)
    world.remove(record)
    world.settle()
    _wake(world, reason)
    world.pull(ALICE)
    assert world.records() == []
    assert world.app.store.links.by_records([("Meeting", record)]) == {}
    world.quiet()


def test_pain_13_a_record_that_the_crm_hides_is_not_touched_and_hides_nothing_in_outlook(
    world: World,
) -> None:
    event, record = _imported(world, attendees=["bob@example.com"])
    world.mails()
    role = world.crm.store.tables["Role"].rows["5f0000000000b0001"]
    full = role["data"]
    world.crm.store.change("Role", role["id"], {"data": {**full, "Meeting": {"read": "no"}}})
    world.outlook_patch(ALICE, event, subject="Edited meanwhile")
    world.mails()
    world.pull()
    assert world.event_at(ALICE, event).subject == "Edited meanwhile"
    assert world.link(record).state in {LinkState.SUSPENDED, LinkState.ACTIVE}
    world.crm.store.change("Role", role["id"], {"data": full})
    for user in (ALICE, BOB):
        if world.account(user).status == "needs_attention":
            world.app.connections.resume(user)
    world.plugins.hook.calsync_entity_updated(entity_type="Meeting", record={"id": record}, changed=None)
    world.settle()
    world.pull()
    world.pull()
    assert world.only_record()["id"] == record
    assert world.record(record)["name"] == "Edited meanwhile"
    world.quiet()
    assert world.mails() == []


def test_r12_a_kind_that_is_no_longer_chosen_is_suspended_on_the_way_in_too(world: World) -> None:
    world.outlook_create(ALICE, subject="C: Ring Dave")
    world.pull()
    call = world.only_record("Call")["id"]
    entities = world.account(ALICE).settings["entities"]
    assert isinstance(entities, list)
    _choose(world, entities=[one for one in entities if one["entity_type"] != "Call"])
    world.edit(ALICE, subject="C: Ring Dave later")
    world.pull()
    assert world.record(call, "Call")["name"] == "Ring Dave"
    assert world.link(call, "Call").state is LinkState.SUSPENDED
    world.quiet()
    _choose(world, entities=entities)
    world.pull()
    assert world.record(call, "Call")["name"] == "Ring Dave later"
    assert world.link(call, "Call").state is LinkState.ACTIVE
    world.quiet()


def test_r12_the_other_invited_user_goes_on_while_the_homes_account_rests(world: World) -> None:
    """Alice's mailbox was the home of an outside meeting; she is gone, bob is not."""
    theirs = world.invite_from_outside(ALICE, BOB, subject="Roadmap")
    world.pull()
    record = world.only_record()["id"]
    world.mails()
    home = world.link(record).home
    assert home is not None
    first = ALICE if home.mailbox_id == world.account(ALICE).mailbox_id else BOB
    world.app.connections.disconnect(first)
    world.outside_patch(theirs, subject="Roadmap 2027")
    world.mails()
    world.pull()
    assert len(world.records()) == 1
    world.connect(first)
    world.pull()
    world.pull()
    assert world.only_record()["name"] == "Roadmap 2027"
    world.quiet()
    assert world.mails() == []


def test_r12_a_window_that_shrinks_and_grows_deletes_nothing(make_world: MakeWorld) -> None:
    world = make_world()
    world.connect(ALICE)
    world.outlook_create(ALICE, subject="Soon")
    world.outlook_create(ALICE, subject="Late", start="2027-08-02T10:00:00", end="2027-08-02T11:00:00")
    world.pull()
    _choose(world, months_ahead=3)
    world.pull()
    assert sorted(one["name"] for one in world.records()) == ["Late", "Soon"]
    world.outlook_patch(ALICE, world.event_of(ALICE, "Late").id, subject="Late, edited")
    _choose(world, months_ahead=12)
    world.pull()
    assert sorted(one["name"] for one in world.records()) == ["Late, edited", "Soon"]
    _choose(world, sync_since="2026-12-20")
    world.pull()
    assert len(world.records()) == 2
    world.quiet()


def test_r17_the_window_moves_on_and_deletes_nothing(make_world: MakeWorld) -> None:
    """A year later what is past is still there, and what came into the window was imported once."""
    world = make_world()
    world.connect(ALICE)
    world.outlook_create(ALICE, subject="Soon")
    world.outlook_create(ALICE, subject="Far", start="2028-03-02T10:00:00", end="2028-03-02T11:00:00")
    world.pull()
    assert [one["name"] for one in world.records()] == ["Soon"]
    for _ in range(12):
        world.clock.advance(31 * 86_400)
        world.pull()
    assert [one["name"] for one in world.records()] == ["Soon", "Far"]
    assert {world.link(one["id"]).state for one in world.records()} == {LinkState.ACTIVE}
    world.quiet()
