"""The lane of what lies outside of any mailbox: iCalendar addresses, and colleagues' free and busy times.

Decides when each is read, several at a time, and that none of it delays a mailbox: a server that is slow or
lies costs its own users their freshness and nobody else anything. What could not be read keeps what was known
of it, with the reason, as long as its user keeps it: busy is not free because a server is away.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from calsync_plugin.domain.availability import Block
from calsync_plugin.domain.window import Window, window
from calsync_plugin.engine.schedule_reading import ScheduleReader
from calsync_plugin.engine.worker import Rest
from calsync_plugin.errors import CalsyncError, FeedError
from calsync_plugin.feeds.fetching import Unchanged
from calsync_plugin.feeds.reading import FeedRead, read_feed
from calsync_plugin.graph import zones
from calsync_plugin.http.pinned import Rules
from calsync_plugin.state import Feed, Lease, SourceKind, Store

log = logging.getLogger(__name__)

INTERVAL = 15 * 60.0
"""Seconds between two looks at an address that answers."""
LONGEST_WAIT = 24 * 3600.0
"""Seconds between two looks at one that fails."""
MONTHS = 12
PORTION = 40
"""Addresses that one run reads before it gives the lane back."""
AT_ONCE = 4
BUDGET = 20.0
"""Seconds after which a run begins no further look: slow servers must not keep a worker's thread for long."""
UNFORESEEN = "this calendar cannot be read because of an error in calsync; its log says which"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a look brought."""

    blocks: Sequence[Block] | None = None
    """None: what is known is still so."""
    span: Window | None = None
    """What the blocks cover."""
    etag: str = ""
    last_modified: str = ""
    problem: str = ""
    """In words, why nothing was brought."""


class FeedLane:
    """Reads what is due."""

    def __init__(
        self,
        store: Store,
        schedules: ScheduleReader,
        *,
        rules: Rules,
        stopping: Callable[[], bool],
    ) -> None:
        """Keep it in `store`. `rules` say which addresses may be called."""
        self._store = store
        self._schedules = schedules
        self._rules = rules
        self._stopping = stopping

    def run(self, lease: Lease) -> Rest:
        """One portion. Due again when the next address is, at once if more are waiting."""
        unforeseen, until = None, self._store.clock.now() + BUDGET
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="calsync-feed") as pool:
            looks = {pool.submit(self._look, feed, until): feed for feed in self._store.feeds.due(PORTION)}
            for done in as_completed(looks):
                if (error := done.exception()) is not None:
                    unforeseen = done
                    if not isinstance(error, CalsyncError):
                        self._save(lease, looks[done], Found(problem=UNFORESEEN))
                elif (found := done.result()) is not None:
                    self._save(lease, looks[done], found)
        if unforeseen is not None:
            # What the others brought is saved; the worker says what happened.
            unforeseen.result()
        return Rest(next_due=0.0 if self._stopping() else self._store.feeds.next_due_in())

    def _look(self, feed: Feed, until: float) -> Found | None:
        """Ask for one; None if there is no time for it."""
        if self._stopping() or self._store.clock.now() >= until:
            return None
        # Whatever this look may do to the process, it is not the first thing that the next run does.
        self._waits(feed, feed.failures + 1)
        if feed.source.kind is SourceKind.SCHEDULE:
            return self._of_schedule(feed)
        span, zone = self._span(), self._zone(feed.source.user_id)
        # In another window or zone the same file says something else.
        same = feed.etag.startswith(f"{zone} ") and _covers(feed, span)
        try:
            read = read_feed(
                feed.address,
                window=(int(span.start.timestamp()), int(span.end.timestamp())),
                zone=zone,
                etag=feed.etag.partition(" ")[2] if same else "",
                last_modified=feed.last_modified if same else "",
                rules=self._rules,
            )
        except FeedError as error:
            return Found(etag=feed.etag, last_modified=feed.last_modified, problem=str(error))
        if isinstance(read, Unchanged):
            return Found(etag=feed.etag, last_modified=feed.last_modified)
        return _of_file(read, span, zone)

    def _of_schedule(self, feed: Feed) -> Found:
        now = datetime.fromtimestamp(self._store.clock.now(), UTC)
        span = self._schedules.span(now)
        schedule = self._schedules.read(feed.source.user_id, feed.address, span)
        if schedule.problem:
            return Found(problem=schedule.problem)
        return Found(blocks=schedule.blocks, span=span)

    def _span(self) -> Window:
        """From last month on, moved once a month, so that an unchanged file need not be read again."""
        now = datetime.fromtimestamp(self._store.clock.now(), UTC)
        last_month = (now.replace(day=1) - timedelta(days=1)).date().replace(day=1)
        return window(last_month, MONTHS, now)

    def _zone(self, user_id: str) -> str:
        account = self._store.accounts.get(user_id)
        return zones.iana(account.zone if account else "") or "UTC"

    def _save(self, lease: Lease, feed: Feed, found: Found) -> None:
        source, failures = feed.source, feed.failures + 1 if found.problem else 0
        with self._store.save(lease) as tx:
            if found.problem:
                tx.busy.failed(source.id, found.problem)
            elif found.blocks is None or found.span is None:
                tx.busy.was_read(source.id)
            else:
                tx.busy.replace(source.id, found.blocks)
                tx.busy.was_read(source.id, known_from=found.span.start, known_until=found.span.end)
        self._waits(replace(feed, etag=found.etag, last_modified=found.last_modified), failures)

    def _waits(self, feed: Feed, failures: int) -> None:
        """Say when it is asked again, longer from now after each failure in a row."""
        self._store.feeds.answered(
            feed.source.id,
            next_in=min(INTERVAL * 2.0 ** min(failures, 16), LONGEST_WAIT),
            failures=failures,
            etag=feed.etag,
            last_modified=feed.last_modified,
        )


def _of_file(read: FeedRead, span: Window, zone: str) -> Found:
    if read.left_out:
        log.info("%d events of a feed make no sense and were left out", read.left_out)
    # The zone goes along: by it is told whether the file would be read in the same way again.
    return Found(blocks=read.blocks, span=span, etag=f"{zone} {read.etag}", last_modified=read.last_modified)


def _covers(feed: Feed, span: Window) -> bool:
    return (feed.source.known_from, feed.source.known_until) == (span.start, span.end)
