"""R19, R20, R22: what becomes of meetings when accounts end, come back, or change mailbox or mind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from calsync_plugin.accounts.backfill import Backfill
from calsync_plugin.accounts.choices import choose
from calsync_plugin.accounts.moved import confirm_copy, confirm_moved
from calsync_plugin.accounts.reset import reset
from calsync_plugin.domain.links import LinkState, Role
from calsync_plugin.graph.calendar import MARKER
from calsync_plugin.state import AccountStatus
from tests.flows.conftest import MakeWorld
from tests.world import ALICE, BOB, CAROL, World

DAY = 86_400


def _both_born(world: World) -> tuple[str, str]:
    """A meeting of each side with bob invited, in step; the ids of their records."""
    ours = world.save(name="From the CRM", usersIds=[ALICE, BOB])
    world.settle()
    world.outlook_create(ALICE, subject="From Outlook", attendees=["bob@example.com"])
    world.pull()
    world.mails()
    (theirs,) = [one["id"] for one in world.records() if one["id"] != ours]
    return ours, str(theirs)


def _names(world: World) -> list[str]:
    return sorted(one["name"] for one in world.records())


def _subjects(world: World, user_id: str = ALICE) -> list[str]:
    return sorted(event.subject for event in world.events(user_id))


# --- disconnect and connect again


def test_r19_a_disconnect_deletes_nothing_and_reads_nothing_any_more(world: World) -> None:
    ours, theirs = _both_born(world)
    mailbox_id = world.account(ALICE).mailbox_id or 0
    choose(world.app.store, world.app.gateway, ALICE, {"other_calendars": [world.calendar(ALICE, "More")]})
    world.settle()
    world.app.connections.disconnect(ALICE)
    assert world.app.store.tokens.load(ALICE) is None
    assert world.app.store.cursors.for_mailbox(mailbox_id) == []
    assert world.app.store.subscriptions.for_mailbox(mailbox_id) == []
    assert "other_calendars" not in world.account(ALICE).settings
    assert {world.link(one).state for one in (ours, theirs)} == {LinkState.SUSPENDED}
    world.outlook_create(ALICE, subject="After that")
    world.change(theirs, name="Renamed after that")
    world.outlook.log.clear()
    world.settle()
    world.sweep()
    assert [e for e in world.outlook.log.as_json()["requests"] if e["mailbox"] == "alice@example.com"] == []
    assert _names(world) == ["From the CRM", "Renamed after that"]
    assert _subjects(world) == ["After that", "From Outlook", "From the CRM"]
    assert world.mails() == []


@pytest.mark.parametrize("days", [0, 1, 30], ids=["at-once", "next-day", "a-month-later"])
def test_r19_connected_again_everything_is_linked_again_and_nothing_doubled(world: World, days: int) -> None:
    ours, theirs = _both_born(world)
    before = {one: world.link(one).id for one in (ours, theirs)}
    world.app.connections.disconnect(ALICE)
    world.clock.advance(days * DAY + 60)
    world.connect(ALICE)
    world.pull()
    assert {one: world.link(one).id for one in (ours, theirs)} == before
    assert {world.link(one).state for one in (ours, theirs)} == {LinkState.ACTIVE}
    assert _names(world) == _subjects(world) == ["From Outlook", "From the CRM"]
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize("days", [0.01, 6])
@pytest.mark.parametrize("swept", [False, True], ids=["reported-only", "swept-too"])
def test_r19_what_was_saved_while_the_account_was_off_goes_out_when_it_is_back(
    world: World, days: float, swept: bool
) -> None:
    before = world.save(name="Of before", usersIds=[ALICE, BOB])
    world.settle()
    world.app.connections.disconnect(ALICE)
    world.clock.advance(60)
    later = {"dateStart": "2026-12-10 10:00:00", "dateEnd": "2026-12-10 11:00:00"}
    fresh = world.save(name="New", usersIds=[ALICE, BOB], **later)
    given = world.save(name="Given", assignedUserId=CAROL, usersIds=[CAROL], **later)
    world.change(given, assignedUserId=ALICE)
    world.change(before, name="Edited")
    world.settle()
    world.clock.advance(days * DAY)
    if swept:
        world.sweep()
    world.mails()
    world.connect(ALICE)
    world.pull()
    assert _subjects(world) == ["Edited", "Given", "New"]
    assert sorted(world.mails()) == [
        ("invitation", "bob@example.com"),
        ("invitation", "carol@example.com"),
        ("update", "bob@example.com"),
    ]
    assert world.link(fresh).role is Role.ORGANIZER
    world.quiet()
    assert world.mails() == []


def test_r19_after_a_long_absence_nothing_that_lay_still_is_sent(world: World) -> None:
    """A month of edits in the CRM goes to no customer before a person has seen what would go."""
    ours, theirs = _both_born(world)
    later = {"dateStart": "2027-02-01 10:00:00", "dateEnd": "2027-02-01 11:00:00"}
    world.change(ours, **later)
    world.settle()
    world.app.connections.disconnect(ALICE)
    world.change(ours, name="From the CRM, edited long ago")
    world.save(name="Written long ago", usersIds=[ALICE, BOB], **later)
    world.outlook_patch(ALICE, world.event_of(ALICE, "From Outlook").id, subject="From Outlook, edited")
    world.mails()
    world.clock.advance(30 * DAY)
    world.connect(ALICE)
    world.pull()
    assert world.record(theirs)["name"] == "From Outlook, edited"
    assert _subjects(world) == ["From Outlook, edited", "From the CRM"]
    assert world.mails() == []
    world.quiet()
    backfill = Backfill(world.app)
    preview = backfill.preview(ALICE)
    assert preview.mailed == ["bob@example.com"]
    backfill.confirm(preview)
    world.settle()
    assert _subjects(world) == ["From Outlook, edited", "From the CRM, edited long ago", "Written long ago"]
    world.mails()
    world.quiet()
    assert world.mails() == []


def test_r19_edited_on_both_sides_while_disconnected(world: World) -> None:
    ours, theirs = _both_born(world)
    world.app.connections.disconnect(ALICE)
    world.change(ours, name="From the CRM, by the CRM")
    world.outlook_patch(
        ALICE,
        world.event_of(ALICE, "From the CRM").id,
        start="2026-12-01T14:00:00",
        end="2026-12-01T15:00:00",
    )
    world.change(theirs, description="Not of Outlook's making")
    world.outlook_patch(ALICE, world.event_of(ALICE, "From Outlook").id, subject="From Outlook, by Outlook")
    world.mails()
    world.connect(ALICE)
    world.pull()
    assert _names(world) == _subjects(world) == ["From Outlook, by Outlook", "From the CRM, by the CRM"]
    assert world.record(ours)["dateStart"] == "2026-12-01 14:00:00"
    assert world.event_of(ALICE, "From the CRM, by the CRM").start == "2026-12-01T14:00:00"
    world.mails()
    world.quiet()
    assert world.mails() == []


def test_r19_a_user_who_is_invited_only_goes_and_comes_back(world: World) -> None:
    ours, theirs = _both_born(world)
    world.app.connections.disconnect(BOB)
    world.respond(BOB, world.event_of(BOB, "From Outlook").id, "accept")
    world.change(ours, name="From the CRM 2")
    world.settle()
    world.connect(BOB)
    world.pull()
    assert _names(world) == _subjects(world, BOB) == ["From Outlook", "From the CRM 2"]
    assert world.record(theirs)["usersColumns"][BOB]["status"] == "Accepted"
    world.mails()
    world.quiet()
    assert world.mails() == []


# --- another mailbox


def test_r19_another_mailbox_later_leaves_the_old_meetings_where_they_are(world: World) -> None:
    ours, theirs = _both_born(world)
    old = world.account(ALICE).mailbox_id
    world.outlook_create(CAROL, subject="Of the new mailbox")
    world.clock.advance(60)
    world.connect(ALICE, mailbox="carol@example.com")
    world.pull()
    assert {world.link(one).state for one in (ours, theirs)} == {LinkState.SUSPENDED}
    assert _names(world) == ["From Outlook", "From the CRM", "Of the new mailbox"]
    assert [e.subject for e in world.events(CAROL)] == ["Of the new mailbox"]
    world.change(ours, name="Edited")
    world.remove(theirs)
    world.save(name="New", usersIds=[ALICE, BOB])
    world.settle()
    assert _subjects(world) == ["From Outlook", "From the CRM"]
    assert _subjects(world, CAROL) == ["New", "Of the new mailbox"]
    assert world.mails() == [("invitation", "bob@example.com")]
    preview = Backfill(world.app).preview(ALICE)
    assert preview.former == 2
    assert any("mailbox that was connected before" in line for line in preview.warnings)
    world.quiet()
    # Back in the first one, everything is compared.
    world.connect(ALICE)
    world.pull()
    assert world.account(ALICE).mailbox_id == old
    assert world.link(ours).state is LinkState.ACTIVE
    world.mails()
    world.quiet()
    assert world.mails() == []


def test_r19_another_mailbox_that_holds_copies_of_the_same_meetings(world: World) -> None:
    """Alice moved to a new mailbox whose administrator copied her calendar: the same meetings, other ids."""
    ours = world.save(name="From the CRM")
    world.settle()
    world.outlook_create(
        CAROL, subject="From the CRM", start="2026-12-01T10:00:00", end="2026-12-01T11:00:00"
    )
    world.clock.advance(60)
    world.connect(ALICE, mailbox="carol@example.com")
    world.pull()
    assert len(world.events(CAROL)) == 1
    assert len(world.events(ALICE)) == 1
    assert ours in {one["id"] for one in world.records()}
    world.quiet()
    assert world.mails() == []


# --- reconnect


def test_r20_tokens_that_are_no_longer_accepted_ask_the_user_once_and_keep_the_work(world: World) -> None:
    ours, theirs = _both_born(world)
    world.outlook_patch(ALICE, world.event_of(ALICE, "From Outlook").id, subject="From Outlook, edited")
    world.revoke(ALICE)
    world.clock.advance(4000)
    world.change(ours, name="Edited meanwhile")
    world.mails()
    world.pull(ALICE)
    assert world.account(ALICE).status is AccountStatus.RECONNECT
    assert [user for user, _ in world.told] == [ALICE]
    world.outlook.log.clear()
    for _ in range(3):
        world.clock.advance(3600)
        world.pull(ALICE)
        world.sweep()
    assert [user for user, _ in world.told] == [ALICE]
    assert [e for e in world.outlook.log.as_json()["requests"] if e["mailbox"] == "alice@example.com"] == []
    assert world.record(theirs)["name"] == "From Outlook"
    world.permit(ALICE)
    world.connect(ALICE)
    world.pull()
    assert _names(world) == _subjects(world) == ["Edited meanwhile", "From Outlook, edited"]
    assert world.mails() == [("update", "bob@example.com")]
    world.quiet()
    assert world.mails() == []


def test_r20_one_account_that_needs_its_user_stops_nobody_else(world: World) -> None:
    world.revoke(ALICE)
    world.clock.advance(4000)
    world.invite_from_outside(ALICE, BOB, subject="Roadmap")
    world.pull()
    assert world.account(ALICE).status is AccountStatus.RECONNECT
    assert world.account(BOB).status is AccountStatus.CONNECTED
    assert world.only_record()["name"] == "Roadmap"
    world.permit(ALICE)
    world.connect(ALICE)
    world.pull()
    assert world.only_record()["name"] == "Roadmap"
    world.quiet()


def test_r20_a_guest_whose_organizer_has_to_log_in_again(world: World) -> None:
    """Bob's copy stands for it until alice is back; then hers does."""
    world.outlook_create(ALICE, subject="Planning", attendees=["bob@example.com"])
    world.revoke(ALICE)
    world.clock.advance(4000)
    world.pull()
    world.pull(BOB)
    record = world.only_record()
    assert record["assignedUserId"] == ALICE
    world.permit(ALICE)
    world.connect(ALICE)
    world.pull()
    world.mails()
    assert world.only_record()["id"] == record["id"]
    home = world.link(record["id"]).home
    assert home is not None
    assert home.mailbox_id == world.account(ALICE).mailbox_id
    world.quiet()
    assert world.mails() == []


# --- reset


@pytest.mark.parametrize("mode", ["both", "outlook_to_crm", "crm_to_outlook"])
def test_r19_a_reset_links_what_is_there_and_writes_nothing(world: World, mode: str) -> None:
    ours, theirs = _both_born(world)
    choose(world.app.store, world.app.gateway, ALICE, {"mode": mode})
    world.settle()
    before = {one: world.link(one).id for one in (ours, theirs)}
    with world.writes() as seen:
        reset(world.app.store, world.app.gateway, world.app.open_mailbox, world.account(ALICE))
        world.settle()
        world.pull()
    assert seen == []
    assert {one: world.link(one).id for one in (ours, theirs)} == before
    assert {world.link(one).state for one in (ours, theirs)} == {LinkState.ACTIVE}
    world.quiet()
    assert world.mails() == []


def test_r19_after_a_reset_a_difference_comes_in_and_does_not_go_out(world: World) -> None:
    """Nobody knows who edited; the CRM follows Outlook, and customers hear nothing."""
    ours, theirs = _both_born(world)
    world.app.connections.pause(ALICE)
    world.outlook_patch(ALICE, world.event_of(ALICE, "From Outlook").id, subject="From Outlook, edited")
    world.change(ours, name="From the CRM, edited")
    world.mails()
    world.clock.advance(60)
    world.app.connections.resume(ALICE)
    reset(world.app.store, world.app.gateway, world.app.open_mailbox, world.account(ALICE))
    world.settle()
    world.pull()
    assert world.record(theirs)["name"] == "From Outlook, edited"
    assert world.mails() == []
    world.quiet()
    assert world.mails() == []


def test_r19_a_reset_finds_what_was_deleted_and_deletes_only_by_the_rules(world: World) -> None:
    ours, theirs = _both_born(world)
    world.app.connections.pause(ALICE)
    for event in world.events(ALICE):
        world.outlook_delete(ALICE, event.id)
    world.mails()
    world.app.connections.resume(ALICE)
    reset(world.app.store, world.app.gateway, world.app.open_mailbox, world.account(ALICE))
    world.settle()
    world.pull()
    # What the records looked like before is not known any more: nothing is removed by itself.
    assert _names(world) == ["From Outlook", "From the CRM"]
    assert {world.link(one).state for one in (ours, theirs)} == {LinkState.DETACHED}
    world.quiet()
    assert world.mails() == []


# --- another mind


SWITCHES = [
    ("both", "outlook_to_crm"),
    ("both", "crm_to_outlook"),
    ("outlook_to_crm", "both"),
    ("outlook_to_crm", "crm_to_outlook"),
    ("crm_to_outlook", "both"),
    ("crm_to_outlook", "outlook_to_crm"),
]


@pytest.mark.parametrize(("before", "after"), SWITCHES)
def test_r08_another_mode_writes_nothing_by_itself(world: World, before: str, after: str) -> None:
    ours, theirs = _both_born(world)
    choose(world.app.store, world.app.gateway, ALICE, {"mode": before})
    world.settle()
    world.pull()
    # Each side was edited where the mode does not carry it.
    world.change(theirs, description="Only in the CRM")
    world.outlook_patch(ALICE, world.event_of(ALICE, "From the CRM").id, categories=["Red"])
    world.settle()
    world.pull()
    world.mails()
    world.clock.advance(60)
    with world.writes() as seen:
        choose(world.app.store, world.app.gateway, ALICE, {"mode": after})
        world.settle()
        world.pull()
    assert seen == []
    assert world.mails() == []
    assert "direction was changed" in world.notes(ALICE)
    world.quiet()
    assert {world.link(one).state for one in (ours, theirs)} == {LinkState.ACTIVE}


@pytest.mark.parametrize(("before", "after"), SWITCHES)
def test_r08_after_another_mode_edits_go_as_it_says(world: World, before: str, after: str) -> None:
    ours, _ = _both_born(world)
    choose(world.app.store, world.app.gateway, ALICE, {"mode": before})
    world.settle()
    world.clock.advance(60)
    choose(world.app.store, world.app.gateway, ALICE, {"mode": after})
    world.settle()
    world.pull()
    world.change(ours, name="Edited in the CRM")
    world.settle()
    there = "Edited in the CRM" if after != "outlook_to_crm" else "From the CRM"
    event = world.event_of(ALICE, there)
    world.outlook_patch(ALICE, event.id, start="2026-12-01T16:00:00", end="2026-12-01T17:00:00")
    world.pull()
    moved = world.record(ours)["dateStart"] == "2026-12-01 16:00:00"
    assert moved is (after != "crm_to_outlook")
    world.mails()
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"clash": "outlook"}, id="who-wins"),
        pytest.param({"remove_record_with_event": True}, id="removals"),
        pytest.param({"private_events": "full"}, id="private"),
        pytest.param({"description_both_ways": True}, id="descriptions"),
        pytest.param({"push_contacts": True}, id="contacts"),
        pytest.param({"create_contacts": True}, id="new-contacts"),
        pytest.param({"recurring": "first"}, id="series"),
        pytest.param({"months_ahead": 24}, id="further"),
        pytest.param({"sync_since": "2026-01-01"}, id="earlier"),
        pytest.param({"default_entity": "Call"}, id="default-kind"),
    ],
)
def test_r08_a_setting_that_changes_writes_nothing_by_itself(world: World, changes: dict[str, Any]) -> None:
    _both_born(world)
    world.clock.advance(60)
    with world.writes() as seen:
        choose(world.app.store, world.app.gateway, ALICE, changes)
        world.settle()
        world.pull()
    assert seen == []
    world.quiet()
    assert world.mails() == []


# --- a moved installation


def test_r22_a_moved_installation_reads_nothing_until_somebody_says_so(world: World) -> None:
    _, theirs = _both_born(world)
    world.settings = replace(
        world.settings, serve=replace(world.settings.serve, public_url="http://127.0.0.1:9")
    )
    world.open()
    event = world.event_of(ALICE, "From Outlook").id
    world.outlook_patch(ALICE, event, subject="From Outlook, edited")
    world.outlook_create(ALICE, subject="New")
    world.mails()
    with world.watched() as sent:
        world.pull()
        world.sweep()
    assert sent == []
    assert _names(world) == ["From Outlook", "From the CRM"]
    confirm_moved(world.app.store, public_url=world.settings.serve.public_url, crm_url=world.settings.crm.url)
    world.settle()
    assert world.record(theirs)["name"] == "From Outlook, edited"
    assert _names(world) == ["From Outlook, edited", "From the CRM", "New"]
    world.quiet()
    assert world.mails() == []


def test_r22_a_copy_of_an_installation_reads_nothing_either(world: World) -> None:
    _both_born(world)
    world.settings = replace(
        world.settings, serve=replace(world.settings.serve, public_url="http://127.0.0.1:9")
    )
    world.open()
    confirm_copy(world.app.store, public_url=world.settings.serve.public_url, crm_url=world.settings.crm.url)
    world.outlook_create(ALICE, subject="New")
    for event in world.events(BOB):
        world.outlook_delete(BOB, event.id)
    with world.watched() as sent:
        world.pull()
        world.sweep()
    assert sent == []
    assert _names(world) == ["From Outlook", "From the CRM"]


def test_r22_a_clone_of_the_crm_with_the_same_mailbox_doubles_nothing(make_world: MakeWorld) -> None:
    """Another calsync ran against this mailbox before: its markers say nothing here."""
    world = make_world()
    record = world.save()
    world.outlook_create(
        ALICE,
        subject="Kick-off",
        start="2026-12-01T10:00:00",
        end="2026-12-01T11:00:00",
        singleValueExtendedProperties=[{"id": MARKER, "value": "another:00000000-0000-0000-0000"}],
    )
    world.settle()
    world.clock.advance(60)
    world.connect(ALICE)
    assert world.only_record()["id"] == record
    assert len(world.events(ALICE)) == 1
    world.quiet()
