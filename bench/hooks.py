"""A hook call as a host makes it, by its plugin manager; floor: the same two statements by the raw driver."""

from __future__ import annotations

import os
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter, time

import psycopg
from sqlalchemy import make_url

from bench.harness import Line, median_ratio, percentile, seconds
from bench.world import folder, installation
from calsync_plugin.demo import Ports, sandbox_settings
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.sandbox.crm.identities import ALICE_ID
from calsync_plugin.settings import LogSettings, Settings

CALLS = 400
"""Calls of each writer in one round."""
ROUNDS = 5
POSTGRES = os.environ.get("CALSYNC_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")

_INSERT = (
    "INSERT INTO changes (entity_type, record_id, user_hint, kind, created_at, routed)"
    " VALUES ({0}, {0}, {0}, 'saved', {0}, 0)"
)
_WAKE = "UPDATE mailboxes SET due_at = {1}(due_at, {0}), seq = seq + 1 WHERE id = 1"

Call = Callable[[str], None]
"""Notes one record id."""


def run() -> list[Line]:
    """Both databases, one and four writers."""
    with folder() as data:
        lines = _lines("SQLite", _sqlite_floor, lambda name: _settings(data / name))
    with ExitStack() as stack:
        try:
            urls = {name: stack.enter_context(_database()) for name in ("floor", "ours")}
        except psycopg.OperationalError as error:
            return [*lines, Line(row="hooks", what="PostgreSQL", note=f"not measured: {error}"[:100])]
        with folder() as data:
            lines += _lines(
                "PostgreSQL", _postgres_floor, lambda name: _settings(data / name, url=urls[name])
            )
    return lines


def _settings(data: Path, url: str = "") -> Settings:
    data.mkdir()
    settings = sandbox_settings(data, Ports(bridge=0, crm=1, outlook=2), LogSettings(level="warning"))
    return replace(settings, store=replace(settings.store, url=url)) if url else settings


def _lines(
    database: str, floor: Callable[[str], Callable[[], Call]], settings_of: Callable[[str], Settings]
) -> list[Line]:
    floor_settings = settings_of("floor")
    with installation(floor_settings), installation(settings_of("ours")) as ours:
        new_floor = floor(floor_settings.store.url)
        return [line for writers in (1, 4) for line in _compare(database, writers, new_floor, ours)]


def _compare(database: str, writers: int, new_floor: Callable[[], Call], ours: Calsync) -> list[Line]:
    floor_rounds, our_rounds = [], []
    for number in range(ROUNDS + 1):
        floor_times, our_times = _round(writers, new_floor), _round(writers, lambda: _hook(ours))
        if number:
            floor_rounds.append(floor_times)
            our_rounds.append(our_times)
    lines = []
    for name, share, limit in (("p50", 0.5, 2.0), ("p99", 0.99, 5.0)):
        floors = [percentile(times, share) for times in floor_rounds]
        mine = [percentile(times, share) for times in our_rounds]
        lines.append(
            Line(
                row="hooks",
                what=f"hook call, {database}, {writers} writer{'s' * (writers > 1)}, {name}",
                floor=seconds(percentile(floors, 0.5)),
                ours=seconds(percentile(mine, 0.5)),
                value=median_ratio(mine, floors),
                limit=limit,
            )
        )
    return lines


def _round(writers: int, new_call: Callable[[], Call]) -> list[float]:
    """Seconds of each call of all writers."""
    times: list[float] = []
    ready = threading.Barrier(writers)

    def write() -> None:
        call = new_call()
        mine = []
        # Made before: the system call of a random number would let another thread in between two calls.
        records = [uuid.uuid4().hex[:17] for _ in range(CALLS)]
        ready.wait()
        for record in records:
            started = perf_counter()
            call(record)
            mine.append(perf_counter() - started)
        times.extend(mine)

    threads = [threading.Thread(target=write) for _ in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(times) != writers * CALLS:
        raise RuntimeError("a writer failed")
    return times


def _hook(calsync: Calsync) -> Call:
    hook = calsync.plugins.hook

    def call(record: str) -> None:
        hook.calsync_entity_created(
            entity_type="Meeting", record={"id": record, "name": "Lunch", "assignedUserId": ALICE_ID}
        )

    return call


def _sqlite_floor(url: str) -> Callable[[], Call]:
    def new() -> Call:
        connection = sqlite3.connect(make_url(url).database or "", timeout=10, isolation_level=None)
        connection.execute("PRAGMA synchronous=FULL")
        insert, wake = _INSERT.format("?"), _WAKE.format("?", "min")

        def call(record: str) -> None:
            now = time()
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(insert, ("Meeting", record, ALICE_ID, now))
            connection.execute(wake, (now,))
            connection.execute("COMMIT")

        return call

    return new


def _postgres_floor(url: str) -> Callable[[], Call]:
    def new() -> Call:
        connection = psycopg.connect(url)
        insert, wake = _INSERT.format("%s").encode(), _WAKE.format("%s", "least").encode()

        def call(record: str) -> None:
            now = time()
            connection.execute(insert, ("Meeting", record, ALICE_ID, now), prepare=True)
            connection.execute(wake, (now,), prepare=True)
            connection.commit()

        return call

    return new


@contextmanager
def _database() -> Iterator[str]:
    """A database of its own on the server of the tests."""
    name = f"calsync_bench_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
