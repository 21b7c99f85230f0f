"""R1: a record goes to the main calendar of its assigned user, who becomes the organizer."""

from __future__ import annotations

from tests.world import ALICE, BOB, CAROL, World


def test_r01_a_saved_record_is_in_its_assigned_users_calendar_and_in_no_other(world: World) -> None:
    world.save(name="Kick-off", description="Bring the plans")
    world.settle()
    event = world.event(ALICE)
    assert (event.subject, event.isOrganizer) == ("Kick-off", True)
    assert event.organizer["emailAddress"]["address"] == "alice@example.com"
    assert "Bring the plans" in event.body["content"]
    assert world.events(BOB) == []
    assert world.mails() == []


def test_r01_an_attending_user_gets_microsofts_invitation_and_nothing_from_us(world: World) -> None:
    world.save(usersIds=[ALICE, BOB])
    with world.watched() as sent:
        world.settle()
    assert world.event(BOB).isOrganizer is False
    assert world.event(BOB).iCalUId == world.event(ALICE).iCalUId
    assert world.mails() == [("invitation", "bob@example.com")]
    assert sent == ["POST"]


def test_r01_a_record_of_a_user_who_does_not_sync_is_not_pushed_whoever_attends(world: World) -> None:
    world.save(assignedUserId=CAROL, usersIds=[ALICE, BOB, CAROL])
    with world.watched() as sent:
        world.settle()
    assert (world.events(ALICE), world.events(BOB), world.events(CAROL)) == ([], [], [])
    assert sent == []


def test_r01_a_user_who_only_takes_from_outlook_gets_nothing(world: World) -> None:
    world.connect(CAROL, mode="outlook_to_crm")
    world.save(assignedUserId=CAROL)
    world.settle()
    assert world.events(CAROL) == []


def test_r01_the_main_calendar_of_the_settings_takes_the_event(world: World) -> None:
    calendar = world.graph("POST", ALICE, "calendars", json={"name": "Work"})
    world.choose(ALICE, main_calendar=calendar["id"])
    world.save()
    world.settle()
    assert [
        e["subject"] for e in world.graph("GET", ALICE, f"calendars/{calendar['id']}/events")["value"]
    ] == ["Kick-off"]
    assert world.graph("GET", ALICE, "calendar/events")["value"] == []


def test_r01_a_main_calendar_that_is_gone_asks_the_user_and_loses_nothing(world: World) -> None:
    calendar = world.graph("POST", ALICE, "calendars", json={"name": "Work"})
    world.choose(ALICE, main_calendar=calendar["id"])
    world.graph("DELETE", ALICE, f"calendars/{calendar['id']}")
    world.save()
    world.save(name="Of bob", assignedUserId=BOB)
    world.settle()
    assert world.account(ALICE).status == "needs_attention"
    assert "main calendar" in world.account(ALICE).reason
    assert world.event(BOB).subject == "Of bob"
    world.choose(ALICE, main_calendar="")
    world.app.connections.resume(ALICE)
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"


def test_r01_a_record_that_is_changed_changes_its_event(world: World) -> None:
    record = world.save()
    world.settle()
    before = world.event(ALICE)
    world.change(record, name="Kick-off, second try", dateStart="2026-12-02 12:00:00")
    world.settle()
    after = world.event(ALICE)
    assert (after.id, after.subject) == (before.id, "Kick-off, second try")
    assert (after.start, after.end) == ("2026-12-02T12:00:00", "2026-12-02T13:00:00")
