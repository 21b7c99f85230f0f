"""What a newcomer does first: a meeting of the CRM's page appears in Outlook's, changes, moves and goes."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from calsync_plugin.demo import Sandbox
from tests.browser.conftest import Addresses

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def record(page: Page, name: str) -> Locator:
    """A record in the CRM's week."""
    return page.locator(f"[data-record-name='{name}']")


def event(page: Page, subject: str) -> Locator:
    """An event in a week of Outlook."""
    return page.locator(f"#week [data-event-subject='{subject}']")


def create(page: Page, name: str, *, user: str = "Alice Able", **ticked: str) -> None:
    """Fill in and save the CRM's form; the time stays as it is offered."""
    page.click("#new")
    form = page.locator("#record")
    form.locator("[name=name]").fill(name)
    form.locator("[name=assignedUserId]").select_option(label=user)
    for field, label in ticked.items():
        form.locator(f"label:has([name={field}])", has_text=label).locator("input").check()
    page.click("#save")
    expect(page.locator("#dialog")).not_to_be_visible()
    expect(record(page, name)).to_be_visible()


def mails(sandbox: Sandbox) -> list[tuple[str, str, str]]:
    """Kind, receiver and subject of all mails, in the order of the log."""
    return [(mail.kind, mail.to, mail.subject) for mail in sandbox.outlook.state.mails]


def test_a_meeting_is_created_changed_reassigned_and_deleted(
    crm: Page, outlook: Page, addresses: Addresses, sandbox: Sandbox
) -> None:
    expect(outlook.locator("#nothing")).to_be_visible()

    create(crm, "Kick-off")
    expect(event(outlook, "Kick-off")).to_have_count(1)

    record(crm, "Kick-off").click()
    crm.locator("[name=name]").fill("Kick-off, second try")
    crm.locator("[name=description]").fill("Bring the plans.")
    crm.click("#save")
    expect(event(outlook, "Kick-off, second try")).to_have_count(1)
    expect(event(outlook, "Kick-off")).to_have_count(0)
    event(outlook, "Kick-off, second try").click()
    expect(outlook.get_by_label("Description")).to_have_value("Bring the plans.")
    outlook.keyboard.press("Escape")
    assert mails(sandbox) == []  # nobody was invited so far

    record(crm, "Kick-off, second try").click()
    crm.locator("[name=assignedUserId]").select_option(label="Bob Baker")
    for box in crm.locator("[name=usersIds]:checked").all():
        box.uncheck()
    crm.click("#save")
    expect(event(outlook, "Kick-off, second try")).to_have_count(0)
    outlook.goto(addresses.outlook_of("bob"))
    expect(event(outlook, "Kick-off, second try")).to_have_count(1)

    record(crm, "Kick-off, second try").click()
    crm.click("#delete")
    expect(record(crm, "Kick-off, second try")).to_have_count(0)
    expect(event(outlook, "Kick-off, second try")).to_have_count(0)
    expect(outlook.locator("#mail-log")).to_have_count(0)
    assert mails(sandbox) == []


def test_the_mail_log_shows_each_mail_once(crm: Page, outlook: Page, sandbox: Sandbox) -> None:
    create(crm, "Review", usersIds="Bob Baker")
    log = outlook.locator("#mail-log tbody tr")
    expect(log).to_have_count(1)
    expect(log).to_have_attribute("data-mail-kind", "invitation")
    expect(log).to_have_attribute("data-mail-to", "bob@example.com")

    record(crm, "Review").click()
    crm.locator("[name=status]").select_option(label="Held")
    crm.click("#save")
    expect(record(crm, "Review")).to_have_class(re.compile(r"\bheld\b"))
    record(crm, "Review").click()
    crm.locator("[name=name]").fill("Review of the year")
    crm.click("#save")
    expect(event(outlook, "Review of the year")).to_have_count(1)
    expect(log).to_have_count(2)  # the status alone mailed nobody

    record(crm, "Review of the year").click()
    crm.click("#delete")
    expect(event(outlook, "Review of the year")).to_have_count(0)
    expect(log).to_have_count(3)
    assert mails(sandbox) == [
        ("invitation", "bob@example.com", "Review"),
        ("update", "bob@example.com", "Review of the year"),
        ("cancellation", "bob@example.com", "Review of the year"),
    ]


def test_an_invitation_is_answered_in_outlook(crm: Page, outlook: Page, addresses: Addresses) -> None:
    create(crm, "Review", usersIds="Bob Baker")
    outlook.goto(addresses.outlook_of("bob"))
    event(outlook, "Review").click()
    outlook.click("#accept")
    outlook.goto(addresses.outlook_of("alice"))
    event(outlook, "Review").click()
    expect(outlook.locator("#responses [data-address='bob@example.com']")).to_have_attribute(
        "data-response", "accepted"
    )


@pytest.mark.parametrize(
    ("entity_type", "subject"),
    [("Meeting", "Monday plans"), ("Call", "C: Monday plans"), ("Visit", "V: Monday plans")],
)
def test_each_kind_of_record_arrives(crm: Page, outlook: Page, entity_type: str, subject: str) -> None:
    crm.click("#new")
    crm.locator("[name=type]").select_option(label=entity_type)
    crm.locator("[name=name]").fill("Monday plans")
    crm.click("#save")
    expect(event(outlook, subject)).to_have_count(1)


def test_all_of_it_works_by_keyboard(crm: Page, outlook: Page, sandbox: Sandbox) -> None:
    """N opens the form, Enter saves it; the record is reached with Tab and deleted with Enter."""
    crm.keyboard.press("n")
    expect(crm.locator("[name=name]")).to_be_focused()
    crm.keyboard.type("Typed")
    tab_to(crm, "[name=assignedUserId]")
    crm.keyboard.type("Alice")
    tab_to(crm, "#save")
    crm.keyboard.press("Enter")
    expect(event(outlook, "Typed")).to_have_count(1)

    tab_to(crm, "[data-record-name='Typed']")
    crm.keyboard.press("Enter")
    expect(crm.locator("[name=name]")).to_be_focused()
    crm.keyboard.press("Control+A")
    crm.keyboard.type("Typed again")
    crm.keyboard.press("Enter")
    expect(event(outlook, "Typed again")).to_have_count(1)

    tab_to(outlook, "[data-event-subject='Typed again']")
    outlook.keyboard.press("Enter")
    expect(outlook.get_by_label("Subject")).to_have_value("Typed again")
    outlook.keyboard.press("Escape")
    expect(outlook.locator("#event-dialog")).not_to_be_visible()

    tab_to(crm, "[data-record-name='Typed again']")
    crm.keyboard.press("Enter")
    expect(crm.locator("[name=name]")).to_be_focused()
    tab_to(crm, "#delete")
    crm.keyboard.press("Enter")
    expect(event(outlook, "Typed again")).to_have_count(0)
    assert mails(sandbox) == []


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(60):
        if page.evaluate("selector => document.activeElement?.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {selector}")


def test_nothing_is_wider_than_a_phone(crm: Page, outlook: Page) -> None:
    create(crm, "A meeting with quite a long name that has to be cut somewhere")
    expect(outlook.locator("#week .event")).to_have_count(1)
    for page in (crm, outlook):
        page.set_viewport_size({"width": 390, "height": 844})
        assert width(page) <= 390
    record(crm, "A meeting with quite a long name that has to be cut somewhere").click()
    outlook.locator("#week .event").click()
    for page in (crm, outlook):
        assert width(page) <= 390
        page.locator("#save").scroll_into_view_if_needed()
        box = page.locator("#save").bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 390


def width(page: Page) -> int:
    """What would have to be scrolled sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth"))


def test_a_new_meeting_is_offered_a_time_to_come(crm: Page, addresses: Addresses, sandbox: Sandbox) -> None:
    """In the present week too: Outlook invites nobody to what is over."""
    crm.goto(addresses.crm_url)
    crm.click("#new")
    offered = datetime.fromisoformat(crm.locator("[name=dateStart]").input_value())
    assert offered.replace(tzinfo=ZoneInfo("Europe/Berlin")) > sandbox.crm.clock.now()
