"""A run of many portions: what is on its way while others are saved is neither lost nor doubled."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from calsync_plugin.engine.saver import Saver
from calsync_plugin.errors import LeaseLost
from tests.world import ALICE, DEFAULTS, World

MEETINGS = 170
"""Nine portions: the first one alone, then groups of four."""

BATCH = {"method": "POST", "path": r"\$batch$"}
MEMBER = {"method": "POST", "path": "/me/events$"}


def _insert(world: World) -> set[str]:
    names = [f"Meeting {n:03}" for n in range(MEETINGS)]
    for name in names:
        record = world.crm.insert("Meeting", {**DEFAULTS, "name": name, "usersIds": [ALICE]})
        world.app.store.queue.record_change("Meeting", record["id"], user_hint=ALICE)
    return set(names)


def _all_there_once(world: World, names: set[str]) -> None:
    counted = Counter(event.subject for event in world.events(ALICE))
    assert set(counted) == names
    assert set(counted.values()) == {1}
    links = list(world.app.store.links.for_mailbox(world.account(ALICE).mailbox_id or 0))
    assert len(links) == MEETINGS
    assert all(link.home and link.home.event_id and link.crm_base and link.outlook_base for link in links)


def test_all_portions_arrive_in_as_few_batches_as_they_fill(world: World) -> None:
    names = _insert(world)
    world.outlook.log.clear()
    world.settle()
    assert world.outlook.log.as_json()["total"]["requests"] == -(-MEETINGS // 20)
    _all_there_once(world, names)


@pytest.mark.parametrize("skip", [0, 1, 3, 7])
@pytest.mark.parametrize(
    "rule",
    [
        pytest.param({"match": BATCH, "status": 429, "retry_after": 60}, id="batch_throttled"),
        pytest.param({"match": BATCH, "drop_before": True, "times": 9}, id="service_away"),
        pytest.param({"match": BATCH, "drop_after_commit": True}, id="answer_lost"),
        pytest.param({"match": BATCH, "truncate_body": True}, id="answer_cut"),
        pytest.param({"match": BATCH, "status": 401}, id="token_refused_once"),
    ],
)
def test_a_fault_at_any_portion_loses_and_doubles_nothing(
    world: World, rule: dict[str, Any], skip: int
) -> None:
    names = _insert(world)
    world.fail(**{"times": 1, **rule}, skip=skip)
    world.settle()
    _all_there_once(world, names)


@pytest.mark.parametrize("skip", [5, 45, 105])
@pytest.mark.parametrize("status", [412, 429, 500, 503])
def test_a_fault_of_one_member_is_that_members_alone(world: World, skip: int, status: int) -> None:
    names = _insert(world)
    world.fail(match=MEMBER, status=status, times=1, skip=skip)
    world.settle()
    _all_there_once(world, names)


def test_begun_creates_that_were_not_sent_are_taken_back(world: World) -> None:
    names = _insert(world)
    world.fail(match=BATCH, status=429, retry_after=300, times=1, skip=1)
    world.drain()
    begun = list(world.app.store.links.for_mailbox(world.account(ALICE).mailbox_id or 0))
    assert all(link.home and link.home.event_id for link in begun if link.crm_base)
    assert len([link for link in begun if not link.crm_base]) <= 20
    world.settle()
    _all_there_once(world, names)


@pytest.mark.parametrize("saves", range(6))
def test_a_lost_lease_at_any_save_loses_and_doubles_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, saves: int
) -> None:
    names = _insert(world)
    save, left = Saver.save, [saves]

    def failing(self: Saver, *args: Any, **kwargs: Any) -> None:
        left[0] -= 1
        if left[0] == -1:
            raise LeaseLost("another worker has it")
        save(self, *args, **kwargs)

    monkeypatch.setattr(Saver, "save", failing)
    world.settle()
    _all_there_once(world, names)
