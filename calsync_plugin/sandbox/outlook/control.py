"""The control API: how a test steers the simulator. JSON in, JSON out, no login; the sandbox listens on
loopback.

POST /control/reset               a fresh sandbox: people without events, default switches, no faults
GET, PUT /control/switches        read, or change some of, `switches.Switches`
GET /control/clock                the movable clock
POST /control/clock/advance       {seconds}
GET, PUT, POST, DELETE /control/faults
                                  rules of `faults`: read, replace by {rules: [...]}, add one, remove all
GET, PUT /control/delay           {delay_ms}: latency of every Graph request; a batch takes it once for each
                                  four members
GET, DELETE /control/mails        the log of mails that Outlook would have sent
GET, DELETE /control/requests     the request log, with counts per mailbox of requests, batches and members
GET, POST /control/mailboxes      list; create in example.com by {address, name} or {count, prefix}
PATCH /control/mailboxes/<address>  {workingHours, timeZone, showsFreeBusy, personal}: what its owner set in
                                  Outlook, whether colleagues may ask when the owner is free, and whether it
                                  is an account of no organisation; workingHours null is the usual ones
POST /control/shares              {owner, calendar, to, role, add}: share a calendar, the primary one unless
                                  named; `add` also lists it at the other person and answers its id there
                                  (role none takes it away again)
POST /control/cursors/expire      every delta token known so far is expired
POST /control/tokens/revoke       {address}: the user's tokens stop working; /allow: they work again
PUT, DELETE /control/tokens/refusal
                                  {error, number, description, suberror}: what the token endpoint refuses with
POST /control/lifecycle           {event, address}: missed, subscriptionRemoved or reauthorizationRequired
GET /control/subscriptions        subscriptions, and how many notifications wait or were lost
POST /control/notifications/flush deliver what is due, now
GET /control/counter              a number that changes whenever a mailbox does
POST /control/dump                write the data file
Events are the business of `control_events`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request

from calsync_plugin.sandbox.outlook import faults, ids
from calsync_plugin.sandbox.outlook.clock import MovableClock
from calsync_plugin.sandbox.outlook.identities import DOMAIN
from calsync_plugin.sandbox.outlook.logins import LoginError
from calsync_plugin.sandbox.outlook.odata_types import instant
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import Alias, Mailbox
from calsync_plugin.sandbox.outlook.wire import GraphError, Json
from calsync_plugin.sandbox.outlook.zones import zone

control = Blueprint("control", __name__, url_prefix="/control")
_ROLES = frozenset((
    "none", "freeBusyRead", "limitedRead", "read", "write", "delegateWithoutPrivateEventAccess",
    "delegateWithPrivateEventAccess",
))  # fmt: skip
_MOST_MAILBOXES = 10_000
_EVENTS = frozenset(("missed", "subscriptionRemoved", "reauthorizationRequired"))


def simulator() -> Simulator:
    """Return the simulator behind the current app."""
    found = current_app.extensions["outlook"]
    assert isinstance(found, Simulator)
    return found


def _body() -> Json:
    value = request.get_json(silent=True)
    return value if isinstance(value, dict) else {}


def _mailbox(address: Any) -> Mailbox:
    found = simulator().state.mailboxes.get(str(address or "").lower())
    if found is None:
        raise ValueError(f"there is no mailbox {address!r}")
    return found


@control.errorhandler(ValueError)
@control.errorhandler(TypeError)
@control.errorhandler(KeyError)
@control.errorhandler(GraphError)
def _wrong(error: Exception) -> tuple[Response, int]:
    return jsonify(error=f"{type(error).__name__}: {error}"), 400


@control.post("/reset")
def reset() -> Response:
    """Return to a fresh sandbox."""
    simulator().reset()
    return jsonify(ok=True)


@control.route("/switches", methods=["GET", "PUT"])
def switches() -> Response:
    """Read or change switches."""
    sim = simulator()
    if request.method == "PUT":
        sim.switches = sim.switches.changed(_body())
    return jsonify(sim.switches.as_dict())


@control.get("/clock")
def clock() -> Response:
    """Read the clock."""
    return jsonify(now=instant(simulator().now()))


@control.post("/clock/advance")
def advance() -> Response:
    """Move the clock."""
    sim = simulator()
    if not isinstance(sim.clock, MovableClock):
        raise TypeError("this simulator's clock cannot be moved")
    sim.clock.advance(float(_body()["seconds"]))
    sim.subscriptions.wake()
    return clock()


@control.route("/faults", methods=["GET", "PUT", "POST", "DELETE"])
def fault_rules() -> Response:
    """Read, replace, add or remove fault rules."""
    found = simulator().faults
    if request.method == "PUT":
        found.replace([faults.parse(rule) for rule in _body()["rules"]])
    elif request.method == "POST":
        found.add(faults.parse(_body()))
    elif request.method == "DELETE":
        found.replace([])
    return jsonify(rules=found.as_json())


@control.route("/delay", methods=["GET", "PUT"])
def delay() -> Response:
    """Read or change the latency of Graph requests."""
    sim = simulator()
    if request.method == "PUT":
        sim.delay_ms = float(_body()["delay_ms"])
    return jsonify(delay_ms=sim.delay_ms)


@control.route("/mails", methods=["GET", "DELETE"])
def mails() -> Response:
    """Read or clear the log of mails."""
    state = simulator().state
    with state.lock:
        if request.method == "DELETE":
            state.mails = []
            state.sequence += 1
        return jsonify(mails=[asdict(mail) for mail in state.mails])


@control.route("/requests", methods=["GET", "DELETE"])
def requests_seen() -> Response:
    """Read or clear the request log."""
    log = simulator().log
    if request.method == "DELETE":
        log.clear()
    return jsonify(log.as_json())


@control.route("/mailboxes", methods=["GET", "POST"])
def mailboxes() -> Response:
    """List or create mailboxes."""
    state, body = simulator().state, _body()
    with state.lock:
        if request.method == "POST" and "count" in body:
            prefix = body.get("prefix", "user")
            for number in range(1, min(int(body["count"]), _MOST_MAILBOXES) + 1):
                state.add_mailbox(f"{prefix}{number}@{DOMAIN}")
        elif request.method == "POST":
            address = str(body["address"])
            if not address.lower().endswith("@" + DOMAIN):
                raise ValueError(f"mailboxes lie in {DOMAIN}; {address} does not")
            state.add_mailbox(address, body.get("name"))
        found = [
            {
                "address": one.address,
                "name": one.name,
                "id": one.object_id,
                "events": len(one.primary().order),
            }
            for one in state.mailboxes.values()
        ]
    return jsonify(mailboxes=found)


@control.patch("/mailboxes/<address>")
def change_mailbox(address: str) -> Response:
    """Set what a mailbox tells of its owner."""
    sim, body = simulator(), _body()
    unknown = body.keys() - {"workingHours", "timeZone", "showsFreeBusy", "personal"}
    if unknown:
        raise ValueError(f"a mailbox has no {min(unknown)}")
    with sim.state.lock:
        mailbox = _mailbox(address)
        if "workingHours" in body:
            mailbox.settings = {**mailbox.settings, "workingHours": body["workingHours"]}
        if "timeZone" in body:
            zone(body["timeZone"])
            mailbox.zone = body["timeZone"]
        mailbox.shows_free_busy = body.get("showsFreeBusy", mailbox.shows_free_busy) is True
        mailbox.personal = body.get("personal", mailbox.personal) is True
        sim.state.sequence += 1
    return jsonify(ok=True)


@control.post("/shares")
def share() -> Response:
    """Share a calendar with another mailbox."""
    sim, body = simulator(), _body()
    with sim.state.lock:
        owner, other = _mailbox(body["owner"]), _mailbox(body["to"])
        number = ids.parse_calendar(body["calendar"])[1] if body.get("calendar") else owner.default_calendar
        if body["role"] not in _ROLES:
            raise ValueError(f"role is one of {', '.join(sorted(_ROLES))}")
        owner.calendars[number].shares[other.address] = body["role"]
        sim.state.sequence += 1
        if not body.get("add"):
            return jsonify(ok=True)
        local = sim.state.next_number()
        alias = Alias(local, ids.calendar_id(other.number, local), owner.address, number)
        other.aliases[local] = alias
        return jsonify(id=alias.id)


@control.post("/cursors/expire")
def expire_cursors() -> Response:
    """Expire every delta token that exists."""
    simulator().expire_cursors()
    return jsonify(ok=True)


@control.post("/tokens/<what>")
def tokens(what: str) -> Response:
    """Revoke a user's tokens, or let the user log in again."""
    sim, address = simulator(), _mailbox(_body().get("address")).address
    if what == "revoke":
        sim.logins.revoke(address)
        sim.logins.revoked.add(address)
    elif what == "allow":
        sim.logins.revoked.discard(address)
    else:
        raise ValueError("tokens are revoked or allowed")
    return jsonify(ok=True)


@control.route("/tokens/refusal", methods=["PUT", "DELETE"])
def refusal() -> Response:
    """Set what the token endpoint refuses every request with."""
    body = _body()
    simulator().logins.refusal = (
        None
        if request.method == "DELETE"
        else LoginError(
            str(body.get("error", "invalid_grant")),
            int(body["number"]),
            str(body.get("description", "Injected.")),
            suberror=str(body.get("suberror", "")),
        )
    )
    return jsonify(ok=True)


@control.post("/lifecycle")
def lifecycle() -> Response:
    """Send a lifecycle notification to every subscription, or to those of one mailbox."""
    sim, body = simulator(), _body()
    if body.get("event") not in _EVENTS:
        raise ValueError(f"event is one of {', '.join(sorted(_EVENTS))}")
    return jsonify(sent=sim.send_lifecycle(body["event"], body.get("address")))


@control.get("/subscriptions")
def subscriptions() -> Response:
    """List subscriptions and what is still to be delivered."""
    found = simulator().subscriptions
    return jsonify(
        subscriptions=[asdict(one) for one in found.alive()], pending=found.pending(), lost=found.lost
    )


@control.post("/notifications/flush")
def flush() -> Response:
    """Deliver what is due, now."""
    return jsonify(delivered=simulator().subscriptions.flush())


@control.get("/counter")
def counter() -> Response:
    """Return a number that changes whenever a mailbox does."""
    return jsonify(counter=simulator().state.sequence)


@control.post("/dump")
def dump() -> Response:
    """Write the data file."""
    simulator().dump()
    return jsonify(ok=True)
