"""R15 the other way: whole days stay whole days and instants stay instants, whatever zone Outlook names."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flows.conftest import MakeWorld
from tests.world import ALICE, BOB, World


def _all_day(first: str, until: str, zone: str = "UTC") -> dict[str, Any]:
    return {
        "isAllDay": True,
        "start": {"dateTime": f"{first}T00:00:00", "timeZone": zone},
        "end": {"dateTime": f"{until}T00:00:00", "timeZone": zone},
    }


def _timed(start: str, end: str, zone: str = "UTC") -> dict[str, Any]:
    return {
        "isAllDay": False,
        "start": {"dateTime": start, "timeZone": zone},
        "end": {"dateTime": end, "timeZone": zone},
    }


def _days(world: World, kind: str = "Meeting") -> tuple[Any, ...]:
    record = world.only_record(kind)
    return record["isAllDay"], record["dateStartDate"], record["dateEndDate"]


def _times(world: World, kind: str = "Meeting") -> tuple[Any, Any]:
    record = world.only_record(kind)
    return record["dateStart"], record["dateEnd"]


# --- whole days


@pytest.mark.parametrize(
    ("first", "until", "last"),
    [
        pytest.param("2026-12-01", "2026-12-02", "2026-12-01", id="one-day"),
        pytest.param("2026-12-24", "2026-12-27", "2026-12-26", id="three-days"),
        pytest.param("2026-12-31", "2027-01-02", "2027-01-01", id="over-the-new-year"),
        pytest.param("2027-03-27", "2027-03-29", "2027-03-28", id="clocks-go-forward"),
        pytest.param("2027-10-30", "2027-11-01", "2027-10-31", id="clocks-go-back"),
    ],
)
@pytest.mark.parametrize(("kind", "label"), [("Meeting", ""), ("Visit", "V: ")])
def test_pain_20_an_all_day_event_lasts_its_days_and_no_day_more(
    world: World, kind: str, label: str, first: str, until: str, last: str
) -> None:
    world.outlook_create(ALICE, subject=f"{label}Fair", **_all_day(first, until))
    world.pull()
    assert _days(world, kind) == (True, first, last)
    world.quiet()
    event = world.event(ALICE)
    assert (event.start, event.end) == (f"{first}T00:00:00", f"{until}T00:00:00")


@pytest.mark.parametrize(
    ("zone", "mailbox", "server"),
    [
        ("UTC", "Pacific Standard Time", "Asia/Tokyo"),
        ("Pacific Standard Time", "Tokyo Standard Time", "America/New_York"),
        ("Tokyo Standard Time", "Pacific Standard Time", "UTC"),
        ("Europe/Berlin", "Tokyo Standard Time", "America/New_York"),
    ],
)
def test_pain_20_all_day_whatever_zones_event_mailbox_and_crm_have(
    make_world: MakeWorld, zone: str, mailbox: str, server: str
) -> None:
    world = make_world()
    world.crm.settings.time_zone = server
    world.graph("PATCH", ALICE, "mailboxSettings", json={"timeZone": mailbox})
    world.connect(ALICE)
    world.outlook_create(ALICE, **_all_day("2026-12-01", "2026-12-03", zone))
    world.pull()
    assert _days(world) == (True, "2026-12-01", "2026-12-02")
    world.change(world.only_record()["id"], dateStartDate="2026-12-02", dateEndDate="2026-12-04")
    world.settle()
    event = world.event(ALICE)
    assert (event.isAllDay, event.start, event.end) == (True, "2026-12-02T00:00:00", "2026-12-05T00:00:00")
    world.edit(ALICE, **_all_day("2026-12-06", "2026-12-07", zone))
    world.pull()
    assert _days(world) == (True, "2026-12-06", "2026-12-06")
    world.quiet()


@pytest.mark.parametrize("born", ["crm", "outlook"])
@pytest.mark.parametrize("zone", ["UTC", "Tokyo Standard Time"])
def test_r15_all_day_in_outlook_and_back_to_timed_on_either_side(world: World, born: str, zone: str) -> None:
    if born == "crm":
        world.save()
    else:
        world.outlook_create(ALICE)
    world.pull()
    world.edit(ALICE, **_all_day("2026-12-08", "2026-12-10", zone))
    world.pull()
    assert _days(world) == (True, "2026-12-08", "2026-12-09")
    world.edit(ALICE, **_timed("2026-12-08T10:00:00", "2026-12-08T11:30:00", "UTC"))
    world.pull()
    assert _days(world) == (False, None, None)
    assert _times(world) == ("2026-12-08 10:00:00", "2026-12-08 11:30:00")
    world.edit(ALICE, **_all_day("2026-12-11", "2026-12-12", zone))
    world.pull()
    record = world.only_record()["id"]
    back: dict[str, Any] = {"isAllDay": False, "dateStartDate": None, "dateEndDate": None}
    world.change(record, **back, dateStart="2026-12-12 09:00:00", dateEnd="2026-12-12 10:00:00")
    world.settle()
    event = world.event(ALICE)
    assert (event.isAllDay, event.start, event.end) == (False, "2026-12-12T09:00:00", "2026-12-12T10:00:00")
    world.quiet()


def test_pain_20_an_all_day_event_that_ends_the_same_day_lasts_one_day(world: World) -> None:
    world.plant(ALICE, **_all_day("2026-12-01", "2026-12-01"))
    world.pull()
    assert _days(world) == (True, "2026-12-01", "2026-12-01")
    world.quiet()


# --- instants


@pytest.mark.parametrize(
    ("zone", "wall", "instant"),
    [
        pytest.param("UTC", "2026-12-02T10:00:00", "2026-12-02 10:00:00", id="utc"),
        pytest.param("W. Europe Standard Time", "2026-12-02T10:00:00", "2026-12-02 09:00:00", id="winter"),
        pytest.param("W. Europe Standard Time", "2027-07-01T10:00:00", "2027-07-01 08:00:00", id="summer"),
        pytest.param("Europe/Vienna", "2027-07-01T10:00:00", "2027-07-01 08:00:00", id="iana"),
        pytest.param("India Standard Time", "2026-12-02T10:00:00", "2026-12-02 04:30:00", id="half-hour"),
        pytest.param("Pacific Standard Time", "2026-12-02T20:00:00", "2026-12-03 04:00:00", id="next-day"),
        pytest.param("Tokyo Standard Time", "2026-12-02T04:00:00", "2026-12-01 19:00:00", id="day-before"),
        pytest.param("tzone://Microsoft/Utc", "2026-12-02T10:00:00", "2026-12-02 10:00:00", id="tzone-utc"),
        pytest.param("W. Europe Standard Time", "2027-03-28T03:30:00", "2027-03-28 01:30:00", id="forward"),
        pytest.param("W. Europe Standard Time", "2027-10-31T03:30:00", "2027-10-31 02:30:00", id="back"),
    ],
)
def test_pain_19_an_event_of_any_zone_is_the_same_instant_in_the_crm(
    world: World, zone: str, wall: str, instant: str
) -> None:
    world.outlook_create(ALICE, **_timed(wall, wall, zone))
    world.pull()
    assert _times(world) == (instant, instant)
    world.quiet()


@pytest.mark.parametrize(
    "zone", ["tzone://Microsoft/Custom", "Customized Time Zone", "Mars Standard Time", ""]
)
def test_pain_19_an_unknown_zone_of_an_event_is_only_a_hint(world: World, zone: str) -> None:
    """Graph converts the times themselves; the name of the zone it was made in tells nothing else."""
    world.plant(ALICE, originalStartTimeZone=zone, originalEndTimeZone=zone)
    world.pull()
    assert _times(world) == ("2026-12-02 10:00:00", "2026-12-02 11:00:00")
    record = world.only_record()["id"]
    world.change(record, dateStart="2026-12-03 10:00:00", dateEnd="2026-12-03 11:00:00")
    world.settle()
    assert world.event(ALICE).start == "2026-12-03T10:00:00"
    world.quiet()


def test_pain_19_a_zone_of_the_times_that_nobody_knows_parks_the_event(world: World) -> None:
    event = world.plant(
        ALICE, start={"dateTime": "2026-12-02T10:00:00.0000000", "timeZone": "Mars Standard Time"}
    )
    world.outlook_create(ALICE, subject="Fine")
    world.pull()
    assert world.only_record()["name"] == "Fine"
    (parked,) = world.app.store.parked.all()
    assert (parked.event_id, parked.reason) == (event, "unknown_zone")
    assert "Mars Standard Time" in parked.message
    world.quiet()


def test_r15_another_zone_for_the_same_instants_is_no_change(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.mails()
    world.edit(ALICE, **_timed("2026-12-01T19:00:00", "2026-12-01T20:00:00", "Tokyo Standard Time"))
    world.mails()
    with world.writes() as seen:
        world.pull()
    assert seen == []
    assert world.record(record)["dateStart"] == "2026-12-01 10:00:00"
    world.change(record, dateStart="2026-12-01 12:00:00", dateEnd="2026-12-01 13:00:00")
    world.settle()
    assert world.event(ALICE).originalStartTimeZone == "Tokyo Standard Time"
    assert world.event(ALICE).start == "2026-12-01T12:00:00"
    world.quiet()


def test_r15_fractions_of_a_second_are_no_change(world: World) -> None:
    world.plant(
        ALICE,
        start={"dateTime": "2026-12-02T10:00:00.9999999", "timeZone": "UTC"},
        end={"dateTime": "2026-12-02T11:00:30.5000000", "timeZone": "UTC"},
    )
    world.pull()
    assert _times(world) == ("2026-12-02 10:00:00", "2026-12-02 11:00:30")
    world.quiet()


def test_r15_only_the_end_moves(world: World) -> None:
    record = world.save()
    world.settle()
    world.edit(ALICE, end="2026-12-01T15:00:00")
    world.pull()
    assert _times(world) == ("2026-12-01 10:00:00", "2026-12-01 15:00:00")
    # EspoCRM moves the end along when only the start is written.
    world.edit(ALICE, start="2026-12-01T08:00:00")
    world.pull()
    assert _times(world) == ("2026-12-01 08:00:00", "2026-12-01 15:00:00")
    assert world.record(record)["isAllDay"] is False
    world.quiet()


def test_r15_an_event_without_length_is_followed(world: World) -> None:
    world.outlook_create(ALICE, **_timed("2026-12-02T10:00:00", "2026-12-02T10:00:00"))
    world.pull()
    assert _times(world) == ("2026-12-02 10:00:00", "2026-12-02 10:00:00")
    world.quiet()


def test_r15_over_a_change_of_the_clocks_both_ends_keep_their_instants(world: World) -> None:
    zone = "W. Europe Standard Time"
    world.outlook_create(ALICE, **_timed("2027-03-27T22:00:00", "2027-03-28T06:00:00", zone))
    world.pull()
    assert _times(world) == ("2027-03-27 21:00:00", "2027-03-28 04:00:00")
    record = world.only_record()["id"]
    world.change(record, dateStart="2027-10-30 20:00:00", dateEnd="2027-10-31 05:00:00")
    world.settle()
    event = world.event(ALICE)
    assert (event.start, event.end) == ("2027-10-30T20:00:00", "2027-10-31T05:00:00")
    world.quiet()


@pytest.mark.parametrize("hour", ["00:30:00", "01:30:00"])
def test_pain_19_an_hour_that_the_clocks_show_twice_comes_back_as_it_went(world: World, hour: str) -> None:
    zone = "W. Europe Standard Time"
    world.outlook_create(ALICE, **_timed("2027-10-30T10:00:00", "2027-10-30T11:00:00", zone))
    world.pull()
    record = world.only_record()["id"]
    world.change(record, dateStart=f"2027-10-31 {hour}", dateEnd="2027-10-31 04:00:00")
    world.settle()
    assert world.event(ALICE).start == f"2027-10-31T{hour}"
    world.quiet()
    assert _times(world)[0] == f"2027-10-31 {hour}"
