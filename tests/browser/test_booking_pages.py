"""Booking calendars in a real browser: set up, seen at a glance, booked; by keyboard, on a phone, for axe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.booking.features import Feature
from calsync_plugin.crm.gateway import Found
from calsync_plugin.demo import Sandbox
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.sandbox.crm.identities import ADMIN_ID, ALICE_ID, BOB_ID, CAROL_ID, TEAM_SALES_ID
from calsync_plugin.state import BookingCalendar, CalendarKind, Subject
from docs.picture_scene import Scene
from tests.browser.conftest import Visit
from tests.browser.visits import is_too_wide, serious, tab_to

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

PHONE: ViewportSize = {"width": 360, "height": 740}
DESK: ViewportSize = {"width": 1200, "height": 850}
ADMIN = Actor(ADMIN_ID, "Admin")
ZONE = "zone=Europe/Berlin"


@pytest.fixture(scope="module")
def scene(office: Sandbox) -> Scene:
    return Scene(office)


@pytest.fixture(autouse=True)
def _left_as_it_was(scene: Scene) -> Iterator[None]:
    """Each test makes its own booking calendars."""
    yield
    for calendar in scene.calsync.desk.calendars.list():
        scene.calsync.desk.calendars.remove(ADMIN, calendar.id)


def make(scene: Scene, name: str, kind: CalendarKind, *members: str, **rules: JsonValue) -> str:
    """A booking calendar; returns the path of its page in the coming week."""
    calendar = BookingCalendar(
        id="",
        name=name,
        kind=kind,
        members=dict.fromkeys(members, 0),
        rules={"hours": "own", "start": "09:00", "end": "12:00", "zone": "Europe/Berlin", **rules},
    )
    saved = scene.calsync.desk.calendars.save(ADMIN, calendar)
    return f"/booking-calendars/{saved.id}?week={scene.monday}&{ZONE}"


def main(page: Page) -> Locator:
    return page.get_by_role("main")


def press(page: Page, name: str) -> None:
    main(page).get_by_role("button", name=name, exact=True).click()


def said(page: Page, text: str | re.Pattern[str]) -> None:
    """Wait until the page says something, somewhere in its content."""
    expect(main(page)).to_contain_text(text)


def cell(page: Page, row: str, day: int) -> Locator:
    """A field of the grid, by the time of its row and the number of its day."""
    return main(page).get_by_role("row", name=re.compile(f"^{row}")).get_by_role("cell").nth(day)


def assigned(scene: Scene, name: str) -> str:
    """Whose a meeting is in the CRM."""
    record_id = scene.records()[name]
    found = scene.calsync.gateway.load("Meeting", [record_id])[record_id]
    assert isinstance(found, Found)
    return str(found.record["assignedUserId"])


def moment(scene: Scene, day: int, clock: str) -> str:
    """A time of the coming week, as a page says it."""
    date = scene.day(day)
    return f"{date:%a} {date.day} {date:%b %Y}, {clock}"


def wrong_of(page: Page) -> list[str]:
    """What keeps somebody away from a page, on a desk or on a phone."""
    found = serious(page)
    page.set_viewport_size(PHONE)
    if is_too_wide(page):
        found.append("wider than a phone")
    found += serious(page)
    page.set_viewport_size(DESK)
    return found


def test_a_team_is_made_its_time_seen_and_booked(visit: Visit, scene: Scene) -> None:
    page = visit("admin", "/admin/booking-calendars")
    main(page).get_by_role("link", name="New booking calendar").click()
    page.get_by_label("Name", exact=True).fill("Demo with sales")
    page.get_by_label("Team, taking turns").check()
    for name in ("alice", "bob", "carol"):
        page.get_by_label("Name or address").fill(name)
        press(page, "Find")
        main(page).get_by_role("button", name=re.compile(f"^Add {name}", re.IGNORECASE)).click()
    said(page, "Cannot be booked until they connect Outlook")
    expect(page.get_by_label("From", exact=True)).to_be_hidden()
    page.get_by_label("The hours below, for all members").check()
    page.get_by_label("From", exact=True).fill("09:00")
    page.get_by_label("Time zone").fill("Europe/Berlin")
    press(page, "Save")
    said(page, "Saved.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Demo with sales")
    said(page, "Carol Clark: This user is not connected to Outlook.")

    page.goto(f"{page.url.partition('?')[0]}?week={scene.monday}&{ZONE}")
    expect(cell(page, "10:00", 1)).to_contain_text("Both free")
    for who in range(2):
        cell(page, "10:00", 1).get_by_role("link").click()
        page.get_by_label("Name of the meeting").fill(f"Demo {who}")
        press(page, "Book")
        said(page, f"Booked: Demo {who}, {moment(scene, 1, '10:00')}")
        expect(cell(page, "10:00", 1)).to_contain_text("1 of 2 free" if who == 0 else "not free")
    owners = {assigned(scene, f"Demo {who}"): f"Demo {who}" for who in range(2)}
    assert set(owners) == {ALICE_ID, BOB_ID}
    scene.wait_for("alice", owners[ALICE_ID])
    scene.wait_for("bob", owners[BOB_ID])


def test_who_is_too_late_chooses_another_time(visit: Visit, scene: Scene) -> None:
    path = make(scene, "Alice alone", CalendarKind.PERSONAL, ALICE_ID)
    page, other = visit("alice", path), visit("admin", path)
    for one in (page, other):
        cell(one, "11:00", 2).get_by_role("link").click()
        one.get_by_label("Name of the meeting").fill("Mine" if one is page else "Theirs")
    press(other, "Book")
    said(other, "Booked: Theirs")
    press(page, "Book")
    said(page, "This time is not free any more. Nothing was booked.")
    expect(page.get_by_label("Name of the meeting")).to_have_value("Mine")
    assert wrong_of(page) == []
    press(page, moment(scene, 2, "11:30"))
    said(page, f"Booked: Mine, {moment(scene, 2, '11:30')}")


def test_a_double_click_books_once(visit: Visit, scene: Scene) -> None:
    page = visit("bob", make(scene, "Bob alone", CalendarKind.PERSONAL, BOB_ID))
    cell(page, "09:00", 3).get_by_role("link").click()
    page.get_by_label("Name of the meeting").fill("Twice")
    main(page).get_by_role("button", name="Book", exact=True).dblclick()
    said(page, "Booked: Twice")
    start = int(datetime.combine(scene.day(3), time(9), ZoneInfo("Europe/Berlin")).timestamp())
    (booked,) = scene.calsync.store.bookings.booked([BOB_ID], start, start + 60)[BOB_ID]
    assert booked[0] == start


def test_by_keyboard_alone(visit: Visit, scene: Scene) -> None:
    make(scene, "Reachable", CalendarKind.PERSONAL, ALICE_ID)
    page = visit("alice", "/booking-calendars")
    tab_to(page, main(page).get_by_role("link", name="Reachable"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("link", name="Week after"))
    page.keyboard.press("Enter")
    said(page, "Week of")
    free = main(page).locator("a.slot").first
    tab_to(page, free)
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("Name of the meeting"))
    page.keyboard.type("By keys")
    page.keyboard.press("Enter")
    said(page, "Booked: By keys")


def test_the_form_by_the_enter_key(visit: Visit, scene: Scene) -> None:
    page = visit("admin", "/admin/booking-calendars/new")
    page.get_by_label("Name", exact=True).fill("Quick")
    page.get_by_label("Name or address").fill("alice")
    page.keyboard.press("Enter")
    press(page, "Add Alice Able")
    page.get_by_label("Name or address").fill("")
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.press("Enter")
    said(page, "Saved.")
    assert [one.name for one in scene.calsync.desk.calendars.list()] == ["Quick"]


def test_on_a_phone_free_times_are_a_list(visit: Visit, scene: Scene) -> None:
    page = visit("alice", make(scene, "Pocket", CalendarKind.ROUND_ROBIN, ALICE_ID, BOB_ID))
    expect(page.get_by_role("table")).to_be_visible()
    page.set_viewport_size(PHONE)
    expect(page.get_by_role("table")).to_be_hidden()
    day = page.get_by_role("region", name=f"{scene.day(4):%a %d %b}")
    expect(day.get_by_role("listitem").first).to_contain_text("09:00 Both free")
    assert not is_too_wide(page)
    day.get_by_role("link", name=re.compile("Book .*09:30")).click()
    page.get_by_label("Name of the meeting").fill("From a phone")
    press(page, "Book")
    said(page, "Booked: From a phone")


def test_a_feature_is_switched_off_and_read_about(visit: Visit, scene: Scene) -> None:
    path = make(scene, "Shut", CalendarKind.PERSONAL, ALICE_ID)
    page = visit("admin", "/admin/features")
    press(page, "Switch bookings off for everybody")
    said(page, "Bookings are switched off for everybody; switch them on again on the page Features.")
    alice = visit("alice", path)
    said(alice, "This is not enabled for your account, please contact the administrator.")
    assert wrong_of(page) == wrong_of(alice) == []
    press(page, "Switch bookings on again for everybody")
    said(page, "Bookings: switched on again.")
    alice.reload()
    expect(cell(alice, "10:00", 0)).to_contain_text("Free")


def test_a_feature_is_switched_off_for_a_team(visit: Visit, scene: Scene) -> None:
    page = visit("admin", "/admin/features")
    page.get_by_label("Team for which calendar addresses are switched off").select_option(label="Sales")
    press(page, "Switch calendar addresses off for the chosen team")
    said(page, "Calendar addresses are switched off for the team Sales")
    press(page, "Switch calendar addresses on again for Sales")
    said(page, "Calendar addresses: switched on again.")


def test_each_page(visit: Visit, scene: Scene) -> None:
    team = (ALICE_ID, BOB_ID, CAROL_ID)
    paths = {
        kind.value: make(scene, f"A {kind.value}", kind, *members)
        for kind, members in (
            (CalendarKind.PERSONAL, (CAROL_ID,)),
            (CalendarKind.ROUND_ROBIN, team),
            (CalendarKind.COLLECTIVE, team),
            (CalendarKind.SERVICE, team[:2]),
            (CalendarKind.EVENT, ()),
        )
    }
    scene.calsync.desk.features.close(ADMIN, Feature.FEEDS, Subject("team", TEAM_SALES_ID))
    page = visit("admin", "/booking-calendars")
    (first, *_others) = scene.calsync.desk.calendars.list()
    found = {}
    for path in (
        "/booking-calendars",
        *paths.values(),
        f"{paths['service']}&view=list",
        f"{paths['service']}&user={ALICE_ID}",
        "/admin/booking-calendars",
        f"/admin/booking-calendars/{first.id}",
        "/admin/features",
    ):
        page.goto(scene.bridge + path)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        found[path] = wrong_of(page)
    page.goto(scene.bridge + paths["service"])
    main(page).locator("a.slot").first.click()
    press(page, "Book")
    said(page, "Give the meeting a name.")
    found["book"] = wrong_of(page)
    page.goto(f"{scene.bridge}/admin/booking-calendars/new")
    page.get_by_label("Name or address").fill("carol")
    press(page, "Find")
    found["find"] = wrong_of(page)
    page.get_by_label("Name or address").fill("")
    press(page, "Save")
    said(page, "Nothing was saved yet.")
    found["refused"] = wrong_of(page)
    scene.calsync.desk.features.open(ADMIN, Feature.FEEDS, Subject("team", TEAM_SALES_ID))
    assert {path: wrong for path, wrong in found.items() if wrong} == {}
