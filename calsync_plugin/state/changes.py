"""Change rows: dirty marks that wait to be routed, and then for each mailbox they concern.

Decides when a row ends: when its last mailbox has saved. Does not decide whom it concerns (the router).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, Row, bindparam, delete, exists, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from calsync_plugin.state.bulk import Bulk, chunks
from calsync_plugin.state.database import Database
from calsync_plugin.state.queue import wake
from calsync_plugin.state.rows import Change, ChangeKey, ChangePage
from calsync_plugin.state.schema import change_targets as t
from calsync_plugin.state.schema import changes as c
from calsync_plugin.state.waiting import Doorbell

_ROWS_PER_KEY = 5
"""How many rows of one record are read in a run at most, on average; a burst goes on in the next run."""


class Changes:
    """The change rows of a store."""

    def __init__(self, database: Database, doorbell: Doorbell) -> None:
        self._database = database
        self._doorbell = doorbell

    def unrouted(self, limit: int) -> list[Change]:
        """The oldest rows whose mailboxes are not known yet."""
        statement = select(c).where(c.c.routed == 0).order_by(c.c.id).limit(limit)
        with self._database.read() as connection:
            return [_change(row) for row in connection.execute(statement)]

    def route(self, targets: Mapping[int, Collection[int]]) -> None:
        """Give each change row (by id) its mailboxes and wake those, in one transaction.

        A row without a mailbox ends. A row that was routed or ended meanwhile is left alone.
        """
        if not targets:
            return
        with self._database.write() as connection:
            present = _locked(connection, targets, only_unrouted=True)
            rows = [
                {"change_id": change_id, "mailbox_id": mailbox_id}
                for change_id in present
                for mailbox_id in sorted(set(targets[change_id]))
            ]
            _insert_targets(connection, rows)
            with_target = {row["change_id"] for row in rows}
            _ROUTED.execute(connection, [{"change": i} for i in sorted(with_target)])
            _DROPPED.execute(connection, [{"change": i} for i in sorted(present - with_target)])
            if rows:
                wake(connection, self._database, {row["mailbox_id"] for row in rows})
        self._doorbell.ring()

    def for_mailbox(self, mailbox_id: int, limit: int) -> ChangePage:
        """The oldest changes that are due for a mailbox, grouped by record, up to `limit` records."""
        budget = limit * _ROWS_PER_KEY
        statement = (
            select(c, t.c.attempts)
            .join(t, t.c.change_id == c.c.id)
            .where(t.c.mailbox_id == mailbox_id, t.c.not_before <= self._database.now)
            .order_by(t.c.change_id)
            .limit(budget + 1)
        )
        with self._database.read() as connection:
            rows = connection.execute(statement, self._database.times()).all()
        groups: dict[tuple[str, str], list[Row[tuple[object, ...]]]] = {}
        for row in rows[:budget]:
            key = (row.entity_type, row.record_id)
            if key in groups or len(groups) <= limit:
                groups.setdefault(key, []).append(row)
        keys = [_key(group) for group in groups.values()]
        return ChangePage(tuple(keys[:limit]), more=len(keys) > limit or len(rows) > budget)

    def next_due_in(self, mailbox_id: int) -> float | None:
        """Seconds until the next change of a mailbox is due (0 or less: now); None if none waits."""
        with self._database.read() as connection:
            return next_due_in(connection, self._database, mailbox_id)

    def waiting_for(self, mailbox_id: int) -> int:
        """How many rows wait for one mailbox."""
        statement = select(func.count()).select_from(t).where(t.c.mailbox_id == mailbox_id)
        with self._database.read() as connection:
            return connection.execute(statement).scalar_one()

    def waiting(self) -> dict[str, int]:
        """How many rows wait to be routed (`unrouted`) and for mailboxes (`routed`)."""
        with self._database.read() as connection:
            unrouted = select(func.count()).select_from(c).where(c.c.routed == 0)
            return {
                "unrouted": connection.execute(unrouted).scalar_one(),
                "routed": connection.execute(select(func.count()).select_from(t)).scalar_one(),
            }


def next_due_in(connection: Connection, database: Database, mailbox_id: int) -> float | None:
    """The same within the caller's transaction."""
    statement = select(func.min(t.c.not_before) - database.now).where(t.c.mailbox_id == mailbox_id)
    seconds = connection.execute(statement, database.times()).scalar()
    return None if seconds is None else float(seconds)


def finish(connection: Connection, change_ids: Iterable[int], mailbox_id: int) -> None:
    """A mailbox has saved these changes; rows that concern no other mailbox end."""
    ids = sorted(change_ids)
    if not ids:
        return
    # Two mailboxes that finish at once would each see the other's target and neither end the row.
    if connection.dialect.name == "postgresql":
        _locked(connection, ids)
    _END_TARGET.execute(connection, [{"mailbox": mailbox_id, "change": i} for i in ids])
    _END_CHANGE.execute(connection, [{"change": i} for i in ids])


_END_TARGET = Bulk(
    delete(t).where(t.c.mailbox_id == bindparam("mailbox"), t.c.change_id == bindparam("change"))
)
_END_CHANGE = Bulk(
    delete(c).where(c.c.id == bindparam("change"), c.c.routed == 1, ~exists().where(t.c.change_id == c.c.id))
)


def add_target(
    connection: Connection,
    database: Database,
    change_ids: Iterable[int],
    mailbox_id: int,
    *,
    attempts: int = 0,
    delay: float = 0.0,
) -> None:
    """These changes concern another mailbox, too. Rows that ended meanwhile are left alone."""
    for ids in chunks(change_ids):
        present = sorted(_locked(connection, ids))
        _insert_targets(connection, [{"change_id": i, "mailbox_id": mailbox_id} for i in present], attempts)
        if delay:
            connection.execute(
                update(t)
                .where(t.c.mailbox_id == mailbox_id, t.c.change_id.in_(present))
                .values(not_before=database.now + bindparam("delay")),
                {"delay": delay, **database.times()},
            )


def mark_for(
    connection: Connection, database: Database, entity_type: str, record_id: str, mailbox_id: int
) -> None:
    """Insert a row that is routed already, within the caller's transaction."""
    row = {
        "entity_type": entity_type,
        "record_id": record_id,
        "user_hint": "",
        "kind": "handed_on",
        "created_at": database.clock.now(),
        "routed": 1,
    }
    change_id = connection.execute(insert(c).values(row).returning(c.c.id)).scalar_one()
    _insert_targets(connection, [{"change_id": change_id, "mailbox_id": mailbox_id}])


def retry(
    connection: Connection,
    database: Database,
    change_ids: Iterable[int],
    mailbox_id: int,
    delay: float,
    error: str,
) -> None:
    """Try these changes of a mailbox again after `delay` seconds."""
    for ids in chunks(change_ids):
        connection.execute(
            update(t)
            .where(t.c.mailbox_id == mailbox_id, t.c.change_id.in_(ids))
            .values(attempts=t.c.attempts + 1, not_before=database.now + bindparam("delay"), error=error),
            {"delay": delay, **database.times()},
        )


def _locked(connection: Connection, change_ids: Iterable[int], *, only_unrouted: bool = False) -> set[int]:
    """Lock rows in the order of their ids; returns those that still exist."""
    found: set[int] = set()
    for ids in chunks(sorted(change_ids)):
        statement = select(c.c.id).where(c.c.id.in_(ids)).order_by(c.c.id).with_for_update()
        if only_unrouted:
            statement = statement.where(c.c.routed == 0)
        found.update(connection.execute(statement).scalars())
    return found


def _insert_targets(connection: Connection, rows: list[dict[str, int]], attempts: int = 0) -> None:
    full = [{**row, "attempts": attempts, "not_before": 0.0, "error": ""} for row in rows]
    _INSERT_TARGETS[connection.dialect.name].execute(connection, full)


_ROUTED = Bulk(update(c).where(c.c.id == bindparam("change")).values(routed=1))
_DROPPED = Bulk(delete(c).where(c.c.id == bindparam("change")))
_INSERT_TARGETS = {
    "sqlite": Bulk(sqlite.insert(t).on_conflict_do_nothing()),
    "postgresql": Bulk(postgresql.insert(t).on_conflict_do_nothing()),
}


def _change(row: Row[tuple[object, ...]]) -> Change:
    return Change(row.id, row.entity_type, row.record_id, row.user_hint, row.kind, row.created_at)


def _key(rows: list[Row[tuple[object, ...]]]) -> ChangeKey:
    return ChangeKey(
        rows[0].entity_type,
        rows[0].record_id,
        tuple(row.id for row in rows),
        max(row.attempts for row in rows),
        rows[0].created_at,
    )
