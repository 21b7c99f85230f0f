"""Who is linked to a record: users, contacts and leads, each with a status.

A removed person's row is kept and comes back with its old status when the person is added again (EspoCRM
9.2.7, measured). People whose own record is deleted are not shown, yet their rows stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class Membership:
    """One person's row at one record."""

    status: str
    active: bool = True


Members = dict[str, Membership]


class Attendance:
    """The attendee rows of all records of one entity type."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Members]] = {}
        self._attending: dict[tuple[str, str], set[str]] = {}

    def members(self, record_id: str, link: str, is_live: Callable[[str], bool]) -> dict[str, str]:
        """The people of a link in the order in which they were added, with their status."""
        rows = self.rows.get(record_id, {}).get(link)
        if not rows:
            return {}
        return {person: row.status for person, row in rows.items() if row.active and is_live(person)}

    def attending(self, link: str, person: str) -> set[str]:
        """The ids of the records that a person is linked to. Do not change it."""
        return self._attending.get((link, person), set())

    def add(self, record_id: str, link: str, person: str, status: str | None = None) -> None:
        """Link a person. Without a status an old row keeps its own and a new one gets None (the word)."""
        rows = self.rows.setdefault(record_id, {}).setdefault(link, {})
        row = rows.setdefault(person, Membership("None"))
        row.active = True
        if status is not None:
            row.status = status
        self._attending.setdefault((link, person), set()).add(record_id)

    def remove(self, record_id: str, link: str, person: str) -> None:
        """Unlink a person; nothing happens if there is no such row."""
        row = self.rows.get(record_id, {}).get(link, {}).get(person)
        if row:
            row.active = False
            self._attending.get((link, person), set()).discard(record_id)

    def replace(self, record_id: str, link: str, people: Iterable[str]) -> None:
        """Make the link hold exactly these people; the status of those who stay survives."""
        wanted = list(people)
        for person in list(self.rows.get(record_id, {}).get(link, {})):
            if person not in wanted:
                self.remove(record_id, link, person)
        for person in wanted:
            self.add(record_id, link, person)

    def dump(self) -> dict[str, dict[str, dict[str, list[object]]]]:
        """The rows as JSON values."""
        return {
            record_id: {
                link: {person: [row.status, row.active] for person, row in rows.items()}
                for link, rows in links.items()
            }
            for record_id, links in self.rows.items()
        }

    def load(self, data: dict[str, dict[str, dict[str, list[object]]]]) -> None:
        """Replace the rows by what `dump` gave."""
        self.rows.clear()
        self._attending.clear()
        for record_id, links in data.items():
            for link, rows in links.items():
                for person, (status, active) in rows.items():
                    self.add(record_id, link, person, str(status))
                    if not active:
                        self.remove(record_id, link, person)
