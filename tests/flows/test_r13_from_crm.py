"""R13: what the CRM does to the record of one date of a series stays with that date."""

from __future__ import annotations

from typing import Any

import pytest

from calsync_plugin.domain.links import LinkState, Origin
from tests.outlook_side import repeats
from tests.world import ADDRESS, ALICE, BOB, CAROL, DAVE, World

DAYS = ("2026-12-02", "2026-12-09", "2026-12-16")


def ids(world: World) -> list[str]:
    """The meetings by their start."""
    return [one["id"] for one in world.records()]


def subjects(world: World, series: str) -> list[str]:
    """What the dates of alice's series are called in Outlook."""
    return [one.subject for one in world.occurrences(ALICE, series)]


def imported(world: World, **properties: Any) -> tuple[str, str]:
    """A series of three dates in alice's calendar, and the record of its second date."""
    series = world.series(ALICE, count=3, **properties)
    world.pull()
    world.mails()
    return series, ids(world)[1]


def test_r13_pain_06_an_import_writes_nothing_back(world: World) -> None:
    """Neither the series nor a date of it is touched, and nobody gets a mail."""
    series = world.series(ALICE, count=3, attendees=[ADDRESS[BOB], "dave@contoso.example"])
    before = world.event_at(ALICE, series).changeKey
    world.mails()
    world.pull()
    world.pull()
    assert world.event_at(ALICE, series).changeKey == before
    assert world.mails() == []


def test_r13_pain_06_a_series_that_changes_mails_what_outlook_mails(world: World) -> None:
    """One mail for the series; none because of the records that follow it."""
    series, _ = imported(world, attendees=[ADDRESS[BOB]])
    world.outlook_patch(ALICE, series, subject="Renamed")
    assert world.mails() == [("update", "bob@example.com")]
    world.pull()
    assert {one["name"] for one in world.records()} == {"Renamed"}
    world.quiet()
    assert world.mails() == []


def test_r13_an_edit_of_one_date_becomes_an_exception(world: World) -> None:
    series, second = imported(world)
    world.change(second, name="Special")
    world.settle()
    assert subjects(world, series) == ["Visit", "Special", "Visit"]
    assert [one.type for one in world.occurrences(ALICE, series)] == ["occurrence", "exception", "occurrence"]
    world.quiet()
    assert [one["name"] for one in world.records()] == ["Visit", "Special", "Visit"]


def test_r13_pain_06_an_edit_of_one_date_is_one_mail(world: World) -> None:
    series, second = imported(world, attendees=[ADDRESS[BOB]])
    world.change(second, dateStart=f"{DAYS[1]} 14:00:00", dateEnd=f"{DAYS[1]} 15:00:00")
    with world.writes() as seen:
        world.settle()
    assert len(seen) == 1
    assert world.mails() == [("update", "bob@example.com")]
    assert [one.start[11:13] for one in world.occurrences(ALICE, series)] == ["10", "14", "10"]
    world.quiet()
    assert world.mails() == []


def test_r13_a_date_moves_to_another_day_between_its_neighbours(world: World) -> None:
    series, second = imported(world)
    world.change(second, dateStart="2026-12-11 09:00:00", dateEnd="2026-12-11 10:00:00")
    world.settle()
    assert [one.start for one in world.occurrences(ALICE, series)][1] == "2026-12-11T09:00:00"
    world.quiet()
    assert ids(world)[1] == second


def test_r13_one_date_gets_another_guest(world: World) -> None:
    series, second = imported(world, attendees=[ADDRESS[BOB]])
    world.change(second, usersIds=[ALICE, BOB, CAROL])
    world.settle()
    guests = [one.attendees for one in world.occurrences(ALICE, series)]
    assert guests[0] == guests[2] == {"bob@example.com"}
    assert guests[1] == {"bob@example.com", "carol@example.com"}
    assert world.mails() == [("invitation", "carol@example.com")]
    world.pull()
    world.quiet()
    assert len(ids(world)) == 3
    assert world.mails() == []


def test_r13_what_crosses_a_neighbour_is_parked_and_outlooks_time_stays(world: World) -> None:
    series, second = imported(world, attendees=[ADDRESS[BOB]])
    world.change(second, dateStart="2026-12-17 09:00:00", dateEnd="2026-12-17 10:00:00")
    world.settle()
    assert [one.start[:10] for one in world.occurrences(ALICE, series)] == list(DAYS)
    assert set(world.parked()) == {second}
    assert world.mails() == []
    world.quiet()
    # It is in order again as soon as somebody corrects it.
    world.change(second, dateStart=f"{DAYS[1]} 12:00:00", dateEnd=f"{DAYS[1]} 13:00:00")
    world.settle()
    assert world.parked() == {}
    assert world.occurrences(ALICE, series)[1].start == f"{DAYS[1]}T12:00:00"
    world.quiet()


def test_r13_a_parked_date_goes_on_being_followed(world: World) -> None:
    """The refusal is of one field; the others, and the other dates, come in."""
    series, second = imported(world)
    world.change(second, dateStart="2026-12-17 09:00:00", dateEnd="2026-12-17 10:00:00")
    world.settle()
    world.outlook_patch(ALICE, world.occurrences(ALICE, series)[1].id, subject="Special")
    world.pull()
    assert world.record(second)["name"] == "Special"
    world.outlook_patch(ALICE, series, subject="All")
    world.pull()
    assert sorted(one["name"] for one in world.records()) == ["All", "All", "Special"]
    world.quiet()


def test_r13_a_date_whose_record_is_removed_stays_in_outlook(world: World) -> None:
    series, second = imported(world)
    link = world.link(second).id
    world.remove(second)
    world.settle()
    assert len(world.occurrences(ALICE, series)) == 3
    assert world.app.store.links.by_ids([link])[link].state is LinkState.DETACHED
    world.quiet()
    world.outlook_patch(ALICE, series, subject="Renamed")
    world.expire_cursors()
    world.pull()
    assert [one["name"] for one in world.records()] == ["Renamed"] * 2
    world.quiet()


def test_r13_a_date_whose_record_is_removed_goes_if_the_user_wants_that(world: World) -> None:
    world.choose(ALICE, remove_event_with_record=True)
    series, second = imported(world, attendees=[ADDRESS[BOB]])
    world.remove(second)
    world.settle()
    assert [one.start[:10] for one in world.occurrences(ALICE, series)] == [DAYS[0], DAYS[2]]
    assert world.mails() == [("cancellation", "bob@example.com")]
    world.pull()
    world.quiet()
    assert [one["dateStart"][:10] for one in world.records()] == [DAYS[0], DAYS[2]]
    assert world.mails() == []


def test_r13_a_date_that_was_detached_stays_so_when_the_series_moves(world: World) -> None:
    series, second = imported(world)
    world.remove(second)
    world.settle()
    world.outlook_patch(ALICE, series, start="2026-12-02T12:00:00", end="2026-12-02T13:00:00")
    world.pull()
    assert [one["dateStart"] for one in world.records()] == [f"{DAYS[0]} 12:00:00", f"{DAYS[2]} 12:00:00"]
    world.quiet()


def test_r13_r02_giving_a_date_to_somebody_else_moves_no_event(world: World) -> None:
    series, second = imported(world)
    world.reassign(second, BOB)
    world.settle()
    world.pull()
    assert len(world.occurrences(ALICE, series)) == 3
    assert world.events(BOB) == []
    assert world.record(second)["assignedUserId"] == BOB
    world.quiet()
    world.change(second, name="Of bob's")
    world.settle()
    assert subjects(world, series) == ["Visit", "Of bob's", "Visit"]


def test_r13_pain_07_an_edit_that_meets_a_series_on_the_move(world: World) -> None:
    """The id that the edit was to be written to is another one by now."""
    series, second = imported(world)
    before = ids(world)
    start = "2026-12-03T10:00:00"
    world.outlook_patch(
        ALICE, series, start=start, end="2026-12-03T11:00:00", recurrence=repeats(start=start, count=3)
    )
    world.change(second, name="Special")
    world.settle()
    world.pull()
    assert ids(world) == before
    assert [one["dateStart"][:10] for one in world.records()] == ["2026-12-03", "2026-12-10", "2026-12-17"]
    assert [one["name"] for one in world.records()] == ["Visit", "Special", "Visit"]
    assert subjects(world, series) == ["Visit", "Special", "Visit"]
    world.quiet()


def test_r13_an_edit_that_meets_a_date_taken_out(world: World) -> None:
    """The edited record survives, no longer followed; nothing is created again."""
    series, second = imported(world)
    world.outlook_delete(ALICE, world.occurrences(ALICE, series)[1].id)
    world.change(second, name="Special")
    world.settle()
    world.pull()
    assert world.record(second)["name"] == "Special"
    assert world.link(second).state is LinkState.DETACHED
    assert subjects(world, series) == ["Visit", "Visit"]
    world.quiet()


def test_r13_both_sides_changed_one_date(world: World) -> None:
    series, second = imported(world)
    world.outlook_patch(ALICE, world.occurrences(ALICE, series)[1].id, subject="From Outlook")
    world.change(second, dateStart=f"{DAYS[1]} 14:00:00", dateEnd=f"{DAYS[1]} 15:00:00")
    world.settle()
    world.pull()
    assert world.record(second)["name"] == "From Outlook"
    assert world.occurrences(ALICE, series)[1].start == f"{DAYS[1]}T14:00:00"
    world.quiet()


# --- records of the CRM whose event becomes a series


def test_r13_a_record_whose_event_becomes_a_series_is_its_first_date(world: World) -> None:
    record = world.save(dateStart=f"{DAYS[0]} 10:00:00", dateEnd=f"{DAYS[0]} 11:00:00")
    world.settle()
    event = world.event(ALICE).id
    world.outlook_patch(ALICE, event, recurrence=repeats(count=3))
    world.pull()
    assert [one["dateStart"][:10] for one in world.records()] == list(DAYS)
    assert ids(world)[0] == record
    assert world.link(record).origin is Origin.CRM
    world.quiet()
    world.change(record, name="Only the first")
    world.settle()
    assert subjects(world, event) == ["Only the first", "Kick-off", "Kick-off"]
    world.quiet()


def test_r13_an_edit_never_reaches_the_series_instead_of_its_date(world: World) -> None:
    """The record is written before anybody read that its event repeats now."""
    record = world.save(
        dateStart=f"{DAYS[0]} 10:00:00",
        dateEnd=f"{DAYS[0]} 11:00:00",
        usersIds=[ALICE, BOB],
        contactsIds=[DAVE],
    )
    world.settle()
    event = world.event(ALICE).id
    world.outlook_patch(ALICE, event, recurrence=repeats(count=3))
    world.mails()
    world.change(record, name="Only the first")
    world.settle()
    world.pull()
    assert subjects(world, event) == ["Only the first", "Kick-off", "Kick-off"]
    assert world.mails() == [("update", "bob@example.com")]
    assert len(ids(world)) == 3
    world.quiet()


def test_r13_a_record_whose_event_became_a_series_is_removed(world: World) -> None:
    record = world.save(dateStart=f"{DAYS[0]} 10:00:00", dateEnd=f"{DAYS[0]} 11:00:00")
    world.settle()
    event = world.event(ALICE).id
    world.outlook_patch(ALICE, event, recurrence=repeats(count=3))
    world.remove(record)
    world.settle()
    world.pull()
    assert [one.start[:10] for one in world.occurrences(ALICE, event)] == list(DAYS[1:])
    assert [one["dateStart"][:10] for one in world.records()] == list(DAYS[1:])
    world.quiet()


@pytest.mark.parametrize("keep", [True, False], ids=["stays", "goes"])
def test_r13_r10_the_event_of_such_a_record_is_removed(world: World, keep: bool) -> None:
    """R10 by the side on which each was born: the record stays, the dates of Outlook's go."""
    world.choose(ALICE, remove_record_with_event=not keep)
    record = world.save(dateStart=f"{DAYS[0]} 10:00:00", dateEnd=f"{DAYS[0]} 11:00:00")
    world.settle()
    event = world.event(ALICE).id
    world.outlook_patch(ALICE, event, recurrence=repeats(count=3))
    world.pull()
    world.outlook_delete(ALICE, event)
    world.pull()
    assert ids(world) == ([record] if keep else [])
    world.quiet()
