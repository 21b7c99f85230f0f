"""Who is authoritative: the home copy, outside organizers, organizers who are not connected or come later."""

from __future__ import annotations

import pytest

from calsync_plugin.domain.links import CopyPurpose, LinkState, Origin, Role
from tests.flows.conftest import MakeWorld
from tests.outlook_side import EVE
from tests.world import ALICE, BOB, CAROL, DAVE, World

KINDS = [pytest.param("Meeting", "", id="Meeting"), pytest.param("Call", "C: ", id="Call")]
KINDS += [pytest.param("Visit", "V: ", id="Visit")]


def _status(world: World, record_id: str, user_id: str, entity_type: str = "Meeting") -> str | None:
    """What a user answered, as the CRM has it."""
    status = world.record(record_id, entity_type)["usersColumns"][user_id]["status"]
    return str(status) if status is not None else None


def _of_carol(world: World, *attendees: str) -> str:
    """A meeting that carol, who is not connected, organizes; returns its id in her mailbox."""
    return world.outlook_create(CAROL, subject="Planning", attendees=list(attendees))


# --- an organizer elsewhere


@pytest.mark.parametrize(("kind", "label"), KINDS)
def test_authority_an_outside_organizers_meeting_comes_in_once(world: World, kind: str, label: str) -> None:
    world.invite_from_outside(ALICE, BOB, subject=f"{label}Roadmap")
    world.mails()
    world.pull(ALICE)
    world.pull(BOB)
    record = world.only_record(kind)
    assert (record["name"], record["assignedUserId"]) == ("Roadmap", ALICE)
    assert set(record["usersIds"]) == {ALICE, BOB}
    link = world.link(record["id"], kind)
    assert (link.role, link.origin, len(link.copies)) == (Role.ATTENDEE, Origin.OUTLOOK, 2)
    world.quiet()
    assert world.mails() == []


def test_authority_the_crm_edit_of_an_outside_meeting_is_kept_shown_and_never_sent(world: World) -> None:
    theirs = world.invite_from_outside(ALICE, subject="Roadmap")
    world.pull()
    record = world.only_record()["id"]
    world.mails()
    with world.writes() as seen:
        world.change(record, name="Roadmap, my words")
        world.settle()
    assert [one for one in seen if "/api/" not in one] == []
    assert world.record(record)["name"] == "Roadmap, my words"
    assert world.event(ALICE).subject == "Roadmap"
    assert world.notes(ALICE).count("organised by Eve, not sent") == 1
    assert world.link(record).state is LinkState.ACTIVE
    world.quiet()
    # An update that does not touch the field leaves the edit alone ...
    world.outside_patch(theirs, location="Room 9", body="New words")
    world.pull()
    assert world.record(record)["name"] == "Roadmap, my words"
    assert "New words" in world.record(record)["description"]
    # ... one that does overwrites it, and both values are kept.
    world.outside_patch(theirs, subject="Roadmap 2027")
    world.pull()
    assert world.record(record)["name"] == "Roadmap 2027"
    (clash,) = world.app.store.log.clashes(ALICE)
    assert (clash.crm, clash.outlook, clash.winner) == ("Roadmap, my words", "Roadmap 2027", "outlook")
    world.quiet()
    assert world.mails() == []


def test_authority_moving_an_outside_meeting_in_the_crm_sends_nothing(world: World) -> None:
    """What annoys most: a customer's meeting that the CRM moves, or whose customer it uninvites."""
    world.choose(ALICE, push_contacts=True)
    world.invite_from_outside(ALICE, subject="Roadmap", attendees=["dave@contoso.example"])
    world.pull()
    record = world.only_record()["id"]
    assert world.record(record)["contactsIds"] == [DAVE]
    world.mails()
    world.change(record, dateStart="2026-12-03 10:00:00", dateEnd="2026-12-03 11:00:00", contactsIds=[])
    world.settle()
    assert world.event(ALICE).start == "2026-12-02T10:00:00"
    assert "dave@contoso.example" in world.event(ALICE).attendees
    world.quiet()
    assert world.record(record)["dateStart"] == "2026-12-03 10:00:00"
    assert world.mails() == []


def test_authority_deleting_the_record_of_an_outside_meeting_detaches(world: World) -> None:
    theirs = world.invite_from_outside(ALICE, BOB, subject="Roadmap")
    world.pull()
    record = world.only_record()["id"]
    world.choose(ALICE, remove_event_with_record=True)
    world.mails()
    world.remove(record)
    world.settle()
    assert [e.subject for e in (*world.events(ALICE), *world.events(BOB))] == ["Roadmap", "Roadmap"]
    assert world.link(record).state is LinkState.DETACHED
    world.outside_patch(theirs, subject="Roadmap 2027")
    world.pull()
    assert world.records() == []
    world.quiet()
    assert world.mails() == []


def test_authority_reassigning_an_outside_meeting_changes_only_its_owner(world: World) -> None:
    theirs = world.invite_from_outside(ALICE, subject="Roadmap")
    world.pull()
    record = world.only_record()["id"]
    world.mails()
    world.reassign(record, BOB, stays=True)
    world.settle()
    assert world.events(BOB) == []
    world.outside_patch(theirs, subject="Roadmap 2027")
    world.pull()
    assert (world.record(record)["name"], world.record(record)["assignedUserId"]) == ("Roadmap 2027", BOB)
    world.quiet()
    assert world.mails() == []


def test_authority_the_organizer_elsewhere_is_a_contact_of_the_crm(world: World) -> None:
    """A customer's invitation: the customer is on the record, and is never invited back."""
    world.choose(ALICE, push_contacts=True)
    world.invite_from_outside(ALICE, organizer="dave@contoso.example", subject="Demo")
    world.mails()
    world.pull()
    record = world.only_record()
    assert record["assignedUserId"] == ALICE
    world.change(record["id"], description="Bring the laptop")
    world.settle()
    world.quiet()
    assert world.mails() == []


def test_authority_a_user_added_to_the_record_of_an_outside_meeting_is_not_invited(world: World) -> None:
    world.invite_from_outside(ALICE, subject="Roadmap")
    world.pull()
    record = world.only_record()["id"]
    world.mails()
    world.change(record, usersIds=[ALICE, BOB])
    world.settle()
    assert world.events(BOB) == []
    assert set(world.record(record)["usersIds"]) == {ALICE, BOB}
    world.quiet()
    assert set(world.record(record)["usersIds"]) == {ALICE, BOB}
    assert world.mails() == []


# --- cancelled by the organizer


@pytest.mark.parametrize(("kind", "label"), KINDS)
def test_r05_a_meeting_that_was_called_off_ahead_is_not_held_and_detached(
    world: World, kind: str, label: str
) -> None:
    theirs = world.invite_from_outside(ALICE, BOB, subject=f"{label}Roadmap")
    world.pull()
    record = world.only_record(kind)["id"]
    world.mails()
    world.outside_cancel(theirs)
    world.mails()
    world.pull()
    assert world.record(record, kind)["status"] == "Not Held"
    assert world.record(record, kind)["name"] == "Roadmap"
    assert world.link(record, kind).state is LinkState.DETACHED
    world.quiet()
    assert world.mails() == []


def test_r05_a_past_meeting_that_was_called_off_stays_as_it_is(world: World) -> None:
    theirs = world.invite_from_outside(ALICE, subject="Roadmap")
    world.pull()
    record = world.only_record()["id"]
    world.change(record, status="Held")
    world.settle()
    world.clock.advance(10 * 86_400)
    world.outside_cancel(theirs)
    world.pull()
    assert world.record(record)["status"] == "Held"
    assert world.record(record)["name"] == "Roadmap"
    world.quiet()


def test_r05_a_meeting_that_was_called_off_before_it_was_seen_gives_no_record(world: World) -> None:
    theirs = world.invite_from_outside(ALICE, BOB, subject="Roadmap")
    world.outside_cancel(theirs)
    world.pull()
    assert world.records() == []
    world.quiet()


def test_r05_called_off_while_the_record_was_edited(world: World) -> None:
    theirs = world.invite_from_outside(ALICE, subject="Roadmap")
    world.pull()
    record = world.only_record()["id"]
    world.change(record, description="My preparation")
    world.outside_cancel(theirs)
    world.pull()
    assert world.record(record)["status"] == "Not Held"
    assert world.record(record)["description"] == "My preparation"


def test_r05_a_connected_organizer_who_cancels_removes_the_record_that_outlook_bore(world: World) -> None:
    """A cancellation by the organizer's own mailbox is a deletion there: rule R10."""
    event = world.outlook_create(ALICE, subject="Planning", attendees=["bob@example.com"])
    world.pull()
    record = world.only_record()["id"]
    world.outlook_cancel(ALICE, event)
    world.mails()
    world.pull()
    assert world.records() == []
    assert world.app.store.links.by_records([("Meeting", record)]) == {}
    world.quiet()
    assert world.mails() == []


# --- an organizer of the CRM who is not connected


@pytest.mark.parametrize("order", [(ALICE, BOB), (BOB, ALICE)], ids=["alice-first", "bob-first"])
def test_authority_a_colleague_without_connection_organizes_one_record_of_hers(
    world: World, order: tuple[str, str]
) -> None:
    _of_carol(world, "alice@example.com", "bob@example.com")
    world.mails()
    world.pull(order[0])
    world.pull(order[1])
    record = world.only_record()
    assert record["assignedUserId"] == CAROL
    assert set(record["usersIds"]) == {ALICE, BOB, CAROL}
    link = world.link(record["id"])
    assert (link.role, len(link.copies)) == (Role.ATTENDEE, 2)
    world.quiet()
    assert world.mails() == []


def test_authority_a_colleague_without_connection_is_followed_through_the_invited_ones(world: World) -> None:
    event = _of_carol(world, "alice@example.com", "bob@example.com")
    world.pull()
    record = world.only_record()["id"]
    world.outlook_patch(CAROL, event, subject="Planning 2")
    world.mails()
    world.pull()
    assert world.record(record)["name"] == "Planning 2"
    world.outlook_cancel(CAROL, event)
    world.mails()
    world.pull()
    assert world.record(record)["status"] == "Not Held"
    world.quiet()
    assert world.mails() == []


def test_authority_an_organizer_who_connects_later_becomes_the_home(world: World) -> None:
    event = _of_carol(world, "alice@example.com", "bob@example.com")
    world.pull()
    record = world.only_record()["id"]
    world.mails()
    world.connect(CAROL)
    world.settle()
    world.pull()
    assert world.only_record()["id"] == record
    link = world.link(record)
    assert link.role is Role.ORGANIZER
    assert link.home is not None
    assert (link.home.mailbox_id, link.home.event_id) == (world.account(CAROL).mailbox_id, event)
    assert sorted(c.purpose for c in link.copies) == [
        CopyPurpose.ATTENDEE,
        CopyPurpose.ATTENDEE,
        CopyPurpose.HOME,
    ]
    world.quiet()
    assert world.mails() == []
    world.change(record, name="Planning, now ours")
    world.settle()
    assert world.event(CAROL).subject == world.event(ALICE).subject == "Planning, now ours"
    world.mails()
    world.quiet()
    assert world.mails() == []


def test_authority_an_organizer_who_connects_later_overwrites_what_was_never_sent(world: World) -> None:
    """R8: what was edited before the organizer connected goes to nobody without a confirmation."""
    _of_carol(world, "alice@example.com")
    world.pull()
    record = world.only_record()["id"]
    world.change(record, name="My words")
    world.settle()
    world.mails()
    world.clock.advance(60)
    world.connect(CAROL)
    world.settle()
    world.pull()
    assert world.event(CAROL).subject == "Planning"
    assert world.mails() == []
    world.quiet()
    assert world.mails() == []


# --- a connected organizer


@pytest.mark.parametrize("order", [(ALICE, BOB), (BOB, ALICE)], ids=["organizer-first", "attendee-first"])
@pytest.mark.parametrize(("kind", "label"), KINDS)
def test_authority_a_connected_organizers_mailbox_is_the_home_whoever_is_read_first(
    world: World, order: tuple[str, str], kind: str, label: str
) -> None:
    event = world.outlook_create(ALICE, subject=f"{label}Planning", attendees=["bob@example.com"])
    world.mails()
    world.pull(order[0])
    world.pull(order[1])
    record = world.only_record(kind)
    assert (record["name"], record["assignedUserId"]) == ("Planning", ALICE)
    link = world.link(record["id"], kind)
    assert link.home is not None
    assert (link.role, link.home.event_id) == (Role.ORGANIZER, event)
    world.quiet()
    assert world.mails() == []


def test_authority_an_organizer_whose_account_is_paused_is_not_waited_for_for_ever(world: World) -> None:
    world.outlook_create(ALICE, subject="Planning", attendees=["bob@example.com"])
    world.app.connections.pause(ALICE)
    world.pull(BOB)
    record = world.only_record()
    assert record["assignedUserId"] == ALICE
    assert world.link(record["id"]).role is Role.ATTENDEE
    world.app.connections.resume(ALICE)
    world.mails()
    world.settle()
    world.pull()
    assert world.only_record()["id"] == record["id"]
    assert world.link(record["id"]).role is Role.ORGANIZER
    world.quiet()
    assert world.mails() == []


def test_authority_an_organizer_who_only_takes_from_the_crm_gives_through_the_invited_one(
    world: World,
) -> None:
    """Alice's mode keeps her meetings out of the CRM; bob's brings what he is invited to."""
    world.choose(ALICE, mode="crm_to_outlook")
    event = world.outlook_create(ALICE, subject="Planning", attendees=["bob@example.com"])
    world.mails()
    world.pull()
    record = world.only_record()
    assert (record["name"], record["assignedUserId"]) == ("Planning", ALICE)
    world.outlook_patch(ALICE, event, subject="Planning 2")
    world.mails()
    world.pull()
    assert world.only_record()["name"] == "Planning 2"
    world.change(record["id"], name="The CRM's words")
    world.settle()
    assert world.event(BOB).subject == "Planning 2"
    world.quiet()
    assert world.mails() == []
    world.outlook_cancel(ALICE, event)
    world.mails()
    world.pull()
    assert world.record(record["id"])["status"] == "Not Held"
    world.quiet()
    assert world.mails() == []


def test_authority_the_record_of_a_connected_organizer_is_not_doubled_by_the_push(world: World) -> None:
    """The record was born in the CRM; bob's mailbox is read while alice's create is not yet known."""
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.mails()
    world.pull(BOB)
    world.pull(ALICE)
    assert world.only_record()["id"] == record
    assert len(world.link(record).copies) == 2
    world.quiet()
    assert world.mails() == []


# --- an Outlook-born meeting and its owner in the CRM


@pytest.mark.parametrize("stays", [False, True], ids=["alice-leaves", "alice-stays"])
def test_authority_a_changed_assignee_of_an_outlook_born_meeting_invites_and_uninvites_nobody(
    world: World, stays: bool
) -> None:
    world.outlook_create(ALICE, subject="Planning", attendees=["dave@contoso.example"])
    world.pull()
    record = world.only_record()["id"]
    world.mails()
    world.reassign(record, BOB, stays=stays)
    world.settle()
    assert world.events(BOB) == []
    assert world.event(ALICE).attendees == {"dave@contoso.example"}
    world.quiet()
    assert world.record(record)["assignedUserId"] == BOB
    assert world.mails() == []


def test_authority_a_changed_assignee_who_is_invited_already_changes_nothing_else(world: World) -> None:
    world.outlook_create(ALICE, subject="Planning", attendees=["bob@example.com"])
    world.pull()
    record = world.only_record()["id"]
    world.mails()
    world.reassign(record, BOB, stays=True)
    world.settle()
    assert world.event(ALICE).attendees == {"bob@example.com"}
    world.edit(ALICE, subject="Planning 2")
    world.mails()
    world.pull()
    assert (world.record(record)["name"], world.record(record)["assignedUserId"]) == ("Planning 2", BOB)
    assert set(world.record(record)["usersIds"]) == {ALICE, BOB}
    world.quiet()
    assert world.mails() == []


def test_authority_an_invited_user_edits_the_record_and_the_organizers_copy_is_written(world: World) -> None:
    event = world.outlook_create(ALICE, subject="Planning", attendees=["bob@example.com"])
    world.pull()
    record = world.only_record()["id"]
    world.mails()
    world.change(record, name="Bob's words")
    world.settle()
    assert world.event_at(ALICE, event).subject == world.event(BOB).subject == "Bob's words"
    assert world.mails() == [("update", "bob@example.com")]
    world.quiet()
    assert world.mails() == []


# --- an attendee's copy


def test_authority_an_attendee_who_edits_the_own_copy_changes_nothing(world: World) -> None:
    world.outlook_create(ALICE, subject="Planning", attendees=["bob@example.com"])
    world.pull()
    record = world.only_record()["id"]
    world.mails()
    world.edit(BOB, subject="What bob calls it", showAs="free")
    world.pull()
    assert world.record(record)["name"] == "Planning"
    assert world.event(ALICE).subject == "Planning"
    assert world.event(BOB).subject == "What bob calls it"
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize("gone", [404, 200])
def test_r03_pain_11_the_home_copy_of_an_outside_meeting_is_deleted_and_another_user_still_has_it(
    world: World, gone: int
) -> None:
    world.switch(deleted_by_immutable_id=gone)
    theirs = world.invite_from_outside(ALICE, BOB, subject="Roadmap")
    world.pull()
    record = world.only_record()["id"]
    home = world.link(record).home
    assert home is not None
    first, other = (ALICE, BOB) if home.mailbox_id == world.account(ALICE).mailbox_id else (BOB, ALICE)
    world.mails()
    world.discard(first)
    world.pull()
    assert world.only_record()["id"] == record
    link = world.link(record)
    assert link.state is LinkState.ACTIVE
    assert link.home is not None
    assert link.home.mailbox_id == world.account(other).mailbox_id
    world.outside_patch(
        theirs, subject="Roadmap 2027", start="2026-12-04T10:00:00", end="2026-12-04T11:00:00"
    )
    world.mails()
    world.pull()
    assert world.record(record)["name"] == "Roadmap 2027"
    assert world.record(record)["dateStart"] == "2026-12-04 10:00:00"
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize("gone", [404, 200])
def test_r03_the_only_copy_of_an_outside_meeting_is_deleted(world: World, gone: int) -> None:
    """Who takes an invitation out of the own calendar declines; the meeting goes on, the record stays."""
    world.switch(deleted_by_immutable_id=gone)
    world.invite_from_outside(ALICE, subject="Roadmap")
    world.pull()
    record = world.only_record()["id"]
    world.mails()
    world.discard(ALICE)
    world.pull()
    assert world.only_record()["id"] == record
    assert _status(world, record, ALICE) == "Declined"
    assert world.link(record).state is LinkState.DETACHED
    world.quiet()
    assert world.mails() == []


def test_r03_all_copies_of_an_outside_meeting_are_deleted_at_once(world: World) -> None:
    world.invite_from_outside(ALICE, BOB, subject="Roadmap")
    world.pull()
    record = world.only_record()["id"]
    world.mails()
    world.discard(ALICE)
    world.discard(BOB)
    world.pull()
    world.pull()
    assert world.only_record()["id"] == record
    assert world.link(record).state is LinkState.DETACHED
    world.quiet()
    assert world.mails() == []


# --- shared calendars


def test_r18_a_shared_main_calendar_is_polled_and_its_owner_organizes(make_world: MakeWorld) -> None:
    world = make_world(notifications=True)
    world.connect(ALICE)
    shared = world.share(CAROL, ALICE)
    world.choose(ALICE, main_calendar=shared)
    world.pull()
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    event = world.event(CAROL)
    assert (event.subject, event.isOrganizer) == ("Kick-off", True)
    assert event.organizer["emailAddress"]["address"] == "carol@example.com"
    world.mails()
    # No notification tells of it: the next look does.
    world.edit(CAROL, subject="Renamed by carol")
    world.settle()
    world.mails()
    assert world.record(record)["name"] == "Kick-off"
    world.pull()
    assert world.record(record)["name"] == "Renamed by carol"
    world.change(record, name="And by the CRM")
    world.settle()
    assert world.event(CAROL).subject == "And by the CRM"
    world.mails()
    world.quiet()
    assert world.mails() == []


def test_r18_a_shared_main_calendar_brings_its_events(world: World) -> None:
    shared = world.share(CAROL, ALICE)
    world.choose(ALICE, main_calendar=shared)
    world.outlook_create(CAROL, subject="Team day")
    world.pull()
    record = world.only_record()
    assert record["name"] == "Team day"
    assert world.link(record["id"]).role is Role.ORGANIZER
    world.change(record["id"], name="Team week")
    world.settle()
    assert world.event(CAROL).subject == "Team week"
    world.quiet()
    assert world.mails() == []


def test_r18_a_shared_calendar_that_two_users_read_gives_one_record(world: World) -> None:
    for user in (ALICE, BOB):
        world.choose(user, other_calendars=[world.share(CAROL, user)])
    world.pull()
    world.outlook_create(CAROL, subject="Team day")
    world.pull()
    record = world.only_record()
    assert record["name"] == "Team day"
    world.quiet()
    assert world.mails() == []


def test_r18_a_meeting_in_a_shared_calendar_and_in_the_own_one_is_one(world: World) -> None:
    """Carol shares her calendar with alice, and invites alice: two events in one mailbox, one meeting."""
    shared = world.share(CAROL, ALICE)
    world.choose(ALICE, other_calendars=[shared])
    world.pull()
    event = _of_carol(world, "alice@example.com")
    world.mails()
    world.pull()
    record = world.only_record()
    assert record["name"] == "Planning"
    world.quiet()
    world.outlook_patch(CAROL, event, subject="Planning 2")
    world.mails()
    world.pull()
    assert world.only_record()["name"] == "Planning 2"
    world.quiet()
    assert world.mails() == []


def test_authority_an_unknown_organizer_is_not_an_inactive_user_of_the_crm(world: World) -> None:
    """Carol has left: her meeting belongs to whoever was invited and is read first."""
    world.crm.store.change("User", CAROL, {"isActive": False})
    _of_carol(world, "alice@example.com")
    world.pull()
    assert world.only_record()["assignedUserId"] == ALICE
    world.quiet()


def test_authority_forwarded_to_a_colleague_it_stays_one_record(world: World) -> None:
    theirs = world.invite_from_outside(ALICE, subject="Roadmap")
    world.pull()
    record = world.only_record()["id"]
    world.forward(ALICE, world.event(ALICE).id, "bob@example.com")
    world.mails()
    world.pull()
    assert world.only_record()["id"] == record
    world.outside_patch(theirs, subject="Roadmap 2027")
    world.mails()
    world.pull()
    assert world.only_record()["name"] == "Roadmap 2027"
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize("organizer", [EVE, "EVE@PARTNER.EXAMPLE"], ids=["as-written", "other-case"])
def test_authority_the_note_names_who_organizes(world: World, organizer: str) -> None:
    world.invite_from_outside(ALICE, organizer=organizer, subject="Roadmap")
    world.pull()
    record = world.only_record()["id"]
    world.change(record, name="Mine")
    world.settle()
    assert "organised by Eve, not sent" in world.notes(ALICE)


def test_authority_an_edit_that_was_never_sent_survives_the_loss_of_the_home_copy(world: World) -> None:
    theirs = world.invite_from_outside(ALICE, BOB, subject="Roadmap")
    world.pull()
    record = world.only_record()["id"]
    world.change(record, name="My words")
    world.settle()
    first = ALICE if _is_home(world, record, ALICE) else BOB
    world.discard(first)
    world.mails()
    world.pull()
    assert world.record(record)["name"] == "My words"
    assert _is_home(world, record, BOB if first == ALICE else ALICE)
    world.outside_patch(theirs, body="Agenda")
    world.pull()
    assert world.record(record)["name"] == "My words"
    assert "Agenda" in world.record(record)["description"]
    world.outside_patch(theirs, subject="Roadmap 2027")
    world.pull()
    assert world.record(record)["name"] == "Roadmap 2027"
    world.quiet()
    assert [m for m in world.mails() if m[0] != "update"] == []


def test_authority_what_the_heir_was_told_before_it_became_the_home_is_not_lost(world: World) -> None:
    theirs = world.invite_from_outside(ALICE, BOB, subject="Roadmap")
    world.pull()
    record = world.only_record()["id"]
    first = ALICE if _is_home(world, record, ALICE) else BOB
    other = BOB if first == ALICE else ALICE
    world.outside_patch(theirs, subject="Roadmap 2027")
    world.pull(other)
    assert world.record(record)["name"] == "Roadmap"
    world.discard(first)
    world.pull(first)
    assert world.record(record)["name"] == "Roadmap 2027"
    world.quiet()


def test_authority_an_edit_that_was_never_sent_goes_out_once_its_organizer_is_back(world: World) -> None:
    """Alice was only paused: what her colleagues wrote meanwhile is hers to send, like any edit of hers."""
    event = world.outlook_create(ALICE, subject="Planning", attendees=["bob@example.com"])
    world.app.connections.pause(ALICE)
    world.pull(BOB)
    record = world.only_record()["id"]
    world.change(record, name="Better words")
    world.settle()
    assert world.event_at(ALICE, event).subject == "Planning"
    world.app.connections.resume(ALICE)
    world.mails()
    world.settle()
    world.pull()
    assert world.event_at(ALICE, event).subject == "Better words"
    assert world.mails() == [("update", "bob@example.com")]
    world.quiet()
    assert world.mails() == []


def _is_home(world: World, record_id: str, user_id: str) -> bool:
    home = world.link(record_id).home
    return home is not None and home.mailbox_id == world.account(user_id).mailbox_id
