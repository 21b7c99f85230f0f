"""Events that were marked to be looked at: retries, series, and what another reading could not tell.

Decides how each is read: a linked one is looked at, a series is read as a whole, a stranger is read and
sorted as if it had just arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from calsync_plugin.domain.links import Link
from calsync_plugin.engine.arrivals import Arrivals
from calsync_plugin.engine.arriving import MASTER, Arrival
from calsync_plugin.engine.failures import unreadable
from calsync_plugin.engine.run import Run
from calsync_plugin.engine.series_reading import SeriesRead, SeriesReader
from calsync_plugin.errors import Forbidden, ItemError, NotFound
from calsync_plugin.graph.calendar import calendar_of, get_event
from calsync_plugin.graph.protocol import JsonObject
from calsync_plugin.state import EventMark, Store


@dataclass(frozen=True, slots=True)
class _Stranger:
    """A marked event that no link names, as it was read."""

    mark: EventMark
    raw: JsonObject | None
    """None: it is gone."""
    calendar_id: str = ""
    problem: ItemError | None = None
    """Why Outlook does not let it be read."""

    @property
    def series_id(self) -> str:
        """The series that it is or belongs to; empty for a single event."""
        if self.raw is None:
            return ""
        if self.raw.get("type") == MASTER:
            return self.mark.event_id
        found = self.raw.get("seriesMasterId")
        return found if isinstance(found, str) else ""

    def arrival(self, *, alone: bool = False) -> Arrival:
        """The event as one that has just arrived."""
        return Arrival(
            event_id=self.mark.event_id,
            raw=self.raw,
            mark_ids=self.mark.mark_ids,
            attempts=self.mark.attempts,
            calendar_id=self.calendar_id,
            alone=alone,
            problem=self.problem,
        )


@dataclass(slots=True)
class _Work:
    """What a page of marks comes down to."""

    arrivals: list[Arrival] = field(default_factory=list)
    series: dict[str, EventMark] = field(default_factory=dict)
    strays: list[_Stranger] = field(default_factory=list)
    """Occurrences without a link, by which their series is read."""
    masters: dict[str, JsonObject] = field(default_factory=dict)
    calendars: dict[str, str] = field(default_factory=dict)
    """Where each series lies."""
    settled: list[int] = field(default_factory=list)
    cleared: list[str] = field(default_factory=list)
    """Events that nobody has to look after any more: they are gone, or series that were read."""


class EventMarks:
    """Works off the event marks of mailboxes."""

    def __init__(self, store: Store, arrivals: Arrivals, now: Callable[[], float], *, limit: int) -> None:
        """Take up to `limit` events in a run."""
        self._store = store
        self._arrivals = arrivals
        self._now = now
        self._limit = limit

    def work(self, run: Run) -> bool:
        """Look at what is due; whether it was all dealt with, or the run has to yield."""
        page = self._store.events.due(run.mailbox_id, self._limit)
        if not page.marks:
            return True
        work = self._work(run, page.marks)
        arrivals = [*work.arrivals, *self._of_series(run, work)]
        found = self._arrivals.sort(run.member, arrivals, run.scope, self._now())
        if not run.carried(found.items):
            return False
        with self._store.save(run.lease) as tx:
            tx.finish_events([*work.settled, *found.settled])
            tx.mark_events(run.mailbox_id, found.to_mark)
            tx.unpark_events(run.mailbox_id, [*work.cleared, *found.removed])
        return not page.more

    def _work(self, run: Run, marks: Sequence[EventMark]) -> _Work:
        work = _Work()
        ids = [m.event_id for m in marks]
        links = self._store.links.by_events(run.mailbox_id, ids)
        of_series = self._store.links.of_series(run.mailbox_id, ids)
        dates = {id_: [link for link in of_series if _is_date(link, run.mailbox_id, id_)] for id_ in ids}
        # A single event may have become a series meanwhile, also one that was a series once; a date has not.
        to_read = [
            m
            for m in marks
            if m.event_id not in links
            or dates[m.event_id]
            or not _is_within(links[m.event_id], run.mailbox_id, m.event_id)
        ]
        read = {s.mark.event_id: s for s in self._read(run, to_read)}
        for mark in marks:
            stranger = read.get(mark.event_id)
            is_series = stranger is not None and stranger.series_id == mark.event_id
            if mark.event_id in links and not is_series and not dates[mark.event_id]:
                known = Arrival(event_id=mark.event_id, mark_ids=mark.mark_ids, attempts=mark.attempts)
                work.arrivals.append(known)
            elif stranger is not None:
                self._sort_out(run, stranger, dates[mark.event_id], work)
        return work

    def _sort_out(self, run: Run, stranger: _Stranger, dates: Sequence[Link], work: _Work) -> None:
        """What an event comes down to that no link names; `dates`: links of a series that it is, or was."""
        mark, series_id = stranger.mark, stranger.series_id
        if stranger.problem is not None:
            work.arrivals.append(stranger.arrival())
        elif stranger.raw is None or (dates and not series_id):
            # Gone, or a series no longer: its dates are looked at.
            if dates:
                work.series[mark.event_id] = mark
            else:
                work.settled += mark.mark_ids
                work.cleared.append(mark.event_id)
        elif run.scope.read and stranger.calendar_id and stranger.calendar_id not in run.scope.read:
            # Moved to a calendar that was not chosen: its dates are out of reach.
            work.settled += mark.mark_ids
            copies = ((link, link.copy_in(run.mailbox_id)) for link in dates)
            work.arrivals += [Arrival(event_id=c.event_id, link=link) for link, c in copies if c]
        elif not series_id:
            work.arrivals.append(stranger.arrival())
        else:
            _join(work.series, series_id, mark)
            work.calendars[series_id] = stranger.calendar_id
            if series_id == mark.event_id:
                work.masters[series_id] = stranger.raw
            else:
                work.strays.append(stranger)

    def _read(self, run: Run, marks: Sequence[EventMark]) -> list[_Stranger]:
        """The events themselves, and where they lie; a deleted one lies in no calendar."""
        requests = [r for m in marks for r in (get_event(m.event_id), calendar_of(m.event_id))]
        outcomes = iter(run.client.batch(requests))
        found = []
        for mark in marks:
            event, calendar = next(outcomes), next(outcomes)
            if isinstance(event.error, NotFound) or isinstance(calendar.error, NotFound):
                found.append(_Stranger(mark, None))
                continue
            refusal = event.error or calendar.error
            if isinstance(refusal, Forbidden):
                found.append(_Stranger(mark, None, problem=unreadable(mark.event_id, refusal)))
                continue
            lies_in = (calendar.unwrap() or {}).get("id")
            found.append(_Stranger(mark, event.unwrap(), lies_in if isinstance(lies_in, str) else ""))
        return found

    def _of_series(self, run: Run, work: _Work) -> list[Arrival]:
        """The occurrences of the marked series; an occurrence whose series is not here stands alone."""
        if not work.series:
            return []
        reader = SeriesReader(self._store, run.client, run.member, run.window, self._arrivals.claims)
        read = reader.read(list(work.series.values()), work.masters)
        work.settled += read.settled
        work.cleared += [m.event_id for m in work.series.values() if m.event_id not in read.refused]
        arrivals = self._moved(run, read)
        alone = [s.arrival(alone=True) for s in work.strays if s.series_id in read.missing]
        refused = [
            replace(_Stranger(work.series[series_id], None).arrival(), problem=problem)
            for series_id, problem in read.refused.items()
        ]
        return [*_in_calendars(arrivals, work.calendars), *alone, *refused]

    def _moved(self, run: Run, read: SeriesRead) -> list[Arrival]:
        """Save what goes on as another event, so that a run that yields leaves nothing halfway.

        Where another run was faster, the series is read once more.
        """
        if not read.moved:
            return list(read.arrivals)
        with self._store.save(run.lease) as tx:
            lost = tx.save_links(read.moved)
            copies = [m.copy_in(run.mailbox_id) for m in read.moved if m.id in lost]
            again = {c.event_id: c.series_id for c in copies if c}
            tx.mark_events(run.mailbox_id, set(again.values()))
        return [arrival for arrival in read.arrivals if arrival.event_id not in again]


def _is_date(link: Link, mailbox_id: int, series_id: str) -> bool:
    return any(c.series_id == series_id and c.mailbox_id == mailbox_id for c in link.copies)


def _is_within(link: Link, mailbox_id: int, event_id: str) -> bool:
    """Whether a link's event was a date of a series when it was last seen."""
    here = (c for c in link.copies if (c.mailbox_id, c.event_id) == (mailbox_id, event_id))
    return link.original_start is not None and any(c.series_id for c in here)


def _join(series: dict[str, EventMark], series_id: str, mark: EventMark) -> None:
    before = series.get(series_id)
    ids = (*(before.mark_ids if before else ()), *mark.mark_ids)
    attempts = max(mark.attempts, before.attempts if before else 0)
    series[series_id] = EventMark(series_id, ids, attempts)


def _in_calendars(arrivals: Sequence[Arrival], calendars: Mapping[str, str]) -> list[Arrival]:
    return [replace(a, calendar_id=calendars.get(a.place.series_id, "")) if a.place else a for a in arrivals]
