"""What the pages need: sessions, given grants, the admin page's values, the audit log, figures by hour.

A login that is begun belongs to the browser's session that began it.
"""

import sqlalchemy as sa
from alembic import op

from calsync_plugin.state.columns import Exact, Instant, RowId, Words

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add tables; logins that are under way were begun by no session."""
    op.add_column("oauth_flows", sa.Column("session_hash", Exact, nullable=False, server_default=""))
    op.create_table(
        "sessions",
        sa.Column("id_hash", Exact, primary_key=True),
        sa.Column("user_id", Exact, nullable=False),
        sa.Column("content", Exact, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Index("ix_sessions_user", "user_id"),
        sa.Index("ix_sessions_expires", "expires_at"),
    )
    _grants_and_integration()
    op.create_table(
        "audit",
        sa.Column("id", RowId, sa.Identity(), primary_key=True),
        sa.Column("at", Instant, nullable=False),
        sa.Column("actor_id", Exact, nullable=False),
        sa.Column("actor_name", Words, nullable=False),
        sa.Column("user_id", Exact, nullable=False),
        sa.Column("subject", Words, nullable=False),
        sa.Column("text", Words, nullable=False),
        sa.Index("ix_audit_at", "at"),
        sa.Index("ix_audit_user", "user_id", "at"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "figures",
        sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", Exact, primary_key=True),
        sa.Column("label", Exact, primary_key=True),
        sa.Column("amount", sa.Double, nullable=False),
    )


def _grants_and_integration() -> None:
    op.create_table(
        "given_grants",
        sa.Column("subject_kind", Exact, primary_key=True),
        sa.Column("subject_id", Exact, primary_key=True),
        sa.Column("name", Exact, primary_key=True),
        sa.Column("subject_name", Words, nullable=False),
        sa.Column("given_by", Exact, nullable=False),
        sa.Column("given_at", Instant, nullable=False),
    )
    op.create_table(
        "integration",
        sa.Column("one", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("content", Exact, nullable=False),
    )
