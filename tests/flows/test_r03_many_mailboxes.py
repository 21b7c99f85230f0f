"""R3: one meeting in many mailboxes. What an attendee does with the own copy is that person's answer only."""

from __future__ import annotations

from tests.world import ALICE, BOB, CAROL, DAVE, World


def _meeting(world: World) -> str:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.mails()
    return record


def test_r03_pain_02_one_event_however_many_attendees_are_connected(world: World) -> None:
    """Each mailbox has its own copy of one meeting; calsync wrote one of them, Microsoft the other."""
    world.save(usersIds=[ALICE, BOB, CAROL])
    world.settle()
    copies = [world.event(user) for user in (ALICE, BOB, CAROL)]
    assert len({copy.iCalUId for copy in copies}) == 1
    assert [copy.isOrganizer for copy in copies] == [True, False, False]
    assert world.mails() == [("invitation", "bob@example.com"), ("invitation", "carol@example.com")]


def test_r03_pain_11_an_attendee_who_deletes_the_copy_ends_nothing(world: World) -> None:
    record = _meeting(world)
    world.graph("DELETE", BOB, f"events/{world.event(BOB).id}")
    world.change(record, name="Renamed")
    world.settle()
    assert world.event(ALICE).subject == "Renamed"
    assert world.record(record)["deleted"] is False
    assert world.link(record).state.value == "active"


def test_r03_pain_11_an_attendee_who_declines_ends_nothing(world: World) -> None:
    record = _meeting(world)
    world.graph("POST", BOB, f"events/{world.event(BOB).id}/decline", json={"sendResponse": True})
    world.mails()
    world.change(record, contactsIds=[DAVE])
    world.settle()
    assert world.event(ALICE).attendees == {"bob@example.com"}
    assert world.mails() == []
    world.change(record, dateStart="2026-12-01 14:00:00", dateEnd="2026-12-01 15:00:00")
    world.settle()
    assert world.event(ALICE).start == "2026-12-01T14:00:00"


def test_r03_pain_08_only_the_organizers_mailbox_is_written(world: World) -> None:
    """Whoever edits the record, the event changes through the organizer's own copy."""
    record = _meeting(world)
    world.outlook.log.clear()
    world.change(record, name="Renamed")
    world.settle()
    asked = world.outlook.log.as_json()["requests"]
    assert {entry["mailbox"] for entry in asked} == {"alice@example.com"}
    assert "PATCH" in {entry["method"] for entry in asked}


def test_r03_pain_10_who_is_not_on_the_record_keeps_an_invitation_of_their_own(world: World) -> None:
    """People whom the organizer added in Outlook are nobody's removal."""
    record = _meeting(world)
    event = world.event(ALICE)
    added = [*event.json["attendees"], {"emailAddress": {"address": "zoe@elsewhere.example"}}]
    world.graph("PATCH", ALICE, f"events/{event.id}", json={"attendees": added})
    world.change(record, usersIds=[ALICE, BOB, CAROL])
    world.settle()
    assert world.event(ALICE).attendees == {
        "bob@example.com",
        "carol@example.com",
        "zoe@elsewhere.example",
    }


def test_pain_25_ids_that_differ_in_case_only_are_two_events(world: World) -> None:
    """The simulator hands out such ids on purpose; each record keeps its own event."""
    records = [world.save(name=f"Meeting {number:02}") for number in range(24)]
    world.settle()
    ids = [world.link(record).copies[0].event_id for record in records]
    assert len(set(ids)) == 24
    for record in records[::2]:
        world.remove(record)
    world.app.connections.resume(ALICE)
    for held in world.app.store.held.all():
        assert held.link_id in {world.link(record).id for record in records[::2]}
    world.settle()
    left = {event.subject for event in world.events(ALICE)}
    assert {f"Meeting {number:02}" for number in range(1, 24, 2)} <= left
