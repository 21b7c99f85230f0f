"""The pages in German in a real browser: longer words fit a phone, and the language is chosen in its foot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from calsync_plugin.demo import Sandbox
from calsync_plugin.sandbox.crm.identities import ALICE_ID
from tests.browser.conftest import PATIENCE
from tests.browser.visits import is_too_wide, listen, serious

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

ADMIN_PAGES = (
    "",
    "?show=week",
    "/accounts",
    f"/accounts/{ALICE_ID}",
    "/grants?search=carol",
    "/integration",
    "/integration/check",
    "/azure",
    "/audit",
)
USER_PAGES = (
    "",
    "/settings",
    "/backfill",
    "/held",
    "/parked",
    "/clashes",
    "/detached",
    "/restore",
    "/reset",
    "/disconnect",
    "/week",
    "/availability",
)


@pytest.fixture
def phone(browser: Browser, office: Sandbox) -> Iterator[Page]:
    """A German phone, before anybody has signed in."""
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="de-DE")
    context.set_default_timeout(PATIENCE)
    errors = listen(context)
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{office.ports.bridge}/sign-in")
    yield page
    context.close()
    assert errors == []


@pytest.mark.parametrize(
    ("name", "place", "pages"),
    [("alice", "external-account", USER_PAGES), ("admin", "admin", ADMIN_PAGES)],
    ids=["user", "administrator"],
)
def test_every_page_fits_a_phone_in_german(
    phone: Page, name: str, place: str, pages: tuple[str, ...]
) -> None:
    assert phone.evaluate("document.documentElement.lang") == "de"
    assert serious(phone) == []
    phone.get_by_label("Benutzername").fill(name)
    phone.get_by_label("Passwort").fill("sandbox")
    phone.get_by_role("button", name="Anmelden").click()
    # The sandbox's CRM speaks English; what is chosen here goes before it.
    phone.wait_for_url("**/external-account")
    home = phone.url.replace("external-account", place)
    phone.get_by_role("button", name="Deutsch").click()
    expect(phone.locator("html")).to_have_attribute("lang", "de")
    for path in pages:
        phone.goto(home + path)
        assert phone.evaluate("document.documentElement.lang") == "de", path
        assert not is_too_wide(phone), path
        assert serious(phone) == [], path


def test_the_choice_leads_back_to_its_page(phone: Page) -> None:
    phone.goto(f"{phone.url}?next=/external-account/week")
    phone.get_by_role("button", name="English").click()
    expect(phone.get_by_role("heading", name="Sign in")).to_be_visible()
    assert phone.url.endswith("/sign-in?next=/external-account/week")
    expect(phone.get_by_role("button", name="English")).to_have_attribute("aria-current", "true")
