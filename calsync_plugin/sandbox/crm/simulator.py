"""The CRM as one object: its records, clock, settings, webhooks and faults, put together.

A Flask app has it in `app.extensions["crm"]`; tests use it directly, other processes through the control API.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests

from calsync_plugin.sandbox.crm.access import Access
from calsync_plugin.sandbox.crm.auth import Auth
from calsync_plugin.sandbox.crm.changes import Change
from calsync_plugin.sandbox.crm.clock import Clock, MovableClock, stored
from calsync_plugin.sandbox.crm.delivery import Dispatcher
from calsync_plugin.sandbox.crm.entities import ATTENDEES
from calsync_plugin.sandbox.crm.faults import Faults
from calsync_plugin.sandbox.crm.ids import IdSource
from calsync_plugin.sandbox.crm.integrations import Integration
from calsync_plugin.sandbox.crm.listing import Listing
from calsync_plugin.sandbox.crm.persistence import dumped, restored
from calsync_plugin.sandbox.crm.request_log import RequestLog
from calsync_plugin.sandbox.crm.saving import Records
from calsync_plugin.sandbox.crm.seed import complete, seed_recorded, seed_sandbox
from calsync_plugin.sandbox.crm.settings import Settings
from calsync_plugin.sandbox.crm.store import Store
from calsync_plugin.sandbox.crm.tables import Record
from calsync_plugin.sandbox.crm.webhook_queue import WebhookQueue
from calsync_plugin.sandbox.crm.webhooks import Webhooks
from calsync_plugin.sandbox.crm.where import Filters


class Crm:
    """The simulated CRM."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        settings: Settings | None = None,
        session: requests.Session | None = None,
        marker_fields: bool = True,
    ) -> None:
        self.clock: Clock = clock or MovableClock()
        self.settings = settings or Settings(webhook_interval=None)
        self.store = Store(marker_fields=marker_fields)
        self.integrations: dict[str, Integration] = {}
        self.ids = IdSource(self.clock)
        self.access = Access(self.store)
        self.auth = Auth(self.store, self.access, self.clock, self.settings)
        self.records = Records(self.store, self.access, self.clock, self.ids, self.settings, self._on_change)
        presenter = self.records.presenter
        self.presenter = presenter
        self.listing = Listing(self.store, self.access, presenter, Filters(self.store, self.clock))
        self.webhooks = Webhooks(self.store, self.access, self.clock, self.ids, self.settings, presenter)
        self.queue = WebhookQueue(self.store, self.access, self.clock, self.settings, presenter)
        self.dispatcher = Dispatcher(self.queue, self.store, self.clock, self.settings, session)
        self.faults = Faults()
        self.log = RequestLog()

    def _on_change(self, change: Change) -> None:
        if self.queue.note(change):
            self.dispatcher.wake()

    def now(self) -> str:
        """The simulator's time as it is stored in records."""
        return stored(self.clock.now())

    def seed(self) -> None:
        """Insert the fixed identities of the sandbox."""
        with self.store.lock:
            seed_sandbox(self.store, self.now())

    def seed_recorded(self, captures: Mapping[str, Any]) -> None:
        """Insert the world of the recordings: the content of `seed-of-captures.json`."""
        with self.store.lock:
            seed_recorded(self.store, captures)

    def insert(self, entity_type: str, values: Record) -> Record:
        """Insert a record with a given id as it is: no check, no webhook. Returns the row.

        `values` may hold attendees (`usersIds`, `usersColumns`, ...) for events.
        """
        with self.store.lock:
            entity = self.store.entity(entity_type)
            plain = {k: v for k, v in values.items() if not (entity.is_event and k[:-3] in ATTENDEES)}
            row = complete(entity, {"id": self.ids.next_id(), **plain}, self.now())
            self.store.insert(entity_type, row)
            for link in ATTENDEES if entity.is_event else ():
                columns = values.get(f"{link}Columns") or {}
                for person in values.get(f"{link}Ids") or []:
                    status = (columns.get(person) or {}).get("status")
                    self.store.attendance[entity_type].add(row["id"], link, person, status)
            return row

    def advance(self, by: timedelta) -> None:
        """Move the clock; webhooks that fall due are sent by the thread, if it runs."""
        self.clock.advance(by)
        self.dispatcher.wake()

    def deliver_now(self) -> int:
        """Send every webhook that is due and return the number of requests made."""
        return self.dispatcher.deliver_now()

    def set_concurrency(self, entity_type: str, on: bool) -> None:
        """Switch optimistic concurrency control of an entity type."""
        with self.store.lock:
            self.store.redefine(self.store.entity(entity_type).with_version_number(on))

    def install(self, name: str, scope: str, *, fields: Mapping[str, Iterable[str]] | None = None) -> None:
        """Install an extension: an integration, its scope for roles, and fields of its own."""
        with self.store.lock:
            self.integrations[name] = Integration(name, scope)
            self.store.extension_scopes.append(scope)
            for entity_type, names in (fields or {}).items():
                for one in names:
                    self.store.redefine(self.store.entity(entity_type).with_custom_field(one))

    def uninstall(self, name: str, *, fields: Mapping[str, Iterable[str]] | None = None) -> None:
        """Take an extension away, with what it brought; roles keep what they say of its scope."""
        with self.store.lock:
            self.store.extension_scopes.remove(self.integrations.pop(name).scope)
            for entity_type, names in (fields or {}).items():
                for one in names:
                    self.store.redefine(self.store.entity(entity_type).without_custom_field(one))

    def dump(self) -> dict[str, Any]:
        """Everything that outlives a restart, as JSON values of their own."""
        found: dict[str, Any] = json.loads(self._dumped_text())
        return found

    def _dumped_text(self) -> str:
        with self.store.lock:
            return json.dumps(dumped(self))

    def load(self, data: Mapping[str, Any]) -> None:
        """Replace everything by what `dump` gave."""
        with self.store.lock:
            restored(self, data)

    def save_to(self, path: Path) -> None:
        """Write `dump` to a file, whole or not at all."""
        partial = path.with_suffix(path.suffix + ".partial")
        partial.write_text(self._dumped_text(), encoding="utf-8")
        partial.replace(path)

    def reset(self, *, seed: bool = True) -> None:
        """Forget records, webhooks, tokens, faults and the log; keep the clock and the settings."""
        with self.store.lock:
            marker_fields = bool(self.store.entity("Visit").custom_fields)
            restored(self, dumped(Crm(clock=self.clock, settings=self.settings, marker_fields=marker_fields)))
            self.queue.clear()
            self.dispatcher.deliveries.clear()
            self.auth.tokens.clear()
            self.auth.clear_failures()
            self.faults.clear()
            self.log.clear()
            if seed:
                self.seed()

    def close(self) -> None:
        """Stop the webhook thread."""
        self.dispatcher.stop()
