"""The control API of events: what people and other systems do to a calendar that no client of Graph could.

POST /control/mailboxes/<address>/events/move
            {id, calendar}: move an event to another calendar
POST /control/mailboxes/<address>/events/copy
            {id, calendar, attendees}: copy it as in Outlook, to its own calendar unless one is named, and
            with its attendees if true
POST /control/mailboxes/<address>/events/raw
            {event, calendar}: plant an event as it is given, whatever Graph would refuse
POST /control/mailboxes/<address>/events/many
            {events, calendar}: the same for a list of them; answers their number
POST /control/mailboxes/<address>/events/twins
            {event, differ: case or dash}: plant it twice, with ids that are nearly the same
GET, POST, PATCH, DELETE /control/outside/<address>/<path>
            act as an organizer whose mailbox is elsewhere: all of Graph below /me, such as POST events (its
            iCalUId is kept), PATCH events/<id>, POST events/<id>/cancel, GET events/<id>/instances
Answers name an event by {id, immutableId, iCalUId}.
"""

from __future__ import annotations

import json

from flask import Blueprint, Response, current_app, jsonify, request

from calsync_plugin.sandbox.outlook import ids, planting
from calsync_plugin.sandbox.outlook.dispatch import VERSION, Inquiry, handle
from calsync_plugin.sandbox.outlook.items import told_uid
from calsync_plugin.sandbox.outlook.lookup import not_found, own
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import Calendar, Item, Mailbox
from calsync_plugin.sandbox.outlook.wire import GraphError, Json

control_events = Blueprint("control_events", __name__, url_prefix="/control")


def _simulator() -> Simulator:
    found = current_app.extensions["outlook"]
    assert isinstance(found, Simulator)
    return found


def _body() -> Json:
    value = request.get_json(silent=True)
    return value if isinstance(value, dict) else {}


@control_events.errorhandler(ValueError)
@control_events.errorhandler(TypeError)
@control_events.errorhandler(KeyError)
@control_events.errorhandler(GraphError)
def _wrong(error: Exception) -> tuple[Response, int]:
    return jsonify(error=f"{type(error).__name__}: {error}"), 400


def _calendar(mailbox: Mailbox, named: object, default: int) -> Calendar:
    number = ids.parse_calendar(named)[1] if isinstance(named, str) else default
    calendar = mailbox.calendars.get(number)
    if calendar is None:
        raise not_found()
    return calendar


def _named(mailbox: Mailbox, item: Item) -> Json:
    sim = _simulator()
    return {
        "id": ids.default_id(mailbox.number, item.folder, item.day, item.number),
        "immutableId": ids.immutable_id(mailbox.number, item.day, item.number),
        "iCalUId": told_uid(item, one=sim.switches.occurrences_share_icaluid),
    }


@control_events.post("/mailboxes/<address>/events/<what>")
def act(address: str, what: str) -> Response:
    """Move, copy or plant an event."""
    sim, body = _simulator(), _body()
    with sim.state.lock:
        mailbox = sim.state.mailboxes.get(address.lower())
        if mailbox is None:
            raise ValueError(f"there is no mailbox {address!r}")
        calendar = _calendar(mailbox, body.get("calendar"), mailbox.default_calendar)
        if what == "raw":
            return jsonify(_named(mailbox, planting.plant(sim, mailbox, body["event"], calendar)))
        if what == "many":
            for event in body["events"]:
                planting.plant(sim, mailbox, event, calendar)
            return jsonify(count=len(body["events"]))
        if what == "twins":
            pair = planting.twins(sim, mailbox, body["event"], calendar, body.get("differ", "case"))
            return jsonify(events=[_named(mailbox, item) for item in pair])
        found = own(mailbox, body["id"])
        if what == "copy":
            calendar = _calendar(mailbox, body.get("calendar"), (found.master or found.item).folder)
            made = planting.copy(sim, found, calendar, attendees=body.get("attendees") is True)
            return jsonify(_named(mailbox, made))
        if what != "move":
            raise ValueError("events are moved, copied, or planted raw, many at once or as twins")
        planting.move(sim, mailbox, found.master or found.item, calendar)
        return jsonify(_named(mailbox, found.item))


@control_events.route("/outside/<address>/<path:rest>", methods=["GET", "POST", "PATCH", "DELETE"])
def outside(address: str, rest: str) -> Response:
    """Answer as Graph would if the organizer's mailbox were here; faults do not reach it."""
    sim = _simulator()
    with sim.state.lock:
        organizer = sim.state.add_outside(address)
    inquiry = Inquiry(
        request.method,
        f"{VERSION}/me/{rest}",
        request.query_string.decode(),
        {name.lower(): value for name, value in request.headers.items()},
        request.get_json(silent=True),
        organizer,
        request.host_url.rstrip("/"),
    )
    result = handle(sim, inquiry)
    text = "" if result.body is None else json.dumps(result.body)
    return Response(text, result.status, content_type="application/json")
