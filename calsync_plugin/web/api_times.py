"""Times in a call of `/api/v1`: instants, days and zones, read from a query and written into answers.

Decides that a time says its zone, by itself or by the parameter `zone`, and that a day stands for its first
moment there. Does not decide how long a window may be.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

from flask import abort

from calsync_plugin.domain.availability import Interval
from calsync_plugin.graph import zones

FIRST_YEAR, LAST_YEAR = 1970, 2199
"""No calendar is looked at outside of these, and every zone has a midnight within."""
LONGEST_ZONE = 100
_TIME = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?P<clock>[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?)?"
    # An offset whose plus sign was not encoded in an address arrives as a blank.
    r"(?P<offset>[Zz]|[+\- ][0-9]{2}:?[0-9]{2})?"
)


def zone(name: str) -> str:
    """The IANA name of the zone that is asked for, empty if none is; 400 for one that nobody knows."""
    if name and (len(name) > LONGEST_ZONE or not name.isprintable() or not zones.known(name)):
        abort(400, f"zone: {name[:LONGEST_ZONE]!r} is no time zone that is known; write Europe/Vienna or UTC")
    return zones.iana(name) if name else ""


def instant(name: str, text: str, zone_name: str) -> int:
    """The epoch second of the time called `name`; 400 for what is no time, or says no zone."""
    found = _TIME.fullmatch(text.strip())
    if found is None or (found["offset"] and not found["clock"]):
        abort(400, f"{name}: must be a time such as 2026-12-01T09:00:00Z, or a day such as 2026-12-01")
    offset = (found["offset"] or "").upper().replace(" ", "+")
    if not offset and not zone_name:
        abort(400, f"{name}: has no zone; end it in Z or an offset, or name a zone by zone=Europe/Vienna")
    clock = (found["clock"] or "T00:00")[1:]
    try:
        wall = datetime.fromisoformat(f"{found['day']}T{clock[:15]}{offset}")
    except ValueError as error:
        abort(400, f"{name}: {error}")
    if not FIRST_YEAR <= wall.year <= LAST_YEAR:
        abort(400, f"{name}: must lie in the years {FIRST_YEAR} to {LAST_YEAR}")
    moment = wall if offset else zones.instant(wall, zone_name)
    return int(moment.timestamp())


def window(start: str, end: str, zone_name: str) -> Interval:
    """What lies between `from` and `to`; 400 if either is missing or it ends before it starts."""
    for name, text in (("from", start), ("to", end)):
        if not text:
            abort(400, f"{name}: is missing; say from when to when you ask")
    first, last = instant("from", start, zone_name), instant("to", end, zone_name)
    if last <= first:
        abort(400, "to: must lie after from; a day stands for its first moment")
    return first, last


@lru_cache(maxsize=32_768)
def written(second: int, zone_name: str) -> str:
    """An epoch second as ISO 8601: in the zone that was asked for, else in UTC with Z.

    Remembered: people begin at the same quarters of an hour.
    """
    return iso(datetime.fromtimestamp(second, UTC), zone_name)


def iso(moment: datetime, zone_name: str) -> str:
    """The same for an aware datetime."""
    rules: tzinfo | None = zones.rules(zone_name) if zone_name else None
    return moment.astimezone(rules or UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
