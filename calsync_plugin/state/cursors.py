"""Cursors: where the reading of each calendar window stands, encrypted because a delta link grants no little.

Decides nothing of when a cursor expires or is rebuilt.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, select

from calsync_plugin.state.bulk import upsert
from calsync_plugin.state.database import Database
from calsync_plugin.state.reading_rows import Cursor, CursorStage
from calsync_plugin.state.reading_schema import cursors
from calsync_plugin.state.secrets import Keyring

PURPOSE = "cursor"


class Cursors:
    """The cursors of a store, to read. They are written through `Store.save`."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def for_mailbox(self, mailbox_id: int) -> list[Cursor]:
        """All cursors of a mailbox, those being built, too."""
        statement = (
            select(cursors)
            .where(cursors.c.mailbox_id == mailbox_id)
            .order_by(cursors.c.calendar_id, cursors.c.part, cursors.c.stage)
        )
        with self._database.read() as connection:
            return [self._cursor(row) for row in connection.execute(statement)]

    def get(
        self, mailbox_id: int, calendar_id: str, stage: CursorStage = CursorStage.LIVE, part: int = 0
    ) -> Cursor | None:
        """One cursor."""
        statement = select(cursors).where(*_is(mailbox_id, calendar_id, stage, part))
        with self._database.read() as connection:
            row = connection.execute(statement).first()
        return None if row is None else self._cursor(row)

    def drop_all(self, mailbox_id: int) -> None:
        """Forget all cursors of a mailbox (reset, disconnect)."""
        with self._database.write() as connection:
            connection.execute(delete(cursors).where(cursors.c.mailbox_id == mailbox_id))

    def _cursor(self, row: Any) -> Cursor:
        return Cursor(
            mailbox_id=row.mailbox_id,
            calendar_id=row.calendar_id,
            url=self._keyring.decrypt(PURPOSE, identity(row), row.url),
            query_version=row.query_version,
            window_start=row.window_start,
            window_end=row.window_end,
            stage=CursorStage(row.stage),
            part=row.part,
        )


def identity(row: Any) -> str:
    """What a cursor's ciphertext is bound to."""
    return f"{row.mailbox_id}/{row.calendar_id}/{row.part}/{row.stage}"


def save(connection: Connection, keyring: Keyring, cursor: Cursor) -> None:
    """Insert or replace within the caller's transaction."""
    row = {
        "mailbox_id": cursor.mailbox_id,
        "calendar_id": cursor.calendar_id,
        "part": cursor.part,
        "stage": cursor.stage.value,
        "url": keyring.encrypt(PURPOSE, identity(cursor), cursor.url),
        "query_version": cursor.query_version,
        "window_start": cursor.window_start,
        "window_end": cursor.window_end,
    }
    connection.execute(upsert(connection, cursors), row)


def is_as_read(connection: Connection, keyring: Keyring, cursor: Cursor) -> bool:
    """Whether a cursor is still stored as it was read, within the caller's transaction.

    One that is not begun yet is not stored, or it is an outdated one that begins anew.
    """
    where = _is(cursor.mailbox_id, cursor.calendar_id, cursor.stage, cursor.part)
    row = connection.execute(select(cursors).where(*where).with_for_update()).first()
    if row is None:
        return not cursor.url
    same = keyring.decrypt(PURPOSE, identity(row), row.url) == cursor.url
    return not cursor.url or (same and row.query_version == cursor.query_version)


def drop(connection: Connection, mailbox_id: int, calendar_id: str, stage: CursorStage, part: int) -> None:
    """Remove one within the caller's transaction."""
    connection.execute(delete(cursors).where(*_is(mailbox_id, calendar_id, stage, part)))


def _is(mailbox_id: int, calendar_id: str, stage: CursorStage, part: int) -> tuple[Any, ...]:
    return (
        cursors.c.part == part,
        cursors.c.mailbox_id == mailbox_id,
        cursors.c.calendar_id == calendar_id,
        cursors.c.stage == stage.value,
    )
