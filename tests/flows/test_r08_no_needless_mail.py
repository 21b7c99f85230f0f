"""R8: only what changed is sent, nobody is mailed without reason, nothing old is pushed unasked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import ALICE, BOB, CAROL, DAVE, World


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"name": "Kick-off"}, id="the-same-name"),
        pytest.param({"name": "  Kick-off "}, id="blanks-around"),
        pytest.param({"description": "Text\r\n"}, id="line-ends"),
        pytest.param(
            {"dateStart": "2026-12-01 10:00:00", "dateEnd": "2026-12-01 11:00:00"}, id="the-same-times"
        ),
        pytest.param({"usersIds": [BOB, ALICE]}, id="another-order"),
        pytest.param({"status": "Held"}, id="status"),
        pytest.param({"parentType": "Account", "parentId": "5f0000000000d1001"}, id="what-is-not-carried"),
        pytest.param({"reminders": [{"type": "Popup", "seconds": 60}]}, id="own-reminders"),
    ],
)
def test_pain_05_a_save_that_changes_nothing_sends_nothing(world: World, attributes: dict[str, Any]) -> None:
    record = world.save(usersIds=[ALICE, BOB], description="Text")
    world.settle()
    world.mails()
    world.change(record, **attributes)
    with world.watched() as sent:
        world.settle()
    assert sent == []
    assert world.mails() == []


def test_pain_05_the_same_hook_many_times_is_one_event_and_one_mail(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    hook = world.plugins.hook
    whole = world.record(record)
    for _ in range(5):
        hook.calsync_entity_updated(entity_type="Meeting", record=whole, changed=None)
        hook.calsync_entity_reassigned(entity_type="Meeting", record=whole, previous_user_id=BOB)
        hook.calsync_attendance_changed(entity_type="Meeting", record_id=record)
        hook.calsync_entity_created(entity_type="Meeting", record=whole)
        hook.calsync_entity_deleted(entity_type="Meeting", record_id=record)
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"
    assert world.mails() == [("invitation", "bob@example.com")]
    hook.calsync_entity_created(entity_type="Meeting", record=whole)
    with world.watched() as sent:
        world.settle()
    assert sent == []


def test_r08_hooks_in_the_wrong_order_lead_to_what_the_record_says(world: World) -> None:
    record = world.save(name="First")
    old = world.record(record)
    world.change(record, name="Second")
    world.remove(record)
    hook = world.plugins.hook
    hook.calsync_entity_updated(entity_type="Meeting", record=old, changed=["name"])
    hook.calsync_entity_created(entity_type="Meeting", record=old)
    world.settle()
    assert world.events(ALICE) == []


def test_r08_edits_between_two_runs_are_one_update(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.mails()
    for number in range(4):
        world.change(record, name=f"Name {number}", description=f"Text {number}")
    with world.watched() as sent:
        world.settle()
    assert sent.count("PATCH") == 1
    assert world.mails() == [("update", "bob@example.com")]


def test_r08_an_edit_that_is_taken_back_before_the_run_sends_nothing(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.mails()
    world.change(record, name="Oops")
    world.change(record, name="Kick-off")
    world.settle()
    assert world.mails() == []


def test_pain_05_what_outlook_has_already_is_not_written_again(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.edit(ALICE, subject="Renamed")
    world.mails()
    world.change(record, name="Renamed")
    with world.watched() as sent:
        world.settle()
    assert "PATCH" not in sent
    assert world.mails() == []


def test_r08_an_ended_meeting_with_attendees_gets_no_patch(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB], dateStart="2026-11-23 10:00:00", dateEnd="2026-11-23 11:00:00")
    world.settle()
    world.mails()
    world.clock.advance(3 * 3600)
    world.change(record, name="Minutes", description="Minutes of the meeting", usersIds=[ALICE, BOB, CAROL])
    with world.watched() as sent:
        world.settle()
    assert "PATCH" not in sent
    assert world.mails() == []
    assert world.event(ALICE).subject == "Kick-off"


def test_r08_an_ended_meeting_without_attendees_is_updated(world: World) -> None:
    record = world.save(dateStart="2026-11-23 10:00:00", dateEnd="2026-11-23 11:00:00")
    world.settle()
    world.clock.advance(3 * 3600)
    world.change(record, name="Minutes")
    world.settle()
    assert world.event(ALICE).subject == "Minutes"


def test_r08_a_meeting_entered_afterwards_invites_nobody(world: World) -> None:
    world.save(usersIds=[ALICE, BOB], dateStart="2026-11-20 10:00:00", dateEnd="2026-11-20 11:00:00")
    world.settle()
    assert world.event(ALICE).attendees == set()
    assert world.mails() == []


def test_r08_an_ended_meeting_that_moves_ahead_tells_its_attendees(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB], dateStart="2026-11-23 10:00:00", dateEnd="2026-11-23 11:00:00")
    world.settle()
    world.mails()
    world.clock.advance(3 * 3600)
    world.change(record, dateStart="2026-12-01 10:00:00", dateEnd="2026-12-01 11:00:00")
    world.settle()
    assert world.event(ALICE).start == "2026-12-01T10:00:00"
    assert world.mails() == [("update", "bob@example.com")]


def test_pain_03_records_older_than_the_connection_are_not_pushed(world: World) -> None:
    old = world.save(assignedUserId=CAROL, usersIds=[CAROL, BOB], contactsIds=[DAVE], name="Old")
    world.settle()
    world.clock.advance(3600)
    world.connect(CAROL, push_contacts=True)
    world.plugins.hook.calsync_entity_updated(entity_type="Meeting", record={"id": old}, changed=None)
    world.sweep()
    assert world.events(CAROL) == []
    assert world.mails() == []
    world.change(old, name="Old, but changed now")
    world.save(assignedUserId=CAROL, name="New")
    world.settle()
    assert [e.subject for e in world.events(CAROL)] == ["New", "Old, but changed now"]


def test_pain_03_a_second_user_who_connects_invites_nobody_again(world: World) -> None:
    record = world.save(usersIds=[ALICE, CAROL])
    world.settle()
    world.mails()
    world.clock.advance(60)
    world.connect(CAROL)
    world.settle()
    world.change(record, description="More")
    world.settle()
    assert world.event(CAROL).isOrganizer is False
    assert world.mails() == [("update", "carol@example.com")]


def test_pain_04_every_mail_has_its_reason(world: World) -> None:
    """A meeting's whole life, and each mail that Outlook wrote about it."""
    world.choose(ALICE, push_contacts=True)
    record = world.save(usersIds=[ALICE, BOB], contactsIds=[DAVE])
    world.settle()
    assert world.mails() == [("invitation", "bob@example.com"), ("invitation", "dave@contoso.example")]
    world.change(record, dateStart="2026-12-02 10:00:00", dateEnd="2026-12-02 11:00:00")
    world.settle()
    assert world.mails() == [("update", "bob@example.com"), ("update", "dave@contoso.example")]
    world.change(record, usersIds=[ALICE])
    world.settle()
    assert world.mails() == [("cancellation", "bob@example.com")]
    world.remove(record)
    world.settle()
    assert world.mails() == [("cancellation", "dave@contoso.example")]
