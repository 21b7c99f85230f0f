"""The tables as the rooms of the store query them.

Decides names, keys and indexes of the present schema. `migrations` brings a database there, and a test holds
the two together. Queue columns hold epoch seconds (UTC) as floats; `Instant` columns hold the same and read
as aware datetimes.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Column,
    Double,
    FetchedValue,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    text,
)

from calsync_plugin.state.columns import Exact, Instant, Json, RowId, Words

metadata = MetaData()


def only(condition: str) -> dict[str, Any]:
    """A partial index, said for both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


installation = Table(
    "installation",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("id", Exact, nullable=False),
    Column("kind", Exact, nullable=False),
    Column("public_url", Exact, nullable=False),
    Column("crm_url", Exact, nullable=False),
    Column("paused", Words, nullable=False),
    Column("key_check", Exact, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("user_id", Exact, primary_key=True),
    Column("mailbox_id", RowId, ForeignKey("mailboxes.id"), unique=True),
    Column("former_mailboxes", Json, nullable=False),
    Column("address", Words, nullable=False),
    Column("settings", Json, nullable=False),
    Column("grants", Json, nullable=False),
    Column("status", Exact, nullable=False),
    Column("reason", Words, nullable=False),
    Column("stage", Exact, nullable=False),
    Column("zone", Words, nullable=False),
    Column("push_from", Instant),
    Column("connected_at", Instant),
    Column("last_success_at", Instant),
    Column("last_error", Words, nullable=False),
    Column("last_error_at", Instant),
    Column("notify", Exact, nullable=False, server_default=""),
    Column("notify_reason", Words, nullable=False, server_default=""),
    Column("pulled_at", Instant),
    Column("working_hours", Json),
    Column("working_hours_at", Instant),
)

mailboxes = Table(
    "mailboxes",
    metadata,
    Column("id", RowId, Identity(start=3), primary_key=True),
    Column("kind", Exact, nullable=False),
    Column("tenant_id", Exact, nullable=False),
    Column("object_id", Exact, nullable=False),
    Column("address", Words, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("not_before", Double, nullable=False),
    Column("seq", RowId, nullable=False),
    Column("owner", Exact, nullable=False),
    Column("run", RowId, nullable=False),
    Column("run_started", Double, nullable=False),
    Column("lease_until", Double, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("pace_start", Double, nullable=False),
    Column("pace_count", Integer, nullable=False),
    Column("ready_at", Double, FetchedValue(), nullable=False),
    Column("pull_at", Double, nullable=False, server_default="0"),
    Column("hints", RowId, nullable=False, server_default="0"),
    UniqueConstraint("tenant_id", "object_id", name="uq_mailboxes_identity"),
    Index("ix_mailboxes_ready", "ready_at"),
    sqlite_autoincrement=True,
)

changes = Table(
    "changes",
    metadata,
    Column("id", RowId, Identity(), primary_key=True),
    Column("entity_type", Exact, nullable=False),
    Column("record_id", Exact, nullable=False),
    Column("user_hint", Exact, nullable=False),
    Column("kind", Exact, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("routed", Integer, nullable=False),
    Index("ix_changes_unrouted", "id", **only("routed = 0")),
    sqlite_autoincrement=True,
)

change_targets = Table(
    "change_targets",
    metadata,
    Column("mailbox_id", RowId, primary_key=True, autoincrement=False),
    Column("change_id", RowId, ForeignKey("changes.id"), primary_key=True, autoincrement=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", Double, nullable=False),
    Column("error", Words, nullable=False),
    Index("ix_change_targets_change", "change_id"),
)

links = Table(
    "links",
    metadata,
    Column("id", Exact, primary_key=True),
    Column("entity_type", Exact, nullable=False),
    Column("record_id", Exact, nullable=False),
    Column("state", Exact, nullable=False),
    Column("origin", Exact, nullable=False),
    Column("role", Exact, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("series_ical_uid", Exact, nullable=False),
    Column("original_start", Exact, nullable=False),
    Column("reason", Words, nullable=False),
    Column("version", Integer, nullable=False),
    Index("uq_links_record", "entity_type", "record_id", unique=True, **only("record_id <> ''")),
    Index(
        "uq_links_series", "series_ical_uid", "original_start", unique=True, **only("series_ical_uid <> ''")
    ),
)

copies = Table(
    "copies",
    metadata,
    Column("link_id", Exact, ForeignKey("links.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("mailbox_id", RowId, nullable=False),
    Column("purpose", Exact, nullable=False),
    Column("state", Exact, nullable=False),
    Column("transaction_id", Exact, nullable=False),
    Column("event_id", Exact, nullable=False),
    Column("calendar_id", Exact, nullable=False),
    Column("ical_uid", Exact, nullable=False),
    Column("etag", Exact, nullable=False),
    Column("response", Exact, nullable=False, server_default="none"),
    Column("series_id", Exact, nullable=False, server_default=""),
    Index("ix_copies_event", "mailbox_id", "event_id"),
    Index("ix_copies_mailbox", "mailbox_id", "link_id"),
    Index("ix_copies_ical_uid", "ical_uid"),
    Index("ix_copies_transaction", "transaction_id", **only("transaction_id <> ''")),
    Index("ix_copies_series", "mailbox_id", "series_id", **only("series_id <> ''")),
    Index("ix_copies_calendar", "mailbox_id", "calendar_id", **only("calendar_id <> ''")),
)

bases = Table(
    "bases",
    metadata,
    Column("link_id", Exact, ForeignKey("links.id", ondelete="CASCADE"), primary_key=True),
    Column("side", Exact, primary_key=True),
    Column("normal_form", Json, nullable=False),
    Column("version", Exact, nullable=False),
)

token_caches = Table(
    "token_caches",
    metadata,
    Column("user_id", Exact, primary_key=True),
    Column("cache", Exact, nullable=False),
)

oauth_flows = Table(
    "oauth_flows",
    metadata,
    Column("state_hash", Exact, primary_key=True),
    Column("user_id", Exact, nullable=False),
    Column("flow", Exact, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("session_hash", Exact, nullable=False),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Exact, primary_key=True),
    Column("event", Exact, nullable=False),
    Column("secret", Exact, nullable=False),
    Index("ix_webhooks_event", "event"),
)

journal = Table(
    "journal",
    metadata,
    Column("id", Exact, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("mailbox_id", RowId, nullable=False),
    Column("user_id", Exact, nullable=False),
    Column("link_id", Exact, nullable=False),
    Column("side", Exact, nullable=False),
    Column("item_id", Exact, nullable=False),
    Column("content", Exact, nullable=False),
    Index("ix_journal_mailbox", "mailbox_id", "at"),
    Index("ix_journal_at", "at"),
)

clashes = Table(
    "clashes",
    metadata,
    Column("id", Exact, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("user_id", Exact, nullable=False),
    Column("link_id", Exact, nullable=False),
    Column("field", Exact, nullable=False),
    Column("winner", Exact, nullable=False),
    Column("content", Exact, nullable=False),
    Index("ix_clashes_user", "user_id", "at"),
    Index("ix_clashes_link", "link_id"),
    Index("ix_clashes_at", "at"),
)

parked = Table(
    "parked",
    metadata,
    Column("entity_type", Exact, primary_key=True),
    Column("record_id", Exact, primary_key=True),
    Column("event_id", Exact, primary_key=True),
    Column("mailbox_id", RowId, primary_key=True, autoincrement=False),
    Column("user_id", Exact, nullable=False),
    Column("reason", Exact, nullable=False),
    Column("message", Words, nullable=False),
    Column("since", Instant, nullable=False),
    Index("ix_parked_user", "user_id"),
    Index("ix_parked_mailbox", "mailbox_id"),
)

held = Table(
    "held",
    metadata,
    Column("mailbox_id", RowId, primary_key=True, autoincrement=False),
    Column("link_id", Exact, primary_key=True),
    Column("operation", Exact, primary_key=True),
    Column("since", Instant, nullable=False),
    Column("decision", Exact, nullable=False),
)

deletions = Table(
    "deletions",
    metadata,
    Column("id", RowId, Identity(), primary_key=True),
    Column("mailbox_id", RowId, nullable=False),
    Column("kind", Exact, nullable=False),
    Column("group_key", Exact, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_deletions_at", "at"),
    Index("ix_deletions_mailbox", "mailbox_id", "at"),
)

bookmarks = Table(
    "bookmarks",
    metadata,
    Column("name", Exact, primary_key=True),
    Column("value", Words, nullable=False),
)

notes = Table(
    "notes",
    metadata,
    Column("id", RowId, Identity(), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("user_id", Exact, nullable=False),
    Column("link_id", Exact, nullable=False),
    Column("text", Words, nullable=False),
    Index("ix_notes_user", "user_id", "at"),
    Index("ix_notes_link", "link_id"),
    Index("ix_notes_at", "at"),
)
