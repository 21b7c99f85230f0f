"""A user's preferences, of which the simulator knows the time zone and the language: empty = the server's.

Read and written by the user and by admins alone (EspoCRM's published source; not from a recording).
"""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from calsync_plugin.sandbox.crm.answers import Call, endpoint
from calsync_plugin.sandbox.crm.api import api
from calsync_plugin.sandbox.crm.errors import ApiError, missing
from calsync_plugin.sandbox.crm.tables import Record

NAMES = ("timeZone", "language")


def preferences(user: Record) -> dict[str, str]:
    """The preferences of a row of users."""
    kept = user.get("preferences") or {}
    return {name: kept.get(name) or "" for name in NAMES}


def _row(call: Call, user_id: str) -> Record:
    if not call.caller.is_admin and call.caller.id != user_id:
        raise ApiError(403, "")
    if not call.crm.store.is_live("User", user_id):
        raise missing(user_id, reading=True)
    return call.crm.store.tables["User"].rows[user_id]


@endpoint(api, "/Preferences/<user_id>", "GET")
def read_preferences(call: Call, user_id: str) -> object:
    """The user's own choice."""
    return {"id": user_id, **preferences(_row(call, user_id))}


@endpoint(api, "/Preferences/<user_id>", "PUT")
def write_preferences(call: Call, user_id: str) -> object:
    """Choose; "" is the server's."""
    row = _row(call, user_id)
    try:
        ZoneInfo(str(call.body.get("timeZone") or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        raise ApiError(400, "") from None
    row["preferences"] = {**preferences(row), **{n: str(v or "") for n, v in call.body.items() if n in NAMES}}
    return {"id": user_id, **preferences(row)}
