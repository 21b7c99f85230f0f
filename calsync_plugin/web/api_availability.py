"""`/api/v1/availability`: when users are busy, for programs.

Decides how that reads in JSON. What counts as busy, how fresh it is and what may be told is decided in
`booking`; nothing that an event says is in any answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request

from calsync_plugin.booking.availability import UserTime
from calsync_plugin.booking.features import Feature
from calsync_plugin.domain.availability import Interval
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.web import api_calls, api_people, api_times, api_values


def about_availability(pages: Blueprint, calsync: Calsync) -> None:
    """Add the address of availability."""

    @pages.get("/availability")
    def availability() -> Response:
        caller, users = api_calls.caller(calsync), api_people.named()
        api_values.nothing_else_asked("users", "from", "to", "zone", "fresh")
        zone, window, at_once = asked_zone(), asked_window(), fresh()
        api_people.check(calsync, caller, users, Feature.AVAILABILITY)
        found = calsync.desk.availability.of(users, *window, fresh=at_once)
        now = calsync.clock.now()
        return jsonify(
            **{"from": api_times.written(window[0], zone), "to": api_times.written(window[1], zone)},
            users=[_user(one, zone, now) for one in found],
        )


def asked_zone() -> str:
    """The zone that a query names, in which it asks and is answered; empty for none."""
    return api_times.zone(request.args.get("zone", ""))


def asked_window() -> Interval:
    """From when to when a query asks, in its zone."""
    return api_times.window(request.args.get("from", ""), request.args.get("to", ""), asked_zone())


def fresh() -> bool:
    """Whether Outlook is asked before the answer."""
    text = request.args.get("fresh", "false")
    if text not in ("true", "false"):
        abort(400, "fresh: must be true or false")
    return text == "true"


def spans(intervals: Iterable[Interval], zone: str) -> list[dict[str, str]]:
    """Intervals in JSON."""
    return [
        {"from": api_times.written(start, zone), "to": api_times.written(end, zone)}
        for start, end in intervals
    ]


def age(read_at: datetime | None, now: float) -> int | None:
    """Seconds since then."""
    return None if read_at is None else max(0, round(now - read_at.timestamp()))


def _user(time: UserTime, zone: str, now: float) -> dict[str, Any]:
    kinds = ({"kind": kind, "busy": spans(found, zone)} for kind, found in sorted(time.kinds.items()))
    return {
        "user": time.user_id,
        "known": time.known,
        "reason": time.reason,
        "busy": spans(time.busy, zone),
        "sources": [kind for kind in kinds if kind["busy"]],
        "working_hours": spans(time.hours, zone),
        "zone": time.zone,
        "read_at": _time(time.read_at, zone),
        "age_seconds": age(time.read_at, now),
        "fresh": time.fresh,
        "stale": time.stale,
        "problems": list(time.problems),
        "known_from": _time(time.known_from, zone),
        "known_until": _time(time.known_until, zone),
    }


def _time(moment: datetime | None, zone: str) -> str | None:
    return api_times.iso(moment, zone) if moment else None
