"""Time zones as Exchange names them: Windows names, the IANA names it also takes, and UTC.

Source: Graph docs, dateTimeTimeZone resource type; Windows names from the CLDR table that tzlocal carries.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import tz_win, win_tz

from calsync_plugin.sandbox.outlook.wire import GraphError

_UTC_NAMES = {"utc", "etc/utc", "etc/gmt", "gmt", "coordinated universal time", "tzone://microsoft/utc"}
_WINDOWS = {name.lower(): iana for name, iana in win_tz.items()}
_IANA = {name.lower(): name for name in tz_win}


@lru_cache(maxsize=1024)
def zone(name: str) -> tzinfo:
    """Return the zone of a Windows or IANA name; GraphError 400 TimeZoneNotSupportedException otherwise."""
    key = name.strip().lower()
    if key in _UTC_NAMES:
        return UTC
    iana = _WINDOWS.get(key) or _IANA.get(key)
    if not iana:
        message = f"A valid TimeZone value must be specified. The value '{name}' is not supported."
        raise GraphError(400, "TimeZoneNotSupportedException", message)
    return ZoneInfo(iana)


def to_utc(local: datetime, name: str) -> datetime:
    """Return the instant of a naive local time in a named zone."""
    found = zone(name)
    if found is UTC:
        return local.replace(tzinfo=UTC)
    return local.replace(tzinfo=found).astimezone(UTC)


def to_local(instant: datetime, name: str) -> datetime:
    """Return the naive local time of an instant in a named zone."""
    return instant.astimezone(zone(name)).replace(tzinfo=None)


def windows_names() -> list[str]:
    """Return every Windows zone name, UTC included."""
    return sorted({*win_tz, "UTC"})


def iana_names() -> list[str]:
    """Return every IANA zone name that a mailbox takes."""
    return sorted(tz_win)
