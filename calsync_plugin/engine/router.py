"""From change rows to the mailboxes they concern.

Decides whom a mark concerns: the link's home, its leaving copies, and the assigned user's mailbox. A wrong
guess costs a look, never a wrong write: the mailbox's run reads the record and hands the mark on if it
belongs elsewhere.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from calsync_plugin.crm.gateway import CrmGateway, Found
from calsync_plugin.domain.links import Link
from calsync_plugin.engine.failures import asking_the_crm
from calsync_plugin.engine.roster import OFF, Roster
from calsync_plugin.engine.worker import Rest, backoff
from calsync_plugin.errors import Transient
from calsync_plugin.settings import EntitySettings
from calsync_plugin.state import ROUTER, Change, Lease, Parked, Store

log = logging.getLogger(__name__)

PORTION = 2000
"""Marks that are routed in one transaction: a mailbox that is woken shall find all of a burst."""

Key = tuple[str, str]


class Router:
    """Routes all unrouted marks, portion by portion."""

    def __init__(
        self,
        store: Store,
        gateway: CrmGateway,
        roster: Roster,
        entities: Mapping[str, EntitySettings],
        *,
        also: Callable[[Sequence[Change]], None] = lambda _changes: None,
    ) -> None:
        """Route by what `store` knows, and ask `gateway` for records whose assignee is not known.

        `also` is told of all marks before they are routed.
        """
        self._store = store
        self._gateway = gateway
        self._roster = roster
        self._entities = entities
        self._also = also

    def run(self, lease: Lease) -> Rest:
        """Route what is there; due again at once if there is more."""
        try:
            while changes := self._store.changes.unrouted(PORTION):
                self._also(changes)
                self._store.changes.route(self._targets(lease, changes))
                if len(changes) < PORTION:
                    break
        except Transient as error:
            wait = error.retry_after or backoff(lease.attempt)
            return Rest(next_due=0.0, not_before=wait, failed=True)
        return Rest()

    def _targets(self, lease: Lease, changes: Sequence[Change]) -> dict[int, set[int]]:
        keys = {(c.entity_type, c.record_id) for c in changes}
        links = self._store.links.by_records(keys)
        parked = self._store.parked.mailboxes_of(keys)
        hints = {c.id: c.user_hint or self._home_user(links, c) for c in changes}
        asked = [c for c in changes if not hints[c.id] and c.entity_type in self._entities]
        found = self._assignees(asked) if asked else {}
        self._park_unassigned(lease, found, parked)
        users = {c.id: hints[c.id] or found.get((c.entity_type, c.record_id)) or "" for c in changes}
        members = self._roster.by_users(set(users.values()))
        targets: dict[int, set[int]] = {}
        for change in changes:
            key = (change.entity_type, change.record_id)
            member = members.get(users[change.id])
            mailboxes = {copy.mailbox_id for copy in links[key].copies} if key in links else set()
            # Where it is parked, it has to be taken off the list once it is in order or gone.
            mailboxes |= parked.get(key, set()) - {ROUTER}
            if member and member.mailbox_id and member.account.status not in OFF:
                mailboxes.add(member.mailbox_id)
            targets[change.id] = mailboxes if change.entity_type in self._entities else set()
        return targets

    def _park_unassigned(
        self, lease: Lease, found: Mapping[Key, str], parked: Mapping[Key, set[int]]
    ) -> None:
        """A record of nobody belongs to no calendar: the router parks it until it has an assignee."""
        nobodys = [key for key, user_id in found.items() if user_id == ""]
        settled = [key for key, mailboxes in parked.items() if ROUTER in mailboxes and key not in nobodys]
        if not nobodys and not settled:
            return
        with self._store.save(lease) as tx:
            for entity_type, record_id in settled:
                tx.unpark(mailbox_id=ROUTER, entity_type=entity_type, record_id=record_id)
            for entity_type, record_id in nobodys:
                text = (
                    f"{entity_type} {record_id}: it has no assigned user, so that it belongs to no calendar"
                )
                log.warning("an item is parked: %s", text)
                tx.park(
                    Parked(
                        mailbox_id=ROUTER,
                        user_id="",
                        reason="no_assigned_user",
                        message=text,
                        entity_type=entity_type,
                        record_id=record_id,
                    )
                )

    def _home_user(self, links: Mapping[Key, Link], change: Change) -> str:
        """A linked record's home looks itself who the assignee is; nothing needs to be asked for it."""
        link = links.get((change.entity_type, change.record_id))
        return "-" if link and link.home else ""

    def _assignees(self, changes: Sequence[Change]) -> dict[Key, str]:
        by_type: dict[str, set[str]] = defaultdict(set)
        for change in changes:
            by_type[change.entity_type].add(change.record_id)
        with asking_the_crm():
            return {
                (entity_type, record_id): str(answer.record.get("assignedUserId") or "")
                for entity_type, ids in by_type.items()
                for record_id, answer in self._gateway.load(entity_type, ids).items()
                if isinstance(answer, Found)
            }
