"""What calsync keeps: the queue, links, accounts, tokens and logs, in SQLite or PostgreSQL.

`open_store` gives a `Store`, whose rooms answer questions; a run saves through `Store.save`. Nothing outside
of this package knows SQL, Alembic or a cipher.
"""

from calsync_plugin.state.clock import NEVER, Clock, SystemClock
from calsync_plugin.state.heart import Heart
from calsync_plugin.state.rows import (
    ROUTER,
    SWEEP,
    Account,
    AccountStatus,
    Change,
    ChangeKey,
    ChangePage,
    Clash,
    Cursor,
    CursorStage,
    Decision,
    Held,
    Installation,
    JournalEntry,
    Lease,
    Mailbox,
    MailboxKind,
    Note,
    OAuthFlow,
    Pace,
    Parked,
    Stage,
    Subscription,
    Webhook,
)
from calsync_plugin.state.saving import Save
from calsync_plugin.state.secrets import Keyring
from calsync_plugin.state.store import Store, open_store

__all__ = [
    "NEVER",
    "ROUTER",
    "SWEEP",
    "Account",
    "AccountStatus",
    "Change",
    "ChangeKey",
    "ChangePage",
    "Clash",
    "Clock",
    "Cursor",
    "CursorStage",
    "Decision",
    "Heart",
    "Held",
    "Installation",
    "JournalEntry",
    "Keyring",
    "Lease",
    "Mailbox",
    "MailboxKind",
    "Note",
    "OAuthFlow",
    "Pace",
    "Parked",
    "Save",
    "Stage",
    "Store",
    "Subscription",
    "SystemClock",
    "Webhook",
    "open_store",
]
