"""R14: what is private in Outlook stays there; what was open before is masked at once, logs too."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from calsync_plugin.accounts.choices import choose
from tests.world import ALICE, BOB, DAVE, World

CLOSED = pytest.mark.parametrize("sensitivity", ["private", "confidential"])
SECRET = "Oncologist"
TEAM = "5f0000000000f1001"
DETAILS: dict[str, Any] = {
    "body": f"<p>{SECRET}: bring the results</p>",
    "location": f"{SECRET}, 2nd floor",
    "attendees": ["dave@contoso.example", "bob@example.com", "stranger@elsewhere.example"],
    "isOnlineMeeting": True,
    "onlineMeetingProvider": "teamsForBusiness",
}


def _set(world: World, user_id: str = ALICE, **settings: Any) -> None:
    """Choose as on the settings page, and let it come into force."""
    world.clock.advance(1)
    choose(world.app.store, world.app.gateway, user_id, settings)
    world.pull()


def _visit(world: World, **properties: Any) -> str:
    """An event of alice's that is nobody else's business."""
    return world.outlook_create(ALICE, **{"subject": f"V: {SECRET}", **DETAILS, **properties})


def _is_masked(world: World, record: dict[str, Any]) -> None:
    assert record["name"] == "Busy"
    assert (record["dateStart"], record["dateEnd"]) == ("2026-12-02 10:00:00", "2026-12-02 11:00:00")
    assert not any(record.get(name) for name in ("description", "location", "cOutlookJoinUrl"))
    assert (record["usersIds"], record["contactsIds"], record["leadsIds"]) == ([ALICE], [], [])
    assert record["teamsIds"] == []
    assert SECRET not in repr(record)


def _is_open(record: dict[str, Any], *, people: bool = True) -> None:
    assert record["name"] == SECRET
    assert record["description"] == f"{SECRET}: bring the results"
    assert record["location"] == f"{SECRET}, 2nd floor"
    assert record["contactsIds"] == ([DAVE] if people else [])
    assert set(record["usersIds"]) == ({ALICE, BOB} if people else {ALICE})


# --- at import


@CLOSED
def test_pain_23_a_private_event_is_skipped_by_default(world: World, sensitivity: str) -> None:
    _visit(world, sensitivity=sensitivity, attendees=[])
    world.outlook_create(ALICE, subject="Open")
    world.pull()
    assert world.records("Visit") == []
    assert world.only_record()["name"] == "Open"
    world.quiet()


def test_r14_personal_is_no_secret(world: World) -> None:
    _visit(world, sensitivity="personal")
    world.pull()
    _is_open(world.only_record("Visit"))


@CLOSED
def test_pain_23_by_setting_a_private_event_is_an_empty_busy_block(world: World, sensitivity: str) -> None:
    _set(world, private_events="busy", default_team=TEAM, create_contacts=True)
    _visit(world, sensitivity=sensitivity)
    world.pull(ALICE)
    _is_masked(world, world.only_record("Visit"))
    world.quiet()
    assert world.event(ALICE).subject == f"V: {SECRET}"
    assert len(world.api("GET", "Contact")["list"]) == 2


@CLOSED
def test_r14_by_setting_a_private_event_comes_in_for_its_owner_alone(world: World, sensitivity: str) -> None:
    _set(world, private_events="full", default_team=TEAM)
    _visit(world, sensitivity=sensitivity)
    world.pull(ALICE)
    record = world.only_record("Visit")
    _is_open(record, people=False)
    assert record["teamsIds"] == []
    assert record["assignedUserId"] == ALICE
    world.quiet()


def test_r14_hidden_details_show_the_time_of_every_imported_event_and_nothing_else(world: World) -> None:
    _set(world, hide_imported_details=True)
    _visit(world)
    own = world.save("Meeting", name="Of the CRM", contactsIds=[DAVE])
    world.pull(ALICE)
    _is_masked(world, world.only_record("Visit"))
    assert world.record(own)["name"] == "Of the CRM"
    world.quiet()


def test_r14_a_private_invitation_from_elsewhere_is_private(world: World) -> None:
    _set(world, private_events="busy")
    world.invite_from_outside(ALICE, subject=SECRET, sensitivity="private", body=f"<p>{SECRET}</p>")
    world.pull()
    record = world.only_record()
    assert record["name"] == "Busy"
    assert SECRET not in repr(record)
    world.quiet()
    assert "eve@partner.example" not in world.notes(ALICE)


# --- becoming private


@pytest.mark.parametrize("private", ["skip", "busy"])
@CLOSED
def test_pain_23_an_event_that_becomes_private_masks_its_record_at_once(
    world: World, private: str, sensitivity: str
) -> None:
    _set(world, private_events=private)
    event = _visit(world)
    world.pull()
    _is_open(world.only_record("Visit"))
    world.outlook_patch(ALICE, event, sensitivity=sensitivity)
    world.pull(ALICE)
    _is_masked(world, world.only_record("Visit"))
    world.quiet()
    # The time is still followed, nothing else is.
    world.outlook_patch(ALICE, event, subject=f"V: {SECRET} again", start="2026-12-02T09:00:00")
    world.pull()
    record = world.only_record("Visit")
    assert (record["name"], record["dateStart"]) == ("Busy", "2026-12-02 09:00:00")
    assert SECRET not in repr(record)
    world.quiet()


@pytest.mark.parametrize("private", ["skip", "busy", "full"])
def test_pain_23_a_record_that_becomes_private_leaves_its_team(world: World, private: str) -> None:
    _set(world, private_events=private, default_team=TEAM)
    event = _visit(world)
    world.pull()
    assert world.only_record("Visit")["teamsIds"] == [TEAM]
    world.outlook_patch(ALICE, event, sensitivity="private")
    world.pull(ALICE)
    record = world.only_record("Visit")
    assert record["teamsIds"] == []
    if private == "full":
        _is_open(record, people=False)
    world.quiet()
    _set(world, private_events="full")
    assert world.only_record("Visit")["teamsIds"] == []
    world.quiet()


@pytest.mark.parametrize("private", ["skip", "busy"])
def test_pain_23_what_was_noted_of_it_becomes_unreadable(world: World, private: str) -> None:
    _set(world, private_events=private, clash="outlook", description_both_ways=True)
    event = _visit(world)
    world.pull()
    record = world.only_record("Visit")["id"]
    world.outlook_patch(ALICE, event, subject=f"V: {SECRET} 1", body=f"<p>{SECRET} 1</p>")
    world.change(record, "Visit", name=f"{SECRET} 2", description=f"{SECRET} 2")
    world.pull()
    assert len(world.app.store.log.clashes(ALICE)) == 2
    world.outlook_patch(ALICE, event, sensitivity="private")
    world.pull(ALICE)
    assert world.app.store.log.clashes(ALICE) == []
    assert SECRET not in world.notes(ALICE)
    assert "private" in world.notes(ALICE)
    world.quiet()


def test_r14_edited_in_the_crm_while_it_becomes_private_nothing_is_lost_or_shown(world: World) -> None:
    event = _visit(world)
    world.pull()
    record = world.only_record("Visit")["id"]
    world.outlook_patch(ALICE, event, sensitivity="private")
    world.change(record, "Visit", name=f"{SECRET} of the CRM")
    world.pull(ALICE)
    assert world.record(record, "Visit")["name"] == "Busy"
    assert world.event(ALICE).subject in {f"V: {SECRET}", f"V: {SECRET} of the CRM"}
    assert all(SECRET not in repr(clash) for clash in world.app.store.log.clashes(ALICE))
    world.quiet()


@pytest.mark.parametrize("private", ["skip", "busy"])
def test_r14_open_again_the_content_comes_in_like_any_change(world: World, private: str) -> None:
    _set(world, private_events=private)
    event = _visit(world)
    world.pull()
    world.outlook_patch(ALICE, event, sensitivity="private")
    world.pull()
    world.mails()
    world.outlook_patch(ALICE, event, sensitivity="normal")
    world.mails()
    world.pull()
    _is_open(world.only_record("Visit"))
    assert world.only_record("Visit")["cOutlookJoinUrl"]
    world.quiet()
    assert world.mails() == []


def test_r14_open_again_after_it_was_private_at_import(world: World) -> None:
    _set(world, private_events="busy")
    event = _visit(world, sensitivity="private")
    world.pull(ALICE)
    _is_masked(world, world.only_record("Visit"))
    world.outlook_patch(ALICE, event, sensitivity="normal")
    world.pull()
    _is_open(world.only_record("Visit"))
    world.quiet()


def test_r14_a_skipped_event_that_is_opened_gets_its_record(world: World) -> None:
    event = _visit(world, sensitivity="private")
    world.pull(ALICE)
    assert world.records("Visit") == []
    world.outlook_patch(ALICE, event, sensitivity="normal")
    world.pull()
    _is_open(world.only_record("Visit"))
    world.quiet()


# --- edits of the mask


def test_r14_an_edit_of_the_mask_never_reaches_the_event_but_a_move_does(world: World) -> None:
    _set(world, private_events="busy")
    _visit(world, sensitivity="private")
    world.pull(ALICE)
    record = world.only_record("Visit")["id"]
    world.mails()
    world.change(record, "Visit", name="Lunch", description="Text", location="Here", usersIds=[ALICE, BOB])
    with world.writes() as seen:
        world.settle()
    assert seen == []
    event = world.event(ALICE)
    assert (event.subject, event.location["displayName"]) == (f"V: {SECRET}", f"{SECRET}, 2nd floor")
    assert world.mails() == []
    world.change(record, "Visit", dateStart="2026-12-03 10:00:00", dateEnd="2026-12-03 11:00:00")
    world.settle()
    moved = world.event(ALICE)
    assert (moved.start, moved.subject) == ("2026-12-03T10:00:00", f"V: {SECRET}")
    assert moved.attendees == event.attendees
    world.quiet()


def test_r14_a_private_event_that_is_removed_removes_its_mask(world: World) -> None:
    _set(world, private_events="busy")
    event = _visit(world, sensitivity="private", attendees=[])
    world.pull()
    assert len(world.records("Visit")) == 1
    world.outlook_delete(ALICE, event)
    world.pull()
    assert world.records("Visit") == []
    world.quiet()


def test_r14_a_mask_that_is_removed_in_the_crm_leaves_the_event(world: World) -> None:
    _set(world, private_events="busy")
    _visit(world, sensitivity="private", attendees=[])
    world.pull()
    world.remove(world.only_record("Visit")["id"], "Visit")
    world.settle()
    world.pull()
    assert world.event(ALICE).subject == f"V: {SECRET}"
    assert world.records("Visit") == []
    world.quiet()


# --- what the CRM bore


@pytest.mark.parametrize("private", ["skip", "busy", "full"])
@CLOSED
def test_r14_a_crm_meeting_marked_private_in_outlook_keeps_what_the_crm_says(
    world: World, private: str, sensitivity: str
) -> None:
    _set(world, private_events=private)
    record = world.save(
        "Visit", name="Of the CRM", location="Room 1", contactsIds=[DAVE], usersIds=[ALICE, BOB]
    )
    world.settle()
    world.edit(ALICE, sensitivity=sensitivity)
    world.pull()
    before = world.record(record, "Visit")
    assert (before["name"], before["location"], before["contactsIds"]) == ("Of the CRM", "Room 1", [DAVE])
    world.quiet()
    world.edit(ALICE, subject=f"V: {SECRET}", location=SECRET, start="2026-12-01T09:00:00")
    world.pull()
    after = world.record(record, "Visit")
    assert after["dateStart"] == "2026-12-01 09:00:00"
    if private == "full":
        assert (after["name"], after["location"]) == (SECRET, SECRET)
    else:
        assert SECRET not in repr(after)
    world.change(record, "Visit", name="Newer of the CRM")
    world.settle()
    assert world.event(ALICE).subject == "V: Newer of the CRM"
    world.quiet()


def test_r14_a_crm_meeting_that_is_no_longer_private_takes_what_outlook_says(world: World) -> None:
    record = world.save("Visit", name="Of the CRM", location="Room 1")
    world.settle()
    world.edit(ALICE, sensitivity="private")
    world.pull()
    world.edit(ALICE, location="Room 2")
    world.pull()
    assert world.record(record, "Visit")["location"] == "Room 1"
    world.edit(ALICE, sensitivity="normal")
    world.pull()
    assert world.record(record, "Visit")["location"] == "Room 2"
    world.quiet()


# --- settings that change


def test_r14_the_setting_changes_and_what_is_known_follows_it(world: World) -> None:
    _visit(world, sensitivity="private")
    world.pull(ALICE)
    assert world.records("Visit") == []
    _set(world, private_events="busy")
    _is_masked(world, world.only_record("Visit"))
    _set(world, private_events="full")
    _is_open(world.only_record("Visit"), people=False)
    _set(world, private_events="busy")
    _is_masked(world, world.only_record("Visit"))
    _set(world, private_events="skip")
    _is_masked(world, world.only_record("Visit"))
    world.quiet()


def test_r14_details_hidden_and_shown_again(world: World) -> None:
    _visit(world)
    world.pull()
    _is_open(world.only_record("Visit"))
    _set(world, hide_imported_details=True)
    _is_masked(world, world.only_record("Visit"))
    world.quiet()
    world.edit(ALICE, location=f"{SECRET}, 3rd floor")
    world.pull()
    _is_masked(world, world.only_record("Visit"))
    world.edit(ALICE, location=f"{SECRET}, 2nd floor")
    _set(world, hide_imported_details=False)
    _is_open(world.only_record("Visit"))
    world.quiet()


# --- nothing of it anywhere else


@pytest.mark.parametrize("private", ["skip", "busy"])
def test_pain_23_nothing_of_a_private_event_lies_in_the_store_or_the_log_files(
    world: World, private: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="calsync_plugin")
    _set(world, private_events=private)
    event = _visit(world, sensitivity="private")
    world.plant(ALICE, subject=SECRET, sensitivity="private", start=None)
    world.plant(ALICE, subject=SECRET, sensitivity="confidential", end={"dateTime": "x", "timeZone": "UTC"})
    world.pull(ALICE)
    world.outlook_patch(ALICE, event, subject=f"V: {SECRET} again")
    world.pull(ALICE)
    assert SECRET not in caplog.text
    with world.app.store._database.read() as connection:
        tables = ("links", "copies", "bases", "parked", "notes", "clashes", "journal", "event_marks")
        rows = [connection.exec_driver_sql(f"SELECT * FROM {name}").all() for name in tables]
    assert SECRET not in repr(rows)
    assert len(world.app.store.parked.all()) == 2
    assert all(SECRET not in repr(told) for told in world.told)


@pytest.mark.parametrize("known", [False, True], ids=["new", "followed"])
def test_r14_what_cannot_be_read_is_not_named_by_its_subject(
    world: World, known: bool, caplog: pytest.LogCaptureFixture
) -> None:
    world.plant(ALICE, subject=SECRET, start=None)
    event = _visit(world) if known else ""
    world.pull(ALICE)
    if known:
        world.spoil(ALICE, event, end=None)
        world.pull(ALICE)
    parked = world.app.store.parked.all()
    assert [one.reason for one in parked] == ["no_time"] * (2 if known else 1)
    assert {one.message.split(":")[0] for one in parked} == {f"event {one.event_id[-12:]}" for one in parked}
    assert SECRET not in caplog.text
    world.quiet()


def test_r14_a_private_event_is_not_matched_with_a_record(world: World) -> None:
    record = world.save(
        name=SECRET, dateStart="2026-12-02 10:00:00", dateEnd="2026-12-02 11:00:00", assignedUserId=BOB
    )
    world.api("PUT", f"Meeting/{record}", json={"assignedUserId": ALICE, "usersIds": [ALICE]})
    world.settle()
    world.outlook_create(ALICE, subject=SECRET, sensitivity="private")
    world.pull(ALICE)
    assert [r["id"] for r in world.records()] == [record]
    world.quiet()
