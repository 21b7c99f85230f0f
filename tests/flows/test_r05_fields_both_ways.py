"""R5 both ways: fields that only some kinds of records have, and the status, which is the CRM's alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.flows.conftest import MakeWorld
from tests.world import ALICE, BOB, World

ATTRIBUTES: dict[str, Any] = {
    "reminder": "cReminder",
    "sensitivity": "cSensitivity",
    "show_as": "cShowAs",
    "online": "cOnline",
}


@pytest.fixture
def rich(make_world: MakeWorld) -> World:
    """A world in which visits have attributes for reminder, sensitivity, show-as and Teams."""
    plain = make_world()
    entities = tuple(
        replace(entity, **ATTRIBUTES) if entity.entity_type == "Visit" else entity
        for entity in plain.settings.crm.entities
    )
    world = make_world(crm=replace(plain.settings.crm, entities=entities))
    visit = world.crm.store.entity("Visit")
    world.crm.store.redefine(
        replace(
            visit,
            attributes=(*visit.attributes, *ATTRIBUTES.values()),
            writable=visit.writable | set(ATTRIBUTES.values()),
        )
    )
    world.connect(ALICE, private_events="full")
    world.connect(BOB)
    world.settle()
    return world


IN = [
    pytest.param({"reminderMinutesBeforeStart": 45}, {"cReminder": 45}, id="reminder"),
    pytest.param({"isReminderOn": False}, {"cReminder": None}, id="reminder-off"),
    pytest.param({"showAs": "oof"}, {"cShowAs": "oof"}, id="away"),
    pytest.param({"showAs": "workingElsewhere"}, {"cShowAs": "workingElsewhere"}, id="elsewhere"),
    pytest.param({"showAs": "free"}, {"cShowAs": "free"}, id="free"),
    pytest.param({"sensitivity": "personal"}, {"cSensitivity": "personal"}, id="personal"),
    pytest.param({"sensitivity": "confidential"}, {"cSensitivity": "confidential"}, id="confidential"),
    pytest.param({"location": "Room 7"}, {"location": "Room 7"}, id="location"),
    pytest.param({"location": ""}, {"location": ""}, id="no-location"),
]


@pytest.mark.parametrize(("edit", "expected"), IN)
@pytest.mark.parametrize("born", ["crm", "outlook"])
def test_r05_an_edit_in_outlook_reaches_the_record(
    rich: World, born: str, edit: dict[str, Any], expected: dict[str, Any]
) -> None:
    if born == "crm":
        rich.save("Visit", location="Room 1", cReminder=15, cShowAs="busy")
    else:
        rich.outlook_create(ALICE, subject="V: Fair", location="Room 1")
    rich.pull()
    rich.edit(ALICE, **edit)
    with rich.writes() as seen:
        rich.pull()
    record = rich.only_record("Visit")
    assert {name: record[name] for name in expected} == expected
    assert [line.split("/")[0] for line in seen] == ["PUT "]
    rich.quiet()


OUT = [
    pytest.param({"cReminder": 45}, {"isReminderOn": True, "reminderMinutesBeforeStart": 45}, id="reminder"),
    pytest.param({"cReminder": None}, {"isReminderOn": False}, id="reminder-off"),
    pytest.param({"cShowAs": "oof"}, {"showAs": "oof"}, id="away"),
    pytest.param({"cShowAs": "Working Elsewhere"}, {"showAs": "workingElsewhere"}, id="elsewhere"),
    pytest.param({"cSensitivity": "personal"}, {"sensitivity": "personal"}, id="personal"),
    pytest.param({"cSensitivity": "private"}, {"sensitivity": "private"}, id="private"),
]


@pytest.mark.parametrize(("edit", "expected"), OUT)
@pytest.mark.parametrize("born", ["crm", "outlook"])
def test_r05_an_edit_of_the_record_reaches_outlook(
    rich: World, born: str, edit: dict[str, Any], expected: dict[str, Any]
) -> None:
    if born == "crm":
        rich.save("Visit", location="Room 1", cReminder=15, cShowAs="busy")
    else:
        rich.outlook_create(ALICE, subject="V: Fair", location="Room 1")
    rich.pull()
    rich.change(rich.only_record("Visit")["id"], "Visit", **edit)
    with rich.writes() as seen:
        rich.settle()
    event = rich.event(ALICE)
    assert {name: event.json[name] for name in expected} == expected
    assert [line.split("/")[0] for line in seen] == ["PATCH "]
    rich.quiet()


@pytest.mark.parametrize("private", ["skip", "busy", "full"])
@pytest.mark.parametrize("born", ["crm", "outlook"])
def test_r14_made_private_in_the_crm_what_outlook_holds_is_on_record_first(
    rich: World, born: str, private: str
) -> None:
    rich.choose(ALICE, private_events=private)
    if born == "crm":
        rich.save("Visit", location="Room 1")
    else:
        rich.outlook_create(ALICE, subject="V: Fair", location="Room 1")
    rich.pull()
    rich.edit(ALICE, location="Room 7")
    record = rich.only_record("Visit")["id"]
    rich.change(record, "Visit", cSensitivity="private")
    rich.crm_fails(method="PUT", path="/Visit", status=400, times=None)
    rich.pull()
    assert rich.event(ALICE).json["sensitivity"] == "normal"
    rich.crm.faults.clear()
    rich.change(record, "Visit", cShowAs="free")
    rich.pull()
    assert rich.only_record("Visit")["location"] == "Room 7"
    assert rich.event(ALICE).json["sensitivity"] == "private"
    rich.quiet()


def test_r05_a_reminder_and_show_as_of_an_attendees_copy_are_that_persons_alone(rich: World) -> None:
    record = rich.save("Visit", usersIds=[ALICE, BOB], cReminder=15, cShowAs="busy")
    rich.pull()
    rich.edit(BOB, reminderMinutesBeforeStart=120, showAs="free")
    with rich.writes() as seen:
        rich.pull()
    assert seen == []
    assert rich.event(ALICE).reminderMinutesBeforeStart == 15
    assert rich.record(record, "Visit")["cReminder"] == 15
    rich.quiet()


def test_r05_a_location_that_the_record_has_no_place_for_stays_in_outlook(world: World) -> None:
    event = world.outlook_create(ALICE, location="Room 7")
    world.pull()
    record = world.only_record()["id"]
    world.change(record, name="Renamed", dateStart="2026-12-04 10:00:00", dateEnd="2026-12-04 11:00:00")
    world.settle()
    assert world.event(ALICE).location["displayName"] == "Room 7"
    world.outlook_patch(ALICE, event, location="Room 8")
    with world.writes() as seen:
        world.pull()
    assert seen == []
    world.quiet()


def test_r05_several_places_of_an_event_are_not_merged_away(world: World) -> None:
    places = [{"displayName": "Room 7"}, {"displayName": "Online"}]
    world.outlook_create(ALICE, subject="V: Fair", locations=places)
    world.pull()
    record = world.only_record("Visit")
    world.change(record["id"], "Visit", name="Trade fair")
    world.settle()
    assert [place["displayName"] for place in world.event(ALICE).locations] == ["Room 7", "Online"]
    world.quiet()


@pytest.mark.parametrize("status", ["Held", "Not Held"])
@pytest.mark.parametrize("born", ["crm", "outlook"])
def test_r05_held_or_not_writes_nothing(world: World, born: str, status: str) -> None:
    if born == "crm":
        world.save(usersIds=[ALICE, BOB])
    else:
        world.outlook_create(ALICE, attendees=["bob@example.com"])
    world.pull()
    world.mails()
    record = world.only_record()["id"]
    world.change(record, status=status)
    with world.writes() as seen:
        world.pull()
    assert seen == []
    # It is followed all the same, and what Outlook says does not touch the status.
    world.edit(ALICE, subject="Renamed")
    world.pull()
    assert (world.record(record)["name"], world.record(record)["status"]) == ("Renamed", status)
    world.quiet()
    assert {kind for kind, _ in world.mails()} <= {"update"}


def test_r05_a_new_record_of_outlook_is_planned(world: World) -> None:
    world.outlook_create(ALICE)
    world.pull()
    assert world.only_record()["status"] == "Planned"


def test_r05_what_only_outlook_has_survives_every_write_of_the_record(world: World) -> None:
    mine: dict[str, Any] = {
        "categories": ["Red", "Travel"],
        "importance": "high",
        "showAs": "oof",
        "reminderMinutesBeforeStart": 90,
        "sensitivity": "personal",
        "responseRequested": False,
        "hideAttendees": True,
    }
    world.outlook_create(ALICE, **mine)
    world.pull()
    record = world.only_record()["id"]
    world.change(record, name="One")
    world.settle()
    world.change(record, usersIds=[ALICE, BOB])
    world.settle()
    world.change(record, dateStart="2026-12-04 10:00:00", dateEnd="2026-12-04 11:00:00")
    world.settle()
    event = world.event(ALICE)
    assert {name: event.json[name] for name in mine} == mine
    world.quiet()


def test_r05_what_only_the_crm_has_survives_every_edit_in_outlook(world: World) -> None:
    account = world.api("POST", "Account", json={"name": "Contoso"})
    record = world.save("Call", direction="Inbound", parentType="Account", parentId=account["id"])
    world.settle()
    world.edit(ALICE, subject="C: Renamed", start="2026-12-04T10:00:00", end="2026-12-04T11:00:00")
    world.pull()
    saved = world.record(record, "Call")
    assert (saved["name"], saved["direction"], saved["parentId"]) == ("Renamed", "Inbound", account["id"])
    world.quiet()


@pytest.mark.parametrize("mode", ["both", "outlook_to_crm", "crm_to_outlook"])
@pytest.mark.parametrize("entity_type", ["Meeting", "Call", "Visit"])
def test_r05_each_mode_carries_each_kind_only_its_way(world: World, mode: str, entity_type: str) -> None:
    label = {"Meeting": "", "Call": "C: ", "Visit": "V: "}[entity_type]
    world.choose(ALICE, mode=mode)
    world.settle()
    world.clock.advance(1)
    world.save(entity_type, name="Of the CRM")
    world.outlook_create(ALICE, subject=f"{label}Of Outlook")
    world.pull()
    names = {record["name"] for record in world.records(entity_type)}
    subjects = {event.subject for event in world.events(ALICE)}
    assert ("Of Outlook" in names) == (mode != "crm_to_outlook")
    assert (f"{label}Of the CRM" in subjects) == (mode != "outlook_to_crm")
    world.quiet()
    assert world.mails() == []
