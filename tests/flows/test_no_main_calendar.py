"""A user without a main calendar: nothing new goes to Outlook, and only the other calendars are read."""

from __future__ import annotations

import pytest

from calsync_plugin.accounts.choices import choose
from calsync_plugin.domain.links import LinkState
from calsync_plugin.errors import SettingsError
from calsync_plugin.settings import NO_CALENDAR
from calsync_plugin.state import AccountStatus
from tests.world import ALICE, BOB, World


def _choose(world: World, main: str, *others: str) -> None:
    choose(
        world.app.store, world.app.gateway, ALICE, {"main_calendar": main, "other_calendars": list(others)}
    )
    world.settle()


def test_only_the_other_calendars_come_in(world: World) -> None:
    projects = world.calendar(ALICE, "Projects")
    _choose(world, NO_CALENDAR, projects)
    world.outlook_create(ALICE, subject="Dentist")
    world.outlook_create(ALICE, calendar=projects, subject="Review")
    world.pull()
    assert world.only_record()["name"] == "Review"
    assert world.account(ALICE).status is AccountStatus.CONNECTED
    world.quiet()


def test_a_new_record_does_not_go_out(world: World) -> None:
    _choose(world, NO_CALENDAR)
    record = world.save()
    world.settle()
    assert world.events(ALICE) == []
    _choose(world, "")
    assert world.events(ALICE) == [], "what waited goes out when the back-fill is confirmed (R8)"
    world.change(record, name="Kick-off, edited")
    world.settle()
    assert world.event(ALICE).subject == "Kick-off, edited"
    world.quiet()


def test_what_is_in_both_places_is_followed_on(world: World) -> None:
    projects = world.calendar(ALICE, "Projects")
    event = world.outlook_create(ALICE, calendar=projects, subject="Review")
    _choose(world, NO_CALENDAR, projects)
    record = str(world.only_record()["id"])
    world.change(record, name="Review in the CRM")
    world.settle()
    assert world.event_at(ALICE, event).subject == "Review in the CRM"
    world.outlook_patch(ALICE, event, subject="Review in Outlook")
    world.pull()
    assert world.record(record)["name"] == "Review in Outlook"
    world.quiet()


def test_records_of_the_former_main_calendar_wait_until_it_is_chosen_again(world: World) -> None:
    record = world.save()
    world.settle()
    event = world.event(ALICE)
    _choose(world, NO_CALENDAR)
    world.pull()
    assert world.link(record).state is LinkState.SUSPENDED
    world.outlook_create(ALICE, subject="Dentist")
    world.outlook_patch(ALICE, event.id, subject="Edited since")
    world.pull()
    assert world.only_record()["name"] == "Kick-off"
    world.quiet()
    _choose(world, "")
    world.pull()
    assert world.record(record)["name"] == "Edited since"
    assert world.link(record).state is LinkState.ACTIVE
    assert sorted(one["name"] for one in world.records()) == ["Dentist", "Edited since"]
    assert world.mails() == []
    world.quiet()


def test_a_record_that_is_handed_to_such_a_user_leaves_the_former_calendar(world: World) -> None:
    _choose(world, NO_CALENDAR)
    record = world.save(assignedUserId=BOB, usersIds=[BOB])
    world.settle()
    assert len(world.events(BOB)) == 1
    world.reassign(record, ALICE)
    world.settle()
    assert world.events(ALICE) == []
    world.quiet()


def test_without_a_calendar_to_write_to_one_direction_makes_no_sense(world: World) -> None:
    with pytest.raises(SettingsError, match="main_calendar"):
        choose(
            world.app.store,
            world.app.gateway,
            ALICE,
            {"main_calendar": NO_CALENDAR, "mode": "crm_to_outlook"},
        )
