"""Reading what changed in Outlook: page by page, each carried through before its cursor moves.

Decides when a mailbox is read and when it wants to be read again, and that what a full round did not come
across is looked at, never taken for gone. A run that has to yield leaves the cursor where it is: the page is
read again, and what is done of it is an echo then.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from calsync_plugin.engine.adopting import Adopting
from calsync_plugin.engine.arrivals import Arrivals
from calsync_plugin.engine.arriving import Arrival, Sorted
from calsync_plugin.engine.busy_reading import BusyReader, BusyRound
from calsync_plugin.engine.calendars import refresh_calendars
from calsync_plugin.engine.counting import Counting
from calsync_plugin.engine.hours_told import keep_hours
from calsync_plugin.engine.marked import Marked
from calsync_plugin.engine.reading import Page, Reading, after
from calsync_plugin.engine.run import Run
from calsync_plugin.engine.subscribing import Subscriber
from calsync_plugin.engine.verifying import Verifying
from calsync_plugin.errors import Forbidden, MailboxUnusable, NotFound, Refused
from calsync_plugin.state import Cursor, CursorStage, Notify, Stage, Store

DAY = 24 * 3600.0
SOON = 20.0
"""Seconds until a second look if a notification came and nothing was found: delta may lag behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullParts:
    """What a puller works with."""

    store: Store
    arrivals: Arrivals
    adopting: Adopting
    marked: Marked
    subscriber: Subscriber
    verifying: Verifying
    counting: Counting
    busy: BusyReader
    now: Callable[[], float]
    random: random.Random
    poll_seconds: float


class Puller:
    """Reads mailboxes."""

    def __init__(self, parts: PullParts) -> None:
        """Work with `parts`."""
        self._parts = parts
        self._store = parts.store
        self._heeded: dict[int, int] = {}
        """How many hints of each mailbox were followed by a look that found something, or by two looks."""

    def pull(self, run: Run) -> None:
        """Read a mailbox if it wants to be read, as far as the run reaches."""
        state = self._store.queue.pull_state(run.mailbox_id)
        if state.pull_at > self._parts.now():
            return
        # Without notifications a change becomes known by the look itself, whenever that was due.
        notified = run.member.account.notify is Notify.NOTIFICATIONS
        run.hinted_at = state.pull_at if notified and state.pull_at else run.started
        upkeep = self._parts.subscriber.upkeep(run.lease, run.member, run.client)
        if run.member.settings.has_main and run.scope.main not in run.scope.read:
            raise MailboxUnusable("the chosen main calendar was not found; choose another one")
        reading = Reading(self._store, run.client, run.mailbox_id)
        self._leave(run, reading.left_over(run.scope.read, run.window))
        busy = self._parts.busy.begin(run)
        # A listing that was begun goes first: changes that are told after it began come upon what it says.
        found = self._rounds(run, reading, busy) if busy.listed() else None
        if found is None or not (busy.read_alone() and busy.listed()):
            return
        self._parts.adopting.end(run.member)
        self._parts.marked.end(run.mailbox_id)
        self._finish(run, busy, found, state.hints, upkeep)
        keep_hours(self._store, run)

    def _rounds(self, run: Run, reading: Reading, busy: BusyRound) -> int | None:
        """Read all cursors to their end; returns how much was news, None if the run has to yield."""
        found = 0
        for cursor in reading.wanted(run.scope.read, run.window):
            changes = self._round(run, reading, busy, cursor)
            if changes is None:
                return None
            found += changes
        return found

    def _round(self, run: Run, reading: Reading, busy: BusyRound, cursor: Cursor) -> int | None:
        """Read one cursor to its end; returns how much was news, None if the run has to yield."""
        changes = 0
        try:
            for page in reading.pages(cursor):
                news = self._page(run, busy, page)
                if news is None or not (page.ends or run.may_go_on()):
                    return None
                changes += news
        except (NotFound, Forbidden, Refused) as error:
            if cursor.calendar_id == run.scope.main:
                raise MailboxUnusable(f"the main calendar cannot be read: {error}") from error
            self._lost(run, cursor, str(error))
            busy.unread(cursor.calendar_id, error)
        return changes

    def _page(self, run: Run, busy: BusyRound, page: Page) -> int | None:
        """Carry one page through and move its cursor; None if the run has to yield before that."""
        marked = None
        if page.full:
            self._store.accounts.set_stage(run.user_id, Stage.PULLING)
            self._parts.adopting.begin(run.member, run.window, run.client, run.scope)
            marked = self._parts.marked.of(run.mailbox_id, run.client)
        arrivals = [Arrival(event_id=str(raw["id"]), raw=raw) for raw in page.delta.events]
        arrivals += [Arrival(event_id=event_id) for event_id in page.delta.removed]
        sorted_ = self._parts.arrivals.sort(
            run.member,
            arrivals,
            run.scope,
            self._parts.now(),
            calendar_id=page.cursor.calendar_id,
            marked=marked,
        )
        for item in sorted_.items if not page.full else ():
            item.known_at = run.hinted_at
        self._parts.counting.add("reads", "events", len(page.delta.events))
        if not run.carried(sorted_.items) or not self._save(run, busy, page, sorted_):
            return None
        return sorted_.changes

    def _save(self, run: Run, busy: BusyRound, page: Page, found: Sorted) -> bool:
        """The page is done: where the cursor stands now, when its user is busy, and what has to be looked at.

        False if somebody wants all to be read anew meanwhile: then it was read in vain.
        """
        cursor, mailbox_id, calendar_id = after(page), run.mailbox_id, page.cursor.calendar_id
        ends, told = page.full and page.ends, busy.increment(page)
        parked = self._store.parked.all(mailbox_id=mailbox_id) if ends else []
        with self._store.save(run.lease) as tx:
            if not tx.cursor_is(page.cursor):
                return False
            if page.full:
                if page.first:
                    tx.begin_round(mailbox_id, calendar_id)
                tx.saw_events(mailbox_id, calendar_id, [str(raw["id"]) for raw in page.delta.events])
            if page.expired:
                tx.drop_cursor(mailbox_id, calendar_id, CursorStage.LIVE, cursor.part)
            if ends:
                tx.drop_cursor(mailbox_id, calendar_id, CursorStage.BUILDING, cursor.part)
                # Not told of in a full round: outside the window, moved, or gone. A look tells which.
                tx.mark_events(mailbox_id, tx.unseen_events(mailbox_id, calendar_id))
                # Nothing told that one of these is gone, if it is.
                tx.mark_events(mailbox_id, [p.event_id for p in parked if p.event_id])
            tx.mark_events(mailbox_id, found.to_mark)
            tx.unpark_events(mailbox_id, found.removed)
            busy.save(tx, page, told)
            tx.save_cursor(cursor)
        return True

    def _leave(self, run: Run, cursors: list[Cursor]) -> None:
        """Calendars that are no longer read: their links wait (R12)."""
        for cursor in cursors:
            if cursor.calendar_id not in run.scope.read:
                self._store.links.suspend_calendar(
                    run.mailbox_id, cursor.calendar_id, "its calendar is no longer chosen"
                )
            with self._store.save(run.lease) as tx:
                tx.drop_cursor(run.mailbox_id, cursor.calendar_id, cursor.stage, cursor.part)

    def _lost(self, run: Run, cursor: Cursor, reason: str) -> None:
        """A calendar that can no longer be read: deleted, or its owner took the access away (R12)."""
        self._store.links.suspend_calendar(
            run.mailbox_id, cursor.calendar_id, f"its calendar cannot be read any more: {reason}"
        )
        with self._store.save(run.lease) as tx:
            for stage in CursorStage:
                tx.drop_cursor(run.mailbox_id, cursor.calendar_id, stage, cursor.part)
            tx.note(run.user_id, "", f"a chosen calendar cannot be read any more: {reason}")
        refresh_calendars(run.client, self._store, run.mailbox_id, run.member.account.address)

    def _finish(self, run: Run, busy: BusyRound, found: int, hints: int, upkeep: float) -> None:
        """All calendars were read to their end: when the mailbox wants to be read again."""
        verify = self._parts.verifying.due(run.mailbox_id)
        with self._store.save(run.lease) as tx:
            tx.mark_events(run.mailbox_id, verify)
            tx.read_to_the_end(run.user_id)
            busy.finish(tx)
            tx.pulled(run.mailbox_id, self._next(run, busy, found, hints, upkeep), hints)

    def _next(self, run: Run, busy: BusyRound, found: int, hints: int, upkeep: float) -> float:
        """Seconds until the next look of its own accord."""
        wait = self._next_of_events(run, busy, found, hints, upkeep)
        return wait if busy.again_in is None else min(wait, busy.again_in)

    def _next_of_events(self, run: Run, busy: BusyRound, found: int, hints: int, upkeep: float) -> float:
        account = self._store.accounts.get(run.user_id)
        notified = account is not None and account.notify is Notify.NOTIFICATIONS
        if not notified or busy.polls or run.scope.shared & set(run.scope.read):
            return self._parts.poll_seconds
        # Spread over the day, so that the mailboxes of an installation do not come at once.
        wait = min(upkeep, DAY * self._parts.random.uniform(0.9, 1.1))
        heeded = self._heeded.get(run.mailbox_id, hints)
        self._heeded[run.mailbox_id] = hints
        return min(wait, SOON) if hints > heeded and not found else wait
