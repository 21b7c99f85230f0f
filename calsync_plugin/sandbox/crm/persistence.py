"""The CRM as JSON and back: records, attendees, followers, custom fields, tokens and settings.

The webhook queue is not kept: as after a crash of the real cron, a receiver must reconcile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from calsync_plugin.sandbox.crm.entity_type import PLAIN_FIELD, Definition, EntityType
from calsync_plugin.sandbox.crm.tables import Table

if TYPE_CHECKING:
    from calsync_plugin.sandbox.crm.simulator import Crm

VERSION = 1


def dumped(crm: Crm) -> dict[str, Any]:
    """Everything that outlives a restart."""
    store = crm.store
    return {
        "version": VERSION,
        "records": {name: list(table.rows.values()) for name, table in store.tables.items()},
        "attendance": {name: attendance.dump() for name, attendance in store.attendance.items()},
        "followers": store.followers,
        "custom_fields": {name: list(table.entity.custom_fields) for name, table in store.tables.items()},
        "definitions": {name: table.entity.definitions for name, table in store.tables.items()},
        "concurrency": [n for n, table in store.tables.items() if "versionNumber" in table.entity.attributes],
        "tokens": {token: list(owner) for token, owner in crm.auth.tokens.items()},
        "settings": asdict(crm.settings),
        "counter": crm.ids.counter,
    }


def restored(crm: Crm, data: Mapping[str, Any]) -> None:
    """Replace everything by what `dumped` gave. Raises `ValueError` for another version's data."""
    if data.get("version") != VERSION:
        raise ValueError(f"this CRM data has version {data.get('version')}, expected {VERSION}")
    store = crm.store
    for name, table in store.tables.items():
        entity = _with_fields(
            table.entity, data["custom_fields"].get(name, ()), data.get("definitions", {}).get(name, {})
        )
        fresh = Table(entity.with_version_number(name in data["concurrency"]))
        # A file from before the simulator knew teams has none.
        for row in data["records"].get(name, ()):
            fresh.insert(row)
        store.tables[name] = fresh
    for name, attendance in store.attendance.items():
        attendance.load(data["attendance"][name])
    store.followers.clear()
    store.followers.update(data["followers"])
    crm.auth.tokens.clear()
    crm.auth.tokens.update({token: (owner, secret) for token, (owner, secret) in data["tokens"].items()})
    for key, value in data["settings"].items():
        setattr(crm.settings, key, value)
    crm.ids.counter = max(crm.ids.counter, int(data["counter"]))
    store.revision += 1


def _with_fields(entity: EntityType, fields: Iterable[str], known: Mapping[str, Definition]) -> EntityType:
    """The type with just these custom fields. A file from before there were definitions has none."""
    wanted = list(fields)
    for name in entity.custom_fields:
        if name not in wanted:
            entity = entity.without_custom_field(name)
    for name in wanted:
        entity = entity.with_custom_field(name, known.get(name, PLAIN_FIELD))
    return entity
