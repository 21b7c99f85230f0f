"""Sending webhooks: the request as EspoCRM makes it, its two signatures, and the thread that does it in time.

`Signature` is base64 of "hook id:hex digest", `X-Signature` (until version 11) of "hook id:binary digest";
both digests are HMAC-SHA256 of the raw body with the hook's secret. Time-outs: 5 s to connect, 10 s in all.
Redirects are not followed. EspoCRM 9.2.7, measured.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections import deque
from dataclasses import dataclass
from datetime import timedelta

import requests

from calsync_plugin.sandbox.crm.clock import Clock, stored
from calsync_plugin.sandbox.crm.php_json import encode
from calsync_plugin.sandbox.crm.settings import Settings
from calsync_plugin.sandbox.crm.store import Store
from calsync_plugin.sandbox.crm.webhook_queue import Batch, WebhookQueue

TIMEOUT = (5, 10)
KEPT = 200
# The real time between two looks at a clock that may have been moved.
LOOK_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request to a hook and its answer; status 0 is none."""

    at: str
    hook_id: str
    event: str
    url: str
    count: int
    status: int
    error: str


def signatures(hook_id: str, secret: str, body: bytes) -> dict[str, str]:
    """The two signature headers of a delivery."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256)
    prefix = f"{hook_id}:".encode()
    return {
        "Signature": base64.b64encode(prefix + digest.hexdigest().encode()).decode(),
        "X-Signature": base64.b64encode(prefix + digest.digest()).decode(),
    }


class Dispatcher:
    """Runs the queue: when told, or in its own thread at the interval of the settings."""

    def __init__(
        self,
        queue: WebhookQueue,
        store: Store,
        clock: Clock,
        settings: Settings,
        session: requests.Session | None,
    ) -> None:
        self._queue = queue
        self._store = store
        self._clock = clock
        self._settings = settings
        self.session = session or requests.Session()
        self.deliveries: deque[Delivery] = deque(maxlen=KEPT)
        self._running = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread. It does nothing while the interval is None."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop, name="crm-webhooks", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread; what waits stays in the queue."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=sum(TIMEOUT))
            self._thread = None

    def wake(self) -> None:
        """There is something new, or the clock or the interval changed."""
        self._wake.set()

    def run_once(self) -> int:
        """One run of the queue: at most one portion of events, one request per hook. The number of"
        " requests."""
        with self._running:
            with self._store.lock:
                self._queue.take_portion()
                batches = self._queue.due_batches()
            for batch in batches:
                delivery = self._send(batch)
                with self._store.lock:
                    self._queue.settle(batch, delivery.status)
                    self.deliveries.append(delivery)
                    self._store.revision += 1
            return len(batches)

    def deliver_now(self) -> int:
        """Run the queue until nothing is due; retries that wait stay. The number of requests."""
        sent = 0
        while self._due():
            sent += self.run_once()
        return sent

    def _due(self) -> bool:
        with self._store.lock:
            due = self._queue.next_due()
            return due is not None and due <= self._clock.now()

    def _send(self, batch: Batch) -> Delivery:
        body = encode(batch.payload)
        # None takes away what requests would add; the product sends nothing else. (urllib3 below it still
        # names itself and an encoding on a real socket.)
        headers: dict[str, str | None] = {
            "User-Agent": None,
            "Accept-Encoding": None,
            "Connection": None,
            "Accept": "*/*",
            "Content-Type": "application/json",
            **signatures(batch.hook["id"], batch.hook["secretKey"], body),
        }
        status, error = 0, ""
        try:
            answer = self.session.post(
                batch.hook["url"], data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False
            )
            status = answer.status_code
        except (requests.RequestException, ValueError) as problem:
            error = type(problem).__name__
        return Delivery(
            stored(self._clock.now()),
            batch.hook["id"],
            batch.hook["event"],
            batch.hook["url"],
            len(batch.payload),
            status,
            error,
        )

    def _loop(self) -> None:
        last = self._clock.now()
        while not self._stop.is_set():
            self._wake.wait(timeout=LOOK_EVERY)
            self._wake.clear()
            interval = self._settings.webhook_interval
            if interval is None or self._stop.is_set():
                continue
            if interval == 0:
                self.deliver_now()
            elif self._clock.now() - last >= timedelta(seconds=interval):
                last = self._clock.now()
                self.run_once()
