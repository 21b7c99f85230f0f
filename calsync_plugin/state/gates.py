"""Feature gates: what an administrator switched off, for whom.

Decides nothing about who belongs to a team or role.
"""

from __future__ import annotations

from sqlalchemy import delete, select

from calsync_plugin.state.booking_rows import Gate
from calsync_plugin.state.booking_schema import feature_gates as g
from calsync_plugin.state.bulk import upsert
from calsync_plugin.state.columns import instant
from calsync_plugin.state.database import Database
from calsync_plugin.state.rows import Subject


class Gates:
    """The feature gates of a store that are closed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def closed(self) -> list[Gate]:
        """All of them, by feature, kind and name."""
        ordered = (g.c.feature, g.c.subject_kind, g.c.subject_name, g.c.subject_id)
        with self._database.read() as connection:
            rows = connection.execute(select(g).order_by(*ordered)).all()
        return [
            Gate(
                feature=row.feature,
                subject=Subject(row.subject_kind, row.subject_id),
                subject_name=row.subject_name,
                closed_by=row.closed_by,
                closed_at=row.closed_at,
            )
            for row in rows
        ]

    def close(self, gate: Gate) -> None:
        """Switch a feature off for a subject; once more renews the name and who did it."""
        row = {
            "feature": gate.feature,
            "subject_kind": gate.subject.kind,
            "subject_id": gate.subject.id,
            "subject_name": gate.subject_name,
            "closed_by": gate.closed_by,
            "closed_at": instant(self._database.clock.now()),
        }
        with self._database.write() as connection:
            connection.execute(upsert(connection, g), row)

    def open(self, feature: str, subject: Subject) -> bool:
        """Switch it on again; whether it was off."""
        same = (g.c.feature == feature) & (g.c.subject_kind == subject.kind) & (g.c.subject_id == subject.id)
        with self._database.write() as connection:
            return connection.execute(delete(g).where(same)).rowcount > 0
