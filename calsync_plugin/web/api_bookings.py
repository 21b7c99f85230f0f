"""`/api/v1/bookings`: reserving a slot and making a record of it, for programs.

Decides who may book whom with what, who may see and cancel a booking, and which status tells what came of a
request. How a slot is given away is decided in `booking.booker`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, abort, jsonify

from calsync_plugin.booking.asking import BookingRequest
from calsync_plugin.booking.making import LONGEST_NAME, LONGEST_TEXT, MOST_PEOPLE
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import SlotTaken
from calsync_plugin.hookspecs import Caller
from calsync_plugin.state import Booking, BookingState
from calsync_plugin.web import api_calls, api_people, api_slots, api_times, api_values
from calsync_plugin.web.booked_by import booked_by

Answer = Response | tuple[Response, int]
CONTENT = ("start", "name", "description", "contacts", "leads", "entity_type", "attributes")
WITH_OUR_RIGHTS = ("attributes", "contacts", "leads")
"""What is written with our rights in the CRM, which may be more than the user's."""


def about_bookings(pages: Blueprint, calsync: Calsync) -> None:
    """Add the addresses of bookings."""

    @pages.post("/bookings")
    def book() -> Answer:
        caller, body, key = api_calls.caller(calsync), api_calls.body(), api_values.idempotency_key()
        zone = api_times.zone(api_values.text("zone", body.get("zone"), longest=api_times.LONGEST_ZONE))
        return _book(calsync, _request(calsync, caller, body, key, zone), zone)

    @pages.get("/bookings/<booking>")
    def one_booking(booking: str) -> Answer:
        return jsonify(_booking(calsync, _seen(calsync, api_calls.caller(calsync), booking), ""))

    @pages.delete("/bookings/<booking>")
    def cancel(booking: str) -> Answer:
        caller = api_calls.caller(calsync)
        found = _seen(calsync, caller, booking)
        if not (caller.admin or caller.user_id == found.user_id or _is_bookers(calsync, caller, found)):
            abort(403, "only who booked it, the assigned user and administrators may cancel it")
        cancelled = calsync.desk.booker.cancel(found.id)
        return jsonify(_booking(calsync, cancelled or found, ""))

    @pages.errorhandler(SlotTaken)
    def taken(error: SlotTaken) -> Answer:
        return _taken(error, "")


def _request(
    calsync: Calsync, caller: Caller, body: Mapping[str, JsonValue], key: str, zone: str
) -> BookingRequest:
    """What is asked for; 400, 403 or 404 for what cannot be."""
    api_values.nothing_else(body, (*api_slots.ASKED, *CONTENT))
    text = api_values.text("start", body.get("start"), longest=40, needed=True)
    start = api_times.instant("start", text, zone)
    asked = api_slots.question(calsync, caller, body, (start, start + 1), zone)
    if not caller.admin:
        _let(caller, asked.query.users, body)
    return BookingRequest(
        query=asked.query,
        start=start,
        caller=booked_by(caller.user_id),
        key=key,
        name=api_values.text("name", body.get("name"), longest=LONGEST_NAME, needed=True),
        description=api_values.text("description", body.get("description"), longest=LONGEST_TEXT),
        contact_ids=api_values.identities("contacts", body.get("contacts"), most=MOST_PEOPLE),
        lead_ids=api_values.identities("leads", body.get("leads"), most=MOST_PEOPLE),
        entity_type=api_values.identity("entity_type", body.get("entity_type")),
        attributes=api_values.mapping("attributes", body.get("attributes")),
    )


def _let(caller: Caller, users: Sequence[str], body: Mapping[str, JsonValue]) -> None:
    """403 for what only an administrator may book."""
    if not set(users) <= {caller.user_id}:
        # By its rules, which are no rules if anybody can do without them.
        abort(403, "users: you may book yourself; others are booked in a booking calendar")
    for name in WITH_OUR_RIGHTS:
        if body.get(name):
            abort(403, f"{name}: only an administrator may set them")


def _book(calsync: Calsync, request: BookingRequest, zone: str) -> Answer:
    """201 for a new booking, 200 for that of an earlier request, 202 for one that is not settled."""
    known = calsync.store.bookings.by_key(request.caller, request.key)
    try:
        found = calsync.desk.booker.book(request)
    except SlotTaken as error:
        return _taken(error, zone)
    status = 202 if found.state is BookingState.HELD else 200 if known else 201
    answer = jsonify(_booking(calsync, found, zone))
    answer.headers["Location"] = f"/api/v1/bookings/{found.id}"
    return answer, status


def _taken(error: SlotTaken, zone: str) -> Answer:
    return jsonify(error=str(error), next=api_slots.slots_in_json(error.next_slots, zone)), 409


def _seen(calsync: Calsync, caller: Caller, booking_id: str) -> Booking:
    """A booking that the caller may see; 404 for another as for none: nobody learns which there are."""
    found = calsync.store.bookings.get(booking_id)
    if found is None or not (
        caller.admin or caller.user_id in _users(calsync, found) or _is_bookers(calsync, caller, found)
    ):
        abort(404, "there is no such booking, or it is not yours")
    return found


def _is_bookers(calsync: Calsync, caller: Caller, booking: Booking) -> bool:
    """Whether the caller booked it, and it is still somebody's whom the caller may ask about.

    What was given on, or was booked by somebody who left the booking calendar since, is theirs alone.
    """
    mine = booking.caller == booked_by(caller.user_id)
    return mine and booking.user_id in api_people.reach(calsync, caller)


def _users(calsync: Calsync, booking: Booking) -> list[str]:
    """Whose time it takes, the assigned user first."""
    takers = calsync.store.bookings.takers([booking.id]).get(booking.id, [])
    return list(dict.fromkeys([booking.user_id, *takers]))


def _booking(calsync: Calsync, booking: Booking, zone: str) -> dict[str, Any]:
    return {
        "id": booking.id,
        "state": booking.state.value,
        "calendar": booking.calendar_id,
        "user": booking.user_id,
        "users": _users(calsync, booking),
        "from": api_times.written(booking.start, zone),
        "to": api_times.written(booking.end, zone),
        "entity_type": booking.entity_type,
        "record": booking.record_id,
        "reason": booking.reason,
        "made_at": api_times.written(int(booking.made_at), zone),
    }
