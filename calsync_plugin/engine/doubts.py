"""Whether the CRM still is what it was: a backup was restored, or it was emptied.

Decides when it looks like that. The witnesses are the linked records that were saved last: what a backup does
not know are the latest saves, all of them, and nothing before them. While there is doubt, the brake holds
everything that would end a link because its record is gone, however little it is (R11). What the CRM still
has is synced on, and what comes back is taken as if it had never been away.

A doubt ends by itself once no witness is gone or older any more: what was, is held or was compared anew. What
is held stays so until a person confirms or discards it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
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

WITNESSES, IN_DOUBT = 20, 200
"""How many are asked; while there is doubt as many as one request takes."""
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

    def look(self, entity_type: str) -> Mapping[str, Loaded]:
        """Ask for the witnesses of one entity type; while there is doubt, they are what to compare first."""
        name = _name(entity_type)
        before = self._store.bookmarks.get(name)
        witnesses = self._witnesses(entity_type, IN_DOUBT if before else WITNESSES)
        loaded = self._gateway.load(entity_type, list(witnesses)) if witnesses else {}
        what = self._judged(entity_type, witnesses, loaded, before.partition(" ")[2])
        if what and not before:
            log.error("%s: %s; no event is removed until that is clear", entity_type, what)
            before = f"{self._store.clock.now():.0f} {what}"
            self._store.bookmarks.set(name, before)
        if what:
            self._notices.crm_in_doubt(entity_type, before)
        elif before:
            log.warning("%s: the CRM is as it should be again, or what it lost is held", entity_type)
            self._store.bookmarks.set(name, "")
        return loaded if before else {}

    def _judged(
        self, entity_type: str, witnesses: Mapping[str, Link], loaded: Mapping[str, Loaded], before: str
    ) -> str:
        """What it looks like; empty if all is well. `before`: what it looked like until now."""
        if any(is_older(link, _saved_at(loaded[record_id])) for record_id, link in witnesses.items()):
            return before or RESTORED
        gone = [link for record_id, link in witnesses.items() if _is_gone(loaded[record_id])]
        if not gone or before:
            return before if gone else ""
        if 1 < len(gone) == len(witnesses) and self._is_empty(entity_type):
            return EMPTIED
        # People remove this and that; a backup lacks what is younger than all that it has.
        left = [link for record_id, link in witnesses.items() if not _is_gone(loaded[record_id])]
        youngest = max((_known(link) for link in left), default="")
        return RESTORED if len(gone) > FEW and all(_known(link) > youngest for link in gone) else ""

    def _witnesses(self, entity_type: str, most: int) -> dict[str, Link]:
        """Links by their records. What is held already, or waits for its user, bears witness no more."""
        held = {one.link_id for one in self._store.held.all()}
        latest = self._store.links.saved_last(entity_type, most + len(held))
        ids = [link_id for link_id, _ in latest if link_id not in held]
        links = self._store.links.by_ids(ids)
        members = self._roster.by_mailboxes({link.home.mailbox_id for link in links.values() if link.home})
        ready = {mailbox_id for mailbox_id, one in members.items() if one.account.status in READY}
        known = [links[link_id] for link_id in ids if link_id in links]
        fit = [link for link in known if link.home is not None and link.home.mailbox_id in ready]
        return {link.record_id: link for link in fit[:most]}

    def _is_empty(self, entity_type: str) -> bool:
        return not self._gateway.modified_since(entity_type, _LONG_AGO, limit=1).records


def in_doubt(store: Store, entity_type: str) -> bool:
    """Whether a record of this type that is gone may have been lost with a backup."""
    return bool(doubt(store, entity_type))


def doubt(store: Store, entity_type: str) -> str:
    """What the CRM looks like as to records of this type, in words; empty if all is well."""
    return store.bookmarks.get(_name(entity_type)).partition(" ")[2]


def _name(entity_type: str) -> str:
    return f"doubt:{entity_type}"


def _is_gone(answer: Loaded) -> bool:
    return isinstance(answer, Missing) and answer.presence is Presence.GONE


def _known(link: Link) -> str:
    """When its record was saved, as far as the store knows."""
    return link.crm_base.version if link.crm_base else ""


def _saved_at(answer: Loaded) -> datetime | None:
    return parse_instant(answer.record.get("modifiedAt")) if isinstance(answer, Found) else None
