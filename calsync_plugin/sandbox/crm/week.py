"""A week of the calendar page: which entry lies where. Pure: rows and a zone in, positions out.

What lasts a day or longer, and whole days, go to the lane above the grid. Other entries are cut at midnight.
Entries that overlap share the width of their day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from calsync_plugin.sandbox.crm.dates import parse
from calsync_plugin.sandbox.crm.tables import Record

DAY = timedelta(days=1)
MINUTES = 24 * 60
# What is shorter is drawn as tall as this, to be readable.
LEAST_MINUTES = 30


@dataclass(frozen=True, slots=True)
class Entry:
    """A record, or the part of it that lies in one day, as it is drawn."""

    id: str
    entity_type: str
    name: str
    status: str
    when: str
    owner: str
    place: str
    # days from Monday and, in the lane, how many
    day: int = 0
    span: int = 1
    # minutes from midnight
    start: int = 0
    end: int = 0
    # the column among those that overlap, and how many there are
    column: int = 0
    columns: int = 1
    continued: bool = False
    warning: str = ""


@dataclass(frozen=True, slots=True)
class DayColumn:
    """One day of the grid."""

    date: date
    is_today: bool
    entries: list[Entry] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days from Monday."""

    monday: date
    days: list[DayColumn]
    lane: list[Entry]
    now_minutes: int

    @property
    def is_empty(self) -> bool:
        """True if nothing lies in it."""
        return not self.lane and not any(day.entries for day in self.days)


@dataclass(frozen=True, slots=True)
class EventRow:
    """A record with what the page shows beside it."""

    entity_type: str
    row: Record
    owner: str


def lay_out(rows: Iterable[EventRow], monday: date, zone: ZoneInfo, now: datetime) -> Week:
    """Place the records of a week that begins on `monday` in `zone`."""
    grid: list[list[Entry]] = [[] for _ in range(7)]
    lane: list[Entry] = []
    for item in rows:
        for entry in _entries(item, monday, zone):
            (lane if entry.start < 0 else grid[entry.day]).append(entry)
    local = now.astimezone(zone)
    days = [
        DayColumn(monday + place * DAY, monday + place * DAY == local.date(), _columns(entries))
        for place, entries in enumerate(grid)
    ]
    lane.sort(key=lambda entry: (entry.day, -entry.span, entry.name))
    return Week(monday, days, lane, local.hour * 60 + local.minute)


def _entries(item: EventRow, monday: date, zone: ZoneInfo) -> list[Entry]:
    row = item.row
    entry = Entry(
        row["id"],
        item.entity_type,
        row.get("name") or "",
        row.get("status") or "",
        "",
        item.owner,
        row.get("location") or "",
    )
    if row.get("dateStartDate"):
        first = date.fromisoformat(row["dateStartDate"])
        last = date.fromisoformat(row.get("dateEndDate") or row["dateStartDate"])
        return _in_lane(replace(entry, when="All day"), first, max(first, last), monday)
    start = parse(str(row.get("dateStart") or ""))
    if start is None:
        return []
    end = parse(str(row.get("dateEnd") or ""))
    warning = "has no end" if end is None else "ends before it starts" if end < start else ""
    end = max(end or start, start)
    local_start, local_end = start.astimezone(zone), end.astimezone(zone)
    entry = replace(entry, when=_when(local_start, local_end), warning=warning)
    if end - start >= DAY:
        return _in_lane(entry, local_start.date(), (local_end - timedelta(seconds=1)).date(), monday)
    return _by_day(entry, local_start, local_end, monday)


def _when(start: datetime, end: datetime) -> str:
    same_day = start.date() == end.date()
    return f"{start:%H:%M} - {end:%H:%M}" if same_day else f"{start:%a %H:%M} - {end:%a %H:%M}"


def _in_lane(entry: Entry, first: date, last: date, monday: date) -> list[Entry]:
    start = max((first - monday).days, 0)
    end = min((last - monday).days, 6)
    continued = first < monday
    if end < 0 or start > 6:
        return []
    return [replace(entry, day=start, span=end - start + 1, start=-1, continued=continued)]


def _by_day(entry: Entry, start: datetime, end: datetime, monday: date) -> list[Entry]:
    found = []
    day = start.date()
    while day <= end.date():
        place = (day - monday).days
        begins = start.hour * 60 + start.minute if day == start.date() else 0
        ends = end.hour * 60 + end.minute if day == end.date() else MINUTES
        continued = day != start.date()
        if 0 <= place <= 6 and not (continued and ends == 0):
            found.append(replace(entry, day=place, start=begins, end=max(ends, begins), continued=continued))
        day += DAY
    return found


def _columns(entries: list[Entry]) -> list[Entry]:
    """Give overlapping entries columns of their own."""
    placed: list[Entry] = []
    cluster: list[Entry] = []
    cluster_end = 0
    for entry in sorted(entries, key=lambda entry: (entry.start, -entry.end, entry.name)):
        if cluster and entry.start >= cluster_end:
            placed += _closed(cluster)
            cluster = []
            cluster_end = 0
        busy = {other.column for other in cluster if _drawn_end(other) > entry.start}
        free = next(column for column in range(len(cluster) + 1) if column not in busy)
        cluster.append(replace(entry, column=free))
        cluster_end = max(cluster_end, _drawn_end(entry))
    return placed + _closed(cluster)


def _closed(cluster: list[Entry]) -> list[Entry]:
    columns = max((entry.column for entry in cluster), default=0) + 1
    return [replace(entry, columns=columns) for entry in cluster]


def _drawn_end(entry: Entry) -> int:
    return max(entry.end, entry.start + LEAST_MINUTES)


def utc_text(local: str, zone: ZoneInfo) -> str:
    """A date-time of a form (`2026-12-01T10:00`) in a zone as EspoCRM takes it. Raises `ValueError`."""
    moment = datetime.fromisoformat(local).replace(tzinfo=zone).astimezone(UTC)
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")


def form_text(stored: object, zone: ZoneInfo) -> str:
    """A stored date-time as a form shows it; empty if there is none."""
    moment = parse(str(stored or ""))
    if moment is None:
        return ""
    return moment.astimezone(zone).replace(tzinfo=None).isoformat(timespec="minutes")


def bounds(monday: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The instants between which a week lies."""
    start = datetime.combine(monday, time.min, zone)
    end = datetime.combine(monday + 7 * DAY, time.min, zone)
    return start.astimezone(UTC), end.astimezone(UTC)
