"""The Webhook entity: which events can be subscribed to, by whom, and what may be changed later.

EspoCRM 9.2.7, measured. Not from a recording: the reason of the refusal of the 51st hook of a user.
"""

from __future__ import annotations

import secrets

from calsync_plugin.sandbox.crm.access import SCOPES, Access, Caller
from calsync_plugin.sandbox.crm.changes import field_attributes
from calsync_plugin.sandbox.crm.clock import Clock, stored
from calsync_plugin.sandbox.crm.errors import ApiError, invalid, missing
from calsync_plugin.sandbox.crm.ids import IdSource
from calsync_plugin.sandbox.crm.presenter import Presenter
from calsync_plugin.sandbox.crm.settings import Settings
from calsync_plugin.sandbox.crm.store import Store
from calsync_plugin.sandbox.crm.tables import Record

KINDS = ("create", "update", "delete")


class Webhooks:
    """Creates, changes and removes webhooks."""

    def __init__(
        self,
        store: Store,
        access: Access,
        clock: Clock,
        ids: IdSource,
        settings: Settings,
        presenter: Presenter,
    ) -> None:
        self._store = store
        self._access = access
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._presenter = presenter

    def create(self, caller: Caller, body: Record) -> Record:
        """Subscribe and return the answer with the secret. The same event and address may be taken twice."""
        table = self._store.tables["Webhook"]
        for name in table.entity.required:
            if not isinstance(body.get(name), str) or not body[name]:
                raise invalid("Webhook", name, "required")
        entity_type, kind, field_name = self._parsed(caller, body["event"])
        own = [row for row in table if row["createdById"] == caller.id]
        if not caller.is_admin and len(own) >= self._settings.webhook_limit:
            raise ApiError(403, "Webhook maximum count exceeded.")
        now = stored(self._clock.now())
        row: Record = {
            "id": self._ids.next_id(),
            "deleted": False,
            "event": body["event"],
            "url": body["url"],
            "isActive": bool(body.get("isActive", True)),
            "entityType": entity_type,
            "type": kind,
            "field": field_name,
            "secretKey": self._ids.next_secret(secrets.token_hex(16)),
            "skipOwn": bool(body.get("skipOwn", False)),
            "createdAt": now,
            "modifiedAt": now,
            "createdById": caller.id,
        }
        self._store.insert("Webhook", row)
        return self._presenter.created(caller, table.entity, row, ())

    def _parsed(self, caller: Caller, event: str) -> tuple[str, str, str | None]:
        entity_type, _, rest = event.partition(".")
        kind, _, field_name = rest.partition(".")
        readable = entity_type in SCOPES and self._access.level(caller, entity_type, "read") != "no"
        if not readable and not caller.is_admin:
            raise ApiError(403, "Entity type is forbidden.")
        if kind == "fieldUpdate" and field_name:
            if not field_attributes(self._store.entity(entity_type), field_name):
                raise ApiError(403, "Field does not exist.")
            return entity_type, kind, field_name
        if kind not in KINDS or field_name:
            raise ApiError(403, "Not supported event.")
        return entity_type, kind, None

    def get(self, caller: Caller, hook_id: str) -> Record:
        """The hook, its secret included. Raises `ApiError` 404 or 403."""
        row = self._own(caller, hook_id, reading=True)
        return self._presenter.detail(caller, self._store.entity("Webhook"), row)

    def update(self, caller: Caller, hook_id: str, body: Record) -> Record:
        """Change address, activity or skipOwn; event and secret stay whatever the request says."""
        row = self._own(caller, hook_id, reading=False)
        entity = self._store.entity("Webhook")
        values = {
            name: value for name, value in body.items() if name in entity.writable and row[name] != value
        }
        if values:
            values.update(modifiedAt=stored(self._clock.now()), modifiedById=caller.id)
            self._store.change("Webhook", hook_id, values)
        return self._presenter.detail(caller, entity, row)

    def delete(self, caller: Caller, hook_id: str) -> None:
        """Unsubscribe."""
        self._own(caller, hook_id, reading=False)
        self._store.change("Webhook", hook_id, {"deleted": True})

    def _own(self, caller: Caller, hook_id: str, *, reading: bool) -> Record:
        row = self._store.tables["Webhook"].get(hook_id)
        if row is None:
            raise missing(hook_id, reading=reading)
        if not caller.is_admin and row["createdById"] != caller.id:
            raise ApiError(403, "No 'read' access." if reading else "No edit access.")
        return row
