"""Reading series as a whole (R13): delta tells little of occurrences and nothing sure of vanished ones.

Decides what of some series is read, and which dates the user's setting lets in. Which link a date goes on
with is `series_dates`'. A slot that vanished and was not found again is only looked at, never taken for gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from calsync_plugin.domain.links import Link, LinkState
from calsync_plugin.domain.timespan import Timed
from calsync_plugin.domain.window import Window, parts
from calsync_plugin.engine.arriving import MASTER, Arrival
from calsync_plugin.engine.claims import Claims
from calsync_plugin.engine.failures import unreadable
from calsync_plugin.engine.roster import Member
from calsync_plugin.engine.series_dates import Dates, Series, read
from calsync_plugin.errors import Forbidden, ItemError, NotFound, Refused
from calsync_plugin.graph.calendar import follow, get_event, get_master, instances
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.events import EventView
from calsync_plugin.graph.protocol import JsonObject, Request
from calsync_plugin.settings import UserSettings
from calsync_plugin.state import EventMark, Store

MARGIN = timedelta(days=31)
"""How far beyond the window a followed series is read: a date that moved over its edge goes on there."""


@dataclass(frozen=True, slots=True)
class SeriesRead:
    """What some series are now."""

    arrivals: tuple[Arrival, ...]
    moved: tuple[Link, ...]
    """Links that go on as another event, to be saved all at once before anything is done about them."""
    settled: tuple[int, ...]
    """Marks that are dealt with once all arrivals have come to rest."""
    missing: frozenset[str]
    """Series that are not in this mailbox."""
    refused: Mapping[str, ItemError]
    """Series that Outlook does not let us read, with the reason: nothing is said of their dates."""


class SeriesReader:
    """Reads the series of one mailbox."""

    def __init__(
        self, store: Store, client: MailboxClient, member: Member, window: Window, claims: Claims
    ) -> None:
        """Read through `client` what lies in `window`; `claims` tells whose an iCalUId is."""
        self._claims = claims
        self._store = store
        self._client = client
        self._member = member
        self._window = window

    def read(self, marks: Sequence[EventMark], masters: Mapping[str, JsonObject]) -> SeriesRead:
        """The occurrences of the series that `marks` name; `masters`: as Graph gave them, by id."""
        series = self._masters(marks, masters)
        dates = self._dates(series)
        self._read_instances([s for s in series if s.master is not None], self._span(dates.known.values()))
        refused = {s.mark.event_id: s.problem for s in series if s.problem is not None}
        if refused:
            series = [s for s in series if s.problem is None]
            dates = self._dates(series)
        dates.sort()
        if dates.appeared:
            dates.join(self._single(dates, [s.mark.event_id for s in series]))
        if dates.vanished and dates.appeared:
            dates.pair(self._taken_out(series, dates.vanished))
        vanished = [one for one in dates.vanished.values() if one.state is not LinkState.DETACHED]
        looked_at = [self._to_look_at(dates, link) for link in vanished]
        fresh = self._imported(dates, [a for a in dates.appeared.values() if self._in_window(a)])
        missing = frozenset(s.mark.event_id for s in series if s.master is None)
        settled = tuple(i for one in series for i in one.mark.mark_ids)
        arrivals = (*dates.here, *looked_at, *fresh)
        return SeriesRead(arrivals, tuple(dates.moved), settled, missing, refused)

    # --- reading

    def _masters(self, marks: Sequence[EventMark], known: Mapping[str, JsonObject]) -> list[Series]:
        unread = [mark.event_id for mark in marks if mark.event_id not in known]
        outcomes = self._client.batch([get_event(event_id) for event_id in unread])
        values, refused = dict(known), dict[str, ItemError]()
        for event_id, outcome in zip(unread, outcomes, strict=True):
            if isinstance(outcome.error, Forbidden):
                refused[event_id] = unreadable(event_id, outcome.error)
            elif not isinstance(outcome.error, NotFound):
                values[event_id] = outcome.unwrap() or {}
        masters = {mark.event_id: _master(values.get(mark.event_id)) for mark in marks}
        named = {event_id: (view.ical_uid, view) for event_id, view in masters.items() if view}
        claims = self._claims.of(named, self._member)
        return [
            Series(
                mark,
                (master := masters[mark.event_id]) and replace(master, ical_uid=claims[mark.event_id].uid),
                problem=refused.get(mark.event_id),
            )
            for mark in marks
        ]

    def _dates(self, series: Sequence[Series]) -> Dates:
        """The links of these series: by their uids, by masters that are gone, and of masters themselves."""
        mailbox_id, masters = self._member.mailbox_id, [s.mark.event_id for s in series]
        by_uid = self._store.links.by_ical_uids({s.uid for s in series} - {""})
        found = [link for links in by_uid.values() for link in links]
        found += self._store.links.of_series(mailbox_id, masters)
        found += self._store.links.by_events(mailbox_id, masters).values()
        return Dates(
            series=series,
            mailbox_id=mailbox_id,
            own_address=self._member.account.address.lower(),
            known={
                (link.series_ical_uid, link.original_start): link
                for link in found
                if link.original_start is not None
            },
        )

    def _single(self, dates: Dates, masters: Sequence[str]) -> list[Link]:
        """Links that may be a date of these series although they know no series."""
        named = [link for links in self._store.links.by_ical_uids(dates.uids).values() for link in links]
        views = [one.master for one in dates.series if one.master]
        found = [link for link in named if any(self._claims.may_be(link, v, self._member) for v in views)]
        found += self._store.links.by_events(self._member.mailbox_id, masters).values()
        return list({link.id: link for link in found}.values())

    def _span(self, known: Iterable[Link]) -> Window:
        """The window, and beyond it what is followed already."""
        starts = [link.original_start for link in known if link.original_start]
        if not starts:
            return self._window
        last = max(self._window.end, *starts)
        return Window(min(self._window.start, *starts), last + MARGIN)

    def _read_instances(self, series: Sequence[Series], span: Window) -> None:
        """All occurrences in a span, page by page, many series in one batch."""
        pending: list[tuple[Series, Request]] = []
        for one in series:
            pending += [(one, instances(one.mark.event_id, part.start, part.end)) for part in parts(span)]
        while pending:
            outcomes = self._client.batch([request for _, request in pending])
            following: list[tuple[Series, Request]] = []
            for (one, _), outcome in zip(pending, outcomes, strict=True):
                if isinstance(outcome.error, Forbidden):
                    one.problem = unreadable(one.mark.event_id, outcome.error)
                if isinstance(outcome.error, NotFound | Refused | Forbidden):
                    continue
                page = outcome.unwrap() or {}
                values = page.get("value")
                found = [v for v in values if isinstance(v, dict)] if isinstance(values, list) else []
                one.raws = [*one.raws, *found]
                link = page.get("@odata.nextLink")
                if isinstance(link, str):
                    following.append((one, follow(link)))
            pending = following

    def _taken_out(self, series: Sequence[Series], vanished: Mapping[str, Link]) -> set[str]:
        """Of vanished links those whose date the organizer took out: nothing goes on with them."""
        uids = {link.series_ical_uid for link in vanished.values()}
        asked = [one for one in series if one.master is not None and one.uid in uids]
        found: set[str] = set()
        outcomes = self._client.batch([get_master(one.mark.event_id) for one in asked])
        for one, outcome in zip(asked, outcomes, strict=True):
            if isinstance(outcome.error, NotFound | Refused):
                continue
            # Whoever goes on without an answer would give the record of a date taken out to another date.
            master = _master(outcome.unwrap())
            days = {named[-10:] for named in master.cancelled_occurrences} if master else set()
            found |= {
                link.id
                for link in vanished.values()
                if link.series_ical_uid == one.uid
                and link.original_start is not None
                and one.took_out(link.original_start, days)
            }
        return found

    # --- arrivals

    def _to_look_at(self, dates: Dates, link: Link) -> Arrival:
        copy = dates.copy_here(link)
        assert copy is not None
        return Arrival(event_id=copy.event_id, link=link)

    def _in_window(self, arrival: Arrival) -> bool:
        """Whether a date lies in the window, as delta would tell of it."""
        assert arrival.place is not None
        view = read(arrival.raw or {})
        if view is None:
            return self._window.touches(arrival.place.original_start, arrival.place.original_start)
        span = view.meeting.span
        if isinstance(span, Timed):
            return span.start < self._window.end and span.end > self._window.start
        first, until = (datetime.combine(day, time(0), UTC) for day in (span.first, span.until))
        return first < self._window.end and until > self._window.start

    def _imported(self, dates: Dates, fresh: list[Arrival]) -> list[Arrival]:
        """Those of the appeared occurrences that the user's setting lets in."""
        settings: UserSettings = self._member.settings
        if settings.recurring == "skip":
            return []
        if settings.recurring == "occurrences":
            return fresh
        there = [link for link in dates.known.values() if link.id not in dates.vanished]
        followed = {link.series_ical_uid for link in [*there, *dates.moved]}
        first: dict[str, Arrival] = {}
        placed = [(arrival.place, arrival) for arrival in fresh if arrival.place is not None]
        for place, arrival in sorted(placed, key=lambda pair: pair[0].original_start):
            if place.series_uid not in followed:
                first.setdefault(place.series_uid, arrival)
        return list(first.values())


def _master(value: JsonObject | None) -> EventView | None:
    return read(value) if value is not None and value.get("type") == MASTER else None
