"""Waiting: woken at once in this process, soon from another one, and never woken for nothing."""

from __future__ import annotations

import threading
from time import monotonic

import pytest

from calsync_plugin.state import ROUTER, Store, waiting
from calsync_plugin.state.waiting import Doorbell
from tests.state.samples import MovedClock, Opener, claimed

LONG = 20.0


@pytest.fixture
def _no_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a test cannot pass by the poll of every second."""
    monkeypatch.setattr(waiting, "POLL_SECONDS", LONG)


def _waiter(store: Store) -> tuple[threading.Thread, list[bool]]:
    results: list[bool] = []
    thread = threading.Thread(target=lambda: results.append(store.queue.wait(LONG)))
    thread.start()
    return thread, results


@pytest.mark.usefixtures("_no_poll")
def test_a_change_in_this_process_ends_the_wait(live_store: Store) -> None:
    begun = monotonic()
    thread, results = _waiter(live_store)
    live_store.queue.record_change("Meeting", "m1")
    thread.join()
    assert results == [True]
    assert monotonic() - begun < LONG / 2


@pytest.mark.usefixtures("_no_poll")
def test_a_change_in_another_process_ends_the_wait(live_store: Store, opened: Opener) -> None:
    other = opened()
    begun = monotonic()
    thread, results = _waiter(live_store)
    assert live_store.queue.hears.wait(LONG)
    other.queue.record_change("Meeting", "m1")
    thread.join()
    assert results == [True]
    assert monotonic() - begun < LONG / 2


@pytest.mark.usefixtures("_no_poll")
def test_a_due_time_ends_the_wait(live_store: Store) -> None:
    live_store.queue.wake(ROUTER)
    live_store.queue.finish(claimed(live_store, ROUTER), next_due=0.2)
    begun = monotonic()
    assert live_store.queue.wait(LONG)
    assert monotonic() - begun < LONG / 2


def test_the_poll_finds_what_nobody_heard(store: Store, opened: Opener, clock: MovedClock) -> None:
    store.queue.wake(ROUTER)
    store.queue.finish(claimed(store, ROUTER), next_due=3600)
    thread, results = _waiter(store)
    clock.move(3600)
    thread.join()
    assert results == [True]


@pytest.mark.usefixtures("_no_poll")
def test_an_interruption_ends_the_wait(live_store: Store) -> None:
    thread, results = _waiter(live_store)
    assert live_store.queue.hears.wait(LONG)
    while thread.is_alive():
        live_store.queue.interrupt()
        thread.join(0.01)
    assert results == [False]


def test_nothing_due_is_false(live_store: Store) -> None:
    assert live_store.queue.wait(0.1) is False


@pytest.mark.usefixtures("_no_poll")
def test_a_save_of_another_process_that_makes_nothing_due_does_not_end_the_wait(
    live_store: Store, opened: Opener
) -> None:
    other = opened()
    thread, results = _waiter(live_store)
    assert live_store.queue.hears.wait(LONG)
    other.log.add_note("alice", "nothing to do")
    thread.join(0.3)
    assert results == []
    other.queue.wake(ROUTER)
    thread.join()
    assert results == [True]


@pytest.mark.usefixtures("_no_poll")
def test_a_ring_during_the_look_is_not_lost() -> None:
    doorbell = Doorbell()
    answers = iter([None, 0.0])

    def due_in() -> float | None:
        doorbell.ring()
        return next(answers)

    begun = monotonic()
    assert doorbell.wait(LONG, due_in)
    assert monotonic() - begun < LONG / 2
