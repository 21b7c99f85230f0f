"""Somebody guesses passwords: how far it gets, and who has to wait for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages import Browser, path_of
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def page(world: World) -> Browser:
    return Browser(world)


def guess(page: Browser, address: str, name: str = "alice", password: str = "wrong") -> str:
    """What a sign-in from an address is told."""
    of = {"environ_base": {"REMOTE_ADDR": address}}
    page.get("/sign-in", **of)
    return page.post("/sign-in", {"user_name": name, "password": password, "code": ""}, **of).text


def strangers(world: World, page: Browser, count: int = 5) -> None:
    """Use up what strangers may fail, from many addresses."""
    for number in range(count):
        guess(Browser(world, page.client.application), f"198.51.100.{number}")


def test_guessing_from_many_addresses_locks_no_user_out_of_a_known_browser(
    world: World, page: Browser
) -> None:
    page.sign_in("alice")
    page.post("/sign-out")
    strangers(world, page)
    assert "Please wait" in Browser(world, page.client.application).sign_in("alice").text
    assert path_of(page.sign_in("alice")) == "/external-account"


def test_a_known_browser_is_known_as_its_user_alone(world: World, page: Browser) -> None:
    page.sign_in("alice")
    page.post("/sign-out")
    strangers(world, page)
    assert "Please wait" in page.sign_in("bob").text


def test_all_together_stay_below_what_the_crm_bears(world: World, page: Browser) -> None:
    page.sign_in("alice")
    page.post("/sign-out")
    strangers(world, page, 8)
    told = [guess(page, "192.0.2.1") for _ in range(6)]
    assert ["is not right" in one for one in told] == [True] * 3 + [False] * 3
    assert world.app.espocrm.get("App/user")["user"]


def test_a_known_browser_guesses_no_faster_than_a_stranger(world: World, page: Browser) -> None:
    page.sign_in("alice")
    page.post("/sign-out")
    tried = 0
    for _ in range(10):
        tried += "is not right" in guess(page, "192.0.2.1")
        world.clock.advance(61)
    assert tried == 5


def test_a_known_browser_cannot_be_made_up(world: World, page: Browser) -> None:
    strangers(world, page)
    page.client.set_cookie("calsync_known", "ImFsaWNlIg.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb")
    assert "Please wait" in page.sign_in("alice").text


def test_a_network_of_ipv6_is_one_visitor(world: World, page: Browser) -> None:
    for number in range(5):
        guess(page, f"2001:db8:1:2::{number}")
        world.clock.advance(61)
    assert "15 minutes" in guess(page, "2001:db8:1:2:ffff::1", password="sandbox")
    assert "15 minutes" not in guess(page, "2001:db8:1:3::1", password="sandbox")


@pytest.mark.parametrize(
    ("name", "password", "code"),
    [
        pytest.param("alice", "x" * 100_000, "", id="endless-password"),
        pytest.param("a" * 100_000, "sandbox", "", id="endless-name"),
        pytest.param("alice", "sandbox", "12\r\nX-Other: header", id="a-header-in-the-code"),
        pytest.param("alice", "sandbox", "\u00e9\u4e00", id="no-code-at-all"),
        pytest.param("al\0ice", "sand\r\nbox", "", id="control-characters"),
    ],
)
def test_an_odd_login_is_a_wrong_one(page: Browser, name: str, password: str, code: str) -> None:
    page.get("/sign-in")
    answer = page.post("/sign-in", {"user_name": name, "password": password, "code": code})
    assert answer.status_code == 401
    assert "is not right" in answer.text


@pytest.mark.parametrize(
    "onward", ["//[", "/\t/[", "/\t/evil.example/", "/\r\n/evil.example/", "/\\evil.example"]
)
def test_an_odd_address_leads_to_the_account(page: Browser, onward: str) -> None:
    answer = page.client.get("/sign-in", query_string={"next": onward})
    assert answer.status_code == 200
    page.get("/sign-in")
    sent = {"csrf_token": page.token, "user_name": "alice", "password": "sandbox"}
    gone = page.client.post("/sign-in", query_string={"next": onward}, data=sent)
    assert gone.headers["Location"] == "/external-account"
