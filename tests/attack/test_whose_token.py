"""A login as somebody else never lets one mailbox's events into another one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import Client

from calsync_plugin.web.app import create_app
from tests.world import ALICE, BOB, PUBLIC, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.connect(ALICE)
    yield made
    made.close()


def test_between_login_and_account_nothing_is_sent_to_the_new_mailbox(world: World) -> None:
    """The tokens are kept before the account is changed; a run may come in between."""
    login = world.app.login
    address, flow = login.begin(
        ALICE, f"{PUBLIC}/oauth/callback", login_hint="bob@example.com", prompt="none"
    )
    login.finish(ALICE, flow, world.signed_in(address))
    world.save()
    world.drain()
    assert world.events(BOB) == []
    assert world.app.store.changes.waiting()["routed"] == 1


def test_an_answer_does_not_finish_somebody_elses_login(world: World) -> None:
    """The code that Microsoft gave one login is of no use with the state of another."""
    client = Client(create_app(world.app))
    for_bob = world.signed_in(world.app.connections.begin(BOB, login_hint="bob@example.com", prompt="none"))
    for_alice = world.signed_in(
        world.app.connections.begin(ALICE, login_hint="carol@example.com", prompt="none")
    )
    mixed = {**for_alice, "state": for_bob["state"]}
    assert client.post("/oauth/callback", data=mixed, follow_redirects=True).status_code == 400
    account = world.app.store.accounts.get(BOB)
    assert account is not None
    assert account.mailbox_id is None
    assert world.app.store.tokens.load(BOB) is None


def test_the_question_names_both_sides(world: World) -> None:
    """Whoever was lured into finishing another user's login reads whose it was."""
    client = Client(create_app(world.app))
    page = world.app.connections.begin(BOB, login_hint="bob@example.com", prompt="none")
    text = client.post("/oauth/callback", data=world.signed_in(page), follow_redirects=True).text
    assert "bob@example.com" in text
    assert BOB in text
