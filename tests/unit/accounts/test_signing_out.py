"""Tokens of sessions that are over: one that the CRM does not take keeps no other from being ended."""

from __future__ import annotations

import json

import pytest

from calsync_plugin.accounts.signing_out import WHO, end_tokens
from calsync_plugin.errors import (
    CalsyncError,
    Forbidden,
    Throttled,
    Unavailable,
    UnknownOutcome,
)
from tests.world import World

NAMES = ("ann", "ben", "cyd")


class Crm:
    """Forgets tokens, but one."""

    def __init__(self, kept: str, error: CalsyncError) -> None:
        self._kept, self._error = kept, error
        self.asked: list[str] = []

    def sign_out(self, user_name: str, token: str) -> None:
        """Fail for one of them."""
        assert token == f"token of {user_name}"
        self.asked.append(user_name)
        if user_name == self._kept:
            raise self._error


def _over(world: World) -> list[str]:
    texts = [json.loads(text) for _, text in world.app.store.sessions.over(10)]
    return [text[WHO]["user_name"] for text in texts]


@pytest.fixture
def sessions(world: World) -> World:
    """Three sessions that are over, ann's first."""
    for name in NAMES:
        text = json.dumps({WHO: {"user_name": name, "token": f"token of {name}"}})
        world.app.store.sessions.save(f"cookie of {name}", text, user_id=name, seconds=60)
        world.clock.advance(1)
    world.clock.advance(3600)
    return world


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(Forbidden("the CRM answered 403", status=403), id="refused"),
        pytest.param(UnknownOutcome("the CRM answered 500", status=500), id="fails"),
    ],
)
def test_a_token_that_is_not_taken_keeps_no_other_from_being_ended(
    sessions: World, error: CalsyncError
) -> None:
    crm = Crm("ann", error)
    assert end_tokens(sessions.app.store, crm) == 2
    assert crm.asked == ["ann", "ben", "cyd"]
    assert _over(sessions) == ["ann"]


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(Unavailable("the CRM answered 503", status=503), id="away"),
        pytest.param(Throttled("the CRM refuses this address", status=403), id="blocked"),
    ],
)
def test_a_crm_that_is_away_is_not_asked_for_every_token(sessions: World, error: CalsyncError) -> None:
    crm = Crm("ben", error)
    assert end_tokens(sessions.app.store, crm) == 1
    assert crm.asked == ["ann", "ben"]
    assert _over(sessions) == ["ben", "cyd"]
