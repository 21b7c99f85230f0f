"""The store goes away while the worker runs: it waits, says so, and goes on when the store is back."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from calsync_plugin.engine.counting import Counting
from calsync_plugin.engine.worker import Rest, Worker
from calsync_plugin.errors import StoreBusy, StoreError
from calsync_plugin.state import ROUTER, Keyring, MailboxKind, Store, open_store
from tests.state.stalling import StallingRelay
from tests.world import KEY

SERVER = "host=127.0.0.1 port=5432 user=postgres dbname=postgres connect_timeout=30"
DEADLINE = 60.0


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"sqlite:///{tmp_path / 'calsync.db'}", Keyring({"k1": KEY}), kind="bridge")


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether the condition comes true in time."""
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            return False
        threading.Event().wait(0.01)
    return True


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(StoreBusy("the database could not do it now: connection refused"), id="unreachable"),
        pytest.param(StoreError("the store cannot be used: disk image is malformed"), id="damaged"),
    ],
)
def test_a_worker_outlives_its_store(
    store: Store, error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    runs: list[int] = []
    away = threading.Event()
    asked: list[str] = []

    def claim(*args: object, **kwargs: object) -> object:
        asked.append("claim")
        if away.is_set():
            raise error
        return real_claim(*args, **kwargs)  # type: ignore[arg-type]

    def due_in() -> float | None:
        if away.is_set():
            raise error
        return real_due_in()

    real_claim, real_due_in = store.queue.claim, store.queue.next_due_in
    monkeypatch.setattr(store.queue, "claim", claim)
    monkeypatch.setattr(store.queue, "next_due_in", due_in)
    worker = Worker(
        store,
        {kind: lambda lease: runs.append(lease.mailbox_id) or Rest() for kind in MailboxKind},  # type: ignore[func-returns-value]
        Counting(store),
        threads=2,
        lease_seconds=15.0,
    )
    away.set()
    caplog.set_level(logging.WARNING)
    worker.start()
    try:
        assert eventually(lambda: bool(asked))
        threading.Event().wait(0.5)
        assert len(asked) < 10, "it asks a store that is away without a pause"
        away.clear()
        store.queue.wake(ROUTER)
        assert eventually(lambda: ROUTER in runs)
    finally:
        worker.stop()
        store.close()
    assert "no work could be claimed" in caplog.text


@pytest.mark.services
def test_a_store_that_stopped_answering_does_not_keep_a_process_from_stopping(database: str) -> None:
    relay = StallingRelay("127.0.0.1", 5432)
    with relay:
        store = open_store(database.replace(":5432", f":{relay.port}"), Keyring({"k1": KEY}), kind="bridge")
        worker = Worker(
            store,
            {kind: lambda lease: Rest() for kind in MailboxKind},
            Counting(store),
            threads=2,
            lease_seconds=15.0,
        )
        worker.start()
        store.queue.wait(0.1)
        assert store.queue.hears.wait(10)
        relay.stall()
        begun = time.monotonic()
        worker.stop(timeout=1.0)
        store.close()
        # Without a limit it waits for the server's network to be given up, after 30 s.
        assert time.monotonic() - begun < 20


@pytest.fixture
def database() -> Iterator[str]:
    """An empty database on PostgreSQL."""
    name = f"calsync_attack_{uuid4().hex}"
    try:
        server = psycopg.connect(SERVER, autocommit=True)
    except psycopg.OperationalError as error:
        if os.environ.get("CALSYNC_REQUIRE_SERVICES") == "1":
            pytest.fail(f"PostgreSQL is required and not there: {error}")
        pytest.skip(f"no PostgreSQL on 127.0.0.1:5432: {error}")
    with server:
        server.execute(f'CREATE DATABASE "{name}"'.encode())
        yield f"postgresql://postgres@127.0.0.1:5432/{name}"
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
    server.close()
