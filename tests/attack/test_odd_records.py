"""Records that no CRM should hand over: the host's save never fails, nothing but the record is asked for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.world import ALICE, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.connect(ALICE)
    yield made
    made.close()


class Hostile:
    """An object whose every use fails."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(None, id="none"),
        pytest.param({}, id="empty"),
        pytest.param([], id="list"),
        pytest.param({"id": None}, id="no-id"),
        pytest.param({"id": b"1"}, id="bytes"),
        pytest.param({"id": ["1"]}, id="list-id"),
        pytest.param({"id": {"id": 1}}, id="mapping-id"),
        pytest.param({"id": 1.5}, id="fraction"),
        pytest.param({"id": Hostile()}, id="hostile-id"),
        pytest.param(Hostile(), id="hostile"),
        pytest.param({"id": "1", "assignedUserId": Hostile()}, id="hostile-assignee"),
        pytest.param({"id": "1", "assignedUserId": "x" * 100_000}, id="huge-assignee"),
        pytest.param({"id": "x" * 10_000}, id="huge-id"),
        pytest.param({"id": "1", "description": "x" * 10_000_000}, id="10-mb"),
        pytest.param({"id": 10**5000}, id="endless-number"),
        pytest.param({"id": "\ud800"}, id="half-a-character"),
    ],
)
def test_a_hook_never_raises(world: World, record: Any) -> None:
    hook = world.plugins.hook
    begun = time.process_time()
    hook.calsync_entity_created(entity_type="Meeting", record=record)
    hook.calsync_entity_updated(entity_type="Meeting", record=record, changed=None)
    hook.calsync_entity_reassigned(entity_type="Meeting", record=record, previous_user_id=None)
    hook.calsync_entity_deleted(entity_type="Meeting", record_id=record)
    hook.calsync_attendance_changed(entity_type="Meeting", record_id=record)
    hook.calsync_account_changed(user_id=record)
    hook.calsync_user_deactivated(user_id=record)
    assert time.process_time() - begun < 2.0


@pytest.mark.parametrize(
    "entity_type", [None, 7, "", "../User", "x" * 10_000, "Meeting\0", "User", "'; DROP--"]
)
def test_an_odd_entity_type_ends_in_the_router(world: World, entity_type: Any) -> None:
    world.plugins.hook.calsync_entity_created(entity_type=entity_type, record={"id": "1"})
    world.crm.log.clear()
    world.settle()
    assert sum(world.app.store.changes.waiting().values()) == 0
    assert [entry.path for entry in world.crm.log.requests if "User/" in entry.path] == []


@pytest.mark.parametrize(
    "record_id",
    [
        pytest.param("../User/1", id="path"),
        pytest.param("..", id="parent"),
        pytest.param(".", id="self"),
        pytest.param("..%2fUser%2f1", id="quoted-path"),
        pytest.param("1?select=password", id="query"),
        pytest.param("1#x", id="fragment"),
        pytest.param("1\r\nX-Evil: 1", id="header"),
        pytest.param("' OR 1=1 --", id="sql"),
        pytest.param("1' or startswith(subject,'a", id="odata"),
        pytest.param("\N{PILE OF POO}", id="emoji"),
        pytest.param("a\0b", id="nul"),
    ],
)
def test_an_odd_id_stops_nothing_and_asks_for_nothing_else(world: World, record_id: str) -> None:
    world.plugins.hook.calsync_entity_created(
        entity_type="Meeting", record={"id": record_id, "assignedUserId": ALICE}
    )
    world.plugins.hook.calsync_entity_deleted(entity_type="Meeting", record_id=record_id)
    world.save(name="good")
    world.crm.log.clear()
    for _ in range(5):
        world.drain()
        world.clock.advance(2.0)
    assert [event.subject for event in world.events(ALICE)] == ["good"]
    others = {e.path for e in world.crm.log.requests if not e.path.startswith("/api/v1/Meeting")}
    assert others <= {"/api/v1/User", "/api/v1/App/user"}
    assert {e.method for e in world.crm.log.requests if e.path != "/api/v1/Meeting"} == {"GET"}
