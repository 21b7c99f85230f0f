"""Which link each date of some series goes on with (R13).

Decides by the slot, by the event itself, by an invitation to one date that came before, and at last by the
order of what vanished and appeared (`domain.series`). Reads nothing; what becomes of a date is planned as for
any event.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from calsync_plugin.domain.links import Copy, CopyPurpose, Link, LinkState, Role
from calsync_plugin.domain.meeting import Field
from calsync_plugin.domain.series import Slot, relink
from calsync_plugin.domain.timespan import AllDay
from calsync_plugin.engine.arriving import Arrival, Place
from calsync_plugin.errors import InvalidEvent, ItemError
from calsync_plugin.graph import zones
from calsync_plugin.graph.events import EventView, read_event
from calsync_plugin.graph.protocol import JsonObject
from calsync_plugin.state import EventMark


@dataclass(slots=True)
class Series:
    """One series of a mailbox, as it was read."""

    mark: EventMark
    master: EventView | None = None
    """None: it is gone, or a series no longer."""
    raws: Sequence[JsonObject] = ()
    problem: ItemError | None = None
    """Why Outlook does not let it be read."""

    @property
    def uid(self) -> str:
        """Its iCalUId; empty if it is gone."""
        return self.master.ical_uid if self.master else ""

    def arrivals(self) -> list[Arrival]:
        """Its dates; what names no time is left out."""
        return [arrival for raw in self.raws if (arrival := self._arrival(raw))]

    def _arrival(self, raw: JsonObject) -> Arrival | None:
        event_id, start = raw.get("id"), raw.get("originalStart")
        if not isinstance(event_id, str) or not event_id:
            return None
        if not isinstance(start, str):
            view = read(raw)
            span = view.meeting.span.normal()[1] if view else ""
            start = span if isinstance(span, str) else ""
        try:
            moment = datetime.fromisoformat(start)
        except ValueError:
            return None
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        place = Place(
            series_uid=self.uid, series_id=self.mark.event_id, original_start=moment.replace(microsecond=0)
        )
        return Arrival(event_id=event_id, raw=raw, place=place, attempts=self.mark.attempts)

    def organizer(self, own_address: str) -> str:
        """The organizer's address; `own_address` is the mailbox's."""
        master = self.master
        if master is None or master.is_organizer or master.meeting.organizer is None:
            return own_address
        return master.meeting.organizer.address

    def took_out(self, start: datetime, days: Collection[str]) -> bool:
        """Whether the date of this slot is one of `days`, which the organizer took out."""
        master = self.master
        zone = master.zone if master and zones.known(master.zone) else "UTC"
        said = {zones.wall(start, zone).date()}
        if master and isinstance(master.meeting.span, AllDay):
            said.add(start.date())
        return any(date.isoformat(day) in days for day in said)


@dataclass(slots=True)
class Dates:
    """The dates of some series and the links that they may go on with."""

    series: Sequence[Series]
    mailbox_id: int
    own_address: str
    known: dict[tuple[str, datetime], Link]
    """The links of these series by slot."""
    here: list[Arrival] = field(default_factory=list)
    """Dates whose link is known."""
    appeared: dict[str, Arrival] = field(default_factory=dict)
    """Those that nothing links, by event id."""
    vanished: dict[str, Link] = field(default_factory=dict)
    """Links whose slot is no more, by id; detached ones, too."""
    moved: list[Link] = field(default_factory=list)
    """Links that go on as another event of this mailbox, with its slot and id."""

    def sort(self) -> None:
        """Find the link of each date by its slot, and of those left by the event."""
        seen: set[str] = set()
        for arrival in (arrival for one in self.series for arrival in one.arrivals()):
            assert arrival.place is not None
            link = self.known.get((arrival.place.series_uid, arrival.place.original_start))
            if link is None:
                self.appeared[arrival.event_id] = arrival
                continue
            seen.add(link.id)
            is_same = any(self._is_here(c) and c.event_id == arrival.event_id for c in link.copies)
            # A link that the event id names anyhow is found by it: an unchanged etag spares the look then.
            self.here.append(arrival if is_same else replace(arrival, link=link))
        self.vanished = {
            link.id: link for link in self.known.values() if link.id not in seen and self.copy_here(link)
        }
        for link in list(self.vanished.values()):
            copy = self.copy_here(link)
            if copy is not None and copy.event_id in self.appeared:
                self._go_on(link, copy.event_id)

    @property
    def uids(self) -> set[str]:
        """The iCalUIds of what nothing links yet, and of its series."""
        found = [(arrival.raw or {}).get("iCalUId") for arrival in self.appeared.values()]
        return {uid for uid in found if isinstance(uid, str)} | {one.uid for one in self.series} - {""}

    def join(self, links: Iterable[Link]) -> None:
        """Find the date of links that know no series: of a date alone, or of what became a series since."""
        for link in links:
            event_id = self._date_of(link) if link.original_start is None else ""
            if event_id:
                self._go_on(link, event_id)

    def pair(self, taken_out: Collection[str]) -> None:
        """Pair what vanished with what appeared; links in `taken_out` go on with nothing."""
        known = {uid for uid, _ in self.known}
        old = [self._slot_of_link(link) for link in self.vanished.values() if link.id not in taken_out]
        new = [self._slot_of(arrival, known) for arrival in self.appeared.values()]
        for before, after in relink(old, new):
            self._go_on(self.vanished[before.key], after.key)

    def copy_here(self, link: Link) -> Copy | None:
        """The event of a link in this mailbox."""
        return next((c for c in link.copies if self._is_here(c)), None)

    def _is_here(self, copy: Copy) -> bool:
        return (
            copy.mailbox_id == self.mailbox_id
            and bool(copy.event_id)
            and copy.purpose is not CopyPurpose.LEAVING
        )

    def _go_on(self, link: Link, event_id: str) -> None:
        """The link goes on as this date, with its id in place of the former one."""
        arrival = self.appeared.pop(event_id)
        self.vanished.pop(link.id, None)
        copy, place = self.copy_here(link), arrival.place
        assert place is not None
        if copy is None:
            self.here.append(replace(arrival, link=link))
            return
        now = replace(copy, event_id=event_id, etag="", series_id=place.series_id)
        moved = replace(
            link,
            copies=tuple(now if c == copy else c for c in link.copies),
            series_ical_uid=place.series_uid,
            original_start=place.original_start,
        )
        self.moved.append(moved)
        self.here.append(arrival)

    def _date_of(self, link: Link) -> str:
        """The date that a single link is: by its own uid, its time, or as the first of what it became."""
        uids = {copy.ical_uid for copy in link.copies} | {link.series_ical_uid}
        series = {one.uid for one in self.series}
        base = link.outlook_base.values.get(Field.SPAN) if link.outlook_base else None
        ours = {one.mark.event_id for one in self.series if self._holds(link, one.mark.event_id)}
        found = sorted(self.appeared.values(), key=_start)
        for arrival in found:
            uid = (arrival.raw or {}).get("iCalUId")
            if isinstance(uid, str) and uid in uids - series:
                return arrival.event_id
        uids &= series
        found = [a for a in found if a.place and (a.place.series_uid in uids or a.place.series_id in ours)]
        for arrival in found:
            if isinstance(base, list) and base[1:2] == [_start(arrival).strftime("%Y-%m-%dT%H:%M:%SZ")]:
                return arrival.event_id
        return next((a.event_id for a in found if a.place and a.place.series_id in ours), "")

    def _holds(self, link: Link, event_id: str) -> bool:
        return any(self._is_here(c) and c.event_id == event_id for c in link.copies)

    def _slot_of(self, arrival: Arrival, known: Collection[str]) -> Slot:
        assert arrival.place is not None
        place, subject = arrival.place, (arrival.raw or {}).get("subject")
        series = next(one for one in self.series if one.mark.event_id == place.series_id)
        return Slot(
            series_uid=place.series_uid,
            original_start=place.original_start,
            organizer=series.organizer(self.own_address),
            subject=subject if isinstance(subject, str) else "",
            start=place.original_start,
            key=arrival.event_id,
            fresh=place.series_uid not in known,
        )

    def _slot_of_link(self, link: Link) -> Slot:
        assert link.original_start is not None
        base = link.outlook_base.values.get(Field.SUBJECT) if link.outlook_base else None
        one = next((s for s in self.series if s.master and s.uid == link.series_ical_uid), None)
        organizer = one.organizer(self.own_address) if one else ""
        if not organizer and link.role is Role.ORGANIZER:
            organizer = self.own_address
        return Slot(
            series_uid=link.series_ical_uid,
            original_start=link.original_start,
            organizer=organizer,
            subject=base if isinstance(base, str) else "",
            start=link.original_start,
            key=link.id,
            idle=link.state is LinkState.DETACHED and self._is_followed(link.series_ical_uid),
        )

    def _is_followed(self, series_uid: str) -> bool:
        return any(
            link.state is not LinkState.DETACHED for (uid, _), link in self.known.items() if uid == series_uid
        )


def read(value: JsonObject) -> EventView | None:
    """An event, or None for one that cannot be synced."""
    try:
        return read_event(value)
    except InvalidEvent:
        return None


def _start(arrival: Arrival) -> datetime:
    assert arrival.place is not None
    return arrival.place.original_start
