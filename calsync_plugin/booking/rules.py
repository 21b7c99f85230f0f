"""The rules of a booking calendar, as frozen values in minutes.

Decides what their stored form means; limits, wording and defaults stand in `booking_calendar.schema.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any, Literal

from calsync_plugin import bundle
from calsync_plugin.domain.availability import WorkingHours
from calsync_plugin.errors import SettingsError
from calsync_plugin.graph import zones

SCHEMA = "booking_calendar"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Which times can be booked, and what is made of a booking."""

    duration: int = 30
    step: int = 30
    before: int = 0
    after: int = 0
    notice: int = 60
    days_ahead: int = 60
    daily_limit: int = 0
    """0: any number."""
    fairness_days: int = 30
    hours: Literal["mailbox", "own"] = "mailbox"
    weekdays: tuple[str, ...] = WEEKDAYS[:5]
    start: str = "09:00"
    end: str = "17:00"
    zone: str = ""
    """IANA or Windows name; empty: the installation's."""
    entity_type: str = "Meeting"

    def own_hours(self, zone: str) -> WorkingHours | None:
        """The hours that stand in for the members' own, in the zone of this name; None if theirs count."""
        rules = zones.rules(zone)
        if self.hours == "mailbox" or rules is None:
            return None
        return WorkingHours(
            zone=rules,
            weekdays=frozenset(WEEKDAYS.index(day) for day in self.weekdays),
            start=time.fromisoformat(self.start),
            end=time.fromisoformat(self.end),
        )


def rules_of(stored: Mapping[str, object]) -> Rules:
    """The rules of their stored or posted form. SettingsError names the first that is wrong."""
    for problem in bundle.check(dict(stored), SCHEMA):
        expected = f" (expected {problem.expected})" if problem.expected else ""
        raise SettingsError(f"{problem.path}: {problem.message}{expected}")
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()
    }
    rules = Rules(**values)
    if rules.zone and not zones.known(rules.zone):
        raise SettingsError("zone: is no time zone that is known (expected a name such as Europe/Vienna)")
    return rules
