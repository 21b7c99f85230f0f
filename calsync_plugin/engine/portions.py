"""Which records are due to be read again: those ahead, by their nearness, and all linked ones.

Decides the portions and how far each came. The nearer a meeting, the oftener it is read: those of the next
day every time, those of the week and those after it a portion each time, and all linked ones, past or not,
by their ids. A portion is what one page of the CRM holds. Does not decide what is done with them
(`rereading`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from calsync_plugin.crm.gateway import CrmGateway, Found, Loaded, Record
from calsync_plugin.crm.spans import parse_instant
from calsync_plugin.domain.planner import OUT_OF_SIGHT
from calsync_plugin.state import Store

PORTION = 200


@dataclass(frozen=True, slots=True)
class Band:
    """Records by their distance from now, and how many of them are read at a time, at least."""

    name: str
    begins: timedelta
    ends: timedelta
    most: int


BANDS = (
    # What has begun is still changed and answered.
    Band("day", timedelta(hours=-2), timedelta(days=1), 5 * PORTION),
    Band("week", timedelta(days=1), timedelta(days=7), PORTION),
    Band("later", timedelta(days=7), timedelta(days=400), PORTION),
)


class Portions:
    """Reads what is due."""

    def __init__(self, store: Store, gateway: CrmGateway) -> None:
        """Keep in `store` how far each walk came."""
        self._store = store
        self._gateway = gateway

    @contextmanager
    def ahead(self, entity_type: str, band: Band, now: datetime) -> Iterator[Mapping[str, Loaded]]:
        """The next records of a band, by id; the walk goes on behind them once they are done with.

        After the last one it begins again.
        """
        name = f"ahead:{band.name}:{entity_type}"
        reached = self._store.bookmarks.get(name)
        first, end = now + band.begins, now + band.ends
        start = max(first, datetime.fromisoformat(reached)) if reached else first
        found: dict[str, Loaded] = {}
        last = ""
        for record in self._gateway.starting(entity_type, start, end):
            begins = parse_instant(record.get("dateStart"))
            found[str(record["id"])] = Found(record)
            # Only after an instant that the next portion does not begin with.
            if len(found) >= band.most and begins is not None and begins > start:
                last = begins.isoformat()
                break
        yield found
        if last != reached:
            self._store.bookmarks.set(name, last)

    @contextmanager
    def linked(self, entity_type: str) -> Iterator[Mapping[str, Loaded]]:
        """The next linked records, by id; the walk goes on behind them once they are done with."""
        name = f"removed:{entity_type}"
        after = self._store.bookmarks.get(name)
        ids = self._store.links.record_ids(
            entity_type, after=after, limit=PORTION, suspended_for=OUT_OF_SIGHT
        )
        yield self._gateway.load(entity_type, ids) if ids else {}
        reached = ids[-1] if len(ids) == PORTION else ""
        if reached != after:
            self._store.bookmarks.set(name, reached)


def assigned_to(record: Record) -> str:
    """The record's assigned user, empty if it has none."""
    return str(record.get("assignedUserId") or "")
