"""R15: when a meeting takes place, in both calendars alike: days as dates, times as instants."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.flows.conftest import MakeWorld
from tests.world import ALICE, BOB, World


def _days(first: str, last: str) -> dict[str, Any]:
    return {"isAllDay": True, "dateStartDate": first, "dateEndDate": last, "dateStart": None, "dateEnd": None}


def _times(start: str, end: str) -> dict[str, Any]:
    days = {"isAllDay": False, "dateStartDate": None, "dateEndDate": None}
    return {**days, "dateStart": start, "dateEnd": end}


@pytest.mark.parametrize(
    ("first", "last", "until"),
    [
        pytest.param("2026-12-01", "2026-12-01", "2026-12-02", id="one-day"),
        pytest.param("2026-12-24", "2026-12-26", "2026-12-27", id="three-days"),
        pytest.param("2026-12-31", "2027-01-01", "2027-01-02", id="over-the-new-year"),
        pytest.param("2027-03-27", "2027-03-28", "2027-03-29", id="clocks-go-forward"),
        pytest.param("2027-10-30", "2027-10-31", "2027-11-01", id="clocks-go-back"),
        pytest.param("2028-02-28", "2028-02-29", "2028-03-01", id="leap-day"),
    ],
)
def test_pain_20_an_all_day_record_lasts_its_days_and_no_hour_more(
    world: World, first: str, last: str, until: str
) -> None:
    world.save(**_days(first, last))
    world.settle()
    event = world.event(ALICE)
    assert event.isAllDay is True
    assert (event.start, event.end) == (f"{first}T00:00:00", f"{until}T00:00:00")


@pytest.mark.parametrize("zone", ["UTC", "Pacific Standard Time", "Tokyo Standard Time", "Europe/Berlin"])
def test_pain_20_all_day_in_any_zone_of_the_mailbox(make_world: MakeWorld, zone: str) -> None:
    world = make_world()
    world.graph("PATCH", ALICE, "mailboxSettings", json={"timeZone": zone})
    world.connect(ALICE)
    record = world.save(**_days("2026-12-01", "2026-12-01"))
    world.settle()
    event = world.event(ALICE)
    assert (event.start, event.end) == ("2026-12-01T00:00:00", "2026-12-02T00:00:00")
    world.change(record, name="Renamed")
    world.settle()
    after = world.event(ALICE)
    assert (after.start, after.end) == (event.start, event.end)


def test_r15_from_all_day_to_timed_and_back(world: World) -> None:
    record = world.save(**_days("2026-12-01", "2026-12-03"))
    world.settle()
    world.change(record, **_times("2026-12-02 09:00:00", "2026-12-02 10:30:00"))
    world.settle()
    event = world.event(ALICE)
    assert (event.isAllDay, event.start, event.end) == (False, "2026-12-02T09:00:00", "2026-12-02T10:30:00")
    world.change(record, isAllDay=True, dateStartDate="2026-12-05", dateEndDate="2026-12-05")
    world.settle()
    event = world.event(ALICE)
    assert (event.isAllDay, event.start, event.end) == (True, "2026-12-05T00:00:00", "2026-12-06T00:00:00")


def test_r15_a_longer_all_day_record_is_one_patch(world: World) -> None:
    record = world.save(**_days("2026-12-01", "2026-12-01"))
    world.settle()
    world.change(record, dateEndDate="2026-12-04")
    with world.watched() as sent:
        world.settle()
    assert sent == ["PATCH"]
    assert world.event(ALICE).end == "2026-12-05T00:00:00"


@pytest.mark.parametrize(
    ("mailbox_zone", "start", "wall"),
    [
        pytest.param("W. Europe Standard Time", "2026-12-01 10:00:00", "2026-12-01T11:00:00", id="winter"),
        pytest.param("W. Europe Standard Time", "2027-07-01 10:00:00", "2027-07-01T12:00:00", id="summer"),
        pytest.param(
            "W. Europe Standard Time", "2027-03-28 00:30:00", "2027-03-28T01:30:00", id="before-forward"
        ),
        pytest.param(
            "W. Europe Standard Time", "2027-03-28 01:00:00", "2027-03-28T03:00:00", id="after-forward"
        ),
        pytest.param(
            "W. Europe Standard Time", "2027-10-31 02:00:00", "2027-10-31T03:00:00", id="after-back"
        ),
        pytest.param(
            "India Standard Time", "2026-12-01 10:00:00", "2026-12-01T15:30:00", id="half-hour-zone"
        ),
        pytest.param("Asia/Kolkata", "2026-12-01 10:00:00", "2026-12-01T15:30:00", id="iana-name"),
        pytest.param("Samoa Standard Time", "2026-12-01 10:00:00", "2026-12-01T23:00:00", id="far-east"),
    ],
)
def test_pain_19_an_event_is_made_in_the_mailboxes_zone(
    make_world: MakeWorld, mailbox_zone: str, start: str, wall: str
) -> None:
    world = make_world()
    world.graph("PATCH", ALICE, "mailboxSettings", json={"timeZone": mailbox_zone})
    world.connect(ALICE)
    world.save(dateStart=start, dateEnd=start)
    world.settle()
    event = world.event(ALICE)
    assert event.start == start.replace(" ", "T")
    assert event.originalStartTimeZone != "UTC"
    shown = world.graph("GET", ALICE, f"events/{event.id}", prefer=f'outlook.timezone="{mailbox_zone}"')
    assert shown["start"]["dateTime"][:19] == wall


@pytest.mark.parametrize("start", ["2027-10-31 00:30:00", "2027-10-31 01:30:00"])
def test_pain_19_an_hour_that_the_clocks_show_twice_is_the_right_one(world: World, start: str) -> None:
    record = world.save(dateStart=start, dateEnd="2027-10-31 04:00:00")
    world.settle()
    assert world.event(ALICE).start == start.replace(" ", "T")
    world.change(record, name="Renamed")
    world.settle()
    assert world.event(ALICE).start == start.replace(" ", "T")


def test_r15_a_changed_time_is_written_in_the_events_own_zone(world: World) -> None:
    record = world.save()
    world.settle()
    tokyo = "Tokyo Standard Time"
    world.edit(
        ALICE,
        start={"dateTime": "2026-12-01T19:00:00", "timeZone": tokyo},
        end={"dateTime": "2026-12-01T20:00:00", "timeZone": tokyo},
    )
    world.change(
        record, usersIds=[ALICE, BOB], dateStart="2026-12-03 10:00:00", dateEnd="2026-12-03 11:00:00"
    )
    world.settle()
    event = world.event(ALICE)
    assert event.start == "2026-12-03T10:00:00"
    assert event.originalStartTimeZone == tokyo


def test_r15_an_edit_of_something_else_leaves_the_times_out(world: World) -> None:
    record = world.save()
    world.settle()
    world.edit(ALICE, start={"dateTime": "2026-12-01T09:30:00", "timeZone": "UTC"})
    world.change(record, name="Renamed")
    world.settle()
    event = world.event(ALICE)
    assert (event.subject, event.start) == ("Renamed", "2026-12-01T09:30:00")


def test_r15_without_a_zone_of_the_mailbox_the_installations_counts(make_world: MakeWorld) -> None:
    plain = make_world()
    world = make_world(crm=replace(plain.settings.crm, time_zone="Europe/Berlin"))
    world.fail(match={"path": "mailboxSettings"}, status=403)
    world.connect(ALICE)
    world.save()
    world.settle()
    assert world.event(ALICE).start == "2026-12-01T10:00:00"
    assert world.event(ALICE).originalStartTimeZone in {"Europe/Berlin", "W. Europe Standard Time"}


def test_r15_a_meeting_over_several_days_keeps_both_ends(world: World) -> None:
    world.save(dateStart="2027-03-26 22:15:00", dateEnd="2027-03-29 01:45:00")
    world.settle()
    event = world.event(ALICE)
    assert (event.start, event.end) == ("2027-03-26T22:15:00", "2027-03-29T01:45:00")


def test_r15_a_call_is_never_all_day(world: World) -> None:
    world.save("Call")
    world.settle()
    assert world.event(ALICE).isAllDay is False
