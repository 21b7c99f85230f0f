"""One VEVENT: its lines read into values that can be reckoned with, or refused as broken.

Decides what makes an event unusable, and what is only a slip: a time without a zone, an end that is a day and
not an instant, an exception that cannot be read. Knows no series.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import Any

from icalendar import Event

from calsync_plugin.domain.meeting import ShowAs
from calsync_plugin.feeds.lines import Component
from calsync_plugin.feeds.refusals import refusal
from calsync_plugin.feeds.zones import Zones

BROKEN = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, OSError, RecursionError)
"""What the libraries raise for an event that makes no sense."""

_SLIPS = frozenset({"EXDATE", "RDATE", "SEQUENCE"})
_SHOWN = {
    "FREE": ShowAs.FREE,
    "TENTATIVE": ShowAs.TENTATIVE,
    "BUSY": ShowAs.BUSY,
    "OOF": ShowAs.OOF,
    "WORKINGELSEWHERE": ShowAs.WORKING_ELSEWHERE,
}
_LONGEST_UID = 160
Day = timedelta(days=1)


def event_of(component: Component, zones: Zones) -> Any:
    """The event as the library has it, a zone at every time. Raises one of BROKEN, or FeedError."""
    component.lines = [(name, zones.readable(line)) for name, line in component.lines]
    event: Any = Event.from_ical(component.text())
    for name, _what in event.errors:
        if name not in _SLIPS:
            raise ValueError(name)
        event.pop(name, None)
    for name in ("DTSTART", "DTEND", "RECURRENCE-ID"):
        if name in event:
            event[name].dt = _settled(event[name].dt, zones)
    for name in ("RDATE", "EXDATE"):
        for dates in _listed(event, name):
            for one in dates.dts:
                one.dt = _settled(one.dt, zones)
    start, end = event["DTSTART"].dt, event["DTEND"].dt if "DTEND" in event else None
    if end is not None and isinstance(start, datetime) == isinstance(end, datetime) and end < start:
        raise ValueError("DTEND")
    for rule in _listed(event, "RRULE"):
        _check(rule, start)
    return event


def uid_of(component: Component) -> str:
    """The event's id in its calendar, made fit to be stored; one that has none is known by its lines."""
    line = next((line for name, line in component.lines if name == "UID"), "")
    uid = line.partition(":")[2].strip()
    if not uid:
        return sha256("\n".join(line for _name, line in component.lines).encode()).hexdigest()
    if len(uid) > _LONGEST_UID or not uid.isprintable():
        return sha256(uid.encode()).hexdigest()
    return uid


def shown_as(event: Any, *, declined: bool) -> ShowAs | None:
    """How the event is shown; None if it is cancelled. Outlook's own word goes before the general ones."""
    status = str(event.get("STATUS", "")).strip().upper()
    if status == "CANCELLED":
        return None
    if declined:
        return ShowAs.FREE
    outlook = _SHOWN.get(str(event.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).strip().upper())
    if outlook is not None:
        return outlook
    if str(event.get("TRANSP", "")).strip().upper() == "TRANSPARENT":
        return ShowAs.FREE
    return ShowAs.TENTATIVE if status == "TENTATIVE" else ShowAs.BUSY


def recurs(component: Component) -> bool:
    """Whether the event has more dates than its own, or is another's date."""
    return component.has("RRULE", "RDATE", "RECURRENCE-ID")


def exact_end(event: Any, start: datetime, end: datetime) -> datetime:
    """The end of an event that says how long it lasts: hours are hours, also in the nights of a change."""
    duration = event["DURATION"].dt if "DURATION" in event and "DTEND" not in event else None
    if duration is None or end - start != duration:
        return end
    rest = duration % Day
    return ((start + (duration - rest)).astimezone(UTC) + rest) if rest else end


def _listed(event: Any, name: str) -> list[Any]:
    found = event.get(name, [])
    return found if isinstance(found, list) else [found]


def _settled(value: Any, zones: Zones) -> Any:
    """A day, an instant in its zone, or a period of such."""
    if isinstance(value, tuple):
        return tuple(_settled(part, zones) for part in value)
    return zones.settled(value) if isinstance(value, datetime) else value


def _check(rule: Any, start: date) -> None:
    """Refuse a rule that never moves on, and settle when it ends, which many files say in another form."""
    if "FREQ" not in rule or any(interval < 1 for interval in rule.get("INTERVAL", [1])):
        raise ValueError("RRULE")
    if "SECONDLY" in (str(frequency).upper() for frequency in rule["FREQ"]):
        # No appointment recurs by the second, and the dates of one day alone are too many.
        raise refusal("too_many_events")
    if "UNTIL" in rule:
        (until,) = rule["UNTIL"]
        if not isinstance(start, datetime):
            until = until.date() if isinstance(until, datetime) else until
        elif isinstance(until, datetime):
            until = _until_in(start, until)
        else:
            until = datetime.combine(until, time.max.replace(microsecond=0), start.tzinfo).astimezone(UTC)
        rule["UNTIL"] = [until]


def _until_in(start: datetime, until: datetime) -> datetime:
    return (until if until.tzinfo else until.replace(tzinfo=start.tzinfo)).astimezone(UTC)
