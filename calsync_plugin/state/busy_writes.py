"""What a reading learnt of somebody's busy times, written within the caller's transaction.

Decides that a booking whose event was read no longer takes up time by itself: from then on the event tells.
A tentative one tells nothing yet: an invitation is, until it is answered. Does not decide what is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from calsync_plugin.domain.availability import Block
from calsync_plugin.domain.meeting import ShowAs
from calsync_plugin.state.booking_rows import HoldState
from calsync_plugin.state.booking_schema import booking_holds, bookings
from calsync_plugin.state.bulk import Bulk, chunks
from calsync_plugin.state.busy import MARGIN
from calsync_plugin.state.busy_schema import busy as b
from calsync_plugin.state.busy_schema import busy_sources as s
from calsync_plugin.state.columns import instant
from calsync_plugin.state.database import Database
from calsync_plugin.state.schema import copies, links


class BusyWrites:
    """Writes of one transaction."""

    def __init__(self, connection: Connection, database: Database) -> None:
        self._connection = connection
        self._database = database

    def replace(self, source_id: int, blocks: Iterable[Block]) -> None:
        """These are all blocks that a source has; others are forgotten."""
        source = self._taken(source_id)
        self._connection.execute(delete(b).where(b.c.source_id == source_id))
        self._add(source_id, source, blocks)

    def replace_within(
        self, source_id: int, start: int, end: int, blocks: Iterable[Block], *, version: int | None = None
    ) -> bool:
        """These are all blocks that a source has between two seconds; others there are forgotten.

        Whole days are forgotten only if they lie there in every zone: in which one they were asked for is
        the service's matter. With a `version`, that of the source before it was asked, nothing is written
        and False returned if anything else was written since: that may be newer.
        """
        source = self._taken(source_id, version)
        if source is None and version is not None:
            return False
        timed = (b.c.whole_days == 0) & (b.c.ends_at > start) & (b.c.starts_at < end)
        days = (b.c.whole_days == 1) & (b.c.ends_at - MARGIN > start) & (b.c.starts_at + MARGIN < end)
        self._connection.execute(delete(b).where(b.c.source_id == source_id, timed | days))
        self._add(source_id, source, blocks)
        return True

    def put(self, source_id: int, blocks: Iterable[Block]) -> None:
        """Add blocks or replace those of the same id; of several with one id the last counts.

        Nothing is written to a source that was removed meanwhile.
        """
        told = tuple(blocks)
        if told:
            self._add(source_id, self._taken(source_id), told)

    def remove(self, source_id: int, event_ids: Iterable[str]) -> None:
        """Forget events of a source, and all dates of those that are masters of a series."""
        gone = sorted(set(event_ids))
        if gone:
            self._taken(source_id)
        for ids in chunks(gone):
            which = b.c.event_id.in_(ids) | b.c.series_id.in_(ids)
            self._connection.execute(delete(b).where(b.c.source_id == source_id, which))

    def was_read(
        self, source_id: int, *, known_from: datetime | None = None, known_until: datetime | None = None
    ) -> None:
        """A source is known to be whole now; the known span is changed if it is given."""
        values: dict[str, Any] = {"read_at": self._now(), "error": "", "error_at": None}
        if known_from is not None:
            values["known_from"] = known_from
        if known_until is not None:
            values["known_until"] = known_until
        self._connection.execute(update(s).where(s.c.id == source_id).values(values))

    def failed(self, source_id: int, error: str) -> None:
        """A source cannot be read now, in words; its blocks stay."""
        values = {"error": error, "error_at": self._now()}
        self._connection.execute(update(s).where(s.c.id == source_id).values(values))

    def _add(self, source_id: int, source: Any, blocks: Iterable[Block]) -> None:
        by_id = {block.id: block for block in blocks}
        if source is None or not by_id:
            return
        rows = [_row(source_id, block) for _, block in sorted(by_id.items())]
        _PUT[self._connection.dialect.name].execute(self._connection, rows)
        if source.mailbox_id:
            # What is not answered yet may leave the time free by the user's settings: it stays held.
            told = {one.id: one for one in by_id.values() if one.show_as is not ShowAs.TENTATIVE}
            _follow(self._connection, source.user_id, source.mailbox_id, told)

    def _taken(self, source_id: int, version: int | None = None) -> Any:
        """Whose source it is, None if there is none (of this version), which is another one from now on.

        Taken before any block: two who write it take turns.
        """
        same = s.c.id == source_id if version is None else (s.c.id == source_id) & (s.c.version == version)
        raised = update(s).where(same).values(version=s.c.version + 1)
        return self._connection.execute(raised.returning(s.c.user_id, s.c.mailbox_id)).first()

    def _now(self) -> datetime:
        return instant(self._database.clock.now())


def _row(source_id: int, block: Block) -> dict[str, Any]:
    return {
        "source_id": source_id,
        "event_id": block.id,
        "series_id": block.series_id,
        "starts_at": block.start,
        "ends_at": block.end,
        "whole_days": int(block.whole_days),
        "show_as": block.show_as.value,
    }


def _follow(connection: Connection, user_id: str, mailbox_id: int, told: Mapping[str, Block]) -> None:
    """Bookings of this user whose event is among these: the event tells from now on.

    One that was moved in the CRM holds its new time until its event is read there: where it lay before it is
    read until the move was pushed.
    """
    of_record = (links.c.entity_type == bookings.c.entity_type) & (links.c.record_id == bookings.c.record_id)
    kept = (
        select(booking_holds, copies.c.event_id)
        .join(bookings, bookings.c.id == booking_holds.c.booking_id)
        .join(links, of_record)
        .join(copies, (copies.c.link_id == links.c.id) & (copies.c.mailbox_id == mailbox_id))
        .where(
            booking_holds.c.user_id == user_id,
            booking_holds.c.state == HoldState.KEPT.value,
            bookings.c.record_id != "",
        )
    )
    found = sorted({row.booking_id for row in connection.execute(kept) if _lies_there(row, told)})
    for ids in chunks(found):
        same = booking_holds.c.booking_id.in_(ids) & (booking_holds.c.user_id == user_id)
        followed = update(booking_holds).where(same).values(state=HoldState.FOLLOWED.value)
        connection.execute(followed)


def _lies_there(held: Any, told: Mapping[str, Block]) -> bool:
    block = told.get(held.event_id)
    return block is not None and (block.start, block.end) == (held.starts_at, held.ends_at)


def _upsert(dialect: Any) -> Any:
    statement = dialect.insert(b)
    changed = ("series_id", "starts_at", "ends_at", "whole_days", "show_as")
    return statement.on_conflict_do_update(
        index_elements=[b.c.source_id, b.c.event_id],
        set_={name: statement.excluded[name] for name in changed},
    )


_PUT = {"sqlite": Bulk(_upsert(sqlite)), "postgresql": Bulk(_upsert(postgresql))}
