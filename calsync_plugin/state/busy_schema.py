"""The tables of availability: where busy times come from, and when somebody is busy.

Decides names, keys and indexes, as `schema` does for all others. Of an event only its time is kept, never
what it says. Times of blocks are whole epoch seconds: they are compared and merged by the thousand.
"""

from __future__ import annotations

from sqlalchemy import Column, Double, ForeignKey, Identity, Index, Integer, Table, UniqueConstraint

from calsync_plugin.state.columns import Exact, Instant, RowId, Words
from calsync_plugin.state.schema import metadata

busy_sources = Table(
    "busy_sources",
    metadata,
    Column("id", RowId, Identity(), primary_key=True),
    Column("user_id", Exact, nullable=False),
    Column("kind", Exact, nullable=False),
    Column("mailbox_id", RowId, nullable=False),
    Column("place", Exact, nullable=False),
    Column("name", Words, nullable=False),
    Column("read_at", Instant),
    Column("known_from", Instant),
    Column("known_until", Instant),
    Column("error", Words, nullable=False),
    Column("error_at", Instant),
    Column("version", Integer, nullable=False, server_default="0"),
    UniqueConstraint("user_id", "mailbox_id", "place", name="uq_busy_sources_place"),
    Index("ix_busy_sources_mailbox", "mailbox_id"),
    sqlite_autoincrement=True,
)

busy = Table(
    "busy",
    metadata,
    Column(
        "source_id",
        RowId,
        ForeignKey("busy_sources.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("event_id", Exact, primary_key=True),
    Column("series_id", Exact, nullable=False),
    Column("starts_at", RowId, nullable=False),
    Column("ends_at", RowId, nullable=False),
    Column("whole_days", Integer, nullable=False),
    Column("show_as", Exact, nullable=False),
    Index("ix_busy_time", "source_id", "ends_at"),
    Index("ix_busy_series", "source_id", "series_id"),
)

feeds = Table(
    "feeds",
    metadata,
    Column(
        "source_id",
        RowId,
        ForeignKey("busy_sources.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("address", Exact, nullable=False),
    Column("shown", Words, nullable=False),
    Column("etag", Exact, nullable=False),
    Column("last_modified", Exact, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("failures", Integer, nullable=False),
    Index("ix_feeds_due", "due_at"),
)
