"""Figures by the hour, for plots: how much was written, refused and how long it took.

Decides that amounts of one hour, name and label add up, from all processes. Does not decide what is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from calsync_plugin.state.database import Database
from calsync_plugin.state.figure_rows import Figure
from calsync_plugin.state.pages_schema import figures

KEPT = timedelta(days=40)
HOUR = 3600


class Figures:
    """The figures of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, amounts: Mapping[tuple[str, str], float]) -> None:
        """Add amounts, by name and label, to those of this hour; without any, nothing is written."""
        if not amounts:
            return
        hour = int(self._database.clock.now()) // HOUR
        rows = [
            {"hour": hour, "name": name, "label": label, "amount": amount}
            for (name, label), amount in sorted(amounts.items())
        ]
        with self._database.write() as connection:
            insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(figures)
            summed = insert.on_conflict_do_update(
                index_elements=list(figures.primary_key.columns),
                set_={"amount": figures.c.amount + insert.excluded.amount},
            )
            connection.execute(summed, rows)

    def since(self, moment: datetime) -> list[Figure]:
        """All figures of the hours from `moment` on, the oldest first."""
        statement = (
            select(figures)
            .where(figures.c.hour >= bindparam("hour"))
            .order_by(figures.c.hour, figures.c.name, figures.c.label)
        )
        with self._database.read() as connection:
            rows = connection.execute(statement, {"hour": int(moment.timestamp()) // HOUR}).all()
        return [
            Figure(datetime.fromtimestamp(row.hour * HOUR, UTC), row.name, row.label, row.amount)
            for row in rows
        ]

    def purge(self, kept: timedelta = KEPT) -> int:
        """Remove hours older than `kept`; returns how many figures."""
        oldest = int(self._database.clock.now() - kept.total_seconds()) // HOUR
        with self._database.write() as connection:
            return connection.execute(delete(figures).where(figures.c.hour < oldest)).rowcount
