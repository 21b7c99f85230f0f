"""The heartbeat: it holds what is tracked, not for ever, and nothing else."""

from __future__ import annotations

import pytest

from calsync_plugin.state import Heart, Store
from tests.state.samples import MovedClock, claimed


@pytest.fixture
def heart(store: Store, clock: MovedClock) -> Heart:
    """A heart that beats only when told."""
    return Heart(store.queue, clock, lease_seconds=15, max_run_seconds=60)


def test_a_tracked_lease_does_not_expire(store: Store, clock: MovedClock, mailbox: int, heart: Heart) -> None:
    store.queue.wake(mailbox)
    lease = claimed(store, mailbox)
    with heart.tracking(lease):
        for _ in range(10):
            clock.move(5)
            heart.beat()
        assert heart.holds(lease)
        assert store.queue.claim("two", limit=10, lease=15) == []
    assert store.queue.finish(lease)


def test_an_exception_never_leaves_a_lease_behind(
    store: Store, clock: MovedClock, mailbox: int, heart: Heart
) -> None:
    store.queue.wake(mailbox)
    lease = claimed(store, mailbox)
    with pytest.raises(KeyError), heart.tracking(lease):
        raise KeyError("a bug")
    for _ in range(3):
        clock.move(5)
        heart.beat()
    assert claimed(store, mailbox, owner="two").attempt == 2


def test_a_run_that_hangs_loses_its_mailbox(
    store: Store, clock: MovedClock, mailbox: int, heart: Heart
) -> None:
    store.queue.wake(mailbox)
    lease = claimed(store, mailbox)
    with heart.tracking(lease):
        for _ in range(12):
            clock.move(5)
            heart.beat()
        assert heart.holds(lease)
        clock.move(5)
        heart.beat()
        assert not heart.holds(lease)
        clock.move(10)
        heart.beat()
        assert claimed(store, mailbox, owner="two").run == 2


def test_a_frozen_run_learns_that_it_lost(
    store: Store, clock: MovedClock, mailbox: int, heart: Heart
) -> None:
    store.queue.wake(mailbox)
    lease = claimed(store, mailbox)
    with heart.tracking(lease):
        clock.move(20)
        heir = claimed(store, mailbox, owner="heir")
        heart.beat()
        assert not heart.holds(lease)
    assert store.queue.finish(heir)


def test_the_thread_beats(live_store: Store) -> None:
    mailbox = live_store.accounts.ensure_mailbox("tenant", "alice", "")
    live_store.queue.wake(mailbox)
    lease = claimed(live_store, mailbox, lease=0.6)
    with Heart(live_store.queue, live_store.clock, lease_seconds=0.6) as heart, heart.tracking(lease):
        # It is due, so only a lease that is renewed keeps this wait from finding it.
        assert live_store.queue.wait(1.5) is False
    assert live_store.queue.wait(5) is True
