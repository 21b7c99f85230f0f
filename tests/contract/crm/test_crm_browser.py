"""The calendar page in a real Chromium: the dialog, moving by hand, the keyboard, a phone."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from calsync_plugin.sandbox.crm import CrmServer
from calsync_plugin.sandbox.crm.identities import ALICE_ID, BOB_ID, CAROL_ID, DAVE_ID

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
REQUIRED = os.environ.get("CALSYNC_REQUIRE_SERVICES") == "1"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists() and not REQUIRED, reason="no Chromium here"),
]
WEEK = "week=2026-12-01&zone=Europe/Berlin"


@pytest.fixture(scope="module")
def server() -> Iterator[CrmServer]:
    server = CrmServer(0, webhook_interval=None)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield server
    server.close()
    thread.join(timeout=10)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - slow, and absent where nobody looks

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(server: CrmServer, browser: Browser) -> Iterator[Page]:
    """The page in an empty week, with one meeting of Bob's; a script error fails the test."""
    server.crm.reset()
    server.crm.insert(
        "Meeting",
        {
            "name": "Review",
            "dateStart": "2026-12-02 09:00:00",
            "dateEnd": "2026-12-02 10:00:00",
            "assignedUserId": BOB_ID,
            "usersIds": [BOB_ID],
        },
    )
    errors: list[str] = []
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(10_000)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{server.url}/?{WEEK}")
    yield page
    page.close()
    assert errors == []


def meetings(server: CrmServer) -> dict[str, str]:
    """Name and start of every meeting."""
    return {row["name"]: row["dateStart"] for row in server.crm.store.tables["Meeting"]}


def test_create_and_delete(page: Page, server: CrmServer) -> None:
    page.keyboard.press("n")
    page.fill("[name=name]", "Kick-off")
    page.fill("[name=dateStart]", "2026-12-01T14:00")
    page.fill("[name=dateEnd]", "2026-12-01T15:00")
    page.select_option("[name=assignedUserId]", label="Alice Able")
    page.check(f"[name=contactsIds][value='{DAVE_ID}']")
    page.click("#save")

    page.wait_for_selector("[data-record-name='Kick-off']")
    row = next(row for row in server.crm.store.tables["Meeting"] if row["name"] == "Kick-off")
    assert (row["dateStart"], row["assignedUserId"]) == ("2026-12-01 13:00:00", ALICE_ID)
    assert list(server.crm.store.members("Meeting", row["id"], "contacts")) == [DAVE_ID]
    page.click("[data-record-name='Kick-off']")
    page.click("#delete")
    page.wait_for_selector("[data-record-name='Kick-off']", state="detached")


def test_reassign(page: Page) -> None:
    page.click("[data-record-name='Review']")
    page.select_option("[name=assignedUserId]", label="Carol Clark")
    page.click("#save")

    page.wait_for_selector("[data-record-name='Review'] .owner:text('Carol Clark')")


def test_move_by_hand(page: Page, server: CrmServer) -> None:
    entry = page.locator("[data-record-name='Review']").bounding_box()
    column = page.locator(".day[data-date='2026-12-03']").bounding_box()
    assert entry is not None
    assert column is not None
    page.mouse.move(entry["x"] + 20, entry["y"] + 10)
    page.mouse.down()
    page.mouse.move(column["x"] + 20, entry["y"] + 10 + 46, steps=6)
    page.mouse.up()

    entry_of_thursday = ".day[data-date='2026-12-03'] [data-record-name='Review']"
    page.wait_for_selector(f"{entry_of_thursday} .when:text('11:00 - 12:00')")
    assert meetings(server) == {"Review": "2026-12-03 10:00:00"}
    assert not page.locator("#dialog").is_visible()


def test_a_refusal_is_said_in_the_dialog(page: Page, server: CrmServer) -> None:
    page.goto(f"{server.url}/?{WEEK}&as={CAROL_ID}")
    page.click("[data-record-name='Review']")
    page.fill("[name=name]", "Mine")
    page.click("#save")

    page.wait_for_selector("#error:has-text('No edit access.')")
    page.keyboard.press("Escape")
    assert meetings(server).keys() == {"Review"}


def test_what_others_save_shows_up(page: Page, server: CrmServer) -> None:
    server.crm.insert("Call", {"name": "Ring", "dateStart": "2026-12-01 09:00:00"})

    page.wait_for_selector("[data-record-name='Ring']")


def test_weeks_by_keyboard(page: Page) -> None:
    page.keyboard.press("ArrowRight")

    page.wait_for_selector("#empty-week")
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("[data-record-name='Review']")


def test_on_a_phone_nothing_is_cut_off(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.click("[data-record-name='Review']")
    page.locator("#save").scroll_into_view_if_needed()
    assert page.locator("#save").is_visible()
