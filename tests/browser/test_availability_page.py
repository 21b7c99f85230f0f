"""The page *When you are busy* in a real browser: calendars ticked, addresses added, and the effect seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from calsync_plugin.accounts.choices import choose
from calsync_plugin.booking.features import EVERYBODY, Feature
from calsync_plugin.demo import Sandbox
from calsync_plugin.sandbox.crm.identities import ALICE_ID
from docs.picture_scene import ADMINISTRATOR, ZONE, Scene, wait
from tests.browser.conftest import PATIENCE, Visit
from tests.browser.visits import is_too_wide, serious, sign_in, tab_to

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

NARROW: ViewportSize = {"width": 360, "height": 740}
BROAD: ViewportSize = {"width": 1200, "height": 850}
"""A phone and a desk."""


@dataclass(frozen=True, slots=True)
class Week:
    """Alice's page for the week to come, in a sandbox in which she has a private calendar."""

    scene: Scene
    private: str

    @property
    def path(self) -> str:
        return f"/external-account/availability?week={self.scene.monday}"

    def event(self, person: str, number: int, start: str, end: str, *, calendar: str = "") -> None:
        """An event of somebody's on a day of the week."""
        span = {
            side: {"dateTime": f"{self.scene.monday + timedelta(days=number)}T{time}:00", "timeZone": ZONE}
            for side, time in (("start", start), ("end", end))
        }
        home = f"calendars/{calendar}/events" if calendar else "events"
        self.scene.graph(person, "POST", home, {"subject": "Not to be read", **span})

    def forget(self) -> None:
        """Leave the sandbox as it was found."""
        calsync = self.scene.calsync
        choose(calsync.store, calsync.gateway, ALICE_ID, {"conflict_calendars": []})
        for feed in calsync.store.feeds.of(ALICE_ID):
            calsync.store.busy.remove(feed.source.id, user_id=ALICE_ID)
        for feature in Feature:
            calsync.desk.features.open(ADMINISTRATOR, feature, EVERYBODY)


@pytest.fixture(scope="module")
def made(office: Sandbox) -> Week:
    scene = Scene(office)
    private = str(scene.graph("alice", "POST", "calendars", {"name": "Private"})["id"])
    week = Week(scene, private)
    week.event("alice", 0, "09:00", "10:30")
    week.event("alice", 1, "15:00", "16:00", calendar=private)
    week.event("carol", 2, "11:00", "12:00")
    scene.calsync.connections.read_again(ALICE_ID)
    wait(lambda: bool(scene.calsync.store.busy.blocks(_sources(scene), 0, 2**40)))
    return week


def _sources(scene: Scene) -> list[int]:
    return [one.id for one in scene.calsync.store.busy.sources([ALICE_ID])]


@pytest.fixture
def week(made: Week) -> Iterator[Week]:
    yield made
    made.forget()


@pytest.fixture
def alice(visit: Visit, week: Week) -> Page:
    return visit("alice", week.path)


def main(page: Page) -> Locator:
    return page.get_by_role("main")


def lines(page: Page) -> Locator:
    """What lies in the week, as it is read aloud."""
    return page.locator(".busy-list li li")


def drawn(page: Page, name: str) -> Locator:
    """The boxes of a source in the grid."""
    return page.locator("svg.busy-grid svg").filter(
        has=page.locator("title", has_text=re.compile(f": {name}$"))
    )


def add(page: Page, name: str, address: str) -> None:
    page.get_by_text("Add a calendar address").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Address", exact=True).fill(address)
    page.get_by_role("button", name="Add calendar").click()


def test_a_ticked_calendar_is_seen_and_an_unticked_one_is_gone(alice: Page) -> None:
    expect(lines(alice)).to_have_text(["09:00 to 10:30: Calendar"])
    expect(alice.get_by_label("Calendar", exact=True)).to_be_disabled()
    alice.get_by_label("Private").check()
    alice.get_by_role("button", name="Save calendars").click()
    expect(main(alice)).to_contain_text("Your choice counts from now on.")
    # Nobody reloads the page.
    expect(lines(alice)).to_have_text(["09:00 to 10:30: Calendar", "15:00 to 16:00: Private"])
    expect(drawn(alice, "Private")).to_have_count(1)
    expect(drawn(alice, "Private")).to_be_visible()
    expect(main(alice)).not_to_contain_text("Being read")
    expect(main(alice)).not_to_contain_text("Not to be read")
    alice.get_by_label("Private").uncheck()
    alice.get_by_role("button", name="Save calendars").click()
    expect(lines(alice)).to_have_text(["09:00 to 10:30: Calendar"])
    expect(drawn(alice, "Private")).to_have_count(0)


def test_an_address_is_added_renamed_and_removed(alice: Page, week: Week) -> None:
    address = week.scene.published("carol")
    add(alice, "Choir", address)
    expect(main(alice)).to_contain_text("The calendar was added; it is being read.")
    expect(lines(alice)).to_have_text(["09:00 to 10:30: Calendar", "11:00 to 12:00: Choir"])
    assert address not in alice.content()
    source = alice.get_by_role("listitem").filter(has_text="calendar address")
    source.get_by_text("Rename").click()
    source.get_by_label("New name of Choir").fill("Carol")
    source.get_by_role("button", name="Save name").click()
    expect(lines(alice)).to_have_text(["09:00 to 10:30: Calendar", "11:00 to 12:00: Carol"])
    alice.get_by_role("link", name="Remove").click()
    expect(main(alice)).to_contain_text("Its times no longer make you busy, at once.")
    alice.get_by_role("button", name="Remove").click()
    expect(main(alice)).to_contain_text("Carol no longer makes you busy.")
    expect(lines(alice)).to_have_text(["09:00 to 10:30: Calendar"])


def test_an_address_that_leads_nowhere_says_so_beside_it(alice: Page, week: Week) -> None:
    add(alice, "Choir", week.scene.published("nobody"))
    expect(alice.get_by_text("Cannot be read", exact=True)).to_be_visible()
    expect(main(alice)).to_contain_text("look the address up where you found it")


def test_an_address_that_is_refused_is_not_in_the_page(alice: Page) -> None:
    add(alice, "Choir", "ftp://calendar.example.org/5up3rs3cr3t.ics")
    expect(alice.get_by_role("alert")).to_contain_text("This address cannot be used")
    expect(alice.get_by_label("Name", exact=True)).to_have_value("Choir")
    expect(alice.get_by_label("Address", exact=True)).to_have_value("")
    assert "5up3rs3cr3t" not in alice.content()
    assert serious(alice) == []


def test_what_is_being_typed_stays_while_the_page_renews_itself(alice: Page, week: Week) -> None:
    alice.get_by_text("Add a calendar address").click()
    alice.get_by_label("Name", exact=True).fill("Choir")
    choose(
        week.scene.calsync.store, week.scene.calsync.gateway, ALICE_ID, {"conflict_calendars": [week.private]}
    )
    expect(lines(alice)).to_have_count(2)
    expect(alice.get_by_label("Name", exact=True)).to_have_value("Choir")
    expect(alice.get_by_label("Name", exact=True)).to_be_focused()


def test_a_colleague_who_is_not_connected(alice: Page) -> None:
    alice.get_by_text("Add a colleague's calendar").click()
    alice.get_by_label("E-mail address").fill("carol@example.com")
    alice.get_by_role("button", name="Add colleague").click()
    expect(lines(alice)).to_have_text(["09:00 to 10:30: Calendar", re.compile("11:00 to 12:00: carol")])


def test_by_keyboard_alone(alice: Page, week: Week) -> None:
    tab_to(alice, alice.get_by_role("link", name="Week after"))
    alice.keyboard.press("Enter")
    expect(lines(alice)).to_have_count(0)
    tab_to(alice, alice.get_by_role("link", name="Week before"))
    alice.keyboard.press("Enter")
    expect(lines(alice)).to_have_count(1)
    tab_to(alice, alice.get_by_label("Private"))
    alice.keyboard.press("Space")
    alice.keyboard.press("Enter")
    expect(lines(alice)).to_have_count(2)
    tab_to(alice, alice.locator("summary", has_text="Add a calendar address"))
    alice.keyboard.press("Enter")
    tab_to(alice, alice.get_by_label("Name", exact=True))
    alice.keyboard.type("Choir")
    alice.keyboard.press("Tab")
    alice.keyboard.type(week.scene.published("carol"))
    alice.keyboard.press("Enter")
    expect(lines(alice)).to_have_count(3)
    tab_to(alice, alice.get_by_role("link", name="Remove"))
    alice.keyboard.press("Enter")
    tab_to(alice, alice.get_by_role("button", name="Remove"))
    alice.keyboard.press("Enter")
    expect(lines(alice)).to_have_count(2)


@pytest.fixture
def full(alice: Page, week: Week) -> Page:
    """The page with a source of each kind, one of which cannot be read, and all its forms open."""
    alice.get_by_label("Private").check()
    alice.get_by_role("button", name="Save calendars").click()
    for name, person in (("Choir", "carol"), ("A club with a very long name of its own", "nobody")):
        add(alice, name, week.scene.published(person))
    expect(alice.get_by_text("Cannot be read", exact=True)).to_be_visible()
    expect(lines(alice)).to_have_count(3)
    for summary in alice.locator("main summary").all():
        summary.click()
    return alice


@pytest.mark.parametrize("viewport", [BROAD, NARROW], ids=["desk", "phone"])
def test_it_can_be_read_by_everybody(full: Page, viewport: ViewportSize) -> None:
    full.set_viewport_size(viewport)
    assert serious(full) == []
    assert not is_too_wide(full)
    full.get_by_role("link", name="Remove").first.click()
    assert serious(full) == []
    assert not is_too_wide(full)
    full.get_by_role("link", name="Back", exact=True).click()
    expect(main(full)).to_contain_text("When you are busy")


def size(element: Locator) -> tuple[float, float]:
    """Width and height."""
    box = element.bounding_box()
    assert box is not None
    return box["width"], box["height"]


def test_a_phone_shows_a_list_and_a_desk_a_grid(alice: Page) -> None:
    """The list is there on a desk, too, for whoever has it read aloud."""
    grid = alice.locator("svg.busy-grid")
    expect(grid).to_be_visible()
    assert size(alice.locator(".busy-list")) == (1, 1)
    alice.set_viewport_size(NARROW)
    expect(grid).not_to_be_visible()
    assert size(alice.locator(".busy-list"))[0] > 200
    expect(lines(alice).first).to_be_visible()


def test_what_is_off_says_so(visit: Visit, week: Week) -> None:
    features = week.scene.calsync.desk.features
    features.close(ADMINISTRATOR, Feature.FEEDS, EVERYBODY)
    page = visit("alice", week.path)
    expect(page.get_by_text("This is not enabled for your account")).to_be_visible()
    expect(page.get_by_text("Add a calendar address")).not_to_be_visible()
    assert serious(page) == []
    features.close(ADMINISTRATOR, Feature.AVAILABILITY, EVERYBODY)
    page.reload()
    expect(page.get_by_text("Nobody learns when you are busy, and nobody can book you.")).to_be_visible()
    expect(page.locator("svg.busy-grid")).to_be_visible()
    assert serious(page) == []


def test_what_was_refused_is_brought_before_the_eyes(visit: Visit, week: Week) -> None:
    page = visit("alice", week.path)
    page.get_by_text("Add a calendar address").click()
    page.get_by_label("Address", exact=True).fill("ftp://calendar.example.org/a.ics")
    page.get_by_role("button", name="Add calendar").click()
    field = page.get_by_label("Address", exact=True)
    expect(field).to_be_focused()
    expect(field).to_be_in_viewport()


def test_without_scripts_a_link_looks_again(browser: Browser, week: Week) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(PATIENCE)
    page = sign_in(context.new_page(), week.scene.bridge + week.path, "alice")
    page.get_by_label("Private").check()
    page.get_by_role("button", name="Save calendars").click()
    wait(lambda: _looked_again(page))
    expect(lines(page)).to_have_text(["09:00 to 10:30: Calendar", "15:00 to 16:00: Private"])
    context.close()


def _looked_again(page: Page) -> bool:
    """Press the link as long as there is one."""
    again = page.get_by_role("link", name="Look again")
    if again.count():
        again.click()
    return not again.count()
