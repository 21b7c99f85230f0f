"""One week of a mailbox as the page draws it: which block lies where. No HTML, no HTTP.

Places are percentages of a day's height and a column's width; overlapping events share the width.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from calsync_plugin.sandbox.outlook import ids, recurrence
from calsync_plugin.sandbox.outlook.content import html_to_text
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import Item, Mailbox
from calsync_plugin.sandbox.outlook.views import in_window
from calsync_plugin.sandbox.outlook.wire import Json
from calsync_plugin.sandbox.outlook.zones import to_local, to_utc

DAYS = 7
_DAY_MINUTES = 24 * 60
_SHORTEST_MINUTES = 30
_BLOB = "________________________________________________________________________________"


@dataclass(frozen=True, slots=True)
class Block:
    """An event, or the part of it on one day, in the hour grid or in the all-day lane."""

    id: str
    item: Item
    column: int
    span: int
    top: float
    height: float
    left: float
    width: float
    row: int
    label: str
    look: str
    details: Json


@dataclass(frozen=True, slots=True)
class Week:
    """A week from Monday on, in one time zone."""

    first: date
    zone: str
    timed: tuple[tuple[Block, ...], ...]
    whole_days: tuple[Block, ...]
    lanes: int
    today: int | None
    now: float

    @property
    def days(self) -> list[date]:
        """The seven days."""
        return [self.first + timedelta(days=number) for number in range(DAYS)]

    @property
    def is_empty(self) -> bool:
        """Whether nothing lies in the week."""
        return not self.whole_days and not any(self.timed)

    @property
    def title(self) -> str:
        """The week in words, naming a month or year twice only if it changes."""
        last = self.days[-1]
        begins = f"{self.first.day}"
        if self.first.month != last.month:
            begins += f"{self.first: %B}"
        if self.first.year != last.year:
            begins += f"{self.first: %Y}"
        return f"{begins} \N{EN DASH} {last.day}{last: %B %Y}"


def monday(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def build(sim: Simulator, mailbox: Mailbox, first: date, zone: str) -> Week:
    """Lay out the week that begins on `first`; expects the state's lock."""
    starts = to_utc(datetime.combine(first, time()), zone)
    ends = to_utc(datetime.combine(first + timedelta(days=DAYS), time()), zone)
    margin = timedelta(days=1)
    timed: list[list[Block]] = [[] for _ in range(DAYS)]
    whole: list[Block] = []
    for calendar in mailbox.calendars.values():
        for item in in_window(sim, mailbox, calendar, starts - margin, ends + margin):
            _place(mailbox, item, first, zone, timed, whole)
    here = to_local(sim.now(), zone)
    offset = (here.date() - first).days
    lanes = _stack(whole)
    return Week(
        first=first,
        zone=zone,
        timed=tuple(tuple(_side_by_side(column)) for column in timed),
        whole_days=tuple(lanes),
        lanes=max((block.row + 1 for block in lanes), default=1),
        today=offset if 0 <= offset < DAYS else None,
        now=100 * (here.hour * 60 + here.minute) / _DAY_MINUTES,
    )


def _place(
    mailbox: Mailbox, item: Item, first: date, zone: str, timed: list[list[Block]], whole: list[Block]
) -> None:
    start = item.start if item.all_day else to_local(item.starts, zone)
    end = item.end if item.all_day else to_local(item.ends, zone)
    details = describe(mailbox, item, start, end)
    made = Block(
        ids.immutable_id(mailbox.number, item.day, item.number),
        item,
        0,
        1,
        0,
        0,
        0,
        100,
        0,
        "",
        look_of(item),
        details,
    )
    if item.all_day or end - start >= timedelta(days=1):
        last = end.date() - timedelta(days=1) if end.time() == time() else end.date()
        column, until = max(0, (start.date() - first).days), min(DAYS - 1, (last - first).days)
        if column < DAYS and until >= 0:
            label = "" if item.all_day else f"{start:%H:%M} "
            whole.append(replace(made, column=column, span=until - column + 1, label=label))
        return
    for number in range(DAYS):
        midnight = datetime.combine(first + timedelta(days=number), time())
        begins = max(0.0, (start - midnight).total_seconds() / 60)
        stops = min(float(_DAY_MINUTES), (end - midnight).total_seconds() / 60)
        if stops < begins or begins >= _DAY_MINUTES or (stops == begins and start.date() != midnight.date()):
            continue
        if stops == 0:
            continue
        length = max(stops - begins, _SHORTEST_MINUTES)
        begins = min(begins, _DAY_MINUTES - length)
        label = f"{start:%H:%M} \N{EN DASH} {end:%H:%M}"
        top, height = 100 * begins / _DAY_MINUTES, 100 * length / _DAY_MINUTES
        timed[number].append(replace(made, column=number, top=top, height=height, label=label))


def look_of(item: Item) -> str:
    """Return the classes that show an event's state."""
    words = [f"show-{item.show_as}"]
    if item.cancelled:
        words.append("cancelled")
    if not item.is_organizer and item.response in {"none", "notResponded"}:
        words.append("unanswered")
    if item.sensitivity == "private":
        words.append("private")
    return " ".join(words)


def _side_by_side(blocks: Iterable[Block]) -> list[Block]:
    """Share the column's width among events that overlap."""
    placed: list[Block] = []
    cluster: list[tuple[Block, int]] = []
    reach = -1.0

    def settle() -> None:
        count = max((lane + 1 for _, lane in cluster), default=1)
        placed.extend(replace(block, left=100 * lane / count, width=100 / count) for block, lane in cluster)

    for block in sorted(blocks, key=lambda one: (one.top, -one.height, one.item.number)):
        if block.top >= reach - 1e-6 and cluster:
            settle()
            cluster = []
        taken = {lane for other, lane in cluster if other.top + other.height > block.top + 1e-6}
        lane = next(number for number in range(len(cluster) + 1) if number not in taken)
        cluster.append((block, lane))
        reach = max(reach, block.top + block.height) if len(cluster) > 1 else block.top + block.height
    settle()
    return placed


def _stack(blocks: list[Block]) -> list[Block]:
    """Give events that last whole days a row each, the first that is free."""
    rows: list[int] = []
    placed = []
    for block in sorted(blocks, key=lambda one: (one.column, -one.span, one.item.number)):
        row = next((number for number, free in enumerate(rows) if free <= block.column), len(rows))
        if row == len(rows):
            rows.append(0)
        rows[row] = block.column + block.span
        placed.append(replace(block, row=row))
    return placed


def describe(mailbox: Mailbox, item: Item, start: datetime, end: datetime) -> Json:
    """Return what the event's dialog shows and edits."""
    master = mailbox.items[item.number] if item.day else item
    series = master.recurrence
    people = [
        {
            "name": person["emailAddress"]["name"],
            "address": person["emailAddress"]["address"],
            "response": person["status"]["response"],
        }
        for person in item.attendees
    ]
    return {
        "id": ids.immutable_id(mailbox.number, item.day, item.number),
        "subject": item.subject,
        "allDay": item.all_day,
        "start": f"{start:%Y-%m-%dT%H:%M}",
        "end": f"{end - timedelta(days=1) if item.all_day else end:%Y-%m-%dT%H:%M}",
        "location": "; ".join(place["displayName"] for place in item.locations),
        "description": description_of(item),
        "attendees": people,
        "organizer": item.organizer["emailAddress"],
        "isOrganizer": item.is_organizer,
        "response": item.response,
        "cancelled": item.cancelled,
        "joinUrl": item.join_url or "",
        "showAs": item.show_as,
        "sensitivity": item.sensitivity,
        "calendar": mailbox.calendars[master.folder].id,
        "inSeries": bool(series) and bool(item.day),
        "repeats": recurrence.describe(series) if series else "",
    }


def description_of(item: Item) -> str:
    """Return an event's description as text, without the meeting blob."""
    text = item.content if item.content_type == "text" else html_to_text(item.content)
    return text.split(_BLOB, 1)[0].strip()


def default_span(sim: Simulator, first: date, zone: str) -> tuple[datetime, datetime]:
    """Return the hour that a new event proposes: the next full one if the week is this one, else Monday at
    nine.
    """
    here = to_local(sim.now().astimezone(UTC), zone)
    if first <= here.date() < first + timedelta(days=DAYS):
        start = here.replace(minute=0, second=0, microsecond=0, tzinfo=None) + timedelta(hours=1)
    else:
        start = datetime.combine(first, time(9))
    return start, start + timedelta(hours=1)
