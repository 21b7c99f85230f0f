"""`/api/v1/features` for administrators: what is switched off, and for whom.

Decides how gates read in JSON. What follows from one, and what users are told, is decided in
`booking.features`.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, jsonify

from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.booking.features import EVERYBODY, ROLE, TEAM, Feature
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.state import Gate, Subject
from calsync_plugin.web import api_calls

LONGEST_ID = 100
SWITCH = "switch features on and off"


def about_features(pages: Blueprint, calsync: Calsync) -> None:
    """Add the addresses of feature gates."""

    @pages.get("/features")
    def features() -> Response:
        api_calls.administrator(calsync, "list what is switched off")
        return _told(calsync)

    @pages.put("/features/<feature>", defaults={"kind": EVERYBODY.kind, "subject": EVERYBODY.id})
    @pages.put("/features/<feature>/<kind>/<subject>")
    def put_feature(feature: str, kind: str, subject: str) -> Response:
        actor = api_calls.administrator(calsync, SWITCH)
        return _set(calsync, actor, feature, Subject(kind, subject), on=_on())

    @pages.delete("/features/<feature>", defaults={"kind": EVERYBODY.kind, "subject": EVERYBODY.id})
    @pages.delete("/features/<feature>/<kind>/<subject>")
    def delete_feature(feature: str, kind: str, subject: str) -> Response:
        actor = api_calls.administrator(calsync, SWITCH)
        return _set(calsync, actor, feature, Subject(kind, subject), on=True)


def _on() -> bool:
    on = api_calls.body().get("on")
    if not isinstance(on, bool):
        abort(400, "the body must hold on: true or false")
    return on


def _set(calsync: Calsync, actor: Actor, feature: str, subject: Subject, *, on: bool) -> Response:
    """Switch a feature on or off for a subject, and tell what is off now."""
    if feature not in set(Feature):
        abort(404, f"there is no such feature; there are {', '.join(Feature)}")
    group = subject.kind in (TEAM, ROLE) and len(subject.id) <= LONGEST_ID and subject.id.isprintable()
    if subject != EVERYBODY and not group:
        abort(404, "a feature is switched on and off for everybody, a team or a role")
    if on:
        calsync.desk.features.open(actor, Feature(feature), subject)
    else:
        calsync.desk.features.close(actor, Feature(feature), subject)
    return _told(calsync)


def _told(calsync: Calsync) -> Response:
    return jsonify(features=list(Feature), off=[_gate(one) for one in calsync.desk.features.all()])


def _gate(gate: Gate) -> dict[str, Any]:
    return {
        "feature": gate.feature,
        "kind": gate.subject.kind,
        "id": gate.subject.id,
        "name": gate.subject_name,
        "closed_by": gate.closed_by,
        "closed_at": gate.closed_at.isoformat(timespec="seconds") if gate.closed_at else None,
    }
