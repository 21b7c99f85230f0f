"""R7: who is invited, who stays invited, and whom nobody touches."""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import ALICE, BOB, CAROL, DAVE, ERIN, FRANK, World

DAVES, ERINS = "dave@contoso.example", "erin@contoso.example"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({}, {"bob@example.com"}, id="users-always"),
        pytest.param({"push_contacts": True}, {"bob@example.com", DAVES}, id="contacts-by-setting"),
        pytest.param(
            {"push_leads": True}, {"bob@example.com", "frank@fabrikam.example"}, id="leads-by-setting"
        ),
        pytest.param(
            {"push_contacts": True, "push_leads": True},
            {"bob@example.com", DAVES, "frank@fabrikam.example"},
            id="all",
        ),
    ],
)
def test_r07_users_always_contacts_and_leads_by_setting(
    world: World, settings: dict[str, Any], expected: set[str]
) -> None:
    world.choose(ALICE, **settings)
    world.save(usersIds=[ALICE, BOB], contactsIds=[DAVE], leadsIds=[FRANK])
    world.settle()
    assert world.event(ALICE).attendees == expected
    assert {to for _, to in world.mails()} == expected


def test_r07_the_organizer_is_no_attendee(world: World) -> None:
    world.save(usersIds=[ALICE])
    world.settle()
    assert world.event(ALICE).attendees == set()


def test_r07_an_attendee_who_joins_is_the_only_one_who_is_mailed(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.mails()
    world.change(record, usersIds=[ALICE, BOB, CAROL])
    world.settle()
    assert world.event(ALICE).attendees == {"bob@example.com", "carol@example.com"}
    assert world.mails() == [("invitation", "carol@example.com")]


def test_r07_an_attendee_whom_the_records_edit_removes_is_uninvited(world: World) -> None:
    world.choose(ALICE, push_contacts=True)
    record = world.save(contactsIds=[DAVE, ERIN])
    world.settle()
    world.mails()
    world.change(record, contactsIds=[ERIN])
    world.settle()
    assert world.event(ALICE).attendees == {ERINS}
    assert world.mails() == [("cancellation", DAVES)]


def test_r07_linked_and_unlinked_without_a_save_of_the_record(world: World) -> None:
    world.choose(ALICE, push_contacts=True)
    record = world.save()
    world.settle()
    world.api("POST", f"Meeting/{record}/contacts", json={"id": DAVE})
    world.plugins.hook.calsync_attendance_changed(entity_type="Meeting", record_id=record)
    world.settle()
    assert world.event(ALICE).attendees == {DAVES}
    world.api("DELETE", f"Meeting/{record}/contacts", json={"id": DAVE})
    world.plugins.hook.calsync_attendance_changed(entity_type="Meeting", record_id=record)
    world.settle()
    assert world.event(ALICE).attendees == set()


def test_pain_13_a_contact_deleted_in_the_crm_stays_invited(world: World) -> None:
    world.choose(ALICE, push_contacts=True)
    record = world.save(contactsIds=[DAVE, ERIN])
    world.settle()
    world.mails()
    world.api("DELETE", f"Contact/{DAVE}")
    world.change(record, contactsIds=[ERIN])
    world.settle()
    assert world.event(ALICE).attendees == {DAVES, ERINS}
    assert world.mails() == []
    world.change(record, name="Renamed", description="New")
    world.settle()
    assert world.event(ALICE).attendees == {DAVES, ERINS}


def test_r07_a_merged_contact_stays_invited_once(world: World) -> None:
    world.choose(ALICE, push_contacts=True)
    record = world.save(contactsIds=[DAVE])
    world.settle()
    world.mails()
    world.api("DELETE", f"Contact/{DAVE}")
    double = world.api(
        "POST", "Contact", json={"firstName": "Dave", "lastName": "Dunn", "emailAddress": DAVES.upper()}
    )
    world.change(record, contactsIds=[double["id"]])
    world.settle()
    assert world.event(ALICE).attendees == {DAVES}
    assert world.mails() == []


def test_r07_a_contact_with_a_new_address_keeps_the_invitation(world: World) -> None:
    world.choose(ALICE, push_contacts=True)
    record = world.save(contactsIds=[DAVE])
    world.settle()
    world.mails()
    world.api("PUT", f"Contact/{DAVE}", json={"emailAddress": "dave@new.example"})
    world.clock.advance(400)
    world.change(record, description="Something")
    world.settle()
    assert world.event(ALICE).attendees == {DAVES}
    assert world.mails() == [("update", DAVES)]


def test_r07_switching_contacts_off_uninvites_nobody(world: World) -> None:
    world.choose(ALICE, push_contacts=True)
    record = world.save(contactsIds=[DAVE])
    world.settle()
    world.mails()
    world.choose(ALICE, push_contacts=False)
    world.change(record, contactsIds=[DAVE, ERIN])
    world.settle()
    assert world.event(ALICE).attendees == {DAVES}
    assert world.mails() == []
    world.change(record, contactsIds=[ERIN])
    world.settle()
    assert world.event(ALICE).attendees == set()
    assert world.mails() == [("cancellation", DAVES)]


def test_r07_people_added_in_outlook_survive_what_the_record_changes(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    stranger = {"emailAddress": {"address": "stranger@elsewhere.example", "name": "S"}, "type": "optional"}
    room = {"emailAddress": {"address": "room1@example.com"}, "type": "resource"}
    world.edit(ALICE, attendees=[*world.event(ALICE).json["attendees"], stranger, room])
    world.mails()
    world.change(record, usersIds=[ALICE, CAROL])
    world.settle()
    event = world.event(ALICE)
    assert event.attendees == {"carol@example.com", "stranger@elsewhere.example", "room1@example.com"}
    assert {a["type"] for a in event.json["attendees"]} == {"required", "optional", "resource"}
    assert world.mails() == [("cancellation", "bob@example.com"), ("invitation", "carol@example.com")]


def test_r07_an_answer_survives_a_write_of_the_list(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.graph("POST", BOB, f"events/{world.event(BOB).id}/accept", json={"sendResponse": True})
    world.change(record, usersIds=[ALICE, BOB, CAROL])
    world.settle()
    answers = {
        a["emailAddress"]["address"]: a["status"]["response"] for a in world.event(ALICE).json["attendees"]
    }
    assert answers == {"bob@example.com": "accepted", "carol@example.com": "none"}


def test_r07_two_people_with_one_address_are_invited_once(world: World) -> None:
    world.choose(ALICE, push_contacts=True)
    twin = world.crm.insert("Contact", {"firstName": "Dave", "lastName": "Double", "emailAddress": DAVES})
    record = world.save(contactsIds=[DAVE, twin["id"]])
    world.settle()
    assert [a["emailAddress"]["address"] for a in world.event(ALICE).json["attendees"]] == [DAVES]
    assert world.mails() == [("invitation", DAVES)]
    assert "invited once" in world.notes(ALICE)
    assert set(world.record(record)["contactsIds"]) == {DAVE, twin["id"]}


@pytest.mark.parametrize("address", [None, "no-at-sign", "two@@signs.example", "spaces in@it.example"])
def test_pain_24_an_attendee_without_a_usable_address_is_left_out_with_a_note(
    world: World, address: str | None
) -> None:
    world.choose(ALICE, push_contacts=True)
    broken = world.crm.insert("Contact", {"firstName": "No", "lastName": "Address", "emailAddress": address})
    record = world.save(contactsIds=[broken["id"], DAVE])
    world.settle()
    assert world.event(ALICE).attendees == {DAVES}
    assert "No Address has no usable e-mail address" in world.notes(ALICE)
    assert world.parked() == {}
    world.api("PUT", f"Contact/{broken['id']}", json={"emailAddress": "now@there.example"})
    world.clock.advance(400)
    world.change(record, name="Again")
    world.settle()
    assert world.event(ALICE).attendees == {DAVES, "now@there.example"}


def test_pain_08_an_attendees_mailbox_is_never_written(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.outlook.log.clear()
    world.change(record, name="Renamed")
    world.settle()
    assert world.event(BOB).subject == "Renamed"
    written = {
        e["mailbox"] for e in world.outlook.log.as_json()["requests"] if e["method"] in {"PATCH", "DELETE"}
    }
    assert written == {"alice@example.com"}


def test_pain_11_an_attendee_who_deletes_the_copy_ends_nothing(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.discard(BOB)
    world.change(record, description="More")
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"
    assert world.record(record)["deleted"] is False
