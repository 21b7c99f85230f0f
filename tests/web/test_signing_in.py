"""Signing in to the pages with a CRM login, and what guards it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from calsync_plugin.settings import ServeSettings
from calsync_plugin.web.sessions import COOKIE
from tests.pages import Browser, path_of
from tests.world import ALICE, PUBLIC, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def page(world: World) -> Browser:
    return Browser(world)


def test_nobody_sees_an_account_unasked(page: Browser) -> None:
    assert path_of(page.get("/external-account")) == "/sign-in"


def test_a_user_of_the_crm_signs_in_and_out(page: Browser) -> None:
    assert path_of(page.sign_in("alice")) == "/external-account"
    assert "Alice Able" in page.get("/external-account").text
    assert path_of(page.post("/sign-out")) == "/sign-in"
    assert path_of(page.get("/external-account")) == "/sign-in"


@pytest.mark.parametrize(
    ("name", "password"),
    [
        pytest.param("alice", "wrong", id="password"),
        pytest.param("nobody", "sandbox", id="name"),
        pytest.param("bridge", "sandbox", id="a-program"),
        pytest.param("ali:ce", "sandbox", id="colon"),
        pytest.param("", "", id="empty"),
        pytest.param("älice", "pässword", id="umlauts"),
        pytest.param("portal", "sandbox", id="a-portal-user"),
    ],
)
def test_a_wrong_login_says_nothing_of_what_is_wrong(page: Browser, name: str, password: str) -> None:
    portal = {"id": "5f0000000000a1099", "userName": "portal", "lastName": "P", "isActive": True}
    page.world.crm.insert("User", {**portal, "type": "portal", "password": "sandbox"})
    answer = page.sign_in(name, password)
    assert answer.status_code == 401
    assert "The user name or the password is not right." in answer.text


def test_failures_of_all_visitors_stop_before_the_crm_shuts_us_out(world: World) -> None:
    app = Browser(world).client.application
    asked = []
    for number in range(8):
        answer = Browser(world, app).sign_in("alice", f"wrong {number}")
        asked.append("is not right" in answer.text)
    assert asked == [True] * 5 + [False] * 3
    # The right password has to wait as well, and the bridge's own key still works.
    assert "Please wait" in Browser(world, app).sign_in("alice").text
    assert world.app.espocrm.get("App/user")["user"]


def test_one_visitor_waits_longer_than_the_others(world: World, page: Browser) -> None:
    for number in range(5):
        page.sign_in("alice", f"wrong {number}")
    world.clock.advance(91)
    assert "15 minutes" in page.sign_in("alice").text
    elsewhere = {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}}
    other = Browser(world, page.client.application)
    other.get("/sign-in", **elsewhere)
    found = other.post("/sign-in", {"user_name": "bob", "password": "sandbox"}, **elsewhere)
    assert path_of(found) == "/external-account"
    world.clock.advance(900)
    assert path_of(page.sign_in("alice")) == "/external-account"


def test_right_logins_are_not_counted(world: World, page: Browser) -> None:
    for _ in range(8):
        assert path_of(Browser(world, page.client.application).sign_in("alice")) == "/external-account"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        pytest.param("enterTotpCode", "code of your second factor", id="app"),
        pytest.param("enterCodeSentInEmail", "sent you a code by e-mail", id="e-mail"),
        pytest.param("enterCodeSentBySms", "sent you a code as a text message", id="sms"),
        pytest.param("enterAnythingElse", "code of your second factor", id="another"),
    ],
)
def test_a_second_factor_is_asked_for(world: World, page: Browser, message: str, words: str) -> None:
    world.crm.settings.two_factor["alice"] = "123456"
    world.crm.settings.two_factor_messages["alice"] = message
    asked = page.sign_in("alice")
    assert asked.status_code == 401
    assert words in asked.text
    assert not world.crm.auth.tokens
    sent = {"user_name": "alice", "password": "sandbox"}
    wrong = page.post("/sign-in", {**sent, "code": "000000"})
    assert wrong.status_code == 401
    assert "the password or the code is not right" in wrong.text
    assert path_of(page.post("/sign-in", {**sent, "code": "123456"})) == "/external-account"


def test_wrong_codes_are_counted_like_wrong_passwords(world: World, page: Browser) -> None:
    world.crm.settings.two_factor["alice"] = "123456"
    sent = {"user_name": "alice", "password": "sandbox"}
    page.get("/sign-in")
    told = [page.post("/sign-in", {**sent, "code": f"00000{n}"}).text for n in range(7)]
    assert ["is not right" in one for one in told] == [True] * 5 + [False] * 2
    assert world.app.espocrm.get("App/user")["user"]


@pytest.mark.parametrize(
    ("name", "password"),
    [
        pytest.param("jürgen", "pässwörd", id="umlauts"),
        pytest.param("ольга", "пароль", id="another-alphabet"),
        pytest.param("emma", "a:b::c:", id="colons"),
        pytest.param("emma", " spaces around ", id="spaces"),
        pytest.param("emma", '"quotes\\" & <tags>', id="quotes"),
    ],
)
def test_any_name_and_password_of_the_crm_will_do(
    world: World, page: Browser, name: str, password: str
) -> None:
    emma = {"id": "5f0000000000a1098", "userName": name, "lastName": "Emma", "isActive": True}
    world.crm.insert("User", {**emma, "type": "regular", "password": password})
    assert path_of(page.sign_in(name, password)) == "/external-account"
    world.clock.advance(601)
    assert path_of(page.get("/external-account")) == "/external-account"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"status": 503}, id="busy"),
        pytest.param({"status": 500}, id="broken"),
        pytest.param({"status": 403}, id="our-address-is-blocked"),
        pytest.param({"drop_before": True}, id="unreachable"),
        pytest.param({"truncate_body": True}, id="half-an-answer"),
    ],
)
def test_a_crm_that_is_away_is_no_wrong_password(world: World, page: Browser, fault: dict[str, Any]) -> None:
    world.crm_fails(path="App/user", times=None, **fault)
    told = [page.sign_in("alice") for _ in range(8)]
    world.crm.faults.clear()
    world.clock.advance(61)
    assert {one.status_code for one in told} == {503}
    assert "does not answer" in told[-1].text
    assert path_of(page.sign_in("alice")) == "/external-account"


def test_the_session_gets_a_new_token_when_somebody_signs_in(page: Browser) -> None:
    page.get("/sign-in")
    before = page.client.get_cookie(COOKIE)
    page.sign_in("alice")
    after = page.client.get_cookie(COOKIE)
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert page.world.app.store.sessions.load(before.value) is None


def test_a_stolen_cookie_is_worth_nothing_after_signing_out(page: Browser) -> None:
    page.sign_in("alice")
    stolen = page.client.get_cookie(COOKIE)
    assert stolen is not None
    page.post("/sign-out")
    page.client.set_cookie(COOKIE, stolen.value)
    assert path_of(page.get("/external-account")) == "/sign-in"


@pytest.mark.parametrize(("public_url", "secure"), [("https://sync.example.com", True), ("", False)])
def test_the_cookie_is_for_this_site_and_no_script(tmp_path: Path, public_url: str, secure: bool) -> None:
    world = World(tmp_path, serve=ServeSettings(public_url=public_url or PUBLIC))
    answer = Browser(world).get("/sign-in")
    sent = answer.headers["Set-Cookie"]
    assert ("Secure" in sent) is secure
    assert "HttpOnly" in sent
    assert "SameSite=Lax" in sent
    world.close()


def test_a_session_ends_after_half_a_day_without_a_visit(world: World, page: Browser) -> None:
    page.sign_in("alice")
    world.clock.advance(11 * 3600)
    assert path_of(page.get("/external-account")) == "/external-account"
    world.clock.advance(11 * 3600)
    assert path_of(page.get("/external-account")) == "/external-account"
    world.clock.advance(13 * 3600)
    assert path_of(page.get("/external-account")) == "/sign-in"


def test_who_may_no_longer_log_in_loses_access_within_minutes(world: World, page: Browser) -> None:
    page.sign_in("alice")
    world.crm.store.tables["User"].rows[ALICE]["isActive"] = False
    assert path_of(page.get("/external-account")) == "/external-account"
    world.clock.advance(601)
    assert path_of(page.get("/external-account")) == "/sign-in"


@pytest.mark.parametrize(
    ("asked", "ends"),
    [
        pytest.param("/external-account/settings", "/external-account", id="a-page-of-ours"),
        pytest.param("https://evil.example/", "/external-account", id="another-site"),
        pytest.param("//evil.example/", "/external-account", id="without-scheme"),
        pytest.param("/\\evil.example/", "/external-account", id="backslash"),
        pytest.param("javascript:alert(1)", "/external-account", id="script"),
    ],
)
def test_signing_in_leads_to_pages_of_ours_alone(page: Browser, asked: str, ends: str) -> None:
    page.get("/sign-in")
    sent = {"csrf_token": page.token, "user_name": "alice", "password": "sandbox"}
    answer = page.client.post("/sign-in", query_string={"next": asked}, data=sent)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/")
    assert "evil" not in answer.headers["Location"]
    assert answer.headers["Location"].startswith(ends)


def test_a_form_without_its_token_is_refused(page: Browser) -> None:
    page.world.connect(ALICE)
    page.sign_in("alice")
    answer = page.client.post("/external-account/disconnect", data={})
    assert answer.status_code == 400
    assert "open for too long" in answer.text
    assert page.world.account(ALICE).status.value == "connected"


def test_no_password_or_token_is_on_a_page_or_in_the_log(
    page: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    shown = page.sign_in("alice", "secret word").text
    shown += page.sign_in("alice").text
    tokens = list(page.world.crm.auth.tokens)
    assert tokens
    for secret in ("secret word", *tokens):
        assert secret not in shown
        assert secret not in caplog.text
