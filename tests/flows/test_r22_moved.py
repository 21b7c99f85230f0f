"""R22: a store that finds itself at another address pauses until a person says which it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calsync_plugin.accounts.auditing import COMMAND_LINE
from calsync_plugin.accounts.moved import confirm_copy, confirm_moved
from calsync_plugin.errors import UserError
from tests.world import ALICE, PUBLIC, World

OTHER = "http://127.0.0.1:9"


def _moved(world: World, which: str) -> None:
    settings = world.settings
    if which == "public":
        world.settings = replace(settings, serve=replace(settings.serve, public_url=OTHER))
        world.open()
    else:
        # The CRM itself answers at its new address as well.
        world.also_at(OTHER)
        world.settings = replace(settings, crm=replace(settings.crm, url=OTHER))
        world.open()


def _confirmed(world: World) -> dict[str, str]:
    return {"public_url": world.settings.serve.public_url, "crm_url": world.settings.crm.url}


@pytest.mark.parametrize("which", ["public", "crm"])
def test_r22_a_changed_address_pauses_everything_until_it_is_confirmed(world: World, which: str) -> None:
    record = world.save(name="Before")
    world.settle()
    _moved(world, which)
    world.change(record, name="After")
    world.save(name="New")
    with world.watched() as sent:
        world.settle()
    assert sent == []
    assert world.event(ALICE).subject == "Before"
    world.open()
    world.settle()
    assert world.event(ALICE).subject == "Before"
    confirm_moved(world.app.store, **_confirmed(world), by=COMMAND_LINE)
    world.settle()
    assert [e.subject for e in world.events(ALICE)] == ["After", "New"]
    world.open()
    assert world.app.store.installation.get().paused == ""


def test_r22_a_copy_never_writes_to_a_calendar_again(world: World) -> None:
    record = world.save(name="Before")
    world.settle()
    _moved(world, "public")
    world.change(record, name="After")
    confirm_copy(world.app.store, **_confirmed(world), by=COMMAND_LINE)
    with world.watched() as sent:
        world.settle()
    assert sent == []
    assert world.event(ALICE).subject == "Before"
    assert world.account(ALICE).status == "off"
    assert world.app.store.tokens.load(ALICE) is None


def test_r22_the_same_addresses_pause_nothing(world: World) -> None:
    world.open()
    assert world.app.store.installation.get().paused == ""
    with pytest.raises(UserError, match="nothing is paused"):
        confirm_moved(world.app.store, public_url=PUBLIC, crm_url=world.settings.crm.url)
