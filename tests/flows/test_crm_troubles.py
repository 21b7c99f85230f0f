"""Troubles of the CRM as a whole: people are told in words, nothing is lost, all goes on by itself."""

from __future__ import annotations

import pytest

from calsync_plugin.crm.sign_in import EspoSignIn
from calsync_plugin.errors import Throttled
from tests.world import ALICE, BOB, CRM, World

WRONG = "YWxpY2U6d3Jvbmc="
"""alice:wrong"""


def _block(world: World) -> None:
    """Somebody behind our address tries passwords, as EspoCRM sees it."""
    for _ in range(11):
        answer = world.session.get(f"{CRM}/api/v1/App/user", headers={"Espo-Authorization": WRONG}, timeout=5)
        assert answer.status_code == 401
    world.crm.log.clear()


def test_a_blocked_address_is_waited_out_by_the_whole_process(world: World) -> None:
    for user_id in (ALICE, BOB):
        world.save(assignedUserId=user_id, name=f"Of {user_id}")
    world.outlook_create(ALICE, subject="From Outlook")
    for user_id in (ALICE, BOB):
        world.app.store.queue.hint(world.account(user_id).mailbox_id or 0)
    _block(world)
    pages = EspoSignIn(world.settings.crm, world.app.http, world.app.crm_gate)

    for _ in range(61):
        world.drain()
        with pytest.raises(Throttled, match="too many failed logins"):
            pages.sign_in("alice", "sandbox")
        world.clock.advance(1.0)

    assert [entry.status for entry in world.crm.log.requests] == [403]
    assert "too many failed logins" in world.account(ALICE).last_error
    assert pages.sign_in("alice", "sandbox").user_id == ALICE
    world.settle()
    assert {event.subject for event in world.events(ALICE)} == {f"Of {ALICE}", "From Outlook"}
    assert [event.subject for event in world.events(BOB)] == [f"Of {BOB}"]
    assert {str(world.account(user_id).status) for user_id in (ALICE, BOB)} == {"connected"}
    world.quiet()
