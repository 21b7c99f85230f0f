"""The row protocol: each trap of leased rows, on both databases."""

from __future__ import annotations

import pytest

from calsync_plugin.errors import LeaseLost, StoreError
from calsync_plugin.state import ROUTER, MailboxKind, Pace, Store
from tests.state.samples import MovedClock, Opener, claimed


def test_a_new_mailbox_is_not_due(store: Store, mailbox: int) -> None:
    assert store.queue.claim("one", limit=10, lease=15) == []
    assert store.queue.next_due_in() is None


def test_a_wake_makes_it_due_and_a_claim_takes_it(store: Store, mailbox: int) -> None:
    store.queue.wake(mailbox)
    assert store.queue.next_due_in() == pytest.approx(0)
    (lease,) = store.queue.claim("one", limit=10, lease=15)
    assert (lease.mailbox_id, lease.kind, lease.owner) == (mailbox, MailboxKind.MAILBOX, "one")
    assert (lease.seq, lease.attempt, lease.run) == (1, 1, 1)


def test_no_second_worker_while_it_runs(store: Store, mailbox: int) -> None:
    store.queue.wake(mailbox)
    claimed(store, mailbox)
    store.queue.wake(mailbox)
    assert store.queue.claim("two", limit=10, lease=15) == []
    assert store.queue.claim("one", limit=10, lease=15) == []


def test_a_wake_while_it_runs_is_not_lost(store: Store, mailbox: int) -> None:
    store.queue.wake(mailbox)
    lease = claimed(store, mailbox)
    store.queue.wake(mailbox)
    assert store.queue.finish(lease, next_due=600)
    assert store.queue.next_due_in() == pytest.approx(0)
    assert claimed(store, mailbox, owner="two").run == 2


def test_without_a_wake_it_is_due_when_the_run_said(store: Store, clock: MovedClock, mailbox: int) -> None:
    store.queue.wake(mailbox)
    assert store.queue.finish(claimed(store, mailbox), next_due=600)
    assert store.queue.next_due_in() == pytest.approx(600)
    clock.move(599)
    assert store.queue.claim("one", limit=10, lease=15) == []
    clock.move(1)
    assert claimed(store, mailbox).attempt == 1


def test_many_wakes_while_waiting_are_one_run(store: Store, mailbox: int) -> None:
    for _ in range(5):
        store.queue.wake(mailbox)
    lease = claimed(store, mailbox)
    assert lease.seq == 5
    store.queue.finish(lease)
    assert store.queue.next_due_in() is None


def test_a_wake_does_not_override_a_backoff(store: Store, clock: MovedClock, mailbox: int) -> None:
    store.queue.wake(mailbox)
    lease = claimed(store, mailbox)
    assert store.queue.finish(lease, next_due=0, not_before=30, failed=True)
    store.queue.wake(mailbox)
    clock.move(29)
    store.queue.wake(mailbox)
    assert store.queue.claim("one", limit=10, lease=15) == []
    assert store.queue.next_due_in() == pytest.approx(1)
    clock.move(1)
    assert claimed(store, mailbox).attempt == 2


def test_a_backoff_ends_with_the_next_run(store: Store, clock: MovedClock, mailbox: int) -> None:
    store.queue.wake(mailbox)
    store.queue.finish(claimed(store, mailbox), next_due=0, not_before=30, failed=True)
    clock.move(30)
    store.queue.finish(claimed(store, mailbox))
    store.queue.wake(mailbox)
    assert claimed(store, mailbox).attempt == 1


def test_an_expired_lease_goes_to_another_worker_and_the_first_is_fenced(
    store: Store, clock: MovedClock, mailbox: int
) -> None:
    store.queue.wake(mailbox)
    frozen = claimed(store, mailbox, owner="frozen")
    clock.move(14)
    assert store.queue.claim("heir", limit=10, lease=15) == []
    clock.move(1)
    heir = claimed(store, mailbox, owner="heir")
    assert heir.attempt == 2
    assert store.queue.finish(frozen, next_due=None) is False
    with pytest.raises(LeaseLost, match=str(mailbox)):
        store.queue.renew(frozen, 15)
    with pytest.raises(LeaseLost), store.save(frozen) as save:
        save.note("alice", "", "from the grave")
    assert store.log.notes("alice") == []
    store.queue.renew(heir, 15)
    assert store.queue.finish(heir)


def test_the_same_worker_is_fenced_from_its_own_later_run(
    store: Store, clock: MovedClock, mailbox: int
) -> None:
    store.queue.wake(mailbox)
    first = claimed(store, mailbox, owner="one")
    clock.move(15)
    second = claimed(store, mailbox, owner="one")
    assert store.queue.finish(first) is False
    assert store.queue.finish(second) is True


def test_a_renewed_lease_does_not_expire(store: Store, clock: MovedClock, mailbox: int) -> None:
    store.queue.wake(mailbox)
    lease = claimed(store, mailbox)
    clock.move(10)
    store.queue.renew(lease, 15)
    clock.move(10)
    assert store.queue.claim("two", limit=10, lease=15) == []
    clock.move(5)
    assert claimed(store, mailbox, owner="two").run == 2


def test_a_clean_stop_gives_everything_back(store: Store, mailbox: int) -> None:
    other = store.accounts.ensure_mailbox("tenant", "bob", "bob@example.com")
    store.queue.wake_all([mailbox, other])
    leases = store.queue.claim("one", limit=10, lease=15)
    assert store.queue.release_all("one") == 2
    assert store.queue.release_all("one") == 0
    again = store.queue.claim("two", limit=10, lease=15)
    assert {lease.mailbox_id for lease in again} == {mailbox, other}
    assert {lease.attempt for lease in again} == {1}
    assert store.queue.finish(leases[0]) is False


def test_the_longest_waiting_come_first_and_no_more_than_the_limit(store: Store, clock: MovedClock) -> None:
    ids = [store.accounts.ensure_mailbox("tenant", f"user{n}", "") for n in range(4)]
    for mailbox_id in reversed(ids):
        store.queue.wake(mailbox_id)
        clock.move(1)
    leases = store.queue.claim("one", limit=3, lease=15)
    assert [lease.mailbox_id for lease in leases] == [ids[3], ids[2], ids[1]]


def test_a_mailbox_woken_during_its_run_does_not_pass_those_that_wait(
    store: Store, clock: MovedClock, mailbox: int
) -> None:
    other = store.accounts.ensure_mailbox("tenant", "bob", "")
    store.queue.wake(mailbox)
    lease = claimed(store, mailbox)
    clock.move(1)
    store.queue.wake_all([mailbox, other])
    clock.move(1)
    store.queue.finish(lease)
    assert [found.mailbox_id for found in store.queue.claim("one", limit=1, lease=15)] == [other]


def test_a_change_wakes_the_router(store: Store, mailbox: int) -> None:
    store.queue.record_change("Meeting", "m1", user_hint="alice", kind="deleted")
    (lease,) = store.queue.claim("one", limit=10, lease=15)
    assert (lease.mailbox_id, lease.kind) == (ROUTER, MailboxKind.ROUTER)
    (change,) = store.changes.unrouted(10)
    assert (change.entity_type, change.record_id) == ("Meeting", "m1")
    assert (change.user_hint, change.kind) == ("alice", "deleted")
    assert change.created_at == pytest.approx(store.clock.now())


def test_many_changes_are_one_wake(store: Store) -> None:
    store.queue.record_changes([("Call", f"c{n}", "", "saved") for n in range(50)])
    store.queue.record_changes([])
    assert claimed(store, ROUTER).seq == 1
    assert [change.record_id for change in store.changes.unrouted(100)] == [f"c{n}" for n in range(50)]


@pytest.mark.parametrize(
    "record_id",
    [
        pytest.param("nul\0byte", id="nul"),
        pytest.param("lone\ud800surrogate", id="surrogate"),
        pytest.param("quote\"'\\%s:x", id="quotes"),
        pytest.param("\u2603" * 300, id="long_unicode"),
    ],
)
def test_a_hostile_id_is_noted_without_what_no_database_takes(store: Store, record_id: str) -> None:
    store.queue.record_change("Meeting", record_id)
    (change,) = store.changes.unrouted(10)
    assert change.record_id == record_id.replace("\0", "").replace("\ud800", "?")


def test_the_pace_survives(store: Store, opened: Opener, clock: MovedClock, mailbox: int) -> None:
    assert store.queue.pace(mailbox) == Pace(0.0, 0)
    store.queue.add_pace(mailbox, Pace(0.0, 0), Pace(clock.now(), 9_000))
    assert opened(clock=clock).queue.pace(mailbox) == Pace(clock.now(), 9_000)


WINDOW = Pace(1_000.0, 10)
ONE_AND_ANOTHER = [
    pytest.param(Pace(1_000.0, 15), Pace(1_000.0, 12), Pace(1_000.0, 17), id="same-window"),
    pytest.param(Pace(1_600.0, 5), Pace(1_601.0, 2), Pace(1_600.0, 7), id="both-begin-one"),
    pytest.param(Pace(1_600.0, 5), Pace(1_000.0, 12), Pace(1_600.0, 7), id="another-began-one"),
    pytest.param(Pace(1_000.0, 15), Pace(1_600.0, 2), Pace(1_600.0, 2), id="one-was-in-the-last"),
    pytest.param(Pace(400.0, 5), Pace(400.0, 5), Pace(400.0, 10), id="clock-was-set-back"),
]


@pytest.mark.parametrize(("one", "another", "both"), ONE_AND_ANOTHER)
def test_a_sync_and_a_look_at_once_both_count(
    store: Store, mailbox: int, one: Pace, another: Pace, both: Pace
) -> None:
    store.queue.add_pace(mailbox, Pace(0.0, 0), WINDOW)
    for after in (one, another):
        store.queue.add_pace(mailbox, WINDOW, after)
    assert store.queue.pace(mailbox) == both


def test_without_an_injected_clock_the_queue_goes_by_real_time(live_store: Store) -> None:
    mailbox = live_store.accounts.ensure_mailbox("tenant", "alice", "")
    live_store.queue.wake(mailbox)
    lease = claimed(live_store, mailbox, lease=100)
    assert lease.until == pytest.approx(live_store.clock.now() + 100, abs=5)
    live_store.queue.finish(lease, next_due=50)
    assert live_store.queue.next_due_in() == pytest.approx(50, abs=5)


def test_an_unknown_user_has_no_account_to_change(store: Store) -> None:
    with pytest.raises(StoreError, match="nobody"):
        store.accounts.succeeded("nobody")
