"""The heartbeat: keeps the leases of runs that are under way.

Decides how long a run may hold its mailbox: as long as it is tracked, and never longer than the maximum run
time, so that a run that hangs or escaped does not keep its mailbox for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from calsync_plugin.errors import StoreBusy, StoreError
from calsync_plugin.state.clock import Clock
from calsync_plugin.state.queue import Queue
from calsync_plugin.state.rows import Lease


class Heart:
    """A thread that renews tracked leases every third of their length. Use it as a context manager."""

    def __init__(
        self, queue: Queue, clock: Clock, *, lease_seconds: float = 15.0, max_run_seconds: float = 600.0
    ) -> None:
        self._queue = queue
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._max_run_seconds = max_run_seconds
        self._mutex = threading.Lock()
        self._tracked: dict[tuple[int, int], tuple[Lease, float]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="calsync-heart", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    @contextmanager
    def tracking(self, lease: Lease) -> Generator[None]:
        """Renew `lease` until the block ends, however it ends."""
        key = (lease.mailbox_id, lease.run)
        with self._mutex:
            self._tracked[key] = (lease, self._clock.now())
        try:
            yield
        finally:
            with self._mutex:
                self._tracked.pop(key, None)

    def holds(self, lease: Lease) -> bool:
        """Whether the lease is still renewed: not lost, and its run not over the maximum time."""
        with self._mutex:
            return (lease.mailbox_id, lease.run) in self._tracked

    def beat(self) -> None:
        """Renew what is tracked, once. Leases that are lost or too old are tracked no longer."""
        now = self._clock.now()
        with self._mutex:
            for key, (_, since) in list(self._tracked.items()):
                if now - since > self._max_run_seconds:
                    del self._tracked[key]
            leases = [lease for lease, _ in self._tracked.values()]
        if not leases:
            return
        lost = self._queue.renew_all(leases, self._lease_seconds)
        with self._mutex:
            for lease in lost:
                self._tracked.pop((lease.mailbox_id, lease.run), None)

    def _run(self) -> None:
        while not self._stop.wait(self._lease_seconds / 3):
            try:
                self.beat()
            except (StoreBusy, StoreError):
                # The next beat comes before the leases end.
                continue
