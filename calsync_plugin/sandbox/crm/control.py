"""The control API: what tests and demos do to the simulator from outside. Loopback only, without
authentication.

All under `/control`; JSON in and out. It is no part of EspoCRM.
"""

from __future__ import annotations

import re
from dataclasses import asdict, fields
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Blueprint, request

from calsync_plugin.sandbox.crm.answers import crm_of_app
from calsync_plugin.sandbox.crm.faults import FaultRule
from calsync_plugin.sandbox.crm.tables import Record

control = Blueprint("crm_control", __name__, url_prefix="/control")
Answer = tuple[Record, int]


class ControlError(Exception):
    """A control request that makes no sense: answered 400 with this text."""


@control.errorhandler(ControlError)
def _refuse(error: ControlError) -> Answer:
    return {"error": str(error)}, 400


def _body() -> Record:
    body = request.get_json(silent=True) if request.data else {}
    if not isinstance(body, dict):
        raise ControlError("the body must be a JSON object")
    return body


@control.get("/revision")
def revision() -> Record:
    """A number that rises with every change of anything that the page shows."""
    return {"revision": crm_of_app().store.revision}


@control.post("/reset")
def reset() -> Record:
    """Forget everything; `{"seed": false}` leaves the CRM empty."""
    crm_of_app().reset(seed=bool(_body().get("seed", True)))
    return {"ok": True}


@control.post("/clock")
def clock() -> Record:
    """Move the clock by `{"advance_seconds": n}`; answers the time."""
    crm = crm_of_app()
    try:
        crm.advance(timedelta(seconds=float(_body().get("advance_seconds", 0))))
    except (TypeError, ValueError):
        raise ControlError("advance_seconds must be a number") from None
    return {"now": crm.clock.now().isoformat()}


@control.get("/settings")
def read_settings() -> Record:
    """The settings in force."""
    crm = crm_of_app()
    switched = [
        name for name, table in crm.store.tables.items() if "versionNumber" in table.entity.attributes
    ]
    return {**asdict(crm.settings), "optimistic_concurrency": switched}


@control.post("/settings")
def write_settings() -> Record:
    """Change settings: time_zone, webhook_interval, webhook_portion, webhook_limit, two_factor.

    `optimistic_concurrency` is a map of entity types to true or false.
    """
    crm, body = crm_of_app(), _body()
    concurrency = body.pop("optimistic_concurrency", {})
    known = {field.name for field in fields(crm.settings)}
    unknown = set(body) - known
    if unknown:
        raise ControlError(f"unknown settings {sorted(unknown)}, known are {sorted(known)}")
    try:
        ZoneInfo(str(body.get("time_zone", "UTC")))
    except (ZoneInfoNotFoundError, ValueError):
        raise ControlError(f"unknown time zone {body['time_zone']!r}") from None
    for name, value in body.items():
        setattr(crm.settings, name, value)
    for name, on in concurrency.items():
        crm.set_concurrency(name, bool(on))
    crm.dispatcher.wake()
    return read_settings()


@control.get("/faults")
def list_faults() -> Record:
    """The rules in force."""
    return {"faults": [asdict(rule) for rule in crm_of_app().faults.rules]}


@control.post("/faults")
def add_fault() -> Record:
    """Add a rule: the fields of `FaultRule`, or end all by `{"clear": true}`."""
    crm, body = crm_of_app(), _body()
    if body.get("clear"):
        crm.faults.clear()
        return list_faults()
    try:
        crm.faults.add(FaultRule(**body))
    except (TypeError, re.error) as problem:
        raise ControlError(str(problem)) from None
    return list_faults()


@control.get("/requests")
def list_requests() -> Record:
    """The last requests to the REST API and how often each kind came."""
    log = crm_of_app().log
    return {"requests": [asdict(entry) for entry in list(log.requests)], "counts": dict(log.counts)}


@control.delete("/requests")
def clear_requests() -> Record:
    """Forget the requests."""
    crm_of_app().log.clear()
    return {"ok": True}


@control.post("/records/<entity_type>")
def insert_record(entity_type: str) -> Record:
    """Insert a record (or a `list` of them) as it is, with its own id: no check, no webhook."""
    crm, body = crm_of_app(), _body()
    if entity_type not in crm.store.tables:
        raise ControlError(f"unknown entity type {entity_type!r}")
    rows: list[Any] = body["list"] if isinstance(body.get("list"), list) else [body]
    return {"ids": [crm.insert(entity_type, row)["id"] for row in rows]}


@control.post("/next-ids")
def queue_ids() -> Record:
    """Ids, webhook secrets and uids to hand out next: `{"ids": [...], "secrets": [...], "uids": [...]}`."""
    crm, body = crm_of_app(), _body()
    crm.ids.queued_ids.extend(body.get("ids", []))
    crm.ids.queued_secrets.extend(body.get("secrets", []))
    crm.ids.queued_uids.extend(body.get("uids", []))
    return {"ok": True}


@control.post("/deliver")
def deliver() -> Record:
    """Send every webhook that is due (`{"once": true}`: one run of the queue only)."""
    crm = crm_of_app()
    sent = crm.dispatcher.run_once() if _body().get("once") else crm.deliver_now()
    return {"requests": sent}


@control.get("/webhooks")
def list_webhooks() -> Record:
    """The queue (events, items) and the last deliveries."""
    crm = crm_of_app()
    with crm.store.lock:
        deliveries = [asdict(delivery) for delivery in crm.dispatcher.deliveries]
        return {**crm.queue.listing(), "deliveries": deliveries}


@control.get("/dump")
def dump() -> Record:
    """Everything that outlives a restart."""
    return crm_of_app().dump()
