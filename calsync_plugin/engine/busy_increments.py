"""What a page of changes means for the busy times of a calendar.

Decides that an event counts as it is told, that what is called removed is gone, and that of a series nothing
is believed but the series itself: its dates are told without how they count, and a date that was taken out
may not be told at all (Graph docs, "event: delta"; field reports). So each series of a page is read anew.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from calsync_plugin.domain.availability import Block
from calsync_plugin.domain.window import Window
from calsync_plugin.errors import Forbidden, NotFound, Refused
from calsync_plugin.graph.busy import MASTER, read_blocks, read_busy
from calsync_plugin.graph.calendar import busy_instances, follow
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.delta import DeltaPage
from calsync_plugin.graph.protocol import JsonObject, Request
from calsync_plugin.state import BusyWrites

log = logging.getLogger(__name__)

_SLACK = int(timedelta(days=1).total_seconds())
"""Whole days are days of some zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Increment:
    """What becomes of a source's rows; saved with the page that says so."""

    source_id: int
    gone: Collection[str]
    """Events and series of which nothing counts but what `blocks` says."""
    blocks: Sequence[Block]

    def save(self, busy: BusyWrites) -> None:
        """Write it within the page's transaction."""
        if self.gone:
            busy.remove(self.source_id, self.gone)
        busy.put(self.source_id, self.blocks)


def increment(client: MailboxClient, source_id: int, page: DeltaPage, span: Window) -> Increment:
    """Read what a page says of `span`. Raises the error of a service that is away."""
    named = {_series(event) for event in page.events} - {""}
    dates = _dates(client, sorted(named), span)
    whole = {series_id: found for series_id, found in dates.items() if found is not None}
    # Of a series that this mailbox does not hold, its user is invited to some dates alone.
    told = [event for event in page.events if _series(event) not in whole and _is_told(event)]
    single, passed_over = read_blocks(told)
    if passed_over:
        log.info("%d events of a calendar have no readable time; they make nobody busy", passed_over)
    blocks = [*single, *(block for found in whole.values() for block in found)]
    return Increment(
        source_id=source_id,
        # A single event may have been a series until now, and a series a single event.
        gone={*page.removed, *whole, *(str(event["id"]) for event in told)},
        blocks=[block for block in blocks if _touches(block, span)],
    )


def _dates(client: MailboxClient, series_ids: Sequence[str], span: Window) -> dict[str, list[Block] | None]:
    """The dates of some series; None for one that cannot be read here."""
    found: dict[str, list[Block] | None] = {series_id: [] for series_id in series_ids}
    pending: list[tuple[str, Request]] = [
        (series_id, busy_instances(series_id, span.start, span.end)) for series_id in series_ids
    ]
    while pending:
        following: list[tuple[str, Request]] = []
        for (series_id, _), outcome in zip(pending, client.batch([r for _, r in pending]), strict=True):
            if isinstance(outcome.error, NotFound | Refused | Forbidden):
                found[series_id] = None
                continue
            page = read_busy(outcome.unwrap())
            found[series_id] = [*(found[series_id] or ()), *page.blocks]
            if page.next_link:
                following.append((series_id, follow(page.next_link)))
        pending = following
    return found


def _is_told(event: JsonObject) -> bool:
    """Whether an event is told with all that counts, not only as a date of its series."""
    return "showAs" in event or not _series(event)


def _series(event: JsonObject) -> str:
    named = event["id"] if event.get("type") == MASTER else event.get("seriesMasterId")
    return named if isinstance(named, str) else ""


def _touches(block: Block, span: Window) -> bool:
    return block.start < span.end.timestamp() + _SLACK and block.end > span.start.timestamp() - _SLACK
