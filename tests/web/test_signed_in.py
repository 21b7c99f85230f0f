"""How long somebody who signed in is believed, and what is left at the CRM when that ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from calsync_plugin.accounts.rounds import go
from tests.pages import Browser, path_of
from tests.world import ADMIN_ID, ALICE, World

ACCOUNT, ADMIN_PAGE = "/external-account", "/admin/audit"
TEN_MINUTES, AN_HOUR, HALF_A_DAY = 601, 3601, 12 * 3600 + 1


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def signed_in(world: World, name: str = "alice") -> Browser:
    page = Browser(world)
    page.sign_in(name)
    return page


def user(world: World, user_id: str, **values: Any) -> None:
    """Change a user in the CRM behind everybody's back."""
    world.crm.store.tables["User"].rows[user_id].update(values)


def asked(world: World, path: str = "/api/v1/App/user") -> int:
    return sum(1 for one in world.crm.log.requests if one.path == path)


def tokens(world: World) -> int:
    return len(world.crm.auth.tokens)


# --- what changes at the CRM


@pytest.mark.parametrize(
    ("name", "user_id", "path", "after"),
    [
        pytest.param("alice", ALICE, ACCOUNT, 601, id="a-user-within-ten-minutes"),
        pytest.param("admin", ADMIN_ID, ADMIN_PAGE, 61, id="an-administrator-within-one"),
    ],
)
def test_who_was_deactivated_is_out(world: World, name: str, user_id: str, path: str, after: int) -> None:
    page = signed_in(world, name)
    user(world, user_id, isActive=False)
    world.clock.advance(after - 2)
    assert path_of(page.get(path)) == path
    world.clock.advance(2)
    assert path_of(page.get(path)) == "/sign-in"


def test_who_is_no_administrator_any_more_sees_no_admin_page(world: World) -> None:
    page = signed_in(world, "admin")
    user(world, ADMIN_ID, type="regular")
    world.clock.advance(61)
    assert page.get(ADMIN_PAGE).status_code == 403
    assert path_of(page.get(ACCOUNT)) == ACCOUNT


def test_who_became_an_administrator_sees_the_admin_pages(world: World) -> None:
    page = signed_in(world)
    assert page.get(ADMIN_PAGE).status_code == 403
    user(world, ALICE, type="admin")
    world.clock.advance(TEN_MINUTES)
    assert page.get(ADMIN_PAGE).status_code == 200


def test_a_token_that_was_destroyed_at_the_crm_ends_the_session(world: World) -> None:
    page = signed_in(world)
    world.crm.auth.tokens.clear()
    world.clock.advance(TEN_MINUTES)
    assert path_of(page.get(ACCOUNT)) == "/sign-in"


def test_sessions_that_ended_do_not_shut_us_out(world: World) -> None:
    """EspoCRM counts no failure of a token that says what it is."""
    app = Browser(world).client.application
    pages = [Browser(world, app) for _ in range(12)]
    for page in pages:
        page.sign_in("alice")
    world.crm.auth.tokens.clear()
    world.clock.advance(TEN_MINUTES)
    assert {path_of(page.get(ACCOUNT)) for page in pages} == {"/sign-in"}
    assert world.app.espocrm.get("App/user")["user"]


@pytest.mark.parametrize("kind", ["portal", "api", "system"])
def test_a_user_who_becomes_another_kind_is_out(world: World, kind: str) -> None:
    page = signed_in(world)
    user(world, ALICE, type=kind)
    world.clock.advance(TEN_MINUTES)
    assert path_of(page.get(ACCOUNT)) == "/sign-in"


# --- while the CRM does not answer

AWAY = [
    pytest.param({"status": 503}, id="busy"),
    pytest.param({"status": 500}, id="broken"),
    pytest.param({"drop_before": True}, id="unreachable"),
    pytest.param({"status": 403}, id="our-address-is-blocked"),
]


@pytest.mark.parametrize("fault", AWAY)
def test_a_user_is_believed_for_an_hour_while_the_crm_is_away(world: World, fault: dict[str, Any]) -> None:
    page = signed_in(world)
    world.crm_fails(path="App/user", times=None, **fault)
    world.clock.advance(AN_HOUR - 61)
    assert path_of(page.get(ACCOUNT)) == ACCOUNT
    world.clock.advance(61)
    answer = page.get(ACCOUNT)
    assert answer.status_code == 503
    assert "The CRM does not answer" in answer.text
    world.crm.faults.clear()
    world.clock.advance(61)
    assert path_of(page.get(ACCOUNT)) == ACCOUNT


def test_visits_do_not_make_it_longer(world: World) -> None:
    page = signed_in(world)
    world.crm_fails(path="App/user", times=None, status=503)
    seen = []
    for _ in range(7):
        world.clock.advance(TEN_MINUTES)
        seen.append(page.get(ACCOUNT).status_code)
    assert seen == [200] * 5 + [503] * 2


def test_a_crm_that_is_away_is_asked_once_a_minute(world: World) -> None:
    page = signed_in(world)
    world.crm_fails(path="App/user", times=None, status=503)
    world.clock.advance(TEN_MINUTES)
    before = asked(world)
    for _ in range(5):
        page.get(ACCOUNT)
    assert asked(world) == before + 1
    world.clock.advance(61)
    page.get(ACCOUNT)
    assert asked(world) == before + 2


def test_who_left_while_the_crm_was_away_is_out_when_it_is_back(world: World) -> None:
    page = signed_in(world)
    world.crm_fails(path="App/user", times=None, status=503)
    user(world, ALICE, isActive=False)
    world.clock.advance(TEN_MINUTES)
    assert path_of(page.get(ACCOUNT)) == ACCOUNT
    world.crm.faults.clear()
    world.clock.advance(61)
    assert path_of(page.get(ACCOUNT)) == "/sign-in"


# --- what is left of a session


def test_signing_out_ends_the_token_at_the_crm(world: World) -> None:
    page = signed_in(world)
    assert tokens(world) == 1
    page.post("/sign-out")
    assert tokens(world) == 0


def test_a_sign_out_while_the_crm_is_away_is_told_later(world: World) -> None:
    page = signed_in(world)
    world.crm_fails(path="destroyAuthToken", status=503)
    page.post("/sign-out")
    assert path_of(page.get(ACCOUNT)) == "/sign-in"
    assert tokens(world) == 1
    go(world.app)
    assert tokens(world) == 0


def test_signing_in_once_more_ends_the_former_token(world: World) -> None:
    page = signed_in(world)
    (former,) = world.crm.auth.tokens
    page.sign_in("alice")
    go(world.app)
    assert tokens(world) == 1
    assert former not in world.crm.auth.tokens


def test_a_session_that_is_over_ends_its_token(world: World) -> None:
    signed_in(world)
    world.clock.advance(HALF_A_DAY)
    go(world.app)
    assert tokens(world) == 0
    assert world.app.store.sessions.over(10) == []


def test_another_sign_in_does_not_lose_a_token_that_is_to_be_ended(world: World) -> None:
    page = signed_in(world)
    world.clock.advance(HALF_A_DAY)
    Browser(world, page.client.application).sign_in("bob")
    go(world.app)
    assert {found[0] for found in world.crm.auth.tokens.values()} != {ALICE}


def test_who_was_signed_out_everywhere_leaves_no_token(world: World) -> None:
    page = signed_in(world)
    Browser(world, page.client.application).sign_in("alice")
    assert world.app.store.sessions.end_all(ALICE) == 2
    assert path_of(page.get(ACCOUNT)) == "/sign-in"
    assert tokens(world) == 2
    go(world.app)
    assert tokens(world) == 0


def test_a_token_is_ended_when_the_crm_is_back(world: World) -> None:
    signed_in(world)
    world.clock.advance(HALF_A_DAY)
    world.crm_fails(path="destroyAuthToken", times=None, status=503)
    go(world.app)
    assert tokens(world) == 1
    world.crm.faults.clear()
    go(world.app)
    assert tokens(world) == 0


def test_what_the_crm_never_took_is_forgotten_after_days(world: World) -> None:
    page = signed_in(world)
    world.crm_fails(path="destroyAuthToken", times=None, status=503)
    world.clock.advance(HALF_A_DAY + 2 * 86_400)
    Browser(world, page.client.application).sign_in("bob")
    assert world.app.store.sessions.over(10) == []


def test_a_live_session_keeps_its_token(world: World) -> None:
    signed_in(world)
    world.clock.advance(TEN_MINUTES)
    go(world.app)
    assert tokens(world) == 1
