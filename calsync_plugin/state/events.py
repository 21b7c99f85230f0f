"""Events to look at: dirty marks of Outlook's side, and what a full round came across.

Decides nothing of what is done about an event. A mark is a row of its own, so that one which comes while the
event is being looked at is not lost.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from calsync_plugin.state.bulk import Bulk, chunks
from calsync_plugin.state.database import Database
from calsync_plugin.state.reading_rows import EventMark, EventPage
from calsync_plugin.state.reading_schema import event_marks as e
from calsync_plugin.state.reading_schema import seen_events as s
from calsync_plugin.state.schema import copies


class Events:
    """The event marks of a store, to read. They are written through `Store.save`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, mailbox_id: int, limit: int) -> EventPage:
        """The oldest marks that are due for a mailbox, one for each event, up to `limit` events."""
        statement = (
            select(e)
            .where(e.c.mailbox_id == mailbox_id, e.c.not_before <= self._database.now)
            .order_by(e.c.not_before, e.c.id)
            .limit(2 * limit + 1)
        )
        with self._database.read() as connection:
            rows = connection.execute(statement, self._database.times()).all()
        groups: dict[str, list[tuple[int, int]]] = {}
        for row in rows:
            groups.setdefault(row.event_id, []).append((row.id, row.attempts))
        marks = [
            EventMark(event_id, tuple(i for i, _ in group), max(attempts for _, attempts in group))
            for event_id, group in groups.items()
        ]
        return EventPage(tuple(marks[:limit]), more=len(marks) > limit or len(rows) > 2 * limit)

    def waiting_for(self, mailbox_id: int) -> int:
        """How many marks wait for one mailbox."""
        statement = select(func.count()).select_from(e).where(e.c.mailbox_id == mailbox_id)
        with self._database.read() as connection:
            return connection.execute(statement).scalar_one()

    def waiting(self) -> int:
        """How many marks wait in the whole store."""
        with self._database.read() as connection:
            return connection.execute(select(func.count()).select_from(e)).scalar_one()

    def drop_all(self, mailbox_id: int) -> None:
        """Forget all marks of a mailbox (reset, disconnect)."""
        with self._database.write() as connection:
            connection.execute(delete(e).where(e.c.mailbox_id == mailbox_id))
            connection.execute(delete(s).where(s.c.mailbox_id == mailbox_id))


def mark(
    connection: Connection,
    database: Database,
    mailbox_id: int,
    event_ids: Iterable[str],
    *,
    delay: float,
    error: str,
    attempts: int,
) -> None:
    """Insert marks within the caller's transaction."""
    statement = insert(e).values(
        mailbox_id=bindparam("mailbox"),
        event_id=bindparam("event"),
        attempts=attempts,
        not_before=database.now + bindparam("delay"),
        error=bindparam("why"),
    )
    rows = [
        {"mailbox": mailbox_id, "event": event_id, "delay": delay, "why": error, **database.times()}
        for event_id in dict.fromkeys(event_ids)
    ]
    if rows:
        connection.execute(statement, rows)


def finish(connection: Connection, mark_ids: Iterable[int]) -> None:
    """Remove marks within the caller's transaction."""
    _END.execute(connection, [{"mark": i} for i in sorted(mark_ids)])


def retry(
    connection: Connection, database: Database, mark_ids: Iterable[int], delay: float, error: str
) -> None:
    """Put marks off within the caller's transaction."""
    for ids in chunks(sorted(mark_ids)):
        connection.execute(
            update(e)
            .where(e.c.id.in_(ids))
            .values(attempts=e.c.attempts + 1, not_before=database.now + bindparam("delay"), error=error),
            {"delay": delay, **database.times()},
        )


def next_due_in(connection: Connection, database: Database, mailbox_id: int) -> float | None:
    """Seconds until the next mark of a mailbox is due (0 or less: now); None if none waits."""
    statement = select(func.min(e.c.not_before) - database.now).where(e.c.mailbox_id == mailbox_id)
    seconds = connection.execute(statement, database.times()).scalar()
    return None if seconds is None else float(seconds)


def saw(connection: Connection, mailbox_id: int, calendar_id: str, event_ids: Iterable[str]) -> None:
    """Remember within the caller's transaction that a full round came across these events."""
    rows = [
        {"mailbox_id": mailbox_id, "calendar_id": calendar_id, "event_id": event_id}
        for event_id in dict.fromkeys(event_ids)
    ]
    _SAW[connection.dialect.name].execute(connection, rows)


def unseen(connection: Connection, mailbox_id: int, calendar_id: str) -> list[str]:
    """Events of copies in this calendar (or in none that is known) that the round did not come across."""
    of_copies = select(copies.c.event_id).where(
        copies.c.mailbox_id == mailbox_id,
        copies.c.event_id != "",
        copies.c.calendar_id.in_((calendar_id, "")),
    )
    # Not by EXISTS: the key of what was seen begins with its calendar, and each event would be looked for
    # among all of them.
    statement = of_copies.except_(select(s.c.event_id).where(s.c.mailbox_id == mailbox_id))
    found = sorted(connection.execute(statement).scalars())
    forget_seen(connection, mailbox_id, calendar_id)
    return found


def forget_seen(connection: Connection, mailbox_id: int, calendar_id: str) -> None:
    """Forget what a round saw, within the caller's transaction."""
    connection.execute(delete(s).where(s.c.mailbox_id == mailbox_id, s.c.calendar_id == calendar_id))


_END = Bulk(delete(e).where(e.c.id == bindparam("mark")))
_SAW = {
    "sqlite": Bulk(sqlite.insert(s).on_conflict_do_nothing()),
    "postgresql": Bulk(postgresql.insert(s).on_conflict_do_nothing()),
}
