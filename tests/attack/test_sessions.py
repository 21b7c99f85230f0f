"""Sessions that somebody else planted, forged, stole or wants to come back, and visitors who only look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import session
from sqlalchemy import create_engine, func, select

from calsync_plugin.crm.sign_in import EspoSignIn, SignedIn
from calsync_plugin.settings import ServeSettings
from calsync_plugin.state.pages_schema import sessions
from calsync_plugin.web.app import create_app
from calsync_plugin.web.sessions import COOKIE
from tests.pages import Browser, path_of
from tests.world import ALICE, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def page(world: World) -> Browser:
    return Browser(world)


def kept(world: World) -> int:
    """Rows in the room of sessions."""
    engine = create_engine(world.settings.store.url)
    with engine.connect() as connection:
        found = connection.execute(select(func.count()).select_from(sessions)).scalar_one()
    engine.dispose()
    return found


def cookie(page: Browser) -> str:
    found = page.client.get_cookie(COOKIE)
    assert found is not None
    return found.value


@pytest.mark.parametrize("path", ["/sign-in", "/nowhere", "/oauth/done?ticket=x", "/oauth/callback?state=x"])
def test_who_only_looks_fills_no_store(world: World, page: Browser, path: str) -> None:
    for _ in range(3):
        page.client.delete_cookie(COOKIE)
        page.get(path)
    assert kept(world) == 0


def test_a_forms_token_is_good_in_its_own_browser_alone(world: World, page: Browser) -> None:
    page.get("/sign-in")
    other = Browser(world, page.client.application)
    other.get("/sign-in")
    other.token = page.token
    answer = other.post("/sign-in", {"user_name": "alice", "password": "sandbox"})
    assert answer.status_code == 400


def test_a_planted_session_is_worth_nothing_once_somebody_signs_in(page: Browser) -> None:
    """Cookie and forms' token were known to who planted them."""
    page.get("/sign-in")
    planted, token = cookie(page), page.token
    page.sign_in("alice")
    assert cookie(page) != planted
    answer = page.client.post("/external-account/sync", data={"csrf_token": token})
    assert answer.status_code == 400


def test_an_answer_of_microsoft_is_no_session(world: World, page: Browser) -> None:
    """Both lie in one room, and who begins a login chooses every word of its answer."""
    page.sign_in("alice")
    world.grant(ALICE)
    state = page.login().partition("state=")[2].partition("&")[0]
    forged = {"state": state, "csrf_token": "mine", "_user_id": ALICE, "user_id": ALICE, "who": "alice"}
    sent = page.client.post("/oauth/callback", data=forged)
    ticket = sent.headers["Location"].partition("ticket=")[2]
    with create_app(world.app).test_client() as client:
        client.set_cookie(COOKIE, f"login-answer:{ticket}")
        client.get("/sign-in")
        assert session.get("who") is None
        assert session["csrf_token"] != "mine"


def test_a_session_that_was_ended_meanwhile_stays_ended(world: World, page: Browser) -> None:
    """A request that was under way at the sign-out saves what it knew."""
    page.sign_in("alice")
    token = cookie(page)
    store = world.app.store.sessions
    known = store.load(token)
    assert known is not None
    page.post("/sign-out")
    assert not store.again(token, known, user_id=ALICE, seconds=60)
    assert store.load(token) is None


def test_a_session_of_another_installation_is_none_here(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    other = World(folder)
    there = Browser(other)
    there.sign_in("alice")
    here = Browser(world)
    here.client.set_cookie(COOKIE, cookie(there))
    assert path_of(here.get("/external-account")) == "/sign-in"
    other.close()


def test_who_cannot_be_asked_about_is_not_believed_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = EspoSignIn.sign_in

    def without_token(service: EspoSignIn, name: str, password: str, code: str = "") -> SignedIn:
        return replace(asked(service, name, password, code), token="")

    monkeypatch.setattr(EspoSignIn, "sign_in", without_token)
    page = Browser(world)
    assert path_of(page.sign_in("alice")) == "/external-account"
    world.clock.advance(601)
    assert path_of(page.get("/external-account")) == "/sign-in"


def test_neither_password_nor_token_is_in_the_store_as_it_is(world: World, page: Browser) -> None:
    page.sign_in("alice", "sandbox")
    (token,) = world.crm.auth.tokens
    path = Path(world.settings.store.url.removeprefix("sqlite:///"))
    kept = b"".join(one.read_bytes() for one in path.parent.glob(f"{path.name}*"))
    assert ALICE.encode() in kept
    assert token.encode() not in kept
    assert b'"sandbox"' not in kept


def test_a_neighbour_in_the_domain_plants_no_cookie(tmp_path: Path) -> None:
    """RFC 6265bis, 4.1.3.2: a browser takes such a name from this host alone."""
    world = World(tmp_path, serve=ServeSettings(public_url="https://sync.example.com"))
    sent = Browser(world, create_app(world.app)).get("/sign-in").headers["Set-Cookie"]
    assert sent.startswith("__Host-")
    assert ("; Secure" in sent, "; Path=/;" in f"{sent};", "Domain" in sent) == (True, True, False)
    world.close()
