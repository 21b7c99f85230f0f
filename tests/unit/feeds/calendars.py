"""Calendars for tests, and what they say in a form that can be read."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from calsync_plugin.domain.availability import Block, Interval

NEW_YORK, BERLIN = "America/New_York", "Europe/Berlin"


def calendar(*lines: str, head: str = "") -> bytes:
    """A file of one calendar; each of the lines may be several."""
    body = "\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//t//t//EN", head, *lines, "END:VCALENDAR"))
    return "".join(f"{line.strip()}\r\n" for line in body.splitlines() if line.strip()).encode()


def event(*lines: str, uid: str = "one") -> str:
    """An event."""
    return "\n".join(("BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT"))


def window(first: str, last: str, zone: str = "UTC") -> Interval:
    """From the first midnight to the last one by the clock of a zone."""
    start, end = (datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)) for day in (first, last))
    return int(start.timestamp()), int(end.timestamp())


def said(block: Block, zone: str) -> str:
    """When a block is by the clock on the wall; days of the calendar's own zone are only days."""
    own = ZoneInfo("UTC" if block.whole_days else zone)
    start, end = (datetime.fromtimestamp(second, UTC).astimezone(own) for second in (block.start, block.end))
    if block.whole_days:
        return f"{start:%Y-%m-%d} to {end:%Y-%m-%d}"
    last = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{start:%Y-%m-%d %H:%M}-{last}"
