"""Meetings of somebody whose mailbox is no longer followed, which a colleague attends (4.2, R3).

Decides which of them go on through the colleague's copy: those that somebody else organizes. What the
mailbox's user organizes is suspended with that mailbox and compared when it is back (R12, R19); what is
masked stays masked (R14). When the mailbox is back, its event joins again.
"""

from __future__ import annotations

from collections.abc import Collection

from calsync_plugin.accounts.reading import change_links
from calsync_plugin.domain.links import CopyPurpose, CopyState, Link, LinkState, Role
from calsync_plugin.domain.meeting import Field
from calsync_plugin.domain.privacy import MASK
from calsync_plugin.engine.progress import rehomed
from calsync_plugin.engine.roster import Roster
from calsync_plugin.state import Store


def hand_on(store: Store, mailbox_id: int) -> int:
    """Let the meetings of a mailbox go on through invited colleagues' copies; returns how many."""
    roster = Roster(store)
    handed: dict[str, Link] = {}

    def changed(link: Link) -> Link:
        heirs = _heirs(link, roster) if _may_go_on(link, mailbox_id) else ()
        after = rehomed(link, heirs)
        if after is not None:
            handed[link.id] = after
        return after or link

    change_links(store, mailbox_id, changed)
    store.queue.record_changes([(one.entity_type, one.record_id, "", "handed on") for one in handed.values()])
    return len(handed)


def leave(store: Store, mailbox_id: int, reason: str) -> int:
    """Follow a mailbox no longer: what cannot go on elsewhere is suspended (R12). Returns how many go on."""
    handed = hand_on(store, mailbox_id)
    store.links.suspend(mailbox_id, reason)
    return handed


def _may_go_on(link: Link, mailbox_id: int) -> bool:
    home, base = link.home, link.outlook_base
    return (
        home is not None
        and home.mailbox_id == mailbox_id
        and link.state is LinkState.ACTIVE
        and bool(link.record_id)
        and link.role is Role.ATTENDEE
        and (base is None or base.values.get(Field.SUBJECT) != MASK)
    )


def _heirs(link: Link, roster: Roster) -> Collection[int]:
    copies = [c for c in link.copies if c.purpose is CopyPurpose.ATTENDEE and c.state is CopyState.LIVE]
    members = roster.by_mailboxes({copy.mailbox_id for copy in copies})
    return [mailbox_id for mailbox_id, one in members.items() if one.brings(link.entity_type)]
