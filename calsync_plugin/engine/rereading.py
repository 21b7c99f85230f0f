"""What no webhook and no time of modification tells: records are read again and compared with their bases.

EspoCRM raises `modifiedAt` neither for an answer given in its dialog nor when people are linked or unlinked,
nor when a removed record is restored, and tells no webhook of it (EspoCRM 9.2.7, measured). A removed record
is in no list, and one of a restored backup is older than the last look.

Decides which of the records that were read get a mark: those for which a plan, made of the record and of what
the store knows of the event, has something to do. So what is alike costs one request for 200 records, and
nothing is planned here that a run would not plan as well. Which records are read is `portions`', whether the
CRM can be believed `doubts`'.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta

from calsync_plugin.crm.attendance import people_of
from calsync_plugin.crm.directory import Directory
from calsync_plugin.crm.gateway import CrmGateway, Found, Loaded
from calsync_plugin.domain.adoption import READ_FIRST
from calsync_plugin.domain.links import LinkState, Presence
from calsync_plugin.domain.operations import Wait
from calsync_plugin.domain.planner import OUT_OF_SIGHT, plan
from calsync_plugin.engine.doubts import Doubts
from calsync_plugin.engine.gather import Gatherer, key_of
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.portions import BANDS, Portions, assigned_to
from calsync_plugin.engine.roster import READY, Member, Roster
from calsync_plugin.state import Store

log = logging.getLogger(__name__)


class Rereading:
    """Reads records again, and marks those that differ."""

    def __init__(
        self,
        store: Store,
        gateway: CrmGateway,
        roster: Roster,
        gatherer: Gatherer,
        directory: Directory,
        doubts: Doubts,
    ) -> None:
        """Compare as `gatherer` does it for a run; `directory` is the one that it asks."""
        self._store = store
        self._gateway = gateway
        self._roster = roster
        self._gatherer = gatherer
        self._directory = directory
        self._doubts = doubts
        self._portions = Portions(store, gateway)

    def look(self, entity_type: str) -> None:
        """Read and compare the portions of one entity type that are due."""
        self._compare(entity_type, self._doubts.look(entity_type))
        now = self._gateway.now()
        for band in BANDS:
            with self._portions.ahead(entity_type, band, now) as portion:
                self._compare(entity_type, portion)
        with self._portions.linked(entity_type) as portion:
            self._compare(entity_type, portion)

    def _compare(self, entity_type: str, loaded: Mapping[str, Loaded]) -> None:
        if not loaded:
            return
        by_key = {(entity_type, record_id): answer for record_id, answer in loaded.items()}
        found = {i: answer.record for i, answer in loaded.items() if isinstance(answer, Found)}
        self._directory.prefetch({person for record in found.values() for person in people_of(record)})
        held = {one.link_id for one in self._store.held.all()}
        parked = {record_id for _, record_id in self._store.parked.mailboxes_of(by_key)}
        differing: set[str] = set()
        for member, record_ids in self._concerned(entity_type, loaded):
            keys = [key_of(entity_type, i) for i in sorted(record_ids - differing)]
            items = self._gatherer.gather(member, keys, self._store.clock.now(), by_key)
            differing |= {
                item.key.record_id
                for item in items
                if differs(item, held)
                # What is parked would be tried again and again; a save of its record does that.
                and not (item.ours.presence is Presence.PRESENT and item.key.record_id in parked)
            }
        self._store.queue.record_changes(
            [(entity_type, i, assigned_to(found.get(i, {})), "swept") for i in sorted(differing)]
        )

    def _concerned(self, entity_type: str, loaded: Mapping[str, Loaded]) -> Iterable[tuple[Member, set[str]]]:
        """Whose mailboxes hold a copy of these records or should hold one, and of which."""
        links = self._store.links.by_records([(entity_type, record_id) for record_id in loaded])
        users = {i: assigned_to(a.record) for i, a in loaded.items() if isinstance(a, Found)}
        assigned = self._roster.by_users(set(users.values()))
        concerned: defaultdict[int, set[str]] = defaultdict(set)
        for record_id in loaded:
            link = links.get((entity_type, record_id))
            for copy in link.copies if link else ():
                concerned[copy.mailbox_id].add(record_id)
            member = assigned.get(users.get(record_id, ""))
            if member is not None:
                concerned[member.mailbox_id].add(record_id)
        members = self._roster.by_mailboxes(concerned.keys())
        for mailbox_id in sorted(members):
            # Whoever comes back is found by a later portion; until then marks would only pile up.
            if members[mailbox_id].account.status in READY:
                yield members[mailbox_id], concerned[mailbox_id]


def differs(item: Item, held: set[str]) -> bool:
    """Whether a run would have something to do here. `held` are links of which something waits for a person.

    What is held is planned each time; it is news only if nothing of it is left to do.
    """
    if item.state is not ItemState.OPEN or item.problem is not None:
        return False
    link = item.link
    if link is not None and link.state is LinkState.SUSPENDED:
        known = item.ours.presence in (Presence.PRESENT, Presence.GONE)
        return known and link.reason == OUT_OF_SIGHT
    planned = plan(link, item.ours, item.theirs, item.policy)
    to_do = any(operation is READ_FIRST or not isinstance(operation, Wait) for operation in planned)
    return not to_do if link is not None and link.id in held else to_do


LONG = timedelta(days=1).total_seconds()
"""Seconds that a directory for this purpose believes an answer: people are compared by who they are."""
