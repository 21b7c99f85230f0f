"""Events that a reassignment left behind in the calendar of an account that was off (R2).

Decides what is listed. They go when the account is connected again; until then only their owner can remove
them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from calsync_plugin.domain.links import CopyPurpose
from calsync_plugin.state import Account, AccountStatus, Store


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """An event whose record belongs to another user by now."""

    entity_type: str
    record_id: str
    event_id: str


def left_behind(store: Store, account: Account) -> Iterator[LeftBehind]:
    """What lies in the calendar of an account that is off and was to be removed there."""
    if account.status is not AccountStatus.OFF or not account.mailbox_id:
        return
    for link in store.links.for_mailbox(account.mailbox_id):
        for copy in link.copies:
            if copy.purpose is CopyPurpose.LEAVING and copy.mailbox_id == account.mailbox_id:
                yield LeftBehind(link.entity_type, link.record_id, copy.event_id)
