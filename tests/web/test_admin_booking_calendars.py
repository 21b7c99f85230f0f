"""Booking calendars as administrators set them up: the form, its members, and two administrators at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from werkzeug.test import TestResponse

from calsync_plugin.booking.features import EVERYBODY, Feature
from calsync_plugin.state import AccountStatus, BookingCalendar, CalendarKind
from calsync_plugin.web.booking_words import KINDS
from tests.pages import Browser, path_of
from tests.world import ADMINISTRATOR, ALICE, BOB, CAROL, World

LIST = "/admin/booking-calendars"
NEW = "/admin/booking-calendars/new"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("office"))
    made.connect(ALICE)
    made.connect(BOB)
    yield made
    made.close()


@pytest.fixture
def world(office: World) -> Iterator[World]:
    """The office, left as it was found."""
    yield office
    store = office.app.store
    for calendar in store.booking_calendars.all():
        store.booking_calendars.remove(calendar.id)
    office.app.desk.features.open(ADMINISTRATOR, Feature.BOOKINGS, EVERYBODY)
    store.accounts.set_status(BOB, AccountStatus.CONNECTED)
    office.crm.faults.rules.clear()


@pytest.fixture
def page(world: World) -> Browser:
    made = Browser(world)
    made.sign_in("admin")
    return made


def text_of(answer: TestResponse) -> str:
    """What is read of a page's content."""
    inner = answer.text.partition("<main")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", inner)).split())


def sent(page: Browser, path: str = NEW, **changes: Any) -> dict[str, Any]:
    """What the form would send, with some changes."""
    return {**page.fields(path), "do": "save", **changes}


def make(
    world: World, kind: CalendarKind, *members: str, name: str = "Demo", **rules: Any
) -> BookingCalendar:
    calendar = BookingCalendar(id="", name=name, kind=kind, members=dict.fromkeys(members, 0), rules=rules)
    return world.app.desk.calendars.save(ADMINISTRATOR, calendar)


def stored(world: World) -> list[BookingCalendar]:
    return world.app.store.booking_calendars.all()


class TestList:
    def test_none_yet(self, page: Browser) -> None:
        assert "There is no booking calendar yet. Set up the first one" in text_of(page.get(LIST))

    def test_kind_members_with_their_standing_and_the_next_free_time(
        self, world: World, page: Browser
    ) -> None:
        make(world, CalendarKind.ROUND_ROBIN, ALICE, BOB, CAROL)
        world.app.store.accounts.set_status(BOB, AccountStatus.RECONNECT)
        text = text_of(page.get(LIST))
        assert "Demo Free times Team, taking turns" in text
        assert "Alice Able Connected Bob Baker Needs attention Carol Clark Not connected" in text
        assert "Mon 23 Nov 2026, 11:00" in text

    @pytest.mark.parametrize(
        ("members", "rules", "told"),
        [
            pytest.param((ALICE, BOB), {}, "Mon 23 Nov 2026, 11:00 Times in Europe/Berlin.", id="members'"),
            pytest.param(
                (ALICE,), {"zone": "Asia/Tokyo"}, "Mon 23 Nov 2026, 19:00 Times in Asia/Tokyo.", id="rules'"
            ),
        ],
    )
    def test_who_has_no_zone_is_told_times_in_that_of_the_booking_calendar(
        self, world: World, page: Browser, members: tuple[str, ...], rules: dict[str, str], told: str
    ) -> None:
        calendar = make(world, CalendarKind.ROUND_ROBIN, *members, **rules)
        answer = page.get(LIST)
        assert told in text_of(answer)
        zone = told.rpartition(" ")[2]
        shown = page.get(f"/booking-calendars/{calendar.id}")
        assert re.search(rf"Times in {zone}|<option value=\"{zone[:-1]}\" selected>", shown.text)

    def test_what_has_no_free_time_says_why(self, world: World, page: Browser) -> None:
        make(world, CalendarKind.EVENT, name="Webinar")
        make(world, CalendarKind.PERSONAL, CAROL, name="Carol")
        text = text_of(page.get(LIST))
        assert "Webinar Event none none: not connected to Outlook" in text
        assert "Carol Free times Personal Carol Clark Not connected none in 28 days" in text

    def test_pages_of_administrators_name_their_zone(self, page: Browser) -> None:
        assert "Times in UTC." in text_of(page.get("/admin/audit"))

    def test_bookings_that_are_off_for_everybody_are_told(self, world: World, page: Browser) -> None:
        world.app.desk.features.close(ADMINISTRATOR, Feature.BOOKINGS, EVERYBODY)
        make(world, CalendarKind.PERSONAL, ALICE)
        text = text_of(page.get(LIST))
        assert text.count("Bookings are switched off for everybody") == 2
        assert "none: Bookings are switched off" in text


class TestForm:
    def test_each_kind_is_explained(self, page: Browser) -> None:
        text = text_of(page.get(NEW))
        for words in KINDS.values():
            assert words.title in text
            assert words.text in text
        assert "Events for many people are not connected to Outlook" in text
        assert "You can set members up, not connect Outlook for them." in text

    def test_a_team_is_made(self, world: World, page: Browser) -> None:
        answer = page.post(
            NEW,
            sent(
                page,
                name="  Demo   with sales ",
                member=[ALICE, BOB],
                **{f"priority-{BOB}": "5"},
                duration="45",
                hours="own",
                weekdays=["mon", "wed"],
                start="10:00",
                end="16:00",
                zone="Europe/Vienna",
            ),
        )
        (made,) = stored(world)
        assert path_of(answer) == f"/booking-calendars/{made.id}"
        assert "Saved." in answer.text
        assert (made.name, made.kind, made.members) == (
            "Demo with sales",
            CalendarKind.ROUND_ROBIN,
            {ALICE: 0, BOB: 5},
        )
        assert {"duration": 45, "weekdays": ["mon", "wed"], "zone": "Europe/Vienna"}.items() <= dict(
            made.rules
        ).items()
        assert "added the booking calendar" in text_of(page.get("/admin/audit"))

    def test_members_are_looked_for_and_added_without_losing_what_was_entered(
        self, world: World, page: Browser
    ) -> None:
        form = sent(page, name="Demo", kind="collective", duration="45", do="find", search="car")
        found = page.post(NEW, form)
        assert "Carol Clark" in text_of(found)
        assert f'name="add" value="{CAROL}"' in found.text
        added = page.post(NEW, {**form, "do": "", "add": CAROL, "member": [ALICE]})
        for kept in ('value="Demo"', 'value="45"', f'value="{ALICE}"', f'value="{CAROL}"'):
            assert kept in added.text, kept
        assert "Cannot be booked until they connect Outlook; only they can connect." in text_of(added)
        assert f"/admin/accounts/{ALICE}#choices" in added.text
        assert f"/admin/accounts/{CAROL}" not in added.text
        taken = page.post(NEW, {**form, "do": "", "search": "", "take": ALICE, "member": [ALICE, CAROL]})
        assert f'name="priority-{CAROL}"' in taken.text
        assert f'name="priority-{ALICE}"' not in taken.text
        assert stored(world) == []

    def test_somebody_who_is_not_there(self, page: Browser) -> None:
        answer = page.post(NEW, sent(page, do="find", search="zzz"))
        assert "Nobody is called like that." in text_of(answer)

    @pytest.mark.parametrize(
        ("search", "saves"), [pytest.param("", True, id="saves"), pytest.param("car", False, id="looks")]
    )
    def test_the_enter_key(self, world: World, page: Browser, search: str, saves: bool) -> None:
        page.post(NEW, sent(page, do="enter", search=search, name="Demo", member=[ALICE]))
        assert bool(stored(world)) is saves

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            pytest.param({"name": ""}, "characters", id="no-name"),
            pytest.param({"name": "x" * 500}, "characters", id="long-name"),
            pytest.param({"kind": "wings"}, "Choose what kind it is.", id="unknown-kind"),
            pytest.param({"kind": ""}, "Choose what kind it is.", id="no-kind"),
            pytest.param({"member": []}, "Name at least one.", id="no-members"),
            pytest.param({"kind": "personal", "member": [ALICE, BOB]}, "exactly one", id="two-for-one"),
            pytest.param(
                {"kind": "event"}, "not connected to Outlook and have none", id="event-with-members"
            ),
            pytest.param({"member": ["nobody"]}, "the CRM knows no user nobody", id="unknown-member"),
            pytest.param({f"priority-{ALICE}": "high"}, "whole number", id="priority-no-number"),
            pytest.param({f"priority-{ALICE}": "900"}, "between 0 and 100", id="priority-too-high"),
            pytest.param({f"priority-{ALICE}": "-1"}, "whole number", id="priority-below-zero"),
            pytest.param({"duration": "3"}, "from 5 to 1440", id="duration-too-short"),
            pytest.param({"duration": "long"}, "a whole number", id="duration-no-number"),
            pytest.param({"zone": "Mars/Base"}, "Europe/Vienna", id="unknown-zone"),
            pytest.param({"start": "25:00"}, "a time such as 09:00", id="no-time"),
            pytest.param({"weekdays": ["someday"]}, "Days of the week", id="no-day"),
            pytest.param({"entity_type": "Wings"}, "is not synced", id="unknown-record"),
        ],
    )
    def test_what_is_wrong_is_said_and_nothing_lost(
        self, world: World, page: Browser, changes: dict[str, Any], said: str
    ) -> None:
        form = sent(page, name="Demo", member=[ALICE], step="45")
        answer = page.post(NEW, {**form, **changes})
        assert answer.status_code == 422
        assert said.lower() in text_of(answer).lower()
        assert "Nothing was saved yet." in text_of(answer)
        assert 'value="45"' in answer.text
        assert stored(world) == []

    def test_while_the_crm_is_away_nothing_is_lost(self, world: World, page: Browser) -> None:
        form = sent(page, name="Demo", member=[CAROL])
        world.crm_fails(path="User", status=503, times=None)
        answer = page.post(NEW, form)
        assert answer.status_code == 502
        assert "The CRM does not answer now, so nothing was saved." in text_of(answer)
        assert 'value="Demo"' in answer.text
        assert stored(world) == []


class TestChanging:
    def test_it_is_changed(self, world: World, page: Browser) -> None:
        made = make(world, CalendarKind.ROUND_ROBIN, ALICE, BOB)
        path = f"{LIST}/{made.id}"
        form = sent(page, path)
        assert (form["name"], form["kind"], form["member"]) == ("Demo", "round_robin", [ALICE, BOB])
        page.post(path, {**form, "name": "Offer", "kind": "personal", "member": BOB})
        (after,) = stored(world)
        assert (after.name, after.kind, after.members) == ("Offer", CalendarKind.PERSONAL, {BOB: 0})

    def test_two_administrators_at_once(self, world: World, page: Browser) -> None:
        made = make(world, CalendarKind.ROUND_ROBIN, ALICE, BOB)
        path = f"{LIST}/{made.id}"
        mine = sent(page, path, name="Mine", duration="20")
        other = Browser(world)
        other.sign_in("admin")
        other.post(path, sent(other, path, name="Theirs", duration="90", member=[BOB]))
        answer = page.post(path, mine)
        text = text_of(answer)
        assert answer.status_code == 409
        assert "Somebody else saved this booking calendar" in text
        for told in ("Name: Theirs", "Members, with their priority: Bob Baker (0)", "Duration: 90"):
            assert told in text, told
        assert 'value="Mine"' in answer.text
        assert 'value="20"' in answer.text
        assert stored(world)[0].name == "Theirs"
        version = re.search(r'name="version" value="(\d+)"', answer.text)
        assert version
        page.post(path, {**mine, "version": version[1]})
        assert (stored(world)[0].name, stored(world)[0].rules["duration"]) == ("Mine", 20)

    @pytest.mark.parametrize("began", ["kept", "", "nonsense", "[]", '{"name": 1}'])
    def test_only_what_somebody_else_changed_is_told(self, world: World, page: Browser, began: str) -> None:
        made = make(world, CalendarKind.ROUND_ROBIN, ALICE, BOB)
        path = f"{LIST}/{made.id}"
        mine = sent(page, path, name="Mine")
        if began != "kept":
            mine["began"] = began
        other = Browser(world)
        other.sign_in("admin")
        other.post(path, sent(other, path, duration="90"))
        text = text_of(page.post(path, mine))
        assert "Duration: 90" in text
        # A form that does not tell what it began with is compared as it stands.
        assert ("Name: Demo" in text) is (began != "kept")

    def test_what_somebody_removed_meanwhile_is_gone(self, world: World, page: Browser) -> None:
        made = make(world, CalendarKind.ROUND_ROBIN, ALICE)
        form = sent(page, f"{LIST}/{made.id}")
        world.app.desk.calendars.remove(ADMINISTRATOR, made.id)
        answer = page.post(f"{LIST}/{made.id}", form)
        assert answer.status_code == 404
        assert "somebody may have removed it" in answer.text

    def test_it_is_removed(self, world: World, page: Browser) -> None:
        made = make(world, CalendarKind.ROUND_ROBIN, ALICE)
        assert "Remove this booking calendar" in text_of(page.get(f"{LIST}/{made.id}"))
        answer = page.post(f"{LIST}/{made.id}/remove")
        assert "Demo was removed; what was booked stays booked." in text_of(answer)
        assert stored(world) == []
        assert "removed the booking calendar" in text_of(page.get("/admin/audit"))
        assert page.post(f"{LIST}/{made.id}/remove").status_code == 404
