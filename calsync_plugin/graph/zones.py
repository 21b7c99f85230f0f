"""Time zones as Outlook names them: Windows names, IANA names, and aliases of UTC. Pure.

Decides how names map to each other and what a wall time means. Windows and IANA names come from CLDR through
tzlocal. Source: Graph docs, dateTimeTimeZone resource type.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tzlocal.windows_tz import tz_win, win_tz

_UTC_NAMES = frozenset({"utc", "etc/utc", "tzone://microsoft/utc", "coordinated universal time", "z"})
_IANA_OF_WINDOWS = {name.lower(): iana for name, iana in win_tz.items()}
_WINDOWS_NAMES = {name.lower(): name for name in win_tz}


def known(name: str) -> bool:
    """Tell whether `name` is a zone whose rules are known; a custom zone of a mailbox is not."""
    return rules(name) is not None


def wall(instant: datetime, name: str) -> datetime:
    """Return the naive wall time of an aware instant in a known zone; ValueError for an unknown one."""
    return instant.astimezone(_known_rules(name)).replace(tzinfo=None)


def instant(wall_time: datetime, name: str) -> datetime:
    """Return the UTC instant of a naive wall time in a known zone; ValueError for an unknown one.

    A wall time that the clocks skip counts with the offset before the change, so it lies as much later; one
    that they show twice is the first of the two. `unambiguous` tells such times apart.
    """
    return wall_time.replace(tzinfo=_known_rules(name), fold=0).astimezone(UTC)


def unambiguous(moment: datetime, name: str) -> bool:
    """Tell whether the wall time of an aware instant in a zone leads back to that very instant."""
    return instant(wall(moment, name), name) == moment


def iana(name: str) -> str:
    """Return the IANA name of a known zone: of a Windows name CLDR's city; empty for an unknown one."""
    key = name.strip().lower()
    if key in _UTC_NAMES:
        return "UTC"
    if key in _IANA_OF_WINDOWS:
        return _IANA_OF_WINDOWS[key]
    return name.strip() if known(name) else ""


def outlook_name(name: str) -> str:
    """Return the name under which Outlook surely takes a known zone; empty for an unknown one.

    Windows names and UTC always work; of the IANA names Graph lists only some.
    """
    key = name.strip().lower()
    if key in _UTC_NAMES:
        return "UTC"
    if key in _WINDOWS_NAMES:
        return _WINDOWS_NAMES[key]
    # tzlocal's table maps the empty name too.
    return tz_win.get(name.strip(), name.strip()) if known(name) else ""


def preferred(own: str, outlook: str) -> str:
    """Return `own` if it is the same zone for Outlook as `outlook`, else the IANA name of `outlook`.

    Outlook turns Vienna into W. Europe Standard Time, and that would come back as Berlin. Empty if neither is
    known.
    """
    if own and known(own) and outlook_name(own) == outlook_name(outlook):
        return own
    return iana(outlook)


def _known_rules(name: str) -> tzinfo:
    found = rules(name)
    if found is None:
        raise ValueError(f"unknown time zone {name!r}")
    return found


@lru_cache(maxsize=1024)
def rules(name: str) -> tzinfo | None:
    """Return what the clocks of a zone do; None for an unknown one."""
    key = name.strip().lower()
    if key in _UTC_NAMES:
        return UTC
    try:
        return ZoneInfo(_IANA_OF_WINDOWS.get(key, name.strip()))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # Not a name at all, a path, or a folder of the zone database.
        return None
