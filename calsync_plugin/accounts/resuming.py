"""What happens when a reason to leave an account alone has ended (R12): its links are compared, not assumed.

Decides which records and events are looked at again. What is found is planned by the engine.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from calsync_plugin.crm.gateway import CrmGateway
from calsync_plugin.domain.links import LinkState
from calsync_plugin.engine.sweep import look_back
from calsync_plugin.state import FEEDS, Account, AccountStatus, Store

MOST_PARKED = 100_000


def compare_suspended(store: Store, mailbox_id: int) -> int:
    """Mark the records of all suspended links of a mailbox, and wake it and the lane of its user's calendar
    addresses; returns how many were marked.
    """
    marks = [
        (link.entity_type, link.record_id, "", "resumed")
        for link in store.links.for_mailbox(mailbox_id)
        if link.state is LinkState.SUSPENDED and link.record_id
    ]
    store.queue.record_changes(marks)
    store.queue.wake(mailbox_id)
    if store.feeds.next_due_in() is not None:
        store.queue.wake(FEEDS)
    return len(marks)


def find_what_was_saved(
    store: Store, gateway: CrmGateway, entity_types: Iterable[str], before: Account
) -> None:
    """Let records be found that were saved while an account was off: nothing of them was kept for it.

    Which of them may go out by themselves is planned as ever (R8).
    """
    last = before.last_success_at or before.connected_at
    if before.status is AccountStatus.OFF and last is not None:
        away = datetime.fromtimestamp(store.clock.now(), UTC) - last
        look_back(store, entity_types, gateway.now() - away)


def try_parked_again(store: Store, mailbox_id: int) -> int:
    """Let what was parked in a mailbox be looked at again: the same may have been wrong with it; how many."""
    parked = store.parked.all(mailbox_id=mailbox_id, limit=MOST_PARKED)
    store.queue.record_changes(
        [(item.entity_type, item.record_id, "", "resumed") for item in parked if item.record_id]
    )
    with store.save(None) as tx:
        tx.mark_events(mailbox_id, [item.event_id for item in parked if item.event_id])
    return len(parked)
