"""Grants: without them nothing of a user syncs, nothing is lost, and it goes on when they come back (R12)."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from calsync_plugin import bundle
from calsync_plugin.accounts import grants
from calsync_plugin.errors import UserError
from calsync_plugin.hookspecs import hookimpl
from calsync_plugin.state import Account
from tests.world import ALICE, BOB, World


@pytest.fixture
def world(world: World) -> World:
    """Alice is connected."""
    world.connect(ALICE)
    world.settle()
    return world


class Acl:
    """A CRM that tells what its users may."""

    def __init__(self) -> None:
        self.named: Collection[str] | None = sorted(grants.NEEDED)

    @hookimpl
    def calsync_grants(self, user_id: str) -> Collection[str] | None:
        """Whatever the test says; nothing about others."""
        return self.named if user_id == ALICE else None


class Broken:
    """A plugin that fails."""

    @hookimpl
    def calsync_grants(self, user_id: str) -> Collection[str] | None:
        raise ValueError(user_id)


def test_the_grants_are_those_of_the_manifest() -> None:
    assert {need.name for need in bundle.manifest().grants} == grants.NEEDED


def test_an_account_that_is_connected_here_has_them(world: World) -> None:
    assert world.account(ALICE).grants == grants.NEEDED


def test_without_a_grant_nothing_syncs_and_nothing_is_lost(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.mails()
    world.forbid(ALICE)
    assert (world.account(ALICE).status, world.account(ALICE).reason) == ("off", grants.NOT_ALLOWED)
    assert world.link(record).state == "suspended"
    assert world.app.store.tokens.load(ALICE) is not None
    world.edit(ALICE, location={"displayName": "Lobby"})
    world.change(record, name="Changed meanwhile")
    with world.writes() as sent:
        world.settle()
    assert sent == []
    assert world.event(ALICE).subject == "Kick-off"


def test_given_back_both_sides_are_compared_and_it_goes_on(world: World) -> None:
    record = world.save()
    world.settle()
    world.forbid(ALICE)
    world.edit(ALICE, body={"contentType": "text", "content": "not carried in"}, subject="Edited meanwhile")
    world.settle()
    world.grant(ALICE)
    world.settle()
    assert world.link(record).state == "active"
    assert world.record(record)["name"] == "Edited meanwhile"
    world.change(record, name="After")
    world.settle()
    assert world.event(ALICE).subject == "After"


def test_after_a_long_time_what_lay_still_waits_for_the_back_fill(world: World) -> None:
    record = world.save()
    world.settle()
    world.forbid(ALICE)
    world.change(record, name="Changed meanwhile")
    world.clock.advance(8 * 86_400)
    world.grant(ALICE)
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"


def test_a_paused_account_stays_paused(world: World) -> None:
    world.app.connections.pause(ALICE)
    world.forbid(ALICE)
    assert world.account(ALICE).status == "off"
    world.grant(ALICE)
    assert world.account(ALICE).status == "paused"


def test_who_was_disconnected_meanwhile_has_to_connect_again(world: World) -> None:
    world.forbid(ALICE)
    world.app.connections.disconnect(ALICE)
    world.grant(ALICE)
    assert (world.account(ALICE).status, world.account(ALICE).reason) == ("off", grants.NOT_CONNECTED)
    world.connect(ALICE)
    assert world.account(ALICE).status == "connected"


def test_whoever_is_not_allowed_cannot_come_back_alone(world: World) -> None:
    connections = world.app.connections
    address = connections.begin(ALICE, login_hint="alice@example.com", prompt="none")
    answer = world.signed_in(address)
    world.forbid(ALICE)
    with pytest.raises(UserError, match="not allowed by an administrator"):
        connections.begin(ALICE)
    with pytest.raises(UserError, match="not allowed by an administrator"):
        connections.finish(answer)
    with pytest.raises(UserError, match="not allowed by an administrator"):
        connections.resume(ALICE)
    assert world.account(ALICE).status == "off"


def test_a_grant_that_was_never_gone_changes_nothing(world: World) -> None:
    before = world.account(ALICE)
    world.grant(ALICE)
    assert world.account(ALICE) == before


class TestTheHook:
    def test_the_crm_decides(self, world: World) -> None:
        acl = Acl()
        world.open(acl)
        acl.named = ["ExternalAccount"]
        world.plugins.hook.calsync_grants_changed(user_id=ALICE)
        assert world.account(ALICE).status == "off"
        assert world.account(ALICE).grants == {"ExternalAccount"}
        acl.named = ["ExternalAccount", "OutlookCalendar", "OutlookMail"]
        world.plugins.hook.calsync_grants_changed(user_id=ALICE)
        assert world.account(ALICE).status == "connected"

    def test_an_unchanged_grant_changes_nothing(self, world: World) -> None:
        world.open(Acl())
        before = world.account(ALICE)
        world.plugins.hook.calsync_grants_changed(user_id=ALICE)
        assert world.account(ALICE) == before

    @pytest.mark.parametrize("plugins", [(), (Broken(),)], ids=["nobody-tells", "a-plugin-fails"])
    def test_who_does_not_tell_changes_nothing(self, world: World, plugins: tuple[object, ...]) -> None:
        world.open(*plugins)
        before = world.account(ALICE)
        world.plugins.hook.calsync_grants_changed(user_id=ALICE)
        world.plugins.hook.calsync_grants_changed(user_id="nobody")
        assert world.account(ALICE) == before


def test_an_account_that_never_connected_can_be_taken_the_grant(world: World) -> None:
    world.app.store.accounts.save(
        Account(user_id=BOB, grants=grants.NEEDED, settings={"sync_since": "2026-11-23"})
    )
    world.forbid(BOB)
    assert world.account(BOB).grants == set()
    world.grant(BOB)
    assert (world.account(BOB).grants, world.account(BOB).status) == (grants.NEEDED, "off")
