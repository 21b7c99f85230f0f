"""`/api/v1/booking-calendars`: what can be booked; administrators set it up, members read theirs.

Decides how a booking calendar reads in JSON, and that a change names the version that was read. What makes
one complete is decided in `booking.calendars`.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from flask import Blueprint, Response, abort, jsonify

from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.booking.calendars import LONGEST_NAME, MOST_MEMBERS, MOST_PRIORITY
from calsync_plugin.booking.rules import rules_of
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import SettingsError
from calsync_plugin.state import BookingCalendar, CalendarKind
from calsync_plugin.web import api_calls, api_slots, api_values

Answer = Response | tuple[Response, int]
CHANGE = "set up booking calendars"
LARGEST_VERSION = 2**31 - 1


def about_booking_calendars(pages: Blueprint, calsync: Calsync) -> None:
    """Add the addresses of booking calendars."""

    @pages.get("/booking-calendars")
    def booking_calendars() -> Answer:
        caller = api_calls.caller(calsync)
        found = calsync.desk.calendars.visible_to(caller.user_id, admin=caller.admin)
        return jsonify(calendars=[_calendar(one) for one in found])

    @pages.post("/booking-calendars")
    def add_booking_calendar() -> Answer:
        actor = api_calls.administrator(calsync, CHANGE)
        saved = calsync.desk.calendars.save(actor, _asked(versioned=False))
        answer = jsonify(_calendar(saved))
        answer.headers["Location"] = f"/api/v1/booking-calendars/{saved.id}"
        return answer, 201

    @pages.get("/booking-calendars/<calendar>")
    def booking_calendar(calendar: str) -> Answer:
        return jsonify(_calendar(api_slots.visible_calendar(calsync, api_calls.caller(calsync), calendar)))

    @pages.put("/booking-calendars/<calendar>")
    def change_booking_calendar(calendar: str) -> Answer:
        actor = api_calls.administrator(calsync, CHANGE)
        return _save(calsync, actor, replace(_asked(versioned=True), id=calendar))

    @pages.delete("/booking-calendars/<calendar>")
    def remove_booking_calendar(calendar: str) -> Answer:
        actor = api_calls.administrator(calsync, CHANGE)
        if not calsync.desk.calendars.remove(actor, calendar):
            abort(404, "there is no such booking calendar")
        return jsonify(removed=calendar)


def _asked(*, versioned: bool) -> BookingCalendar:
    """The booking calendar of the body; what it leaves out is as usual, not as it was."""
    body, names = api_calls.body(), ("name", "kind", "members", "rules")
    api_values.nothing_else(body, (*names, "version") if versioned else names)
    return BookingCalendar(
        id="",
        name=api_values.text("name", body.get("name"), longest=LONGEST_NAME, needed=True),
        kind=CalendarKind(api_values.one_of("kind", body.get("kind"), [one.value for one in CalendarKind])),
        members=_members(body.get("members")),
        rules=api_values.mapping("rules", body.get("rules")),
        version=api_values.whole("version", body.get("version"), least=1, most=LARGEST_VERSION)
        if versioned
        else 0,
    )


def _members(value: object) -> dict[str, int]:
    """Priorities by user: `[{"user": "7", "priority": 2}]`; without one it is 0."""
    rows = [] if value is None else value
    if not isinstance(rows, list) or len(rows) > MOST_MEMBERS:
        abort(400, f"members: must be a list of at most {MOST_MEMBERS}")
    found: dict[str, int] = {}
    for row in rows:
        member = api_values.mapping("members", row)
        api_values.nothing_else(member, ("user", "priority"))
        user = api_values.identity("members.user", member.get("user"))
        if not user or user in found:
            abort(400, "members: each needs a user, and each user once")
        found[user] = api_values.whole(
            "members.priority", member.get("priority", 0), least=0, most=MOST_PRIORITY
        )
    return found


def _save(calsync: Calsync, actor: Actor, wanted: BookingCalendar) -> Answer:
    """Change one that is as the caller read it: 409 if it was changed meanwhile."""
    _check_version(calsync, wanted)
    try:
        return jsonify(_calendar(calsync.desk.calendars.save(actor, wanted)))
    except SettingsError:
        # Somebody may have been faster by a moment.
        _check_version(calsync, wanted)
        raise


def _check_version(calsync: Calsync, wanted: BookingCalendar) -> None:
    now = calsync.desk.calendars.get(wanted.id)
    if now is None:
        abort(404, "there is no such booking calendar")
    if now.version != wanted.version:
        abort(409, f"it was changed meanwhile and is at version {now.version}; read it again")


def _calendar(found: BookingCalendar) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "kind": found.kind.value,
        "members": [
            {"user": user_id, "priority": priority} for user_id, priority in sorted(found.members.items())
        ],
        "rules": asdict(rules_of(found.rules)),
        "version": found.version,
        "connected_to_outlook": found.kind is not CalendarKind.EVENT,
    }
