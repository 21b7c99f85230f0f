"""When a mailbox's owner works, as Outlook tells it and as the store keeps it. Pure.

Decides what can be believed: hours without days, without times or in a zone that nobody knows are none.
Source: Graph docs, workingHours resource type.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time

from calsync_plugin.domain.availability import WorkingHours
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.graph import zones

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

StoredHours = dict[str, JsonValue]
"""`{"days": [0, 1, 2, 3, 4], "start": "08:00", "end": "17:00", "zone": "Europe/Berlin"}`; Monday is 0."""


def read_working_hours(told: object, *, zone: str = "") -> StoredHours | None:
    """Return the working hours of mailbox settings or a schedule as they are stored; None if they are none.

    `zone` is the mailbox's own: it stands in for hours whose zone is a custom one.
    """
    if not isinstance(told, Mapping):
        return None
    days = told.get("daysOfWeek")
    named = {str(day).lower() for day in days} if isinstance(days, list) else set()
    numbers: list[JsonValue] = [number for number, day in enumerate(_DAYS) if day in named]
    start, end = _time(told.get("startTime")), _time(told.get("endTime"))
    of_hours = told.get("timeZone")
    own = of_hours.get("name") if isinstance(of_hours, Mapping) else None
    known = (zones.iana(own) if isinstance(own, str) else "") or zones.iana(zone)
    if not numbers or start is None or end is None or not known:
        return None
    return {
        "days": numbers,
        "start": start.isoformat("minutes"),
        "end": end.isoformat("minutes"),
        "zone": known,
    }


def working_hours(stored: object) -> WorkingHours | None:
    """Return stored working hours to reckon with; None for none, and for what cannot be read."""
    if not isinstance(stored, Mapping):
        return None
    days, zone = stored.get("days"), stored.get("zone")
    start, end = _time(stored.get("start")), _time(stored.get("end"))
    rules = zones.rules(zone) if isinstance(zone, str) and zone else None
    weekdays = frozenset(day for day in days if type(day) is int) if isinstance(days, list) else frozenset()
    if rules is None or start is None or end is None or not weekdays <= frozenset(range(7)) or not weekdays:
        return None
    return WorkingHours(zone=rules, weekdays=weekdays, start=start, end=end)


def _time(value: object) -> time | None:
    """Return the time of a clock on the wall, to the minute."""
    try:
        told = time.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return None if told is None else told.replace(second=0, microsecond=0, tzinfo=None)
