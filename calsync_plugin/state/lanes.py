"""What the queue needs of the hooks' lane, and which one a database has.

Decides nothing else: the lanes themselves are `lane_sqlite` and `lane_postgres`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from calsync_plugin.state.clock import Clock
from calsync_plugin.state.database import Database
from calsync_plugin.state.lane_sqlite import NewChange, SqliteLane


class Lane(Protocol):
    """Writes change rows and wakes the router, within 200 ms or not at all."""

    def record(self, changes: Sequence[NewChange]) -> None:
        """One commit; raises StoreBusy."""

    def close(self) -> None:
        """Close what it holds."""


def open_lane(database: Database, clock: Clock | None) -> Lane:
    """The lane of `database`; `clock` is the injected one, if any."""
    if database.lock is not None:
        return SqliteLane(database.engine, database.lock, database.clock)
    # psycopg is an optional dependency, needed for PostgreSQL only.
    from calsync_plugin.state.lane_postgres import PostgresLane  # noqa: PLC0415

    return PostgresLane(database.engine, clock)
