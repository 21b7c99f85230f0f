"""R16 the other way: the address of an online meeting born in Outlook is on its record, the meeting stays."""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import ALICE, BOB, World

JOIN = "https://teams.microsoft.com/l/meetup-join/"
TEAMS: dict[str, Any] = {"isOnlineMeeting": True, "onlineMeetingProvider": "teamsForBusiness"}


@pytest.mark.parametrize(("kind", "label"), [("Meeting", ""), ("Call", "C: "), ("Visit", "V: ")])
@pytest.mark.parametrize("mode", ["both", "outlook_to_crm"])
def test_r16_the_join_address_of_an_imported_meeting_is_on_the_record(
    world: World, mode: str, kind: str, label: str
) -> None:
    world.choose(ALICE, mode=mode)
    world.outlook_create(
        ALICE, subject=f"{label}Talk", body="<p>Agenda</p>", attendees=["bob@example.com"], **TEAMS
    )
    world.pull()
    record, event = world.only_record(kind), world.event(ALICE)
    assert record["cOutlookJoinUrl"] == event.onlineMeeting["joinUrl"]
    assert record["cOutlookJoinUrl"].startswith(JOIN)
    assert record["description"] == "Agenda"
    world.quiet()


def test_r16_an_invitation_from_elsewhere_brings_its_address(world: World) -> None:
    world.invite_from_outside(ALICE, BOB, body="<p>Agenda</p>", **TEAMS)
    world.pull()
    record = world.only_record()
    assert record["cOutlookJoinUrl"] == world.event(ALICE).onlineMeeting["joinUrl"]
    assert record["description"] == "Agenda"
    world.quiet()


@pytest.mark.parametrize("born", ["crm", "outlook"])
def test_r16_a_meeting_that_is_made_online_in_outlook_later_brings_its_address(
    world: World, born: str
) -> None:
    if born == "crm":
        world.save(description="Agenda")
    else:
        world.outlook_create(ALICE, body="<p>Agenda</p>")
    world.pull()
    assert not world.only_record()["cOutlookJoinUrl"]
    world.edit(ALICE, **TEAMS)
    world.pull()
    record = world.only_record()
    assert record["cOutlookJoinUrl"] == world.event(ALICE).onlineMeeting["joinUrl"]
    assert record["description"] == "Agenda"
    world.quiet()


def test_pain_21_no_edit_of_the_record_ends_an_imported_online_meeting(world: World) -> None:
    world.choose(ALICE, description_both_ways=True)
    world.outlook_create(ALICE, body="<p>Agenda</p>", attendees=["bob@example.com"], **TEAMS)
    world.pull()
    record = world.only_record()["id"]
    before = world.event(ALICE)
    edits: list[dict[str, Any]] = [
        {"name": "Renamed"},
        {"dateStart": "2026-12-05 10:00:00", "dateEnd": "2026-12-05 11:00:00"},
        {"usersIds": [ALICE]},
        {"contactsIds": []},
    ]
    for edit in edits:
        world.change(record, **edit)
        world.settle()
        assert world.event(ALICE).body == before.body
    world.change(record, description="Other agenda")
    world.settle()
    after = world.event(ALICE)
    assert after.isOnlineMeeting is True
    assert after.onlineMeeting == before.onlineMeeting
    assert before.onlineMeeting["joinUrl"] in after.body["content"]
    assert "Other agenda" in after.body["content"]
    world.quiet()


def test_pain_21_an_edit_in_outlook_of_a_meeting_that_we_made_online_stays_outside_the_block(
    world: World,
) -> None:
    world.choose(ALICE, teams_for_new=True, description_both_ways=True)
    record = world.save(description="Agenda")
    world.settle()
    body = world.event(ALICE).body["content"]
    world.edit(ALICE, body=body.replace("Agenda", "Agenda of Outlook"))
    world.pull()
    assert world.record(record)["description"] == "Agenda of Outlook"
    world.edit(ALICE, subject="Renamed")
    world.pull()
    assert world.record(record)["description"] == "Agenda of Outlook"
    assert world.event(ALICE).isOnlineMeeting is True
    world.quiet()


def test_r16_a_setting_for_new_meetings_makes_no_teams_meeting_of_imported_ones(world: World) -> None:
    world.choose(ALICE, teams_for_new=True)
    world.outlook_create(ALICE, attendees=["bob@example.com"])
    world.pull()
    world.mails()
    world.change(world.only_record()["id"], name="Renamed")
    world.settle()
    assert world.event(ALICE).isOnlineMeeting is False
    assert not world.only_record()["cOutlookJoinUrl"]
    world.quiet()


def test_r16_the_address_is_ours_to_write_in_every_mode(world: World) -> None:
    record = world.save()
    world.settle()
    world.choose(ALICE, mode="crm_to_outlook")
    world.settle()
    world.edit(ALICE, subject="Edited", **TEAMS)
    world.pull()
    assert world.record(record)["name"] == "Kick-off"
    assert world.record(record)["cOutlookJoinUrl"] == world.event(ALICE).onlineMeeting["joinUrl"]
    world.quiet()


def test_r16_the_address_of_a_private_meeting_reaches_nobody(world: World) -> None:
    world.choose(ALICE, private_events="busy")
    event = world.outlook_create(ALICE, sensitivity="private", **TEAMS)
    world.pull()
    assert not world.only_record()["cOutlookJoinUrl"]
    world.quiet()
    assert not world.only_record()["cOutlookJoinUrl"]
    world.outlook_patch(ALICE, event, sensitivity="normal")
    world.pull()
    assert world.only_record()["cOutlookJoinUrl"].startswith(JOIN)
    world.outlook_patch(ALICE, event, sensitivity="private")
    world.pull()
    assert not world.only_record()["cOutlookJoinUrl"]
    world.quiet()
