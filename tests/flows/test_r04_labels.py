"""R4 and R5: entity types, their labels, and the fields that each has."""

from __future__ import annotations

import pytest

from tests.world import ALICE, BOB, World


@pytest.mark.parametrize(
    ("entity_type", "subject"),
    [("Meeting", "Kick-off"), ("Call", "C: Kick-off"), ("Visit", "V: Kick-off")],
)
def test_r04_the_label_of_an_entity_type_stands_before_the_subject(
    world: World, entity_type: str, subject: str
) -> None:
    record = world.save(entity_type)
    world.settle()
    assert world.event(ALICE).subject == subject
    assert world.record(record, entity_type)["name"] == "Kick-off"


def test_r04_a_renamed_call_keeps_its_label_once(world: World) -> None:
    record = world.save("Call")
    world.settle()
    world.change(record, "Call", name="Follow-up")
    world.settle()
    assert world.event(ALICE).subject == "C: Follow-up"


def test_r04_a_user_may_choose_an_own_label_which_applies_at_the_next_write(world: World) -> None:
    record = world.save("Call")
    world.settle()
    world.choose(ALICE, entities=[{"entity_type": "Meeting"}, {"entity_type": "Call", "label": "Tel"}])
    world.settle()
    assert world.event(ALICE).subject == "C: Kick-off"
    world.change(record, "Call", name="Follow-up")
    world.settle()
    assert world.event(ALICE).subject == "Tel: Follow-up"


def test_r04_an_entity_type_that_the_user_does_not_sync_is_not_pushed(world: World) -> None:
    world.choose(ALICE, entities=[{"entity_type": "Meeting"}])
    world.save("Call")
    world.save("Call", assignedUserId=BOB)
    world.settle()
    assert world.events(ALICE) == []
    assert world.event(BOB).subject == "C: Kick-off"


def test_r05_a_visit_carries_its_location_and_a_meeting_has_none(world: World) -> None:
    visit = world.save("Visit", location="Room 1")
    world.save("Meeting", name="Elsewhere")
    world.settle()
    assert {e.subject: e.location["displayName"] for e in world.events(ALICE)} == {
        "V: Kick-off": "Room 1",
        "Elsewhere": "",
    }
    world.change(visit, "Visit", location="Room 2")
    world.settle()
    assert {e.location["displayName"] for e in world.events(ALICE)} == {"Room 2", ""}
    world.change(visit, "Visit", location="")
    world.settle()
    assert {e.location["displayName"] for e in world.events(ALICE)} == {""}


def test_r05_only_what_changed_is_written(world: World) -> None:
    record = world.save("Visit", location="Room 1", description="Text")
    world.settle()
    world.edit(ALICE, showAs="oof", categories=["Red"], importance="high", reminderMinutesBeforeStart=45)
    world.change(record, "Visit", name="Renamed")
    world.settle()
    event = world.event(ALICE)
    assert event.subject == "V: Renamed"
    assert (event.showAs, event.categories, event.importance) == ("oof", ["Red"], "high")
    assert event.reminderMinutesBeforeStart == 45


@pytest.mark.parametrize("status", ["Held", "Not Held"])
def test_r05_the_status_is_the_crms_alone(world: World, status: str) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.mails()
    world.change(record, status=status)
    with world.watched() as sent:
        world.settle()
    assert sent == []
    assert world.mails() == []


def test_r05_a_field_that_enters_by_a_setting_is_taken_as_it_is(world: World) -> None:
    record = world.save(description="From the CRM")
    world.settle()
    world.choose(ALICE, teams_for_new=True)
    world.change(record, name="Renamed")
    world.settle()
    event = world.event(ALICE)
    assert (event.subject, event.isOnlineMeeting) == ("Renamed", False)
