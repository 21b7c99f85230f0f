"""R13: which series become records at all, and as what: settings, modes, privacy, labels, the window."""

from __future__ import annotations

import pytest

from calsync_plugin.accounts.choices import choose
from tests.flows.conftest import MakeWorld
from tests.outlook_side import repeats
from tests.world import ALICE, BOB, World

DAY = 24 * 3600.0


def dates(world: World, entity_type: str = "Meeting") -> list[str]:
    """On which days the records of a kind are."""
    return [one["dateStart"][:10] for one in world.records(entity_type)]


def names(world: World, entity_type: str = "Meeting") -> list[str]:
    """What the records of a kind are called, by their start."""
    return [one["name"] for one in world.records(entity_type)]


# --- occurrences, first, skip


def test_r13_only_the_first_date_if_the_user_wants_that(world: World) -> None:
    world.choose(ALICE, recurring="first")
    series = world.series(ALICE, count=4)
    world.pull(ALICE)
    assert dates(world) == ["2026-12-02"]
    world.outlook_patch(ALICE, series, subject="Renamed")
    world.pull(ALICE)
    assert names(world) == ["Renamed"]
    world.quiet()


def test_r13_the_first_date_follows_its_series(world: World) -> None:
    world.choose(ALICE, recurring="first")
    series = world.series(ALICE, count=4)
    world.pull(ALICE)
    record = world.only_record()["id"]
    start = "2026-12-03T10:00:00"
    world.outlook_patch(
        ALICE, series, start=start, end="2026-12-03T11:00:00", recurrence=repeats(start=start, count=4)
    )
    world.pull(ALICE)
    assert (world.only_record()["id"], dates(world)) == (record, ["2026-12-03"])
    world.outlook_delete(ALICE, series)
    world.pull(ALICE)
    assert dates(world) == []
    world.quiet()


def test_r13_without_its_first_date_a_series_begins_with_the_second(world: World) -> None:
    world.choose(ALICE, recurring="first")
    series = world.series(ALICE, count=4)
    world.pull(ALICE)
    world.outlook_delete(ALICE, world.occurrences(ALICE, series)[0].id)
    world.pull(ALICE)
    assert dates(world) == ["2026-12-09"]
    world.quiet()


def test_r13_series_stay_in_outlook_if_the_user_wants_that(world: World) -> None:
    world.choose(ALICE, recurring="skip")
    world.series(ALICE, count=4)
    world.outlook_create(ALICE, subject="Single")
    world.pull(ALICE)
    assert names(world) == ["Single"]
    world.quiet()


@pytest.mark.parametrize("narrower", ["first", "skip"])
def test_r13_what_was_imported_is_followed_after_the_choice_changed(world: World, narrower: str) -> None:
    """A choice about new ones removes nothing."""
    series = world.series(ALICE, count=3)
    world.pull(ALICE)
    choose(world.app.store, world.app.gateway, ALICE, {"recurring": narrower})
    world.settle()
    world.series(ALICE, count=3, subject="New", start="2027-01-04T10:00:00", end="2027-01-04T11:00:00")
    world.outlook_patch(ALICE, series, subject="Renamed")
    world.pull(ALICE)
    assert names(world) == ["Renamed"] * 3 + (["New"] if narrower == "first" else [])
    world.quiet()


@pytest.mark.parametrize("before", ["first", "skip"])
def test_r13_what_was_left_out_comes_in_once_it_is_wanted(world: World, before: str) -> None:
    world.choose(ALICE, recurring=before)
    world.series(ALICE, count=3)
    world.pull(ALICE)
    known = [one["id"] for one in world.records()]
    choose(world.app.store, world.app.gateway, ALICE, {"recurring": "occurrences"})
    world.pull(ALICE)
    assert dates(world) == ["2026-12-02", "2026-12-09", "2026-12-16"]
    assert {*known} <= {one["id"] for one in world.records()}
    world.quiet()


# --- modes


def test_r13_a_mode_that_takes_nothing_in_takes_no_series_in(make_world: MakeWorld) -> None:
    world = make_world()
    world.connect(ALICE, mode="crm_to_outlook")
    world.settle()
    world.series(ALICE, count=3)
    world.pull(ALICE)
    assert dates(world) == []
    world.quiet()


def test_r13_a_mirror_of_outlook_takes_series_in_and_gives_nothing_back(make_world: MakeWorld) -> None:
    world = make_world()
    world.connect(ALICE, mode="outlook_to_crm")
    world.settle()
    series = world.series(ALICE, count=3)
    world.pull(ALICE)
    second = world.records()[1]["id"]
    world.change(second, name="Mine")
    world.settle()
    assert {one.subject for one in world.occurrences(ALICE, series)} == {"Visit"}
    assert world.record(second)["name"] == "Mine"
    world.quiet()
    world.outlook_patch(ALICE, series, subject="Theirs")
    world.pull(ALICE)
    assert names(world) == ["Theirs"] * 3
    world.quiet()


# --- privacy, labels, online meetings


def test_r13_a_private_series_stays_private(world: World) -> None:
    world.series(ALICE, count=3, sensitivity="private", subject="Doctor")
    world.pull(ALICE)
    assert dates(world) == []
    world.quiet()


def test_r13_a_private_series_as_busy_blocks(world: World) -> None:
    world.choose(ALICE, private_events="busy")
    world.series(ALICE, count=3, sensitivity="private", subject="Doctor", body="Knee")
    world.pull(ALICE)
    assert names(world) == ["Busy"] * 3
    assert "Doctor" not in str(world.records())
    world.quiet()


def test_r13_one_date_that_becomes_private_is_masked_alone(world: World) -> None:
    series = world.series(ALICE, count=3, subject="Doctor's association")
    world.pull(ALICE)
    second = world.occurrences(ALICE, series)[1].id
    world.outlook_patch(ALICE, second, sensitivity="private", subject="Doctor", body="Knee")
    world.pull(ALICE)
    assert names(world) == ["Doctor's association", "Busy", "Doctor's association"]
    world.quiet()


def test_r13_a_label_makes_all_dates_calls(world: World) -> None:
    world.choose(ALICE, entities=[{"entity_type": "Meeting"}, {"entity_type": "Call"}])
    series = world.series(ALICE, count=3, subject="C: Round of calls")
    world.pull(ALICE)
    assert names(world, "Call") == ["Round of calls"] * 3
    assert dates(world) == []
    call = world.records("Call")[1]["id"]
    world.change(call, "Call", name="Other")
    world.settle()
    assert [one.subject for one in world.occurrences(ALICE, series)] == [
        "C: Round of calls",
        "C: Other",
        "C: Round of calls",
    ]
    world.quiet()


def test_r13_each_date_of_a_series_in_teams_has_the_address(world: World) -> None:
    series = world.series(
        ALICE,
        count=3,
        isOnlineMeeting=True,
        onlineMeetingProvider="teamsForBusiness",
        attendees=["eve@partner.example"],
    )
    world.mails()
    world.pull(ALICE)
    url = world.event_at(ALICE, series).onlineMeeting["joinUrl"]
    assert {one["cOutlookJoinUrl"] for one in world.records()} == {url}
    world.quiet()
    assert world.mails() == []


# --- the window


def test_r13_a_series_without_end_ends_with_the_window(world: World) -> None:
    world.choose(ALICE, months_ahead=2)
    world.series(ALICE)
    world.pull(ALICE)
    found = dates(world)
    assert (found[0], found[-1]) == ("2026-12-02", "2027-01-27")
    world.quiet()


def test_r13_with_each_month_more_dates_appear_and_none_goes(world: World) -> None:
    world.choose(ALICE, months_ahead=2)
    series = world.series(ALICE)
    world.outlook_patch(ALICE, world.occurrences(ALICE, series)[0].id, subject="Special")
    world.pull(ALICE)
    before = world.records()
    world.clock.advance(9 * DAY)
    with world.writes() as seen:
        world.pull(ALICE)
    assert world.records()[: len(before)] == before
    assert dates(world)[len(before) :] == ["2027-02-03", "2027-02-10", "2027-02-17", "2027-02-24"]
    assert {one.split()[0] for one in seen} == {"POST"}
    world.quiet()
    assert world.records()[0]["name"] == "Special"


def test_r13_a_series_without_end_that_moves_by_days_loses_no_record_at_the_edge(world: World) -> None:
    """The last Monday in the window becomes a Thursday behind it."""
    world.choose(ALICE, months_ahead=2)
    start = "2026-11-30T10:00:00"
    series = world.series(ALICE, start=start, end="2026-11-30T11:00:00")
    world.pull(ALICE)
    before = [one["id"] for one in world.records()]
    assert dates(world)[-1] == "2027-01-25"
    start = "2026-12-07T10:00:00"
    world.outlook_patch(
        ALICE, series, start=start, end="2026-12-07T11:00:00", recurrence=repeats(start=start)
    )
    world.pull(ALICE)
    assert {one["id"] for one in world.records()} == {*before}
    world.quiet()


def test_r13_series_of_two_users_have_nothing_to_do_with_each_other(world: World) -> None:
    world.series(ALICE, count=2, subject="Same")
    other = world.series(BOB, count=2, subject="Same")
    world.pull()
    assert sorted(one["assignedUserId"] for one in world.records()) == sorted([ALICE, ALICE, BOB, BOB])
    world.outlook_delete(BOB, other)
    world.pull()
    assert [one["assignedUserId"] for one in world.records()] == [ALICE, ALICE]
    world.quiet()
