"""What was saved in the CRM lately, whoever reported it: the cheap half of the sweep.

Decides from when on it lists, and which of the listed records get a mark. One request finds nothing new,
however many records there are. How far it came is kept after each portion, so that a mass change is walked
through in several runs and a stop costs none of it.

The bookmark holds an instant of the CRM's clock, and when it was set by ours. The list begins at the earlier
of two instants: the bookmark, and as long ago by the CRM's clock now as has passed by ours. So a clock of the
CRM that is set back hides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from calsync_plugin.crm.gateway import CrmGateway, ModifiedRecord, modified_records
from calsync_plugin.domain.backfill import may_push
from calsync_plugin.engine.roster import Roster
from calsync_plugin.engine.versions import is_seen
from calsync_plugin.settings import EntitySettings
from calsync_plugin.state import Store

OVERLAP = timedelta(minutes=5)
"""How far each list reaches back behind the last one: saves that were committed late."""
TOLERANCE = timedelta(seconds=60)
"""By how much the CRM's clock may turn out to be behind; `OVERLAP` makes up for it."""
PORTION = 200
MOST = 5_000
"""Records that one run lists, at least: then others get their turn."""


class SavedLately:
    """Marks records that were saved and that nobody reported."""

    def __init__(
        self, store: Store, gateway: CrmGateway, roster: Roster, entities: Mapping[str, EntitySettings]
    ) -> None:
        """List records of `gateway`; what `store` knows and `roster` does not sync is passed over."""
        self._store = store
        self._gateway = gateway
        self._roster = roster
        self._entities = entities

    def look(self, entity_type: str) -> bool:
        """List what was saved since the last time; returns whether it came to the end."""
        name, walk = f"sweep:{entity_type}", f"sweep-walk:{entity_type}"
        before, under_way = self._store.bookmarks.get(name), self._store.bookmarks.get(walk)
        if not before:
            # What lies before the first sweep is the back-fill's business.
            self._set(name, before, self._gateway.now())
            return True
        if under_way.startswith(f"{before}|"):
            reached, until = (datetime.fromisoformat(text) for text in under_way.split("|")[1:])
            stopped = self._walk(entity_type, reached)
        else:
            # Nothing is under way, or somebody asked meanwhile for a look further back.
            stopped, until = self._begin(entity_type, before)
        if stopped is not None:
            self._store.bookmarks.set(walk, f"{before}|{stopped.isoformat()}|{until.isoformat()}")
            return False
        self._set(name, before, until)
        return True

    def _begin(self, entity_type: str, before: str) -> tuple[datetime | None, datetime]:
        """List from the bookmark on: where it stopped, and the CRM's time when it began."""
        begun, until = self._store.clock.now(), self._gateway.now()
        stopped = self._walk(entity_type, self._since(before, until))
        told = self._gateway.now() - timedelta(seconds=self._store.clock.now() - begun)
        if told >= until - TOLERANCE:
            return stopped, until
        # The answers say that it is earlier there than was believed: list once more, by that clock.
        return self._walk(entity_type, self._since(before, told)), told

    def _since(self, bookmark: str, now: datetime) -> datetime:
        instant, _, set_at = bookmark.partition(" ")
        since = datetime.fromisoformat(instant)
        if set_at:
            passed = max(self._store.clock.now() - float(set_at), 0.0)
            since = min(since, now - timedelta(seconds=passed))
        return since - OVERLAP

    def _set(self, name: str, before: str, moment: datetime) -> None:
        """Move the bookmark, unless somebody asked meanwhile for a look further back."""
        text = f"{moment.isoformat()} {self._store.clock.now():.0f}"
        self._store.bookmarks.swap(name, before, text)

    def _walk(self, entity_type: str, since: datetime) -> datetime | None:
        """Go through all that was saved from `since` on; an instant if it stopped there before the end."""
        portion: list[ModifiedRecord] = []
        listed = 0
        for record in modified_records(self._gateway, entity_type, since):
            if len(portion) == PORTION:
                self._mark(entity_type, portion)
                listed += PORTION
                # Only between two instants: the next run begins with all of the later one.
                if listed >= MOST and portion[-1].modified_at < record.modified_at:
                    return record.modified_at
                portion = []
            portion.append(record)
        self._mark(entity_type, portion)
        return None

    def _mark(self, entity_type: str, records: Sequence[ModifiedRecord]) -> None:
        links = self._store.links.by_records({(entity_type, r.id) for r in records})
        members = self._roster.by_users({r.assigned_user_id for r in records})
        missed = []
        for record in records:
            link = links.get((entity_type, record.id))
            member = members.get(record.assigned_user_id)
            if link is not None and is_seen(link, record.modified_at):
                continue
            if link is None and (
                member is None
                or not may_push(record.modified_at, member.policy(self._entities[entity_type], 0.0))
            ):
                continue
            missed.append((entity_type, record.id, record.assigned_user_id, "swept"))
        self._store.queue.record_changes(missed)
