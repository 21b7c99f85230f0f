"""When a mailbox wants to be read: a time, and a counter of the hints that pulled it to now.

Decides that a hint which comes while the mailbox is being read is not lost. Does not decide how often a
mailbox is polled. All functions work within the caller's transaction.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, case, select, update

from calsync_plugin.state.clock import NEVER
from calsync_plugin.state.database import Database
from calsync_plugin.state.reading_rows import PullState
from calsync_plugin.state.schema import mailboxes as m


def state(connection: Connection, mailbox_id: int) -> PullState:
    """The present state of one mailbox."""
    row = connection.execute(select(m.c.pull_at, m.c.hints).where(m.c.id == mailbox_id)).one()
    return PullState(row.pull_at, row.hints)


def hint(connection: Connection, database: Database, mailbox_id: int) -> None:
    """Let a mailbox want to be read now."""
    now = database.now
    values = {"pull_at": case((m.c.pull_at > now, now), else_=m.c.pull_at), "hints": m.c.hints + 1}
    connection.execute(update(m).where(m.c.id == mailbox_id).values(values), database.times())


def pulled(
    connection: Connection, database: Database, mailbox_id: int, next_in: float, seen_hints: int
) -> None:
    """It was read; the next time is in `next_in` seconds, or at once if a hint came since `seen_hints`."""
    then = database.now + bindparam("seconds")
    values = {"pull_at": case((m.c.hints == bindparam("seen"), then), else_=m.c.pull_at)}
    parameters = {"seconds": next_in, "seen": seen_hints, **database.times()}
    connection.execute(update(m).where(m.c.id == mailbox_id).values(values), parameters)


def next_due_in(connection: Connection, database: Database, mailbox_id: int) -> float | None:
    """Seconds until it wants to be read; None for never."""
    statement = select(m.c.pull_at - database.now, m.c.pull_at).where(m.c.id == mailbox_id)
    row = connection.execute(statement, database.times()).first()
    return None if row is None or row.pull_at >= NEVER else float(row[0])
