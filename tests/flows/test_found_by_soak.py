"""What the random histories of `tests/soak` found, each reduced to a few steps."""

from __future__ import annotations

from typing import Any

import pytest

from calsync_plugin.domain.links import CopyState
from calsync_plugin.engine.saver import pause_after
from calsync_plugin.state import AccountStatus
from tests.world import ADDRESS, ALICE, BOB, DAVE, World


@pytest.mark.parametrize("status", [400, 404, 409, 412, 423])
def test_a_crm_that_refuses_to_look_people_up_is_asked_again(
    world: World, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    world.outlook_create(ALICE, subject="Visit", attendees=["zoe@far.example"])
    world.crm_fails(method="GET", path="/Lead", status=status, reason="")
    world.pull()
    assert world.records() == []
    world.clock.advance(60)
    world.pull()
    assert world.only_record()["name"] == "Visit"
    assert "unexpectedly" not in caplog.text


@pytest.mark.parametrize("status", [400, 401, 409])
def test_a_crm_that_refuses_to_say_whose_a_record_is_is_asked_again(
    world: World, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    record = world.api("POST", "Meeting", json={"name": "Review", "assignedUserId": ALICE, **HOUR})
    world.crm_fails(method="GET", path="/Meeting", status=status, reason="Refused")
    world.plugins.hook.calsync_entity_updated(entity_type="Meeting", record={"id": record["id"]}, changed=[])
    world.settle()
    assert world.event(ALICE).subject == "Review"
    assert world.events(BOB) == []
    assert "unexpectedly" not in caplog.text


def test_r02_who_was_invited_in_outlook_meanwhile_may_be_the_new_organizer(world: World) -> None:
    record = world.save(assignedUserId=BOB)
    world.settle()
    world.edit(BOB, attendees=["alice@example.com", "erin@contoso.example"])
    world.mails()
    world.reassign(record, ALICE)
    world.settle()
    mine = world.event_of(ALICE, "Kick-off")
    assert (mine.isOrganizer, mine.attendees) == (True, {"erin@contoso.example"})
    assert ("invitation", "erin@contoso.example") in world.mails()
    world.quiet()


@pytest.mark.parametrize("by", ["crm", "outlook"])
def test_r02_customers_who_are_invited_stay_so_whatever_the_new_owner_chose(world: World, by: str) -> None:
    world.choose(ALICE, push_contacts=True)
    record = world.save(contactsIds=[DAVE] if by == "crm" else [])
    world.settle()
    if by == "outlook":
        world.edit(ALICE, attendees=["dave@contoso.example"])
        world.pull()
    world.mails()
    world.reassign(record, BOB)
    world.settle()
    assert world.event(BOB).attendees == {"dave@contoso.example"}
    assert sorted(world.mails()) == [
        ("cancellation", "dave@contoso.example"),
        ("invitation", "dave@contoso.example"),
    ]
    world.quiet()


def test_r03_somebody_elses_meeting_that_was_removed_on_both_sides_does_not_come_in_again(
    world: World,
) -> None:
    """Alice is away; bob takes her invitation out of his calendar, and its record is removed in the CRM."""
    world.app.connections.pause(ALICE)
    world.outlook_create(ALICE, subject="Planning", attendees=["bob@example.com"])
    world.pull(BOB)
    record = world.only_record()["id"]
    world.remove(record)
    world.discard(BOB)
    world.pull(BOB)
    world.app.connections.resume(ALICE)
    world.pull()
    assert world.records() == []
    world.quiet()


def test_a_login_service_that_does_not_describe_itself_is_asked_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.clock.advance(7200)
    world.open()
    world.fail(match={"path": "openid-configuration"}, status=404, times=1)
    world.outlook_create(ALICE, subject="Visit")
    world.pull(ALICE)
    assert world.records() == []
    assert "does not describe itself" in world.account(ALICE).last_error
    assert world.account(ALICE).status == "connected"
    world.clock.advance(10)
    world.pull(ALICE)
    assert world.only_record()["name"] == "Visit"
    assert "unexpectedly" not in caplog.text


@pytest.mark.parametrize(
    "fields", [{"start": "2026-12-02T10:00:00", "end": "2026-12-02T11:00:00"}, {"subject": "New"}]
)
@pytest.mark.parametrize("others", [0, 3])
def test_r03_who_is_invited_anew_after_deleting_the_invitation_has_not_answered(
    world: World, fields: dict[str, str], others: int
) -> None:
    """The organizer's change brings the invitation back; both are read at once, in either order."""
    record = world.save(usersIds=[ALICE, BOB])
    for number in range(others):
        world.outlook_create(BOB, subject=f"Own {number}")
    world.pull()
    world.outlook_delete(BOB, world.event_of(BOB, "Kick-off").id)
    world.outlook_patch(ALICE, world.event(ALICE).id, **fields)
    world.mails()
    world.pull()
    assert world.mails() == []
    assert len(world.events(BOB)) == 1 + others
    assert world.record(record)["usersColumns"][BOB]["status"] == "None"
    world.quiet()


@pytest.mark.parametrize("mode", ["both", "crm_to_outlook"])
def test_an_invitation_whose_create_is_not_yet_known_to_have_worked_becomes_no_record_of_its_own(
    world: World, mode: str
) -> None:
    """Outlook created alice's event and its answer was lost; whoever is invited sees it first."""
    world.choose(ALICE, mode=mode)
    world.settle()
    world.fail(
        match={"method": "POST", "path": "events", "mailbox": ADDRESS[ALICE]}, drop_after_commit=True, times=1
    )
    world.fail(match={"path": "filter=singleValue|delta", "mailbox": ADDRESS[ALICE]}, status=503)
    world.save(usersIds=[ALICE, BOB])
    for _ in range(10):
        world.app.store.queue.hint(world.account(BOB).mailbox_id or 0)
        world.drain()
        world.clock.advance(60)
    world.outlook.faults.replace([])
    world.pull()
    assert world.only_record()["name"] == "Kick-off"
    assert (len(world.events(ALICE)), len(world.events(BOB))) == (1, 1)
    world.quiet()


def test_r02_whoever_takes_a_meeting_over_is_not_to_blame_for_the_former_owners_login(world: World) -> None:
    record = world.save(assignedUserId=BOB)
    world.settle()
    world.clock.advance(7200)
    world.outlook.logins.revoke(ADDRESS[BOB])
    world.reassign(record, ALICE)
    world.pull()
    assert world.account(ALICE).status == "connected"
    assert world.event_of(ALICE, "Kick-off").isOrganizer


def test_an_invitation_by_somebody_who_has_to_log_in_again_is_believed(world: World) -> None:
    world.choose(ALICE, mode="crm_to_outlook")
    world.settle()
    world.clock.advance(7200)
    world.outlook.logins.revoke(ADDRESS[ALICE])
    for subject in ("Planning", "Review"):
        world.outlook_create(ALICE, subject=subject, attendees=["bob@example.com"])
    for _ in range(6):
        world.app.store.queue.hint(world.account(BOB).mailbox_id or 0)
        world.drain()
        world.clock.advance(60)
    assert world.account(BOB).status == "connected"
    assert [record["assignedUserId"] for record in world.records()] == [ALICE, ALICE]


def test_r09_a_record_removed_before_its_create_was_looked_up_takes_the_event_along(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The create's answer was lost, and its user had to log in again before anybody could look."""
    world.fail(match={"method": "POST", "path": "events"}, drop_after_commit=True, times=1)
    world.fail(match={"path": "filter=singleValue"}, status=503)
    record = world.save()
    world.drain()
    assert len(world.events(ALICE)) == 1
    world.app.store.accounts.set_status(ALICE, AccountStatus.RECONNECT, "signed out")
    world.remove(record)
    world.outlook.faults.replace([])
    world.connect(ALICE)
    assert world.events(ALICE) == []
    assert "unexpectedly" not in caplog.text
    world.quiet()


@pytest.mark.parametrize("came", [True, False], ids=["an event came of it", "nothing came of it"])
def test_r09_a_record_removed_while_its_event_moves_takes_the_former_event_along(
    world: World, came: bool
) -> None:
    """What became of the create in the new owner's calendar only that mailbox's run can tell."""
    record = world.save(assignedUserId=ALICE)
    world.settle()
    lost: dict[str, Any] = {"drop_after_commit": True} if came else {"status": 503}
    world.fail(match={"method": "POST", "path": "events", "mailbox": ADDRESS[BOB]}, **lost)
    world.fail(match={"path": "filter=singleValue", "mailbox": ADDRESS[BOB]}, status=503)
    world.reassign(record, BOB)
    world.drain()
    home = world.link(record).home
    assert home is not None
    assert (home.state, len(world.events(ALICE)), len(world.events(BOB))) == (CopyState.INTENDED, 1, came)
    world.remove(record)
    world.outlook.faults.replace([])
    # Its deletion is not known to have worked either.
    world.fail(match={"method": "DELETE", "mailbox": ADDRESS[BOB]}, drop_after_commit=True, times=1)
    world.settle()
    assert (world.events(ALICE), world.events(BOB)) == ([], [])
    world.outlook.faults.replace([])
    world.quiet()


@pytest.mark.parametrize(
    ("handed", "seconds"), [(1, 0.0), (6, 0.0), (7, 1.0), (8, 2.0), (10, 8.0), (40, 600.0)]
)
def test_what_mailboxes_hand_to_each_other_waits_longer_each_time(handed: int, seconds: float) -> None:
    assert pause_after(handed) == seconds


HOUR = {"dateStart": "2026-12-01 10:00:00", "dateEnd": "2026-12-01 11:00:00"}


@pytest.mark.parametrize("first", [ALICE, BOB], ids=["new-assignee-first", "former-one-first"])
def test_a_move_whose_create_was_only_found_is_one_meeting_to_the_former_assignee(
    world: World, first: str
) -> None:
    """The create's answer was lost; whom the new event invites is the one who organized the former."""
    record = world.save(assignedUserId=BOB, usersIds=[BOB])
    world.settle()
    world.pull()
    world.fail(match={"mailbox": ADDRESS[ALICE], "method": "^POST$"}, times=1, truncate_body=True)
    world.reassign(record, ALICE, stays=True)
    world.settle()
    world.pull(first)
    world.pull()
    assert world.only_record()["id"] == record
    link = world.link(record)
    assert {copy.mailbox_id for copy in link.copies} == {
        world.account(user).mailbox_id for user in (ALICE, BOB)
    }
    assert (len(world.events(ALICE)), len(world.events(BOB))) == (1, 1)
    world.mails()
    world.quiet()
    assert world.mails() == []
