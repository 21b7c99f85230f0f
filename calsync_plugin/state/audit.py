"""The audit log: who changed which setting, grant or account, and when.

Decides how long it is kept. Secrets and contents of meetings are never given to it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, insert, select

from calsync_plugin.state.database import Database
from calsync_plugin.state.pages_schema import audit
from calsync_plugin.state.rows import AuditEntry

KEPT = timedelta(days=400)
"""More than a year, so that a yearly review still finds what it asks for."""


class Audit:
    """The audit log of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, *, actor_id: str, text: str, subject: str, user_id: str = "", actor_name: str = "") -> None:
        """Note that `actor_id` did what `text` says to `subject`; `user_id`: whose account it was."""
        row = {
            "at": datetime.fromtimestamp(self._database.clock.now(), UTC),
            "actor_id": actor_id,
            "actor_name": actor_name,
            "user_id": user_id,
            "subject": subject,
            "text": text,
        }
        with self._database.write() as connection:
            connection.execute(insert(audit), row)

    def entries(self, *, user_id: str = "", before: int | None = None, limit: int = 100) -> list[AuditEntry]:
        """The latest entries first, those before one id; about one user's account if it is named."""
        statement = select(audit).order_by(audit.c.id.desc()).limit(limit)
        if user_id:
            statement = statement.where(audit.c.user_id == user_id)
        if before is not None:
            statement = statement.where(audit.c.id < before)
        with self._database.read() as connection:
            return [AuditEntry(**row._mapping) for row in connection.execute(statement)]

    def count(self, *, user_id: str, text: str, since: float) -> int:
        """How often something was done to a user's account since an epoch second."""
        first = datetime.fromtimestamp(since, UTC)
        same = (audit.c.user_id == user_id) & (audit.c.text == text) & (audit.c.at >= first)
        with self._database.read() as connection:
            return int(connection.execute(select(func.count()).select_from(audit).where(same)).scalar_one())

    def purge(self, kept: timedelta = KEPT) -> int:
        """Remove what is older than `kept`; returns how many entries."""
        limit = datetime.fromtimestamp(self._database.clock.now(), UTC) - kept
        with self._database.write() as connection:
            return connection.execute(delete(audit).where(audit.c.at < limit)).rowcount
