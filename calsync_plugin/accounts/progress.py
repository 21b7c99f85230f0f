"""How far the sync of one account is, for a user who watches it.

Decides when an account counts as busy, and what stands for the whole of a first sync, whose end nobody knows
before Outlook was read.
"""

from __future__ import annotations

from dataclasses import dataclass

from calsync_plugin.state import Account, AccountStatus, Stage, Store

SYNCING = frozenset({AccountStatus.CONNECTED, AccountStatus.SYNCING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where the work of an account stands."""

    busy: bool
    first: bool
    """Whether Outlook was not read to its end yet."""
    stage: Stage
    done: int
    """Meetings that are linked."""
    waiting: int
    """Records and events that are still to be looked at."""


def progress(store: Store, account: Account) -> Progress:
    """What is done and what waits now."""
    mailbox_id = account.mailbox_id or 0
    waiting = store.changes.waiting_for(mailbox_id) + store.events.waiting_for(mailbox_id)
    first = account.pulled_at is None
    due = bool(mailbox_id) and store.queue.pull_state(mailbox_id).pull_at <= store.clock.now()
    works = account.status in SYNCING and bool(mailbox_id)
    return Progress(
        busy=works and (first or due or waiting > 0 or account.stage is not Stage.IDLE),
        first=first,
        stage=account.stage,
        done=store.links.count(mailbox_id),
        waiting=waiting,
    )
