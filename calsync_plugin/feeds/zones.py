"""Which time zone a name in a calendar means.

Decides that a known name (IANA, Windows) is that zone whatever the file says of it; that another one is what
the file describes; and that times in a zone which neither knows are times of the calendar's own zone.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from icalendar import Timezone
from icalendar.timezone import tzp

from calsync_plugin.feeds.lines import Component

_TZID = re.compile(r";TZID=(\"[^\"]*\"|[^;:]*)", re.IGNORECASE)
_NO_ZONE = (ValueError, TypeError, LookupError, AttributeError, OSError)
"""What the zone database and the readers of zones raise; a name may be a path or a folder."""


def zone_named(name: str) -> tzinfo | None:
    """The zone of an IANA name; None if there is none."""
    if name.upper() in ("UTC", "ETC/UTC", "Z"):
        return UTC
    try:
        return ZoneInfo(name)
    except _NO_ZONE:
        return None


class Zones:
    """The zones of one calendar. Forgets those of the one before: names of zones count within a calendar."""

    def __init__(self, described: Iterable[Component], own: tzinfo) -> None:
        """Take the calendar's VTIMEZONEs, and the zone of times that name none."""
        self._own = own
        self._known: dict[str, bool] = {}
        tzp.use_zoneinfo()
        for component in described:
            self._learn(component)

    def _learn(self, component: Component) -> None:
        name = next((line.partition(":")[2].strip() for _name, line in component.lines), "")
        if name and not self._knows(name):
            self._known.pop(name)
            try:
                # Reading it to its end makes it known under its name.
                Timezone.from_ical(component.text())
            except _NO_ZONE:
                return

    def _knows(self, name: str) -> bool:
        if name not in self._known:
            try:
                with warnings.catch_warnings():
                    # /freeassociation.sourceforge.net/Europe/Berlin is a guess, and a good one.
                    warnings.simplefilter("ignore")
                    self._known[name] = tzp.timezone(name) is not None
            except _NO_ZONE:
                self._known[name] = False
        return self._known[name]

    def readable(self, line: str) -> str:
        """A line of a file without the name of a zone that nobody knows."""
        match = _TZID.search(line.partition(":")[0] + ":") if '"' not in line else _TZID.search(line)
        if match is None or self._knows(match[1].strip('"')):
            return line
        return line[: match.start()] + line[match.end() :]

    def settled(self, moment: datetime) -> datetime:
        """A moment in its zone; in the calendar's own, if it has none."""
        return moment.replace(tzinfo=self._own) if moment.tzinfo is None else moment
