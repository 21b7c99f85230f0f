"""What people read afterwards: the journal of deletions, clashes and the notes of an account.

Decides that contents of meetings are encrypted and that all of it ends after 30 days. Does not decide what is
worth a note.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, delete, insert, select

from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.state.bulk import Bulk
from calsync_plugin.state.columns import instant
from calsync_plugin.state.database import Database
from calsync_plugin.state.rows import Clash, JournalEntry, Note
from calsync_plugin.state.schema import clashes, deletions, notes
from calsync_plugin.state.schema import journal as entries
from calsync_plugin.state.secrets import Keyring

KEPT = timedelta(days=30)
JOURNAL = "journal"
CLASH = "clash"
NoteRow = tuple[str, str, str]
"""User id, link id, text."""


class Log:
    """Journal, clashes and notes of a store, to read. They are written through `Store.save`."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def journal(
        self, *, mailbox_id: int | None = None, user_id: str | None = None, limit: int = 1000
    ) -> list[JournalEntry]:
        """What was deleted, latest first."""
        statement = (
            select(entries).order_by(entries.c.at.desc(), entries.c.item_id, entries.c.id).limit(limit)
        )
        if mailbox_id is not None:
            statement = statement.where(entries.c.mailbox_id == mailbox_id)
        if user_id is not None:
            statement = statement.where(entries.c.user_id == user_id)
        with self._database.read() as connection:
            return [self._entry(row) for row in connection.execute(statement)]

    def journal_entry(self, entry_id: str) -> JournalEntry | None:
        """One entry of the journal."""
        with self._database.read() as connection:
            row = connection.execute(select(entries).where(entries.c.id == entry_id)).first()
        return None if row is None else self._entry(row)

    def remove_journal_entry(self, entry_id: str) -> None:
        """It was restored."""
        with self._database.write() as connection:
            connection.execute(delete(entries).where(entries.c.id == entry_id))

    def clashes(self, user_id: str, *, limit: int = 1000) -> list[Clash]:
        """The clashes of an account, latest first."""
        statement = (
            select(clashes)
            .where(clashes.c.user_id == user_id)
            .order_by(clashes.c.at.desc(), clashes.c.link_id, clashes.c.field, clashes.c.id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [self._clash(row) for row in connection.execute(statement)]

    def clash_times(self, user_id: str, *, limit: int = 1000) -> list[datetime]:
        """When the clashes of an account were, latest first; what clashed is not read."""
        statement = (
            select(clashes.c.at)
            .where(clashes.c.user_id == user_id)
            .order_by(clashes.c.at.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return list(connection.execute(statement).scalars())

    def notes(self, user_id: str, *, limit: int = 1000) -> list[Note]:
        """The log of an account, latest first."""
        statement = (
            select(notes)
            .where(notes.c.user_id == user_id)
            .order_by(notes.c.at.desc(), notes.c.id.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return [
                Note(at=row.at, user_id=row.user_id, link_id=row.link_id, text=row.text)
                for row in connection.execute(statement)
            ]

    def add_note(self, user_id: str, text: str, *, link_id: str = "") -> None:
        """A line outside of any run, for instance for a change of settings."""
        with self._database.write() as connection:
            note_all(connection, instant(self._database.clock.now()), [(user_id, link_id, text)])

    def mask(self, link_id: str, text: str = "private") -> None:
        """The meeting became private: what was noted of it becomes unreadable at once (R14)."""
        with self._database.write() as connection:
            mask(connection, link_id, text)

    def purge(self, kept: timedelta = KEPT) -> int:
        """Remove what is older than 30 days; returns how many rows."""
        before = instant(self._database.clock.now()) - kept
        with self._database.write() as connection:
            return sum(
                connection.execute(delete(table).where(table.c.at < before)).rowcount
                for table in (entries, clashes, notes, deletions)
            )

    def _entry(self, row: Any) -> JournalEntry:
        return JournalEntry(
            id=row.id,
            at=row.at,
            mailbox_id=row.mailbox_id,
            user_id=row.user_id,
            link_id=row.link_id,
            side=row.side,
            item_id=row.item_id,
            content=self._keyring.decrypt(JOURNAL, row.id, row.content),
        )

    def _clash(self, row: Any) -> Clash:
        values = json.loads(self._keyring.decrypt(CLASH, row.id, row.content))
        return Clash(
            id=row.id,
            at=row.at,
            user_id=row.user_id,
            link_id=row.link_id,
            field=row.field,
            winner=row.winner,
            crm=values["crm"],
            outlook=values["outlook"],
        )


def mask(connection: Connection, link_id: str, text: str = "private") -> None:
    """Make what was noted of a meeting unreadable, within the caller's transaction."""
    connection.execute(notes.update().where(notes.c.link_id == link_id).values(text=text))
    connection.execute(delete(clashes).where(clashes.c.link_id == link_id))


def journal(connection: Connection, keyring: Keyring, *, content: str, **columns: Any) -> str:
    """Insert an entry within the caller's transaction; returns its id."""
    entry_id = str(uuid4())
    row = {**columns, "id": entry_id, "content": keyring.encrypt(JOURNAL, entry_id, content)}
    connection.execute(insert(entries), row)
    return entry_id


def clash(connection: Connection, keyring: Keyring, *, values: dict[str, JsonValue], **columns: Any) -> None:
    """Insert a clash within the caller's transaction."""
    clash_id = str(uuid4())
    row = {**columns, "id": clash_id, "content": keyring.encrypt(CLASH, clash_id, json.dumps(values))}
    connection.execute(insert(clashes), row)


def last_note(connection: Connection, user_id: str, link_id: str) -> str:
    """What was noted last of a link in an account's log; empty if nothing was."""
    statement = (
        select(notes.c.text)
        .where(notes.c.link_id == link_id, notes.c.user_id == user_id)
        .order_by(notes.c.at.desc(), notes.c.id.desc())
        .limit(1)
    )
    return connection.execute(statement).scalar() or ""


def note_all(connection: Connection, at: datetime, lines: Sequence[NoteRow]) -> None:
    """Insert notes within the caller's transaction."""
    rows = [{"at": at, "user_id": user, "link_id": link, "text": text} for user, link, text in lines]
    _INSERT_NOTES.execute(connection, rows)


_INSERT_NOTES = Bulk(insert(notes))
