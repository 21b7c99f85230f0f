"""R13 with R3: a series in several mailboxes is one record for each date; all answer for themselves."""

from __future__ import annotations

from typing import Any

import pytest

from calsync_plugin.domain.links import LinkState, Role
from tests.outlook_side import EVE, repeats
from tests.world import ADDRESS, ALICE, BOB, CAROL, World

DAY = 24 * 3600.0


@pytest.fixture(params=[pytest.param(False, id="own-uids"), pytest.param(True, id="shared-uid")])
def outlook(request: pytest.FixtureRequest, world: World) -> World:
    """A world in which an occurrence has an iCalUId of its own, or that of its series."""
    world.switch(occurrences_share_icaluid=request.param)
    return world


def ids(world: World) -> list[str]:
    """The meetings by their start."""
    return [one["id"] for one in world.records()]


def dates(world: World) -> list[str]:
    """On which days the meetings are."""
    return [one["dateStart"][:10] for one in world.records()]


def answers(world: World, user_id: str) -> list[Any]:
    """What a user said to each meeting, by its start; None where the user is not on it."""
    return [one["usersColumns"].get(user_id, {}).get("status") for one in world.records()]


def shared(world: World, count: int = 3) -> str:
    """A series of alice's in which bob takes part, read from both calendars; returns its id in hers."""
    series = world.series(ALICE, count=count, attendees=[ADDRESS[BOB]])
    world.pull()
    world.mails()
    return series


def of_bob(world: World) -> str:
    """The id of the only series in bob's calendar."""
    return str(world.event(BOB).id)


def test_r13_pain_02_a_series_of_two_connected_users_is_one_record_for_each_date(outlook: World) -> None:
    outlook.series(ALICE, count=3, attendees=[ADDRESS[BOB]])
    outlook.pull()
    assert dates(outlook) == ["2026-12-02", "2026-12-09", "2026-12-16"]
    assert {tuple(sorted(one["usersIds"])) for one in outlook.records()} == {tuple(sorted([ALICE, BOB]))}
    assert {one["assignedUserId"] for one in outlook.records()} == {ALICE}
    assert [len(outlook.link(one).copies) for one in ids(outlook)] == [2, 2, 2]
    outlook.mails()
    outlook.quiet()
    assert outlook.mails() == []


def test_r13_pain_02_whoever_is_read_first(outlook: World) -> None:
    outlook.series(ALICE, count=3, attendees=[ADDRESS[BOB]])
    outlook.pull(BOB)
    outlook.pull()
    assert len(ids(outlook)) == 3
    assert {outlook.link(one).role for one in ids(outlook)} == {Role.ORGANIZER}
    outlook.quiet()


def test_r13_an_answer_to_the_series_is_one_to_each_date(outlook: World) -> None:
    shared(outlook)
    outlook.respond(BOB, of_bob(outlook), "accept")
    outlook.pull()
    assert answers(outlook, BOB) == ["Accepted"] * 3
    outlook.mails()
    outlook.quiet()
    assert outlook.mails() == []


def test_r13_an_answer_to_one_date_is_of_that_date_alone(outlook: World) -> None:
    shared(outlook)
    outlook.respond(BOB, of_bob(outlook), "accept")
    outlook.pull()
    outlook.respond(BOB, outlook.occurrences(BOB, of_bob(outlook))[1].id, "tentativelyAccept")
    outlook.pull()
    assert answers(outlook, BOB) == ["Accepted", "Tentative", "Accepted"]
    outlook.mails()
    outlook.quiet()
    assert outlook.mails() == []


@pytest.mark.parametrize("leaves", [True, False], ids=["declined-goes", "declined-stays"])
def test_r13_a_date_that_is_declined_stays_for_the_others(outlook: World, leaves: bool) -> None:
    outlook.switch(decline_removes_copy=leaves)
    shared(outlook)
    outlook.respond(BOB, outlook.occurrences(BOB, of_bob(outlook))[1].id, "decline")
    outlook.pull()
    assert answers(outlook, BOB)[1] == "Declined"
    assert len(ids(outlook)) == 3
    assert len(outlook.occurrences(ALICE, outlook.event(ALICE).id)) == 3
    outlook.mails()
    outlook.quiet()


def test_r13_pain_11_who_deletes_the_own_copies_ends_nothing(outlook: World) -> None:
    shared(outlook)
    outlook.outlook_delete(BOB, outlook.occurrences(BOB, of_bob(outlook))[0].id)
    outlook.pull()
    assert (len(ids(outlook)), answers(outlook, BOB)[0]) == (3, "Declined")
    outlook.outlook_delete(BOB, of_bob(outlook))
    outlook.pull()
    assert answers(outlook, BOB) == ["Declined"] * 3
    assert len(outlook.occurrences(ALICE, outlook.event(ALICE).id)) == 3
    outlook.mails()
    outlook.quiet()
    assert outlook.mails() == []


@pytest.mark.parametrize("first", [ALICE, BOB], ids=["organizer-first", "invited-first"])
def test_r13_pain_07_a_shared_series_moves_in_both_calendars(outlook: World, first: str) -> None:
    series = shared(outlook)
    before = ids(outlook)
    start = "2026-12-03T10:00:00"
    outlook.outlook_patch(
        ALICE, series, start=start, end="2026-12-03T11:00:00", recurrence=repeats(start=start, count=3)
    )
    outlook.mails()
    outlook.pull(first)
    outlook.pull()
    assert ids(outlook) == before
    assert dates(outlook) == ["2026-12-03", "2026-12-10", "2026-12-17"]
    assert [len(outlook.link(one).copies) for one in before] == [2, 2, 2]
    outlook.quiet()
    assert outlook.mails() == []
    outlook.respond(BOB, outlook.occurrences(BOB, of_bob(outlook))[1].id, "accept")
    outlook.pull()
    assert answers(outlook, BOB)[1] == "Accepted"


@pytest.mark.parametrize("first", [ALICE, BOB], ids=["organizer-first", "invited-first"])
def test_r13_a_shared_series_is_split(outlook: World, first: str) -> None:
    series = shared(outlook, count=4)
    before = ids(outlook)
    third = outlook.occurrences(ALICE, series)[2]
    outlook.split_series(ALICE, third, start="2026-12-16T14:00:00", end="2026-12-16T15:00:00")
    outlook.mails()
    outlook.pull(first)
    outlook.pull()
    assert ids(outlook) == before
    assert [one["dateStart"][11:13] for one in outlook.records()] == ["10", "10", "14", "14"]
    assert [len(outlook.link(one).copies) for one in before] == [2, 2, 2, 2]
    outlook.quiet()
    assert outlook.mails() == []


def test_r13_one_date_of_a_shared_series_is_called_off(outlook: World) -> None:
    series = shared(outlook)
    outlook.outlook_cancel(ALICE, outlook.occurrences(ALICE, series)[1].id)
    outlook.pull()
    assert dates(outlook) == ["2026-12-02", "2026-12-16"]
    outlook.mails()
    outlook.quiet()


def test_r13_a_shared_series_is_called_off(outlook: World) -> None:
    series = shared(outlook)
    outlook.outlook_cancel(ALICE, series)
    outlook.mails()
    outlook.pull(BOB)
    assert len(ids(outlook)) == 3
    outlook.pull()
    assert ids(outlook) == []
    outlook.quiet()
    assert outlook.mails() == []


# --- organizers elsewhere


def test_r13_a_series_of_an_outside_organizer(outlook: World) -> None:
    outlook.invite_from_outside(ALICE, recurrence=repeats(count=3))
    outlook.pull()
    assert dates(outlook) == ["2026-12-02", "2026-12-09", "2026-12-16"]
    assert {outlook.link(one).role for one in ids(outlook)} == {Role.ATTENDEE}
    outlook.quiet()
    outlook.respond(ALICE, outlook.event(ALICE).id, "accept")
    outlook.pull()
    assert answers(outlook, ALICE) == ["Accepted"] * 3
    outlook.mails()
    outlook.quiet()
    assert outlook.mails() == []


def test_r13_both_invited_from_outside_share_the_records(outlook: World) -> None:
    outlook.invite_from_outside(ALICE, BOB, recurrence=repeats(count=3))
    outlook.pull()
    assert len(ids(outlook)) == 3
    assert [len(outlook.link(one).copies) for one in ids(outlook)] == [2, 2, 2]
    outlook.respond(BOB, of_bob(outlook), "decline")
    outlook.respond(ALICE, outlook.event(ALICE).id, "accept")
    outlook.pull()
    assert answers(outlook, BOB) == ["Declined"] * 3
    assert answers(outlook, ALICE) == ["Accepted"] * 3
    outlook.mails()
    outlook.quiet()


def test_r13_an_outside_organizer_moves_the_series(outlook: World) -> None:
    series = outlook.invite_from_outside(ALICE, BOB, recurrence=repeats(count=3))
    outlook.pull()
    before = ids(outlook)
    start = "2026-12-03T10:00:00"
    outlook.outside_patch(
        series, start=start, end="2026-12-03T11:00:00", recurrence=repeats(start=start, count=3)
    )
    outlook.pull()
    assert ids(outlook) == before
    assert dates(outlook) == ["2026-12-03", "2026-12-10", "2026-12-17"]
    outlook.mails()
    outlook.quiet()


def test_r13_an_outside_organizer_calls_one_date_off_and_then_all(outlook: World) -> None:
    series = outlook.invite_from_outside(ALICE, recurrence=repeats(count=3))
    outlook.pull()
    outlook.outside_cancel(outlook.outside_occurrences(series)[1].id)
    outlook.pull()
    assert [one["status"] for one in outlook.records()] == ["Planned", "Not Held", "Planned"]
    outlook.outside_cancel(series)
    outlook.pull()
    assert {one["status"] for one in outlook.records()} == {"Not Held"}
    assert {outlook.link(one).state for one in ids(outlook)} == {LinkState.DETACHED}
    outlook.mails()
    outlook.quiet()


@pytest.mark.parametrize("invited", [(ALICE,), (ALICE, BOB)], ids=["one-user", "two-users"])
def test_r13_an_outside_organizer_makes_one_event_of_it_and_a_series_again(
    outlook: World, invited: tuple[str, ...]
) -> None:
    """The dates that are no more were handed on to the second user, whose series is gone as well."""
    series = outlook.invite_from_outside(*invited, recurrence=repeats(count=3))
    outlook.pull()
    first = ids(outlook)[0]
    outlook.outside_patch(series, recurrence=None)
    outlook.pull()
    outlook.outside_patch(series, recurrence=repeats(count=3))
    outlook.pull()
    assert dates(outlook) == ["2026-12-02", "2026-12-09", "2026-12-16"]
    assert ids(outlook)[0] == first
    outlook.mails()
    outlook.quiet()
    assert outlook.mails() == []


def test_r13_two_connected_users_keep_a_series_that_was_one_event_meanwhile(outlook: World) -> None:
    series = shared(outlook)
    first = ids(outlook)[0]
    outlook.outlook_patch(ALICE, series, recurrence=None)
    outlook.pull()
    outlook.outlook_patch(ALICE, series, recurrence=repeats(count=3))
    outlook.pull()
    assert dates(outlook) == ["2026-12-02", "2026-12-09", "2026-12-16"]
    assert [len(outlook.link(one).copies) for one in ids(outlook)] == [2, 2, 2]
    assert ids(outlook)[0] == first
    outlook.mails()
    outlook.quiet()


def test_r13_an_edit_of_somebody_elses_date_is_not_sent(outlook: World) -> None:
    series = outlook.invite_from_outside(ALICE, recurrence=repeats(count=3))
    outlook.pull()
    outlook.mails()
    second = ids(outlook)[1]
    outlook.change(second, name="Mine")
    with outlook.writes() as seen:
        outlook.settle()
    assert seen == []
    outlook.outside_patch(outlook.outside_occurrences(series)[1].id, subject="Theirs")
    outlook.pull()
    assert outlook.record(second)["name"] == "Theirs"
    outlook.mails()
    outlook.quiet()
    assert outlook.mails() == []


def test_r13_the_record_of_somebody_elses_date_is_removed(outlook: World) -> None:
    outlook.invite_from_outside(ALICE, recurrence=repeats(count=3))
    outlook.pull()
    outlook.mails()
    outlook.remove(ids(outlook)[1])
    outlook.pull()
    assert len(outlook.occurrences(ALICE, outlook.event(ALICE).id)) == 3
    assert dates(outlook) == ["2026-12-02", "2026-12-16"]
    outlook.quiet()
    assert outlook.mails() == []


@pytest.mark.parametrize("named", [False, True], ids=["looks-single", "names-its-series"])
def test_r13_an_invitation_to_one_date_alone_is_a_single_event(outlook: World, named: bool) -> None:
    outlook.switch(lone_occurrence_names_master=named)
    series = outlook.invite_from_outside(organizer=EVE, recurrence=repeats(count=3))
    second = outlook.outside_occurrences(series)[1]
    outlook.outside_patch(second.id, attendees=[ADDRESS[ALICE], ADDRESS[BOB]])
    outlook.pull()
    assert dates(outlook) == ["2026-12-09"]
    assert len(outlook.link(ids(outlook)[0]).copies) == 2
    outlook.outside_patch(second.id, subject="Changed")
    outlook.pull()
    assert outlook.only_record()["name"] == "Changed"
    outlook.mails()
    outlook.quiet()


@pytest.mark.parametrize("absorbed", [True, False], ids=["absorbed", "stays-beside"])
@pytest.mark.parametrize("named", [False, True], ids=["looks-single", "names-its-series"])
def test_r13_after_one_date_alone_the_whole_series(outlook: World, named: bool, absorbed: bool) -> None:
    outlook.switch(lone_occurrence_names_master=named, series_absorbs_lone_occurrence=absorbed)
    series = outlook.invite_from_outside(organizer=EVE, recurrence=repeats(count=3))
    second = outlook.outside_occurrences(series)[1]
    outlook.outside_patch(second.id, attendees=[ADDRESS[ALICE]])
    outlook.pull()
    before = outlook.only_record()["id"]
    outlook.outside_patch(series, attendees=[ADDRESS[ALICE]])
    outlook.pull()
    assert dates(outlook) == ["2026-12-02", "2026-12-09", "2026-12-16"]
    assert ids(outlook)[1] == before
    outlook.mails()
    outlook.quiet()


def test_r13_one_date_alone_in_one_mailbox_the_series_in_another(outlook: World) -> None:
    series = outlook.invite_from_outside(ALICE, recurrence=repeats(count=3))
    outlook.pull()
    second = outlook.outside_occurrences(series)[1]
    outlook.outside_patch(second.id, attendees=[ADDRESS[ALICE], ADDRESS[BOB]])
    outlook.pull()
    assert len(ids(outlook)) == 3
    assert [len(outlook.link(one).copies) for one in ids(outlook)] == [1, 2, 1]
    outlook.mails()
    outlook.quiet()


def test_r13_a_moved_date_alone_in_one_mailbox_the_series_in_another(outlook: World) -> None:
    """Neither its slot nor its time tells which date it is."""
    series = outlook.series(ALICE, count=3)
    second = outlook.occurrences(ALICE, series)[1]
    outlook.pull()
    outlook.outlook_patch(
        ALICE, second.id, attendees=[ADDRESS[BOB]], start="2026-12-10T15:00:00", end="2026-12-10T16:00:00"
    )
    outlook.pull(ALICE)
    outlook.pull()
    assert [len(outlook.link(one).copies) for one in ids(outlook)] == [1, 2, 1]
    outlook.mails()
    outlook.quiet()


def test_r13_one_more_guest_on_one_date(outlook: World) -> None:
    series = shared(outlook)
    second = outlook.occurrences(ALICE, series)[1]
    outlook.outlook_patch(ALICE, second.id, attendees=[ADDRESS[BOB], ADDRESS[CAROL]])
    outlook.pull()
    assert [CAROL in one["usersIds"] for one in outlook.records()] == [False, True, False]
    outlook.mails()
    outlook.quiet()
    assert outlook.mails() == []
