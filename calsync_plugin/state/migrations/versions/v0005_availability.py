"""Availability: busy times and where they come from, feeds, bookings, booking calendars, feature gates."""

import sqlalchemy as sa
from alembic import op

from calsync_plugin.state.clock import NEVER
from calsync_plugin.state.columns import Exact, Instant, Json, RowId, Words

FEEDS = -1

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the tables; every mailbox is due, so that its busy times are read for the first time."""
    op.add_column("accounts", sa.Column("working_hours", Json))
    op.add_column("accounts", sa.Column("working_hours_at", Instant))
    _busy()
    _bookings()
    op.create_table(
        "feature_gates",
        sa.Column("feature", Exact, primary_key=True),
        sa.Column("subject_kind", Exact, primary_key=True),
        sa.Column("subject_id", Exact, primary_key=True),
        sa.Column("subject_name", Words, nullable=False),
        sa.Column("closed_by", Exact, nullable=False),
        sa.Column("closed_at", Instant, nullable=False),
    )
    op.execute("UPDATE mailboxes SET due_at = 0, pull_at = 0 WHERE kind = 'mailbox'")
    _feeds_lease()


def _feeds_lease() -> None:
    """Whoever has it reads feeds; a new store gets it with the others."""
    zeros = "not_before, seq, run, run_started, lease_until, attempt, pace_start, pace_count, pull_at, hints"
    op.execute(
        f"INSERT INTO mailboxes (id, kind, tenant_id, object_id, address, owner, due_at, {zeros}) "  # noqa: S608
        f"VALUES ({FEEDS}, 'feeds', '', 'feeds', '', '', {NEVER}, {', '.join('0' * 10)})"
    )


def _busy() -> None:
    op.create_table(
        "busy_sources",
        sa.Column("id", RowId, sa.Identity(), primary_key=True),
        sa.Column("user_id", Exact, nullable=False),
        sa.Column("kind", Exact, nullable=False),
        sa.Column("mailbox_id", RowId, nullable=False),
        sa.Column("place", Exact, nullable=False),
        sa.Column("name", Words, nullable=False),
        sa.Column("read_at", Instant),
        sa.Column("known_from", Instant),
        sa.Column("known_until", Instant),
        sa.Column("error", Words, nullable=False),
        sa.Column("error_at", Instant),
        sa.Column("version", sa.Integer, nullable=False, server_default="0"),
        sa.UniqueConstraint("user_id", "mailbox_id", "place", name="uq_busy_sources_place"),
        sa.Index("ix_busy_sources_mailbox", "mailbox_id"),
        sqlite_autoincrement=True,
    )
    source = "busy_sources.id"
    op.create_table(
        "busy",
        sa.Column(
            "source_id",
            RowId,
            sa.ForeignKey(source, ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("event_id", Exact, primary_key=True),
        sa.Column("series_id", Exact, nullable=False),
        sa.Column("starts_at", RowId, nullable=False),
        sa.Column("ends_at", RowId, nullable=False),
        sa.Column("whole_days", sa.Integer, nullable=False),
        sa.Column("show_as", Exact, nullable=False),
        sa.Index("ix_busy_time", "source_id", "ends_at"),
        sa.Index("ix_busy_series", "source_id", "series_id"),
    )
    op.create_table(
        "feeds",
        sa.Column(
            "source_id",
            RowId,
            sa.ForeignKey(source, ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("address", Exact, nullable=False),
        sa.Column("shown", Words, nullable=False),
        sa.Column("etag", Exact, nullable=False),
        sa.Column("last_modified", Exact, nullable=False),
        sa.Column("due_at", sa.Double, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Index("ix_feeds_due", "due_at"),
    )


def _bookings() -> None:
    op.create_table(
        "booking_calendars",
        sa.Column("id", Exact, primary_key=True),
        sa.Column("name", Words, nullable=False),
        sa.Column("kind", Exact, nullable=False),
        sa.Column("rules", Json, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "booking_members",
        sa.Column(
            "calendar_id",
            Exact,
            sa.ForeignKey("booking_calendars.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("user_id", Exact, primary_key=True),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Index("ix_booking_members_user", "user_id"),
    )
    op.create_table(
        "bookings",
        sa.Column("id", Exact, primary_key=True),
        sa.Column("calendar_id", Exact, nullable=False),
        sa.Column("caller", Exact, nullable=False),
        sa.Column("key", Exact, nullable=False),
        sa.Column("request_hash", Exact, nullable=False),
        sa.Column("state", Exact, nullable=False),
        sa.Column("user_id", Exact, nullable=False),
        sa.Column("starts_at", RowId, nullable=False),
        sa.Column("ends_at", RowId, nullable=False),
        sa.Column("entity_type", Exact, nullable=False),
        sa.Column("record_id", Exact, nullable=False),
        sa.Column("content", Exact, nullable=False),
        sa.Column("reason", Words, nullable=False),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.Index("ix_bookings_record", "entity_type", "record_id"),
        sa.Index("ix_bookings_calendar", "calendar_id", "made_at"),
        sa.Index("ix_bookings_state", "state", "changed_at"),
    )
    given = sa.text("key <> ''")
    op.create_index(
        "uq_bookings_key",
        "bookings",
        ["caller", "key"],
        unique=True,
        sqlite_where=given,
        postgresql_where=given,
    )
    op.create_table(
        "booking_holds",
        sa.Column("booking_id", Exact, sa.ForeignKey("bookings.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("user_id", Exact, primary_key=True),
        sa.Column("starts_at", RowId, nullable=False),
        sa.Column("ends_at", RowId, nullable=False),
        sa.Column("state", Exact, nullable=False),
        sa.Index("ix_booking_holds_user", "user_id", "ends_at"),
    )
