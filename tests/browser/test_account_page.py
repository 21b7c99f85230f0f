"""A user's own pages in a real browser: the whole flow, by mouse and keyboard, on a phone, for everybody.

Microsoft's own pages are the simulator's; what is tested of them is only what our pages do with them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from calsync_plugin.accounts import giving
from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.demo import Sandbox
from calsync_plugin.domain.links import LinkState
from calsync_plugin.sandbox.crm import identities as people
from calsync_plugin.state import Parked, Subject
from tests.browser.conftest import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

ADMINISTRATOR = Actor(people.ADMIN_ID, "Admin")
SUBPAGES = ("settings", "backfill", "held", "parked", "clashes", "detached", "restore", "reset", "disconnect")
SERIOUS = {"serious", "critical"}


@pytest.fixture
def home(sandbox: Sandbox) -> str:
    return f"http://127.0.0.1:{sandbox.ports.bridge}/external-account"


@pytest.fixture
def context(browser: Browser, sandbox: Sandbox) -> Iterator[BrowserContext]:
    """A browser of somebody's own; an error of a script or of the content policy fails the test.

    It is closed before the sandbox: a page asks how the sync is while it is open.
    """
    made = browser.new_context(viewport={"width": 1200, "height": 850})
    made.set_default_timeout(PATIENCE)
    wrong: list[str] = []

    def listen(page: Page) -> None:
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if _is_wrong(said) else None)

    made.on("page", listen)
    yield made
    made.close()
    assert wrong == []


def _is_wrong(said: ConsoleMessage) -> bool:
    """An error that is not the answer 4xx of a page which refuses something in words."""
    return said.type == "error" and "the server responded with a status of 4" not in said.text


@pytest.fixture
def carol(context: BrowserContext, sandbox: Sandbox, home: str) -> Page:
    """Carol, who may connect and is not connected, signed in."""
    giving.give(sandbox.calsync, ADMINISTRATOR, Subject("user", people.CAROL_ID))
    return signed_in(context, home, "carol")


@pytest.fixture
def alice(context: BrowserContext, home: str) -> Page:
    """Alice, who is connected, signed in."""
    return signed_in(context, home, "alice")


@pytest.fixture
def troubled(sandbox: Sandbox, alice: Page) -> Page:
    """Alice, of whose calendar every page has something to tell."""
    for name in ("Kick-off", "Review"):
        record(sandbox, name, assignedUserId=people.ALICE_ID, usersIds=[people.ALICE_ID, people.BOB_ID])
    expect(alice.locator("[data-live=done]")).to_have_text("2")
    store, user_id = sandbox.calsync.store, people.ALICE_ID
    mailbox_id = store.accounts.many([user_id])[user_id].mailbox_id or 0
    kept, left = store.links.for_mailbox(mailbox_id)
    with store.save(None) as tx:
        tx.clash(user_id=user_id, link_id=kept.id, field="subject", winner="crm", crm="A", outlook="B")
        tx.hold(mailbox_id, kept.id, "deletion")
        tx.park(
            Parked(
                mailbox_id=mailbox_id,
                user_id=user_id,
                entity_type="Meeting",
                record_id="6b0",
                reason="no_end",
                message="it has no end",
            )
        )
        tx.save_links([replace(left, state=LinkState.DETACHED, reason="the event was removed in Outlook")])
        tx.journal(
            mailbox_id=mailbox_id,
            user_id=user_id,
            link_id=left.id,
            side="record",
            item_id="Meeting 6b1",
            content='{"name": "Gone"}',
        )
    alice.reload()
    return alice


def signed_in(context: BrowserContext, home: str, name: str) -> Page:
    page = context.new_page()
    page.goto(home)
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill("sandbox")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(home)
    return page


def button(page: Page, name: str) -> Any:
    return page.get_by_role("main").get_by_role("button", name=name, exact=True)


def at_microsoft(page: Page, act: Callable[[Page], None]) -> Page:
    """Press Connect and do something in Microsoft's window; returns that window."""
    page.get_by_label("Enabled").check()
    with page.expect_popup() as opened:
        button(page, "Connect").click()
    popup = opened.value
    act(popup)
    return popup


def choose_carol(popup: Page) -> None:
    popup.get_by_role("button", name=re.compile("carol@example.com")).click()
    expect(popup.get_by_role("heading", name="Use this account?")).to_be_visible()


def record(sandbox: Sandbox, name: str, **attributes: Any) -> None:
    """A meeting of carol's next week, in the CRM."""
    day = (datetime.now(UTC) + timedelta(days=7)).date()
    sandbox_api(
        sandbox, "Meeting", name=name, dateStart=f"{day} 10:00:00", dateEnd=f"{day} 11:00:00", **attributes
    )


def sandbox_api(sandbox: Sandbox, entity_type: str, **attributes: Any) -> None:
    url = f"http://127.0.0.1:{sandbox.ports.crm}/api/v1/{entity_type}"
    body = {"assignedUserId": people.CAROL_ID, "usersIds": [people.CAROL_ID], **attributes}
    requests.post(url, headers={"X-Api-Key": "sandbox"}, json=body, timeout=60).raise_for_status()


def event(sandbox: Sandbox, subject: str) -> None:
    """A meeting of carol's next week, in Outlook."""
    day = (datetime.now(UTC) + timedelta(days=7)).date()
    times = {
        side: {"dateTime": f"{day}T{hour}:00:00", "timeZone": "UTC"}
        for side, hour in (("start", 14), ("end", 15))
    }
    url = f"http://127.0.0.1:{sandbox.ports.outlook}/v1.0/me/events"
    headers = {"Authorization": "Bearer sandbox:carol@example.com"}
    requests.post(url, headers=headers, json={"subject": subject, **times}, timeout=60).raise_for_status()


def connect(page: Page, home: str) -> None:
    """The flow up to the confirmed settings."""
    popup = at_microsoft(page, choose_carol)
    with popup.expect_event("close"):
        button(popup, "Yes, use it").click()
    page.get_by_role("link", name="Choose your settings").click()
    page.locator("button.btn-primary", has_text="Save").click()
    button(page, "Confirm and begin").click()
    page.wait_for_url(home)


# --- the flow


def test_the_whole_flow(carol: Page, sandbox: Sandbox, home: str) -> None:
    record(sandbox, "Kick-off", usersIds=[people.CAROL_ID, people.BOB_ID])
    event(sandbox, "From Outlook")
    # A record of the second in which somebody connects counts as new.
    time.sleep(1.1)
    expect(button(carol, "Connect")).not_to_be_visible()
    popup = at_microsoft(carol, choose_carol)
    with popup.expect_event("close"):
        button(popup, "Yes, use it").click()
    # The page behind the window shows it without being reloaded by hand.
    expect(carol.get_by_text("Connected", exact=True)).to_be_visible()
    carol.get_by_role("link", name="Choose your settings").click()
    carol.get_by_label("CRM to Outlook").check()
    expect(carol.get_by_role("group", name="Recurring meetings")).not_to_be_visible()
    carol.get_by_label("Both ways").check()
    expect(carol.get_by_role("group", name="Recurring meetings")).to_be_visible()
    carol.locator("button.btn-primary", has_text="Save").click()
    expect(carol.get_by_text("1 meeting of Outlook comes into the CRM at once.")).to_be_visible()
    expect(carol.get_by_text("1 older record of the CRM waits until you confirm it")).to_be_visible()
    button(carol, "Confirm and begin").click()
    expect(carol.get_by_text("In step", exact=True)).to_be_visible()
    expect(carol.locator("[data-live=done]")).to_have_text("1")
    assert [mail.to for mail in sandbox.outlook.state.mails] == []

    carol.get_by_role("link", name="Waiting for you").click()
    expect(carol.get_by_text("Outlook writes to 1 person, nobody from outside.")).to_be_visible()
    button(carol, "Confirm").click()
    expect(carol.locator("[data-live=done]")).to_have_text("2")
    assert [mail.to for mail in sandbox.outlook.state.mails] == ["bob@example.com"]

    carol.get_by_role("link", name="Disconnect").click()
    expect(carol.get_by_text("Nothing is deleted")).to_be_visible()
    button(carol, "Disconnect").click()
    expect(carol.get_by_label("Enabled")).to_be_visible()


def test_consent_is_declined(carol: Page) -> None:
    def cancel(popup: Page) -> None:
        popup.get_by_role("button", name="Cancel").click()
        expect(popup.get_by_role("heading", name="Outlook was not connected")).to_be_visible()
        expect(popup.get_by_text("declined")).to_be_visible()

    at_microsoft(carol, cancel)
    carol.reload()
    expect(carol.get_by_label("Enabled")).to_be_visible()


def test_another_account_is_not_used(carol: Page, sandbox: Sandbox) -> None:
    popup = at_microsoft(carol, choose_carol)
    button(popup, "No").click()
    expect(popup.get_by_role("heading", name="Nothing was connected")).to_be_visible()
    assert sandbox.calsync.store.tokens.load(people.CAROL_ID) is None


def test_a_mailbox_of_somebody_else_is_refused(carol: Page) -> None:
    def choose_alice(popup: Page) -> None:
        popup.get_by_role("button", name=re.compile("alice@example.com")).click()
        expect(popup.get_by_text("Another user has connected this Outlook mailbox")).to_be_visible()

    at_microsoft(carol, choose_alice)


def test_without_a_grant_the_page_says_whom_to_ask(context: BrowserContext, home: str) -> None:
    page = signed_in(context, home, "carol")
    expect(page.get_by_text("not allowed to connect external accounts")).to_be_visible()
    expect(page.get_by_text("can allow it")).to_be_visible()
    expect(page.get_by_label("Enabled")).not_to_be_visible()


def test_microsoft_wants_the_user_back(alice: Page, sandbox: Sandbox, home: str) -> None:
    sandbox.outlook.logins.revoke("alice@example.com")
    button(alice, "Sync now").click()
    expect(alice.get_by_text("Sign in again", exact=True)).to_be_visible()
    alice.reload()
    with alice.expect_popup() as opened:
        button(alice, "Reconnect").click()
    popup = opened.value
    popup.get_by_role("button", name=re.compile("alice@example.com")).click()
    with popup.expect_event("close"):
        button(popup, "Yes, use it").click()
    expect(alice.get_by_text("In step", exact=True)).to_be_visible()
    expect(button(alice, "Reconnect")).not_to_be_visible()


# --- for everybody


def test_by_keyboard_alone(carol: Page, home: str) -> None:
    tab_to(carol, "#enabled")
    carol.keyboard.press("Space")
    tab_to(carol, "button:has-text('Connect')")
    with carol.expect_popup() as opened:
        carol.keyboard.press("Enter")
    popup = opened.value
    choose_carol(popup)
    tab_to(popup, "button:has-text('Yes, use it')")
    with popup.expect_event("close"):
        popup.keyboard.press("Enter")
    expect(carol.get_by_role("link", name="Choose your settings")).to_be_visible()
    tab_to(carol, "a:has-text('Choose your settings')")
    carol.keyboard.press("Enter")
    expect(carol.get_by_role("heading", name="Settings")).to_be_visible()
    tab_to(carol, "#months_ahead")
    carol.keyboard.press("Control+A")
    carol.keyboard.type("3")
    carol.keyboard.press("Enter")
    expect(carol.get_by_role("heading", name="This is what happens")).to_be_visible()
    tab_to(carol, "button:has-text('Confirm and begin')")
    carol.keyboard.press("Enter")
    carol.wait_for_url(home)
    expect(carol.get_by_text("In step", exact=True)).to_be_visible()


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until an element of the content has the focus, and see that it is visible there."""
    wanted = page.get_by_role("main").locator(selector).last.element_handle()
    for _ in range(80):
        if page.evaluate("wanted => document.activeElement === wanted", wanted):
            outline = page.evaluate("wanted => getComputedStyle(wanted).outlineStyle", wanted)
            assert outline != "none", f"{selector}: nobody sees that it has the focus"
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {selector}")


def test_rows_of_kinds_are_added_and_taken(alice: Page, home: str) -> None:
    alice.goto(f"{home}/settings")
    rows = alice.get_by_role("group", name=re.compile("Kind of record"))
    expect(rows).to_have_count(3)
    button(alice, "Remove kind of record 3").click()
    expect(rows).to_have_count(2)
    button(alice, "Add a kind of record").click()
    expect(rows).to_have_count(3)


def test_nothing_is_wider_than_a_small_phone(troubled: Page, home: str) -> None:
    troubled.set_viewport_size({"width": 360, "height": 740})
    for name in ("", *(f"/{page}" for page in SUBPAGES)):
        troubled.goto(home + name)
        assert troubled.evaluate("document.documentElement.scrollWidth") <= 360, name


@pytest.mark.parametrize("width", [1200, 360])
def test_axe_finds_nothing_serious(troubled: Page, home: str, width: int) -> None:
    troubled.set_viewport_size({"width": width, "height": 740})
    found = {name: _serious(troubled, home + name) for name in ("", *(f"/{page}" for page in SUBPAGES))}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_axe_finds_nothing_serious_before_and_after_connecting(carol: Page, home: str) -> None:
    assert _serious(carol, home) == []
    popup = at_microsoft(carol, choose_carol)
    assert _serious(popup) == []
    button(popup, "Yes, use it").click()
    carol.get_by_role("link", name="Choose your settings").click()
    carol.locator("button.btn-primary", has_text="Save").click()
    expect(carol.get_by_role("heading", name="This is what happens")).to_be_visible()
    assert _serious(carol) == []


def _serious(page: Page, address: str = "") -> list[str]:
    """What axe says of a page that keeps somebody out."""
    if address:
        page.goto(address)
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:200]}"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


def test_two_users_at_once(
    context: BrowserContext, browser: Browser, sandbox: Sandbox, carol: Page, home: str
) -> None:
    connect(carol, home)
    other = browser.new_context()
    alice = signed_in(other, home, "alice")
    expect(alice.get_by_text("alice@example.com")).to_be_visible()
    expect(carol.get_by_text("carol@example.com")).to_be_visible()
    button(alice, "Switch off").click()
    expect(alice.get_by_text("You switched your calendar off")).to_be_visible()
    carol.reload()
    expect(carol.get_by_text("In step", exact=True)).to_be_visible()
    other.close()


def test_without_scripts_all_of_it_works(browser: Browser, sandbox: Sandbox, home: str) -> None:
    giving.give(sandbox.calsync, ADMINISTRATOR, Subject("user", people.CAROL_ID))
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(PATIENCE)
    page = signed_in(context, home, "carol")
    with context.expect_page() as opened:
        button(page, "Connect").click()
    tab = opened.value
    tab.get_by_role("link", name="Continue to Microsoft").click()
    tab.get_by_role("button", name=re.compile("carol@example.com")).click()
    answer = tab.get_by_role("button")
    if answer.count() and "Use this account?" not in tab.content():
        answer.first.click()  # the page that posts itself needs a click without scripts
    button(tab, "Yes, use it").click()
    page.goto(f"{home}/settings")
    page.locator("button.btn-primary", has_text="Save").click()
    button(page, "Confirm and begin").click()
    page.wait_for_url(home)
    expect(page.get_by_text("Connected", exact=True)).to_be_visible()
    context.close()
