"""The hooks' lane: what is noted is there, and nobody waits longer than 200 ms."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable
from time import monotonic

import psycopg
import pytest

from calsync_plugin.errors import StoreBusy
from calsync_plugin.state import ROUTER, Keyring, Store, open_store
from tests.patience import let_hooks_wait
from tests.state.samples import Opener, claimed
from tests.state.stalling import StallingRelay

LIMIT = 0.2
SLACK = 9.0
"""For a machine that is busy with other tests; all else of the store waits for 10 s, or for ever."""


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No hook gives up because the machine is busy."""
    let_hooks_wait(monkeypatch)


def _file(url: str) -> str:
    return url.removeprefix("sqlite:///")


def _expect_busy(note: Callable[[], None]) -> None:
    begun = monotonic()
    with pytest.raises(StoreBusy):
        note()
    assert monotonic() - begun < LIMIT + SLACK


def test_a_hook_gives_up_on_a_lock_that_another_process_holds(url: str, live_store: Store) -> None:
    if url.startswith("sqlite"):
        other = sqlite3.connect(_file(url), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        _expect_busy(lambda: live_store.queue.record_change("Meeting", "m1"))
        other.execute("ROLLBACK")
        other.close()
    else:
        with psycopg.connect(url) as connection:
            connection.execute("SELECT * FROM mailboxes FOR UPDATE")
            _expect_busy(lambda: live_store.queue.record_change("Meeting", "m1"))
    assert live_store.changes.unrouted(10) == []
    live_store.queue.record_change("Meeting", "m2")
    assert [change.record_id for change in live_store.changes.unrouted(10)] == ["m2"]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_hooks_give_up_on_a_save_that_lasts(live_store: Store) -> None:
    late: list[StoreBusy] = []

    def hook() -> None:
        try:
            live_store.queue.record_change("Meeting", "m1")
        except StoreBusy as error:
            late.append(error)

    hooks = [threading.Thread(target=hook) for _ in range(3)]
    with live_store.save(None) as save:
        save.note("alice", "", "takes its time")
        for thread in hooks:
            thread.start()
        for thread in hooks:
            thread.join(LIMIT + SLACK)
        assert len(late) == 3
    live_store.queue.record_change("Meeting", "m2")
    assert [change.record_id for change in live_store.changes.unrouted(10)] == ["m2"]


@pytest.mark.usefixtures("_patient")
@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_hooks_that_wait_are_all_served(live_store: Store) -> None:
    errors: list[BaseException] = []

    def hook(record_id: str) -> None:
        try:
            live_store.queue.record_change("Meeting", record_id)
        except StoreBusy as error:
            errors.append(error)

    hooks = [threading.Thread(target=hook, args=(f"m{n}",)) for n in range(5)]
    with live_store.save(None):
        for thread in hooks:
            thread.start()
    for thread in hooks:
        thread.join()
    assert errors == []
    assert {change.record_id for change in live_store.changes.unrouted(10)} == {f"m{n}" for n in range(5)}


@pytest.mark.usefixtures("_patient")
def test_writers_do_not_starve_each_other(live_store: Store) -> None:
    errors: list[StoreBusy] = []

    def write(name: str) -> None:
        try:
            for n in range(150):
                live_store.queue.record_change("Meeting", f"{name}{n}")
        except StoreBusy as error:
            errors.append(error)

    writers = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    assert errors == []
    assert len(live_store.changes.unrouted(1000)) == 600
    assert 1 <= claimed(live_store, ROUTER).seq <= 600


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.services
class TestPostgres:
    """What only a server can do to a hook."""

    def test_a_hook_gives_up_on_a_server_that_does_not_answer(self, url: str, keyring: Keyring) -> None:
        with StallingRelay("127.0.0.1", 5432) as relay:
            store = open_store(re.sub(":5432", f":{relay.port}", url), keyring, kind="sandbox")
            store.queue.record_change("Meeting", "before")
            relay.stall()
            for _ in range(5):
                _expect_busy(lambda: store.queue.record_change("Meeting", "during"))
            relay.flow()
            _until_noted(store, "after")
            store.close()

    def test_a_save_that_lasts_is_not_in_a_hooks_way(self, live_store: Store) -> None:
        """Mailbox rows are locked by the last statements of a save only."""
        live_store.queue.record_change("Meeting", "before")
        (lease,) = live_store.queue.claim("one", limit=1, lease=15)
        with live_store.save(lease) as save:
            save.wake(ROUTER)
            save.note("alice", "", "takes its time")
            live_store.queue.record_change("Meeting", "during")
        assert len(live_store.changes.unrouted(10)) == 2

    def test_a_hook_survives_a_restart_of_the_server(self, url: str, live_store: Store) -> None:
        live_store.queue.record_change("Meeting", "before")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        live_store.queue.record_change("Meeting", "after")
        with psycopg.connect(url, autocommit=True) as connection:
            found = connection.execute("SELECT record_id FROM changes ORDER BY id").fetchall()
        assert found == [("before",), ("after",)]

    def test_only_a_wake_that_makes_it_due_notifies(self, url: str, live_store: Store) -> None:
        with psycopg.connect(url, autocommit=True) as listener:
            listener.execute("LISTEN calsync")
            for n in range(3):
                live_store.queue.record_change("Meeting", f"m{n}")
            assert _notified(listener, url) == 1
            lease = claimed(live_store, ROUTER)
            live_store.queue.record_change("Meeting", "while it runs")
            assert _notified(listener, url) == 0
            live_store.queue.finish(lease, not_before=60)
            live_store.queue.wake(ROUTER)
            assert _notified(listener, url) == 0


def _notified(listener: psycopg.Connection, url: str) -> int:
    """How many notifications came until now: the server delivers them in the order of the commits."""
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("NOTIFY calsync, 'so far'")
    told = [one.payload for one in listener.notifies(timeout=60, stop_after=1)]
    while told[-1] != "so far":
        told += [one.payload for one in listener.notifies(timeout=60, stop_after=1)]
    return len(told) - 1


def _until_noted(store: Store, record_id: str) -> None:
    """The connections that were given up are replaced in the background."""
    end = monotonic() + 60
    while True:
        try:
            store.queue.record_change("Meeting", record_id)
        except StoreBusy:
            assert monotonic() < end
        else:
            return


def test_a_closed_store_is_busy(opened: Opener) -> None:
    store = opened()
    store.close()
    with pytest.raises(StoreBusy):
        store.queue.record_change("Meeting", "m1")
