"""The one lock under which all threads of a process write to a SQLite file.

Decides who writes next: first come, first served. SQLite's own busy handler is unfair (4 threads: a wait of
0.5 s was measured), and so is a plain lock.
"""

from __future__ import annotations

import threading
from collections import deque
from weakref import WeakValueDictionary


class WriterLock:
    """A fair lock with a time-out."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Lock] = deque()

    def acquire(self, timeout: float) -> bool:
        """Whether the lock was had within `timeout` seconds."""
        with self._mutex:
            if not self._held:
                self._held = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=max(0.0, timeout)):
            return True
        with self._mutex:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return False
        # It was handed over between the time-out and here.
        return True

    def release(self) -> None:
        """Hand the lock to the one who waits longest."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False

    @property
    def waiting(self) -> int:
        """How many threads wait for it."""
        return len(self._waiting)


_locks: WeakValueDictionary[str, WriterLock] = WeakValueDictionary()
_locks_mutex = threading.Lock()


def writer_lock(path: str) -> WriterLock:
    """The lock of the file at `path`: the same for all stores of this process."""
    with _locks_mutex:
        return _locks.setdefault(path, WriterLock())
