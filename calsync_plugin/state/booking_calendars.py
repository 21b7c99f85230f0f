"""Booking calendars and their members.

Decides nothing of what their rules mean. A save is compare-and-swap, so that two administrators do not
overwrite each other unseen.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from calsync_plugin.errors import StaleLink
from calsync_plugin.state.booking_rows import BookingCalendar, CalendarKind
from calsync_plugin.state.booking_schema import booking_calendars as c
from calsync_plugin.state.booking_schema import booking_members as m
from calsync_plugin.state.database import Database


class BookingCalendars:
    """The booking calendars of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[BookingCalendar]:
        """All of them, by name."""
        with self._database.read() as connection:
            return _read(connection)

    def get(self, calendar_id: str) -> BookingCalendar | None:
        """One of them."""
        with self._database.read() as connection:
            return next(iter(_read(connection, c.c.id == calendar_id)), None)

    def of_member(self, user_id: str) -> list[BookingCalendar]:
        """Those in which a user is a member, by name."""
        own = select(m.c.calendar_id).where(m.c.user_id == user_id)
        with self._database.read() as connection:
            return _read(connection, c.c.id.in_(own))

    def save(self, calendar: BookingCalendar) -> BookingCalendar:
        """Insert (version 0) or replace one with its members. Raises StaleLink if it was saved meanwhile."""
        values = {
            "name": calendar.name,
            "kind": calendar.kind.value,
            "rules": dict(calendar.rules),
            "version": calendar.version + 1,
        }
        with self._database.write() as connection:
            if calendar.version:
                same = (c.c.id == calendar.id) & (c.c.version == calendar.version)
                if not connection.execute(update(c).where(same).values(values)).rowcount:
                    raise StaleLink(f"the booking calendar {calendar.id} was changed meanwhile")
            else:
                connection.execute(insert(c), {"id": calendar.id, **values})
            connection.execute(delete(m).where(m.c.calendar_id == calendar.id))
            rows = [
                {"calendar_id": calendar.id, "user_id": user_id, "priority": priority}
                for user_id, priority in sorted(calendar.members.items())
            ]
            if rows:
                connection.execute(insert(m), rows)
            return next(iter(_read(connection, c.c.id == calendar.id)))

    def remove(self, calendar_id: str) -> bool:
        """Remove one; whether it was there. What was booked stays booked."""
        with self._database.write() as connection:
            return connection.execute(delete(c).where(c.c.id == calendar_id)).rowcount > 0


def _read(connection: Connection, *where: Any) -> list[BookingCalendar]:
    rows = connection.execute(select(c).where(*where).order_by(c.c.name, c.c.id)).all()
    members: dict[str, dict[str, int]] = {}
    wanted = m.c.calendar_id.in_(select(c.c.id).where(*where))
    for row in connection.execute(select(m).where(wanted).order_by(m.c.calendar_id, m.c.user_id)):
        members.setdefault(row.calendar_id, {})[row.user_id] = row.priority
    return [
        BookingCalendar(
            id=row.id,
            name=row.name,
            kind=CalendarKind(row.kind),
            rules=row.rules,
            members=members.get(row.id, {}),
            version=row.version,
        )
        for row in rows
    ]
