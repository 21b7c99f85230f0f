"""What reading Outlook needs: when a mailbox wants to be pulled, events to look at, its calendars.

Cursors get a part (a window that is too long is split); nobody has any yet, so the table is made anew.
"""

import sqlalchemy as sa
from alembic import op

from calsync_plugin.state.columns import Exact, Instant, RowId, Words

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add columns and tables; every mailbox is due, so that it is read for the first time."""
    _columns()
    _cursors()
    op.create_table(
        "event_marks",
        sa.Column("id", RowId, sa.Identity(), primary_key=True),
        sa.Column("mailbox_id", RowId, nullable=False),
        sa.Column("event_id", Exact, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("not_before", sa.Double, nullable=False),
        sa.Column("error", Words, nullable=False),
        sa.Index("ix_event_marks_mailbox", "mailbox_id", "not_before"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "seen_events",
        sa.Column("mailbox_id", RowId, primary_key=True, autoincrement=False),
        sa.Column("calendar_id", Exact, primary_key=True),
        sa.Column("event_id", Exact, primary_key=True),
    )
    op.create_table(
        "calendars",
        sa.Column("mailbox_id", RowId, primary_key=True, autoincrement=False),
        sa.Column("id", Exact, primary_key=True),
        sa.Column("name", Words, nullable=False),
        sa.Column("owner_address", Words, nullable=False),
        sa.Column("is_default", sa.Integer, nullable=False),
        sa.Column("can_edit", sa.Integer, nullable=False),
        sa.Column("shared", sa.Integer, nullable=False),
    )


def _columns() -> None:
    op.add_column("mailboxes", sa.Column("pull_at", sa.Double, nullable=False, server_default="0"))
    op.add_column("mailboxes", sa.Column("hints", RowId, nullable=False, server_default="0"))
    op.add_column("copies", sa.Column("response", Exact, nullable=False, server_default="none"))
    op.add_column("copies", sa.Column("series_id", Exact, nullable=False, server_default=""))
    for name, columns, condition in (
        ("ix_copies_transaction", ["transaction_id"], "transaction_id <> ''"),
        ("ix_copies_series", ["mailbox_id", "series_id"], "series_id <> ''"),
        ("ix_copies_calendar", ["mailbox_id", "calendar_id"], "calendar_id <> ''"),
    ):
        where = sa.text(condition)
        op.create_index(name, "copies", columns, sqlite_where=where, postgresql_where=where)
    op.add_column("accounts", sa.Column("notify", Exact, nullable=False, server_default=""))
    op.add_column("accounts", sa.Column("notify_reason", Words, nullable=False, server_default=""))
    op.add_column("accounts", sa.Column("pulled_at", Instant))
    op.execute("UPDATE mailboxes SET due_at = 0 WHERE kind = 'mailbox'")
    # Until now nobody asked for grants; whoever is connected had them.
    op.execute("""UPDATE accounts SET grants = '["ExternalAccount","OutlookCalendar"]' WHERE grants = '[]'""")


def _cursors() -> None:
    op.drop_table("cursors")
    op.create_table(
        "cursors",
        sa.Column("mailbox_id", RowId, primary_key=True, autoincrement=False),
        sa.Column("calendar_id", Exact, primary_key=True),
        sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("stage", Exact, primary_key=True),
        sa.Column("url", Exact, nullable=False),
        sa.Column("query_version", sa.Integer, nullable=False),
        sa.Column("window_start", Instant, nullable=False),
        sa.Column("window_end", Instant, nullable=False),
    )
