"""Drains the leased rows with a pool of threads: claims, runs, gives back.

Decides how many run at once and what becomes of a row whose run failed in a way nobody foresaw. Does not
know what a run does: the router, the sweep and the mailboxes are handed in.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass

from calsync_plugin.engine.counting import Counting
from calsync_plugin.errors import Lost, StoreBusy, StoreError
from calsync_plugin.state import Heart, Lease, MailboxKind, Store

log = logging.getLogger(__name__)

IDLE_POLL = 1.0
"""Seconds after which a waiting worker looks again even if nothing rang."""
LONGEST_BACKOFF = 600.0
AWAY = (StoreBusy, StoreError)
"""The database is restarted, fails over, is full or damaged: what a worker must outlive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """How a run ended: when the row is due by itself, and until when not even a wake may start it."""

    next_due: float | None = None
    not_before: float | None = None
    failed: bool = False


Run = Callable[[Lease], Rest]


def backoff(attempt: int) -> float:
    """Seconds to wait after the `attempt`-th failure in a row: 1, 2, 4 ... capped."""
    return min(2.0 ** min(max(attempt, 1) - 1, 16), LONGEST_BACKOFF)


def _after_failure(lease: Lease) -> Rest:
    return Rest(next_due=0.0, not_before=backoff(lease.attempt), failed=True)


class Worker:
    """Runs due rows until it is stopped."""

    def __init__(
        self,
        store: Store,
        runs: Mapping[MailboxKind, Run],
        counting: Counting,
        *,
        enabled: Callable[[], bool] = lambda: True,
        threads: int,
        lease_seconds: float,
    ) -> None:
        """Run each kind of row by its function, up to `threads` rows at once, while it is `enabled`."""
        self._store = store
        self._runs = runs
        self._counting = counting
        self._enabled = enabled
        self._threads = threads
        self._lease_seconds = lease_seconds
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def stopping(self) -> bool:
        """Whether a stop was asked for: long runs yield then."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Drain in the background."""
        self._thread = threading.Thread(target=self.run_forever, name="calsync-worker", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 9.0) -> None:
        """Let the running rows come to a saved end and return; at most `timeout` seconds."""
        self._stopping.set()
        self._store.queue.interrupt()
        if self._thread is not None:
            self._thread.join(timeout)
            self._thread = None

    def run_forever(self) -> None:
        """Claim and run until `stop`."""
        running: set[Future[None]] = set()
        pool = ThreadPoolExecutor(self._threads, thread_name_prefix="calsync-run")
        with self._heart() as heart, pool:
            while not self._stopping.is_set():
                running = {future for future in running if not future.done()}
                if len(running) >= self._threads:
                    wait(running, timeout=IDLE_POLL, return_when=FIRST_COMPLETED)
                    continue
                leases = self._claim(self._threads - len(running))
                if leases is None:
                    self._stopping.wait(IDLE_POLL)
                    continue
                running |= {pool.submit(self._run, lease, heart) for lease in leases}
                if not leases:
                    self._idle()
            wait(running)
        with suppress(*AWAY):
            # Without it the leases end by themselves.
            self._store.queue.release_all(self._owner)

    def _idle(self) -> None:
        self._counting.save_if_due()
        try:
            self._store.queue.wait(IDLE_POLL)
        except AWAY:
            # The next claim says so.
            self._stopping.wait(IDLE_POLL)

    def drain(self, *, rounds: int = 1000) -> int:
        """Run everything that is due now in this thread; returns how many rows were run."""
        count = 0
        with self._heart() as heart:
            for _ in range(rounds):
                leases = self._claim(self._threads)
                if not leases:
                    break
                for lease in leases:
                    self._run(lease, heart)
                count += len(leases)
        return count

    def _heart(self) -> Heart:
        return Heart(self._store.queue, self._store.clock, lease_seconds=self._lease_seconds)

    def _claim(self, limit: int) -> list[Lease] | None:
        """What can be run now; None if nothing may run now, or the store cannot say what."""
        if not self._enabled():
            return None
        try:
            return self._store.queue.claim(self._owner, limit=limit, lease=self._lease_seconds)
        except AWAY as error:
            log.warning("no work could be claimed: %s", error)
            return None

    def _run(self, lease: Lease, heart: Heart) -> None:
        """Run one row and give it back, whatever happens: an exception must never leave a lease behind."""
        with heart.tracking(lease):
            try:
                rest = self._runs[lease.kind](lease)
                result = "failed" if rest.failed else "done"
            except Lost as error:
                log.info("mailbox %s: %s", lease.mailbox_id, error)
                rest, result = Rest(next_due=0.0), "lost"
            except AWAY as error:
                log.warning("mailbox %s: %s", lease.mailbox_id, error)
                rest, result = _after_failure(lease), "failed"
            except Exception:
                log.exception("mailbox %s: the run failed unexpectedly", lease.mailbox_id)
                rest, result = _after_failure(lease), "failed"
        self._finish(lease, rest)
        self._counting.ran(lease.kind, result)
        self._counting.save_if_due()

    def _finish(self, lease: Lease, rest: Rest) -> None:
        try:
            ours = self._store.queue.finish(
                lease, next_due=rest.next_due, not_before=rest.not_before, failed=rest.failed
            )
        except AWAY as error:
            # The lease ends by itself; another claim takes the row then.
            log.warning("mailbox %s could not be given back yet: %s", lease.mailbox_id, error)
            return
        if not ours:
            log.info("mailbox %s went to another worker meanwhile", lease.mailbox_id)
