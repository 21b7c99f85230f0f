"""Held operations, and the counts by which the breaker holds them (R11).

Decides nothing: the breaker decides when to hold, a person decides what becomes of it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, distinct, func, insert, select, update

from calsync_plugin.state.bulk import insert_missing
from calsync_plugin.state.columns import instant
from calsync_plugin.state.database import Database
from calsync_plugin.state.rows import Decision, Held
from calsync_plugin.state.schema import deletions, held

DAY = timedelta(hours=24)


class Holding:
    """The held operations of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, mailbox_id: int | None = None) -> list[Held]:
        """Held operations, oldest first, of one mailbox or of all."""
        statement = select(held).order_by(held.c.since, held.c.link_id, held.c.mailbox_id, held.c.operation)
        if mailbox_id is not None:
            statement = statement.where(held.c.mailbox_id == mailbox_id)
        with self._database.read() as connection:
            return [_held(row) for row in connection.execute(statement)]

    def decide(self, mailbox_id: int, decision: Decision, link_ids: Collection[str] | None = None) -> int:
        """A person's word on the held operations of a mailbox, or of some of its links; returns how many."""
        statement = update(held).where(held.c.mailbox_id == mailbox_id).values(decision=decision.value)
        if link_ids is not None:
            statement = statement.where(held.c.link_id.in_(list(link_ids)))
        with self._database.write() as connection:
            return connection.execute(statement).rowcount

    def groups(self, mailbox_id: int, *, kind: str = "deletion", within: timedelta = DAY) -> frozenset[str]:
        """The groups that were counted for a mailbox in the last 24 hours."""
        statement = (
            select(deletions.c.group_key)
            .where(deletions.c.mailbox_id == mailbox_id, deletions.c.kind == kind)
            .where(deletions.c.at > self._since(within))
            .distinct()
        )
        with self._database.read() as connection:
            return frozenset(connection.execute(statement).scalars())

    def deleted_everywhere(self, *, kind: str = "deletion", within: timedelta = DAY) -> dict[int, int]:
        """How many groups were counted for each mailbox that has any in the last 24 hours."""
        statement = (
            select(deletions.c.mailbox_id, func.count(distinct(deletions.c.group_key)).label("groups"))
            .where(deletions.c.kind == kind, deletions.c.at > self._since(within))
            .group_by(deletions.c.mailbox_id)
        )
        with self._database.read() as connection:
            return {row.mailbox_id: row.groups for row in connection.execute(statement)}

    def _since(self, within: timedelta) -> datetime:
        return instant(self._database.clock.now()) - within


def hold(connection: Connection, mailbox_id: int, link_id: str, operation: str, since: datetime) -> None:
    """Insert within the caller's transaction; one that is held already keeps its date and decision."""
    row = {
        "mailbox_id": mailbox_id,
        "link_id": link_id,
        "operation": operation,
        "since": since,
        "decision": Decision.NONE.value,
    }
    connection.execute(insert_missing(connection, held), row)


def unhold(connection: Connection, mailbox_id: int, link_id: str) -> None:
    """Remove within the caller's transaction."""
    connection.execute(delete(held).where(held.c.mailbox_id == mailbox_id, held.c.link_id == link_id))


def count_deletion(connection: Connection, mailbox_id: int, group_key: str, kind: str, at: datetime) -> None:
    """Count within the caller's transaction."""
    connection.execute(
        insert(deletions), {"mailbox_id": mailbox_id, "group_key": group_key, "kind": kind, "at": at}
    )


def _held(row: Any) -> Held:
    return Held(
        mailbox_id=row.mailbox_id,
        link_id=row.link_id,
        operation=row.operation,
        since=row.since,
        decision=Decision(row.decision),
    )
