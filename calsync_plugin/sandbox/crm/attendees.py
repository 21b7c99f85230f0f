"""The attendees of an event when it is saved.

The assigned user always belongs to the users; it has accepted if it created the event itself. A set of ids
replaces the old set. EspoCRM keeps the columns that it had in memory: they are what a PUT's answer and some
webhooks show, also of people just removed and without those just added (9.2.7, measured).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from calsync_plugin.sandbox.crm.drafts import attendee_values
from calsync_plugin.sandbox.crm.entities import ATTENDEES
from calsync_plugin.sandbox.crm.entity_type import EntityType
from calsync_plugin.sandbox.crm.store import Store
from calsync_plugin.sandbox.crm.tables import Record


@dataclass(frozen=True, slots=True)
class AttendeeChange:
    """What one save does to the attendees."""

    before: dict[str, dict[str, str]] = field(default_factory=dict)
    # per link: the new set, None where it stays
    ids: dict[str, list[str] | None] = field(default_factory=dict)
    statuses: dict[str, dict[str, str]] = field(default_factory=dict)
    # links whose ids the request named itself
    named: frozenset[str] = frozenset()
    creating: bool = False

    def touched_by_create(self) -> frozenset[str]:
        """The attributes that a create webhook shows."""
        found = set()
        for link in self.before:
            if self.ids[link] or link in self.named:
                found.add(f"{link}Ids")
            if link in self.named:
                found.add(f"{link}Names")
            if self.statuses[link]:
                found.add(f"{link}Columns")
        return frozenset(found)

    def touched_by_update(self) -> set[str]:
        """The attributes that an update webhook shows."""
        found = set()
        for link, before in self.before.items():
            ids = self.ids[link]
            if ids is not None and set(ids) != set(before):
                found.add(f"{link}Ids")
            if any(before.get(person) != status for person, status in self.statuses[link].items()):
                found.add(f"{link}Columns")
        return found

    def columns_in_memory(self) -> Record:
        """The columns as EspoCRM has them after the save, before anybody reads the record again."""
        found: Record = {}
        for link, before in self.before.items():
            columns = self.statuses[link] or ({} if self.creating else before)
            if not self.creating or columns:
                found[f"{link}Columns"] = {person: {"status": status} for person, status in columns.items()}
        return found


class Attendees:
    """Works out and saves the attendees of an event."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def settle(
        self,
        entity: EntityType,
        values: Record,
        row: Record | None,
        assigned: str | None,
        *,
        creator: str | None = None,
    ) -> AttendeeChange:
        """What the save of these values means for the attendees. Nothing is written yet."""
        if not entity.is_event:
            return AttendeeChange()
        before = {
            link: self._store.members(entity.name, row["id"], link) if row else {} for link in ATTENDEES
        }
        given = attendee_values(values)
        ids: dict[str, list[str] | None] = dict.fromkeys(ATTENDEES)
        statuses: dict[str, dict[str, str]] = {link: {} for link in ATTENDEES}
        for link, (people, named) in given.items():
            ids[link], statuses[link] = people, dict(named)
        users = ids["users"] if ids["users"] is not None else list(before["users"])
        if assigned and assigned not in users:
            users = [*users, assigned]
            ids["users"] = users
        if assigned and creator == assigned:
            statuses["users"].setdefault(assigned, "Accepted")
        named_links = frozenset(link for link, (people, _) in given.items() if people is not None)
        return AttendeeChange(before, ids, statuses, named_links, creating=row is None)

    def save(self, entity: EntityType, record_id: str, change: AttendeeChange, now: str) -> None:
        """Write the attendee rows; users who take part follow the record from now on."""
        attendance = self._store.attendance.get(entity.name)
        if attendance is None:
            return
        for link, people in change.ids.items():
            if people is not None:
                attendance.replace(record_id, link, people)
            present = self._store.members(entity.name, record_id, link)
            for person, status in change.statuses[link].items():
                if person in present:
                    attendance.add(record_id, link, person, status)
            if link == "users":
                self._store.follow(record_id, present)
            elif people:
                self._tell(ATTENDEES[link], people, now)

    def _tell(self, entity_type: str, people: list[str], now: str) -> None:
        for person in people:
            if self._store.is_live(entity_type, person):
                self._store.change(entity_type, person, {"streamUpdatedAt": now})
