"""What the CRM told of its users when they signed in: time zone, language, grants of its own."""

import sqlalchemy as sa
from alembic import op

from calsync_plugin.state.columns import Exact, Instant, Json, Words

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table; who is signed in is told of again within minutes."""
    op.create_table(
        "crm_users",
        sa.Column("user_id", Exact, primary_key=True),
        sa.Column("zone", Words, nullable=False),
        sa.Column("language", Exact, nullable=False),
        sa.Column("grants", Json, nullable=False),
        sa.Column("told_at", Instant, nullable=False),
    )
