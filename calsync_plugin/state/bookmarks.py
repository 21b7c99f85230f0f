"""Where a recurring look through the CRM stands, and what was told to whom: one text by name.

Decides nothing about what a bookmark means.
"""

from __future__ import annotations

from sqlalchemy import select, update

from calsync_plugin.state.bulk import insert_missing, upsert
from calsync_plugin.state.database import Database
from calsync_plugin.state.schema import bookmarks


class Bookmarks:
    """The bookmarks of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> str:
        """The bookmark of that name, empty if there is none."""
        with self._database.read() as connection:
            found = connection.execute(select(bookmarks.c.value).where(bookmarks.c.name == name)).scalar()
        return found or ""

    def set(self, name: str, value: str) -> None:
        """Move a bookmark."""
        with self._database.write() as connection:
            connection.execute(upsert(connection, bookmarks), {"name": name, "value": value})

    def swap(self, name: str, before: str, after: str) -> bool:
        """Move a bookmark that is still as it was read (empty: none); False if somebody was faster."""
        b = bookmarks.c
        with self._database.write() as connection:
            if before:
                moved = update(bookmarks).where(b.name == name, b.value == before).values(value=after)
                return connection.execute(moved).rowcount == 1
            made = insert_missing(connection, bookmarks).values(name=name, value=after).returning(b.name)
            return connection.execute(made).first() is not None
