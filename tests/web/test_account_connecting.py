"""From the list of account types to a calendar in step, and every way in which that ends early."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from calsync_plugin.accounts import giving
from calsync_plugin.accounts.connect import SETTINGS_FIRST
from calsync_plugin.state import AuditEntry, Subject
from tests.outlook_side import OutlookSide
from tests.pages import Browser, path_of
from tests.world import ADDRESS, ADMINISTRATOR, ALICE, BOB, CAROL, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def alice(world: World) -> Browser:
    page = Browser(world)
    page.sign_in("alice")
    return page


def begin(page: Browser, **settings: str) -> None:
    """Connect, save the settings as they are offered, and confirm."""
    page.connect("alice@example.com")
    save(page, **settings)
    confirm(page)
    page.world.settle()


def save(page: Browser, **settings: str) -> None:
    """Fill in the form as it is shown, but for `settings`."""
    page.post("/external-account/settings", page.fields("/external-account/settings") | settings)


def confirm(page: Browser) -> None:
    """Confirm what is told of a change."""
    page.post("/external-account/settings/changes", page.fields("/external-account/settings/changes"))


# --- the flow


def test_a_user_connects_chooses_and_syncs(world: World, alice: Browser) -> None:
    assert "Enabled" in alice.get("/external-account").text
    question = alice.come_back("alice@example.com")
    assert "Use this account?" in question.text
    assert "alice@example.com" in question.text
    assert world.account(ALICE).mailbox_id is None
    assert world.app.store.tokens.load(ALICE) is None
    assert "Connected" in alice.answer(question).text
    assert (world.account(ALICE).status, world.account(ALICE).reason) == ("paused", SETTINGS_FIRST)

    world.outlook_create(ALICE, subject="From Outlook")
    world.settle()
    assert world.records() == []  # nothing is taken before the user said what
    assert "Choose your settings" in alice.get("/external-account").text
    save(alice, mode="outlook_to_crm")
    told = alice.get("/external-account/settings/changes").text
    assert "1 meeting of Outlook comes" in re.sub(r"\s+", " ", told)
    assert world.account(ALICE).settings["mode"] == "both"
    confirm(alice)
    world.settle()
    assert world.only_record()["name"] == "From Outlook"
    assert world.account(ALICE).settings["mode"] == "outlook_to_crm"
    assert "In step" in alice.get("/external-account").text


def test_no_keeps_nothing(world: World, alice: Browser) -> None:
    question = alice.come_back("alice@example.com")
    assert "Nothing was connected" in alice.answer(question, "no").text
    assert world.account(ALICE).mailbox_id is None
    assert world.app.store.tokens.load(ALICE) is None
    again = alice.answer(question)
    assert again.status_code == 400
    assert "answered already" in again.text


def test_a_question_is_answered_once_and_in_time(world: World, alice: Browser) -> None:
    question = alice.come_back("alice@example.com")
    world.clock.advance(601)
    assert alice.answer(question).status_code == 400
    assert world.app.store.tokens.load(ALICE) is None
    question = alice.come_back("alice@example.com")
    assert alice.answer(question).status_code == 200
    assert alice.answer(question).status_code == 400


def test_what_microsoft_knows_is_connected_again_without_another_choice(world: World, alice: Browser) -> None:
    begin(alice)
    OutlookSide.revoke(world, ALICE)
    world.save()
    world.settle()
    assert "Reconnect" in alice.get("/external-account").text
    alice.connect("alice@example.com")
    world.settle()
    assert world.account(ALICE).status == "connected"
    assert world.event(ALICE).subject == "Kick-off"


# --- every way in which it ends early


def test_a_consent_that_was_declined(world: World, alice: Browser) -> None:
    page = alice.come_back("alice@example.com&answer=cancel")
    assert page.status_code == 400
    assert "declined" in page.text
    assert "Nothing was changed" in page.text
    assert world.account(ALICE).mailbox_id is None


def test_another_browser_cannot_end_a_login(world: World, alice: Browser) -> None:
    bob = Browser(world, alice.client.application)
    bob.sign_in("bob")
    login = alice.login("bob@example.com")
    answer = world.signed_in(login)
    page = bob.client.post("/oauth/callback", data=answer, follow_redirects=True)
    assert page.status_code == 400
    assert "another browser or by another user" in page.text
    assert world.app.store.tokens.load(ALICE) is None
    assert world.app.store.tokens.load(BOB) is None


def test_another_browser_cannot_answer_a_question(world: World, alice: Browser) -> None:
    bob = Browser(world, alice.client.application)
    bob.sign_in("bob")
    question = alice.come_back("alice@example.com")
    assert bob.answer(question).status_code == 400
    assert world.app.store.tokens.load(ALICE) is None


def test_an_answer_that_comes_twice(world: World, alice: Browser) -> None:
    answer = world.signed_in(alice.login("alice@example.com"))
    first = alice.client.post("/oauth/callback", data=answer, follow_redirects=True)
    assert "Use this account?" in first.text
    again = alice.client.post("/oauth/callback", data=answer, follow_redirects=True)
    assert again.status_code == 400
    assert "not known or took too long" in again.text


def test_a_mailbox_that_somebody_else_holds(world: World, alice: Browser) -> None:
    world.connect(BOB)
    page = alice.come_back(ADDRESS[BOB])
    assert page.status_code == 400
    assert "Share its calendar with your own Outlook account" in page.text


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        pytest.param(
            {"status": 404, "code": "MailboxNotEnabledForRESTAPI"},
            "has no mailbox in Exchange",
            id="no-mailbox",
        ),
        pytest.param({"status": 403, "code": "ErrorAccessDenied"}, "admin consent", id="not-allowed"),
        pytest.param({"status": 503}, "does not answer now", id="away"),
    ],
)
def test_an_account_that_cannot_work_is_refused_in_words(
    world: World, alice: Browser, fault: dict[str, object], said: str
) -> None:
    world.fail(match={"path": "/me/calendar"}, times=20, **fault)
    page = alice.come_back("alice@example.com")
    assert page.status_code == 400
    assert said in page.text
    assert world.app.store.tokens.load(ALICE) is None


def test_a_wrong_secret_is_the_administrators_to_correct(world: World) -> None:
    graph = replace(world.settings.graph, client_secret="wrong")
    world.settings = replace(world.settings, graph=graph)
    world.open()
    page = Browser(world)
    page.sign_in("alice")
    answer = page.come_back("alice@example.com")
    assert answer.status_code == 400
    assert "tell your administrator" in answer.text
    assert "client_secret" not in answer.text


# --- grants


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param(set(), "not allowed to connect external accounts", id="none"),
        pytest.param({"ExternalAccount"}, "not allowed to keep an Outlook calendar", id="account-only"),
    ],
)
def test_without_a_grant_the_page_says_whom_to_ask(
    world: World, alice: Browser, given: set[str], said: str
) -> None:
    for name in {"ExternalAccount", "OutlookCalendar"} - given:
        world.app.store.given_grants.take(Subject("user", ALICE), name)
    page = alice.get("/external-account")
    assert said in page.text
    assert "can allow it" in page.text
    assert "Connect</button>" not in page.text
    assert alice.post("/external-account/connect").status_code == 409


def test_a_grant_that_was_taken_away_hides_the_calendar(world: World, alice: Browser) -> None:
    begin(alice)
    giving.take(world.app, ADMINISTRATOR, Subject("user", ALICE))
    page = alice.get("/external-account")
    assert "not allowed" in page.text
    assert "Outlook Calendar</h2>" not in page.text
    giving.give(world.app, ADMINISTRATOR, Subject("user", ALICE))
    assert "Outlook Calendar</h2>" in alice.get("/external-account").text


def test_a_pause_outlasts_a_grant_that_was_taken_and_given_again(world: World, alice: Browser) -> None:
    alice.connect("alice@example.com")
    giving.take(world.app, ADMINISTRATOR, Subject("user", ALICE))
    assert "not allowed" in alice.get("/external-account").text
    giving.give(world.app, ADMINISTRATOR, Subject("user", ALICE))
    assert "Choose your settings" in alice.get("/external-account").text
    save(alice)
    confirm(alice)
    world.settle()
    assert world.account(ALICE).status == "connected"


# --- disconnect


def test_a_disconnect_is_told_before_it_is_done(world: World, alice: Browser) -> None:
    begin(alice)
    world.save()
    world.settle()
    page = alice.get("/external-account/disconnect")
    assert "Nothing is deleted" in page.text
    assert world.account(ALICE).status == "connected"
    assert path_of(alice.post("/external-account/disconnect")) == "/external-account"
    assert world.account(ALICE).status == "off"
    assert world.event(ALICE).subject == "Kick-off"
    assert any(e.text == "disconnected Outlook" and e.actor_name == "Alice Able" for e in entries(world))


def test_connected_again_the_user_chooses_the_calendars_again(world: World, alice: Browser) -> None:
    begin(alice)
    record = world.save()
    world.settle()
    alice.post("/external-account/disconnect")
    alice.connect("alice@example.com")
    assert world.account(ALICE).reason == SETTINGS_FIRST
    save(alice)
    confirm(alice)
    world.settle()
    assert world.link(record).state == "active"
    assert len(world.events(ALICE)) == len(world.records()) == 1


def test_a_no_leaves_the_connection_that_is_there(world: World, alice: Browser) -> None:
    begin(alice)
    before, token = world.account(ALICE), world.app.store.tokens.load(ALICE)
    alice.connect("carol@example.com", answer="no")
    assert world.account(ALICE) == before
    assert world.app.store.tokens.load(ALICE) == token


def entries(world: World) -> list[AuditEntry]:
    """The audit log."""
    return list(world.app.store.audit.entries())


def test_two_users_at_once(world: World, alice: Browser) -> None:
    bob = Browser(world, alice.client.application)
    bob.sign_in("bob")
    of_alice, of_bob = alice.come_back("alice@example.com"), bob.come_back("bob@example.com")
    bob.answer(of_bob)
    alice.answer(of_alice)
    assert world.account(ALICE).address == "alice@example.com"
    assert world.account(BOB).address == "bob@example.com"
    save(alice, months_ahead="3")
    save(bob, months_ahead="7")
    confirm(bob)
    confirm(alice)
    assert world.account(ALICE).settings["months_ahead"] == 3
    assert world.account(BOB).settings["months_ahead"] == 7
    assert world.app.store.accounts.get(CAROL) is None
