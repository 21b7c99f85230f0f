"""R9 and R10: one side is gone. Only a confirmed removal removes anything; nothing is recreated by itself."""

from __future__ import annotations

from typing import Any

import pytest

from calsync_plugin.domain.links import Link
from tests.world import ALICE, BOB, World

Switches = dict[str, Any]

DELETED_SWITCHES = [
    pytest.param({"deleted_by_immutable_id": 404}, id="404"),
    pytest.param({"deleted_by_immutable_id": 200}, id="200-from-Deleted-Items"),
    pytest.param({"deleted_by_immutable_id": 404, "enforce_if_match": False}, id="404-no-If-Match"),
    pytest.param({"deleted_by_immutable_id": 200, "enforce_if_match": False}, id="200-no-If-Match"),
]


def _links(world: World, record: str) -> dict[tuple[str, str], Link]:
    return world.app.store.links.by_records([("Meeting", record)])


def test_r09_a_record_deleted_in_the_crm_cancels_its_event(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.mails()
    world.remove(record)
    world.settle()
    assert world.events(ALICE) == []
    assert world.mails() == [("cancellation", "bob@example.com")]
    assert _links(world, record) == {}


def test_r09_what_was_deleted_is_kept_in_the_journal(world: World) -> None:
    record = world.save(description="Worth keeping")
    world.settle()
    world.remove(record)
    world.settle()
    (entry,) = world.app.store.log.journal(user_id=ALICE)
    assert "Worth keeping" in entry.content


def test_r09_deleted_before_it_was_ever_pushed(world: World) -> None:
    world.remove(world.save())
    world.settle()
    assert world.events(ALICE) == []


def test_r09_a_deletion_that_is_only_said_deletes_nothing(world: World) -> None:
    record = world.save()
    world.settle()
    world.plugins.hook.calsync_entity_deleted(entity_type="Meeting", record_id=record)
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"


def test_pain_12_a_crm_that_cannot_say_whether_it_is_gone_deletes_nothing(world: World) -> None:
    record = world.save()
    world.settle()
    world.crm_fails(path=f"Meeting/{record}", status=404, times=3)
    world.plugins.hook.calsync_entity_deleted(entity_type="Meeting", record_id=record)
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"


def test_r09_restored_in_the_crm_before_the_run(world: World) -> None:
    record = world.save()
    world.settle()
    world.remove(record)
    world.crm.store.change("Meeting", record, {"deleted": False})
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"


@pytest.mark.parametrize("switches", DELETED_SWITCHES)
def test_r09_deleted_on_both_sides_mails_nobody_again(world: World, switches: Switches) -> None:
    world.switch(**switches)
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.discard(ALICE)
    world.mails()
    world.remove(record)
    world.settle()
    assert world.events(ALICE) == []
    assert world.mails() == []
    assert _links(world, record) == {}


def test_r09_edited_in_outlook_and_deleted_in_the_crm_stays(world: World) -> None:
    record = world.save()
    world.settle()
    world.edit(ALICE, subject="Mine now")
    world.remove(record)
    world.settle()
    assert world.event(ALICE).subject == "Mine now"
    assert world.link(record).state == "detached"


@pytest.mark.parametrize("switches", DELETED_SWITCHES)
def test_r10_deleted_in_outlook_then_changed_in_the_crm_is_detached(world: World, switches: Switches) -> None:
    world.switch(**switches)
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.discard(ALICE)
    world.mails()
    world.change(record, name="Renamed")
    world.settle()
    assert world.events(ALICE) == []
    assert world.mails() == []
    assert world.link(record).state == "detached"
    assert "removed in Outlook" in world.notes(ALICE)
    assert world.record(record)["deleted"] is False


@pytest.mark.parametrize("switches", DELETED_SWITCHES)
def test_r10_an_appointment_deleted_in_outlook_is_never_recreated(world: World, switches: Switches) -> None:
    world.switch(**switches)
    record = world.save()
    world.settle()
    world.discard(ALICE)
    for number in range(3):
        world.change(record, name=f"Name {number}")
        world.settle()
    assert world.events(ALICE) == []
    if switches["deleted_by_immutable_id"] == 404:
        assert world.link(record).state == "detached"


def test_r10_a_detached_record_stays_detached_whatever_happens(world: World) -> None:
    record = world.save()
    world.settle()
    world.discard(ALICE)
    world.change(record, name="Renamed")
    world.settle()
    world.reassign(record, BOB)
    world.sweep()
    world.remove(record)
    with world.watched() as sent:
        world.settle()
    assert (world.events(ALICE), world.events(BOB)) == ([], [])
    assert sent == []


def test_r10_a_record_that_the_user_wants_removed_with_its_event_is_removed(world: World) -> None:
    world.choose(ALICE, remove_record_with_event=True)
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.discard(ALICE)
    world.plugins.hook.calsync_entity_updated(entity_type="Meeting", record={"id": record}, changed=[])
    world.settle()
    assert world.record(record)["deleted"] is False  # nobody looked: nothing of it had changed
    world.change(record, name="Renamed")
    world.settle()
    assert world.record(record)["deleted"] is False
    assert world.link(record).state == "detached"


@pytest.mark.parametrize("status", [400, 409])
def test_pain_01_a_key_that_was_used_for_a_removed_event_recreates_nothing(world: World, status: int) -> None:
    """The create's answer is lost, and the user deletes the event before calsync looks it up."""
    world.switch(duplicate_transaction_status=status)
    world.fail(match={"method": "POST", "path": "events"}, drop_after_commit=True, times=1)
    world.fail(match={"method": "GET", "path": "singleValue"}, status=503, times=8)
    record = world.save()
    world.drain()
    world.discard(ALICE)
    world.settle()
    assert world.events(ALICE) == []
    assert world.link(record).state == "detached"
