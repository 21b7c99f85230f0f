"""All state that records have: a table per entity type, attendees, followers, and a counter of changes."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from calsync_plugin.sandbox.crm.attendance import Attendance
from calsync_plugin.sandbox.crm.entities import ATTENDEES, ENTITY_TYPES, MARKER_FIELDS
from calsync_plugin.sandbox.crm.entity_type import EntityType
from calsync_plugin.sandbox.crm.tables import Record, Table


class Store:
    """The records of the CRM. `lock` is held for the whole of a request; nothing here takes it."""

    def __init__(self, *, marker_fields: bool = True) -> None:
        self.lock = threading.RLock()
        self.revision = 0
        self.tables: dict[str, Table] = {}
        self.attendance: dict[str, Attendance] = {}
        self.followers: dict[str, list[str]] = {}
        # Scopes without records that an extension brought: a yes or no in each role.
        self.extension_scopes: list[str] = []
        for entity in ENTITY_TYPES:
            for name, definition in MARKER_FIELDS.items() if marker_fields and entity.is_event else ():
                entity = entity.with_custom_field(name, definition)  # noqa: PLW2901
            self.tables[entity.name] = Table(entity)
            if entity.is_event:
                self.attendance[entity.name] = Attendance()

    def entity(self, name: str) -> EntityType:
        """The entity type of that name."""
        return self.tables[name].entity

    def redefine(self, entity: EntityType) -> None:
        """Replace an entity type by one with another set of fields."""
        self.tables[entity.name].adopt(entity)
        self.revision += 1

    def is_live(self, entity_type: str, record_id: object) -> bool:
        """True if that record exists and is not deleted."""
        return self.tables[entity_type].get(record_id) is not None

    def name_of(self, entity_type: str, record_id: object) -> str | None:
        """What a record is called, deleted or not; None for an id that names nothing."""
        table = self.tables.get(entity_type)
        row = table.rows.get(record_id) if table and isinstance(record_id, str) else None
        return row.get("name") if row else None

    def members(self, entity_type: str, record_id: str, link: str) -> dict[str, str]:
        """The attendees of a record by one link, with their status, without deleted people."""
        people = self.tables[ATTENDEES[link]].live
        return self.attendance[entity_type].members(record_id, link, people.__contains__)

    def follow(self, record_id: str, users: Iterable[str]) -> None:
        """Let users follow a record's stream: those that take part do so by themselves."""
        known = self.followers.setdefault(record_id, [])
        known.extend(user for user in users if user not in known)

    def insert(self, entity_type: str, row: Record) -> None:
        """Add a record as it is, no rule applied."""
        self.tables[entity_type].insert(row)
        self.revision += 1

    def change(self, entity_type: str, record_id: str, values: Record) -> None:
        """Set attributes of a record, no rule applied."""
        self.tables[entity_type].change(record_id, values)
        self.revision += 1
