"""The webhook queue: what is waiting, how it is grouped, and what an answer means.

Two stages as in EspoCRM 9.2.7: a save puts events down; a run takes at most 20 of them, gives each to the
hooks that want it, and sends every hook one array of at most 50 items. Answers as measured: 2xx and 3xx are
done; some codes are tried again after 10 minutes, 4 times in all; the others fail at once; 410 removes the
hook. Nothing is sent here.
"""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from calsync_plugin.sandbox.crm.access import Access
from calsync_plugin.sandbox.crm.changes import Change
from calsync_plugin.sandbox.crm.clock import Clock
from calsync_plugin.sandbox.crm.presenter import Presenter
from calsync_plugin.sandbox.crm.settings import Settings
from calsync_plugin.sandbox.crm.store import Store
from calsync_plugin.sandbox.crm.tables import Record

BATCH_SIZE = 50
ATTEMPTS = 4
RETRY_AFTER = timedelta(minutes=10)
# 0 stands for no answer at all: refused, reset or timed out.
RETRIED = frozenset({0, 401, 403, 404, 405, 408, 500, 503})
KEPT_ITEMS = 1000


@dataclass(slots=True)
class Event:
    """A save that some hook may want to hear of."""

    name: str
    entity_type: str
    target_id: str
    user_id: str
    data: Record


@dataclass(slots=True)
class Item:
    """An event on its way to one hook."""

    number: int
    hook_id: str
    event: str
    entity_type: str
    target_id: str
    data: Record
    status: str = "Pending"  # Pending, Success or Failed
    attempts: int = 0
    process_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """One request to one hook."""

    hook: Record
    items: list[Item]
    payload: list[Record]


class WebhookQueue:
    """Holds events and items. The caller holds the store's lock."""

    def __init__(
        self, store: Store, access: Access, clock: Clock, settings: Settings, presenter: Presenter
    ) -> None:
        self._store = store
        self._access = access
        self._clock = clock
        self._settings = settings
        self._presenter = presenter
        self.events: deque[Event] = deque()
        self.items: dict[int, Item] = {}
        # what is done or failed, for the listing only
        self.finished: deque[Item] = deque(maxlen=KEPT_ITEMS)
        self._number = 0

    def note(self, change: Change) -> bool:
        """Put down the events of a change that any active hook listens to. True if there was one."""
        wanted = self._events_wanted(change.entity.name)
        before = len(self.events)
        name = f"{change.entity.name}.{change.kind}"
        if name in wanted:
            self._put(name, change, change.payload())
        for event in wanted if change.kind == "update" else ():
            field_name = event.removeprefix(f"{change.entity.name}.fieldUpdate.")
            payload = change.field_payload(field_name) if field_name != event else None
            if payload is not None:
                self._put(event, change, payload)
        return len(self.events) > before

    def _events_wanted(self, entity_type: str) -> list[str]:
        """The events of active hooks, fieldUpdates in the order of the entity's fields."""
        order = {name: place for place, name in enumerate(self._store.entity(entity_type).attributes)}

        def place(event: str) -> int:
            field_name = event.rsplit(".", maxsplit=1)[-1]
            return min(order.get(f"{field_name}{end}", len(order)) for end in ("", "Id", "Ids"))

        hooks = self._store.tables["Webhook"]
        events = {row["event"] for row in hooks if row["isActive"] and row["entityType"] == entity_type}
        return sorted(events, key=place)

    def _put(self, name: str, change: Change, data: Record) -> None:
        self.events.append(Event(name, change.entity.name, change.record_id, change.by.id, data))

    def take_portion(self) -> None:
        """Turn up to one portion of events into items of the hooks that want them."""
        hooks = sorted(self._store.tables["Webhook"], key=lambda row: (row["createdAt"], row["id"]))
        for _ in range(min(self._settings.webhook_portion, len(self.events))):
            event = self.events.popleft()
            for hook in hooks:
                own = hook["skipOwn"] and hook["createdById"] == event.user_id
                if hook["isActive"] and hook["event"] == event.name and not own:
                    self._number += 1
                    self.items[self._number] = Item(
                        self._number, hook["id"], event.name, event.entity_type, event.target_id, event.data
                    )

    def due_batches(self) -> list[Batch]:
        """What to send now: one batch per hook, in the order of their oldest item."""
        now = self._clock.now()
        groups: dict[str, list[Item]] = {}
        for item in self.items.values():
            if item.process_at is None or item.process_at <= now:
                groups.setdefault(item.hook_id, []).append(item)
        batches = [self._batch(hook_id, items[:BATCH_SIZE]) for hook_id, items in groups.items()]
        return [batch for batch in batches if batch]

    def _batch(self, hook_id: str, items: list[Item]) -> Batch | None:
        hook = self._store.tables["Webhook"].get(hook_id)
        if hook is None or not hook["isActive"]:
            self._drop(items)
            return None
        owner = self._access.caller(hook["createdById"])
        hidden = set(self._presenter.hidden(owner, self._store.entity(hook["entityType"])))
        sent: list[Item] = []
        for item in items:
            row = self._store.tables[item.entity_type].rows.get(item.target_id)
            if row is None or not self._access.may(owner, item.entity_type, "read", row):
                self._drop([item])
            else:
                sent.append(item)
        payload = [{k: v for k, v in item.data.items() if k not in hidden} for item in sent]
        return Batch(hook, sent, payload) if sent else None

    def _drop(self, items: list[Item]) -> None:
        for item in items:
            self.items.pop(item.number, None)

    def settle(self, batch: Batch, status: int) -> None:
        """Take note of a hook's answer; 0 is none."""
        if status == 410:
            self._drop([item for item in self.items.values() if item.hook_id == batch.hook["id"]])
            self._store.change("Webhook", batch.hook["id"], {"deleted": True})
            return
        for item in batch.items:
            item.attempts += 1
            if status in RETRIED and item.attempts < ATTEMPTS:
                item.process_at = self._clock.now() + RETRY_AFTER
                continue
            item.status = "Success" if 200 <= status < 400 else "Failed"
            item.process_at = None
            self._drop([item])
            self.finished.append(item)

    def next_due(self) -> datetime | None:
        """When the next item wants to be sent; None if nothing waits. Events are due at once."""
        if self.events:
            return self._clock.now()
        return min((item.process_at or self._clock.now() for item in self.items.values()), default=None)

    def listing(self) -> dict[str, list[dict[str, Any]]]:
        """Everything in the queue, for the control API."""
        items = [*self.finished, *self.items.values()]
        return {
            "events": [asdict(event) for event in self.events],
            "items": [
                {**asdict(item), "process_at": item.process_at and item.process_at.isoformat()}
                for item in items
            ],
        }

    def clear(self) -> None:
        """Forget everything that waits or is done."""
        self.events.clear()
        self.items.clear()
        self.finished.clear()
