"""R2: a reassigned record moves: created and confirmed with the new assignee, then deleted at the old one."""

from __future__ import annotations

import pytest

from calsync_plugin.accounts.left_behind import LeftBehind, left_behind
from calsync_plugin.domain.links import CopyPurpose
from tests.world import ALICE, BOB, CAROL, World


def _moved(world: World) -> None:
    assert world.events(ALICE) == []
    assert world.event(BOB).isOrganizer is True


def test_r02_reassigned_to_bob(world: World) -> None:
    record = world.save()
    world.settle()
    world.reassign(record, BOB)
    world.settle()
    _moved(world)
    assert world.mails() == []


def test_r02_created_with_the_new_assignee_before_it_is_deleted_at_the_old_one(world: World) -> None:
    record = world.save()
    world.settle()
    world.reassign(record, BOB)
    world.fail(match={"method": "POST", "path": "events", "mailbox": "bob@example.com"}, status=503, times=4)
    world.outlook.log.clear()
    world.settle()
    _moved(world)
    writes = [
        (e["mailbox"].partition("@")[0], e["method"], e["status"])
        for e in world.outlook.log.as_json()["requests"]
        if e["method"] in {"POST", "DELETE"} and "$batch" not in e["path"]
    ]
    assert writes[-2:] == [("bob", "POST", 201), ("alice", "DELETE", 204)]


def test_r02_the_attending_new_assignee_keeps_one_event_and_the_old_one_is_invited(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.mails()
    world.change(record, assignedUserId=BOB, usersIds=[ALICE, BOB])
    world.settle()
    own = [e for e in world.events(BOB) if not e.isCancelled]
    assert [e.isOrganizer for e in own] == [True]
    assert own[0].attendees == {"alice@example.com"}
    assert [e.isOrganizer for e in world.events(ALICE)] == [False]
    assert world.mails() == [("invitation", "alice@example.com"), ("cancellation", "bob@example.com")]


def test_r02_the_former_assignee_who_still_attends_is_invited(world: World) -> None:
    record = world.save()
    world.settle()
    world.reassign(record, BOB, stays=True)
    world.settle()
    assert world.event(BOB).attendees == {"alice@example.com"}
    assert world.event(ALICE).isOrganizer is False
    assert world.mails() == [("invitation", "alice@example.com")]


def test_r02_alice_bob_alice_before_any_run_changes_nothing(world: World) -> None:
    record = world.save()
    world.settle()
    before = world.event(ALICE)
    world.reassign(record, BOB)
    world.reassign(record, ALICE)
    with world.watched() as sent:
        world.settle()
    assert world.event(ALICE).id == before.id
    assert world.events(BOB) == []
    assert "POST" not in sent
    assert "DELETE" not in sent


def test_r02_alice_bob_alice_with_runs_between_leaves_one_event(world: World) -> None:
    record = world.save()
    world.settle()
    for user in (BOB, ALICE, BOB, ALICE):
        world.reassign(record, user)
        world.settle()
    assert world.event(ALICE).subject == "Kick-off"
    assert world.events(BOB) == []


def test_r02_reassigned_before_the_first_run_creates_it_once(world: World) -> None:
    record = world.save()
    world.reassign(record, BOB)
    world.settle()
    _moved(world)


def test_r02_to_a_user_who_does_not_sync_removes_the_event_and_says_so(world: World) -> None:
    record = world.save()
    world.settle()
    world.reassign(record, CAROL)
    world.settle()
    assert world.events(ALICE) == []
    assert "does not sync" in world.notes(ALICE)
    world.reassign(record, ALICE)
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"


@pytest.mark.parametrize("state", ["reconnect", "paused"])
def test_r02_stays_with_alice_while_bob_is_not_ready(world: World, state: str) -> None:
    record = world.save()
    world.settle()
    if state == "paused":
        world.app.connections.pause(BOB)
    else:
        world.revoke(BOB)
        world.save(name="Something else", assignedUserId=BOB)
        world.settle()
        assert world.account(BOB).status == "reconnect"
    world.reassign(record, BOB)
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"
    if state == "paused":
        world.app.connections.resume(BOB)
    else:
        world.permit(BOB)
        world.connect(BOB)
    world.settle()
    assert world.events(ALICE) == []
    assert "Kick-off" in {e.subject for e in world.events(BOB)}


def test_r02_edited_while_it_waits_for_bob_goes_on_with_alice(world: World) -> None:
    record = world.save()
    world.settle()
    world.app.connections.pause(BOB)
    world.reassign(record, BOB)
    world.settle()
    world.app.connections.resume(BOB)
    world.reassign(record, ALICE)
    world.change(record, name="Stays")
    world.settle()
    assert world.event(ALICE).subject == "Stays"
    assert world.events(BOB) == []


def test_r02_of_an_account_that_is_off_is_left_behind_and_listed(world: World) -> None:
    record = world.save()
    world.settle()
    world.app.connections.disconnect(ALICE)
    world.reassign(record, BOB)
    world.settle()
    assert world.event(BOB).subject == "Kick-off"
    assert world.event(ALICE).subject == "Kick-off"
    assert list(left_behind(world.app.store, world.account(ALICE))) == [
        LeftBehind("Meeting", record, world.event(ALICE).id)
    ]
    assert list(left_behind(world.app.store, world.account(BOB))) == []
    assert "left behind" in world.notes(BOB)


def test_r02_what_was_left_behind_goes_when_the_account_is_connected_again(world: World) -> None:
    record = world.save()
    world.settle()
    world.app.connections.disconnect(ALICE)
    world.reassign(record, BOB)
    world.settle()
    world.connect(ALICE)
    world.settle()
    _moved(world)
    assert [c.purpose for c in world.link(record).copies] == [CopyPurpose.HOME]


def test_r02_deleted_while_reassigned(world: World) -> None:
    record = world.save()
    world.settle()
    world.reassign(record, BOB)
    world.remove(record)
    world.settle()
    assert (world.events(ALICE), world.events(BOB)) == ([], [])
    assert world.app.store.links.by_records([("Meeting", record)]) == {}


def test_r02_deleted_between_create_and_delete(world: World) -> None:
    record = world.save()
    world.settle()
    world.app.connections.pause(ALICE)
    world.reassign(record, BOB)
    world.settle()
    assert len(world.events(ALICE)) == len(world.events(BOB)) == 1
    world.remove(record)
    world.settle()
    world.app.connections.resume(ALICE)
    world.settle()
    assert (world.events(ALICE), world.events(BOB)) == ([], [])
    assert world.app.store.links.by_records([("Meeting", record)]) == {}


def test_r02_edited_in_outlook_while_reassigned_moves_the_edit_along(world: World) -> None:
    record = world.save(entity_type="Visit", location="Room 1")
    world.settle()
    world.edit(ALICE, location={"displayName": "Room 2"})
    world.reassign(record, BOB, "Visit")
    world.settle()
    assert world.events(ALICE) == []
    assert world.event(BOB).location["displayName"] == "Room 2"
    assert world.record(record, "Visit")["location"] == "Room 2"


def test_r02_deleted_in_outlook_while_reassigned_is_not_recreated(world: World) -> None:
    record = world.save()
    world.settle()
    world.discard(ALICE)
    world.reassign(record, BOB)
    world.settle()
    assert (world.events(ALICE), world.events(BOB)) == ([], [])
    assert world.link(record).state == "detached"


def test_r02_the_last_assignee_of_a_chain_has_it(world: World) -> None:
    world.connect(CAROL)
    record = world.save()
    world.settle()
    world.reassign(record, BOB)
    world.reassign(record, CAROL)
    world.settle()
    assert world.event(CAROL).subject == "Kick-off"
    assert (world.events(ALICE), world.events(BOB)) == ([], [])


def test_r02_a_moved_meeting_that_is_over_mails_nobody(world: World) -> None:
    record = world.save(
        usersIds=[ALICE, CAROL], dateStart="2026-11-23 10:00:00", dateEnd="2026-11-23 11:00:00"
    )
    world.settle()
    world.mails()
    world.clock.advance(7200)
    world.reassign(record, BOB)
    world.settle()
    assert world.mails() == []
    assert world.event(ALICE).subject == "Kick-off"
