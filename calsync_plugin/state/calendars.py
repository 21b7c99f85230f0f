"""The calendars of each mailbox, as they were last seen.

Decides nothing: which of them are read is the user's choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert, select

from calsync_plugin.state.database import Database
from calsync_plugin.state.reading_rows import CalendarRow
from calsync_plugin.state.reading_schema import calendars


class Calendars:
    """The calendars of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def for_mailbox(self, mailbox_id: int) -> list[CalendarRow]:
        """All calendars of a mailbox, the default one first, then by name."""
        statement = (
            select(calendars)
            .where(calendars.c.mailbox_id == mailbox_id)
            .order_by(calendars.c.is_default.desc(), calendars.c.name, calendars.c.id)
        )
        with self._database.read() as connection:
            return [_calendar(row) for row in connection.execute(statement)]

    def replace(self, mailbox_id: int, rows: Sequence[CalendarRow]) -> None:
        """What a mailbox has now; others are forgotten."""
        with self._database.write() as connection:
            connection.execute(delete(calendars).where(calendars.c.mailbox_id == mailbox_id))
            if rows:
                connection.execute(insert(calendars), [_row(mailbox_id, one) for one in rows])


def _row(mailbox_id: int, one: CalendarRow) -> dict[str, Any]:
    return {
        "mailbox_id": mailbox_id,
        "id": one.id,
        "name": one.name,
        "owner_address": one.owner_address,
        "is_default": int(one.is_default),
        "can_edit": int(one.can_edit),
        "shared": int(one.shared),
    }


def _calendar(row: Any) -> CalendarRow:
    return CalendarRow(
        id=row.id,
        name=row.name,
        owner_address=row.owner_address,
        is_default=bool(row.is_default),
        can_edit=bool(row.can_edit),
        shared=bool(row.shared),
    )
