"""What a host may rely on: a hook returns at once, never raises, and takes whatever it is given."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import psycopg
import pytest

from calsync_plugin.domain.meeting import Meeting
from calsync_plugin.hookspecs import Veto, hookimpl
from tests.flows.conftest import MakeWorld
from tests.patience import AS_DELIVERED, let_hooks_wait
from tests.world import ALICE, BOB, World


@contextmanager
def _locked(url: str) -> Iterator[None]:
    """Somebody else holds the lock that a hook needs."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.close()
    else:
        with psycopg.connect(url) as postgres:
            postgres.execute("LOCK TABLE changes IN ACCESS EXCLUSIVE MODE")
            yield
            postgres.rollback()


Fire = Callable[[World, str], None]

FIRES: dict[str, Fire] = {
    "created": lambda w, r: w.plugins.hook.calsync_entity_created(entity_type="Meeting", record={"id": r}),
    "updated": lambda w, r: w.plugins.hook.calsync_entity_updated(
        entity_type="Meeting", record={"id": r}, changed=["name"]
    ),
    "reassigned": lambda w, r: w.plugins.hook.calsync_entity_reassigned(
        entity_type="Meeting", record={"id": r}, previous_user_id=None
    ),
    "deleted": lambda w, r: w.plugins.hook.calsync_entity_deleted(entity_type="Meeting", record_id=r),
    "attendance": lambda w, r: w.plugins.hook.calsync_attendance_changed(entity_type="Meeting", record_id=r),
}


@pytest.fixture
def _as_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hooks give up after 200 ms."""
    let_hooks_wait(monkeypatch, AS_DELIVERED)


@pytest.mark.usefixtures("_as_delivered")
@pytest.mark.parametrize("fire", FIRES.values(), ids=FIRES)
def test_hooks_return_in_time_while_the_store_is_locked_and_the_sweep_finds_the_record(
    world: World, fire: Fire
) -> None:
    world.sweep()
    record = world.api("POST", "Meeting", json={**_DEFAULTS, "name": "During the lock"})["id"]
    with _locked(world.store_url):
        started = monotonic()
        fire(world, record)
        seconds = monotonic() - started
    # All else of the store waits for 10 s.
    assert AS_DELIVERED / 2 < seconds < 9
    assert sum(world.app.store.changes.waiting().values()) == 0
    world.clock.advance(60)
    world.sweep()
    assert world.event(ALICE).subject == "During the lock"


_DEFAULTS = {"assignedUserId": ALICE, "dateStart": "2026-12-01 10:00:00", "dateEnd": "2026-12-01 11:00:00"}


@pytest.mark.parametrize("fire", FIRES.values(), ids=FIRES)
def test_any_hook_with_nothing_but_an_id_is_enough(world: World, fire: Fire) -> None:
    record = world.api("POST", "Meeting", json={**_DEFAULTS, "name": "Kick-off"})["id"]
    fire(world, record)
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"


@pytest.mark.parametrize(
    "record",
    [
        pytest.param({}, id="empty"),
        pytest.param({"id": None}, id="no-id"),
        pytest.param({"id": ""}, id="empty-id"),
        pytest.param({"id": ["a"]}, id="list"),
        pytest.param({"id": "no-such-record", "assignedUserId": ALICE}, id="unknown-record"),
        pytest.param({"id": "x\0\ud800y", "assignedUserId": ALICE}, id="unstorable"),
        pytest.param({"id": "a" * 5000, "assignedUserId": {"id": 1}}, id="strange-assignee"),
        pytest.param(None, id="none"),
        pytest.param("text", id="text"),
    ],
)
def test_a_hook_never_raises_whatever_it_is_given(world: World, record: Any) -> None:
    hook = world.plugins.hook
    hook.calsync_entity_created(entity_type="Meeting", record=record)
    hook.calsync_entity_updated(entity_type="Meeting", record=record, changed=None)
    world.save(name="Fine")
    world.settle()
    assert world.event(ALICE).subject == "Fine"
    assert sum(world.app.store.changes.waiting().values()) == 0


def test_an_id_that_is_a_path_leads_nowhere_else(world: World) -> None:
    record = {"id": f"../User/{BOB}", "assignedUserId": ALICE}
    world.plugins.hook.calsync_entity_created(entity_type="Meeting", record=record)
    world.drain()
    assert world.events(ALICE) == []
    assert not any(entry.path.startswith("/api/v1/User/") for entry in world.crm.log.requests)


@pytest.mark.parametrize("entity_type", ["Opportunity", "", "Meeting/../User", "x" * 3000])
def test_an_unknown_entity_type_concerns_nobody(world: World, entity_type: str) -> None:
    world.plugins.hook.calsync_entity_created(
        entity_type=entity_type, record={"id": "1", "assignedUserId": ALICE}
    )
    world.plugins.hook.calsync_entity_deleted(entity_type=entity_type, record_id="1")
    with world.watched() as sent:
        world.settle()
    assert sent == []
    assert sum(world.app.store.changes.waiting().values()) == 0


def test_a_hook_after_the_store_was_closed_does_not_raise(world: World) -> None:
    record = world.save()
    world.app.store.close()
    FIRES["updated"](world, record)


def test_a_wrong_hint_of_the_assignee_is_a_look_and_no_wrong_write(world: World) -> None:
    record = world.api("POST", "Meeting", json={**_DEFAULTS, "name": "Of alice"})["id"]
    world.plugins.hook.calsync_entity_created(
        entity_type="Meeting", record={"id": record, "assignedUserId": BOB}
    )
    world.settle()
    assert world.event(ALICE).subject == "Of alice"
    assert world.events(BOB) == []


def test_two_hosts_in_one_process_do_not_collide(
    make_world: MakeWorld, sqlite_template: Path, tmp_path: Path
) -> None:
    one = make_world()
    one.connect(ALICE)
    (tmp_path / "other").mkdir()
    other = World(tmp_path / "other")
    try:
        other.connect(BOB)
        assert one.plugins is not other.plugins
        one.save(name="One")
        other.save(name="Other", assignedUserId=BOB)
        one.settle()
        other.settle()
        assert one.event(ALICE).subject == "One"
        assert one.events(BOB) == []
        assert other.event(BOB).subject == "Other"
        assert other.events(ALICE) == []
    finally:
        other.close()


class _Room:
    @hookimpl
    def calsync_outbound(self, meeting: Meeting, record: Mapping[str, object]) -> Mapping[str, object] | None:
        return {"subject": f"[Sales] {meeting.subject}", "unknown": 1} if "Kick" in meeting.subject else None


class _Secret:
    @hookimpl
    def calsync_outbound(self, meeting: Meeting, record: Mapping[str, object]) -> Veto | None:
        return Veto("it is a secret") if "secret" in str(record.get("description")) else None


class _Broken:
    @hookimpl
    def calsync_outbound(self, meeting: Meeting, record: Mapping[str, object]) -> None:
        if meeting.subject == "Breaks":
            raise ZeroDivisionError

    @hookimpl
    def calsync_notify(self, user_id: str, message: str) -> None:
        raise ZeroDivisionError


def test_outbound_changes_what_goes_out_and_only_once(world: World) -> None:
    world.open(_Room())
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    assert world.event(ALICE).subject == "[Sales] Kick-off"
    assert world.record(record)["name"] == "Kick-off"
    world.change(record, name="Kick-off")
    with world.watched() as sent:
        world.settle()
    assert sent == []


def test_outbound_vetoes_with_its_reason_and_others_go_on(world: World) -> None:
    world.open(_Secret())
    secret = world.save(name="Hidden", description="secret")
    world.save(name="Open")
    world.settle()
    assert world.event(ALICE).subject == "Open"
    assert world.parked() == {secret: "vetoed"}
    assert "it is a secret" in world.app.store.parked.all()[0].message
    world.change(secret, description="harmless")
    world.settle()
    assert [e.subject for e in world.events(ALICE)] == ["Hidden", "Open"]
    assert world.parked() == {}


def test_a_veto_of_a_linked_record_leaves_its_event_as_it_is(world: World) -> None:
    world.open(_Secret())
    record = world.save(name="Before", usersIds=[ALICE, BOB])
    world.settle()
    world.mails()
    world.change(record, name="After", description="secret")
    world.settle()
    assert world.event(ALICE).subject == "Before"
    assert world.mails() == []
    assert world.parked() == {record: "vetoed"}


def test_pain_24_a_plugin_that_fails_costs_one_item_only(world: World) -> None:
    world.open(_Broken())
    broken = world.save(name="Breaks")
    world.save(name="Fine")
    world.settle()
    assert world.event(ALICE).subject == "Fine"
    assert list(world.parked()) == [broken]


def test_a_notice_that_fails_stops_nothing(world: World) -> None:
    world.open(_Broken())
    world.revoke(ALICE)
    world.save()
    world.save(name="Of bob", assignedUserId=BOB)
    world.settle()
    assert world.account(ALICE).status == "reconnect"
    assert world.event(BOB).subject == "Of bob"
