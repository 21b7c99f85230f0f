"""Series: from a pattern and a range to days, and from a day to the occurrence that lies there.

Days are counted in the series' own local time, so that an occurrence keeps its wall-clock time over a
change of daylight saving. Source: Graph docs, recurrencePattern and recurrenceRange resource types.
"""

from __future__ import annotations

import calendar as calendar_names
from copy import copy
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

from dateutil import rrule

from calsync_plugin.sandbox.outlook.odata_types import choice, integer, invalid, mapping, sequence, text
from calsync_plugin.sandbox.outlook.state import Item
from calsync_plugin.sandbox.outlook.wire import Json
from calsync_plugin.sandbox.outlook.zones import to_utc, zone

DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
PATTERNS = ("daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly")
RANGES = ("endDate", "noEnd", "numbered")
INDEXES = ("first", "second", "third", "fourth", "last")
_RULE_DAYS = dict(
    zip(DAYS, (rrule.SU, rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA), strict=True)
)
_LONGEST_MONTH = 31
# What an occurrence does not have of its master.
_OWN = frozenset(("start", "end", "originalStart", "recurrence", "id", "iCalUId", "seriesMasterId", "type"))
_SEARCH_DAYS = 366 * 5
_LONGEST = timedelta(days=_SEARCH_DAYS)


def read(value: Any, start: datetime) -> Json | None:
    """Return a validated recurrence in Graph's spelling with its defaults; GraphError 400 if a rule is
    broken.
    """
    if value is None:
        return None
    body = mapping(value, "recurrence")
    return {
        "pattern": _pattern(mapping(body.get("pattern"), "pattern")),
        "range": _range(mapping(body.get("range"), "range"), start),
    }


def _pattern(value: Json) -> Json:
    kind = choice(value.get("type"), PATTERNS, "type")
    interval = integer(value.get("interval", 0), "interval")
    if not 1 <= interval <= 999:
        raise invalid(
            "The recurrence interval has to lie between 1 and 999.", "ErrorPropertyValidationFailure"
        )
    days = [choice(day, DAYS, "daysOfWeek") for day in sequence(value.get("daysOfWeek"), "daysOfWeek")]
    month = integer(value.get("month") or 0, "month")
    day = integer(value.get("dayOfMonth") or 0, "dayOfMonth")
    if (kind == "weekly" or kind.startswith("relative")) and not days:
        raise invalid(f"A {kind} pattern needs daysOfWeek.", "ErrorPropertyValidationFailure")
    if kind.startswith("absolute") and not 1 <= day <= _LONGEST_MONTH:
        raise invalid(f"A {kind} pattern needs a dayOfMonth from 1 to 31.", "ErrorPropertyValidationFailure")
    if kind.endswith("Yearly") and not 1 <= month <= 12:
        raise invalid(f"A {kind} pattern needs a month from 1 to 12.", "ErrorPropertyValidationFailure")
    pattern: Json = {
        "type": kind,
        "interval": interval,
        "month": month,
        "dayOfMonth": day,
        "firstDayOfWeek": choice(value.get("firstDayOfWeek") or "sunday", DAYS, "firstDayOfWeek"),
        "index": choice(value.get("index") or "first", INDEXES, "index"),
    }
    if days:
        pattern["daysOfWeek"] = days
    return pattern


def _range(value: Json, start: datetime) -> Json:
    kind = choice(value.get("type"), RANGES, "type")
    first = _day(value.get("startDate") or start.date().isoformat(), "startDate")
    if first != start.date():
        raise invalid(
            "The recurrence range has to start on the date of the event's start.",
            "ErrorPropertyValidationFailure",
        )
    last = _day(value["endDate"], "endDate") if value.get("endDate") else date(1, 1, 1)
    count = integer(value.get("numberOfOccurrences") or 0, "numberOfOccurrences")
    if kind == "endDate" and last < first:
        raise invalid("The recurrence ends before it starts.", "ErrorPropertyValidationFailure")
    if kind == "numbered" and not 1 <= count <= 999:
        raise invalid("A numbered recurrence needs 1 to 999 occurrences.", "ErrorPropertyValidationFailure")
    named = text(value.get("recurrenceTimeZone"), "recurrenceTimeZone")
    if named:
        zone(named)
    return {
        "type": kind,
        "startDate": first.isoformat(),
        "endDate": last.isoformat() if kind == "endDate" else "0001-01-01",
        "recurrenceTimeZone": named,
        "numberOfOccurrences": count if kind == "numbered" else 0,
    }


def _day(value: object, name: str) -> date:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise invalid(f"Cannot convert '{value}' of '{name}' to a date.", "RequestBodyRead") from None


def _rule(pattern: Json, limits: Json) -> rrule.rrule:
    kind, interval = pattern["type"], pattern["interval"]
    first = datetime.fromisoformat(limits["startDate"])
    options: dict[str, Any] = {"dtstart": first, "interval": interval}
    if limits["type"] == "numbered":
        options["count"] = limits["numberOfOccurrences"]
    elif limits["type"] == "endDate":
        options["until"] = datetime.fromisoformat(limits["endDate"])
    if kind == "daily":
        return rrule.rrule(rrule.DAILY, **options)
    days = [_RULE_DAYS[day] for day in pattern.get("daysOfWeek", ())]
    if kind == "weekly":
        return rrule.rrule(
            rrule.WEEKLY, byweekday=days, wkst=_RULE_DAYS[pattern["firstDayOfWeek"]], **options
        )
    if kind.endswith("Yearly"):
        options["bymonth"] = pattern["month"]
    frequency: Literal[0, 1] = rrule.YEARLY if kind.endswith("Yearly") else rrule.MONTHLY
    if kind.startswith("absolute"):
        # The 31st of a shorter month is its last day, as Outlook shows it.
        candidates = range(min(28, pattern["dayOfMonth"]), pattern["dayOfMonth"] + 1)
        return rrule.rrule(frequency, bymonthday=list(candidates), bysetpos=-1, **options)
    position = -1 if pattern["index"] == "last" else INDEXES.index(pattern["index"]) + 1
    return rrule.rrule(frequency, byweekday=days, bysetpos=position, **options)


def _frozen(value: Json) -> tuple[tuple[str, Any], ...]:
    return tuple(
        sorted((name, tuple(part) if isinstance(part, list) else part) for name, part in value.items())
    )


@lru_cache(maxsize=2048)
def _days(
    pattern: tuple[tuple[str, Any], ...], limits: tuple[tuple[str, Any], ...], first: int, last: int
) -> tuple[int, ...]:
    rule = _rule(dict(pattern), dict(limits))
    found = rule.between(
        datetime.combine(date.fromordinal(first), datetime.min.time()),
        datetime.combine(date.fromordinal(last), datetime.min.time()),
        inc=True,
    )
    return tuple(day.toordinal() for day in found)


def days(master: Item, first: date, last: date) -> tuple[int, ...]:
    """Return the ordinals of a series' days within two dates, cancelled ones and moved ones included."""
    if master.recurrence is None:
        return ()
    low = max(first, master.start.date()).toordinal()
    high = last.toordinal()
    if high < low:
        return ()
    return _days(_frozen(master.recurrence["pattern"]), _frozen(master.recurrence["range"]), low, high)


def occurrence_uid(uid: str, day: int) -> str:
    """Return the iCalUId of one occurrence: the series' with the date in its bytes 17 to 20, as Exchange
    writes it.
    """
    when = date.fromordinal(day)
    return f"{uid[:32]}{when.year:04X}{when.month:02X}{when.day:02X}{uid[40:]}"


def series_uid(uid: str) -> str:
    """Return the iCalUId of the series that an occurrence's names: without the date."""
    return f"{uid[:32]}00000000{uid[40:]}"


def occurrence_id(master_id: str, day: int) -> str:
    """Return the occurrenceId under which a master lists a cancelled occurrence."""
    return f"OID.{master_id}.{date.fromordinal(day).isoformat()}"


def span(master: Item, day: int) -> tuple[datetime, datetime]:
    """Return the local start and end that the pattern gives to a day."""
    start = datetime.combine(date.fromordinal(day), master.start.time())
    return start, start + (master.end - master.start)


def instants(item: Item) -> tuple[datetime, datetime]:
    """Return when an item begins and ends; an all-day item's dates are read as if in UTC."""
    if item.all_day:
        return item.start.replace(tzinfo=UTC), item.end.replace(tzinfo=UTC)
    return to_utc(item.start, item.start_zone), to_utc(item.end, item.end_zone)


def occurrence(master: Item, day: int) -> Item:
    """Return the occurrence of a day as an item of its own; the exception if that day has one."""
    known = master.exceptions.get(day)
    if known is not None:
        return known
    made = copy(master)
    made.day, made.kind = day, "occurrence"
    made.start, made.end = span(master, day)
    made.starts, made.ends = instants(made)
    made.original_start = made.starts
    made.recurrence, made.exceptions, made.cancelled_days, made.shapes = None, {}, [], []
    made.transaction_id = None
    if made.planted:
        made.planted = {name: value for name, value in made.planted.items() if name not in _OWN}
    return made


def exists(master: Item, day: int) -> bool:
    """Tell whether the series has an occurrence on that day that was not cancelled."""
    when = date.fromordinal(day)
    return day not in master.cancelled_days and bool(days(master, when, when))


def occurrences(master: Item, starts: datetime, ends: datetime) -> list[Item]:
    """Return the occurrences and exceptions that touch the span between two instants, in order."""
    reach = timedelta(days=2) + min(master.end - master.start, _LONGEST)
    near = days(master, (starts - reach).date(), (ends + timedelta(days=2)).date())
    wanted = {day for day in near if day not in master.cancelled_days} | set(master.exceptions)
    found = (occurrence(master, day) for day in sorted(wanted))
    return [item for item in found if touches(item, starts, ends)]


def touches(item: Item, starts: datetime, ends: datetime) -> bool:
    """Tell whether an item lies at least in part between two instants."""
    if item.starts == item.ends:
        return starts <= item.starts < ends
    return item.starts < ends and item.ends > starts


def neighbours(master: Item, day: int) -> tuple[date | None, date | None]:
    """Return the days on which the occurrences before and after one now start."""
    here = date.fromordinal(day)
    before = days(master, here - timedelta(days=_SEARCH_DAYS), here - timedelta(days=1))
    after = days(master, here + timedelta(days=1), here + timedelta(days=_SEARCH_DAYS))
    previous = next((item for item in reversed(before) if item not in master.cancelled_days), None)
    following = next((item for item in after if item not in master.cancelled_days), None)
    return (
        None if previous is None else occurrence(master, previous).start.date(),
        None if following is None else occurrence(master, following).start.date(),
    )


def describe(value: Json) -> str:
    """Return a recurrence in words, for the calendar page."""
    pattern, limits = value["pattern"], value["range"]
    names = ", ".join(day.title() for day in pattern.get("daysOfWeek", ()))
    every = f"Repeats {pattern['type'].replace('absolute', '').replace('relative', '').lower()}"
    if pattern["interval"] > 1:
        every += f", every {pattern['interval']}"
    if names:
        every += f" on {names}"
    if pattern["type"].endswith("Yearly"):
        every += f" in {calendar_names.month_name[pattern['month']]}"
    ending = {
        "endDate": f" until {limits['endDate']}",
        "numbered": f", {limits['numberOfOccurrences']} times",
        "noEnd": "",
    }
    return every + ending[limits["type"]]
