"""The sweep: finds what no hook and no webhook reported.

Decides which records get a mark although nobody reported them. Cheap: it lists what was modified lately and
skips what the store has seen already, and it asks for one portion of the linked records whether they still
exist. It is also what comes by regularly, so the upkeep of the store goes with it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from calsync_plugin.crm.gateway import CrmGateway, Missing, ModifiedRecord, modified_records
from calsync_plugin.domain.backfill import may_push
from calsync_plugin.domain.links import Link, Presence
from calsync_plugin.engine.roster import Roster
from calsync_plugin.engine.upkeep import Upkeep
from calsync_plugin.engine.worker import Rest, backoff
from calsync_plugin.errors import RemoteError, Transient
from calsync_plugin.settings import EntitySettings
from calsync_plugin.state import SWEEP, Lease, Store

log = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=5)
"""How far each sweep looks back behind the last one: saves that were committed late."""
PORTION = 200


class Sweep:
    """Looks through the CRM every `interval` seconds."""

    def __init__(
        self,
        store: Store,
        gateway: CrmGateway,
        roster: Roster,
        entities: Mapping[str, EntitySettings],
        upkeep: Upkeep,
        *,
        interval: float,
    ) -> None:
        """Sweep the records of `entities`."""
        self._store = store
        self._gateway = gateway
        self._roster = roster
        self._entities = entities
        self._upkeep = upkeep
        self._interval = interval

    def run(self, lease: Lease) -> Rest:
        """One sweep. The next is due after the interval whether this one succeeded or not."""
        self._upkeep.run()
        try:
            for entity_type in self._entities:
                self._sweep_modified(entity_type)
                self._sweep_removed(entity_type)
        except Transient as error:
            wait = error.retry_after or backoff(lease.attempt)
            return Rest(next_due=self._interval, not_before=min(wait, self._interval), failed=True)
        except RemoteError as error:
            log.error("the sweep could not read the CRM: %s", error)
            return Rest(next_due=self._interval, failed=True)
        return Rest(next_due=self._interval)

    def _sweep_modified(self, entity_type: str) -> None:
        name = f"sweep:{entity_type}"
        started = self._gateway.now()
        since = self._store.bookmarks.get(name)
        if not since:
            # What lies before the first sweep is the back-fill's business.
            self._store.bookmarks.set(name, started.isoformat())
            return
        portion: list[ModifiedRecord] = []
        for record in modified_records(self._gateway, entity_type, datetime.fromisoformat(since) - OVERLAP):
            portion.append(record)
            if len(portion) == PORTION:
                self._mark(entity_type, portion)
                portion = []
        self._mark(entity_type, portion)
        if self._store.bookmarks.get(name) == since:
            self._store.bookmarks.set(name, started.isoformat())

    def _mark(self, entity_type: str, records: list[ModifiedRecord]) -> None:
        links = self._store.links.by_records({(entity_type, r.id) for r in records})
        members = self._roster.by_users({r.assigned_user_id for r in records})
        missed = []
        for record in records:
            link = links.get((entity_type, record.id))
            member = members.get(record.assigned_user_id)
            if link is not None and _seen(link, record.modified_at):
                continue
            if link is None and (
                member is None
                or not may_push(record.modified_at, member.policy(self._entities[entity_type], 0.0))
            ):
                continue
            missed.append((entity_type, record.id, record.assigned_user_id, "swept"))
        self._store.queue.record_changes(missed)

    def _sweep_removed(self, entity_type: str) -> None:
        """Removed records are in no list: ask for the next portion of the linked ones by id."""
        name = f"removed:{entity_type}"
        after = self._store.bookmarks.get(name)
        portion = self._store.links.record_ids(entity_type, after=after, limit=PORTION)
        self._store.bookmarks.set(name, portion[-1] if len(portion) == PORTION else "")
        if not portion:
            return
        gone = [
            record_id
            for record_id, answer in self._gateway.load(entity_type, portion).items()
            if isinstance(answer, Missing) and answer.presence is Presence.GONE
        ]
        self._store.queue.record_changes([(entity_type, record_id, "", "swept") for record_id in gone])


def look_back(store: Store, entity_types: Iterable[str], since: datetime) -> None:
    """Let a sweep come at once that finds what was saved from `since` on, by the CRM's clock."""
    for entity_type in entity_types:
        name = f"sweep:{entity_type}"
        known = store.bookmarks.get(name)
        if not known or datetime.fromisoformat(known) > since:
            store.bookmarks.set(name, since.isoformat())
    store.queue.wake(SWEEP)


def _seen(link: Link, modified_at: datetime) -> bool:
    """Whether the base was taken from a record at least as new; a cheap filter, by the CRM's own clock."""
    return link.crm_base is not None and link.crm_base.version >= version_of(modified_at)


def version_of(modified_at: datetime | None) -> str:
    """The cheap filter of the CRM's side: sorts like time."""
    return modified_at.strftime("%Y-%m-%dT%H:%M:%SZ") if modified_at else ""
