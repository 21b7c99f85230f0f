"""R16: Teams on request; the join address reaches the record and nothing ends the online meeting."""

from __future__ import annotations

import pytest

from tests.world import ALICE, BOB, World

JOIN = "https://teams.microsoft.com/l/meetup-join/"


def test_r16_on_request_the_event_is_a_teams_meeting_and_the_record_has_its_address(world: World) -> None:
    world.choose(ALICE, teams_for_new=True)
    record = world.save()
    world.settle()
    event = world.event(ALICE)
    assert event.isOnlineMeeting is True
    assert world.record(record)["cOutlookJoinUrl"] == event.onlineMeeting["joinUrl"]
    assert event.onlineMeeting["joinUrl"].startswith(JOIN)


def test_r16_without_request_it_is_none(world: World) -> None:
    record = world.save()
    world.settle()
    assert world.event(ALICE).isOnlineMeeting is False
    assert not world.record(record)["cOutlookJoinUrl"]


def test_pain_21_a_changed_description_keeps_the_meeting(world: World) -> None:
    world.choose(ALICE, teams_for_new=True)
    record = world.save(description="Agenda 1")
    world.settle()
    address = world.event(ALICE).onlineMeeting["joinUrl"]
    world.change(record, description="Agenda 2")
    world.settle()
    event = world.event(ALICE)
    assert event.isOnlineMeeting is True
    assert "Agenda 2" in event.body["content"]
    assert "Agenda 1" not in event.body["content"]
    assert event.body["content"].count(address) == event.body["content"].count(JOIN)
    assert address in event.body["content"]
    world.change(record, description="")
    world.settle()
    assert address in world.event(ALICE).body["content"]


def test_pain_21_a_renamed_meeting_sends_no_body(world: World) -> None:
    world.choose(ALICE, teams_for_new=True)
    record = world.save(description="Agenda")
    world.settle()
    before = world.event(ALICE)
    world.change(record, name="Renamed")
    world.settle()
    after = world.event(ALICE)
    assert after.body == before.body
    assert after.onlineMeeting == before.onlineMeeting


def test_r16_switching_the_setting_off_ends_no_meeting(world: World) -> None:
    world.choose(ALICE, teams_for_new=True)
    record = world.save(description="Agenda")
    world.settle()
    world.choose(ALICE, teams_for_new=False)
    world.change(record, name="Renamed", description="Other agenda")
    world.settle()
    assert world.event(ALICE).isOnlineMeeting is True
    assert JOIN in world.event(ALICE).body["content"]


def test_r16_a_lost_join_address_is_written_again(world: World) -> None:
    world.choose(ALICE, teams_for_new=True)
    record = world.save()
    world.settle()
    world.change(record, cOutlookJoinUrl="")
    world.settle()
    assert world.record(record)["cOutlookJoinUrl"] == world.event(ALICE).onlineMeeting["joinUrl"]


def test_r16_the_address_is_written_once_and_then_rests(world: World) -> None:
    world.choose(ALICE, teams_for_new=True)
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.mails()
    world.plugins.hook.calsync_entity_updated(entity_type="Meeting", record={"id": record}, changed=None)
    with world.watched() as sent:
        world.settle()
    assert sent == []
    assert world.mails() == []


@pytest.mark.parametrize("status", [401, 403, 503])
def test_r16_a_crm_that_refuses_the_address_costs_no_second_event(world: World, status: int) -> None:
    world.choose(ALICE, teams_for_new=True)
    world.crm_fails(method="PUT", path="Meeting/", status=status, times=1)
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    assert world.event(ALICE).isOnlineMeeting is True
    assert world.account(ALICE).status == "connected"
    assert world.mails() == [("invitation", "bob@example.com")]
    world.change(record, name="Renamed")
    world.settle()
    assert world.record(record)["cOutlookJoinUrl"] == world.event(ALICE).onlineMeeting["joinUrl"]


def test_r16_a_moved_meeting_gets_the_new_organizers_address(world: World) -> None:
    world.choose(ALICE, teams_for_new=True)
    world.choose(BOB, teams_for_new=True)
    record = world.save()
    world.settle()
    first = world.record(record)["cOutlookJoinUrl"]
    world.reassign(record, BOB)
    world.settle()
    assert world.events(ALICE) == []
    assert world.event(BOB).isOnlineMeeting is True
    assert world.record(record)["cOutlookJoinUrl"] == world.event(BOB).onlineMeeting["joinUrl"] != first
