"""Calendars that make their user busy: the main one and those that were chosen, read and never imported."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from calsync_plugin.accounts.choices import choose
from calsync_plugin.engine.busy_reading import SELDOM
from calsync_plugin.state import AccountStatus, CursorStage
from tests.busy_side import busy, days, hour, kinds, source
from tests.flows.conftest import MakeWorld
from tests.outlook_side import repeats
from tests.world import ALICE, BOB, CAROL, World


def chosen(world: World, **settings: Any) -> None:
    """Alice chooses on the settings page."""
    choose(world.app.store, world.app.gateway, ALICE, settings)
    world.settle()


def private_calendar(world: World) -> str:
    """A further calendar of alice's, chosen to make her busy."""
    calendar = world.calendar(ALICE, "Private")
    chosen(world, conflict_calendars=[calendar])
    return calendar


@pytest.fixture(params=["linked", "alone", "imported"])
def calendar(request: pytest.FixtureRequest, world: World) -> str:
    """The three ways in which a calendar of alice's that makes her busy is read; its id."""
    if request.param == "linked":
        return source(world, ALICE).place
    made = private_calendar(world)
    if request.param == "imported":
        chosen(world, other_calendars=[made])
    return made


# --- what is kept of events

EVENTS = [
    pytest.param({"showAs": "busy"}, ("2026-12-02T10:00", "2026-12-02T11:00", "busy"), id="busy"),
    pytest.param({"showAs": "oof"}, ("2026-12-02T10:00", "2026-12-02T11:00", "oof"), id="out-of-office"),
    pytest.param(
        {"showAs": "tentative"}, ("2026-12-02T10:00", "2026-12-02T11:00", "tentative"), id="tentative"
    ),
    pytest.param({"showAs": "free"}, ("2026-12-02T10:00", "2026-12-02T11:00", "free"), id="free"),
    pytest.param(
        {"showAs": "workingElsewhere"},
        ("2026-12-02T10:00", "2026-12-02T11:00", "workingElsewhere"),
        id="working-elsewhere",
    ),
    pytest.param({"sensitivity": "private"}, ("2026-12-02T10:00", "2026-12-02T11:00", "busy"), id="private"),
    pytest.param(
        {"start": "2026-12-02T00:00:00", "end": "2026-12-03T00:00:00", "isAllDay": True},
        ("2026-12-02", "2026-12-03", "busy"),
        id="all-day",
    ),
    pytest.param(
        {
            "start": "2026-12-02T00:00:00",
            "end": "2026-12-05T00:00:00",
            "isAllDay": True,
            "zone": "Tokyo Standard Time",
            "showAs": "oof",
        },
        ("2026-12-02", "2026-12-05", "oof"),
        id="days-of-another-zone",
    ),
    pytest.param(
        {"start": "2026-12-02T22:00:00", "end": "2026-12-04T06:00:00"},
        ("2026-12-02T22:00", "2026-12-04T06:00", "busy"),
        id="several-days",
    ),
    pytest.param(
        {"start": "2026-12-02T10:00:00", "end": "2026-12-02T11:00:00", "zone": "America/New_York"},
        ("2026-12-02T15:00", "2026-12-02T16:00", "busy"),
        id="another-zone",
    ),
]


@pytest.mark.parametrize("listed", [pytest.param(True, id="listed"), pytest.param(False, id="followed")])
@pytest.mark.parametrize(("properties", "shown"), EVENTS)
def test_of_an_event_its_time_is_kept(
    world: World, properties: dict[str, Any], shown: tuple[str, str, str], listed: bool
) -> None:
    calendar = world.calendar(ALICE, "Private")
    if not listed:
        chosen(world, conflict_calendars=[calendar])
    world.outlook_create(ALICE, calendar=calendar, subject="Doctor", **properties)
    if listed:
        chosen(world, conflict_calendars=[calendar])
    world.pull(ALICE)
    assert busy(world, ALICE, calendar) == [shown]


def test_its_life_is_followed(world: World, calendar: str) -> None:
    event = world.outlook_create(ALICE, calendar=calendar)
    world.pull(ALICE)
    assert days(world, ALICE, calendar) == ["2026-12-02"]
    world.outlook_patch(ALICE, event, start="2026-12-03T10:00:00", end="2026-12-03T11:00:00", showAs="oof")
    world.pull(ALICE)
    assert busy(world, ALICE, calendar) == [("2026-12-03T10:00", "2026-12-03T11:00", "oof")]
    world.outlook_patch(ALICE, event, start="2031-12-03T10:00:00", end="2031-12-03T11:00:00")
    world.pull(ALICE)
    assert busy(world, ALICE, calendar) == []
    world.outlook_patch(ALICE, event, start="2026-12-04T10:00:00", end="2026-12-04T11:00:00")
    world.pull(ALICE)
    assert days(world, ALICE, calendar) == ["2026-12-04"]
    world.outlook_delete(ALICE, event)
    world.pull(ALICE)
    assert busy(world, ALICE, calendar) == []


def test_an_event_that_moves_to_another_calendar_takes_its_time_along(world: World, calendar: str) -> None:
    elsewhere = world.calendar(ALICE, "Elsewhere")
    event = world.outlook_create(ALICE, calendar=calendar)
    world.pull(ALICE)
    world.move_event(ALICE, event, elsewhere)
    world.pull(ALICE)
    assert busy(world, ALICE, calendar) == []
    world.move_event(ALICE, event, calendar)
    world.pull(ALICE)
    assert days(world, ALICE, calendar) == ["2026-12-02"]


# --- series

WEEKS = ["2026-12-02", "2026-12-09", "2026-12-16", "2026-12-23"]


@pytest.mark.parametrize("told", [True, False], ids=["removed-date-is-told", "removed-date-is-not-told"])
def test_a_series_counts_date_by_date(world: World, calendar: str, told: bool) -> None:
    world.switch(removed_for_deleted_occurrence=told)
    series = world.series(ALICE, calendar=calendar, count=4)
    world.pull(ALICE)
    assert days(world, ALICE, calendar) == WEEKS
    dates = world.occurrences(ALICE, series)
    world.outlook_patch(
        ALICE, dates[1].id, start="2026-12-10T15:00:00", end="2026-12-10T16:00:00", showAs="tentative"
    )
    world.outlook_delete(ALICE, dates[2].id)
    world.pull(ALICE)
    assert busy(world, ALICE, calendar) == [
        ("2026-12-02T10:00", "2026-12-02T11:00", "busy"),
        ("2026-12-10T15:00", "2026-12-10T16:00", "tentative"),
        ("2026-12-23T10:00", "2026-12-23T11:00", "busy"),
    ]
    world.outlook_patch(ALICE, series, showAs="oof")
    world.pull(ALICE)
    assert {shown for *_, shown in busy(world, ALICE, calendar)} <= {"oof", "tentative"}
    world.outlook_delete(ALICE, series)
    world.pull(ALICE)
    assert busy(world, ALICE, calendar) == []


def test_a_series_without_an_end_counts_as_far_as_the_calendar_is_read(world: World, calendar: str) -> None:
    world.series(ALICE, "daily", calendar=calendar, start="2026-12-02T10:00:00", end="2026-12-02T11:00:00")
    world.pull(ALICE)
    found = days(world, ALICE, calendar)
    assert found[0] == "2026-12-02"
    assert found[-1] == "2027-11-30"
    assert len(found) == len(set(found)) == 364


def test_a_series_that_becomes_a_single_event(world: World, calendar: str) -> None:
    world.switch(removed_series_names_occurrences=False)
    series = world.series(ALICE, calendar=calendar, count=4)
    world.pull(ALICE)
    world.outlook_patch(ALICE, series, recurrence=None)
    world.pull(ALICE)
    assert days(world, ALICE, calendar) == ["2026-12-02"]


def test_a_single_event_that_becomes_a_series(world: World) -> None:
    calendar = private_calendar(world)
    event = world.outlook_create(ALICE, calendar=calendar)
    world.pull(ALICE)
    world.outlook_patch(ALICE, event, recurrence=repeats(count=4))
    world.pull(ALICE)
    assert days(world, ALICE, calendar) == WEEKS


# --- invitations


@pytest.mark.parametrize("kept", [True, False], ids=["copy-stays", "copy-goes"])
def test_what_was_declined_or_called_off_does_not_block(world: World, kept: bool) -> None:
    world.switch(decline_removes_copy=not kept)
    declined = world.invite_from_outside(ALICE, subject="Declined")
    cancelled = world.invite_from_outside(ALICE, subject="Called off", **hour("12:00", "13:00"))
    world.invite_from_outside(ALICE, subject="On", **hour("14:00", "15:00"))
    world.pull(ALICE)
    assert [shown for *_, shown in busy(world, ALICE)] == ["tentative"] * 3
    world.respond(ALICE, world.event_of(ALICE, "Declined").id, "decline")
    world.outside_cancel(cancelled)
    world.pull(ALICE)
    assert [shown for *_, shown in busy(world, ALICE) if shown != "free"] == ["tentative"]
    world.respond(ALICE, world.event_of(ALICE, "On").id, "accept")
    world.pull(ALICE)
    assert [shown for *_, shown in busy(world, ALICE) if shown != "free"] == ["busy"]
    assert declined


@pytest.mark.parametrize("named", [True, False], ids=["names-its-master", "looks-single"])
def test_an_invitation_to_one_date_of_a_series_counts(world: World, named: bool) -> None:
    world.switch(lone_occurrence_names_master=named)
    series = world.series(BOB, count=3)
    one = world.occurrences(BOB, series)[1]
    people = [{"type": "required", "emailAddress": {"address": "alice@example.com"}}]
    world.outlook_patch(BOB, one.id, attendees=people)
    world.pull(ALICE)
    assert days(world, ALICE) == ["2026-12-09"]
    other = world.occurrences(BOB, series)[2]
    world.outlook_patch(BOB, other.id, attendees=people)
    world.pull(ALICE)
    assert days(world, ALICE) == ["2026-12-09", "2026-12-16"]
    world.outlook_cancel(BOB, other.id)
    world.pull(ALICE)
    assert days(world, ALICE) == ["2026-12-09"]


# --- nothing is imported, and nothing is kept but times


def test_events_of_a_conflict_calendar_never_become_records(world: World) -> None:
    calendar = private_calendar(world)
    world.outlook_create(
        ALICE,
        calendar=calendar,
        subject="Secret operation",
        body="Ward 7",
        location="Clinic",
        attendees=["erin@contoso.example"],
        sensitivity="private",
    )
    world.pull(ALICE)
    assert days(world, ALICE, calendar) == ["2026-12-02"]
    assert world.records() == []
    assert world.parked() == {}
    world.quiet()
    kept = repr(world.app.store.busy.blocks([source(world, ALICE, calendar).id], 0, 2**40))
    for word in ("Secret", "operation", "Ward", "Clinic", "erin"):
        assert word not in kept
    assert "Secret" not in world.notes(ALICE)


def test_imported_and_making_busy_are_independent(world: World) -> None:
    calendar = private_calendar(world)
    world.outlook_create(ALICE, calendar=calendar, subject="Planning")
    world.pull(ALICE)
    chosen(world, other_calendars=[calendar])
    assert world.only_record()["name"] == "Planning"
    assert days(world, ALICE, calendar) == ["2026-12-02"]
    world.outlook_create(ALICE, calendar=calendar, subject="Second", start="2026-12-03T10:00:00",
                         end="2026-12-03T11:00:00")  # fmt: skip
    world.pull(ALICE)
    assert len(world.records()) == 2
    assert days(world, ALICE, calendar) == ["2026-12-02", "2026-12-03"]
    chosen(world, other_calendars=[])
    world.outlook_create(ALICE, calendar=calendar, subject="Third", start="2026-12-04T10:00:00",
                         end="2026-12-04T11:00:00")  # fmt: skip
    world.pull(ALICE)
    assert len(world.records()) == 2
    assert days(world, ALICE, calendar) == ["2026-12-02", "2026-12-03", "2026-12-04"]
    chosen(world, other_calendars=[calendar], conflict_calendars=[])
    assert list(kinds(world, ALICE).values()) == ["linked"]
    assert len(world.records()) == 3


# --- what calsync writes


def test_what_calsync_writes_blocks_at_once(world: World) -> None:
    with world.watched(ALICE) as sent:
        record = world.save()
        world.settle()
        assert busy(world, ALICE) == [("2026-12-01T10:00", "2026-12-01T11:00", "busy")]
        world.change(record, dateStart="2026-12-02 12:00:00", dateEnd="2026-12-02 13:00:00")
        world.settle()
        assert busy(world, ALICE) == [("2026-12-02T12:00", "2026-12-02T13:00", "busy")]
        world.remove(record)
        world.settle()
        assert busy(world, ALICE) == []
    # No calendar was read for it; what is to be deleted is looked at.
    assert sent == ["POST", "PATCH", "GET", "GET", "DELETE"]


# --- which calendars


def test_the_linked_calendar_is_always_among_them(world: World) -> None:
    assert list(kinds(world, ALICE).values()) == ["linked"]
    main = source(world, ALICE).place
    chosen(world, conflict_calendars=[main])
    assert kinds(world, ALICE) == {main: "linked"}
    chosen(world, main_calendar="none", conflict_calendars=[])
    assert kinds(world, ALICE) == {}
    chosen(world, conflict_calendars=[main])
    assert kinds(world, ALICE) == {main: "conflict"}


def test_a_choice_takes_effect_at_once(world: World) -> None:
    calendar = world.calendar(ALICE, "Private")
    world.outlook_create(ALICE, calendar=calendar)
    world.pull(ALICE)
    store = world.app.store
    chosen(world, conflict_calendars=[calendar])
    assert days(world, ALICE, calendar) == ["2026-12-02"]
    choose(store, world.app.gateway, ALICE, {"conflict_calendars": []})
    assert [one.kind.value for one in store.busy.sources([ALICE])] == ["linked"]


def test_another_main_calendar_takes_the_place_of_the_first(world: World) -> None:
    former = source(world, ALICE).place
    world.outlook_create(ALICE)
    other = world.calendar(ALICE, "Work")
    world.outlook_create(ALICE, calendar=other, start="2026-12-05T10:00:00", end="2026-12-05T11:00:00")
    world.pull(ALICE)
    chosen(world, main_calendar=other)
    assert kinds(world, ALICE) == {other: "linked"}
    assert days(world, ALICE) == ["2026-12-05"]
    chosen(world, conflict_calendars=[former])
    assert kinds(world, ALICE) == {other: "linked", former: "conflict"}
    assert days(world, ALICE, former) == ["2026-12-02"]


def test_a_shared_calendar_makes_busy(world: World) -> None:
    shared = world.share(BOB, ALICE, "read")
    world.outlook_create(BOB, subject="Bob's own", sensitivity="private")
    chosen(world, conflict_calendars=[shared])
    assert days(world, ALICE, shared) == ["2026-12-02"]
    world.outlook_create(BOB, start="2026-12-03T10:00:00", end="2026-12-03T11:00:00")
    world.pull(ALICE)
    assert days(world, ALICE, shared) == ["2026-12-02", "2026-12-03"]
    series = world.series(BOB, count=2, start="2026-12-07T10:00:00", end="2026-12-07T11:00:00")
    world.pull(ALICE)
    assert days(world, ALICE, shared)[2:] == ["2026-12-07", "2026-12-14"]
    world.outlook_delete(BOB, world.occurrences(BOB, series)[0].id)
    world.pull(ALICE)
    assert days(world, ALICE, shared)[2:] == ["2026-12-14"]
    assert {record["assignedUserId"] for record in world.records()} <= {BOB}


# --- when it cannot be read


def test_a_calendar_that_is_removed_keeps_what_was_known_and_says_so(world: World) -> None:
    calendar = private_calendar(world)
    world.outlook_create(ALICE, calendar=calendar)
    world.pull(ALICE)
    world.graph("DELETE", ALICE, f"calendars/{calendar}")
    world.pull(ALICE)
    world.pull(ALICE)
    found = source(world, ALICE, calendar)
    assert "not found" in found.error
    assert days(world, ALICE, calendar) == ["2026-12-02"]
    assert world.account(ALICE).status is AccountStatus.CONNECTED
    record = world.save()
    world.settle()
    assert world.link(record).home is not None
    chosen(world, conflict_calendars=[])
    assert list(kinds(world, ALICE).values()) == ["linked"]


@pytest.mark.parametrize("status", [403, 404])
def test_a_share_that_is_taken_away_and_given_again(world: World, status: int) -> None:
    world.switch(lost_share_status=status)
    shared = world.share(BOB, ALICE, "read")
    world.outlook_create(BOB, subject="Bob's own")
    chosen(world, conflict_calendars=[shared])
    world.share(BOB, ALICE, "none", add=False)
    world.pull(ALICE)
    world.pull(ALICE)
    assert source(world, ALICE, shared).error
    assert days(world, ALICE, shared) == ["2026-12-02"]
    assert world.account(ALICE).status is AccountStatus.CONNECTED
    world.share(BOB, ALICE, "read", add=False)
    world.outlook_create(BOB, start="2026-12-03T10:00:00", end="2026-12-03T11:00:00")
    world.pull(ALICE)
    world.pull(ALICE)
    assert source(world, ALICE, shared).error == ""
    assert days(world, ALICE, shared) == ["2026-12-02", "2026-12-03"]


def test_a_service_that_cannot_read_one_calendar_reads_the_others(world: World) -> None:
    calendar = private_calendar(world)
    world.outlook_create(ALICE, calendar=calendar)
    world.outlook_create(ALICE, subject="At work", **hour("14:00", "15:00"))
    world.fail(match={"method": "GET", "path": f"calendars/{calendar}/calendarView"}, status=500, times=99)
    world.pull(ALICE)
    assert source(world, ALICE, calendar).error
    assert days(world, ALICE) == ["2026-12-02"]
    assert world.account(ALICE).status is AccountStatus.CONNECTED
    # Once more soon, for it may have been a hiccup; then every ten minutes.
    assert (world.app.store.queue.next_due_in() or 0) <= 20
    world.clock.advance(20)
    world.settle()
    assert source(world, ALICE, calendar).error
    assert 60 < (world.app.store.queue.next_due_in() or 0) <= 600
    world.outlook.faults.replace([])
    world.pull(ALICE)
    assert source(world, ALICE, calendar).error == ""
    assert days(world, ALICE, calendar) == ["2026-12-02"]


def test_a_calendar_that_stays_forbidden_lets_its_mailbox_rest(world: World) -> None:
    calendar = private_calendar(world)
    world.fail(match={"method": "GET", "path": f"calendars/{calendar}/calendarView"}, status=403, times=99)
    world.pull(ALICE)
    assert source(world, ALICE, calendar).error
    assert (world.app.store.queue.next_due_in() or 0) <= 20
    world.clock.advance(20)
    world.settle()
    mailbox_id = world.account(ALICE).mailbox_id
    assert mailbox_id is not None
    waits = world.app.store.queue.pull_state(mailbox_id).pull_at - world.clock.now()
    assert waits == pytest.approx(SELDOM, abs=60)


def test_an_expired_cursor_means_listing_everything_again(world: World, calendar: str) -> None:
    world.outlook_create(ALICE, calendar=calendar)
    stale = world.outlook_create(
        ALICE, calendar=calendar, start="2026-12-03T10:00:00", end="2026-12-03T11:00:00"
    )
    world.pull(ALICE)
    world.expire_cursors()
    world.outlook_delete(ALICE, stale)
    world.outlook_create(ALICE, calendar=calendar, start="2026-12-04T10:00:00", end="2026-12-04T11:00:00")
    world.pull(ALICE)
    assert days(world, ALICE, calendar) == ["2026-12-02", "2026-12-04"]


def test_an_event_whose_time_cannot_be_read_keeps_nothing_from_being_known(
    world: World, calendar: str
) -> None:
    where = "" if calendar == source(world, ALICE).place else calendar
    world.plant(ALICE, calendar=where, start={"dateTime": "soon", "timeZone": "UTC"})
    world.outlook_create(ALICE, calendar=calendar)
    other = world.outlook_create(
        ALICE, calendar=calendar, start="2026-12-03T10:00:00", end="2026-12-03T11:00:00"
    )
    world.pull(ALICE)
    assert days(world, ALICE, calendar) == ["2026-12-02", "2026-12-03"]
    world.spoil(ALICE, other, start={"dateTime": "soon", "timeZone": "UTC"})
    world.pull(ALICE)
    assert days(world, ALICE, calendar) == ["2026-12-02"]
    assert source(world, ALICE, calendar).error == ""


# --- freshness and cost


def test_a_look_that_finds_nothing_makes_it_fresh(world: World, calendar: str) -> None:
    before = source(world, ALICE, calendar)
    assert before.known_from is not None
    assert before.known_until == datetime(2027, 12, 1, tzinfo=UTC)
    world.clock.advance(3600)
    world.pull(ALICE)
    after = source(world, ALICE, calendar)
    assert before.read_at is not None
    assert after.read_at is not None
    assert (after.read_at - before.read_at).total_seconds() >= 3600


def test_an_idle_mailbox_costs_one_request_for_each_calendar(world: World) -> None:
    world.pull(ALICE)
    with world.watched(ALICE) as sent:
        world.pull(ALICE)
    alone = len(sent)
    private_calendar(world)
    world.pull(ALICE)
    with world.watched(ALICE) as sent:
        world.pull(ALICE)
    assert sent == ["GET"] * (alone + 1)


def test_the_window_moves_along(world: World, calendar: str) -> None:
    world.outlook_create(ALICE, calendar=calendar, start="2027-12-10T10:00:00", end="2027-12-10T11:00:00")
    world.pull(ALICE)
    assert days(world, ALICE, calendar) == []
    world.clock.advance(10 * 24 * 3600)
    world.pull(ALICE)
    assert days(world, ALICE, calendar) == ["2027-12-10"]
    assert source(world, ALICE, calendar).known_until == datetime(2028, 1, 1, tzinfo=UTC)


def test_who_syncs_from_a_later_day_on_is_busy_before_it(world: World) -> None:
    world.outlook_create(ALICE)
    chosen(world, sync_since="2026-12-24")
    world.outlook_create(ALICE, **hour("14:00", "15:00"))
    world.pull(ALICE)
    assert len(busy(world, ALICE)) == 2
    chosen(world, sync_since="2026-11-01")
    world.outlook_create(ALICE, **hour("16:00", "17:00"))
    world.pull(ALICE)
    assert len(busy(world, ALICE)) == 3


# --- in portions, and in what order


def test_what_was_imported_before_is_listed_when_it_is_to_make_busy(world: World) -> None:
    calendar = world.calendar(ALICE, "Projects")
    chosen(world, other_calendars=[calendar])
    world.outlook_create(ALICE, calendar=calendar)
    world.pull(ALICE)
    chosen(world, conflict_calendars=[calendar])
    assert days(world, ALICE, calendar) == ["2026-12-02"]
    world.outlook_create(ALICE, calendar=calendar, start="2026-12-03T10:00:00", end="2026-12-03T11:00:00")
    world.pull(ALICE)
    assert days(world, ALICE, calendar) == ["2026-12-02", "2026-12-03"]


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outlook tells little at once."""
    monkeypatch.setattr("calsync_plugin.graph.calendar._BUSY_PAGE", "5")
    monkeypatch.setattr("calsync_plugin.engine.reading.PAGE", 5)


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("slow", [False, True], ids=["in-one-run", "in-many-runs"])
def test_a_long_list_is_told_in_pages(make_world: MakeWorld, slow: bool) -> None:
    world = make_world()
    if slow:
        # Two requests a run.
        world.outlook.delay_ms = 3000
    series = world.series(ALICE, "daily", count=17)
    world.outlook_create(ALICE, start="2027-03-01T10:00:00", end="2027-03-01T11:00:00")
    world.connect(ALICE)
    assert len(days(world, ALICE)) == 18
    calendar = world.calendar(ALICE, "Private")
    world.series(ALICE, "daily", calendar=calendar, count=23)
    chosen(world, conflict_calendars=[calendar])
    assert len(days(world, ALICE, calendar)) == 23
    world.outlook_patch(ALICE, series, showAs="oof")
    world.pull(ALICE)
    assert [shown for *_, shown in busy(world, ALICE)].count("oof") == 17


@pytest.mark.usefixtures("small_pages")
def test_a_listing_that_was_left_off_ends_before_any_change_is_read(make_world: MakeWorld) -> None:
    """Else it would say what was, after what was changed since."""
    world = make_world()
    events = [
        world.outlook_create(
            ALICE, start=f"2026-12-{day:02}T10:00:00", end=f"2026-12-{day:02}T11:00:00", showAs="oof"
        )
        for day in range(1, 13)
    ]
    world.connect(ALICE)
    store = world.app.store
    mailbox_id = world.account(ALICE).mailbox_id
    assert mailbox_id is not None
    world.expire_cursors()
    world.outlook.delay_ms = 3000
    store.queue.hint(mailbox_id)
    listed = 0
    for _ in range(60):
        for lease in store.queue.claim("the test", limit=1, lease=60):
            rest = world.app.reconciler.run(lease)
            store.queue.finish(lease, next_due=rest.next_due)
        noted = any(c.stage is CursorStage.LISTING for c in store.cursors.for_mailbox(mailbox_id))
        listed += noted
        if listed == 1 and noted:
            # Between two pages of the listing; the first of them told of this one already.
            world.outlook_patch(ALICE, events[0], showAs="free")
    assert listed
    world.pull(ALICE)
    assert len(days(world, ALICE)) == 11


def test_a_shared_calendar_is_looked_at_regularly_although_the_mailbox_is_notified(
    make_world: MakeWorld,
) -> None:
    world = make_world(notifications=True)
    world.settings = replace(world.settings, graph=replace(world.settings.graph, poll_seconds=600))
    world.open()
    world.connect(ALICE)
    # A hint that nothing came of is followed by one more look.
    world.settle()
    world.clock.advance(60)
    world.settle()
    assert (world.app.store.queue.next_due_in() or 0) > 3600
    shared = world.share(BOB, ALICE, "read")
    chosen(world, conflict_calendars=[shared])
    world.clock.advance(60)
    world.settle()
    assert 60 < (world.app.store.queue.next_due_in() or 0) <= 600


# --- the end


def test_pausing_keeps_it_and_disconnecting_removes_it(world: World) -> None:
    calendar = private_calendar(world)
    world.outlook_create(ALICE, calendar=calendar)
    world.pull(ALICE)
    mailbox_id = world.account(ALICE).mailbox_id
    assert mailbox_id is not None
    world.app.connections.pause(ALICE)
    assert days(world, ALICE, calendar) == ["2026-12-02"]
    world.app.connections.resume(ALICE)
    world.settle()
    world.app.connections.disconnect(ALICE)
    assert kinds(world, ALICE) == {}
    assert world.app.store.cursors.for_mailbox(mailbox_id) == []
    world.connect(ALICE)
    assert list(kinds(world, ALICE).values()) == ["linked"]


def test_a_run_that_was_under_way_makes_nothing_anew(world: World) -> None:
    calendar = private_calendar(world)
    store, mailbox_id = world.app.store, world.account(ALICE).mailbox_id
    assert mailbox_id is not None
    rows = store.calendars.for_mailbox(mailbox_id)
    store.busy.keep_calendars(ALICE, mailbox_id, {})
    store.queue.hint(mailbox_id)

    def disconnects(user_id: str, mailbox_id: int) -> Any:
        """Alice disconnects when the run opens her mailbox."""
        client = opens(user_id, mailbox_id)
        store.accounts.set_status(ALICE, AccountStatus.OFF)
        store.calendars.replace(mailbox_id, rows)
        return client

    opens = world.app.open_mailbox
    world.app.open_mailbox = disconnects  # type: ignore[method-assign]
    world.drain()
    assert kinds(world, ALICE) == {}
    assert calendar


def test_nothing_is_left_of_cursors_that_are_no_longer_needed(world: World) -> None:
    calendar = private_calendar(world)
    mailbox_id = world.account(ALICE).mailbox_id
    assert mailbox_id is not None

    def stages() -> set[tuple[str, CursorStage]]:
        return {(c.calendar_id, c.stage) for c in world.app.store.cursors.for_mailbox(mailbox_id)}

    main = source(world, ALICE).place
    assert stages() == {(main, CursorStage.LIVE), (calendar, CursorStage.BUSY)}
    chosen(world, other_calendars=[calendar])
    assert stages() == {(main, CursorStage.LIVE), (calendar, CursorStage.LIVE)}
    chosen(world, other_calendars=[], conflict_calendars=[])
    assert stages() == {(main, CursorStage.LIVE)}


def test_two_users_are_told_apart(world: World) -> None:
    world.connect(CAROL)
    world.outlook_create(ALICE)
    world.outlook_create(BOB, start="2026-12-03T10:00:00", end="2026-12-03T11:00:00")
    world.pull()
    assert (days(world, ALICE), days(world, BOB), days(world, CAROL)) == (["2026-12-02"], ["2026-12-03"], [])
