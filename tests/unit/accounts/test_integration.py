"""The admin page's settings: shown with their source, saved, audited, and in force without a restart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from urllib.parse import parse_qs, urlsplit

import pytest

from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.accounts.integration import Shown, redirect_uri
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.errors import ConfigurationError, SettingsError, UserError
from calsync_plugin.sandbox.outlook.identities import CLIENT_SECRET, TENANT_ID
from calsync_plugin.settings import GraphSettings
from calsync_plugin.state import AccountStatus
from tests.world import ADDRESS, ALICE, BOB, OUTLOOK, PUBLIC, World

SignIn = Callable[[World, str], None]
ADA = Actor("admin", "Ada Admin")
OTHER_TENANT = "11111111-2222-4333-8444-555555555555"


def save(world: World, **values: JsonValue) -> tuple[str, ...]:
    return world.app.integration.save(values, by=ADA)


def shown(world: World, name: str) -> Shown:
    return next(one for one in world.app.integration.shown() if one.name == name)


def audited(world: World) -> list[str]:
    return [entry.text for entry in world.app.store.audit.entries() if entry.subject == "integration"]


def begun(world: World, user_id: str = ALICE) -> str:
    return world.app.connections.begin(user_id, login_hint=ADDRESS[user_id])


def asked(address: str) -> dict[str, str]:
    """What a login's address asks of Microsoft, with the tenant that it is sent to."""
    parts = urlsplit(address)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return {**query, "tenant": parts.path.split("/")[1]}


def locked_world(folder: Path, **sources: str) -> World:
    """A world in which file or environment set something."""
    named = {name.replace("_", ".", 1): source for name, source in sources.items()}
    return World(folder, sources=MappingProxyType(named))


# In force -------------------------------------------------------------------------------------------------

NEXT_LOGIN = [
    pytest.param("client_id", "another-app", "client_id", id="client-id"),
    pytest.param("tenant", "organizations", "tenant", id="tenant"),
    pytest.param("prompt", "consent", "prompt", id="prompt"),
]


@pytest.mark.parametrize(("name", "value", "part"), NEXT_LOGIN)
def test_the_next_login_uses_what_was_saved(world: World, name: str, value: str, part: str) -> None:
    before = asked(begun(world))
    assert save(world, **{name: value}) == (name,)
    after = asked(begun(world))
    assert (before[part] == value, after[part]) == (False, value)
    assert shown(world, name).source == "admin"


def test_the_next_login_uses_a_changed_secret(world: World, sign_in: SignIn) -> None:
    save(world, client_secret="no longer right")
    with pytest.raises(ConfigurationError, match=r"AADSTS7000215"):
        sign_in(world, ALICE)
    save(world, client_secret=CLIENT_SECRET)
    sign_in(world, ALICE)
    assert world.account(ALICE).address == ADDRESS[ALICE]


def test_tokens_of_another_app_registration_are_not_used(world: World) -> None:
    world.connect(ALICE)
    save(world, client_id="another-app")
    world.pull(ALICE)
    found = world.account(ALICE)
    assert (found.status, found.reason) == (
        AccountStatus.RECONNECT,
        "Outlook was connected through another app registration; connect it again",
    )


def test_another_process_follows_within_a_minute(world: World) -> None:
    other = world.app
    world.open()
    save(world, prompt="login", enabled=False)
    assert (other.settings.graph.prompt, other.settings.graph.enabled) == ("select_account", True)
    world.clock.advance(60)
    assert (other.settings.graph.prompt, other.settings.graph.enabled) == ("login", False)


def test_a_restart_begins_with_what_was_saved(world: World) -> None:
    save(world, tenant=TENANT_ID)
    assert world.open().settings.graph.tenant == TENANT_ID


def test_a_clock_that_is_set_back_stops_no_look(world: World) -> None:
    other = world.app
    world.open()
    save(world, prompt="login")
    world.clock.advance(-3600)
    assert other.settings.graph.prompt == "login"


def test_what_concerns_the_crm_waits_for_the_next_start(world: World) -> None:
    save(world, time_zone="Asia/Kolkata", entities=[{"entity_type": "Meeting"}])
    assert world.app.settings.crm.time_zone == ""
    found = shown(world, "time_zone")
    assert (found.value, found.at_restart) == ("Asia/Kolkata", True)
    after = world.open().settings.crm
    assert (after.time_zone, [entity.entity_type for entity in after.entities]) == (
        "Asia/Kolkata",
        ["Meeting"],
    )


# On and off -----------------------------------------------------------------------------------------------


def test_switched_off_everything_waits_and_goes_on_later(world: World) -> None:
    world.connect(ALICE, mode="both")
    record = world.save(name="Before")
    world.settle()
    save(world, enabled=False)
    world.remove(record)
    world.outlook_create(ALICE, subject="Meanwhile")
    with world.writes() as seen:
        assert world.app.worker.drain() == 0
    assert seen == []
    assert [event.subject for event in world.events(ALICE)] == ["Before", "Meanwhile"]
    assert sum(world.app.store.changes.waiting().values()) == 1, "the hook still marks"
    save(world, enabled=True)
    world.pull(ALICE)
    assert [event.subject for event in world.events(ALICE)] == ["Meanwhile"]
    assert [one["name"] for one in world.records()] == ["Meanwhile"]


def test_switched_off_nobody_is_sent_to_microsoft(world: World) -> None:
    save(world, enabled=False)
    with pytest.raises(UserError, match="switched off by an administrator"):
        begun(world)


# Shown and locked -----------------------------------------------------------------------------------------


def test_without_a_saved_value_an_installation_goes_on(world: World) -> None:
    assert world.app.settings.graph.enabled
    assert {(one.source, one.locked) for one in world.app.integration.shown()} == {("default", "")}
    assert world.app.integration.form()["tenant"] == ""
    assert redirect_uri(world.app.settings) == f"{PUBLIC}/oauth/callback"


LOCKS = [
    pytest.param(
        {"graph_client_id": "environment"},
        "client_id",
        "set by the environment variable CALSYNC_CLIENT_ID; change it there",
        id="environment",
    ),
    pytest.param(
        {"graph_prompt": "file"},
        "prompt",
        "set in the configuration file as graph.prompt; change it there",
        id="file",
    ),
]


@pytest.mark.parametrize(("sources", "name", "words"), LOCKS)
def test_what_is_set_above_is_locked(tmp_path: Path, sources: dict[str, str], name: str, words: str) -> None:
    world = locked_world(tmp_path, **sources)
    assert shown(world, name).locked == words
    with pytest.raises(SettingsError, match=words.partition(";")[0]):
        save(world, **{name: "login"})
    assert save(world, **{name: shown(world, name).value}) == (), "a form sends locked values back"
    world.app.store.integration.save({name: "login"})
    world.app.in_force.refresh()
    assert shown(world, name).value != "login"
    world.close()


def test_a_login_address_that_names_a_tenant_locks_it(tmp_path: Path) -> None:
    graph = GraphSettings(authority=f"{OUTLOOK}/{TENANT_ID}")
    world = World(tmp_path, graph=graph, sources=MappingProxyType({"graph.authority": "file"}))
    found = shown(world, "tenant")
    assert (found.value, found.source) == (TENANT_ID, "file")
    assert "graph.authority" in found.locked
    with pytest.raises(SettingsError, match="Tenant"):
        save(world, tenant="common")
    world.close()


WRONG = [
    pytest.param("tenant", "two words", "tenant", id="tenant"),
    pytest.param("prompt", "none", "prompt", id="prompt"),
    pytest.param("allowed_tenants", ["contoso"], "allowed_tenants", id="no-tenant-id"),
    pytest.param("allowed_domains", ["@example.com"], "allowed_domains", id="no-domain"),
    pytest.param("authority", "http://login.example.com", "authority", id="not-https"),
    pytest.param("client_sekret", "x", "unknown key", id="unknown"),
]


@pytest.mark.parametrize(("name", "value", "says"), WRONG)
def test_what_does_not_fit_is_refused_whole(world: World, name: str, value: JsonValue, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        save(world, **{name: value, "enabled": False})
    assert (world.app.settings.graph.enabled, world.app.store.integration.version()) == (True, 0)


# Secrets and the audit log --------------------------------------------------------------------------------


def test_a_secret_is_never_shown_and_stays_until_it_is_removed(world: World) -> None:
    save(world, client_secret="first secret")
    save(world, client_secret="second secret", prompt="login")
    assert save(world, client_secret="") == (), "an empty field keeps it"
    found = shown(world, "client_secret")
    assert (found.value, found.is_set, found.is_secret) == ("", True, True)
    assert world.app.settings.graph.client_secret == "second secret"
    assert world.app.integration.remove_secret(by=ADA) == ("client_secret",)
    assert world.app.settings.graph.client_secret == CLIENT_SECRET, "what is there without the page"
    told = repr(world.app.integration.shown()) + repr(world.app.integration.form()) + repr(audited(world))
    assert "secret secret" not in told.replace("first ", "secret ").replace("second ", "secret ")


def test_the_audit_log_tells_old_and_new(world: World) -> None:
    save(world, tenant="organizations", allowed_domains=["example.com"], client_secret="hidden")
    save(world, tenant="common")
    assert save(world, tenant="common") == (), "nothing changed"
    save(world, tenant="")
    assert audited(world) == [
        'Tenant: "common" -> ""',
        'Tenant: "organizations" -> "common"',
        'Tenant: "" -> "organizations"',
        "Client secret: replaced",
        'Allowed mail domains: [] -> ["example.com"]',
    ]
    latest = world.app.store.audit.entries(limit=1)[0]
    assert (latest.actor_id, latest.actor_name) == ("admin", "Ada Admin")


# Who may connect ------------------------------------------------------------------------------------------

REFUSED = [
    pytest.param({"allowed_tenants": [OTHER_TENANT]}, "bob@example.com belongs to an organ", id="tenant"),
    pytest.param({"allowed_domains": ["contoso.example"]}, "not an address of a domain", id="domain"),
    pytest.param({"allowed_domains": ["ample.com"]}, "not an address of a domain", id="end-of-a-domain"),
    pytest.param(
        {"allowed_tenants": [OTHER_TENANT], "allowed_domains": ["example.com"]},
        "belongs to an organization",
        id="right-address-of-a-foreign-tenant",
    ),
]


@pytest.mark.parametrize(("values", "says"), REFUSED)
def test_a_refused_account_leaves_no_tokens(
    world: World, sign_in: SignIn, values: dict[str, JsonValue], says: str
) -> None:
    save(world, **values)
    with pytest.raises(UserError, match=says) as refusal:
        sign_in(world, BOB)
    assert "ask an administrator" in str(refusal.value)
    assert world.app.store.tokens.load(BOB) is None
    assert world.account(BOB).mailbox_id is None


ALLOWED = [
    pytest.param({"allowed_tenants": [TENANT_ID.upper()]}, id="tenant"),
    pytest.param({"allowed_domains": ["Example.COM", "contoso.example"]}, id="domain"),
    pytest.param(
        {"allowed_tenants": [OTHER_TENANT, TENANT_ID], "allowed_domains": ["example.com"]}, id="both"
    ),
]


@pytest.mark.parametrize("values", ALLOWED)
def test_an_allowed_account_is_connected(world: World, sign_in: SignIn, values: dict[str, JsonValue]) -> None:
    save(world, **values)
    sign_in(world, BOB)
    assert world.account(BOB).address == "bob@example.com"
