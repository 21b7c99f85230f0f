"""The whole sandbox on free ports, and Debian's Chromium to look at it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from calsync_plugin.demo import Sandbox
from calsync_plugin.settings import LogSettings
from tests.browser.visits import listen, sign_in

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE = 15_000
"""Milliseconds until an expectation fails: a push takes a fraction of a second, on busy machines more."""

Visit = Callable[[str, str], Page]
"""The name of a visitor, and the path of a page."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the pages of a running sandbox are.

    They show the coming week: what is created there is never over, and nobody is invited to what is over.
    """

    crm_url: str
    outlook_url: str
    week: str

    @property
    def crm(self) -> str:
        """The CRM's week."""
        return f"{self.crm_url}/?week={self.week}"

    def outlook_of(self, person: str) -> str:
        """A person's week."""
        return f"{self.outlook_url}/?mailbox={person}@example.com&week={self.week}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed with its module: while it is open no other test of the process can use asyncio."""
    if not CHROMIUM.exists():
        if os.environ.get("CALSYNC_REQUIRE_SERVICES") == "1":
            pytest.fail(f"Chromium is required and not there: {CHROMIUM}")
        pytest.skip(f"no Chromium at {CHROMIUM}")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A fresh sandbox: alice and bob are connected, all calendars are empty."""
    made = Sandbox(tmp_path, 0, LogSettings(level="warning"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for all tests of a module: each leaves it as it found it."""
    made = Sandbox(tmp_path_factory.mktemp("office"), 0, LogSettings(level="warning"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def visit(browser: Browser, office: Sandbox) -> Iterator[Visit]:
    """Opens a page of calsync as somebody, each in a browser of their own; no page may have an error."""
    opened = []

    def visit(name: str, path: str) -> Page:
        context = browser.new_context(viewport={"width": 1200, "height": 850})
        context.set_default_timeout(PATIENCE)
        opened.append((context, listen(context)))
        return sign_in(context.new_page(), f"http://127.0.0.1:{office.ports.bridge}{path}", name)

    yield visit
    for context, _ in opened:
        context.close()
    assert [wrong for _, errors in opened for wrong in errors] == []


@pytest.fixture
def addresses(sandbox: Sandbox) -> Addresses:
    ports = sandbox.ports
    today = datetime.now(UTC).date()
    monday = today + timedelta(days=7 - today.weekday())
    return Addresses(f"http://127.0.0.1:{ports.crm}", f"http://127.0.0.1:{ports.outlook}", str(monday))


@pytest.fixture
def crm(browser: Browser, addresses: Addresses) -> Iterator[Page]:
    """The CRM's page."""
    yield from _page(browser, addresses.crm)


@pytest.fixture
def outlook(browser: Browser, addresses: Addresses) -> Iterator[Page]:
    """The Outlook page of alice."""
    yield from _page(browser, addresses.outlook_of("alice"))


def _page(browser: Browser, address: str) -> Iterator[Page]:
    """A window with a page; an error in one of its scripts fails the test."""
    errors: list[str] = []
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    yield page
    page.close()
    assert errors == []
