"""A team's free times as its members see them, and booking one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from calsync_plugin.booking.features import EVERYBODY, Feature
from calsync_plugin.state import BookingCalendar, BookingState, CalendarKind
from tests.pages import Browser, path_of
from tests.world import ADMINISTRATOR, ALICE, BOB, CAROL, START, World

TUESDAY = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
"""The day after the world begins; 10:00 in Berlin."""
NOT_FREE = "\N{EN DASH} not free"
WEEK = {"week": "2026-11-23"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.connect(ALICE, mode="crm_to_outlook")
    made.connect(BOB, mode="crm_to_outlook")
    yield made
    made.close()


@pytest.fixture
def alice(world: World) -> Browser:
    made = Browser(world)
    made.sign_in("alice")
    return made


def make(
    world: World, kind: CalendarKind, *members: str, name: str = "Demo", **rules: Any
) -> BookingCalendar:
    calendar = BookingCalendar(id="", name=name, kind=kind, members=dict.fromkeys(members, 0), rules=rules)
    return world.app.desk.calendars.save(ADMINISTRATOR, calendar)


def text_of(answer: TestResponse) -> str:
    """What is read of a page's content."""
    inner = answer.text.partition("<main")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", inner)).split())


def look(visitor: Browser, calendar: BookingCalendar, **asked: str) -> TestResponse:
    return visitor.get(f"/booking-calendars/{calendar.id}", query_string={**WEEK, **asked})


def rows(answer: TestResponse) -> dict[str, list[str]]:
    """The cells of the grid in words, by their time."""
    table = answer.text.partition("<tbody>")[2].partition("</tbody>")[0]
    found = {}
    for row in table.split("<tr>")[1:]:
        cells = [
            " ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split())
            for cell in re.split(r"<t[hd][^>]*>", row)[1:]
        ]
        found[cells[0]] = cells[1:]
    return found


def busy(world: World, user_id: str, start: datetime, hours: float = 1) -> None:
    """Let a user be busy in Outlook, and calsync know it."""
    first, last = (at.replace(tzinfo=None).isoformat() for at in (start, start + timedelta(hours=hours)))
    world.outlook_create(user_id, subject="Secret talks", start=first, end=last)
    world.pull(user_id)


def form_of(visitor: Browser, calendar: BookingCalendar, start: datetime, **asked: str) -> dict[str, Any]:
    """The form for a free time, filled in."""
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    path = f"/booking-calendars/{calendar.id}/book?start={int(start.timestamp())}&{query}"
    return {**visitor.fields(path), "name": "Demo for Dave", "description": "Bring\r\nslides"}


def book(visitor: Browser, calendar: BookingCalendar, form: dict[str, Any]) -> TestResponse:
    return visitor.post(f"/booking-calendars/{calendar.id}/book", form)


def meetings(world: World) -> list[tuple[str, str]]:
    """Name and assigned user of each meeting in the CRM."""
    return [(one["name"], one["assignedUserId"]) for one in world.records()]


# --- who sees what


def test_a_visitor_sees_those_where_he_or_she_is_a_member(world: World, alice: Browser) -> None:
    mine = make(world, CalendarKind.ROUND_ROBIN, ALICE, BOB, name="Sales")
    theirs = make(world, CalendarKind.PERSONAL, BOB, name="Bob alone")
    text = text_of(alice.get("/booking-calendars"))
    assert "Sales Team, taking turns 2 members" in text
    assert "Bob alone" not in text
    assert look(alice, mine).status_code == 200
    assert look(alice, theirs).status_code == 404
    admin = Browser(world)
    admin.sign_in("admin")
    assert "Bob alone" in text_of(admin.get("/booking-calendars"))
    assert look(admin, theirs).status_code == 200


def test_whoever_is_in_none_is_told_how_it_comes_about(world: World) -> None:
    carol = Browser(world)
    carol.sign_in("carol")
    assert "You are in no booking calendar yet. An administrator sets them up" in text_of(
        carol.get("/booking-calendars")
    )


# --- the grid


def test_round_robin_says_how_many_are_free_and_who(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.ROUND_ROBIN, ALICE, BOB)
    busy(world, ALICE, TUESDAY)
    busy(world, BOB, TUESDAY + timedelta(minutes=30))
    answer = look(alice, calendar)
    found = rows(answer)
    assert found["09:30"][1] == "Both free Book Tue 24 Nov, 09:30"
    assert found["10:00"][1] == "1 of 2 free Bob Baker Book Tue 24 Nov, 10:00"
    assert found["10:30"][1] == NOT_FREE
    assert found["11:00"][1] == "1 of 2 free Alice Able Book Tue 24 Nov, 11:00"
    text = text_of(answer)
    assert "Times in Europe/Berlin" in text
    assert "Mon 23 Nov , today" in text
    assert "Secret talks" not in answer.text


def test_collective_says_who_is_not_free(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.COLLECTIVE, ALICE, BOB)
    busy(world, ALICE, TUESDAY)
    found = rows(look(alice, calendar))
    assert found["09:30"][1] == "Both free Book Tue 24 Nov, 09:30"
    assert found["10:00"][1] == "Not all without Alice Able"


def test_personal_says_free(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.PERSONAL, ALICE)
    assert rows(look(alice, calendar))["10:00"][1] == "Free Book Tue 24 Nov, 10:00"


def test_the_list_says_the_same(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.ROUND_ROBIN, ALICE, BOB)
    busy(world, ALICE, TUESDAY)
    answer = look(alice, calendar, view="list")
    assert "<table" not in answer.text
    assert "10:00 1 of 2 free: Bob Baker Book Tue 24 Nov, 10:00" in text_of(answer)
    assert "Show as a grid" in text_of(answer)


def test_of_a_service_one_can_be_asked_for(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.SERVICE, ALICE, BOB)
    busy(world, ALICE, TUESDAY)
    assert rows(look(alice, calendar))["10:00"][1].startswith("1 of 2 free Bob Baker")
    assert rows(look(alice, calendar, user=ALICE))["10:00"][1] == NOT_FREE
    assert rows(look(alice, calendar, user=BOB))["10:00"][1].startswith("Free")
    assert rows(look(alice, calendar, user=CAROL))["10:00"][1].startswith("1 of 2 free")


@pytest.mark.parametrize(
    ("zone", "told", "first"),
    [
        pytest.param("America/New_York", "America/New_York", "02:00", id="another"),
        pytest.param(
            "Mars/Base", "Nobody knows that time zone; times are shown in Europe/Berlin.", "08:00", id="none"
        ),
        pytest.param("x" * 5000, "Nobody knows that time zone", "08:00", id="endless"),
        pytest.param("\x00", "Nobody knows that time zone", "08:00", id="zero"),
    ],
)
def test_the_reader_chooses_the_zone(world: World, alice: Browser, zone: str, told: str, first: str) -> None:
    calendar = make(world, CalendarKind.PERSONAL, ALICE)
    answer = look(alice, calendar, zone=zone)
    assert told in text_of(answer)
    assert next(iter(rows(answer))) == first


@pytest.mark.parametrize(
    "week", ["2026-11-26", "", "nonsense", "9999-12-31", "0001-01-01", "2026-11-23T00:00"]
)
def test_any_week_can_be_asked_for(world: World, alice: Browser, week: str) -> None:
    calendar = make(world, CalendarKind.PERSONAL, ALICE)
    assert "Week of 23 November 2026" in text_of(look(alice, calendar, week=week))


def test_what_is_booked_by_us_is_not_free(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.PERSONAL, ALICE)
    book(alice, calendar, form_of(alice, calendar, TUESDAY))
    assert rows(look(alice, calendar))["10:00"][1] == NOT_FREE


def test_while_the_crm_is_away_free_times_are_shown_by_addresses(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.ROUND_ROBIN, ALICE, BOB)
    busy(world, ALICE, TUESDAY)
    world.crm_fails(path=".", status=503, times=None)
    assert rows(look(alice, calendar))["10:00"][1] == "1 of 2 free bob@example.com Book Tue 24 Nov, 10:00"
    start = int(TUESDAY.timestamp())
    text = text_of(alice.get(f"/booking-calendars/{calendar.id}/book?start={start}"))
    assert "With bob@example.com" in text


# --- nothing is free, and why


def _off(world: World) -> None:
    world.app.desk.features.close(ADMINISTRATOR, Feature.BOOKINGS, EVERYBODY)


@pytest.mark.parametrize(
    ("kind", "members", "rules", "week", "said"),
    [
        pytest.param(
            CalendarKind.PERSONAL,
            (CAROL,),
            {},
            "",
            "Carol Clark : This user is not connected to Outlook.",
            id="lacking",
        ),
        pytest.param(
            CalendarKind.PERSONAL,
            (CAROL,),
            {},
            "",
            "Nobody of this booking calendar can be booked now",
            id="nobody",
        ),
        pytest.param(
            CalendarKind.COLLECTIVE,
            (ALICE, CAROL),
            {},
            "",
            "All members are needed, and not all",
            id="not-all",
        ),
        pytest.param(CalendarKind.PERSONAL, (ALICE,), {}, "2026-11-16", "This week is over.", id="over"),
        pytest.param(
            CalendarKind.PERSONAL,
            (ALICE,),
            {"notice": 43200},
            "",
            "All of this week is too soon",
            id="too-soon",
        ),
        pytest.param(
            CalendarKind.PERSONAL,
            (ALICE,),
            {"days_ahead": 7},
            "2026-12-07",
            "Times are offered until 30 November 2026 only.",
            id="too-far",
        ),
        pytest.param(
            CalendarKind.PERSONAL,
            (ALICE,),
            {"hours": "own", "weekdays": ["mon"], "start": "06:00", "end": "07:00"},
            "",
            "Nobody works on the days of this week that can still be booked.",
            id="hours-that-are-over",
        ),
        pytest.param(CalendarKind.EVENT, (), {}, "", "are not connected to Outlook: their time", id="event"),
    ],
)
def test_an_empty_week_says_why(
    world: World, kind: CalendarKind, members: tuple[str, ...], rules: dict[str, Any], week: str, said: str
) -> None:
    admin = Browser(world)
    admin.sign_in("admin")
    answer = look(admin, make(world, kind, *members, **rules), **({"week": week} if week else {}))
    assert said in text_of(answer)
    assert "Book " not in text_of(answer)


def test_a_week_in_which_all_is_taken(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.PERSONAL, ALICE)
    busy(world, ALICE, START - timedelta(hours=9), hours=24 * 7)
    assert "All times of this week are taken." in text_of(look(alice, calendar))


def test_a_week_whose_work_lies_beyond_what_can_be_booked(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.PERSONAL, ALICE, days_ahead=3)
    hours: dict[str, Any] = {"days": [5], "start": "09:00", "end": "17:00", "zone": "UTC"}
    world.app.store.accounts.set_working_hours(ALICE, hours)
    assert "Nobody works on the days of this week that can still be booked." in text_of(look(alice, calendar))


def test_a_week_beyond_what_is_known(world: World, alice: Browser) -> None:
    world.choose(ALICE, months_ahead=1)
    world.pull(ALICE)
    calendar = make(world, CalendarKind.PERSONAL, ALICE, days_ahead=365)
    text = text_of(look(alice, calendar, week="2027-06-07"))
    assert re.search(r"Free and busy times are known until \d+ \w+ 202\d only.", text), text


def test_bookings_that_are_off_are_told(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.PERSONAL, ALICE)
    form = form_of(alice, calendar, TUESDAY)
    _off(world)
    assert "This is not enabled for your account, please contact the administrator." in text_of(
        look(alice, calendar)
    )
    assert "This is not enabled for your account" in text_of(alice.get("/booking-calendars"))
    assert book(alice, calendar, form).status_code == 409
    assert meetings(world) == []


def test_what_is_known_in_part_is_told(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.ROUND_ROBIN, ALICE, BOB)
    (source,) = world.app.store.busy.sources([BOB])
    with world.app.store.save(None) as tx:
        tx.busy.failed(source.id, "this calendar cannot be read: it is away")
    assert "Known in part Bob Baker : The main calendar cannot be read now." in text_of(look(alice, calendar))


def test_outlook_is_asked_again(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.PERSONAL, ALICE)
    first = TUESDAY.replace(tzinfo=None).isoformat()
    last = (TUESDAY + timedelta(hours=1)).replace(tzinfo=None).isoformat()
    world.outlook_create(ALICE, subject="Just now", start=first, end=last)
    assert rows(look(alice, calendar))["10:00"][1].startswith("Free")
    answer = alice.post(f"/booking-calendars/{calendar.id}/look?week=2026-11-23")
    assert "Outlook was asked just now." in text_of(answer)
    assert rows(answer)["10:00"][1] == NOT_FREE


def test_the_page_opens_with_the_next_week_that_has_a_free_time(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.PERSONAL, ALICE, notice=8 * 24 * 60)
    path = f"/booking-calendars/{calendar.id}"
    assert "Week of 30 November 2026" in text_of(alice.get(path))
    text = text_of(look(alice, calendar))
    assert "Week of 23 November 2026" in text
    assert "All of this week is too soon to be booked." in text


# --- booking


def test_a_booking_becomes_a_meeting_of_whose_turn_it_is(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.ROUND_ROBIN, ALICE, BOB)
    form = form_of(alice, calendar, TUESDAY)
    answer = book(alice, calendar, form)
    assert path_of(answer) == f"/booking-calendars/{calendar.id}"
    assert re.search(
        r"Booked: Demo for Dave, Tue 24 Nov 2026, 10:00 to 10:30, with (Alice Able|Bob Baker)\.",
        text_of(answer),
    )
    (record,) = world.records()
    assert (record["dateStart"], record["dateEnd"]) == ("2026-11-24 09:00:00", "2026-11-24 09:30:00")
    assert record["description"] == "Bring\nslides"
    (other,) = {ALICE, BOB} - {record["assignedUserId"]}
    book(alice, calendar, form_of(alice, calendar, TUESDAY))
    assert {user for _, user in meetings(world)} == {record["assignedUserId"], other}


def test_the_form_says_when_and_with_whom(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.COLLECTIVE, ALICE, BOB)
    start = int(TUESDAY.timestamp())
    text = text_of(alice.get(f"/booking-calendars/{calendar.id}/book?start={start}&zone=UTC"))
    assert "When Tue 24 Nov 2026, 09:00 to 09:30 (30 minutes) Times in UTC." in text
    assert "With Alice Able, Bob Baker" in text


def test_all_who_come_are_named(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.COLLECTIVE, ALICE, BOB)
    text = text_of(book(alice, calendar, form_of(alice, calendar, TUESDAY)))
    assert re.search(r"with (Alice Able, Bob Baker|Bob Baker, Alice Able)\.", text)


def test_a_second_click_books_nothing_more(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.ROUND_ROBIN, ALICE, BOB)
    form = form_of(alice, calendar, TUESDAY)
    for _ in range(2):
        assert "Booked: Demo for Dave" in text_of(book(alice, calendar, form))
    assert len(meetings(world)) == 1


def test_a_form_that_is_sent_again_after_its_meeting_was_cancelled_books_nothing(
    world: World, alice: Browser
) -> None:
    calendar = make(world, CalendarKind.ROUND_ROBIN, ALICE, BOB)
    form = form_of(alice, calendar, TUESDAY)
    book(alice, calendar, form)
    (booking,) = world.app.store.bookings.upcoming(ALICE, 0, 9) or world.app.store.bookings.upcoming(
        BOB, 0, 9
    )
    world.app.desk.booker.cancel(booking.id)
    answer = book(alice, calendar, form)
    assert (answer.status_code, "was cancelled since" in text_of(answer)) == (409, True)
    assert meetings(world) == []


def test_another_meeting_by_the_same_form_is_asked_about(world: World, alice: Browser) -> None:
    """Somebody goes back in the browser and changes what was entered."""
    calendar = make(world, CalendarKind.ROUND_ROBIN, ALICE, BOB)
    form = form_of(alice, calendar, TUESDAY)
    book(alice, calendar, form)
    answer = book(alice, calendar, {**form, "name": "Another"})
    assert answer.status_code == 409
    assert "This form was sent before with other entries" in text_of(answer)
    key = re.search(r'name="key" value="([^"]+)"', answer.text)
    assert key
    assert "Booked: Another" in text_of(book(alice, calendar, {**form, "name": "Another", "key": key[1]}))
    assert len(meetings(world)) == 2


def test_who_disconnected_meanwhile_is_told_of(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.PERSONAL, ALICE)
    form = form_of(alice, calendar, TUESDAY)
    world.app.connections.disconnect(ALICE)
    answer = book(alice, calendar, form)
    assert answer.status_code == 409
    assert "This user is not connected to Outlook. Nothing was booked." in text_of(answer)
    assert "There is no other free time in the next days." in text_of(answer)


def test_who_comes_too_late_is_offered_the_next_times_and_loses_nothing(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.PERSONAL, ALICE)
    late = form_of(alice, calendar, TUESDAY)
    book(alice, calendar, {**form_of(alice, calendar, TUESDAY), "name": "The first"})
    answer = book(alice, calendar, late)
    assert answer.status_code == 409
    text = text_of(answer)
    assert "This time is not free any more. Nothing was booked." in text
    assert "Tue 24 Nov 2026, 10:30" in text
    assert 'value="Demo for Dave"' in answer.text
    assert "slides" in answer.text
    key = re.search(r'name="key" value="([^"]+)"', answer.text)
    next_start = re.search(r'name="start" value="(\d+)"', answer.text)
    assert key
    assert next_start
    assert key[1] != late["key"]
    # The browser sends it to the address of the page, which names the time that is taken.
    path = f"/booking-calendars/{calendar.id}/book?start={late['start']}"
    again = alice.post(path, {**late, "key": key[1], "start": next_start[1]})
    assert "Booked: Demo for Dave, Tue 24 Nov 2026, 10:30 to 11:00" in text_of(again)
    assert {name for name, _ in meetings(world)} == {"The first", "Demo for Dave"}


def test_a_time_that_is_taken_is_told_before_anything_is_entered(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.PERSONAL, ALICE)
    book(alice, calendar, form_of(alice, calendar, TUESDAY))
    answer = alice.get(f"/booking-calendars/{calendar.id}/book?start={int(TUESDAY.timestamp())}")
    assert answer.status_code == 409
    assert "This time is not free any more." in text_of(answer)


def test_the_one_who_is_asked_for_gets_it(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.SERVICE, ALICE, BOB)
    for start in (TUESDAY, TUESDAY + timedelta(hours=1)):
        book(alice, calendar, form_of(alice, calendar, start, user=BOB))
    assert meetings(world) == [("Demo for Dave", BOB)] * 2


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        pytest.param({"name": " "}, 422, "Give the meeting a name.", id="no-name"),
        pytest.param({"name": "x" * 300}, 422, "250 characters at most", id="long-name"),
        pytest.param({"description": "x" * 30_001}, 422, "30000 characters at most", id="long-description"),
        pytest.param({"start": "soon"}, 404, "no time that can be booked", id="no-time"),
        pytest.param({"start": ""}, 404, "no time that can be booked", id="empty-time"),
        pytest.param({"start": "99999999999"}, 404, "no time that can be booked", id="far-future"),
        pytest.param({"start": "0"}, 409, "", id="long-ago"),
        pytest.param({"start": str(int(TUESDAY.timestamp()) + 60)}, 409, "not free", id="between-the-steps"),
    ],
)
def test_what_cannot_be_booked_is_said(
    world: World, alice: Browser, changes: dict[str, str], status: int, said: str
) -> None:
    calendar = make(world, CalendarKind.PERSONAL, ALICE)
    answer = book(alice, calendar, {**form_of(alice, calendar, TUESDAY), **changes})
    assert answer.status_code == status
    assert said in text_of(answer)
    assert meetings(world) == []


def test_without_a_key_of_ours_it_is_booked_too(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.PERSONAL, ALICE)
    answer = book(alice, calendar, {**form_of(alice, calendar, TUESDAY), "key": "x" * 5000})
    assert "Booked: Demo for Dave" in text_of(answer)


def test_while_the_crm_is_away_nothing_is_booked_and_nothing_lost(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.PERSONAL, ALICE)
    form = form_of(alice, calendar, TUESDAY)
    world.crm_fails(path="Meeting", method="POST", status=503)
    answer = book(alice, calendar, form)
    assert answer.status_code == 502
    assert "nothing was booked" in text_of(answer)
    assert 'value="Demo for Dave"' in answer.text
    key = re.search(r'name="key" value="([^"]+)"', answer.text)
    assert key
    assert "Booked:" in text_of(book(alice, calendar, {**form, "key": key[1]}))
    assert len(meetings(world)) == 1


def test_what_the_crm_did_not_confirm_is_reserved(world: World, alice: Browser) -> None:
    calendar = make(world, CalendarKind.PERSONAL, ALICE)
    form = form_of(alice, calendar, TUESDAY)
    world.crm_fails(path="Meeting", method="POST", drop_after_commit=True)
    world.crm_fails(path="Meeting", method="GET", status=503, times=None)
    answer = book(alice, calendar, form)
    world.crm.faults.rules.clear()
    assert "The time is reserved, but the CRM has not confirmed the meeting yet." in text_of(answer)
    (held,) = world.app.store.bookings.unsettled(world.clock.now() + 1, 10)
    assert held.state is BookingState.HELD
    assert rows(look(alice, calendar))["10:00"][1] == NOT_FREE
