"""The tables behind the pages: sessions, users of the CRM, given grants, the admin page, audit log, figures.

Decides names, keys and indexes, as `schema` does for all others.
"""

from __future__ import annotations

from sqlalchemy import Column, Double, Identity, Index, Integer, Table

from calsync_plugin.state.columns import Exact, Instant, Json, RowId, Words
from calsync_plugin.state.schema import metadata

sessions = Table(
    "sessions",
    metadata,
    Column("id_hash", Exact, primary_key=True),
    Column("user_id", Exact, nullable=False),
    Column("content", Exact, nullable=False),
    Column("expires_at", Double, nullable=False),
    Index("ix_sessions_user", "user_id"),
    Index("ix_sessions_expires", "expires_at"),
)

crm_users = Table(
    "crm_users",
    metadata,
    Column("user_id", Exact, primary_key=True),
    Column("zone", Words, nullable=False),
    Column("language", Exact, nullable=False),
    Column("grants", Json, nullable=False),
    Column("told_at", Instant, nullable=False),
)

given_grants = Table(
    "given_grants",
    metadata,
    Column("subject_kind", Exact, primary_key=True),
    Column("subject_id", Exact, primary_key=True),
    Column("name", Exact, primary_key=True),
    Column("subject_name", Words, nullable=False),
    Column("given_by", Exact, nullable=False),
    Column("given_at", Instant, nullable=False),
)

integration = Table(
    "integration",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("content", Exact, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", RowId, Identity(), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor_id", Exact, nullable=False),
    Column("actor_name", Words, nullable=False),
    Column("user_id", Exact, nullable=False),
    Column("subject", Words, nullable=False),
    Column("text", Words, nullable=False),
    Index("ix_audit_at", "at"),
    Index("ix_audit_user", "user_id", "at"),
    sqlite_autoincrement=True,
)

figures = Table(
    "figures",
    metadata,
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("name", Exact, primary_key=True),
    Column("label", Exact, primary_key=True),
    Column("amount", Double, nullable=False),
)
