"""A calendar laid out in time: the blocks that its events are within a window.

Decides which dates a series has, with its exceptions, and that a broken event is left out and counted. Works
for as long and with as much memory as the file makes it: `child` sets it limits. Reads no network.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from icalendar import FreeBusy
from recurring_ical_events import EventAdapter, Series

from calsync_plugin.domain.availability import Block, Interval, within_told
from calsync_plugin.domain.meeting import ShowAs
from calsync_plugin.feeds.events import BROKEN, event_of, exact_end, recurs, shown_as, uid_of
from calsync_plugin.feeds.lines import Calendar, Component, calendars
from calsync_plugin.feeds.refusals import MOST_BLOCKS, MOST_EVENTS, refusal
from calsync_plugin.feeds.zones import Zones, zone_named

_FREE_BUSY = {"FREE": None, "BUSY-TENTATIVE": ShowAs.TENTATIVE, "BUSY-UNAVAILABLE": ShowAs.OOF}
_DATES = frozenset({"RDATE", "EXDATE", "FREEBUSY"})
_MARGIN = timedelta(days=2)
"""More than zones are apart: days are compared before it is known whose they are."""


@dataclass(slots=True)
class LaidOut:
    """What a file says of a window."""

    name: str = ""
    blocks: dict[str, Block] = field(default_factory=dict)
    left_out: int = 0
    """Events that make no sense."""


def laid_out(data: bytes, window: Interval, zone: tzinfo) -> LaidOut:
    """The blocks of a file within a window; `zone` is that of whole days and of times that name none.

    Raises FeedError.
    """
    if data.count(b"BEGIN:VEVENT") + data.count(b"BEGIN:VCALENDAR") > MOST_EVENTS:
        raise refusal("too_many_events")
    found = calendars(data)
    if not found:
        raise refusal("not_a_calendar")
    lines = [line for calendar in found for component in calendar.components for line in component.lines]
    dates = sum(1 + line.count(",") for name, line in lines if name in _DATES)
    if dates > MOST_EVENTS or sum(len(calendar.components) for calendar in found) > MOST_EVENTS:
        raise refusal("too_many_events")
    result = LaidOut(next((calendar.name for calendar in found if calendar.name), ""))
    for calendar in found:
        _Layer(calendar, window, zone, result).lay_out()
    return result


class _Layer:
    """Lays out one calendar."""

    def __init__(self, calendar: Calendar, window: Interval, zone: tzinfo, result: LaidOut) -> None:
        self._calendar, self._window, self._zone, self._result = calendar, window, zone, result
        described = [component for component in calendar.components if component.kind == "VTIMEZONE"]
        self._zones = Zones(described, zone_named(calendar.zone) or zone)
        first, last = (datetime.fromtimestamp(second, UTC) for second in window)
        self._first, self._last = first - _MARGIN, last + _MARGIN

    def lay_out(self) -> None:
        """Add the calendar's blocks to the result."""
        self._result.left_out += self._calendar.unended
        series: dict[str, list[Component]] = {}
        for component in self._calendar.components:
            if component.kind == "VFREEBUSY":
                self._usable(self._free_busy, component)
            elif component.kind == "VEVENT" and not self._is_far_off(component):
                series.setdefault(uid_of(component), []).append(component)
        for uid, components in series.items():
            if len(components) == 1 and not recurs(components[0]):
                self._usable(self._single, components[0], uid)
            else:
                self._series(uid, components)

    def _is_far_off(self, component: Component) -> bool:
        """Whether an event surely lies outside of the window; most of a long calendar does."""
        if recurs(component) or component.has("DURATION"):
            return False
        days = {name: line.rpartition(":")[2][:8] for name, line in component.lines if name.startswith("DT")}
        start, end = days.get("DTSTART", ""), days.get("DTEND", days.get("DTSTART", ""))
        if not (len(start) == len(end) == 8 and start.isdecimal() and end.isdecimal()):
            return False
        return end < self._first.strftime("%Y%m%d") or start > self._last.strftime("%Y%m%d")

    def _usable(self, lay: Any, *what: Any) -> None:
        """Do something with an event; if it makes no sense, count it."""
        try:
            lay(*what)
        except BROKEN:
            self._result.left_out += 1

    def _single(self, component: Component, uid: str) -> None:
        event = event_of(component, self._zones)
        adapter = _Adapter(event, component)
        self._add(uid, adapter, adapter.raw_start, adapter.raw_end)

    def _series(self, uid: str, components: list[Component]) -> None:
        adapters: list[_Adapter] = []
        for component in components:
            self._usable(lambda one: adapters.append(_Adapter(event_of(one, self._zones), one)), component)
        masters = [adapter for adapter in adapters if not adapter.is_modification()]
        others = [adapter for adapter in adapters if adapter.is_modification()]
        newest = max((adapter.sequence for adapter in masters), default=0)
        # Two events of one id are two events, whatever the standard says, unless one is an older state.
        starts = {str(adapter.raw_start): adapter for adapter in masters if adapter.sequence == newest}
        for place, adapter in enumerate(starts.values()):
            name = f"{uid}/{adapter.raw_start.isoformat()}" if place else uid
            if others and not place:
                self._usable(self._dates, name, [adapter, *others])
            elif adapter.has_recurrence_rules():
                self._usable(self._dates, name, [adapter])
            else:
                self._usable(self._add, name, adapter, adapter.raw_start, adapter.raw_end)
        if not masters and others:
            self._usable(self._dates, uid, others)

    def _dates(self, uid: str, adapters: list[_Adapter]) -> None:
        dates: Any = _Dates(adapters).between(self._first, self._last)
        for occurrence in dates:
            name = f"{uid}/{occurrence.id}"
            self._add(name, occurrence.adapter, occurrence.start, occurrence.end, series_id=uid)

    def _free_busy(self, component: Component) -> None:
        component.lines = [(name, self._zones.readable(line)) for name, line in component.lines]
        found: Any = FreeBusy.from_ical(component.text()).get("FREEBUSY", [])
        for period in found if isinstance(found, list) else [found]:
            kind = str(period.params.get("FBTYPE", "BUSY")).upper()
            shown = _FREE_BUSY.get(kind, ShowAs.BUSY)
            if shown is not None:
                start, end = (int(self._zones.settled(at).timestamp()) for at in (period.start, period.end))
                self._keep(Block(id=f"freebusy/{start}/{end}/{shown}", start=start, end=end, show_as=shown))

    def _add(self, name: str, adapter: _Adapter, start: date, end: date, *, series_id: str = "") -> None:
        """Keep one date of an event, if it takes up time in the window."""
        shown = shown_as(adapter.event, declined=self._calendar.name.casefold() in adapter.declined)
        if shown is None:
            return
        if isinstance(start, datetime) or isinstance(end, datetime):
            first, last = self._moment(start), self._moment(end)
            if last < first:
                raise ValueError("DTEND")
            last = exact_end(adapter.event, first, last)
            whole = False
        else:
            first, last = _utc(start), max(_utc(end), _utc(start) + timedelta(days=1))
            whole = True
        seconds = int(first.timestamp()), int(last.timestamp())
        self._keep(
            Block(
                id=name,
                start=seconds[0],
                end=seconds[1],
                whole_days=whole,
                show_as=shown,
                series_id=series_id,
            )
        )

    def _keep(self, block: Block) -> None:
        block = replace(block, start=within_told(block.start), end=within_told(block.end))
        start, end = block.within(self._zone)
        if start < end and start < self._window[1] and end > self._window[0]:
            if len(self._result.blocks) >= MOST_BLOCKS:
                raise refusal("too_many_events")
            if self._result.blocks.get(block.id, block) != block:
                # Another calendar of the file has an event of the same id.
                block = replace(block, id=f"{block.id}/{block.start}")
            self._result.blocks[block.id] = block

    def _moment(self, value: date) -> datetime:
        if isinstance(value, datetime):
            return self._zones.settled(value)
        return self._zones.settled(datetime.combine(value, time()))


def _utc(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


class _Adapter(EventAdapter):  # type: ignore[misc]
    """An event as the library takes it."""

    def __init__(self, event: Any, component: Component) -> None:
        super().__init__(event)
        self.event = event
        self.declined = component.declined


class _Date:
    """One date of a series."""

    def __init__(self, adapter: _Adapter, start: date | None, end: date | None) -> None:
        self.adapter = adapter
        self.start: date = adapter.raw_start if start is None else start
        self.end: date = adapter.raw_end if end is None else end
        own = adapter.event["RECURRENCE-ID"].dt if start is None else self.start
        self.id = own.astimezone(UTC).isoformat() if isinstance(own, datetime) else own.isoformat()

    def is_in_span(self, _start: date, _end: date) -> bool:
        """Always: whoever keeps it looks closer."""
        return True


class _Dates(Series):  # type: ignore[misc]
    """A series that makes light dates instead of copies of events."""

    def occurrence(self, adapter: Any, start: Any = None, end: Any = None) -> Any:
        """One date of it."""
        return _Date(adapter, start, end)
