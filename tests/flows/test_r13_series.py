"""R13: a series of Outlook's is one record for each of its dates, whatever becomes of the series.

What Microsoft does not document is a switch of the simulator; what happens to a whole series is tried
with each.
"""

from __future__ import annotations

import pytest

from calsync_plugin.domain.links import LinkState
from tests.outlook_side import repeats
from tests.world import ALICE, World

DAYS = ("2026-12-02", "2026-12-09", "2026-12-16", "2026-12-23")
"""The dates of the series that `world.series(ALICE, count=4)` makes."""
DAY = 24 * 3600.0


@pytest.fixture(
    params=[
        pytest.param({}, id="own-uids"),
        pytest.param({"occurrences_share_icaluid": True}, id="shared-uid"),
        pytest.param({"removed_for_deleted_occurrence": False}, id="taken-out-untold"),
        pytest.param({"removed_series_names_occurrences": False}, id="dates-untold"),
        pytest.param({"recurrence_change_drops_exceptions": False}, id="exceptions-survive"),
        pytest.param({"delta_repeats_items": True, "delta_newest_first": True}, id="delta-in-disorder"),
    ]
)
def outlook(request: pytest.FixtureRequest, world: World) -> World:
    """A world with one of the behaviours that nobody documents."""
    world.switch(**request.param)
    return world


def ids(world: World, entity_type: str = "Meeting") -> list[str]:
    """The records of a kind, by their start."""
    return [one["id"] for one in world.records(entity_type)]


def starts(world: World) -> list[str]:
    """When the meetings begin."""
    return [one["dateStart"] for one in world.records()]


def dates(world: World) -> list[str]:
    """On which days the meetings are."""
    return [start[:10] for start in starts(world)]


def names(world: World) -> list[str]:
    """What the meetings are called, by their start."""
    return [one["name"] for one in world.records()]


def test_r13_each_date_of_a_series_is_a_record(outlook: World) -> None:
    outlook.series(ALICE, count=4, subject="Review")
    outlook.pull(ALICE)
    assert dates(outlook) == list(DAYS)
    assert names(outlook) == ["Review"] * 4
    assert {one["assignedUserId"] for one in outlook.records()} == {ALICE}
    outlook.quiet()
    assert outlook.mails() == []


def test_r13_a_series_that_moves_by_an_hour_moves_its_records(outlook: World) -> None:
    series = outlook.series(ALICE, count=4)
    outlook.pull(ALICE)
    before = ids(outlook)
    outlook.outlook_patch(ALICE, series, start="2026-12-02T11:00:00", end="2026-12-02T12:30:00")
    outlook.pull(ALICE)
    assert ids(outlook) == before
    assert starts(outlook) == [f"{day} 11:00:00" for day in DAYS]
    assert {one["dateEnd"][11:] for one in outlook.records()} == {"12:30:00"}
    outlook.quiet()


def test_r13_pain_07_a_series_that_moves_by_a_day_keeps_its_records(outlook: World) -> None:
    """All ids of its occurrences are others then; nothing is lost and nothing is there twice."""
    series = outlook.series(ALICE, count=4)
    outlook.pull(ALICE)
    before = ids(outlook)
    _to_thursdays(outlook, series)
    outlook.pull(ALICE)
    assert ids(outlook) == before
    assert dates(outlook) == ["2026-12-03", "2026-12-10", "2026-12-17", "2026-12-24"]
    outlook.quiet()
    outlook.outlook_patch(ALICE, outlook.occurrences(ALICE, series)[2].id, subject="Only this one")
    outlook.pull(ALICE)
    assert outlook.record(before[2])["name"] == "Only this one"


def test_r13_pain_07_a_series_with_exceptions_moves_as_a_whole(outlook: World) -> None:
    series = outlook.series(ALICE, count=4)
    second, third = outlook.occurrences(ALICE, series)[1:3]
    outlook.outlook_patch(ALICE, second.id, subject="Special")
    outlook.outlook_delete(ALICE, third.id)
    outlook.pull(ALICE)
    before = ids(outlook)
    assert dates(outlook) == [DAYS[0], DAYS[1], DAYS[3]]
    outlook.outlook_patch(ALICE, series, start="2026-12-02T08:00:00", end="2026-12-02T09:00:00")
    outlook.pull(ALICE)
    kept = not outlook.outlook.switches.recurrence_change_drops_exceptions
    assert names(outlook) == (["Visit", "Special", "Visit"] if kept else ["Visit"] * 4)
    assert {start[11:] for start in starts(outlook)} == {"08:00:00"}
    assert set(before) <= set(ids(outlook))
    outlook.quiet()


def test_r13_a_series_that_is_shortened_loses_the_last_records(outlook: World) -> None:
    series = outlook.series(ALICE, count=4)
    outlook.pull(ALICE)
    before = ids(outlook)
    outlook.end_series(ALICE, series, DAYS[1])
    outlook.pull(ALICE)
    assert ids(outlook) == before[:2]
    outlook.quiet()


def test_r13_a_series_that_is_extended_gets_more_records(outlook: World) -> None:
    series = outlook.series(ALICE, count=4)
    outlook.pull(ALICE)
    before = ids(outlook)
    outlook.outlook_patch(ALICE, series, recurrence=repeats(count=6))
    outlook.pull(ALICE)
    assert ids(outlook)[:4] == before
    assert dates(outlook) == [*DAYS, "2026-12-30", "2027-01-06"]
    outlook.quiet()


def test_r13_a_series_that_is_deleted_takes_its_records(outlook: World) -> None:
    series = outlook.series(ALICE, count=4)
    outlook.outlook_patch(ALICE, outlook.occurrences(ALICE, series)[1].id, subject="Special")
    outlook.pull(ALICE)
    outlook.outlook_delete(ALICE, series)
    outlook.pull(ALICE)
    assert ids(outlook) == []
    outlook.quiet()


def test_r13_a_date_that_is_taken_out_takes_its_record(outlook: World) -> None:
    series = outlook.series(ALICE, count=4)
    outlook.pull(ALICE)
    outlook.outlook_delete(ALICE, outlook.occurrences(ALICE, series)[1].id)
    outlook.pull(ALICE)
    if not outlook.outlook.switches.removed_for_deleted_occurrence:
        # Nothing says so: the next slow look at the linked events finds it.
        assert dates(outlook) == list(DAYS)
        outlook.clock.advance(1.2 * DAY)
        outlook.pull(ALICE)
    assert dates(outlook) == [DAYS[0], DAYS[2], DAYS[3]]
    outlook.quiet()


def test_r13_a_date_that_differs_is_followed_on_its_own(outlook: World) -> None:
    series = outlook.series(ALICE, count=4)
    outlook.pull(ALICE)
    before = ids(outlook)
    second = outlook.occurrences(ALICE, series)[1].id
    outlook.outlook_patch(
        ALICE, second, subject="Special", start="2026-12-10T15:00:00", end="2026-12-10T16:00:00"
    )
    outlook.pull(ALICE)
    assert ids(outlook) == before
    assert names(outlook) == ["Visit", "Special", "Visit", "Visit"]
    assert starts(outlook)[1] == "2026-12-10 15:00:00"
    outlook.quiet()


def test_r13_this_and_following_goes_on_with_the_same_records(outlook: World) -> None:
    series = outlook.series(ALICE, count=4)
    outlook.pull(ALICE)
    before = ids(outlook)
    third = outlook.occurrences(ALICE, series)[2]
    outlook.split_series(ALICE, third, start="2026-12-16T14:00:00", end="2026-12-16T15:00:00")
    outlook.pull(ALICE)
    assert ids(outlook) == before
    assert starts(outlook)[1:3] == [f"{DAYS[1]} 10:00:00", f"{DAYS[2]} 14:00:00"]
    outlook.quiet()


def test_r13_this_and_following_under_another_name_at_the_same_time(outlook: World) -> None:
    series = outlook.series(ALICE, count=4)
    outlook.pull(ALICE)
    before = ids(outlook)
    outlook.split_series(ALICE, outlook.occurrences(ALICE, series)[2], subject="Renamed")
    outlook.pull(ALICE)
    assert ids(outlook) == before
    assert names(outlook) == ["Visit", "Visit", "Renamed", "Renamed"]
    outlook.quiet()


def test_r13_a_single_event_that_becomes_a_series_stays_one_record(outlook: World) -> None:
    event = outlook.outlook_create(ALICE)
    outlook.pull(ALICE)
    (before,) = ids(outlook)
    outlook.outlook_patch(ALICE, event, recurrence=repeats(count=4))
    outlook.pull(ALICE)
    assert dates(outlook) == list(DAYS)
    assert ids(outlook)[0] == before
    outlook.quiet()


def test_r13_a_series_that_becomes_a_single_event_leaves_one_record(outlook: World) -> None:
    series = outlook.series(ALICE, count=4)
    outlook.pull(ALICE)
    outlook.outlook_patch(ALICE, series, recurrence=None)
    outlook.pull(ALICE)
    assert dates(outlook) == [DAYS[0]]
    outlook.quiet()


@pytest.mark.parametrize("seen", [True, False], ids=["seen-as-single", "not-seen-between"])
def test_r13_a_series_that_was_a_single_event_meanwhile_is_one_again(outlook: World, seen: bool) -> None:
    series = outlook.series(ALICE, count=4)
    outlook.pull(ALICE)
    first = ids(outlook)[0]
    outlook.outlook_patch(ALICE, series, recurrence=None)
    if seen:
        outlook.pull(ALICE)
    outlook.outlook_patch(ALICE, series, recurrence=repeats(count=4))
    outlook.pull(ALICE)
    assert dates(outlook) == list(DAYS)
    assert ids(outlook)[0] == first
    outlook.quiet()


def test_r13_a_series_that_was_moved_as_a_single_event_is_one_again(outlook: World) -> None:
    series = outlook.series(ALICE, count=4)
    outlook.pull(ALICE)
    thursday = "2026-12-03T10:00:00"
    outlook.outlook_patch(ALICE, series, start=thursday, end="2026-12-03T11:00:00", recurrence=None)
    outlook.pull(ALICE)
    assert dates(outlook) == ["2026-12-03"]
    (first,) = ids(outlook)
    outlook.outlook_patch(ALICE, series, recurrence=repeats(start=thursday, count=2))
    outlook.pull(ALICE)
    assert dates(outlook) == ["2026-12-03", "2026-12-10"]
    assert ids(outlook)[0] == first
    outlook.quiet()


def _to_thursdays(world: World, series: str) -> None:
    start = "2026-12-03T10:00:00"
    world.outlook_patch(
        ALICE, series, start=start, end="2026-12-03T11:00:00", recurrence=repeats(start=start, count=4)
    )


def test_r13_a_date_taken_out_while_another_appears_is_not_the_other(world: World) -> None:
    """The record of a meeting that is off must not turn into that of a new one."""
    series = world.series(ALICE, count=4)
    world.pull(ALICE)
    before = ids(world)
    world.switch(recurrence_change_drops_exceptions=False)
    world.outlook_delete(ALICE, world.occurrences(ALICE, series)[1].id)
    world.outlook_patch(ALICE, series, recurrence=repeats(count=5))
    world.pull(ALICE)
    assert dates(world) == [DAYS[0], DAYS[2], DAYS[3], "2026-12-30"]
    now = ids(world)
    assert now[:3] == [before[0], before[2], before[3]]
    assert now[3] not in before
    world.quiet()


def test_r13_an_expired_cursor_changes_nothing_of_a_series(world: World) -> None:
    series = world.series(ALICE, count=4)
    world.outlook_patch(ALICE, world.occurrences(ALICE, series)[1].id, subject="Special")
    world.pull(ALICE)
    before = world.records()
    world.expire_cursors()
    with world.writes() as seen:
        world.pull(ALICE)
    assert seen == []
    assert world.records() == before


def test_r13_what_changed_while_the_cursor_expired_is_found(world: World) -> None:
    series = world.series(ALICE, count=4)
    world.pull(ALICE)
    before = ids(world)
    _to_thursdays(world, series)
    world.outlook_delete(ALICE, world.occurrences(ALICE, series)[3].id)
    world.expire_cursors()
    world.pull(ALICE)
    assert ids(world) == before[:3]
    assert dates(world) == ["2026-12-03", "2026-12-10", "2026-12-17"]
    world.quiet()


def test_r13_whole_days_stay_whole_days(world: World) -> None:
    start = "2026-12-02T00:00:00"
    series = world.series(ALICE, count=3, start=start, end="2026-12-04T00:00:00", isAllDay=True)
    world.pull(ALICE)
    spans = [(one["dateStartDate"], one["dateEndDate"]) for one in world.records()]
    assert spans == [
        ("2026-12-02", "2026-12-03"),
        ("2026-12-09", "2026-12-10"),
        ("2026-12-16", "2026-12-17"),
    ]
    before = ids(world)
    world.outlook_delete(ALICE, world.occurrences(ALICE, series)[1].id)
    world.outlook_patch(ALICE, series, start="2026-12-02T00:00:00", end="2026-12-03T00:00:00")
    world.pull(ALICE)
    assert world.record(before[0])["dateEndDate"] == "2026-12-02"
    world.quiet()


def test_r13_the_hour_on_the_wall_stays_over_a_change_of_daylight_saving(world: World) -> None:
    start = "2027-03-21T10:00:00"
    zone = "W. Europe Standard Time"
    world.series(ALICE, count=3, start=start, end="2027-03-21T11:00:00", zone=zone)
    world.pull(ALICE)
    assert starts(world) == ["2027-03-21 09:00:00", "2027-03-28 08:00:00", "2027-04-04 08:00:00"]
    world.quiet()


def test_r13_a_series_moves_over_the_change_of_daylight_saving(world: World) -> None:
    zone = "W. Europe Standard Time"
    series = world.series(ALICE, count=3, start="2027-03-21T10:00:00", end="2027-03-21T11:00:00", zone=zone)
    world.pull(ALICE)
    before = ids(world)
    world.outlook_patch(ALICE, series, start="2027-03-21T11:00:00", end="2027-03-21T12:00:00", zone=zone)
    world.pull(ALICE)
    assert ids(world) == before
    assert starts(world) == ["2027-03-21 10:00:00", "2027-03-28 09:00:00", "2027-04-04 09:00:00"]
    world.quiet()


def test_r13_a_daily_series_moves_by_a_day_and_an_hour(world: World) -> None:
    """Ids of its occurrences are handed from one date to the next then."""
    series = world.series(ALICE, "daily", count=5)
    world.pull(ALICE)
    before = ids(world)
    start = "2026-12-03T11:00:00"
    world.outlook_patch(
        ALICE,
        series,
        start=start,
        end="2026-12-03T12:00:00",
        recurrence=repeats("daily", start=start, count=5),
    )
    world.pull(ALICE)
    assert sorted(ids(world)) == sorted(before)
    assert starts(world) == [f"2026-12-0{day} 11:00:00" for day in range(3, 8)]
    world.quiet()


def test_r13_a_series_in_another_calendar_follows_the_choice(world: World) -> None:
    """Moved to a chosen calendar its records go along, to another one they wait (R12)."""
    chosen, other = world.calendar(ALICE, "Team"), world.calendar(ALICE, "Home")
    world.choose(ALICE, other_calendars=[chosen])
    series = world.series(ALICE, count=3)
    world.pull(ALICE)
    before = ids(world)
    world.move_event(ALICE, series, chosen)
    world.pull(ALICE)
    world.outlook_patch(ALICE, series, subject="In the team's")
    world.pull(ALICE)
    assert names(world) == ["In the team's"] * 3
    world.move_event(ALICE, series, other)
    world.pull(ALICE)
    assert {world.link(one).state for one in before} == {LinkState.SUSPENDED}
    world.outlook_patch(ALICE, series, subject="At home")
    world.pull(ALICE)
    assert names(world) == ["In the team's"] * 3
    world.outlook_patch(ALICE, series, subject="Back")
    world.move_event(ALICE, series, chosen)
    world.pull(ALICE)
    assert ids(world) == before
    assert names(world) == ["Back"] * 3
    world.quiet()
