"""`/api/v1/slots`: free times of users and of booking calendars, for programs.

Decides how a question for slots is written, who may ask it, and how the answer reads in JSON: who is no
administrator chooses neither another duration than a booking calendar's, nor times beside its steps. Which
times are free, and for whom, is decided in `booking.slots`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request

from calsync_plugin.booking.availability import MOST_USERS
from calsync_plugin.booking.features import Feature
from calsync_plugin.booking.slots import Fitting, FoundSlots, SlotQuery
from calsync_plugin.domain.availability import Interval
from calsync_plugin.domain.slots import Mode
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import SettingsError
from calsync_plugin.hookspecs import Caller
from calsync_plugin.state import BookingCalendar, CalendarKind
from calsync_plugin.web import api_calls, api_people, api_times, api_values
from calsync_plugin.web.api_availability import age, asked_window, asked_zone, fresh

Answer = Response | tuple[Response, int]
MINUTE = 60
MOST_SLOTS = 2000
BOUNDS: Mapping[str, tuple[int, int]] = {
    "duration": (1, 1440),
    "step": (5, 1440),
    "before": (0, 480),
    "after": (0, 480),
    "notice": (0, 43_200),
}
"""Least and most, in minutes."""
MOST_A_DAY = 100
ASKED = ("users", "calendar", "user", "mode", *BOUNDS, "daily_limit", "zone")
"""The names of a question, in a query as well as in a body."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that the caller may ask, and whom it is about."""

    query: SlotQuery
    users: tuple[str, ...]
    zone: str
    """In which the answer is given, empty for UTC."""


def about_slots(pages: Blueprint, calsync: Calsync) -> None:
    """Add the address of slots."""

    @pages.get("/slots")
    def slots() -> Answer:
        caller = api_calls.caller(calsync)
        api_values.nothing_else_asked(*ASKED, "from", "to", "fresh", "limit")
        named = {**request.args.to_dict(), "users": api_people.named() if "users" in request.args else None}
        window, at_once = asked_window(), fresh()
        limit = api_calls.number("limit", 200, largest=MOST_SLOTS)
        asked = question(calsync, caller, named, window, asked_zone())
        found = calsync.desk.slots.find(asked.query, fresh=at_once, limit=limit + 1)
        if len(found.lacking) == len(asked.users):
            return jsonify(error="none of them can be booked now", lacking=_lacking(found)), 409
        return jsonify(_found(found, window, limit, asked.zone, calsync.clock.now()))


def question(
    calsync: Calsync, caller: Caller, values: Mapping[str, Any], window: Interval, zone: str
) -> Asked:
    """What is asked for, of whom; 400, 403 or 404 for what cannot be asked."""
    calendar_id = api_values.identity("calendar", values.get("calendar"))
    users = [] if values.get("users") is None else _named(values["users"])
    if bool(users) is bool(calendar_id):
        abort(400, "name users, or a booking calendar by calendar, not both")
    mode = values.get("mode")
    if mode not in (None, ""):
        mode = api_values.one_of("mode", mode, [one.value for one in Mode])
    limit = values.get("daily_limit")
    query = SlotQuery(
        window=window,
        users=tuple(users),
        calendar_id=calendar_id,
        mode=Mode(mode) if mode else None,
        daily_limit=None
        if limit is None
        else api_values.whole("daily_limit", limit, least=1, most=MOST_A_DAY),
        zone=zone,
        asked_user=api_values.identity("user", values.get("user")),
        **{name: _minutes(name, values.get(name), *bounds) for name, bounds in BOUNDS.items()},
    )
    calendar = visible_calendar(calsync, caller, calendar_id) if calendar_id else None
    if calendar is None:
        api_people.let(calsync, caller, users)
        api_people.known(calsync, users)
    for feature in (Feature.BOOKINGS, Feature.AVAILABILITY):
        api_people.enabled(calsync, caller, sorted(calendar.members) if calendar else users, feature)
    try:
        fitting = calsync.desk.slots.fit(query)
    except SettingsError as error:
        # No other question about this calendar would be answered.
        never = calendar is not None and (calendar.kind is CalendarKind.EVENT or not calendar.members)
        abort(409 if never else 400, str(error))
    if calendar and not caller.admin:
        _as_ruled(fitting)
    return Asked(query, fitting.users, zone)


def slots_in_json(found: Iterable[tuple[int, int, Sequence[str]]], zone: str) -> list[dict[str, Any]]:
    """Slots: start, end and users of each."""
    return [
        {"from": api_times.written(start, zone), "to": api_times.written(end, zone), "users": list(users)}
        for start, end, users in found
    ]


def _named(value: object) -> list[str]:
    return api_people.each_once(api_values.identities("users", value, most=MOST_USERS))


def _minutes(name: str, value: object, least: int, most: int) -> int | None:
    return None if value is None else MINUTE * api_values.whole(name, value, least=least, most=most)


def _as_ruled(fitting: Fitting) -> None:
    """403 for lengths and times that a booking calendar does not offer."""
    rules, wanted = fitting.rules, fitting.wanted
    if wanted.duration != rules.duration * MINUTE:
        abort(403, f"duration: {rules.duration} here; only an administrator may choose another one")
    if wanted.step % (rules.step * MINUTE):
        abort(403, f"step: a multiple of {rules.step} here; only an administrator may choose another one")


def visible_calendar(calsync: Calsync, caller: Caller, calendar_id: str) -> BookingCalendar:
    """A booking calendar that the caller may see: 403 or 404 for another."""
    found = calsync.store.booking_calendars.get(calendar_id)
    if not caller.admin and (found is None or caller.user_id not in found.members):
        abort(403, "you are no member of this booking calendar")
    if found is None:
        abort(404, "there is no such booking calendar")
    return found


def _found(found: FoundSlots, window: Interval, limit: int, zone: str, now: float) -> dict[str, Any]:
    wanted = found.fitting.wanted
    times = [(slot.start, slot.end, slot.user_ids) for slot in found.slots[:limit]]
    return {
        "from": api_times.written(window[0], zone),
        "to": api_times.written(window[1], zone),
        "mode": wanted.mode.value,
        "duration": wanted.duration // MINUTE,
        "step": wanted.step // MINUTE,
        "zone": found.fitting.zone,
        "slots": slots_in_json(times, zone),
        "more": len(found.slots) > limit,
        "lacking": _lacking(found),
        "problems": [{"user": one, "problems": list(texts)} for one, texts in sorted(found.problems.items())],
        "read_at": api_times.iso(found.read_at, zone) if found.read_at else None,
        "age_seconds": age(found.read_at, now),
        "stale": found.stale,
    }


def _lacking(found: FoundSlots) -> list[dict[str, str]]:
    return [{"user": user_id, "reason": reason} for user_id, reason in sorted(found.lacking.items())]
