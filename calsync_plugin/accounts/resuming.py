"""What happens when a reason to leave an account alone has ended (R12): its links are compared, not assumed.

Decides which records are looked at again. What is found is planned by the engine.
"""

from __future__ import annotations

from calsync_plugin.domain.links import LinkState
from calsync_plugin.state import Store


def compare_suspended(store: Store, mailbox_id: int) -> int:
    """Mark the records of all suspended links of a mailbox, and wake it; returns how many."""
    marks = [
        (link.entity_type, link.record_id, "", "resumed")
        for link in store.links.for_mailbox(mailbox_id)
        if link.state is LinkState.SUSPENDED and link.record_id
    ]
    store.queue.record_changes(marks)
    store.queue.wake(mailbox_id)
    return len(marks)
