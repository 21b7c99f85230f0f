"""Busy times: sources, their blocks, and feeds.

Decides that a source is known by its user and place. Does not decide which sources there should be nor which
blocks block: all are kept, whatever they are shown as.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from calsync_plugin.domain.availability import Block
from calsync_plugin.domain.meeting import ShowAs
from calsync_plugin.state.booking_rows import HoldState
from calsync_plugin.state.booking_schema import booking_holds as h
from calsync_plugin.state.bulk import chunks
from calsync_plugin.state.busy_rows import OF_MAILBOX, BusySource, BusyTime, SourceKind
from calsync_plugin.state.busy_schema import busy as b
from calsync_plugin.state.busy_schema import busy_sources as s
from calsync_plugin.state.busy_schema import feeds as f
from calsync_plugin.state.columns import instant
from calsync_plugin.state.database import Database

MARGIN = 14 * 3600
"""Whole days are stored as days of UTC; no zone is further from it than this."""
NEVER_DUE = 10 * 365 * 86_400.0
"""An address that is due later than that is read only when somebody asks."""
KEPT_TOLD = 86_400.0

_TIMES = (b.c.source_id, b.c.starts_at, b.c.ends_at, b.c.whole_days, b.c.show_as)


class Busy:
    """The busy times of a store, to read; and which sources there are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def sources(self, user_ids: Collection[str]) -> list[BusySource]:
        """All sources of these users, by user and id."""
        with self._database.read() as connection:
            return sources_of(connection, user_ids)

    def of_mailbox(self, mailbox_id: int) -> list[BusySource]:
        """The sources that are calendars of a mailbox, by id."""
        statement = select(s).where(s.c.mailbox_id == mailbox_id).order_by(s.c.id)
        with self._database.read() as connection:
            return [source_of(row) for row in connection.execute(statement)]

    def times(self, source_ids: Collection[int], start: int, end: int) -> list[BusyTime]:
        """What lies in a window, in no order; of whole days some that lie just beside it, too."""
        with self._database.read() as connection:
            return times_of(connection, source_ids, start, end)

    def blocks(self, source_ids: Collection[int], start: int, end: int) -> list[tuple[int, Block]]:
        """The same with the events' ids: pairs of source id and block, by source, start and id."""
        ordered = select(b).order_by(b.c.source_id, b.c.starts_at, b.c.event_id)
        with self._database.read() as connection:
            return [
                (row.source_id, block_of(row))
                for part in chunks(sorted(set(source_ids)))
                for row in connection.execute(_within(ordered, part, start, end))
            ]

    def keep_calendars(
        self, user_id: str, mailbox_id: int, wanted: Mapping[str, tuple[SourceKind, str]]
    ) -> list[BusySource]:
        """Let a user's mailbox have just these sources: kind and name by calendar id; returns them by id.

        Those that stay keep their blocks, the others lose them at once. What is as it was is not written.
        Bookings whose event a linked calendar told of take up time by themselves again once it is gone.
        """
        present = {one.place: one for one in self.of_mailbox(mailbox_id) if one.user_id == user_id}
        gone = [one.id for place, one in present.items() if place not in wanted]
        new = [place for place in wanted if place not in present]
        other = [
            place
            for place, (kind, name) in wanted.items()
            if place in present and (present[place].kind, present[place].name) != (kind, name)
        ]
        if not (gone or new or other):
            return sorted(present.values(), key=lambda one: one.id)
        with self._database.write() as connection:
            connection.execute(delete(s).where(s.c.id.in_(gone)))
            if any(one.id in gone and one.kind is SourceKind.LINKED for one in present.values()):
                self._unfollow(connection, user_id)
            for place in other:
                kind, name = wanted[place]
                same = s.c.id == present[place].id
                connection.execute(update(s).where(same).values(kind=kind.value, name=name))
            if new:
                rows = [source_row(user_id, wanted[p][0], mailbox_id, p, wanted[p][1]) for p in new]
                connection.execute(insert(s), rows)
        return self.of_mailbox(mailbox_id)

    def remove(self, source_id: int, *, user_id: str) -> bool:
        """Forget a source of this user with all that was read of it; whether there was one."""
        with self._database.write() as connection:
            gone = delete(s).where(s.c.id == source_id, s.c.user_id == user_id)
            return connection.execute(gone).rowcount > 0

    def remove_all(self, user_id: str) -> None:
        """Forget all sources of a user (disconnect); bookings take up time by themselves again."""
        with self._database.write() as connection:
            connection.execute(delete(s).where(s.c.user_id == user_id))
            self._unfollow(connection, user_id)

    def purge(self) -> None:
        """Forget what colleagues were told of users who are not connected, a day after it was read.

        It is read only when somebody asks, and is due never; what users chose is kept.
        """
        now = self._database.clock.now()
        told = select(f.c.source_id).where(f.c.due_at > now + NEVER_DUE)
        old = s.c.read_at.is_(None) | (s.c.read_at < instant(now - KEPT_TOLD))
        gone = (s.c.kind == SourceKind.SCHEDULE.value) & s.c.id.in_(told) & old
        with self._database.write() as connection:
            connection.execute(delete(s).where(gone))

    def _unfollow(self, connection: Connection, user_id: str) -> None:
        """No event tells of this user's bookings any more, until it is read again."""
        ahead = (h.c.user_id == user_id) & (h.c.ends_at > int(self._database.clock.now()))
        followed = ahead & (h.c.state == HoldState.FOLLOWED.value)
        connection.execute(update(h).where(followed).values(state=HoldState.KEPT.value))


def sources_of(connection: Connection, user_ids: Collection[str]) -> list[BusySource]:
    """All sources of these users, by user and id, within the caller's transaction."""
    statement = select(s).order_by(s.c.user_id, s.c.id)
    return [
        source_of(row)
        for part in chunks(sorted(set(user_ids)))
        for row in connection.execute(statement.where(s.c.user_id.in_(part)))
    ]


def times_of(connection: Connection, source_ids: Collection[int], start: int, end: int) -> list[BusyTime]:
    """What lies in a window, as `Busy.times` tells it, within the caller's transaction."""
    rows: list[Any] = []
    for part in chunks(sorted(set(source_ids))):
        rows += connection.execute(_within(select(*_TIMES), part, start, end)).all()
    return rows


def source_row(user_id: str, kind: SourceKind, mailbox_id: int, place: str, name: str) -> dict[str, Any]:
    """A new source that was never read."""
    assert bool(mailbox_id) is (kind in OF_MAILBOX)
    return {
        "user_id": user_id,
        "kind": kind.value,
        "mailbox_id": mailbox_id,
        "place": place,
        "name": name,
        "read_at": None,
        "known_from": None,
        "known_until": None,
        "error": "",
        "error_at": None,
    }


def source_of(row: Any) -> BusySource:
    """A source as a value."""
    return BusySource(
        id=row.id,
        user_id=row.user_id,
        kind=SourceKind(row.kind),
        mailbox_id=row.mailbox_id,
        place=row.place,
        name=row.name,
        read_at=row.read_at,
        known_from=row.known_from,
        known_until=row.known_until,
        error=row.error,
        error_at=row.error_at,
        version=row.version,
    )


def block_of(row: Any) -> Block:
    """A block as a value."""
    return Block(
        id=row.event_id,
        start=row.starts_at,
        end=row.ends_at,
        whole_days=bool(row.whole_days),
        show_as=ShowAs(row.show_as),
        series_id=row.series_id,
    )


def _within(statement: Any, source_ids: Iterable[int], start: int, end: int) -> Any:
    return statement.where(
        b.c.source_id.in_(list(source_ids)), b.c.ends_at > start - MARGIN, b.c.starts_at < end + MARGIN
    )
