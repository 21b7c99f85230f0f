"""The tables of bookings: what can be booked, what is booked, what each takes of whose time, feature gates.

Decides names, keys and indexes, as `schema` does for all others.
"""

from __future__ import annotations

from sqlalchemy import Column, Double, ForeignKey, Index, Integer, Table

from calsync_plugin.state.columns import Exact, Instant, Json, RowId, Words
from calsync_plugin.state.schema import metadata, only

booking_calendars = Table(
    "booking_calendars",
    metadata,
    Column("id", Exact, primary_key=True),
    Column("name", Words, nullable=False),
    Column("kind", Exact, nullable=False),
    Column("rules", Json, nullable=False),
    Column("version", Integer, nullable=False),
)

booking_members = Table(
    "booking_members",
    metadata,
    Column("calendar_id", Exact, ForeignKey("booking_calendars.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Exact, primary_key=True),
    Column("priority", Integer, nullable=False),
    Index("ix_booking_members_user", "user_id"),
)

bookings = Table(
    "bookings",
    metadata,
    Column("id", Exact, primary_key=True),
    Column("calendar_id", Exact, nullable=False),
    Column("caller", Exact, nullable=False),
    Column("key", Exact, nullable=False),
    Column("request_hash", Exact, nullable=False),
    Column("state", Exact, nullable=False),
    Column("user_id", Exact, nullable=False),
    Column("starts_at", RowId, nullable=False),
    Column("ends_at", RowId, nullable=False),
    Column("entity_type", Exact, nullable=False),
    Column("record_id", Exact, nullable=False),
    Column("content", Exact, nullable=False),
    Column("reason", Words, nullable=False),
    Column("made_at", Double, nullable=False),
    Column("changed_at", Double, nullable=False),
    Index("uq_bookings_key", "caller", "key", unique=True, **only("key <> ''")),
    Index("ix_bookings_record", "entity_type", "record_id"),
    Index("ix_bookings_calendar", "calendar_id", "made_at"),
    Index("ix_bookings_state", "state", "changed_at"),
)

booking_holds = Table(
    "booking_holds",
    metadata,
    Column("booking_id", Exact, ForeignKey("bookings.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Exact, primary_key=True),
    Column("starts_at", RowId, nullable=False),
    Column("ends_at", RowId, nullable=False),
    Column("state", Exact, nullable=False),
    Index("ix_booking_holds_user", "user_id", "ends_at"),
)

feature_gates = Table(
    "feature_gates",
    metadata,
    Column("feature", Exact, primary_key=True),
    Column("subject_kind", Exact, primary_key=True),
    Column("subject_id", Exact, primary_key=True),
    Column("subject_name", Words, nullable=False),
    Column("closed_by", Exact, nullable=False),
    Column("closed_at", Instant, nullable=False),
)
