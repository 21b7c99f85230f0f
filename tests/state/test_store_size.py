"""A large store costs what a small one does: all statements of a run go by an index, memory stays flat.

The plans are read from the databases, so that no clock decides.
"""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import event, text

from calsync_plugin.state import Store
from tests.state.samples import a_link, claimed, insert, routed

MAILBOXES = 50_000
LINKS = 12_000

_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
_FILL = [
    _NUMBERS.format(count=MAILBOXES)
    + "INSERT INTO mailboxes (id, kind, tenant_id, object_id, address, due_at,"
    " not_before, seq, owner, run, run_started, lease_until, attempt, pace_start, pace_count)"
    " SELECT i + 1000, 'mailbox', 't', 'o' || i, '', 1e12, 0, 0, '', 0, 0, 0, 0, 0, 0 FROM n",
    _NUMBERS.format(count=LINKS) + "INSERT INTO links (id, entity_type, record_id, state, origin, role,"
    " generation, series_ical_uid, original_start, reason, version)"
    " SELECT 'x' || i, 'Meeting', 'y' || i, 'active', 'crm', 'organizer', 1, 's' || i, '', '', 1 FROM n",
    _NUMBERS.format(count=LINKS) + "INSERT INTO copies (link_id, position, mailbox_id, purpose, state,"
    " transaction_id, event_id, calendar_id, ical_uid, etag)"
    " SELECT 'x' || i, 0, 1001 + i % 20, 'home', 'live', '', 'e' || i, '', 'u' || i, '' FROM n",
    _NUMBERS.format(count=LINKS) + "INSERT INTO bases (link_id, side, normal_form, version)"
    " SELECT 'x' || i, 'crm', '{}', '' FROM n",
    _NUMBERS.format(count=LINKS) + "INSERT INTO changes (id, entity_type, record_id, user_hint, kind,"
    " created_at, routed) SELECT i + 1000, 'Meeting', 'y' || i, '', 'saved', 0, 1 FROM n",
    _NUMBERS.format(count=LINKS) + "INSERT INTO change_targets (mailbox_id, change_id, attempts, not_before,"
    " error) SELECT 1001 + i % 1000, i + 1000, 0, 0, '' FROM n",
    "ANALYZE",
]


@pytest.fixture
def fresh() -> bool:
    """Each test has a database that has never been opened."""
    return True


@pytest.fixture
def large(store: Store) -> Store:
    """A store with many mailboxes, links and changes."""
    with store._database.write() as connection:
        for statement in _FILL:
            connection.execute(text(statement))
    return store


@contextmanager
def _plans(store: Store) -> Iterator[list[str]]:
    """Explains every statement, with its parameters, before it is executed."""
    plans: list[str] = []
    explain = "EXPLAIN QUERY PLAN " if store._database.is_sqlite else "EXPLAIN (FORMAT JSON) "

    def note(
        connection: Any, cursor: Any, statement: str, parameters: Any, _context: Any, many: bool
    ) -> None:
        if statement.split(maxsplit=1)[0] not in {"SELECT", "UPDATE", "DELETE", "WITH"}:
            return
        explaining = connection.connection.driver_connection.cursor()
        explaining.execute(explain + statement, parameters[0] if many else parameters)
        for row in explaining.fetchall():
            plan = row[3] if store._database.is_sqlite else json.dumps(row[0])
            plans.append(f"{plan} <- {statement}")
        explaining.close()

    event.listen(store._database.engine, "before_cursor_execute", note)
    try:
        yield plans
    finally:
        event.remove(store._database.engine, "before_cursor_execute", note)


_TABLES = ("mailboxes", "links", "copies", "bases", "changes", "change_targets")


def _scans(plan: str) -> bool:
    """Whether a plan reads a whole table or index; SQLite calls reading a small subquery a scan, too."""
    if '"Node Type": "Seq Scan"' in plan:
        return True
    words = plan.split(" <- ", maxsplit=1)[0].split()
    in_order = "USING" in words and "LIMIT" in plan
    return words[:1] == ["SCAN"] and words[1] in _TABLES and not in_order


def _run(store: Store, mailbox: int) -> None:
    ids = routed(store, mailbox, "m1", "y7")
    lease = claimed(store, mailbox)
    store.changes.for_mailbox(mailbox, 20)
    store.changes.next_due_in(mailbox)
    insert(store, a_link("new", mailbox))
    links = store.links.by_records([("Meeting", "y7"), ("Meeting", "y8")])
    store.links.by_events(1008, ["e7"])
    store.links.by_ical_uids(["u7", "s9"])
    new = store.links.by_ids(["new"])["new"]
    store.queue.renew(lease, 15)
    with store.save(lease) as save:
        save.save_links(list(links.values()))
        save.drop_link(new)
        save.retry_changes(ids, mailbox, 1, "busy")
        save.finish_changes(ids, mailbox)
        save.wake(mailbox)
    store.queue.finish(lease)


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(lambda store, _: store.queue.claim("idle", limit=16, lease=15), id="idle_claim"),
        pytest.param(lambda store, _: store.queue.next_due_in(), id="next_due"),
        pytest.param(_run, id="run"),
    ],
)
def test_nothing_reads_a_whole_table(
    large: Store, mailbox: int, work: Callable[[Store, int], object]
) -> None:
    with _plans(large) as plans:
        work(large, mailbox)
    assert plans
    assert [plan for plan in plans if _scans(plan)] == []


def test_a_claim_by_the_databases_own_time_goes_by_the_index(large: Store, live_store: Store) -> None:
    """clock_timestamp() would not: it is volatile."""
    with _plans(live_store) as plans:
        assert live_store.queue.claim("idle", limit=16, lease=15) == []
        assert live_store.queue.next_due_in() is None
    assert plans
    assert [plan for plan in plans if _scans(plan)] == []


def test_a_scan_would_be_noticed(large: Store) -> None:
    with _plans(large) as plans, large._database.read() as connection:
        connection.exec_driver_sql("SELECT * FROM mailboxes WHERE address = 'x'")
    assert [_scans(plan) for plan in plans] == [True]


def test_a_claim_with_all_due_takes_the_limit_by_the_index(large: Store) -> None:
    with large._database.write() as connection:
        connection.exec_driver_sql("UPDATE mailboxes SET due_at = 1000 + id WHERE id > 1000")
        connection.exec_driver_sql("ANALYZE mailboxes")
    with _plans(large) as plans:
        leases = large.queue.claim("one", limit=16, lease=15)
    assert [lease.mailbox_id for lease in leases] == list(range(1001, 1017))
    assert any("ix_mailboxes_ready" in plan for plan in plans)
    assert [plan for plan in plans if _scans(plan)] == []


def test_streaming_all_links_of_a_mailbox_keeps_memory_flat(large: Store) -> None:
    with large._database.write() as connection:
        connection.exec_driver_sql("UPDATE copies SET mailbox_id = 1001 WHERE position = 0")
    stream = large.links.for_mailbox(1001)
    assert sum(1 for _ in islice(stream, 1000)) == 1000
    tracemalloc.start()
    rest = sum(1 for _ in islice(stream, 3000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rest == 3000
    assert peak < 4_000_000, f"{peak:,} bytes at the peak for {rest:,} links"
