"""What a change of a series master does to its days and exceptions, and which days were told before it.

A client that follows the changes knows the days of a series as it was; what no longer is has to be said to
be removed. So a master keeps the shapes that it had.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import replace
from datetime import datetime
from typing import Any

from calsync_plugin.sandbox.outlook import recurrence
from calsync_plugin.sandbox.outlook.odata_types import invalid
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import Item, Shape

_KEPT = 20
_MOVING = frozenset(("recurrence", "start", "start_zone", "end", "end_zone", "all_day"))
_INHERITED = frozenset((
    "subject", "content", "content_type", "preview", "importance", "sensitivity", "show_as",
    "locations", "attendees", "categories", "reminder_on", "reminder_minutes", "online",
    "online_provider", "join_url", "hide_attendees", "cancelled",
))  # fmt: skip


def shape_of(item: Item, until: int = 0) -> Shape:
    """Return what a series looks like now, to be kept if it changes."""
    return Shape(
        until=until,
        recurrence=item.recurrence,
        start=item.start,
        start_zone=item.start_zone,
        end=item.end,
        all_day=item.all_day,
        cancelled_days=tuple(item.cancelled_days),
        exceptions=tuple((day, one.starts, one.ends) for day, one in item.exceptions.items()),
    )


def moves(item: Item, before: Shape) -> bool:
    """Tell whether a series' pattern or time is another than it was."""
    now = shape_of(item)
    return (now.recurrence, now.start, now.start_zone, now.end, now.all_day) != (
        before.recurrence,
        before.start,
        before.start_zone,
        before.end,
        before.all_day,
    )


def remember(sim: Simulator, item: Item, before: Shape) -> None:
    """Keep the shape that an item had before a change, unless it still has it."""
    if before.recurrence is not None and before != shape_of(item):
        item.shapes = [*item.shapes[1 - _KEPT :], replace(before, until=sim.state.sequence + 1)]


def days_between(item: Item, since: int, starts: datetime, ends: datetime) -> set[int]:
    """Return the days of a series in a span as it is, and as it was at any time after `since`."""
    found = {one.day for one in recurrence.occurrences(item, starts, ends)} if item.recurrence else set()
    for shape in item.shapes:
        if shape.until > since:
            found |= _days_of(item, shape, starts, ends)
    return found


def _days_of(item: Item, shape: Shape, starts: datetime, ends: datetime) -> set[int]:
    was = copy(item)
    was.exceptions, was.recurrence, was.cancelled_days = {}, shape.recurrence, list(shape.cancelled_days)
    was.start, was.start_zone, was.end, was.all_day = (
        shape.start,
        shape.start_zone,
        shape.end,
        shape.all_day,
    )
    moved = {day: first < ends and last > starts for day, first, last in shape.exceptions}
    plain = {one.day for one in recurrence.occurrences(was, starts, ends)}
    return (plain - moved.keys()) | {day for day, inside in moved.items() if inside}


def check_range(item: Item, given: dict[str, Any]) -> None:
    """Refuse to move a series' start behind its end; GraphError 400."""
    if item.recurrence is None or "start" not in given or "recurrence" in given:
        return
    limits = item.recurrence["range"]
    if limits["type"] == "endDate" and given["start"].date().isoformat() > limits["endDate"]:
        raise invalid("The recurrence ends before it starts.", "ErrorPropertyValidationFailure")


def follow_master(sim: Simulator, master: Item, before: Shape, changed: Iterable[str]) -> None:
    """Bring the range and the exceptions of a master in line with its new pattern or time.

    Whether exceptions survive that is not documented: `recurrence_change_drops_exceptions`.
    """
    names = set(changed)
    if "start" in names and "recurrence" not in names and master.recurrence is not None:
        limits = {**master.recurrence["range"], "startDate": master.start.date().isoformat()}
        master.recurrence = {**master.recurrence, "range": limits}
    if names & _MOVING:
        if master.recurrence is None or sim.switches.recurrence_change_drops_exceptions:
            master.exceptions, master.cancelled_days = {}, []
        for day, exception in master.exceptions.items():
            _shift(master, day, exception)
    remember(sim, master, before)


def _shift(master: Item, day: int, exception: Item) -> None:
    """Give an exception its new original start, and the new time if it was still at the old one."""
    plain = copy(exception)
    plain.start, plain.end = recurrence.span(master, day)
    plain.start_zone, plain.end_zone, plain.all_day = master.start_zone, master.end_zone, master.all_day
    plain.starts, plain.ends = recurrence.instants(plain)
    if exception.starts == exception.original_start:
        for name in ("start", "end", "start_zone", "end_zone", "all_day", "starts", "ends"):
            setattr(exception, name, getattr(plain, name))
    exception.original_start = plain.starts


def pass_on_to_exceptions(master: Item, before: dict[str, Any], changed: Iterable[str]) -> None:
    """Give exceptions a new value of their master wherever they had the old one."""
    for name in _INHERITED.intersection(changed):
        for exception in master.exceptions.values():
            if getattr(exception, name) == before.get(name):
                setattr(exception, name, getattr(master, name))
