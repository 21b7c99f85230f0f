"""How much of everything there is now, for monitoring: counts and ages, in one read.

Decides nothing about what is too much. Contents, names and addresses are not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, func, select

from calsync_plugin.domain.links import LinkState
from calsync_plugin.state.booking_rows import BookingState
from calsync_plugin.state.booking_schema import bookings
from calsync_plugin.state.busy_rows import SourceKind
from calsync_plugin.state.busy_schema import busy_sources
from calsync_plugin.state.columns import instant
from calsync_plugin.state.database import Database
from calsync_plugin.state.reading_schema import event_marks, subscriptions
from calsync_plugin.state.rows import AccountStatus, Decision
from calsync_plugin.state.schema import accounts, change_targets, changes, held, links, parked

_SYNCING = (AccountStatus.CONNECTED.value, AccountStatus.SYNCING.value)
_UNROUTED = select(func.count()).select_from(changes).where(changes.c.routed == 0)
_OLDEST = select(func.min(changes.c.created_at))
_READ = select(func.min(accounts.c.pulled_at)).where(accounts.c.status.in_(_SYNCING))
_SOURCE_READ = (
    select(func.min(busy_sources.c.read_at))
    .join(accounts, accounts.c.user_id == busy_sources.c.user_id)
    # Schedules are asked when they are needed, and then only.
    .where(accounts.c.status.in_(_SYNCING), busy_sources.c.kind != SourceKind.SCHEDULE.value)
)
_UNDECIDED = held.c.decision == Decision.NONE.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """How much of everything there is at one moment. Ages are seconds, 0 if there is nothing."""

    accounts: Mapping[AccountStatus, int]
    links: Mapping[LinkState, int]
    waiting: Mapping[str, int]
    """Marks of changes that wait: `unrouted` and `records` of the CRM, `events` of Outlook."""
    oldest_waiting: float
    """Of the CRM's changes."""
    parked: int
    held: Mapping[str, int]
    """By kind of operation, those that nobody decided on."""
    subscriptions: int
    """Those that have not expired."""
    oldest_reading: float
    """Since the calendars of a syncing account were read to the end, of the account that waits longest."""
    failing: Mapping[SourceKind, int]
    """Sources of busy times that cannot be read now."""
    oldest_source: float
    """Since a source of busy times of a syncing account was read, of the one that waits longest."""
    unsettled: int
    """Bookings that are held: their record is being made, or it is not known whether it was."""


class Gauges:
    """The gauges of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self) -> Snapshot:
        """All of them as they are now."""
        now = self._database.clock.now()
        with self._database.read() as connection:
            statuses = _counts(connection, accounts.c.status)
            states = _counts(connection, links.c.state)
            oldest = connection.execute(_OLDEST).scalar()
            read = connection.execute(_READ).scalar()
            source_read = connection.execute(_SOURCE_READ).scalar()
            failing = _counts(connection, busy_sources.c.kind, busy_sources.c.error != "")
            alive = subscriptions.c.expires_at > instant(now)
            return Snapshot(
                accounts={status: statuses.get(status.value, 0) for status in AccountStatus},
                links={state: states.get(state.value, 0) for state in LinkState},
                waiting={
                    "unrouted": connection.execute(_UNROUTED).scalar_one(),
                    "records": _count(connection, change_targets),
                    "events": _count(connection, event_marks),
                },
                oldest_waiting=0.0 if oldest is None else max(now - oldest, 0.0),
                parked=_count(connection, parked),
                held=_counts(connection, held.c.operation, _UNDECIDED),
                subscriptions=_count(connection, subscriptions, alive),
                oldest_reading=_age(now, read),
                failing={kind: failing.get(kind.value, 0) for kind in SourceKind},
                oldest_source=_age(now, source_read),
                unsettled=_count(connection, bookings, bookings.c.state == BookingState.HELD.value),
            )


def _age(now: float, moment: datetime | None) -> float:
    return 0.0 if moment is None else max(now - moment.timestamp(), 0.0)


def _count(connection: Connection, table: Table, *conditions: Any) -> int:
    return connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one()


def _counts(connection: Connection, column: Any, *conditions: Any) -> dict[str, int]:
    """How many rows have each value of a column."""
    value = column.label("value")
    statement = select(value, func.count().label("rows")).where(*conditions).group_by(column).order_by(column)
    return {row.value: row.rows for row in connection.execute(statement)}
