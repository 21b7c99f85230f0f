"""R7 both ways: who of an event is somebody of the CRM, who stays in Outlook, whom no write ever drops."""

from __future__ import annotations

from typing import Any

import pytest

from tests.outlook_side import EVE
from tests.world import ALICE, BOB, CAROL, DAVE, ERIN, FRANK, World

BOBS, CAROLS = "bob@example.com", "carol@example.com"
DAVES, ERINS, FRANKS = "dave@contoso.example", "erin@contoso.example", "frank@fabrikam.example"
STRANGER = "stranger@elsewhere.example"
X500 = "/o=ExchangeLabs/ou=Exchange Administrative Group/cn=Recipients/cn=dave"
ROOM = {"emailAddress": {"address": "room1@example.com", "name": "Room 1"}, "type": "resource"}


def _people(world: World, record: str | None = None, kind: str = "Meeting") -> dict[str, set[str]]:
    found = world.record(record, kind) if record else world.only_record(kind)
    return {link: set(found[f"{link}Ids"]) for link in ("users", "contacts", "leads") if found[f"{link}Ids"]}


def _person(world: World, kind: str, first: str, last: str, *addresses: str) -> str:
    made: dict[str, Any] = {"firstName": first, "lastName": last, "emailAddress": addresses[0]}
    made["emailAddressData"] = [
        {"emailAddress": address, "primary": address == addresses[0]} for address in addresses
    ]
    return str(world.crm.insert(kind, made)["id"])


# --- who is who


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        pytest.param([BOBS], {"users": {BOB}}, id="user"),
        pytest.param(["Carol@Example.COM"], {"users": {CAROL}}, id="user-in-capitals-not-connected"),
        pytest.param([DAVES.upper(), ERINS], {"contacts": {DAVE, ERIN}}, id="contacts"),
        pytest.param([f" {FRANKS} "], {"leads": {FRANK}}, id="lead"),
        pytest.param([BOBS, DAVES, FRANKS], {"users": {BOB}, "contacts": {DAVE}, "leads": {FRANK}}, id="all"),
        pytest.param([STRANGER, X500], {}, id="nobody-known"),
        pytest.param(["alice@example.com", BOBS], {"users": {BOB}}, id="the-organizer-too"),
    ],
)
@pytest.mark.parametrize(("kind", "label"), [("Meeting", ""), ("Call", "C: ")])
def test_r07_people_of_an_event_are_found_by_their_address(
    world: World, kind: str, label: str, addresses: list[str], expected: dict[str, set[str]]
) -> None:
    world.outlook_create(ALICE, subject=f"{label}Talk", attendees=addresses)
    world.mails()
    world.pull()
    people = _people(world, kind=kind)
    assert people.pop("users") == {ALICE} | expected.get("users", set())
    assert people == {link: found for link, found in expected.items() if link != "users"}
    world.quiet()
    assert world.mails() == []


def test_r07_further_addresses_of_a_person_count_in_any_case(world: World) -> None:
    gina = _person(world, "Contact", "Gina", "Green", "gina@one.example", "g.green@two.example")
    hans = _person(world, "Lead", "Hans", "Hall", "hans@one.example", "hall@two.example")
    world.outlook_create(ALICE, attendees=["G.Green@TWO.example", "HALL@two.example"])
    world.pull()
    people = _people(world)
    assert (people["contacts"], people["leads"]) == ({gina}, {hans})
    world.quiet()
    # A write of the list keeps the address under which they were invited, and invites nobody twice.
    world.mails()
    world.change(world.only_record()["id"], usersIds=[ALICE, BOB])
    world.settle()
    assert world.event(ALICE).attendees == {"g.green@two.example", "hall@two.example", BOBS}
    assert ("invitation", "gina@one.example") not in world.mails()
    world.quiet()


def test_r07_a_user_goes_before_a_contact_and_a_contact_before_a_lead(world: World) -> None:
    _person(world, "Contact", "Bob", "Private", BOBS)
    _person(world, "Lead", "Bob", "Lead", BOBS)
    _person(world, "Lead", "Dave", "Lead", DAVES)
    world.outlook_create(ALICE, attendees=[BOBS, DAVES])
    world.pull()
    assert _people(world) == {"users": {ALICE, BOB}, "contacts": {DAVE}}
    world.quiet()


def test_r07_two_addresses_of_one_person_are_one_attendee_there_and_two_here(world: World) -> None:
    gina = _person(world, "Contact", "Gina", "Green", "gina@one.example", "gina@two.example")
    world.outlook_create(ALICE, attendees=["gina@one.example", "gina@two.example", BOBS])
    world.pull()
    assert _people(world) == {"users": {ALICE, BOB}, "contacts": {gina}}
    world.quiet()
    record = world.only_record()["id"]
    world.change(record, usersIds=[ALICE, BOB, CAROL])
    world.settle()
    assert world.event(ALICE).attendees == {"gina@one.example", "gina@two.example", BOBS, CAROLS}
    world.quiet()
    # One of both is taken off in Outlook: she still takes part.
    world.edit(ALICE, attendees=["gina@two.example", BOBS, CAROLS])
    world.pull()
    assert _people(world) == {"users": {ALICE, BOB, CAROL}, "contacts": {gina}}
    world.quiet()


def test_r07_the_organizers_other_address_makes_no_guest_of_the_organizer(world: World) -> None:
    world.crm.store.change(
        "User",
        ALICE,
        {
            "emailAddressData": [
                {"emailAddress": "alice@example.com", "lower": "alice@example.com", "primary": True},
                {"emailAddress": "a.able@example.com", "lower": "a.able@example.com", "primary": False},
            ]
        },
    )
    world.outlook_create(ALICE, attendees=["A.Able@example.com", DAVES])
    world.pull()
    assert _people(world) == {"users": {ALICE}, "contacts": {DAVE}}
    world.quiet()
    record = world.only_record()["id"]
    world.change(record, name="Renamed")
    world.settle()
    world.edit(ALICE, attendees=["a.able@example.com", DAVES, BOBS])
    world.pull()
    assert _people(world) == {"users": {ALICE, BOB}, "contacts": {DAVE}}
    assert world.event(ALICE).attendees == {"a.able@example.com", DAVES, BOBS}
    world.quiet()


def test_r07_who_is_inactive_or_no_colleague_is_nobodys_attendee(world: World) -> None:
    world.crm.store.change("User", CAROL, {"isActive": False})
    carol = _person(world, "Contact", "Carol", "Clark", CAROLS)
    world.outlook_create(ALICE, attendees=[CAROLS])
    world.pull()
    assert _people(world) == {"users": {ALICE}, "contacts": {carol}}
    world.quiet()


def test_pain_24_odd_attendees_stop_nothing(world: World) -> None:
    odd: list[Any] = [
        {"emailAddress": {"address": X500, "name": "Dave"}, "type": "required", "status": None},
        {"emailAddress": {"address": "", "name": "Only a name"}, "type": "required"},
        {"emailAddress": {"name": "No address at all"}, "type": "optional"},
        {"emailAddress": None, "type": "required"},
        {"emailAddress": {"address": DAVES, "name": None}, "type": "strange"},
        {"emailAddress": {"address": DAVES.upper(), "name": "Dave again"}, "type": "optional"},
        None,
    ]
    world.plant(ALICE, attendees=odd)
    world.outlook_create(ALICE, subject="Fine")
    world.pull()
    assert {r["name"]: r["contactsIds"] for r in world.records()} == {"Visit": [DAVE], "Fine": []}
    assert world.app.store.parked.all() == []
    world.quiet()


# --- rooms, groups, organizers


def test_r07_rooms_are_no_people_even_if_a_contact_has_their_address(world: World) -> None:
    _person(world, "Contact", "Room", "One", "room1@example.com")
    world.outlook_create(ALICE, attendees=[BOBS, ROOM])
    world.pull()
    record = world.only_record()["id"]
    assert _people(world) == {"users": {ALICE, BOB}}
    world.change(record, usersIds=[ALICE, CAROL])
    world.settle()
    event = world.event(ALICE)
    assert event.attendees == {CAROLS, "room1@example.com"}
    assert {a["type"] for a in event.json["attendees"]} == {"required", "resource"}
    world.quiet()


def test_r07_the_organizer_elsewhere_is_never_part_of_the_set(world: World) -> None:
    eve = _person(world, "Contact", "Eve", "Else", EVE)
    world.invite_from_outside(ALICE, attendees=[DAVES, EVE])
    world.pull()
    assert _people(world) == {"users": {ALICE}, "contacts": {DAVE}}
    assert eve not in world.only_record()["contactsIds"]
    world.quiet()


# --- both directions


@pytest.mark.parametrize("born", ["crm", "outlook"])
def test_r07_added_and_removed_in_outlook_is_added_to_and_removed_from_the_record(
    world: World, born: str
) -> None:
    world.choose(ALICE, push_contacts=True, push_leads=True)
    if born == "crm":
        world.save(usersIds=[ALICE, BOB], contactsIds=[DAVE])
    else:
        world.outlook_create(ALICE, attendees=[BOBS, DAVES])
    world.pull()
    assert _people(world) == {"users": {ALICE, BOB}, "contacts": {DAVE}}
    world.edit(ALICE, attendees=[BOBS, DAVES, ERINS, FRANKS, CAROLS])
    with world.writes() as seen:
        world.pull()
    assert [line.split("/")[0] for line in seen] == ["PUT "]
    assert _people(world) == {"users": {ALICE, BOB, CAROL}, "contacts": {DAVE, ERIN}, "leads": {FRANK}}
    world.edit(ALICE, attendees=[ERINS])
    with world.writes() as seen:
        world.pull()
    assert [line.split("/")[0] for line in seen] == ["PUT "]
    assert _people(world) == {"users": {ALICE}, "contacts": {ERIN}}
    world.edit(ALICE, attendees=[])
    world.pull()
    assert _people(world) == {"users": {ALICE}}
    world.quiet()


@pytest.mark.parametrize("born", ["crm", "outlook"])
def test_r07_added_and_removed_in_the_crm_mails_only_whom_it_concerns(world: World, born: str) -> None:
    world.choose(ALICE, push_contacts=True, push_leads=True)
    if born == "crm":
        world.save(usersIds=[ALICE, BOB], contactsIds=[DAVE])
    else:
        world.outlook_create(ALICE, attendees=[BOBS, DAVES])
    world.pull()
    record = world.only_record()["id"]
    world.mails()
    world.change(record, contactsIds=[DAVE, ERIN], leadsIds=[FRANK])
    world.settle()
    assert world.event(ALICE).attendees == {BOBS, DAVES, ERINS, FRANKS}
    assert world.mails() == [("invitation", ERINS), ("invitation", FRANKS)]
    world.change(record, usersIds=[ALICE], contactsIds=[ERIN])
    world.settle()
    assert world.event(ALICE).attendees == {ERINS, FRANKS}
    assert world.mails() == [("cancellation", BOBS), ("cancellation", DAVES)]
    world.quiet()
    assert world.mails() == []


@pytest.mark.parametrize("born", ["crm", "outlook"])
def test_r07_both_sides_change_the_set_at_once_and_it_is_merged_person_by_person(
    world: World, born: str
) -> None:
    world.choose(ALICE, push_contacts=True, push_leads=True)
    if born == "crm":
        world.save(usersIds=[ALICE, BOB], contactsIds=[DAVE])
    else:
        world.outlook_create(ALICE, attendees=[BOBS, DAVES])
    world.pull()
    record = world.only_record()["id"]
    world.mails()
    world.edit(ALICE, attendees=[DAVES, FRANKS, STRANGER])
    world.change(record, usersIds=[ALICE, BOB, CAROL], contactsIds=[ERIN])
    world.mails()
    world.pull()
    assert world.event(ALICE).attendees == {FRANKS, STRANGER, CAROLS, ERINS}
    assert _people(world) == {"users": {ALICE, CAROL}, "contacts": {ERIN}, "leads": {FRANK}}
    assert world.app.store.log.clashes(ALICE) == []
    assert world.mails() == [("invitation", CAROLS), ("cancellation", DAVES), ("invitation", ERINS)]
    world.quiet()


def test_r07_added_on_both_sides_is_invited_once(world: World) -> None:
    world.save()
    world.settle()
    record = world.only_record()["id"]
    world.edit(ALICE, attendees=[BOBS])
    world.change(record, usersIds=[ALICE, BOB])
    world.mails()
    world.pull()
    assert [a["emailAddress"]["address"] for a in world.event(ALICE).json["attendees"]] == [BOBS]
    assert world.mails() == []
    world.quiet()


def test_r07_removed_on_both_sides_mails_nobody_again(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB, CAROL])
    world.settle()
    world.edit(ALICE, attendees=[CAROLS])
    world.mails()
    world.change(record, usersIds=[ALICE, CAROL])
    world.pull()
    assert world.event(ALICE).attendees == {CAROLS}
    assert world.mails() == []
    world.quiet()


# --- whom no write ever drops


@pytest.mark.parametrize("push", [True, False], ids=["contacts-invited", "contacts-not-invited"])
def test_r07_unknown_people_survive_every_write_of_the_record(world: World, push: bool) -> None:
    world.choose(ALICE, push_contacts=push)
    stranger = {"emailAddress": {"address": STRANGER, "name": "Sam Strange"}, "type": "optional"}
    old = {"emailAddress": {"address": X500, "name": "Old Dave"}, "type": "required"}
    world.outlook_create(ALICE, attendees=[stranger, old, ROOM, DAVES])
    world.pull()
    record = world.only_record()["id"]
    edits: list[dict[str, Any]] = [
        {"name": "Renamed"},
        {"usersIds": [ALICE, BOB]},
        {"dateStart": "2026-12-05 10:00:00", "dateEnd": "2026-12-05 11:00:00"},
        {"usersIds": [ALICE]},
        {"contactsIds": []},
        {"usersIds": [ALICE, CAROL], "name": "Again"},
    ]
    for edit in edits:
        world.change(record, **edit)
        world.settle()
        people = {a["emailAddress"]["address"]: a for a in world.event(ALICE).json["attendees"]}
        assert {STRANGER, X500, "room1@example.com"} <= people.keys()
        assert people[STRANGER]["type"] == "optional"
        assert people[STRANGER]["emailAddress"]["name"] == "Sam Strange"
        world.pull()
    assert world.event(ALICE).attendees == {STRANGER, X500.lower(), "room1@example.com", CAROLS}
    assert STRANGER not in {to for kind, to in world.mails() if kind == "cancellation"}
    world.quiet()


def test_r07_without_contact_push_an_imported_contact_is_never_dropped_from_the_record(world: World) -> None:
    """The record holds contacts that were never let out; Outlook's edits of the set concern others."""
    world.outlook_create(ALICE, attendees=[DAVES])
    world.pull()
    record = world.only_record()["id"]
    world.change(record, contactsIds=[DAVE, ERIN], leadsIds=[FRANK])
    world.settle()
    assert world.event(ALICE).attendees == {DAVES}
    world.edit(ALICE, attendees=[DAVES, BOBS])
    world.pull()
    assert _people(world) == {"users": {ALICE, BOB}, "contacts": {DAVE, ERIN}, "leads": {FRANK}}
    world.edit(ALICE, attendees=[BOBS])
    world.pull()
    assert _people(world) == {"users": {ALICE, BOB}, "contacts": {ERIN}, "leads": {FRANK}}
    world.mails()
    world.change(record, contactsIds=[], leadsIds=[])
    world.settle()
    assert world.event(ALICE).attendees == {BOBS}
    assert world.mails() == []
    world.quiet()


def test_r07_contacts_of_a_crm_meeting_that_were_not_let_out_stay_on_it(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB], contactsIds=[DAVE], leadsIds=[FRANK])
    world.settle()
    assert world.event(ALICE).attendees == {BOBS}
    world.edit(ALICE, attendees=[CAROLS], subject="Renamed")
    world.pull()
    assert _people(world, record) == {"users": {ALICE, CAROL}, "contacts": {DAVE}, "leads": {FRANK}}
    # Added by hand in Outlook, a contact of the record is out and is one of the set from then on.
    world.edit(ALICE, attendees=[CAROLS, DAVES])
    world.pull()
    assert _people(world, record) == {"users": {ALICE, CAROL}, "contacts": {DAVE}, "leads": {FRANK}}
    world.edit(ALICE, attendees=[CAROLS])
    world.pull()
    assert _people(world, record) == {"users": {ALICE, CAROL}, "leads": {FRANK}}
    world.quiet()


def test_r07_contact_push_switched_on_and_off_moves_nobody_by_itself(world: World) -> None:
    world.outlook_create(ALICE, attendees=[DAVES])
    world.pull()
    record = world.only_record()["id"]
    world.change(record, contactsIds=[DAVE, ERIN])
    world.settle()
    world.mails()
    for push in (True, False, True):
        world.choose(ALICE, push_contacts=push)
        world.pull()
        assert world.event(ALICE).attendees == {DAVES}
        assert _people(world) == {"users": {ALICE}, "contacts": {DAVE, ERIN}}
    assert world.mails() == []


def test_r07_people_deleted_in_the_crm_keep_their_invitation_and_block_nothing(world: World) -> None:
    world.outlook_create(ALICE, attendees=[DAVES, ERINS])
    world.pull()
    record = world.only_record()["id"]
    world.api("DELETE", f"Contact/{DAVE}")
    world.mails()
    world.edit(ALICE, attendees=[DAVES, ERINS, BOBS])
    world.pull()
    assert _people(world) == {"users": {ALICE, BOB}, "contacts": {ERIN}}
    world.mails()
    world.change(record, usersIds=[ALICE, BOB, CAROL])
    world.settle()
    assert world.event(ALICE).attendees == {DAVES, ERINS, BOBS, CAROLS}
    assert world.mails() == [("invitation", CAROLS)]
    world.edit(ALICE, attendees=[BOBS])
    world.pull()
    assert _people(world) == {"users": {ALICE, BOB}}
    assert world.app.store.parked.all() == []
    world.quiet()


def test_r07_a_contact_merged_into_another_keeps_one_place_on_both_sides(world: World) -> None:
    world.outlook_create(ALICE, attendees=[DAVES, BOBS])
    world.pull()
    record = world.only_record()["id"]
    world.api("DELETE", f"Contact/{DAVE}")
    survivor = _person(world, "Contact", "Dave", "Dunn", DAVES, "dd@contoso.example")
    world.mails()
    world.change(record, contactsIds=[survivor])
    world.pull()
    assert world.event(ALICE).attendees == {DAVES, BOBS}
    assert _people(world) == {"users": {ALICE, BOB}, "contacts": {survivor}}
    world.edit(ALICE, subject="Renamed")
    world.pull()
    assert _people(world) == {"users": {ALICE, BOB}, "contacts": {survivor}}
    assert {kind for kind, _ in world.mails()} == {"update"}
    world.quiet()


def test_r07_a_contact_with_another_address_is_still_the_one_who_was_invited(world: World) -> None:
    world.outlook_create(ALICE, attendees=[DAVES])
    world.pull()
    world.api("PUT", f"Contact/{DAVE}", json={"emailAddress": "dave@new.example"})
    world.clock.advance(4000)
    world.mails()
    world.edit(ALICE, subject="Renamed", attendees=[DAVES, BOBS])
    world.pull()
    assert _people(world) == {"users": {ALICE, BOB}, "contacts": {DAVE}}
    world.edit(ALICE, attendees=[BOBS])
    world.pull()
    assert _people(world) == {"users": {ALICE, BOB}}
    world.quiet()


def test_r07_somebody_who_becomes_known_later_changes_nothing_by_itself(world: World) -> None:
    world.outlook_create(ALICE, attendees=[STRANGER, BOBS])
    world.pull()
    _person(world, "Contact", "Sam", "Strange", STRANGER)
    world.clock.advance(4000)
    world.quiet()
    world.edit(ALICE, attendees=[STRANGER, BOBS, CAROLS])
    world.pull()
    assert _people(world)["users"] == {ALICE, BOB, CAROL}
    assert world.event(ALICE).attendees == {STRANGER, BOBS, CAROLS}
    world.quiet()


# --- contacts for strangers


def test_r07_contacts_are_created_for_strangers_only_by_setting(world: World) -> None:
    named = {"emailAddress": {"address": STRANGER, "name": "Strange, Sam"}, "type": "required"}
    world.outlook_create(ALICE, subject="Before", attendees=[named])
    world.pull()
    assert len(world.api("GET", "Contact")["list"]) == 2
    world.choose(ALICE, create_contacts=True)
    world.outlook_create(ALICE, subject="One", attendees=[named, ROOM, {"emailAddress": {"address": X500}}])
    world.outlook_create(ALICE, subject="Two", attendees=[STRANGER.upper(), DAVES])
    world.invite_from_outside(ALICE, subject="Three", attendees=["nameless@elsewhere.example"])
    world.pull()
    made = {c["emailAddress"]: c for c in world.api("GET", "Contact")["list"]}
    assert made.keys() == {DAVES, ERINS, STRANGER, "nameless@elsewhere.example"}
    assert (made[STRANGER]["firstName"], made[STRANGER]["lastName"]) == ("Sam", "Strange")
    by_name = {r["name"]: set(r["contactsIds"]) for r in world.records()}
    assert by_name == {
        "Before": set(),
        "One": {made[STRANGER]["id"]},
        "Two": {made[STRANGER]["id"], DAVE},
        "Three": {made["nameless@elsewhere.example"]["id"]},
    }
    world.quiet()
    assert len(world.api("GET", "Contact")["list"]) == 4


def test_r07_a_stranger_added_in_outlook_becomes_a_contact_of_the_record(world: World) -> None:
    world.choose(ALICE, create_contacts=True)
    record = world.save()
    world.settle()
    world.edit(ALICE, attendees=[STRANGER])
    world.mails()
    world.pull()
    (contact,) = world.record(record)["contactsIds"]
    assert world.api("GET", f"Contact/{contact}")["emailAddress"] == STRANGER
    world.quiet()
    assert world.mails() == []
    world.edit(ALICE, attendees=[])
    world.pull()
    assert world.record(record)["contactsIds"] == []
    world.quiet()


# --- one-way modes


def test_r07_only_crm_to_outlook_people_added_in_outlook_stay_there_alone(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.choose(ALICE, mode="crm_to_outlook")
    world.settle()
    world.clock.advance(1)
    world.edit(ALICE, attendees=[CAROLS, STRANGER])
    with world.writes() as seen:
        world.pull()
    assert seen == []
    assert _people(world, record) == {"users": {ALICE, BOB}}
    world.change(record, name="Renamed")
    world.settle()
    assert world.event(ALICE).attendees == {CAROLS, STRANGER}
    world.quiet()


def test_r07_only_outlook_to_crm_people_added_in_the_crm_stay_there_alone(world: World) -> None:
    world.choose(ALICE, mode="outlook_to_crm")
    world.settle()
    world.outlook_create(ALICE, attendees=[BOBS])
    world.pull()
    record = world.only_record()["id"]
    world.change(record, usersIds=[ALICE, BOB, CAROL], contactsIds=[DAVE])
    with world.writes() as seen:
        world.pull()
    assert seen == []
    world.edit(ALICE, attendees=[BOBS, ERINS])
    world.pull()
    assert _people(world) == {"users": {ALICE, BOB, CAROL}, "contacts": {DAVE, ERIN}}
    assert world.event(ALICE).attendees == {BOBS, ERINS}
    world.quiet()
