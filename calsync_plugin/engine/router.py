"""From change rows to the mailboxes they concern.

Decides whom a mark concerns: the link's home, its leaving copies, and the assigned user's mailbox. A wrong
guess costs a look, never a wrong write: the mailbox's run reads the record and hands the mark on if it
belongs elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from calsync_plugin.crm.gateway import CrmGateway, Found
from calsync_plugin.domain.links import Link
from calsync_plugin.engine.roster import OFF, Roster
from calsync_plugin.engine.worker import Rest, backoff
from calsync_plugin.errors import Transient
from calsync_plugin.settings import EntitySettings
from calsync_plugin.state import Change, Lease, Store

PORTION = 500
"""Marks that are routed in one transaction."""

Key = tuple[str, str]


class Router:
    """Routes all unrouted marks, portion by portion."""

    def __init__(
        self,
        store: Store,
        gateway: CrmGateway,
        roster: Roster,
        entities: Mapping[str, EntitySettings],
    ) -> None:
        """Route by what `store` knows, and ask `gateway` for records whose assignee is not known."""
        self._store = store
        self._gateway = gateway
        self._roster = roster
        self._entities = entities

    def run(self, lease: Lease) -> Rest:
        """Route what is there; due again at once if there is more."""
        try:
            while changes := self._store.changes.unrouted(PORTION):
                self._store.changes.route(self._targets(changes))
                if len(changes) < PORTION:
                    break
        except Transient as error:
            wait = error.retry_after or backoff(lease.attempt)
            return Rest(next_due=0.0, not_before=wait, failed=True)
        return Rest()

    def _targets(self, changes: Sequence[Change]) -> dict[int, set[int]]:
        links = self._store.links.by_records({(c.entity_type, c.record_id) for c in changes})
        hints = {c.id: c.user_hint or self._home_user(links, c) for c in changes}
        asked = [c for c in changes if not hints[c.id] and c.entity_type in self._entities]
        found = self._assignees(asked) if asked else {}
        users = {c.id: hints[c.id] or found.get((c.entity_type, c.record_id), "") for c in changes}
        members = self._roster.by_users(set(users.values()))
        targets: dict[int, set[int]] = {}
        for change in changes:
            link = links.get((change.entity_type, change.record_id))
            member = members.get(users[change.id])
            mailboxes = {copy.mailbox_id for copy in link.copies} if link else set()
            if member and member.mailbox_id and member.account.status not in OFF:
                mailboxes.add(member.mailbox_id)
            targets[change.id] = mailboxes if change.entity_type in self._entities else set()
        return targets

    def _home_user(self, links: Mapping[Key, Link], change: Change) -> str:
        """A linked record's home looks itself who the assignee is; nothing needs to be asked for it."""
        link = links.get((change.entity_type, change.record_id))
        return "-" if link and link.home else ""

    def _assignees(self, changes: Sequence[Change]) -> dict[Key, str]:
        by_type: dict[str, set[str]] = defaultdict(set)
        for change in changes:
            by_type[change.entity_type].add(change.record_id)
        return {
            (entity_type, record_id): str(answer.record.get("assignedUserId") or "")
            for entity_type, ids in by_type.items()
            for record_id, answer in self._gateway.load(entity_type, ids).items()
            if isinstance(answer, Found)
        }
