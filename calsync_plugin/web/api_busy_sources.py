"""`/api/v1/accounts/USER/busy-sources`: the calendars that make a user busy, for programs.

Decides that the user alone adds and takes off addresses and colleagues, as an administrator cannot connect
for anybody. Calendars of the user's own mailbox are settings (`conflict_calendars`) and only listed here. An
address that was given is never told again.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, jsonify

from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.booking.own import SourceLine
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.state import SourceKind
from calsync_plugin.web import api_calls, api_values

Answer = Response | tuple[Response, int]
LONGEST_ADDRESS, LONGEST_NAME = 4096, 100
KINDS = (SourceKind.FEED.value, SourceKind.SCHEDULE.value)


def about_busy_sources(pages: Blueprint, calsync: Calsync) -> None:
    """Add the addresses of busy sources."""

    @pages.get("/accounts/<user>/busy-sources")
    def busy_sources(user: str) -> Answer:
        api_calls.own(calsync, user)
        return jsonify(sources=[_line(one) for one in calsync.desk.own.sources(user)])

    @pages.post("/accounts/<user>/busy-sources")
    def add_busy_source(user: str) -> Answer:
        actor, body = _himself(calsync, user), api_calls.body()
        api_values.nothing_else(body, ("kind", "address", "name"))
        kind = api_values.one_of("kind", body.get("kind"), KINDS)
        address = api_values.text("address", body.get("address"), longest=LONGEST_ADDRESS, needed=True)
        name = api_values.text("name", body.get("name"), longest=LONGEST_NAME)
        own = calsync.desk.own
        add = own.add_feed if kind == SourceKind.FEED.value else own.add_schedule
        return jsonify(_line(add(actor, user, address, name))), 201

    @pages.delete("/accounts/<user>/busy-sources/<source>")
    def remove_busy_source(user: str, source: str) -> Answer:
        actor = _himself(calsync, user)
        source_id = _known(calsync, user, source)
        calsync.desk.own.remove(actor, user, source_id)
        return jsonify(removed=source_id)

    @pages.post("/accounts/<user>/busy-sources/<source>/read")
    def read_busy_source(user: str, source: str) -> Answer:
        api_calls.own(calsync, user)
        calsync.desk.own.read_now(user, _known(calsync, user, source))
        return jsonify(status="due"), 202


def _himself(calsync: Calsync, user: str) -> Actor:
    """Let the user through and nobody else; 404 for one without an account."""
    caller = api_calls.caller(calsync)
    if caller.user_id != user:
        abort(403, "only the user may add and take off what makes him or her busy")
    api_calls.existing(calsync, user)
    return api_calls.actor(caller)


def _known(calsync: Calsync, user: str, source: str) -> int:
    """The id of one of the user's calendars; 404 for whatever else."""
    found = next((line.id for line in calsync.desk.own.sources(user) if str(line.id) == source), None)
    if found is None:
        abort(404, "this user has no such calendar")
    return found


def _line(line: SourceLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "kind": line.kind.value,
        "name": line.name,
        "shown": line.shown,
        "state": line.state,
        "read_at": line.read_at.isoformat(timespec="seconds") if line.read_at else None,
        "error": line.error,
        "removable": line.removable,
    }
