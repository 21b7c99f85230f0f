"""A world for the use cases about accounts: both simulators in this process, SQLite, nobody connected yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.world import ADDRESS, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


SignIn = Callable[[World, str], None]


@pytest.fixture
def sign_in() -> SignIn:
    """Connects a user; nothing has looked into the mailbox yet."""

    def connect(world: World, user_id: str) -> None:
        connections = world.app.connections
        page = connections.begin(user_id, login_hint=ADDRESS[user_id], prompt="none")
        connections.finish(world.signed_in(page))

    return connect


@pytest.fixture
def notified(tmp_path: Path) -> Iterator[World]:
    """The same with an Outlook that sends notifications."""
    made = World(tmp_path, notifications=True)
    yield made
    made.close()
