"""The one lock under which all threads of a process write to a SQLite file.

Decides who writes next: whoever comes while it is free, but a thread that waits is passed over a few times at
most and then gets it by hand. SQLite's own busy handler is unfair (4 threads: a wait of 0.5 s was measured);
strict turns are fair but make every write wait for a change of threads (4 threads: 4 times the median).
"""

from __future__ import annotations

import threading
from collections import deque
from time import monotonic
from weakref import WeakValueDictionary

PASSED_OVER = 3
"""How many others may come before the thread that waits longest."""


class WriterLock:
    """A lock with a time-out that starves nobody."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._held = False
        self._passed = 0
        self._waiting: deque[threading.Lock] = deque()
        """One locked lock for each thread that waits; unlocking it wakes the thread."""

    def acquire(self, timeout: float) -> bool:
        """Whether the lock was had within `timeout` seconds."""
        with self._mutex:
            if self._take():
                self._passed += 1 if self._waiting else 0
                return True
            if timeout <= 0:
                return False
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        deadline = monotonic() + timeout
        while turn.acquire(timeout=max(0.0, deadline - monotonic())):
            with self._mutex:
                if turn not in self._waiting:
                    return True
                if self._take():
                    self._leave(turn)
                    return True
        with self._mutex:
            if turn not in self._waiting:
                return True
            self._leave(turn)
            # It may have been woken just now, for a lock that is free: then the next one is.
            self._wake_first()
        return False

    def release(self) -> None:
        """Give it to the thread that waits longest, or to whoever comes before that one wakes up."""
        with self._mutex:
            if self._waiting and self._passed >= PASSED_OVER:
                first = self._waiting[0]
                self._leave(first)
                if first.locked():
                    first.release()
                return
            self._held = False
            self._wake_first()

    @property
    def waiting(self) -> int:
        """How many threads wait for it."""
        return len(self._waiting)

    def _take(self) -> bool:
        free = not self._held
        self._held = True
        return free

    def _leave(self, turn: threading.Lock) -> None:
        if self._waiting[0] is turn:
            self._passed = 0
        self._waiting.remove(turn)

    def _wake_first(self) -> None:
        if self._waiting and self._waiting[0].locked():
            self._waiting[0].release()


_locks: WeakValueDictionary[str, WriterLock] = WeakValueDictionary()
_locks_mutex = threading.Lock()


def writer_lock(path: str) -> WriterLock:
    """The lock of the file at `path`: the same for all stores of this process."""
    with _locks_mutex:
        return _locks.setdefault(path, WriterLock())
