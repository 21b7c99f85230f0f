"""What a change of a series master does to its days and exceptions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from calsync_plugin.sandbox.outlook import recurrence
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import Item

_HORIZON = timedelta(days=1825)
_INHERITED = frozenset((
    "subject", "content", "content_type", "preview", "importance", "sensitivity", "show_as",
    "locations", "attendees", "categories", "reminder_on", "reminder_minutes", "online",
    "online_provider", "join_url", "hide_attendees", "cancelled",
))  # fmt: skip


def days_of(master: Item) -> set[int]:
    """Return the days of a series over the five years that a calendar view can span."""
    if master.recurrence is None:
        return set(master.exceptions)
    near = recurrence.days(master, master.start.date(), (master.start + _HORIZON).date())
    return (set(near) - set(master.cancelled_days)) | set(master.exceptions)


def keep_days_true(sim: Simulator, master: Item, old_days: set[int], changed: Iterable[str]) -> None:
    """Move the range with the start, drop exceptions of a changed pattern, remember days that are gone for
    delta.
    """
    names = set(changed)
    if "start" in names and "recurrence" not in names and master.recurrence is not None:
        limits = {**master.recurrence["range"], "startDate": master.start.date().isoformat()}
        master.recurrence = {**master.recurrence, "range": limits}
    if names & {"recurrence", "start", "start_zone"}:
        if "recurrence" in names and sim.switches.recurrence_change_drops_exceptions:
            master.exceptions, master.cancelled_days = {}, []
        present = days_of(master)
        sequence = sim.state.sequence + 1
        for day in old_days - present:
            master.vanished[day] = sequence
        for day in present:
            master.vanished.pop(day, None)


def pass_on_to_exceptions(master: Item, before: dict[str, Any], changed: Iterable[str]) -> None:
    """Give exceptions a new value of their master wherever they had the old one."""
    for name in _INHERITED.intersection(changed):
        for exception in master.exceptions.values():
            if getattr(exception, name) == before.get(name):
                setattr(exception, name, getattr(master, name))
                exception.key = master.key
