"""Pictures of calsync's own pages: a user's way from *Connect* to a week in step, and administrators' pages.

Decides how each page is reached and how much of it is shown.
"""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from docs.picture_scene import (
    Scene,
    allow_sales,
    keep_busy,
    offer_times,
    remember_a_day,
    sign_out_at_microsoft,
)

SIZE: ViewportSize = {"width": 1000, "height": 640}
TALLEST = 900
"""Pixels of a page that are shown at most: more is not looked at in a guide."""
PASSWORD = "sandbox"  # noqa: S105 - the sandbox's public password


def take(browser: Browser, scene: Scene, folder: Path) -> None:
    """Take all pictures of the pages."""
    allow_sales(scene)
    _signing_in(browser, scene, folder)
    _connecting(browser, scene, folder)
    alice = _signed_in(_context(browser), scene, "alice")
    for name in ("", "/clashes", "/held"):
        alice.goto(f"{scene.bridge}/external-account{name}")
        _shoot(alice, folder / f"account{name.replace('/', '-') or '-status'}.png")
    alice.goto(f"{scene.bridge}/external-account/week?from={scene.monday}")
    _shoot(alice, folder / "week.png")
    _busy(alice, scene, folder)
    bookings(browser, scene, folder)
    remember_a_day(scene)
    sign_out_at_microsoft(scene)
    _administrator(browser, scene, folder)


def _signing_in(browser: Browser, scene: Scene, folder: Path) -> None:
    page = _context(browser).new_page()
    page.goto(f"{scene.bridge}/admin")
    page.get_by_label("User name").fill("admin")
    _shoot(page, folder / "sign-in.png")


def _connecting(browser: Browser, scene: Scene, folder: Path) -> None:
    """Carol's way, whose records are older than her connection."""
    page = _signed_in(_context(browser), scene, "carol")
    page.get_by_label("Enabled").check()
    _shoot(page, folder / "account-connect.png")
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Connect", exact=True).click()
    popup = opened.value
    popup.set_viewport_size({"width": 560, "height": 420})
    popup.get_by_role("button", name=re.compile("carol@example.com")).click()
    popup.get_by_role("heading", name="Use this account?").wait_for()
    _shoot(popup, folder / "account-question.png")
    with popup.expect_event("close"):
        popup.get_by_role("button", name="Yes, use it").click()
    page.get_by_role("link", name="Choose your settings").click()
    _shoot(page, folder / "account-settings.png")
    page.locator("button.btn-primary", has_text="Save").click()
    _shoot(page, folder / "account-changes.png")
    page.get_by_role("button", name="Confirm and begin").click()
    page.get_by_text("In step", exact=True).wait_for()
    page.get_by_role("link", name="Waiting for you").click()
    _shoot(page, folder / "account-backfill.png")


def _busy(page: Page, scene: Scene, folder: Path) -> None:
    """A week of alice's with a further calendar, a published one and a colleague's."""
    keep_busy(scene)
    page.goto(f"{scene.bridge}/external-account/availability?week={scene.monday}")
    page.get_by_text("Add a calendar address").click()
    page.get_by_label("Name", exact=True).fill("Family")
    page.get_by_label("Address", exact=True).fill(scene.published("carol"))
    page.get_by_role("button", name="Add calendar").click()
    for name in ("Private", "Family"):
        page.locator(".busy-list").get_by_text(re.compile(f": {name}$")).first.wait_for(state="attached")
    page.goto(f"{scene.bridge}/external-account/availability?week={scene.monday}")
    _shoot(page, folder / "account-availability.png")


def bookings(browser: Browser, scene: Scene, folder: Path) -> None:
    """Two booking calendars, a team's free times, and a feature that is off for a team."""
    team, path = offer_times(scene)
    page = _signed_in(_context(browser), scene, "admin")
    for name, address in (
        ("admin-booking-calendars", "/admin/booking-calendars"),
        ("admin-booking-calendar", f"/admin/booking-calendars/{team}"),
        ("booking-calendar", path),
        ("admin-features", "/admin/features"),
    ):
        page.goto(f"{scene.bridge}{address}")
        _shoot(page, folder / f"{name}.png")
    page.goto(f"{scene.bridge}{path}")
    page.locator("a.slot").first.click()
    page.get_by_label("Name of the meeting").fill("Demo for Dave Dunn")
    _shoot(page, folder / "booking-form.png")


def _administrator(browser: Browser, scene: Scene, folder: Path) -> None:
    page = _signed_in(_context(browser), scene, "admin")
    for name in ("", "/accounts", "/grants", "/integration", "/integration/check"):
        page.goto(f"{scene.bridge}/admin{name}")
        _shoot(page, folder / f"admin-{name.rpartition('/')[2] or 'overview'}.png")
    page.goto(f"{scene.bridge}/admin/accounts")
    page.get_by_role("link", name="Alice Able").click()
    _shoot(page, folder / "admin-account.png")


def _context(browser: Browser) -> BrowserContext:
    return browser.new_context(viewport=SIZE)


def _signed_in(context: BrowserContext, scene: Scene, name: str) -> Page:
    page = context.new_page()
    page.goto(f"{scene.bridge}/external-account")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()
    return page


def _shoot(page: Page, file: Path) -> None:
    """The page as far as it goes, but not endlessly."""
    page.wait_for_load_state("networkidle")
    bottom = page.evaluate("document.querySelector('main').getBoundingClientRect().bottom + window.scrollY")
    height = min(TALLEST, int(bottom))
    width = int(page.evaluate("document.documentElement.clientWidth"))
    page.screenshot(path=file, full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height})
