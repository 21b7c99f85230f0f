"""Hooks that leave no mark of a record: tick, grants, and those that a host or plugin implements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from calsync_plugin.crm.espocrm import EspoGateway
from calsync_plugin.crm.gateway import Record, SimpleGateway
from calsync_plugin.domain.meeting import Meeting
from calsync_plugin.hookspecs import Veto, hookimpl
from tests.world import ALICE, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.connect(ALICE)
    made.settle()
    yield made
    made.close()


def test_a_tick_ends_the_wait_of_a_worker(world: World) -> None:
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(world.app.store.queue.wait, 100.0)
        while not waiting.done():
            world.plugins.hook.calsync_tick()
        waiting.result(timeout=5)


@pytest.mark.parametrize("hook", ["calsync_grants_changed", "calsync_account_changed"])
def test_a_changed_user_is_looked_at_again(world: World, hook: str) -> None:
    before = world.app.store.queue.next_due_in()
    assert before is None or before > 60
    getattr(world.plugins.hook, hook)(user_id=ALICE)
    assert world.app.store.queue.next_due_in() == 0


@pytest.mark.parametrize("hook", ["calsync_grants_changed", "calsync_account_changed"])
def test_a_user_without_an_account_wakes_nobody(world: World, hook: str) -> None:
    before = world.app.store.queue.next_due_in()
    getattr(world.plugins.hook, hook)(user_id="nobody")
    assert world.app.store.queue.next_due_in() == before


class Host(SimpleGateway):
    """A host that is its own gateway."""

    @hookimpl
    def calsync_crm_gateway(self) -> Host:
        return self


def test_the_gateway_of_a_host_goes_before_the_configured_crm(world: World) -> None:
    host = Host()
    given: object = world.open(host).gateway
    assert given is host
    configured: object = world.open().gateway
    assert isinstance(configured, EspoGateway)


class Rooms:
    """A third party's plugin: rooms become locations, and what is confidential stays in the CRM."""

    @hookimpl
    def calsync_outbound(self, meeting: Meeting, record: Record) -> Mapping[str, object] | Veto | None:
        if "Confidential" in meeting.subject:
            return Veto("it is confidential")
        return {"subject": f"{record['name']} in room 7"}


def test_a_plugin_changes_and_keeps_back_what_goes_out(world: World) -> None:
    world.open(Rooms())
    world.save(name="Review")
    secret = world.save(name="Confidential review")
    world.settle()
    assert world.event(ALICE).subject == "Review in room 7"
    assert world.parked() == {secret: "vetoed"}
