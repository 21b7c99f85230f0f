"""Change notifications: who subscribed, what is due, when it is tried again.

Rules of a subscription's life lie here; `delivery` sends. The queue follows the movable clock: a failed
delivery is tried again with growing pauses for up to four hours, then lost (Graph docs, "Receive change
notifications through webhooks"). The sending thread starts with the first subscription and ends with
`close`.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from calsync_plugin.sandbox.outlook import ids
from calsync_plugin.sandbox.outlook.delivery import Deliver, deliver_by_http
from calsync_plugin.sandbox.outlook.identities import TENANT_ID
from calsync_plugin.sandbox.outlook.items import change_key
from calsync_plugin.sandbox.outlook.odata_types import instant
from calsync_plugin.sandbox.outlook.state import Item, Mailbox
from calsync_plugin.sandbox.outlook.wire import Json

GIVES_UP = timedelta(hours=4)
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 600.0
FIRST_TIMEOUT, LATER_TIMEOUT = 3.0, 10.0
_IDLE = 0.5
# Seconds for a delivery under way when the simulator closes; the receiver may have closed before it.
_AT_THE_END = 1.0


@dataclass(frozen=True, slots=True)
class Subscription:
    """One client's wish to hear of changes in a mailbox."""

    id: str
    mailbox: str
    creator: str
    change_types: tuple[str, ...]
    resource: str
    url: str
    lifecycle_url: str | None
    client_state: str | None
    expires: str
    immutable: bool
    silent: bool = False

    def expires_at(self) -> datetime:
        """Return when it ends."""
        return datetime.fromisoformat(self.expires)


@dataclass(slots=True)
class Due:
    """A notification on its way."""

    url: str
    body: Json
    since: datetime
    at: datetime
    tries: int = 0


class Subscriptions:
    """All subscriptions and the notifications that are still to be delivered."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._wake = threading.Condition()
        self._all: dict[str, Subscription] = {}
        self._queue: list[Due] = []
        self._thread: threading.Thread | None = None
        self._closed = False
        self.lost = 0
        # Replaced by tests in the same process; returns the receiver's status and text, raises OSError.
        self.deliver: Deliver = deliver_by_http
        self.in_background = True

    def alive(self) -> list[Subscription]:
        """Return subscriptions that have not expired; expired ones are forgotten."""
        now = self._now()
        with self._wake:
            self._all = {key: one for key, one in self._all.items() if one.expires_at() > now}
            return list(self._all.values())

    def get(self, identity: str) -> Subscription | None:
        """Return a living subscription."""
        return next((one for one in self.alive() if one.id == identity), None)

    def add(self, subscription: Subscription) -> None:
        """Keep a new subscription."""
        with self._wake:
            self._all[subscription.id] = subscription

    def renew(self, subscription: Subscription, expires: str) -> Subscription:
        """Return the subscription with a later end; a renewal reauthorizes it, too."""
        made = replace(subscription, expires=expires, silent=False)
        self.add(made)
        return made

    def reauthorize(self, subscription: Subscription) -> None:
        """Let a subscription speak again."""
        self.add(replace(subscription, silent=False))

    def redirect(self, before: str, after: str) -> None:
        """Let subscriptions whose receiver had one address go on at another."""
        with self._wake:
            for key, one in self._all.items():
                if one.url.startswith(before):
                    lifecycle = one.lifecycle_url and one.lifecycle_url.replace(before, after, 1)
                    self._all[key] = replace(
                        one, url=one.url.replace(before, after, 1), lifecycle_url=lifecycle
                    )

    def drop(self, identity: str) -> None:
        """Forget a subscription."""
        with self._wake:
            self._all.pop(identity, None)

    def event_changed(self, mailbox: Mailbox, item: Item, change: str) -> None:
        """Queue notifications for an event that was created, updated or deleted."""
        if not self._all:
            return
        for one in self.alive():
            if one.mailbox == mailbox.address and change in one.change_types and not one.silent:
                self._enqueue(one.url, self._notification(one, mailbox, item, change))

    def _notification(self, one: Subscription, mailbox: Mailbox, item: Item, change: str) -> Json:
        identity = (
            ids.immutable_id(mailbox.number, item.day, item.number)
            if one.immutable
            else ids.default_id(mailbox.number, item.folder, item.day, item.number)
        )
        path = f"Users/{mailbox.object_id}/Events/{identity}"
        return {
            **self._envelope(one),
            "changeType": change,
            "resource": path,
            "resourceData": {
                "@odata.type": "#Microsoft.Graph.Event",
                "@odata.id": path,
                "@odata.etag": f'W/"{change_key(mailbox.number, item.key)}"',
                "id": identity,
            },
        }

    def _envelope(self, one: Subscription) -> Json:
        return {
            "id": str(uuid.uuid4()),
            "subscriptionId": one.id,
            "subscriptionExpirationDateTime": instant(one.expires_at()),
            "clientState": one.client_state,
            "tenantId": TENANT_ID,
        }

    def send_lifecycle(self, one: Subscription, event: str, *, silences: bool = False) -> None:
        """Queue a lifecycle notification: missed, subscriptionRemoved or reauthorizationRequired.

        `silences`: the last one stops the others until it is heeded.
        """
        if one.lifecycle_url:
            body = {
                **self._envelope(one),
                "lifecycleEvent": event,
                "changeType": "updated",
                "resource": one.resource,
            }
            self._enqueue(one.lifecycle_url, body)
        if event == "subscriptionRemoved":
            self.drop(one.id)
        elif event == "reauthorizationRequired" and silences:
            self.add(replace(one, silent=True))

    def _enqueue(self, url: str, body: Json) -> None:
        now = self._now()
        with self._wake:
            self._queue.append(Due(url, body, now, now))
            if self._thread is None and self.in_background and not self._closed:
                self._thread = threading.Thread(target=self._work, name="outlook-notifications", daemon=True)
                self._thread.start()
            self._wake.notify_all()

    def _take(self) -> list[Due]:
        """Take all notifications for one address that are due: several may share one POST."""
        now = self._now()
        first = next((due for due in self._queue if due.at <= now), None)
        if first is None:
            return []
        same = [
            due for due in self._queue if due.url == first.url and due.at <= now and due.tries == first.tries
        ]
        self._queue = [due for due in self._queue if due not in same]
        return same

    def flush(self) -> int:
        """Deliver in this thread what is due now; return how many notifications were taken over by their
        receivers.
        """
        delivered = 0
        while True:
            with self._wake:
                batch = self._take()
            if not batch:
                return delivered
            delivered += self._send(batch)

    def _send(self, batch: list[Due]) -> int:
        first = batch[0]
        timeout = FIRST_TIMEOUT if not first.tries else LATER_TIMEOUT
        try:
            status, _ = self.deliver(first.url, {"value": [due.body for due in batch]}, timeout)
        except OSError:
            status = 0
        if 200 <= status < 300:
            return len(batch)
        now = self._now()
        with self._wake:
            for due in batch:
                due.at = now + timedelta(seconds=min(LONGEST_PAUSE, FIRST_PAUSE * 2**due.tries))
                due.tries += 1
                if now - due.since < GIVES_UP:
                    self._queue.append(due)
                else:
                    self.lost += 1
        return 0

    def _work(self) -> None:
        while not self._closed:
            self.flush()
            with self._wake:
                if not self._closed and not any(due.at <= self._now() for due in self._queue):
                    self._wake.wait(_IDLE)

    def wake(self) -> None:
        """Look at the queue again, after the clock was moved."""
        with self._wake:
            self._wake.notify_all()

    def pending(self) -> int:
        """Return how many notifications still wait."""
        with self._wake:
            return len(self._queue)

    def clear(self) -> None:
        """Forget all subscriptions and notifications."""
        with self._wake:
            self._all, self._queue, self.lost = {}, [], 0

    def close(self) -> None:
        """End the sending thread."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout=_AT_THE_END)

    def as_json(self) -> list[Json]:
        """Return subscriptions for a dump."""
        with self._wake:
            return [asdict(one) for one in self._all.values()]

    def restore(self, values: list[Json]) -> None:
        """Take over subscriptions from a dump."""
        for value in values:
            self.add(Subscription(**{**value, "change_types": tuple(value["change_types"])}))
