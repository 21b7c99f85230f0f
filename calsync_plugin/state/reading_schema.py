"""The tables of reading Outlook: cursors, events to look at, calendars and subscriptions.

Decides names, keys and indexes, as `schema` does for all others.
"""

from __future__ import annotations

from sqlalchemy import Column, Double, Identity, Index, Integer, Table

from calsync_plugin.state.columns import Exact, Instant, RowId, Words
from calsync_plugin.state.schema import metadata

cursors = Table(
    "cursors",
    metadata,
    Column("mailbox_id", RowId, primary_key=True, autoincrement=False),
    Column("calendar_id", Exact, primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("stage", Exact, primary_key=True),
    Column("url", Exact, nullable=False),
    Column("query_version", Integer, nullable=False),
    Column("window_start", Instant, nullable=False),
    Column("window_end", Instant, nullable=False),
)

event_marks = Table(
    "event_marks",
    metadata,
    Column("id", RowId, Identity(), primary_key=True),
    Column("mailbox_id", RowId, nullable=False),
    Column("event_id", Exact, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", Double, nullable=False),
    Column("error", Words, nullable=False),
    Index("ix_event_marks_mailbox", "mailbox_id", "not_before"),
    sqlite_autoincrement=True,
)

seen_events = Table(
    "seen_events",
    metadata,
    Column("mailbox_id", RowId, primary_key=True, autoincrement=False),
    Column("calendar_id", Exact, primary_key=True),
    Column("event_id", Exact, primary_key=True),
)

calendars = Table(
    "calendars",
    metadata,
    Column("mailbox_id", RowId, primary_key=True, autoincrement=False),
    Column("id", Exact, primary_key=True),
    Column("name", Words, nullable=False),
    Column("owner_address", Words, nullable=False),
    Column("is_default", Integer, nullable=False),
    Column("can_edit", Integer, nullable=False),
    Column("shared", Integer, nullable=False),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", Exact, primary_key=True),
    Column("mailbox_id", RowId, nullable=False),
    Column("resource", Exact, nullable=False),
    Column("client_state_hash", Exact, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index("ix_subscriptions_mailbox", "mailbox_id"),
    Index("ix_subscriptions_expires", "expires_at"),
)
