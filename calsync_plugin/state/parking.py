"""Parked items: what cannot be synced, once for each item, with its reason.

Decides when two parkings are the same item. Does not decide what is parked nor when it is tried again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, literal, select, tuple_

from calsync_plugin.state.bulk import chunks, upsert
from calsync_plugin.state.database import Database
from calsync_plugin.state.rows import Parked
from calsync_plugin.state.schema import parked

_ORDER = (parked.c.since, *parked.primary_key)
"""Oldest first; what was parked at the same time has one order, too."""


class Parking:
    """The parked items of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(
        self, *, user_id: str | None = None, mailbox_id: int | None = None, limit: int = 1000
    ) -> list[Parked]:
        """Parked items, oldest first."""
        statement = select(parked).order_by(*_ORDER).limit(limit)
        if user_id is not None:
            statement = statement.where(parked.c.user_id == user_id)
        if mailbox_id is not None:
            statement = statement.where(parked.c.mailbox_id == mailbox_id)
        with self._database.read() as connection:
            return [_item(row) for row in connection.execute(statement)]

    def of_reasons(
        self, reasons: Iterable[str], *, after: Parked | None = None, limit: int = 1000
    ) -> list[Parked]:
        """Items that are parked for one of these reasons, oldest first; those behind `after`, if given."""
        statement = select(parked).where(parked.c.reason.in_(sorted(reasons))).order_by(*_ORDER).limit(limit)
        if after is not None:
            place = (literal(getattr(after, column.name), column.type) for column in _ORDER)
            statement = statement.where(tuple_(*_ORDER) > tuple_(*place))
        with self._database.read() as connection:
            return [_item(row) for row in connection.execute(statement)]

    def mailboxes_of(self, records: Iterable[tuple[str, str]]) -> dict[tuple[str, str], set[int]]:
        """The mailboxes in which records (entity type, record id) are parked; others are left out."""
        with self._database.read() as connection:
            return mailboxes_of(connection, records)

    def count(self) -> int:
        """How many items are parked in the whole store."""
        with self._database.read() as connection:
            return connection.execute(select(func.count()).select_from(parked)).scalar_one()

    def remove(
        self, *, mailbox_id: int | None = None, entity_type: str = "", record_id: str = "", event_id: str = ""
    ) -> int:
        """Remove items, for instance because a person dismissed them; an id left out matches any."""
        with self._database.write() as connection:
            return unpark(
                connection,
                mailbox_id=mailbox_id,
                entity_type=entity_type,
                record_id=record_id,
                event_id=event_id,
            )


def mailboxes_of(
    connection: Connection, records: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], set[int]]:
    """The same within the caller's transaction."""
    by_type: dict[str, list[str]] = defaultdict(list)
    for entity_type, record_id in dict.fromkeys(records):
        by_type[entity_type].append(record_id)
    found: dict[tuple[str, str], set[int]] = defaultdict(set)
    for entity_type, record_ids in by_type.items():
        for part in chunks(record_ids):
            rows = connection.execute(_OF_RECORDS, {"entity": entity_type, "records": part})
            for row in rows:
                found[entity_type, row.record_id].add(row.mailbox_id)
    return dict(found)


_OF_RECORDS = select(parked.c.record_id, parked.c.mailbox_id).where(
    parked.c.entity_type == bindparam("entity"), parked.c.record_id.in_(bindparam("records", expanding=True))
)


def parked_events(connection: Connection, mailbox_id: int, event_ids: Iterable[str]) -> set[str]:
    """Those of a mailbox's events that are parked, within the caller's transaction."""
    found: set[str] = set()
    for part in chunks(event_id for event_id in dict.fromkeys(event_ids) if event_id):
        found.update(connection.execute(_OF_EVENTS, {"mailbox": mailbox_id, "events": part}).scalars())
    return found


_OF_EVENTS = select(parked.c.event_id).where(
    parked.c.mailbox_id == bindparam("mailbox"), parked.c.event_id.in_(bindparam("events", expanding=True))
)


def park(connection: Connection, item: Parked, since: datetime) -> None:
    """Insert an item, or renew its reason, within the caller's transaction."""
    row = {
        "entity_type": item.entity_type,
        "record_id": item.record_id,
        "event_id": item.event_id,
        "mailbox_id": item.mailbox_id,
        "user_id": item.user_id,
        "reason": item.reason,
        "message": item.message,
        "since": since,
    }
    connection.execute(upsert(connection, parked, keep=["since"]), row)


def unpark(
    connection: Connection, *, mailbox_id: int | None, entity_type: str, record_id: str, event_id: str
) -> int:
    """Remove items within the caller's transaction; returns how many."""
    wanted: dict[str, Any] = {
        "mailbox_id": mailbox_id,
        "entity_type": entity_type or None,
        "record_id": record_id or None,
        "event_id": event_id or None,
    }
    conditions = [parked.c[name] == value for name, value in wanted.items() if value is not None]
    if not conditions:
        raise ValueError("an item must be named")
    return connection.execute(delete(parked).where(*conditions)).rowcount


def _item(row: Any) -> Parked:
    return Parked(
        mailbox_id=row.mailbox_id,
        user_id=row.user_id,
        reason=row.reason,
        message=row.message,
        entity_type=row.entity_type,
        record_id=row.record_id,
        event_id=row.event_id,
        since=row.since,
    )
