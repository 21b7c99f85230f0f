"""What a test does with a page of calsync: sign in, ask axe, move by keyboard, see how wide it is.

Decides what counts as wrong on any page: an error of a script, a load that the content policy refused, and
what axe calls serious.
"""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page

SERIOUS = {"serious", "critical"}
MOST_TABS = 120


def listen(context: BrowserContext) -> list[str]:
    """The errors of all pages of a browser, as they come."""
    wrong: list[str] = []

    def said(message: ConsoleMessage) -> None:
        # Chromium reports the status of a page that refuses something in words, too.
        if message.type == "error" and "responded with a status of 4" not in message.text:
            wrong.append(message.text)

    def opened(page: Page) -> None:
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", said)

    context.on("page", opened)
    return wrong


def sign_in(page: Page, address: str, name: str) -> Page:
    """Open a page and sign in as somebody of the sandbox."""
    page.goto(address)
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill("sandbox")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(address)
    return page


def serious(page: Page) -> list[str]:
    """What axe says of a page that keeps somebody out."""
    return [
        f"{one['id']}: {node['html'][:200]}"
        for one in Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


def is_too_wide(page: Page) -> bool:
    """Whether the page itself has to be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until an element has the focus, and see that it is visible there."""
    element = wanted.element_handle()
    for _ in range(MOST_TABS):
        if page.evaluate("wanted => document.activeElement === wanted", element):
            ring = page.evaluate(
                "wanted => getComputedStyle(wanted).outlineStyle + getComputedStyle(wanted).boxShadow",
                element,
            )
            assert ring != "nonenone", f"{wanted}: nobody sees that it has the focus"
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {wanted}")
