"""The administrator's pages in a real browser, and every page by keyboard, on a phone and for axe."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from calsync_plugin.accounts import crm_grants
from calsync_plugin.accounts.grants import CALENDAR, NEEDED
from calsync_plugin.crm.roles import CrmRole
from calsync_plugin.demo import Sandbox
from calsync_plugin.sandbox.crm.identities import ALICE_ID, BOB_ID
from calsync_plugin.web.app import create_app
from docs import picture_scene
from docs.picture_scene import Scene
from tests.browser.conftest import Visit
from tests.browser.visits import is_too_wide, serious, tab_to

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

PHONE: ViewportSize = {"width": 360, "height": 740}
DESK: ViewportSize = {"width": 1200, "height": 850}


@pytest.fixture(scope="module")
def scene(office: Sandbox) -> Scene:
    return Scene(office)


@pytest.fixture
def open_admin(visit: Visit) -> Callable[[str], Page]:
    return lambda path: visit("admin", path)


def main(page: Page) -> Locator:
    return page.get_by_role("main")


def press(page: Page, name: str) -> None:
    main(page).get_by_role("button", name=name, exact=True).click()


def said(page: Page, text: str) -> None:
    """Wait until the page says something, somewhere in its content."""
    expect(main(page)).to_contain_text(text)


# --- what administrators do


def test_the_overview_leads_to_the_accounts(open_admin: Callable[[str], Page], scene: Scene) -> None:
    page = open_admin("/admin")
    main(page).get_by_role("link", name=re.compile("Connected 2")).click()
    expect(main(page).get_by_role("row")).to_have_count(3)
    scene.save("Meeting", "For the plot", ALICE_ID, scene.at(0, "08:00", "08:30"))
    scene.wait_for("alice", "For the plot")
    scene.calsync.counting.save()
    page.goto(f"{scene.bridge}/admin")
    plot = page.get_by_role("img", name="Changes carried in an hour")
    expect(plot).to_be_visible()
    page.get_by_text("Changes carried in an hour as a table").click()
    expect(page.get_by_role("region", name="Changes carried in an hour").get_by_role("row")).to_have_count(25)


def test_an_account_is_found_paused_and_resumed(open_admin: Callable[[str], Page], visit: Visit) -> None:
    page = open_admin("/admin/accounts")
    expect(page.get_by_role("row")).to_have_count(5)
    page.get_by_label("Name or address").fill("bob@")
    press(page, "Show")
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="Bob Baker").click()
    press(page, "Pause")
    said(page, "Paused. Changes wait until it is resumed.")

    bob = visit("bob", "/external-account")
    said(bob, "An administrator paused your calendar.")
    page.get_by_role("link", name="All accounts").click()
    page.get_by_label("Status", exact=True).select_option(label="Paused")
    press(page, "Show")
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="Bob Baker").click()
    press(page, "Resume")
    said(page, "Syncing goes on.")
    bob.reload()
    said(bob, "Your CRM meetings and your Outlook calendar are in step.")


def test_direction_is_chosen_for_a_user(open_admin: Callable[[str], Page], scene: Scene) -> None:
    page = open_admin(f"/admin/accounts/{BOB_ID}")
    account = scene.calsync.store.accounts.get(BOB_ID)
    page.get_by_label(re.compile("CRM to Outlook")).check()
    press(page, "Save")
    said(page, "Saved.")
    expect(page.get_by_label(re.compile("CRM to Outlook"))).to_be_checked()
    page.get_by_label(re.compile("Both ways")).check()
    press(page, "Save")
    said(page, "Saved.")
    assert account is not None
    again = scene.calsync.store.accounts.get(BOB_ID)
    assert again is not None
    assert again.settings["mode"] == account.settings["mode"] == "both"


def test_a_role_is_allowed_and_its_user_connects(
    open_admin: Callable[[str], Page], visit: Visit, scene: Scene
) -> None:
    carol = visit("carol", "/external-account")
    said(carol, "You are not allowed to connect external accounts yet.")
    said(carol, "An administrator of your CRM can allow it: Admin.")
    page = open_admin("/admin/grants")
    page.get_by_role("region", name="Roles").get_by_role("button", name="Allow Sales").click()
    said(page, "Sales may use Outlook.")

    carol.reload()
    carol.get_by_label("Enabled").check()
    with carol.expect_popup() as opened:
        press(carol, "Connect")
    popup = opened.value
    popup.get_by_role("button", name=re.compile("carol@example.com")).click()
    with popup.expect_event("close"):
        press(popup, "Yes, use it")
    expect(carol.get_by_role("link", name="Choose your settings")).to_be_visible()

    page.goto(f"{scene.bridge}/admin/accounts?search=carol")
    expect(page.get_by_role("row", name=re.compile("carol@example.com Paused"))).to_be_visible()
    page.goto(f"{scene.bridge}/admin/grants")
    for grant in ("ExternalAccount", "OutlookCalendar"):
        press(page, f"Take {grant} away from Sales")
    carol.reload()
    said(carol, "You are not allowed to connect external accounts yet.")
    said(carol, "Your account carol@example.com was connected before.")


def test_a_grant_is_taken_away_and_given_back(
    open_admin: Callable[[str], Page], visit: Visit, scene: Scene
) -> None:
    page = open_admin("/admin/grants")
    press(page, "Take OutlookCalendar away from Alice Able")
    said(page, "Taken away from Alice Able.")
    scene.save("Meeting", "While alice may not", ALICE_ID, scene.at(1, "08:00", "08:30"))
    scene.save("Meeting", "Bob may", BOB_ID, scene.at(1, "08:00", "08:30"))
    # What is saved later for somebody else has arrived; so would have hers.
    scene.wait_for("bob", "Bob may")
    assert "While alice may not" not in scene.events("alice")
    alice = visit("alice", "/external-account")
    said(alice, "You are not allowed to keep an Outlook calendar in step")

    page.get_by_label("Name or address").fill("alice")
    press(page, "Find")
    press(page, "Allow Alice Able")
    said(page, "Alice Able may use Outlook.")
    scene.wait_for("alice", "While alice may not")
    alice.reload()
    said(alice, "Your CRM meetings and your Outlook calendar are in step.")


def test_the_integration_is_saved_and_checked(open_admin: Callable[[str], Page]) -> None:
    page = open_admin("/admin/integration")
    expect(page.get_by_label("Client secret")).to_have_value("")
    domains = page.get_by_label("Allowed mail domains")
    domains.fill("no domain at all")
    press(page, "Save")
    said(page, "Nothing was saved yet.")
    expect(domains).to_have_attribute("aria-invalid", "true")
    domains.fill("example.com\ncontoso.example")
    press(page, "Save")
    said(page, "Saved, and in force.")
    page.reload()
    expect(domains).to_have_value(re.compile(r"example\.com\s+contoso\.example"))
    page.get_by_role("link", name="Check", exact=True).click()
    expect(main(page).get_by_text("Good", exact=True)).to_have_count(4)
    page.get_by_role("link", name="Back to the settings").click()
    domains.fill("")
    press(page, "Save")
    said(page, "Saved, and in force.")


def test_moved_or_copy_is_asked_and_answered(open_admin: Callable[[str], Page], scene: Scene) -> None:
    scene.calsync.store.installation.update(paused="the public address was a and is b")
    page = open_admin("/admin")
    said(page, "Everything is paused: the public address was a and is b.")
    page.get_by_role("link", name="Say which").click()
    press(page, "It moved")
    said(page, "calsync goes on at its new address.")
    expect(page.get_by_role("row", name=re.compile("Admin"))).not_to_have_count(0)
    page.goto(f"{scene.bridge}/admin")
    expect(main(page)).not_to_contain_text("Everything is paused")


def test_the_audit_log_names_who_did_what(open_admin: Callable[[str], Page], scene: Scene) -> None:
    page = open_admin(f"/admin/accounts/{BOB_ID}")
    press(page, "Pause")
    press(page, "Resume")
    page.get_by_role("link", name="All changes of this account").click()
    rows = page.get_by_role("row")
    expect(rows.nth(1)).to_contain_text("Admin")
    expect(rows.nth(1)).to_contain_text("resumed the account")
    expect(rows.nth(2)).to_contain_text("paused the account")
    expect(main(page)).not_to_contain_text("alice@example.com")
    page.get_by_role("link", name="Show all").click()
    said(page, "alice@example.com")


def test_whoever_is_no_administrator_gets_no_page(visit: Visit, scene: Scene) -> None:
    page = visit("alice", "/external-account")
    expect(page.get_by_role("link", name="Accounts")).to_have_count(0)
    page.goto(f"{scene.bridge}/admin/accounts")
    said(page, "Only an administrator of the CRM may open this page.")


# --- for everybody


def test_by_keyboard_alone(open_admin: Callable[[str], Page], visit: Visit, scene: Scene) -> None:
    page = open_admin("/admin")
    press_sign_out(page)
    page.keyboard.type("admin")
    page.keyboard.press("Tab")
    page.keyboard.type("sandbox")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Outlook")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(main(page)).to_be_focused()
    page.keyboard.press("Home")
    page.goto(page.url)
    tab_to(page, page.get_by_role("link", name="Grants"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("Name or address"))
    page.keyboard.type("carol")
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="Allow Carol Clark"))
    page.keyboard.press("Enter")
    said(page, "Carol Clark may use Outlook.")
    for grant in ("ExternalAccount", "OutlookCalendar"):
        tab_to(page, page.get_by_role("button", name=f"Take {grant} away from Carol Clark"))
        page.keyboard.press("Enter")
        said(page, "Taken away from Carol Clark.")


def press_sign_out(page: Page) -> None:
    tab_to(page, page.get_by_role("button", name="Sign out"))
    page.keyboard.press("Enter")
    expect(page.get_by_label("User name")).to_be_focused()


OF_ADMINISTRATORS = (
    "/admin",
    "/admin?show=week",
    "/admin/accounts",
    "/admin/accounts?search=nobody",
    f"/admin/accounts/{ALICE_ID}",
    f"/admin/accounts/{BOB_ID}",
    "/admin/accounts/nobody",
    "/admin/grants",
    "/admin/grants?search=carol",
    "/admin/features",
    "/admin/booking-calendars",
    "/admin/booking-calendars/new",
    "/admin/integration",
    "/admin/integration/check",
    "/admin/azure",
    "/admin/audit",
    f"/admin/audit?user={ALICE_ID}",
)
OF_USERS = (
    "/external-account",
    "/external-account/week",
    "/external-account/availability",
    "/booking-calendars",
    "/admin/accounts",
)
ELSEWHERE = {
    "account.front": "leads on",
    "account.opened_form": "leads on",
    "account.status": "JSON",
    **dict.fromkeys(
        (
            *("account.settings", "account.changes", "account.backfill", "account.held", "account.parked"),
            *(
                "account.clashes",
                "account.detached",
                "account.restore",
                "account.reset",
                "account.disconnect",
            ),
        ),
        "test_account_page",
    ),
    **dict.fromkeys(("booking.calendar", "booking.book", "admin_booking.form"), "test_booking_pages"),
    "account.remove_source": "test_availability_page",
    "login.callback": "leads on",
    "login.done": "test_account_page",
    "admin_audit.moved": "test_each_page_of_a_moved_installation",
    "sign_in.form": "test_each_page_before_anybody_signs_in",
}
"""Pages that the tables above do not hold, and where they are looked at."""
PROGRAMS = re.compile(r"/(api|webhooks|static|bootstrap|healthz|readyz|metrics)")


def test_no_page_is_forgotten(office: Sandbox) -> None:
    routes = create_app(office.calsync).url_map
    known = routes.bind("calsync.example.com")
    seen = {known.match(path.partition("?")[0])[0] for path in (*OF_ADMINISTRATORS, *OF_USERS)}
    pages = {
        rule.endpoint
        for rule in routes.iter_rules()
        if "GET" in (rule.methods or ()) and not PROGRAMS.match(rule.rule)
    }
    assert pages == seen | set(ELSEWHERE)


def wrong_of(page: Page) -> list[str]:
    """What keeps somebody away from a page, on a desk or on a phone."""
    found = serious(page)
    page.set_viewport_size(PHONE)
    if is_too_wide(page):
        found.append("wider than a phone")
    page.set_viewport_size(DESK)
    return found


def look_at(page: Page, scene: Scene, paths: tuple[str, ...]) -> None:
    found = {}
    for path in paths:
        page.goto(scene.bridge + path)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        found[path] = wrong_of(page)
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


@pytest.fixture(scope="module")
def busy(scene: Scene) -> Scene:
    """A week full of meetings, and something on each page of what asks for a person."""
    picture_scene.fill(scene)
    picture_scene.trouble(scene)
    return scene


def test_each_page_of_administrators(open_admin: Callable[[str], Page], busy: Scene) -> None:
    picture_scene.remember_a_day(busy)
    page = open_admin(f"/admin/accounts/{ALICE_ID}")
    for region in ("Held for a person's word", "Deleted in the last 30 days", "Parked"):
        expect(page.get_by_role("region", name=region)).to_be_visible()
    look_at(page, busy, OF_ADMINISTRATORS)


def test_each_page_of_a_user(visit: Visit, busy: Scene) -> None:
    page = visit("alice", week_of(busy))
    for state in ("In step", "No longer followed"):
        expect(main(page).get_by_text(state).first).to_be_visible()
    look_at(page, busy, (*OF_USERS, week_of(busy)))


def week_of(scene: Scene) -> str:
    return f"/external-account/week?from={scene.monday}"


def test_each_page_of_somebody_who_is_not_connected(visit: Visit, scene: Scene) -> None:
    look_at(visit("carol", "/external-account"), scene, ("/external-account",))


def test_each_page_before_anybody_signs_in(open_admin: Callable[[str], Page], scene: Scene) -> None:
    page = open_admin("/admin")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("User name")).to_be_visible()
    assert wrong_of(page) == []
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill("wrong")
    press(page, "Sign in")
    expect(page.get_by_role("alert")).to_be_visible()
    assert wrong_of(page) == []


def test_each_page_of_an_account_that_needs_its_user(
    open_admin: Callable[[str], Page], visit: Visit, busy: Scene
) -> None:
    picture_scene.sign_out_at_microsoft(busy)
    bob = visit("bob", "/external-account")
    expect(bob.get_by_role("button", name="Reconnect")).to_be_visible()
    assert wrong_of(bob) == []
    look_at(open_admin("/admin"), busy, ("/admin/accounts", f"/admin/accounts/{BOB_ID}"))


def test_each_page_of_a_moved_installation(
    open_admin: Callable[[str], Page], visit: Visit, scene: Scene
) -> None:
    scene.calsync.store.installation.update(paused="the public address was a and is b")
    look_at(open_admin("/admin"), scene, ("/admin", "/admin/moved"))
    look_at(visit("alice", "/external-account"), scene, ("/external-account",))
    scene.calsync.store.installation.update(paused="")


def test_the_grants_where_espocrms_roles_decide(open_admin: Callable[[str], Page], scene: Scene) -> None:
    page, store = open_admin("/admin/grants"), scene.calsync.store
    crm_grants.seen(store)
    look_at(page, scene, ("/admin/grants",))
    said(page, "EspoCRM's roles say who may use Outlook")
    some = (NEEDED, NEEDED - {CALENDAR}, frozenset[str]())
    crm_grants.learn(store, [CrmRole(id=f"r{n}", name=f"Role {n}", scopes=s) for n, s in enumerate(some)])
    look_at(page, scene, ("/admin/grants",))
    said(page, "may not")
    store.bookmarks.set(crm_grants.IN_CRM, crm_grants.NO)


def test_each_page_of_a_form_that_was_refused(open_admin: Callable[[str], Page]) -> None:
    page = open_admin("/admin/integration")
    page.get_by_label("Allowed mail domains").fill("no domain at all")
    press(page, "Save")
    said(page, "Nothing was saved yet.")
    assert wrong_of(page) == []
