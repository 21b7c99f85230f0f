"""A save: all of it or nothing, and nothing without the lease."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, select

from calsync_plugin.domain.availability import Block
from calsync_plugin.domain.links import Link
from calsync_plugin.errors import LeaseLost
from calsync_plugin.state import Cursor, Lease, Pace, Parked, Save, SourceKind, Store
from calsync_plugin.state.schema import metadata
from tests.state.samples import NOON, MovedClock, a_link, claimed, insert, routed


def _everything(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    with store._database.read() as connection:
        return {
            table.name: sorted((tuple(map(str, row)) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


@contextmanager
def _killed_at(store: Store, number: int) -> Iterator[list[str]]:
    """Raise instead of the statement with this number, counted from 0."""
    seen: list[str] = []

    def count(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)
            if len(seen) - 1 == number:
                raise KeyboardInterrupt

    engine = store._database.engine
    event.listen(engine, "before_cursor_execute", count)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", count)


def _save_of_a_run(save: Save, mailbox: int, read: Link, ids: list[int], source: int) -> None:
    save.insert_links([a_link("new", mailbox)])
    save.save_links([replace(read, reason="changed")])
    save.finish_changes(ids[:1], mailbox)
    save.retry_changes(ids[1:2], mailbox, 60, "busy")
    save.add_target(ids[2:], mailbox + 1)
    save.park(Parked(mailbox_id=mailbox, user_id="alice", reason="no_end", message="no end", record_id="r"))
    save.unpark(mailbox_id=mailbox, record_id="other")
    save.hold(mailbox, "l1", "DeleteEvent")
    save.count_deletion(mailbox, "l1")
    save.note("alice", "l1", "done")
    save.journal(mailbox_id=mailbox, user_id="alice", link_id="l1", side="event", item_id="E", content="{}")
    save.clash(user_id="alice", link_id="l1", field="subject", winner="crm", crm="a", outlook="b")
    save.pace(mailbox, Pace(0.0, 0), Pace(1.0, 20))
    save.save_cursor(
        Cursor(
            mailbox_id=mailbox, calendar_id="c", url="u", query_version=1, window_start=NOON, window_end=NOON
        )
    )
    save.mark_events(mailbox, ["E1", "E2"], delay=5)
    save.saw_events(mailbox, "c", ["E1"])
    save.pulled(mailbox, 600, 0)
    save.busy.replace(source, [Block(id="E1", start=1, end=2)])
    save.busy.remove(source, ["E3"])
    save.busy.was_read(source)
    save.wake(mailbox)


@pytest.fixture
def lease(store: Store, mailbox: int) -> Lease:
    """The lease of `mailbox`, which has three changes and a link."""
    store.accounts.ensure_mailbox("tenant", "bob", "")
    routed(store, mailbox, "m1", "m2", "m3")
    insert(store, a_link("l1", mailbox))
    store.busy.keep_calendars("alice", mailbox, {"c": (SourceKind.LINKED, "Calendar")})
    return claimed(store, mailbox)


def _ids(store: Store, mailbox: int) -> list[int]:
    return [i for key in store.changes.for_mailbox(mailbox, 10).keys for i in key.change_ids]


def test_a_crash_between_any_two_statements_leaves_nothing_half(
    store: Store, mailbox: int, lease: Lease
) -> None:
    read = store.links.by_ids(["l1"])["l1"]
    ids = _ids(store, mailbox)
    (source,) = (one.id for one in store.busy.of_mailbox(mailbox))
    before = _everything(store)
    stops = 0
    while True:
        try:
            with _killed_at(store, stops) as seen, store.save(lease) as save:
                _save_of_a_run(save, mailbox, read, ids, source)
        except KeyboardInterrupt:
            assert _everything(store) == before, f"after {seen[-1]}"
            stops += 1
        else:
            break
    assert stops == len(seen) > 20
    after = _everything(store)
    assert {name for name in after if after[name] == before[name]} == _UNTOUCHED


_UNTOUCHED = {
    "installation",
    "bookmarks",
    "accounts",
    "calendars",
    "subscriptions",
    "token_caches",
    "oauth_flows",
    "webhooks",
    "sessions",
    "crm_users",
    "given_grants",
    "integration",
    "audit",
    "figures",
    "feeds",
    "booking_calendars",
    "booking_members",
    "bookings",
    "booking_holds",
    "feature_gates",
}


def test_an_exception_in_the_block_saves_nothing(store: Store, mailbox: int, lease: Lease) -> None:
    before = _everything(store)

    def run() -> None:
        with store.save(lease) as save:
            save.note("alice", "", "never")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run()
    assert _everything(store) == before


def test_a_lost_lease_saves_nothing(store: Store, clock: MovedClock, mailbox: int, lease: Lease) -> None:
    clock.move(16)
    claimed(store, mailbox, owner="heir")
    read = store.links.by_ids(["l1"])["l1"]
    before = _everything(store)
    with pytest.raises(LeaseLost), store.save(lease) as save:
        _save_of_a_run(save, mailbox, read, [], 0)
    assert _everything(store) == before


def test_an_expired_lease_that_nobody_took_still_saves(store: Store, clock: MovedClock, lease: Lease) -> None:
    clock.move(16)
    with store.save(lease) as save:
        save.note("alice", "", "late, but alone")
    assert [note.text for note in store.log.notes("alice")] == ["late, but alone"]


def test_a_wake_of_its_own_mailbox_runs_it_again(store: Store, mailbox: int, lease: Lease) -> None:
    with store.save(lease) as save:
        save.wake(mailbox)
    store.queue.finish(lease, next_due=600)
    assert claimed(store, mailbox).run == 2


def test_saving_twenty_links_takes_few_statements(store: Store, mailbox: int, lease: Lease) -> None:
    links = [a_link(f"x{n}", mailbox) for n in range(20)]
    with _killed_at(store, -1) as seen, store.save(lease) as save:
        save.insert_links(links)
    inserting = len(seen)
    read = list(store.links.by_ids(link.id for link in links).values())
    with _killed_at(store, -1) as seen, store.save(lease) as save:
        assert save.save_links(read) == set()
    assert (inserting, len(seen)) <= (6, 10)
