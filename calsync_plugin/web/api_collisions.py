"""`/api/v1/collisions`: what a meeting collides with, for programs, before they save it.

Decides whom the caller is told of: those of the meeting's users about whom the caller may ask. What collides
is decided in `booking.collisions`; nothing that an event says is in any answer.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, jsonify

from calsync_plugin.booking.availability import MOST_USERS
from calsync_plugin.booking.collisions import Collision
from calsync_plugin.booking.features import NOT_FOR_YOU, Feature
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import FeatureOff, InvalidRecord
from calsync_plugin.hookspecs import Caller
from calsync_plugin.web import api_calls, api_people, api_times, api_values

LONGEST_NAME = 100


def about_collisions(pages: Blueprint, calsync: Calsync) -> None:
    """Add the address of collisions."""

    @pages.post("/collisions")
    def collisions() -> Response:
        caller, body = api_calls.caller(calsync), api_calls.body()
        api_values.nothing_else(body, ("entity_type", "record"))
        name = api_values.text("entity_type", body.get("entity_type"), longest=LONGEST_NAME, needed=True)
        entity_type = api_values.one_of("entity_type", name, sorted(calsync.entities))
        record = api_values.mapping("record", body.get("record"))
        users = _users(record)
        try:
            calsync.desk.collisions.check(entity_type, record)
        except InvalidRecord as error:
            abort(400, f"record: {error.said}")
        told = _told(calsync, caller, users)
        known = {**record, "id": _own_id(calsync, caller, entity_type, record)}
        known |= {"assignedUserId": None, "usersIds": told}
        found = calsync.desk.collisions.find(entity_type, known) if told else ()
        return jsonify(
            collisions=[_collision(one) for one in found], not_told=[one for one in users if one not in told]
        )


def _users(record: dict[str, JsonValue]) -> list[str]:
    """Whose meeting it is; 400 for a record that does not say it."""
    assigned = api_values.identity("record.assignedUserId", record.get("assignedUserId"))
    attending = api_values.identities("record.usersIds", record.get("usersIds"), most=MOST_USERS)
    found = list(dict.fromkeys([assigned, *attending] if assigned else attending))
    if not found:
        abort(400, "record: needs assignedUserId or usersIds")
    return found


def _told(calsync: Calsync, caller: Caller, users: list[str]) -> list[str]:
    """Those about whom the caller may ask."""
    if caller.admin:
        return users
    if Feature.AVAILABILITY in calsync.desk.features.closed_for([caller.user_id])[caller.user_id]:
        raise FeatureOff(NOT_FOR_YOU)
    reach = api_people.reach(calsync, caller)
    return [one for one in users if one in reach]


def _own_id(calsync: Calsync, caller: Caller, entity_type: str, record: dict[str, JsonValue]) -> str:
    """The id of the record, whose events do not count; empty for one that is not the caller's.

    Else whoever names ids of others' records sees by what vanishes whose they are, and when.
    """
    found = api_values.identity("record.id", record.get("id"))
    if not found or caller.admin or calsync.desk.collisions.concerns(entity_type, found, caller.user_id):
        return found
    return ""


def _collision(found: Collision) -> dict[str, Any]:
    return {
        "user": found.user_id,
        "from": api_times.written(found.start, ""),
        "to": api_times.written(found.end, ""),
        "kind": found.kind,
    }
