"""A person's word on what the breaker held (R11).

Decides what confirming and discarding mean. What is held, and when, is the breaker's.
"""

from __future__ import annotations

from dataclasses import replace

from calsync_plugin.accounts.auditing import Actor, note_account
from calsync_plugin.domain.links import LinkState
from calsync_plugin.state import Account, Decision, Store


def confirm(store: Store, account: Account, *, by: Actor | None = None) -> int:
    """Let the held operations of an account go ahead; returns how many there were."""
    mailbox_id = account.mailbox_id or 0
    waiting = [held for held in store.held.all(mailbox_id) if held.decision is Decision.NONE]
    store.held.decide(mailbox_id, Decision.CONFIRMED, [held.link_id for held in waiting])
    _look_again(store, [held.link_id for held in waiting])
    note_account(store, by, account, f"confirmed held changes: {len(waiting)}")
    return len(waiting)


def discard(store: Store, account: Account, *, by: Actor | None = None) -> int:
    """Give the held operations up: what should have been deleted stays and is no longer followed."""
    mailbox_id = account.mailbox_id or 0
    waiting = [held for held in store.held.all(mailbox_id) if held.decision is Decision.NONE]
    links = store.links.by_ids([held.link_id for held in waiting])
    with store.save(None) as tx:
        tx.save_links(
            [
                replace(link, state=LinkState.DETACHED, reason="a held change was discarded")
                for link in links.values()
            ]
        )
        for held in waiting:
            tx.unhold(mailbox_id, held.link_id)
    note_account(store, by, account, f"discarded held changes: {len(waiting)}")
    return len(waiting)


def _look_again(store: Store, link_ids: list[str]) -> None:
    links = store.links.by_ids(link_ids).values()
    store.queue.record_changes([(link.entity_type, link.record_id, "", "confirmed") for link in links])
