"""The check of the integration: what is proven, what is not, and what each failure says to fix."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.accounts.integration_check import State, Step, admin_consent_url, check
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.sandbox.outlook.identities import TENANT_ID
from calsync_plugin.sandbox.outlook.logins import LoginError
from calsync_plugin.settings import GraphSettings, ServeSettings
from calsync_plugin.web.app import create_app
from tests.world import ALICE, OUTLOOK, PUBLIC, World
from tests.wsgi import WsgiAdapter

SignIn = Callable[[World, str], None]
LOGIN, APP, PERMISSIONS, NOTIFICATIONS = (
    "login service",
    "client ID and secret",
    "permissions",
    "notification address",
)


@pytest.fixture
def connected(world: World, sign_in: SignIn) -> World:
    """Alice is connected, and the public address leads here."""
    reachable(world)
    sign_in(world, ALICE)
    return world


def reachable(world: World) -> None:
    world.app.http.mount(PUBLIC, WsgiAdapter(create_app(world.app)))


def step(world: World, name: str) -> Step:
    return next(one for one in check(world.app) if one.name == name)


def save(world: World, **values: JsonValue) -> None:
    world.app.integration.save(values, by=Actor("admin"))


def test_everything_is_proven_once_somebody_is_connected(connected: World) -> None:
    assert [(one.name, one.state) for one in check(connected.app)] == [
        (LOGIN, State.OK),
        (APP, State.OK),
        (PERMISSIONS, State.OK),
        (NOTIFICATIONS, State.OK),
    ]


def test_before_the_first_account_some_steps_cannot_be_proven(world: World) -> None:
    assert step(world, APP).state is State.NOT_CHECKED
    assert "name the tenant's ID" in step(world, APP).text
    assert step(world, PERMISSIONS).state is State.NOT_CHECKED


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"tenant": TENANT_ID}, id="the-tenant"),
        pytest.param({"allowed_tenants": [TENANT_ID]}, id="an-allowed-tenant"),
    ],
)
def test_a_single_tenant_is_enough_to_prove_the_secret(world: World, values: dict[str, JsonValue]) -> None:
    save(world, **values)
    assert step(world, APP).state is State.OK


FAILURES = [
    pytest.param({"client_secret": "wrong"}, APP, "Value, not its Secret ID", id="secret"),
    pytest.param({"client_id": "unknown"}, APP, "does not know this application", id="client-id"),
    pytest.param({"tenant": "nowhere.example"}, LOGIN, "does not know the tenant", id="tenant"),
    pytest.param(
        {"tenant": "nowhere.example"}, APP, "login service does not describe", id="app-at-no-tenant"
    ),
]


@pytest.mark.parametrize(("values", "name", "says"), FAILURES)
def test_a_failed_step_says_what_to_fix(
    connected: World, values: dict[str, JsonValue], name: str, says: str
) -> None:
    save(connected, **values)
    found = step(connected, name)
    assert found.state is State.FAILED
    assert says in found.text
    assert "wrong" not in found.text.replace("secret is wrong", ""), "a secret is never named"


def test_a_login_service_that_is_not_there_is_named(tmp_path: Path) -> None:
    world = World(tmp_path, graph=GraphSettings(authority="http://127.0.0.1:9/common"))
    found = step(world, LOGIN)
    assert (found.state, "127.0.0.1:9" in found.text) == (State.FAILED, True)
    world.close()


NUMBERS = [
    pytest.param("invalid_client", 7000222, "has expired", id="expired-secret"),
    pytest.param("unauthorized_client", 7000112, "switched off", id="disabled-app"),
    pytest.param("invalid_request", 4711, "login.microsoftonline.com/error", id="unknown-number"),
]


@pytest.mark.parametrize(("error", "number", "says"), NUMBERS)
def test_a_refusal_of_microsoft_is_told_in_words(
    connected: World, error: str, number: int, says: str
) -> None:
    connected.outlook.logins.refusal = LoginError(error, number, "Some words.")
    found = step(connected, APP)
    assert (found.state, says in found.text, f"AADSTS{number}" in found.text) == (State.FAILED, True, True)


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[World]:
    """Nobody registered an app yet."""
    world = World(tmp_path, graph=GraphSettings(url=f"{OUTLOOK}/v1.0", authority=f"{OUTLOOK}/common"))
    yield world
    world.close()


def test_what_is_missing_is_named(bare: World) -> None:
    assert "application (client) ID" in step(bare, APP).text
    save(bare, client_id="some-app")
    assert "client secret" in step(bare, APP).text
    assert step(bare, APP).state is State.FAILED


def test_a_permission_that_was_not_granted_is_named(connected: World) -> None:
    tokens = connected.app.store.tokens
    cache: dict[str, Any] = json.loads(tokens.load(ALICE) or "{}")
    for token in cache["AccessToken"].values():
        token["target"] = "User.Read https://graph.microsoft.com/Calendars.ReadWrite"
    tokens.save(ALICE, json.dumps(cache))
    found = step(connected, PERMISSIONS)
    assert found.state is State.FAILED
    assert "MailboxSettings.Read;" in found.text
    assert "Calendars.ReadWrite" not in found.text


def test_an_address_that_leads_elsewhere_is_no_notification_address(world: World) -> None:
    assert step(world, NOTIFICATIONS).state is State.FAILED
    world.app.http.mount(PUBLIC, WsgiAdapter(world.crm_app))
    assert "did not answer as calsync does" in step(world, NOTIFICATIONS).text


def test_microsoft_notifies_https_only(tmp_path: Path) -> None:
    world = World(tmp_path, serve=ServeSettings(public_url="http://calsync.example.com"))
    assert "is not https" in step(world, NOTIFICATIONS).text
    world.close()


def test_an_administrator_can_consent_for_everybody(world: World) -> None:
    address = admin_consent_url(world.app, state="s1")
    answer = world.session.get(address, allow_redirects=False, timeout=5)
    assert answer.headers["Location"].startswith(f"{PUBLIC}/oauth/callback?admin_consent=True")
    assert "state=s1" in answer.headers["Location"]
