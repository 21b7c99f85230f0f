"""Change rows: routed once, seen by each mailbox, ended by the last one."""

from __future__ import annotations

import threading

import pytest

from calsync_plugin.state import ROUTER, ChangeKey, Store
from tests.state.samples import MovedClock, claimed, routed


@pytest.fixture
def bob(store: Store) -> int:
    """A second mailbox."""
    return store.accounts.ensure_mailbox("tenant", "bob", "bob@example.com")


def _finish(store: Store, ids: list[int], mailbox_id: int) -> None:
    with store.save(None) as save:
        save.finish_changes(ids, mailbox_id)


def test_routing_gives_rows_their_mailboxes_and_wakes_them(store: Store, mailbox: int, bob: int) -> None:
    store.queue.record_changes([("Meeting", "m1", "", "saved"), ("Meeting", "m2", "", "saved")])
    first, second = (change.id for change in store.changes.unrouted(10))
    store.changes.route({first: [mailbox, bob], second: []})
    assert store.changes.unrouted(10) == []
    assert store.changes.waiting() == {"unrouted": 0, "routed": 2}
    due = {lease.mailbox_id for lease in store.queue.claim("one", limit=10, lease=15)}
    assert due == {ROUTER, mailbox, bob}


def test_routing_twice_changes_nothing(store: Store, mailbox: int, bob: int) -> None:
    (change_id,) = routed(store, mailbox, "m1")
    store.changes.route({change_id: [bob]})
    store.changes.route({999: [bob]})
    store.changes.route({})
    assert store.changes.for_mailbox(bob, 10).keys == ()
    assert len(store.changes.for_mailbox(mailbox, 10).keys) == 1


def test_rows_of_one_record_are_one_key(store: Store, clock: MovedClock, mailbox: int) -> None:
    store.queue.record_change("Meeting", "m1", user_hint="alice")
    clock.move(1)
    store.queue.record_change("Call", "m1")
    store.queue.record_change("Meeting", "m1", kind="deleted")
    ids = [change.id for change in store.changes.unrouted(10)]
    store.changes.route({change_id: [mailbox] for change_id in ids})
    page = store.changes.for_mailbox(mailbox, 10)
    assert page.more is False
    assert page.keys == (
        ChangeKey(
            entity_type="Meeting",
            record_id="m1",
            change_ids=(ids[0], ids[2]),
            attempts=0,
            created_at=clock.now() - 1,
        ),
        ChangeKey("Call", "m1", (ids[1],), 0, clock.now()),
    )


def test_a_page_is_bounded_and_says_that_there_is_more(store: Store, mailbox: int) -> None:
    routed(store, mailbox, *(f"m{n}" for n in range(7)))
    page = store.changes.for_mailbox(mailbox, 3)
    assert [key.record_id for key in page.keys] == ["m0", "m1", "m2"]
    assert page.more
    _finish(store, [change_id for key in page.keys for change_id in key.change_ids], mailbox)
    page = store.changes.for_mailbox(mailbox, 4)
    assert [key.record_id for key in page.keys] == ["m3", "m4", "m5", "m6"]
    assert not page.more


def test_a_burst_on_one_record_is_bounded(store: Store, mailbox: int) -> None:
    routed(store, mailbox, *["m1"] * 100)
    (key,) = (page := store.changes.for_mailbox(mailbox, 3)).keys
    assert len(key.change_ids) == 15
    assert page.more


def test_a_row_ends_with_its_last_mailbox(store: Store, mailbox: int, bob: int) -> None:
    store.queue.record_change("Meeting", "m1")
    (change,) = store.changes.unrouted(10)
    store.changes.route({change.id: [mailbox, bob]})
    _finish(store, [change.id], mailbox)
    assert store.changes.for_mailbox(mailbox, 10).keys == ()
    assert len(store.changes.for_mailbox(bob, 10).keys) == 1
    _finish(store, [change.id], bob)
    with store.save(None) as save:
        save.add_target([change.id], mailbox)
    assert store.changes.for_mailbox(mailbox, 10).keys == ()


def test_two_mailboxes_that_finish_at_once_end_the_row(live_store: Store) -> None:
    one, two = (live_store.accounts.ensure_mailbox("tenant", name, "") for name in ("alice", "bob"))
    live_store.queue.record_changes([("Meeting", f"m{n}", "", "saved") for n in range(30)])
    ids = [change.id for change in live_store.changes.unrouted(100)]
    live_store.changes.route({change_id: [one, two] for change_id in ids})
    together = threading.Barrier(2)

    def finish(mailbox_id: int) -> None:
        for change_id in ids:
            together.wait()
            _finish(live_store, [change_id], mailbox_id)

    threads = [threading.Thread(target=finish, args=(mailbox_id,)) for mailbox_id in (one, two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # A row without mailboxes would still take one.
    with live_store.save(None) as save:
        save.add_target(ids, one)
    assert live_store.changes.for_mailbox(one, 100).keys == ()


def test_another_mailbox_can_be_added_and_is_woken(store: Store, mailbox: int, bob: int) -> None:
    ids = routed(store, mailbox, "m1")
    store.queue.claim("one", limit=10, lease=15)
    with store.save(None) as save:
        save.add_target(ids, bob)
        save.add_target(ids, bob)
        save.finish_changes(ids, mailbox)
    assert claimed(store, bob).seq == 1
    assert store.changes.for_mailbox(bob, 10).keys[0].change_ids == tuple(ids)


def test_what_is_handed_on_may_wait_and_is_counted(
    store: Store, clock: MovedClock, mailbox: int, bob: int
) -> None:
    ids = routed(store, mailbox, "m1", "m2")
    with store.save(None) as save:
        save.add_target(ids[:1], bob, attempts=7, delay=4)
        save.add_target(ids[1:], bob, attempts=1)
    assert [(key.record_id, key.attempts) for key in store.changes.for_mailbox(bob, 10).keys] == [("m2", 1)]
    clock.move(5)
    keys = store.changes.for_mailbox(bob, 10).keys
    assert [(key.record_id, key.attempts) for key in keys] == [("m1", 7), ("m2", 1)]


def test_a_retry_waits_and_counts(store: Store, clock: MovedClock, mailbox: int) -> None:
    ids = routed(store, mailbox, "m1")
    other = routed(store, mailbox, "m2")
    with store.save(None) as save:
        save.retry_changes(ids, mailbox, 60, "423 Locked")
    assert [key.change_ids for key in store.changes.for_mailbox(mailbox, 10).keys] == [tuple(other)]
    _finish(store, other, mailbox)
    assert store.changes.next_due_in(mailbox) == pytest.approx(60)
    clock.move(60)
    (key,) = store.changes.for_mailbox(mailbox, 10).keys
    assert key.attempts == 1
    _finish(store, ids, mailbox)
    assert store.changes.next_due_in(mailbox) is None
