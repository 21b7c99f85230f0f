"""Reading when a mailbox's user is busy, alongside the reading of its events.

Decides what fills a source: one listing of its calendar, after each full round of changes, and then the
changes themselves, each page in one transaction with the cursor that led to it. A calendar that is read for
records anyway feeds its source with the same pages; another one is followed by cursors of its own, and its
events become nothing but times. One calendar that cannot be read keeps nothing else from being read.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from calsync_plugin.domain.availability import Block
from calsync_plugin.domain.window import Window
from calsync_plugin.engine.busy_increments import Increment, increment
from calsync_plugin.engine.busy_sources import NOT_THERE, busy_span, keep_sources, shared_span
from calsync_plugin.engine.calendars import refresh_calendars
from calsync_plugin.engine.reading import QUERY_VERSION, Page, Reading, after
from calsync_plugin.engine.run import Run
from calsync_plugin.errors import CalsyncError, Forbidden, NotFound, Refused, Unavailable, UnknownOutcome
from calsync_plugin.graph.busy import read_busy
from calsync_plugin.graph.calendar import busy_view, follow
from calsync_plugin.graph.protocol import Request
from calsync_plugin.state import AccountStatus, BusySource, Cursor, CursorStage, Save, Store

log = logging.getLogger(__name__)

_UNREADABLE = (NotFound, Forbidden, Refused, Unavailable, UnknownOutcome)
"""What one calendar may answer without the others being any worse."""
_PASSING = (Unavailable, UnknownOutcome)
SOON, AGAIN, SELDOM = 20.0, 600.0, 4 * 3600.0
"""Seconds until a calendar that could not be read is tried once more, and from then on: `SELDOM` after an
answer that waiting alone does not change, because each try reads what else is in the mailbox, too."""


@dataclass(slots=True)
class _Listing:
    """A listing that was begun: what it is asked on with, and what it told until now."""

    note: Cursor
    request: Request
    blocks: list[Block] = field(default_factory=list)


class BusyReader:
    """Reads the busy times of mailboxes."""

    def __init__(self, store: Store) -> None:
        """Keep them in `store`."""
        self._store = store
        self._begun: dict[int, _Listing] = {}
        """By mailbox, what a run could not end. Nothing else is read before it is."""

    def begin(self, run: Run) -> BusyRound:
        """Bring the sources in line, and see what of them is to be read. Nothing is asked yet."""
        return BusyRound(self._store, run, self._begun)


class BusyRound:
    """One pull's part of it."""

    def __init__(self, store: Store, run: Run, begun: dict[int, _Listing]) -> None:
        """Look at what is stored."""
        self._store, self._run, self._begun = store, run, begun
        mailbox_id = run.mailbox_id
        sources = keep_sources(store, run.user_id, mailbox_id, run.member.settings, still=self._is_connected)
        there = {row.id for row in store.calendars.for_mailbox(mailbox_id)}
        self._sources = {one.place: one for one in sources if one.place in there}
        self._span, self._shared_span = busy_span(run), shared_span(run)
        self._shared = set(run.scope.read) if self._shared_span else set()
        self._alone = sorted(self._sources.keys() - self._shared)
        self._reading = Reading(store, run.client, mailbox_id, CursorStage.BUSY)
        self._failed: set[int] = {one.id for one in sources if one.place not in there}
        self.again_in: float | None = None
        """Seconds until another look, because a calendar could not be read."""
        self._tidy([one for one in sources if one.place not in there])

    @property
    def polls(self) -> bool:
        """Whether there is a calendar of which Outlook sends no notification."""
        return bool(self._run.scope.shared & self._sources.keys())

    # --- what is read for records

    def increment(self, page: Page) -> Increment | None:
        """What a page of changes that is read for records says; to be saved with it."""
        calendar_id = page.cursor.calendar_id
        source = self._sources.get(calendar_id)
        if source is None or page.full or calendar_id not in self._shared or self._shared_span is None:
            return None
        return increment(self._run.client, source.id, page.delta, self._shared_span)

    def unread(self, calendar_id: str, error: CalsyncError) -> None:
        """A calendar that is read for records could not be read now."""
        source = self._sources.get(calendar_id)
        if source is not None:
            self._lost(source, None, error)

    def save(self, tx: Save, page: Page, told: Increment | None) -> None:
        """Within the transaction of that page."""
        calendar_id = page.cursor.calendar_id
        if told is not None:
            told.save(tx.busy)
        if page.full and page.ends and calendar_id in self._shared and calendar_id in self._sources:
            assert self._shared_span is not None
            tx.save_cursor(self._note(calendar_id, self._shared_span))

    # --- what is read for busy times alone

    def read_alone(self) -> bool:
        """Read what changed in the calendars of their own; False if the run has to yield."""
        for cursor in self._reading.wanted(self._alone, self._span):
            source = self._sources[cursor.calendar_id]
            try:
                if not self._read(cursor, source):
                    return False
            except _UNREADABLE as error:
                self._lost(source, cursor, error)
        return True

    def _read(self, cursor: Cursor, source: BusySource) -> bool:
        for page in self._reading.pages(cursor):
            told = None
            if not page.full:
                told = increment(self._run.client, source.id, page.delta, self._span)
            if not self._save_alone(page, told) or not (page.ends or self._run.may_go_on()):
                return False
        return True

    def _save_alone(self, page: Page, told: Increment | None) -> bool:
        mailbox_id, calendar_id, stands = self._run.mailbox_id, page.cursor.calendar_id, after(page)
        with self._store.save(self._run.lease) as tx:
            if not tx.cursor_is(page.cursor):
                return False
            if told is not None:
                told.save(tx.busy)
            if page.expired:
                tx.drop_cursor(mailbox_id, calendar_id, CursorStage.BUSY, stands.part)
            if page.full and page.ends:
                tx.drop_cursor(mailbox_id, calendar_id, CursorStage.BUSY_BUILDING, stands.part)
                tx.save_cursor(self._note(calendar_id, self._span))
            tx.save_cursor(stands)
        return True

    # --- listings

    def listed(self) -> bool:
        """List the calendars whose full round ended; False if the run has to yield before that is done."""
        for note in self._notes():
            source = self._sources[note.calendar_id]
            try:
                if source.id not in self._failed and not self._list(note, source):
                    return False
            except _UNREADABLE as error:
                self._begun.pop(self._run.mailbox_id, None)
                self._lost(source, None, error)
        return True

    def _list(self, note: Cursor, source: BusySource) -> bool:
        mailbox_id = self._run.mailbox_id
        listing = self._begun.pop(mailbox_id, None)
        if listing is None or listing.note != note:
            listing = _Listing(note, busy_view(note.window_start, note.window_end, note.calendar_id))
        while True:
            page = read_busy(self._run.client.send(listing.request))
            listing.blocks += page.blocks
            if page.passed_over:
                log.info("%d events of a calendar have no readable time", page.passed_over)
            if not page.next_link:
                break
            listing.request = follow(page.next_link)
            if not self._run.may_go_on():
                self._begun[mailbox_id] = listing
                return False
        with self._store.save(self._run.lease) as tx:
            if not tx.cursor_is(note):
                return False
            tx.busy.replace(source.id, listing.blocks)
            tx.busy.was_read(source.id, known_from=note.window_start, known_until=note.window_end)
            tx.drop_cursor(mailbox_id, note.calendar_id, CursorStage.LISTING, note.part)
        return True

    # --- the end

    def finish(self, tx: Save) -> None:
        """All was looked at: what is known is as fresh as now, news or not."""
        for source in self._sources.values():
            if source.id not in self._failed:
                tx.busy.was_read(source.id)

    def _is_connected(self) -> bool:
        """Whether nobody disconnected while the run was under way: what that took away is not made anew."""
        account = self._store.accounts.get(self._run.user_id)
        return (
            account is not None
            and account.mailbox_id == self._run.mailbox_id
            and account.status is not AccountStatus.OFF
        )

    # --- notes and errors

    def _tidy(self, missing: Sequence[BusySource]) -> None:
        """What is stored of calendars that are no longer read like this, and what was never listed."""
        left_over = self._reading.left_over(self._alone, self._span)
        left_over += [c for c in self._stored(CursorStage.LISTING) if c.calendar_id not in self._sources]
        unlisted = self._unlisted()
        lost = [one for one in missing if one.error != NOT_THERE]
        if not (left_over or unlisted or lost):
            return
        with self._store.save(self._run.lease) as tx:
            for cursor in left_over:
                tx.drop_cursor(cursor.mailbox_id, cursor.calendar_id, cursor.stage, cursor.part)
            for calendar_id in unlisted:
                assert self._shared_span is not None
                tx.save_cursor(self._note(calendar_id, self._shared_span))
            for one in lost:
                tx.busy.failed(one.id, NOT_THERE)

    def _unlisted(self) -> list[str]:
        """Sources that came up while their calendar was read for records already: no full round will end."""
        never = {p for p, one in self._sources.items() if one.known_until is None and p in self._shared}
        if not never:
            return []
        followed = {c.calendar_id for c in self._stored(CursorStage.LIVE) if c.query_version == QUERY_VERSION}
        noted = {c.calendar_id for c in self._stored(CursorStage.BUILDING, CursorStage.LISTING)}
        return sorted((never & followed) - noted)

    def _stored(self, *stages: CursorStage) -> list[Cursor]:
        return [c for c in self._store.cursors.for_mailbox(self._run.mailbox_id) if c.stage in stages]

    def _notes(self) -> list[Cursor]:
        return [c for c in self._stored(CursorStage.LISTING) if c.calendar_id in self._sources]

    def _note(self, calendar_id: str, span: Window) -> Cursor:
        """That a calendar is to be listed, told apart from other times at which it was."""
        return Cursor(
            mailbox_id=self._run.mailbox_id,
            calendar_id=calendar_id,
            url=datetime.fromtimestamp(self._store.clock.now(), UTC).isoformat(),
            query_version=QUERY_VERSION,
            window_start=span.start,
            window_end=span.end,
            stage=CursorStage.LISTING,
        )

    def _lost(self, source: BusySource, cursor: Cursor | None, error: CalsyncError) -> None:
        """A calendar that cannot be read now: its source says so, what was known of it stays."""
        self._failed.add(source.id)
        passing = isinstance(error, _PASSING)
        # The first time it may be a hiccup.
        wait = SOON if not source.error else AGAIN if passing else SELDOM
        self.again_in = wait if self.again_in is None else min(self.again_in, wait)
        text = f"this calendar cannot be read: {error}"
        if isinstance(error, NotFound) and source.place not in self._run.scope.read:
            run = self._run
            rows = refresh_calendars(run.client, self._store, run.mailbox_id, run.member.account.address)
            text = text if source.place in {row.id for row in rows} else NOT_THERE
        with self._store.save(self._run.lease) as tx:
            if cursor is not None and not passing:
                for stage in (CursorStage.BUSY, CursorStage.BUSY_BUILDING):
                    tx.drop_cursor(cursor.mailbox_id, cursor.calendar_id, stage, cursor.part)
            if source.error != text:
                tx.busy.failed(source.id, text)
