"""The week of a user: records and events on top of each other, with their link's state."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from calsync_plugin.accounts.week import Entry, Side, week_of
from tests.pages import Browser, path_of
from tests.world import ALICE, BOB, World

ZONE = "Europe/Berlin"
MONDAY = date(2026, 11, 30)
"""Of the week in which the world's meetings lie, the one after it begins."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.connect(ALICE)
    yield made
    made.close()


def shown(world: World, user_id: str = ALICE) -> dict[str, Entry]:
    entries = week_of(world.app, world.account(user_id), MONDAY, ZONE)
    found = {entry.subject: entry for entry in entries}
    assert len(found) == len(entries)
    return found


def test_a_synced_meeting_is_one_entry(world: World) -> None:
    world.save(name="Kick-off", assignedUserId=ALICE)
    world.settle()
    entry = shown(world)["Kick-off"]
    assert (entry.side, entry.state, entry.entity_type) == (Side.BOTH, "In step", "Meeting")


def test_a_colleagues_meeting_is_in_both_places(world: World) -> None:
    world.connect(BOB)
    record = world.save(name="Kick-off", assignedUserId=BOB, usersIds=[ALICE, BOB])
    world.settle()
    world.pull(ALICE)
    entry = shown(world)["Kick-off"]
    assert (entry.side, entry.state, entry.detail) == (Side.BOTH, "In step", "")
    world.api("PUT", f"Meeting/{record}", json={"dateEnd": "2026-12-01 12:00:00"})
    assert shown(world)["Kick-off"].state == "Under way"


def test_what_only_outlook_has(world: World) -> None:
    world.settle()
    world.outlook_create(ALICE, subject="Dentist")
    entry = shown(world)["Dentist"]
    assert (entry.side, entry.state) == (Side.OUTLOOK, "Not linked")


def test_what_only_the_crm_has(world: World) -> None:
    world.app.connections.pause(ALICE)
    world.save(name="Alone", assignedUserId=ALICE)
    entry = shown(world)["Alone"]
    assert (entry.side, entry.state, entry.detail) == (Side.CRM, "Not linked", "Only in the CRM")


def test_a_moved_meeting_stands_twice_until_it_is_synced(world: World) -> None:
    record = world.save(name="Kick-off", assignedUserId=ALICE)
    world.settle()
    (event,) = world.events(ALICE)
    moved = {"start": "2026-12-03T10:00:00", "end": "2026-12-03T11:00:00"}
    world.outlook_patch(ALICE, event.json["id"], subject="Kick-off, moved", **moved)
    found = shown(world)
    assert {s: (e.side, e.state) for s, e in found.items()} == {
        "Kick-off": (Side.CRM, "Under way"),
        "Kick-off, moved": (Side.OUTLOOK, "Under way"),
    }
    assert record


def test_a_private_event_shows_no_subject(world: World) -> None:
    world.settle()
    world.outlook_create(ALICE, subject="Secret", sensitivity="private")
    assert set(shown(world)) == {"Private meeting"}


def test_an_all_day_entry_stands_on_its_days_alone(world: World) -> None:
    world.save(
        name="Fair",
        assignedUserId=ALICE,
        isAllDay=True,
        dateStartDate=(MONDAY + timedelta(days=1)).isoformat(),
        dateEndDate=(MONDAY + timedelta(days=2)).isoformat(),
    )
    entry = shown(world)["Fair"]
    days = [n for n in range(7) if entry.on(MONDAY + timedelta(days=n), ZONE)]
    assert days == [1, 2]


def test_the_page_shows_the_week_in_the_users_zone(world: World) -> None:
    world.save(name="Kick-off", assignedUserId=ALICE)
    world.settle()
    page = Browser(world)
    page.sign_in("alice")
    text = page.get("/external-account/week?from=2026-12-03").text
    assert "Kick-off" in text
    assert "In step" in text
    assert "Times in Europe/Berlin" in text
    assert "Kick-off" not in page.get("/external-account/week?from=2027-06-01").text


@pytest.mark.parametrize("asked", ["", "nonsense", "0001-01-01", "9999-12-31", "2026-02-30"])
def test_a_week_that_no_calendar_has_is_this_week(world: World, asked: str) -> None:
    page = Browser(world)
    page.sign_in("alice")
    assert "Week of 23 November 2026" in page.get("/external-account/week", query_string={"from": asked}).text


def test_another_users_week_is_out_of_reach(world: World) -> None:
    world.save(name="Kick-off", assignedUserId=ALICE)
    world.settle()
    world.connect(BOB)
    page = Browser(world)
    page.sign_in("bob")
    assert "Kick-off" not in page.get(f"/external-account/week?from={MONDAY}&user={ALICE}").text
    page.post("/sign-out")
    page.sign_in("alice")
    assert "Kick-off" in page.get(f"/external-account/week?from={MONDAY}&user={BOB}").text


def test_who_is_not_connected_is_led_to_the_account(world: World) -> None:
    page = Browser(world)
    page.sign_in("carol")
    assert path_of(page.get("/external-account/week")) == "/external-account"
