"""Whether the CRM still is what it was: a backup was restored, or it was emptied.

Decides when it looks like that. The witnesses are the linked records that were saved last: a backup does not
know the latest of them, or knows them as they were before. While there is doubt, the brake holds everything
that would remove an event because its record is gone, however little it is (R11). What the CRM still has is
synced on, and what comes back is taken as if it had never been away.

A doubt ends by itself, once the witnesses are right again and all linked records have been looked at since.
What was found to be gone until then stays held: a person confirms or discards it.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from calsync_plugin.crm.gateway import CrmGateway, Found, Loaded, Missing
from calsync_plugin.crm.spans import parse_instant
from calsync_plugin.domain.breaker import FEW
from calsync_plugin.domain.links import Link, Presence
from calsync_plugin.engine.notices import Notices
from calsync_plugin.engine.roster import READY, Roster
from calsync_plugin.engine.versions import is_older
from calsync_plugin.state import Store

log = logging.getLogger(__name__)

WITNESSES = 20
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

RESTORED = "the CRM looks as if an older backup had been restored"
EMPTIED = "the CRM looks as if it had been emptied"


class Doubts:
    """Looks for signs, and remembers them in the store."""

    def __init__(self, store: Store, gateway: CrmGateway, roster: Roster, notices: Notices) -> None:
        """Ask `gateway`; tell administrators through `notices`."""
        self._store = store
        self._gateway = gateway
        self._roster = roster
        self._notices = notices

    def look(self, entity_type: str) -> bool:
        """Ask for the witnesses of one entity type; whether there is doubt now."""
        name = _name(entity_type)
        before = self._store.bookmarks.get(name)
        what = self._seen(entity_type)
        if what:
            since = before.partition(" ")[0] or f"{self._store.clock.now():.0f}"
            if not before:
                log.error("%s: %s; no event is removed until that is clear", entity_type, what)
            self._notices.crm_in_doubt(entity_type, f"{since} {what}")
            # A round that began before this look proves nothing.
            self._store.bookmarks.set(name, f"{since} {what}|again")
            return True
        return bool(before)

    def _seen(self, entity_type: str) -> str:
        witnesses = self._witnesses(entity_type)
        if not witnesses:
            return ""
        loaded = self._gateway.load(entity_type, list(witnesses))
        if any(is_older(link, _saved_at(loaded[record_id])) for record_id, link in witnesses.items()):
            return RESTORED
        gone = sum(_is_gone(answer) for answer in loaded.values())
        if 1 < gone == len(witnesses) and self._is_empty(entity_type):
            return EMPTIED
        return RESTORED if gone > FEW and gone * 2 > len(witnesses) else ""

    def _witnesses(self, entity_type: str) -> dict[str, Link]:
        """Links by their records. What is held already, or waits for its user, bears witness no more."""
        held = {one.link_id for one in self._store.held.all()}
        latest = self._store.links.saved_last(entity_type, WITNESSES + len(held))
        ids = [link_id for link_id, _ in latest if link_id not in held]
        links = self._store.links.by_ids(ids)
        members = self._roster.by_mailboxes({link.home.mailbox_id for link in links.values() if link.home})
        ready = {mailbox_id for mailbox_id, one in members.items() if one.account.status in READY}
        known = [links[link_id] for link_id in ids if link_id in links]
        fit = [link for link in known if link.home is not None and link.home.mailbox_id in ready]
        return {link.record_id: link for link in fit[:WITNESSES]}

    def _is_empty(self, entity_type: str) -> bool:
        return not self._gateway.modified_since(entity_type, _LONG_AGO, limit=1).records

    def all_seen(self, entity_type: str) -> None:
        """A round through all linked records has ended; one that began in doubt may end it."""
        name = _name(entity_type)
        before = self._store.bookmarks.get(name)
        since, _, what = before.partition(" ")
        if not before:
            return
        if what.endswith("|again"):
            self._store.bookmarks.swap(name, before, f"{since} {what.removesuffix('|again')}")
            return
        if self._store.bookmarks.swap(name, before, ""):
            log.warning("%s: the CRM is as it should be again, or what it lost is held", entity_type)


def in_doubt(store: Store, entity_type: str) -> bool:
    """Whether a record of this type that is gone may have been lost with a backup."""
    return bool(store.bookmarks.get(_name(entity_type)))


def _name(entity_type: str) -> str:
    return f"doubt:{entity_type}"


def _is_gone(answer: Loaded) -> bool:
    return isinstance(answer, Missing) and answer.presence is Presence.GONE


def _saved_at(answer: Loaded) -> datetime | None:
    return parse_instant(answer.record.get("modifiedAt")) if isinstance(answer, Found) else None
