"""The writer lock: nobody waits for ever, and nobody who gave up is served."""

from __future__ import annotations

import threading
from time import monotonic

from calsync_plugin.state.lock import PASSED_OVER, WriterLock, writer_lock

DEADLINE = 10.0


def _until_waiting(lock: WriterLock, count: int) -> None:
    end = monotonic() + DEADLINE
    while lock.waiting != count:
        assert monotonic() < end, f"{lock.waiting} wait, expected {count}"


def test_a_thread_that_waits_is_passed_over_a_few_times_at_most() -> None:
    lock = WriterLock()
    lock.acquire(0)
    # A thread that is slow to wake up: it stands in the queue and does not run.
    slow = threading.Lock()
    slow.acquire()
    lock._waiting.append(slow)
    times = 0
    lock.release()
    while lock.acquire(0):
        times += 1
        lock.release()
    assert times == PASSED_OVER
    assert lock.waiting == 0, "it was handed over"
    assert not slow.locked()
    lock.release()
    assert lock.acquire(0)


def test_a_thread_that_waits_gets_it() -> None:
    lock = WriterLock()
    lock.acquire(0)
    had = threading.Event()
    waiting = threading.Thread(target=lambda: had.set() if lock.acquire(DEADLINE) else None)
    waiting.start()
    _until_waiting(lock, 1)
    lock.release()
    assert had.wait(DEADLINE)
    waiting.join()
    assert not lock.acquire(0)


def test_who_gives_up_is_not_waited_for() -> None:
    lock = WriterLock()
    lock.acquire(0)
    assert not lock.acquire(0.01)
    assert lock.waiting == 0
    lock.release()
    assert lock.acquire(0)


def test_the_first_who_waits_gives_up_and_the_second_is_served() -> None:
    lock = WriterLock()
    lock.acquire(0)
    gave_up: list[bool] = []
    served = threading.Event()
    first = threading.Thread(target=lambda: gave_up.append(lock.acquire(0.2)))
    first.start()
    _until_waiting(lock, 1)
    second = threading.Thread(target=lambda: served.set() if lock.acquire(DEADLINE) else None)
    second.start()
    _until_waiting(lock, 2)
    first.join()
    assert gave_up == [False]
    lock.release()
    assert served.wait(DEADLINE)
    second.join()


def test_all_stores_of_a_file_share_its_lock() -> None:
    assert writer_lock("/a.db") is not writer_lock("/b.db")
    kept = writer_lock("/a.db")
    assert writer_lock("/a.db") is kept
