"""The first schema.

`ready_at` is what a claim looks at: due, not in a backoff and not leased, as one indexed column.
"""

import sqlalchemy as sa
from alembic import op

from calsync_plugin.state.columns import Exact, Instant, Json, RowId, Words

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create all tables."""
    _queue()
    _links()
    _people()
    _services()
    _log()


def _queue() -> None:
    """Mailboxes with their leases, and the change rows."""
    greatest = "greatest" if op.get_bind().dialect.name == "postgresql" else "max"
    ready_at = f"{greatest}(due_at, not_before, lease_until)"
    op.create_table(
        "mailboxes",
        sa.Column("id", RowId, sa.Identity(start=3), primary_key=True),
        sa.Column("kind", Exact, nullable=False),
        sa.Column("tenant_id", Exact, nullable=False),
        sa.Column("object_id", Exact, nullable=False),
        sa.Column("address", Words, nullable=False),
        sa.Column("due_at", sa.Double, nullable=False),
        sa.Column("not_before", sa.Double, nullable=False),
        sa.Column("seq", RowId, nullable=False),
        sa.Column("owner", Exact, nullable=False),
        sa.Column("run", RowId, nullable=False),
        sa.Column("run_started", sa.Double, nullable=False),
        sa.Column("lease_until", sa.Double, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("pace_start", sa.Double, nullable=False),
        sa.Column("pace_count", sa.Integer, nullable=False),
        sa.Column("ready_at", sa.Double, sa.Computed(ready_at, persisted=True), nullable=False),
        sa.UniqueConstraint("tenant_id", "object_id", name="uq_mailboxes_identity"),
        sa.Index("ix_mailboxes_ready", "ready_at"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "changes",
        sa.Column("id", RowId, sa.Identity(), primary_key=True),
        sa.Column("entity_type", Exact, nullable=False),
        sa.Column("record_id", Exact, nullable=False),
        sa.Column("user_hint", Exact, nullable=False),
        sa.Column("kind", Exact, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("routed", sa.Integer, nullable=False),
        sa.Index(
            "ix_changes_unrouted",
            "id",
            sqlite_where=sa.text("routed = 0"),
            postgresql_where=sa.text("routed = 0"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "change_targets",
        sa.Column("mailbox_id", RowId, primary_key=True, autoincrement=False),
        sa.Column("change_id", RowId, sa.ForeignKey("changes.id"), primary_key=True, autoincrement=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("not_before", sa.Double, nullable=False),
        sa.Column("error", Words, nullable=False),
        sa.Index("ix_change_targets_change", "change_id"),
    )


def _links() -> None:
    """Links with copies and bases."""
    op.create_table(
        "links",
        sa.Column("id", Exact, primary_key=True),
        sa.Column("entity_type", Exact, nullable=False),
        sa.Column("record_id", Exact, nullable=False),
        sa.Column("state", Exact, nullable=False),
        sa.Column("origin", Exact, nullable=False),
        sa.Column("role", Exact, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("series_ical_uid", Exact, nullable=False),
        sa.Column("original_start", Exact, nullable=False),
        sa.Column("reason", Words, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Index(
            "uq_links_record",
            "entity_type",
            "record_id",
            unique=True,
            sqlite_where=sa.text("record_id <> ''"),
            postgresql_where=sa.text("record_id <> ''"),
        ),
        sa.Index(
            "uq_links_series",
            "series_ical_uid",
            "original_start",
            unique=True,
            sqlite_where=sa.text("series_ical_uid <> ''"),
            postgresql_where=sa.text("series_ical_uid <> ''"),
        ),
    )
    op.create_table(
        "copies",
        sa.Column("link_id", Exact, sa.ForeignKey("links.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("mailbox_id", RowId, nullable=False),
        sa.Column("purpose", Exact, nullable=False),
        sa.Column("state", Exact, nullable=False),
        sa.Column("transaction_id", Exact, nullable=False),
        sa.Column("event_id", Exact, nullable=False),
        sa.Column("calendar_id", Exact, nullable=False),
        sa.Column("ical_uid", Exact, nullable=False),
        sa.Column("etag", Exact, nullable=False),
        sa.Index("ix_copies_event", "mailbox_id", "event_id"),
        sa.Index("ix_copies_mailbox", "mailbox_id", "link_id"),
        sa.Index("ix_copies_ical_uid", "ical_uid"),
    )
    op.create_table(
        "bases",
        sa.Column("link_id", Exact, sa.ForeignKey("links.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("side", Exact, primary_key=True),
        sa.Column("normal_form", Json, nullable=False),
        sa.Column("version", Exact, nullable=False),
    )


def _people() -> None:
    """The installation and the accounts with their tokens."""
    op.create_table(
        "installation",
        sa.Column("one", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("id", Exact, nullable=False),
        sa.Column("kind", Exact, nullable=False),
        sa.Column("public_url", Exact, nullable=False),
        sa.Column("crm_url", Exact, nullable=False),
        sa.Column("paused", Words, nullable=False),
        sa.Column("key_check", Exact, nullable=False),
    )
    op.create_table(
        "accounts",
        sa.Column("user_id", Exact, primary_key=True),
        sa.Column("mailbox_id", RowId, sa.ForeignKey("mailboxes.id"), unique=True),
        sa.Column("former_mailboxes", Json, nullable=False),
        sa.Column("address", Words, nullable=False),
        sa.Column("settings", Json, nullable=False),
        sa.Column("grants", Json, nullable=False),
        sa.Column("status", Exact, nullable=False),
        sa.Column("reason", Words, nullable=False),
        sa.Column("stage", Exact, nullable=False),
        sa.Column("zone", Words, nullable=False),
        sa.Column("push_from", Instant),
        sa.Column("connected_at", Instant),
        sa.Column("last_success_at", Instant),
        sa.Column("last_error", Words, nullable=False),
        sa.Column("last_error_at", Instant),
    )
    op.create_table(
        "token_caches",
        sa.Column("user_id", Exact, primary_key=True),
        sa.Column("cache", Exact, nullable=False),
    )
    op.create_table(
        "oauth_flows",
        sa.Column("state_hash", Exact, primary_key=True),
        sa.Column("user_id", Exact, nullable=False),
        sa.Column("flow", Exact, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
    )


def _services() -> None:
    """What is remembered of Graph and of the CRM's webhooks."""
    op.create_table(
        "cursors",
        sa.Column("mailbox_id", RowId, primary_key=True, autoincrement=False),
        sa.Column("calendar_id", Exact, primary_key=True),
        sa.Column("stage", Exact, primary_key=True),
        sa.Column("url", Exact, nullable=False),
        sa.Column("query_version", sa.Integer, nullable=False),
        sa.Column("window_start", Instant, nullable=False),
        sa.Column("window_end", Instant, nullable=False),
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", Exact, primary_key=True),
        sa.Column("mailbox_id", RowId, nullable=False),
        sa.Column("resource", Exact, nullable=False),
        sa.Column("client_state_hash", Exact, nullable=False),
        sa.Column("expires_at", Instant, nullable=False),
        sa.Index("ix_subscriptions_mailbox", "mailbox_id"),
        sa.Index("ix_subscriptions_expires", "expires_at"),
    )
    op.create_table(
        "webhooks",
        sa.Column("id", Exact, primary_key=True),
        sa.Column("event", Exact, nullable=False),
        sa.Column("secret", Exact, nullable=False),
        sa.Index("ix_webhooks_event", "event"),
    )


def _log() -> None:
    """What people read: deletions, clashes, parked and held items, notes."""
    op.create_table(
        "journal",
        sa.Column("id", Exact, primary_key=True),
        sa.Column("at", Instant, nullable=False),
        sa.Column("mailbox_id", RowId, nullable=False),
        sa.Column("user_id", Exact, nullable=False),
        sa.Column("link_id", Exact, nullable=False),
        sa.Column("side", Exact, nullable=False),
        sa.Column("item_id", Exact, nullable=False),
        sa.Column("content", Exact, nullable=False),
        sa.Index("ix_journal_mailbox", "mailbox_id", "at"),
        sa.Index("ix_journal_at", "at"),
    )
    op.create_table(
        "clashes",
        sa.Column("id", Exact, primary_key=True),
        sa.Column("at", Instant, nullable=False),
        sa.Column("user_id", Exact, nullable=False),
        sa.Column("link_id", Exact, nullable=False),
        sa.Column("field", Exact, nullable=False),
        sa.Column("winner", Exact, nullable=False),
        sa.Column("content", Exact, nullable=False),
        sa.Index("ix_clashes_user", "user_id", "at"),
        sa.Index("ix_clashes_link", "link_id"),
        sa.Index("ix_clashes_at", "at"),
    )
    op.create_table(
        "parked",
        sa.Column("entity_type", Exact, primary_key=True),
        sa.Column("record_id", Exact, primary_key=True),
        sa.Column("event_id", Exact, primary_key=True),
        sa.Column("mailbox_id", RowId, primary_key=True, autoincrement=False),
        sa.Column("user_id", Exact, nullable=False),
        sa.Column("reason", Exact, nullable=False),
        sa.Column("message", Words, nullable=False),
        sa.Column("since", Instant, nullable=False),
        sa.Index("ix_parked_user", "user_id"),
        sa.Index("ix_parked_mailbox", "mailbox_id"),
    )
    op.create_table(
        "held",
        sa.Column("mailbox_id", RowId, primary_key=True, autoincrement=False),
        sa.Column("link_id", Exact, primary_key=True),
        sa.Column("operation", Exact, primary_key=True),
        sa.Column("since", Instant, nullable=False),
        sa.Column("decision", Exact, nullable=False),
    )
    op.create_table(
        "deletions",
        sa.Column("id", RowId, sa.Identity(), primary_key=True),
        sa.Column("mailbox_id", RowId, nullable=False),
        sa.Column("kind", Exact, nullable=False),
        sa.Column("group_key", Exact, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Index("ix_deletions_at", "at"),
        sa.Index("ix_deletions_mailbox", "mailbox_id", "at"),
    )
    op.create_table(
        "bookmarks",
        sa.Column("name", Exact, primary_key=True),
        sa.Column("value", Words, nullable=False),
    )
    op.create_table(
        "notes",
        sa.Column("id", RowId, sa.Identity(), primary_key=True),
        sa.Column("at", Instant, nullable=False),
        sa.Column("user_id", Exact, nullable=False),
        sa.Column("link_id", Exact, nullable=False),
        sa.Column("text", Words, nullable=False),
        sa.Index("ix_notes_user", "user_id", "at"),
        sa.Index("ix_notes_link", "link_id"),
        sa.Index("ix_notes_at", "at"),
    )
