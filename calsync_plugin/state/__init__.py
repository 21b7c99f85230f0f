"""What calsync keeps: the queue, links, accounts, tokens and logs, in SQLite or PostgreSQL.

`open_store` gives a `Store`, whose rooms answer questions; a run saves through `Store.save`. Nothing outside
of this package knows SQL, Alembic or a cipher.
"""

from calsync_plugin.state.backup import back_up
from calsync_plugin.state.booking_rows import (
    TAKING,
    Booking,
    BookingCalendar,
    BookingState,
    CalendarKind,
    Gate,
    Hold,
    HoldState,
    Standing,
    Turn,
)
from calsync_plugin.state.busy_rows import OF_MAILBOX, BusySource, BusyTime, Feed, SourceKind
from calsync_plugin.state.busy_writes import BusyWrites
from calsync_plugin.state.clock import NEVER, Clock, SystemClock
from calsync_plugin.state.crm_users import CrmUser
from calsync_plugin.state.figure_rows import Figure
from calsync_plugin.state.gauges import Snapshot
from calsync_plugin.state.heart import Heart
from calsync_plugin.state.listing import AccountLine
from calsync_plugin.state.reading_rows import (
    CalendarRow,
    Cursor,
    CursorStage,
    EventMark,
    EventPage,
    PullState,
    Subscription,
)
from calsync_plugin.state.rows import (
    FEEDS,
    ROUTER,
    SWEEP,
    Account,
    AccountStatus,
    AuditEntry,
    Change,
    ChangeKey,
    ChangePage,
    Clash,
    Decision,
    Given,
    Held,
    Installation,
    JournalEntry,
    Lease,
    Mailbox,
    MailboxKind,
    Note,
    Notify,
    OAuthFlow,
    Pace,
    Parked,
    Stage,
    Subject,
    Webhook,
)
from calsync_plugin.state.saving import Save
from calsync_plugin.state.secrets import Keyring
from calsync_plugin.state.sessions import session_hash
from calsync_plugin.state.store import Store, open_store

__all__ = [
    "FEEDS",
    "NEVER",
    "OF_MAILBOX",
    "ROUTER",
    "SWEEP",
    "TAKING",
    "Account",
    "AccountLine",
    "AccountStatus",
    "AuditEntry",
    "Booking",
    "BookingCalendar",
    "BookingState",
    "BusySource",
    "BusyTime",
    "BusyWrites",
    "CalendarKind",
    "CalendarRow",
    "Change",
    "ChangeKey",
    "ChangePage",
    "Clash",
    "Clock",
    "CrmUser",
    "Cursor",
    "CursorStage",
    "Decision",
    "EventMark",
    "EventPage",
    "Feed",
    "Figure",
    "Gate",
    "Given",
    "Heart",
    "Held",
    "Hold",
    "HoldState",
    "Installation",
    "JournalEntry",
    "Keyring",
    "Lease",
    "Mailbox",
    "MailboxKind",
    "Note",
    "Notify",
    "OAuthFlow",
    "Pace",
    "Parked",
    "PullState",
    "Save",
    "Snapshot",
    "SourceKind",
    "Stage",
    "Standing",
    "Store",
    "Subject",
    "Subscription",
    "SystemClock",
    "Turn",
    "Webhook",
    "back_up",
    "open_store",
    "session_hash",
]
