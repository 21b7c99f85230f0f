"""The page *When you are busy*: a week of busy times, where they come from, what its user changes there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from calsync_plugin.booking.features import EVERYBODY, Feature
from calsync_plugin.domain.availability import Block
from calsync_plugin.sandbox.outlook import faults as outlook_faults
from calsync_plugin.state import Booking, BookingCalendar, CalendarKind, SourceKind
from tests.pages import Browser, path_of
from tests.world import ADMINISTRATOR, ALICE, BOB, World

PAGE = "/external-account/availability"
WEEK = f"{PAGE}?week=2026-12-02"
"""The week in which the world's meetings lie."""
ADDRESS = "https://calendar.example.org/private-5up3rs3cr3t/basic.ics"
HOUR = 3600
NOON = int(datetime(2026, 12, 2, 12, tzinfo=UTC).timestamp())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.connect(ALICE)
    yield made
    made.close()


@pytest.fixture
def alice(world: World) -> Browser:
    page = Browser(world)
    page.sign_in("alice")
    return page


def text_of(page: Browser, path: str = WEEK) -> str:
    """What stands on a page, drawings aside."""
    return words(page.get(path).text)


def words(html: str) -> str:
    main = html[html.index("<main") : html.index("</main>")]
    return re.sub(
        r"\s+", " ", unescape(re.sub(r"<svg.*?</svg>(?!\s*</svg>)|<[^>]+>", " ", main, flags=re.DOTALL))
    )


def listed(page: Browser, path: str = WEEK) -> list[str]:
    """The lines of the list of the week, from Monday on: day and what lies in it."""
    found = page.get(path).text
    whole = re.search(r'<ol class="busy-list.*?</ol>', found, re.DOTALL)
    assert whole, found
    lines = re.findall(r"<strong>(.*?)</strong>|<li class=\"text-break\">(.*?)</li>", whole[0], re.DOTALL)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", day or line)).strip() for day, line in lines]


def feed(
    world: World, user_id: str = ALICE, *, name: str = "Family", address: str = ADDRESS, **more: Any
) -> int:
    """A calendar address of a user that was read: it takes an hour at noon."""
    kind = more.get("kind", SourceKind.FEED)
    found = world.app.store.feeds.add(
        user_id, kind, address, shown="calendar.example.org/…/basic.ics", name=name, most=9
    )
    now = datetime.fromtimestamp(world.clock.now(), UTC)
    with world.app.store.save(None) as tx:
        tx.busy.put(found, [Block(id="e", start=NOON, end=NOON + HOUR)])
        tx.busy.was_read(found, known_from=now - timedelta(days=30), known_until=now + timedelta(days=300))
    world.app.store.feeds.answered(found, next_in=900.0, failures=0)
    return found


def tick(page: Browser, *calendars: str) -> Any:
    return page.post(f"{PAGE}/calendars", {"calendar": list(calendars), "week": "2026-12-02"})


# --- the week


def test_a_week_by_source(world: World, alice: Browser) -> None:
    private = world.calendar(ALICE, "Private")
    world.app.connections.read_again(ALICE)
    world.settle()
    tick(alice, private)
    world.outlook_create(ALICE, subject="Dentist", start="2026-12-02T08:00:00", end="2026-12-02T09:30:00")
    whole = {"start": "2026-12-03T00:00:00", "end": "2026-12-04T00:00:00", "isAllDay": True}
    world.outlook_create(ALICE, calendar=private, subject="Wedding", **whole)
    world.pull()
    feed(world)
    assert listed(alice) == [
        "Mon 30 Nov",
        "Tue 01 Dec",
        "Wed 02 Dec",
        "09:00 to 10:30: Calendar",
        "13:00 to 14:00: Family",
        "Thu 03 Dec",
        "All day: Private",
        "Fri 04 Dec",
        "Sat 05 Dec",
        "Sun 06 Dec",
    ]
    page = alice.get(WEEK).text
    assert "Times in Europe/Berlin." in page
    assert "Dentist" not in page
    assert "Wedding" not in page
    assert "Working hours: 08:00 to 17:00" in page


@pytest.mark.parametrize(
    ("show_as", "chosen", "blocks"),
    [
        ("busy", {}, True),
        ("oof", {}, True),
        ("oof", {"out_of_office_blocks": False}, False),
        ("tentative", {}, True),
        ("tentative", {"tentative_blocks": False}, False),
        ("free", {}, False),
        ("workingElsewhere", {}, False),
    ],
)
def test_what_blocks(
    world: World, alice: Browser, show_as: str, chosen: dict[str, Any], blocks: bool
) -> None:
    world.choose(ALICE, **chosen)
    world.outlook_create(ALICE, showAs=show_as)
    world.pull()
    assert any("Calendar" in line for line in listed(alice)) is blocks


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({}, "Out of office makes you busy. Tentative makes you busy."),
        (
            {"out_of_office_blocks": False, "tentative_blocks": False},
            "Out of office does not make you busy. Tentative does not make you busy.",
        ),
    ],
)
def test_the_page_says_what_blocks(world: World, alice: Browser, chosen: dict[str, Any], said: str) -> None:
    world.choose(ALICE, **chosen)
    assert said in text_of(alice)


@pytest.mark.parametrize("asked", ["", "nonsense", "0001-01-01", "9999-12-31", "2026-02-30"])
def test_a_week_that_no_calendar_has_is_this_week(alice: Browser, asked: str) -> None:
    assert "Week of 23 November 2026" in alice.get(PAGE, query_string={"week": asked}).text


def test_the_night_on_which_the_clocks_change(alice: Browser) -> None:
    assert "The clocks change on this day." in text_of(alice, f"{PAGE}?week=2027-03-28")
    assert "The clocks change" not in text_of(alice)


def test_what_lies_beyond_what_was_read_is_said(alice: Browser) -> None:
    text = text_of(alice, f"{PAGE}?week=2029-01-01")
    assert "nothing is known yet, so nobody is offered a time with you there" in text
    assert "nothing is known yet" not in text_of(alice)
    assert "Not all of this day is known." in text
    assert "Nothing makes you busy" not in text
    assert "Nothing is known of the time before 22 November 2026" in text_of(alice, f"{PAGE}?week=2026-10-01")


def test_an_account_that_is_paused_says_that_what_was_read_counts(world: World, alice: Browser) -> None:
    world.outlook_create(ALICE)
    world.pull()
    assert "Your Outlook is not read at present" not in text_of(alice)
    alice.post("/external-account/switch", {"on": "no"})
    text = text_of(alice)
    assert "Your Outlook is not read at present" in text
    assert "Counts as last read" in text
    assert "11:00 to 12:00: Calendar" in listed(alice)


def test_what_was_never_read_keeps_its_user_from_being_booked_and_says_so(
    world: World, alice: Browser
) -> None:
    said = "Nobody can book you until this was read or is taken off: Club."
    assert "Nobody can book you" not in text_of(alice)
    assert "Nothing makes you busy." in text_of(alice)
    number = world.app.store.feeds.add(ALICE, SourceKind.FEED, ADDRESS, shown="a", name="Club", most=9)
    text = text_of(alice)
    assert said in text
    assert text.count("Not all of this day is known.") == 7
    assert "Nothing makes you busy." not in text
    # It failed ever since it was added: nothing is missed that was ever known.
    with world.app.store.save(None) as tx:
        tx.busy.failed(number, "this is not an address")
    assert said not in text_of(alice)
    world.app.store.busy.remove(number, user_id=ALICE)
    assert said not in text_of(alice)


def test_before_anything_was_read_nothing_is_known(tmp_path: Path) -> None:
    world = World(tmp_path, notifications=True)
    try:
        world.connect(ALICE)
        page = Browser(world)
        page.sign_in("alice")
        text = text_of(page)
        assert "Nobody can book you until" in text
        assert text.count("Not all of this day is known.") == 7
        assert "Nothing makes you busy." not in text
    finally:
        world.close()


def test_without_a_main_calendar_nothing_makes_busy_yet(world: World, alice: Browser) -> None:
    world.outlook_create(ALICE)
    world.choose(ALICE, main_calendar="none", mode="outlook_to_crm")
    world.pull()
    text = text_of(alice)
    assert "Nothing makes you busy yet" in text
    assert "Being read now" not in text
    assert len(listed(alice)) == 7


def test_who_is_not_connected_is_led_to_the_account(world: World) -> None:
    page = Browser(world)
    page.sign_in("carol")
    assert path_of(page.get(PAGE)) == "/external-account"


# --- the mailbox's calendars


def test_a_calendar_makes_busy_from_the_tick_on_and_no_longer_after_it(world: World, alice: Browser) -> None:
    private = world.calendar(ALICE, "Private")
    world.app.connections.read_again(ALICE)
    world.settle()
    world.outlook_create(ALICE, calendar=private)
    text = words(tick(alice, private).text)
    assert "Your choice counts from now on." in text
    assert "Being read now: Private." in text
    world.settle()
    assert "11:00 to 12:00: Private" in listed(alice)
    assert "Being read now" not in text_of(alice)
    world.app.worker.drain(rounds=1)
    # At once, before anything was run.
    answer = tick(alice)
    assert "Private" not in " ".join(listed(alice))
    assert "Your choice counts from now on." in words(answer.text)
    assert world.account(ALICE).settings["conflict_calendars"] == []


def test_a_calendar_that_was_made_since_is_looked_for(world: World, alice: Browser) -> None:
    assert "No new calendar was found." in alice.post(f"{PAGE}/look-for-calendars").text
    world.calendar(ALICE, "Just made")
    assert "Just made" not in text_of(alice)
    assert "Look for new calendars" in text_of(alice)
    answer = words(alice.post(f"{PAGE}/look-for-calendars").text)
    assert "1 new calendar was found." in answer
    assert "Just made" in answer


def test_calendars_are_not_looked_for_while_outlook_is_not_read_or_does_not_answer(
    world: World, alice: Browser
) -> None:
    world.calendar(ALICE, "Just made")
    world.outlook.faults.replace([outlook_faults.parse({"match": {"path": "calendars"}, "status": 503})])
    assert "Outlook does not answer now" in alice.post(f"{PAGE}/look-for-calendars").text
    alice.post("/external-account/switch", {"on": "no"})
    assert "Look for new calendars" not in text_of(alice)
    assert "it was not asked for new calendars" in alice.post(f"{PAGE}/look-for-calendars").text
    assert "Just made" not in text_of(alice)


def test_the_main_calendar_is_ticked_and_locked(world: World, alice: Browser) -> None:
    page = alice.get(PAGE).text
    found = re.search(r'<input class="form-check-input"[^>]*name="calendar"[^>]*>', page)
    assert found
    assert "checked" in found[0]
    assert "disabled" in found[0]
    assert "This is your main calendar; it always counts." in page
    main = world.app.store.busy.of_mailbox(world.account(ALICE).mailbox_id or 0)[0].place
    assert "Nothing was changed." in tick(alice, main).text


@pytest.mark.parametrize("unknown", ["made-up", "<script>", ""])
def test_a_calendar_that_is_not_there_is_not_ticked(world: World, alice: Browser, unknown: str) -> None:
    assert "Nothing was changed." in tick(alice, unknown).text
    assert not world.account(ALICE).settings.get("conflict_calendars")


def test_a_calendar_that_went_away_stays_until_it_is_taken_off(world: World, alice: Browser) -> None:
    private = world.calendar(ALICE, "Private")
    world.app.connections.read_again(ALICE)
    world.settle()
    tick(alice, private)
    world.settle()
    world.graph("DELETE", ALICE, f"calendars/{private}")
    world.app.connections.read_again(ALICE)
    world.settle()
    text = text_of(alice)
    assert "Cannot be read" in text
    assert "This calendar was not found; it was removed, or is no longer shared with you." in text
    tick(alice)
    assert "Private" not in text_of(alice)


def test_which_calendar_can_be_the_main_one_is_said_in_the_settings(world: World, alice: Browser) -> None:
    world.share(BOB, ALICE, role="read", add=True)
    world.app.connections.read_again(ALICE)
    world.settle()
    assert "settings: it must be one that you may change" in text_of(alice).replace(" :", ":")
    assert "you may only read it; ask bob@example.com for the right to edit it" in text_of(
        alice, "/external-account/settings"
    )


# --- addresses and colleagues


def test_a_source_is_renamed(world: World, alice: Browser) -> None:
    number = feed(world)
    alice.post(f"{PAGE}/name", {"source": number, "name": "Sports club", "week": "2026-12-02"})
    assert "13:00 to 14:00: Sports club" in listed(alice)


def test_a_removal_is_told_before_it_is_done(world: World, alice: Browser) -> None:
    number = feed(world)
    told = text_of(alice, f"{PAGE}/remove?source={number}&week=2026-12-02")
    assert "Its times no longer make you busy, at once." in told
    assert "13:00 to 14:00: Family" in listed(alice)
    answer = alice.post(f"{PAGE}/remove", {"source": number, "week": "2026-12-02"})
    assert "Family no longer makes you busy." in answer.text
    assert "Family" not in " ".join(listed(alice))
    assert world.app.store.feeds.of(ALICE) == []


def test_an_address_is_read_now(world: World, alice: Browser) -> None:
    number = feed(world)
    assert "Being read" not in text_of(alice)
    world.clock.advance(120)
    assert "Being read now: Family." in words(alice.post(f"{PAGE}/read", {"source": number}).text)


def test_what_is_wrong_with_an_address_stands_beside_it(world: World, alice: Browser) -> None:
    number = feed(world)
    with world.app.store.save(None) as tx:
        tx.busy.failed(number, "the server of the calendar did not answer in time")
    text = text_of(alice)
    assert "The server of the calendar did not answer in time." in text
    assert "look the address up where you found it" in text
    assert "What was read before still counts." in text
    assert "13:00 to 14:00: Family" in listed(alice)


def test_an_address_is_added_and_shown_in_part_only(world: World, alice: Browser) -> None:
    answer = alice.post(f"{PAGE}/addresses", {"name": "Family", "address": ADDRESS})
    text = words(answer.text)
    assert "The calendar was added; it is being read." in text
    assert "Being read for the first time" in text
    assert "calendar.example.org/…/basic.ics" in text
    assert "5up3rs3cr3t" not in answer.text


@pytest.mark.parametrize(
    ("address", "said"),
    [
        pytest.param("", "Enter the calendar's iCalendar address.", id="none"),
        pytest.param("ftp://calendar.example.org/a.ics", "This address cannot be used", id="ftp"),
        pytest.param(
            "https://u:5up3rs3cr3t@calendar.example.org/a.ics", "This address cannot be used", id="password"
        ),
    ],
)
def test_an_address_that_is_refused_is_not_shown_again(
    world: World, alice: Browser, address: str, said: str
) -> None:
    answer = alice.post(f"{PAGE}/addresses", {"name": "Family", "address": address})
    assert answer.status_code == 422
    assert said in words(answer.text)
    assert "5up3rs3cr3t" not in answer.text
    assert 'value="Family"' in answer.text
    # The reader is brought to the field; it lies far below.
    assert re.search(r'<input[^>]*id="feed-address"[^>]* autofocus>', answer.text)
    assert "autofocus" not in alice.get(WEEK).text
    assert world.app.store.feeds.of(ALICE) == []


def test_an_address_twice_is_said(world: World, alice: Browser) -> None:
    feed(world)
    answer = alice.post(f"{PAGE}/addresses", {"name": "Again", "address": ADDRESS})
    assert answer.status_code == 422
    assert "It is among your calendars already." in words(answer.text)


def test_a_colleague_is_added(alice: Browser) -> None:
    text = words(alice.post(f"{PAGE}/colleagues", {"address": "dora@example.com"}).text)
    assert "Your colleague's calendar was added; it is being read." in text
    assert "dora@example.com" in text


@pytest.mark.parametrize("address", ["", "dora", "dora@", "<b>@example.com", "a" * 400 + "@example.com"])
def test_a_colleague_without_an_address_is_refused(world: World, alice: Browser, address: str) -> None:
    answer = alice.post(f"{PAGE}/colleagues", {"address": address})
    assert answer.status_code == 422
    assert re.search(r'<input[^>]*id="schedule-address"[^>]* autofocus>', answer.text)
    assert world.app.store.feeds.of(ALICE) == []


@pytest.mark.parametrize(
    "form", ["calendars", "addresses", "colleagues", "name", "read", "look-for-calendars"]
)
def test_where_a_form_was_sent_to_leads_to_the_page(alice: Browser, form: str) -> None:
    assert path_of(alice.get(f"{PAGE}/{form}")) == PAGE
    assert alice.get(f"{PAGE}/made-up").status_code == 404


# --- gates


@pytest.mark.parametrize(
    ("feature", "form"),
    [
        (Feature.CONFLICT_CALENDARS, "Save calendars"),
        (Feature.FEEDS, "Add calendar"),
    ],
)
def test_what_is_off_says_so_instead_of_its_form(
    world: World, alice: Browser, feature: Feature, form: str
) -> None:
    assert form in text_of(alice)
    world.app.desk.features.close(ADMINISTRATOR, feature, EVERYBODY)
    text = text_of(alice)
    assert "This is not enabled for your account, please contact the administrator." in text
    assert form not in text


def test_what_others_do_not_learn_stays_on_the_own_page(world: World, alice: Browser) -> None:
    number = feed(world)
    world.app.desk.features.close(ADMINISTRATOR, Feature.AVAILABILITY, EVERYBODY)
    text = text_of(alice)
    assert "This is not enabled for your account, please contact the administrator." in text
    assert "Nobody learns when you are busy, and nobody can book you." in text
    assert "At these times nobody is offered a meeting with you" not in text
    assert "13:00 to 14:00: Family" in listed(alice)
    alice.post(f"{PAGE}/remove", {"source": number})
    assert "Family" not in " ".join(listed(alice))


def test_an_administrator_reads_where_it_is_switched_on(world: World) -> None:
    world.app.desk.features.close(ADMINISTRATOR, Feature.FEEDS, EVERYBODY)
    world.connect(ADMINISTRATOR.user_id, mailbox="carol@example.com")
    page = Browser(world)
    page.sign_in("admin")
    text = text_of(page)
    assert (
        "Calendar addresses are switched off for everybody; switch them on again on the page Features" in text
    )


@pytest.mark.parametrize(
    ("feature", "path", "sent"),
    [
        (Feature.CONFLICT_CALENDARS, "calendars", {"calendar": "x"}),
        (Feature.FEEDS, "addresses", {"name": "Family", "address": ADDRESS}),
        (Feature.CONFLICT_CALENDARS, "addresses", {"name": "Family", "address": ADDRESS}),
        (Feature.CONFLICT_CALENDARS, "colleagues", {"address": "dora@example.com"}),
    ],
)
def test_what_is_off_cannot_be_sent_either(
    world: World, alice: Browser, feature: Feature, path: str, sent: dict[str, str]
) -> None:
    world.app.desk.features.close(ADMINISTRATOR, feature, EVERYBODY)
    answer = alice.post(f"{PAGE}/{path}", sent)
    assert answer.status_code == 409
    assert "not enabled for your account" in answer.text
    assert world.app.store.feeds.of(ALICE) == []


def test_what_is_off_can_still_be_taken_away(world: World, alice: Browser) -> None:
    number = feed(world)
    world.app.desk.features.close(ADMINISTRATOR, Feature.FEEDS, EVERYBODY)
    alice.post(f"{PAGE}/remove", {"source": number})
    assert world.app.store.feeds.of(ALICE) == []


def test_a_calendar_that_was_ticked_can_be_taken_off_and_no_other_one_ticked(
    world: World, alice: Browser
) -> None:
    private, club = world.calendar(ALICE, "Private"), world.calendar(ALICE, "Club")
    world.app.connections.read_again(ALICE)
    world.settle()
    tick(alice, private)
    world.settle()
    world.app.desk.features.close(ADMINISTRATOR, Feature.CONFLICT_CALENDARS, EVERYBODY)
    said = "What was ticked before goes on counting; it can only be taken off."
    page = alice.get(WEEK).text
    assert said in page
    assert f'value="{private}"' in page
    assert f'value="{club}"' not in page
    assert said in text_of(alice, "/external-account/settings")
    assert tick(alice, private, club).status_code == 409
    assert world.account(ALICE).settings["conflict_calendars"] == [private]
    tick(alice)
    assert world.account(ALICE).settings["conflict_calendars"] == []
    assert "Private" not in text_of(alice)


# --- disconnecting


def test_disconnecting_says_that_it_forgets_them_and_does(world: World, alice: Browser) -> None:
    feed(world)
    assert "Calendars that make you busy are forgotten" in text_of(alice, "/external-account/disconnect")
    alice.post("/external-account/disconnect")
    assert world.app.store.busy.sources([ALICE]) == []


# --- booking calendars and bookings


def test_where_somebody_can_be_booked(world: World, alice: Browser) -> None:
    assert "Where you can be booked" not in text_of(alice)
    for number, (kind, rules, member) in enumerate(
        (
            (
                CalendarKind.ROUND_ROBIN,
                {"duration": 45, "before": 15, "notice": 120, "daily_limit": 3},
                ALICE,
            ),
            (CalendarKind.EVENT, {}, ALICE),
            (CalendarKind.PERSONAL, {}, BOB),
        )
    ):
        world.app.store.booking_calendars.save(
            BookingCalendar(
                id=f"c{number}", name=f"Demo {number}", kind=kind, rules=rules, members={member: 0}
            )
        )
    page = alice.get(WEEK).text
    text = words(page)
    assert "Meetings of 45 minutes. Free before it: 15 minutes. At the earliest 2 hours from now." in text
    assert "At most 3 for you on a day." in text
    assert "Events for many people are not connected to Outlook" in text
    assert "Demo 2" not in text
    assert 'href="/booking-calendars/c0"' in page
    assert "/booking-calendars/c1" not in page
    world.app.desk.features.close(ADMINISTRATOR, Feature.BOOKINGS, EVERYBODY)
    assert "Where you can be booked" not in text_of(alice)


def book(world: World, booking_id: str, user: str, start: int) -> None:
    """An hour of a user's time."""
    booking = Booking(
        id=booking_id,
        calendar_id="c",
        start=start,
        end=start + HOUR,
        entity_type="Meeting",
        content='{"name": "Merger"}',
    )
    span = (start, start + HOUR)
    assert world.app.store.bookings.reserve(booking, [user], lambda _: [user], around=span, day=span, since=0)


def test_what_is_booked_next(world: World, alice: Browser) -> None:
    world.app.store.booking_calendars.save(
        BookingCalendar(id="c", name="Demo", kind=CalendarKind.PERSONAL, members={ALICE: 0})
    )
    for number, user in enumerate((ALICE, BOB)):
        book(world, f"b{number}", user, NOON + number * HOUR)
    world.app.store.bookings.confirm("b0", "m1")
    text = text_of(alice)
    assert "Wed 2 Dec 2026, 13:00 Demo Meeting To cancel a booking, remove its record in the CRM" in text
    assert f'<a href="{world.app.settings.crm.url}/#Meeting/view/m1">Meeting</a>' in alice.get(WEEK).text
    assert "2026, 14:00" not in text
    assert "Merger" not in text
    assert "13:00 to 14:00: Bookings" in listed(alice)
