"""What the store hands out: frozen values, one for each kind of row.

Decides nothing. All datetimes are aware and in UTC; plain floats are epoch seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from calsync_plugin.domain.meeting import JsonValue

ROUTER = 1
"""The mailbox row whose lease is the right to route change rows."""
SWEEP = 2
"""The mailbox row whose lease is the right to look for what no hook reported."""
FEEDS = -1
"""The mailbox row whose lease is the right to read feeds."""


class MailboxKind(StrEnum):
    """What a leased row stands for."""

    ROUTER = "router"
    SWEEP = "sweep"
    FEEDS = "feeds"
    MAILBOX = "mailbox"


class AccountStatus(StrEnum):
    """What the user sees."""

    CONNECTED = "connected"
    SYNCING = "syncing"
    RECONNECT = "reconnect"
    NEEDS_ATTENTION = "needs_attention"
    PAUSED = "paused"
    OFF = "off"


class Stage(StrEnum):
    """What the worker does for the account at this moment."""

    IDLE = "idle"
    PULLING = "pulling"
    PUSHING = "pushing"


class Notify(StrEnum):
    """How calsync learns of changes in a mailbox; empty until that is known."""

    UNKNOWN = ""
    NOTIFICATIONS = "notifications"
    POLL = "poll"


class Decision(StrEnum):
    """What a person said to a held operation."""

    NONE = ""
    CONFIRMED = "confirmed"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one mailbox until the lease ends or is renewed."""

    mailbox_id: int
    kind: MailboxKind
    owner: str
    run: int
    """Counts the claims of this row; it fences a worker whose lease went to another, or to itself again."""
    seq: int
    attempt: int
    """1 for a first try; it grows with each run that failed or was killed."""
    until: float


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An Outlook mailbox by its identity; the address is for people only."""

    id: int
    kind: MailboxKind
    tenant_id: str
    object_id: str
    address: str


@dataclass(frozen=True, slots=True)
class Pace:
    """How many requests a mailbox has used since `start`."""

    start: float
    count: int


@dataclass(frozen=True, slots=True)
class Change:
    """A dirty mark: this record was touched. It says neither how nor whom it concerns."""

    id: int
    entity_type: str
    record_id: str
    user_hint: str = ""
    kind: str = "saved"
    created_at: float = 0.0


@dataclass(frozen=True, slots=True)
class ChangeKey:
    """All change rows of one record that wait for one mailbox."""

    entity_type: str
    record_id: str
    change_ids: tuple[int, ...]
    attempts: int
    created_at: float
    """Of the oldest of them."""


@dataclass(frozen=True, slots=True)
class ChangePage:
    """The oldest changes of a mailbox; `more` says that others are due, too."""

    keys: tuple[ChangeKey, ...]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A CRM user's settings and state."""

    user_id: str
    mailbox_id: int | None = None
    former_mailboxes: frozenset[int] = frozenset()
    """Mailboxes that the user was connected to before; their links stay where they are (R19)."""
    address: str = ""
    settings: Mapping[str, JsonValue] = field(default_factory=dict)
    grants: frozenset[str] = frozenset()
    status: AccountStatus = AccountStatus.OFF
    reason: str = ""
    stage: Stage = Stage.IDLE
    zone: str = ""
    """The mailbox's."""
    user_zone: str = ""
    """The user's in the CRM, as told at the last sign-in (`CrmUser`); kept there, never with the account."""
    language: str = ""
    """Likewise."""
    push_from: datetime | None = None
    connected_at: datetime | None = None
    last_success_at: datetime | None = None
    last_error: str = ""
    last_error_at: datetime | None = None
    notify: Notify = Notify.UNKNOWN
    notify_reason: str = ""
    """Why it is polled, in words."""
    pulled_at: datetime | None = None
    """When its calendars were last read to the end."""
    working_hours: JsonValue = None
    """When the user works, by the mailbox's settings; None if it does not tell."""
    working_hours_at: datetime | None = None
    """When that was asked last."""

    @property
    def is_connected(self) -> bool:
        """Whether there is a mailbox behind it now, ready or not."""
        return bool(self.mailbox_id) and self.status is not AccountStatus.OFF


@dataclass(frozen=True, slots=True)
class Installation:
    """One store, one CRM (R22). `paused` is the reason in words; empty if it runs."""

    id: str
    kind: str
    public_url: str
    crm_url: str
    paused: str


@dataclass(frozen=True, slots=True)
class OAuthFlow:
    """A login that was begun for `user_id`; `flow` is what the login library wants back."""

    user_id: str
    flow: str
    session_hash: str = ""
    """The browser session that began it; empty: begun without a browser, on the command line."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One webhook of the CRM and the secret that signs its deliveries."""

    id: str
    event: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """What was deleted, so that it can be restored for 30 days."""

    id: str
    at: datetime
    mailbox_id: int
    user_id: str
    link_id: str
    side: str
    """Where it was deleted: `event` or `record`."""
    item_id: str
    content: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """Both values of a field that both sides changed."""

    id: str
    at: datetime
    user_id: str
    link_id: str
    field: str
    winner: str
    crm: JsonValue
    outlook: JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """An item that cannot be synced, with its reason. Empty ids mean: not known or not of that side."""

    mailbox_id: int
    user_id: str
    reason: str
    """A short stable code."""
    message: str
    entity_type: str = ""
    record_id: str = ""
    event_id: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An operation that waits for a person."""

    mailbox_id: int
    link_id: str
    operation: str
    since: datetime
    decision: Decision = Decision.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One line of an account's log."""

    at: datetime
    user_id: str
    link_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a grant is given to: `kind` is role, team or user."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One grant of one subject, with the subject's name at the time."""

    subject: Subject
    subject_name: str
    name: str
    given_by: str
    given_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One change that a person made. `user_id`: whose account it was, empty for the whole installation."""

    id: int
    at: datetime
    actor_id: str
    actor_name: str
    user_id: str
    subject: str
    text: str
