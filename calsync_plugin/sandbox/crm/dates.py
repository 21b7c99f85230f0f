"""When an event is: what EspoCRM accepts as a date-time and how start, end and whole days depend on one
another.

All stored date-times are UTC with one second of resolution. EspoCRM 9.2.7, measured.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from calsync_plugin.sandbox.crm.clock import stored
from calsync_plugin.sandbox.crm.tables import Record

_STORED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?")
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def parse(text: str) -> datetime | None:
    """A stored date-time as an instant; None if the text is none (or has no seconds but a broken rest)."""
    if not _STORED.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None


def accept_instant(value: object) -> str | None:
    """A date-time from a request as it is set: ISO with an offset becomes UTC; without seconds it stays so.

    None if it is not valid: any fraction of a second, a `T` without offset, a mere day, anything but text.
    """
    if not isinstance(value, str):
        return None
    if _ISO.fullmatch(value):
        try:
            return stored(datetime.fromisoformat(value))
        except (ValueError, OverflowError):
            return None
    return value if parse(value) else None


def accept_day(value: object) -> str | None:
    """A whole day from a request, `YYYY-MM-DD`; None if it is not valid."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        return None


def midnight(day: str, zone: ZoneInfo, *, days_later: int = 0) -> str:
    """The start of a day (or of a later one) in the server's `timeZone` setting, as a stored UTC"
    " date-time."""
    try:
        start = datetime.combine(date.fromisoformat(day) + timedelta(days=days_later), time.min, zone)
        return stored(start)
    except OverflowError:
        return f"{day} 00:00:00"


def with_seconds(value: object) -> object:
    """What the database makes of a date-time without seconds."""
    return f"{value}:00" if isinstance(value, str) and len(value) == len("2026-12-01 10:00") else value


def settle(values: Record, before: Record, zone: ZoneInfo, *, whole_days: bool) -> None:
    """Add to `values` the date-times that follow from them: in place.

    Days override date-times, also those of a record that is saved for another reason. The end day is
    inclusive in `dateEndDate` and exclusive in `dateEnd`. A new start alone moves the end along.
    """
    present = {**before, **values}
    if whole_days and present.get("dateStartDate"):
        values["dateStart"] = midnight(present["dateStartDate"], zone)
    if whole_days and present.get("dateEndDate"):
        values["dateEnd"] = midnight(present["dateEndDate"], zone, days_later=1)
    elif "dateStart" in values and "dateEnd" not in values:
        moved = _moved_end(values["dateStart"], before)
        if moved:
            values["dateEnd"] = moved


def _moved_end(start: object, before: Record) -> str | None:
    old_start, old_end, new_start = (
        parse(value) if isinstance(value, str) else None
        for value in (before.get("dateStart"), before.get("dateEnd"), start)
    )
    if not (old_start and old_end and new_start):
        return None
    try:
        return stored(new_start + (old_end - old_start))
    except OverflowError:
        return None


def duration(row: Record) -> int | None:
    """Seconds from start to end, negative if the end comes first; None without an end."""
    start, end = (
        parse(value) if isinstance(value, str) else None
        for value in (row.get("dateStart"), row.get("dateEnd"))
    )
    return int((end - start).total_seconds()) if start and end else None
