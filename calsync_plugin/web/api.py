"""`/api/v1`: accounts for programs, in JSON, as `openapi.json` beside this module describes it.

Decides that about the contents of clashes only the user may ask whom they concern, and what an administrator
may do with an account. Who asks is told by `api_calls`. Whatever changes something has to be JSON, which no
form of another site can send.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request
from werkzeug.exceptions import HTTPException

from calsync_plugin.accounts import administration, report
from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.accounts.backfill import Backfill
from calsync_plugin.accounts.choices import choose
from calsync_plugin.accounts.listing import STATUSES, AccountList, Line
from calsync_plugin.accounts.reset import reset
from calsync_plugin.booking.features import Feature
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import (
    ConfigurationError,
    FeatureOff,
    RemoteError,
    SettingsError,
    StoreError,
    UserError,
)
from calsync_plugin.state import Account
from calsync_plugin.web import api_calls
from calsync_plugin.web.api_availability import about_availability
from calsync_plugin.web.api_booking_calendars import about_booking_calendars
from calsync_plugin.web.api_bookings import about_bookings
from calsync_plugin.web.api_busy_sources import about_busy_sources
from calsync_plugin.web.api_collisions import about_collisions
from calsync_plugin.web.api_deletions import about_deletions
from calsync_plugin.web.api_features import about_features
from calsync_plugin.web.api_grants import about_audit, about_grants
from calsync_plugin.web.api_slots import about_slots

log = logging.getLogger(__name__)

DESCRIPTION: Mapping[str, Any] = json.loads(
    Path(__file__).with_name("openapi.json").read_text(encoding="utf-8")
)
LONGEST_SEARCH = 100
LONGEST_QUERY = 32_768
"""A hundred users are far less."""
Answer = Response | tuple[Response, int]


def api(calsync: Calsync) -> Blueprint:
    """The API of one bridge."""
    pages = Blueprint("api", __name__, url_prefix="/api/v1")
    pages.register_error_handler(SettingsError, _wrong)
    pages.register_error_handler(UserError, _conflict)
    pages.register_error_handler(FeatureOff, _off)
    pages.register_error_handler(RemoteError, _away)
    pages.register_error_handler(401, _unknown)

    @pages.before_request
    def only_json_changes() -> None:
        if len(request.query_string) > LONGEST_QUERY:
            abort(414, f"the query is too long: at most {LONGEST_QUERY} characters")
        # No form can send PUT or DELETE either, and a DELETE has no body.
        if request.method in {"POST", "PUT"} and not request.is_json:
            abort(415, "Content-Type must be application/json")

    _about_accounts(pages, calsync)
    _about_changes(pages, calsync)
    _about_backfills(pages, calsync)
    about_deletions(pages, calsync)
    about_grants(pages, calsync)
    about_audit(pages, calsync)
    about_features(pages, calsync)
    about_availability(pages, calsync)
    about_collisions(pages, calsync)
    about_slots(pages, calsync)
    about_bookings(pages, calsync)
    about_booking_calendars(pages, calsync)
    about_busy_sources(pages, calsync)
    return pages


def _about_accounts(pages: Blueprint, calsync: Calsync) -> None:
    @pages.get("/openapi.json")
    def description() -> Answer:
        return jsonify(DESCRIPTION)

    @pages.get("/accounts")
    def accounts() -> Answer:
        api_calls.administrator(calsync, "list accounts")
        statuses = request.args.getlist("status")
        if not set(statuses) <= set(STATUSES):
            abort(400, f"status must be one of {', '.join(STATUSES)}")
        page = AccountList(calsync.store, calsync.gateway).page(
            statuses=statuses,
            text=request.args.get("search", "")[:LONGEST_SEARCH],
            after=request.args.get("after", ""),
            limit=api_calls.limit(50),
        )
        now = calsync.store.clock.now()
        lines = [_line(line, now) for line in page.lines]
        return jsonify(accounts=lines, next=page.next, lack=page.lack)

    @pages.get("/accounts/<user>")
    def account(user: str) -> Answer:
        api_calls.own(calsync, user)
        return jsonify(report.account(calsync.store, user))

    @pages.get("/accounts/<user>/clashes")
    def clashes(user: str) -> Answer:
        if api_calls.caller(calsync).user_id != user:
            abort(403, "only the user may read what clashed")
        found = report.clashes(calsync.store, api_calls.existing(calsync, user), limit=api_calls.limit(100))
        return jsonify(clashes=found)


def _about_changes(pages: Blueprint, calsync: Calsync) -> None:
    @pages.post("/accounts/<user>/sync")
    def sync(user: str) -> Answer:
        api_calls.own(calsync, user)
        found = api_calls.existing(calsync, user)
        if found.mailbox_id is None or found.status not in report.SYNCING:
            abort(409, f"the account is {found.status.value}; it is not synced now")
        calsync.store.queue.hint(found.mailbox_id)
        return jsonify(status="due"), 202

    @pages.post("/accounts/<user>/pause")
    def pause(user: str) -> Answer:
        by = api_calls.administrator(calsync, "pause accounts")
        calsync.connections.pause(api_calls.existing(calsync, user).user_id, by=by)
        return jsonify(status=api_calls.existing(calsync, user).status.value)

    @pages.post("/accounts/<user>/resume")
    def resume(user: str) -> Answer:
        by = api_calls.administrator(calsync, "resume accounts")
        calsync.connections.resume(api_calls.existing(calsync, user).user_id, by=by)
        return jsonify(status=api_calls.existing(calsync, user).status.value)

    @pages.post("/accounts/<user>/reset")
    def begin_anew(user: str) -> Answer:
        by = api_calls.own(calsync, user)
        found = api_calls.existing(calsync, user)
        compared = reset(calsync.store, calsync.gateway, calsync.open_mailbox, found, by=by)
        return jsonify(compared=compared), 202

    @pages.put("/accounts/<user>/settings")
    def settings(user: str) -> Answer:
        return _settings(calsync, user, api_calls.own(calsync, user))


def _settings(calsync: Calsync, user: str, by: Actor) -> Answer:
    """Change settings: the user any, an administrator those that are chosen for others."""
    changes = api_calls.body()
    same = api_calls.existing(calsync, user).settings.get("conflict_calendars")
    if changes.get("conflict_calendars") not in (None, [], same):
        calsync.desk.features.check(Feature.CONFLICT_CALENDARS, user, admin=by.user_id != user)
    if by.user_id == user:
        administration.check_calendars(calsync.store, api_calls.existing(calsync, user), changes)
        choose(calsync.store, calsync.gateway, user, changes, by=by)
    else:
        administration.choose_for(calsync.store, calsync.gateway, by, user, changes)
    return jsonify(settings=dict(api_calls.existing(calsync, user).settings))


def _about_backfills(pages: Blueprint, calsync: Calsync) -> None:
    @pages.get("/accounts/<user>/backfill")
    def preview(user: str) -> Answer:
        api_calls.own(calsync, user)
        return jsonify(Backfill(calsync).preview(user).as_json())

    @pages.post("/accounts/<user>/backfill")
    def confirm(user: str) -> Answer:
        return _confirm(calsync, user, api_calls.own(calsync, user))


def _confirm(calsync: Calsync, user: str, by: Actor) -> Answer:
    """Push what the caller saw; if that is no longer what would be pushed, say what is."""
    seen = api_calls.body().get("fingerprint")
    if not isinstance(seen, str):
        abort(400, "the body must hold the fingerprint of the preview that is confirmed")
    backfill = Backfill(calsync)
    now = backfill.preview(user)
    if seen != now.fingerprint:
        return jsonify(error="this is no longer what would be pushed", preview=now.as_json()), 409
    return jsonify({**now.as_json(), "pushed": backfill.confirm(now, by=by)}), 202


def _line(line: Line, now: float) -> dict[str, Any]:
    """A line of the list; who has no account has what an account without anything would have."""
    row = line.line
    since = row.waiting_since if row else None
    about = report.line(row.account) if row else report.line(Account(user_id=line.user_id))
    return about | {
        "name": line.name,
        "address": line.address,
        "status": line.status,
        "links": row.links if row else 0,
        "parked": row.parked if row else 0,
        "held": row.held if row else 0,
        "waiting_seconds": max(0, round(now - since.timestamp())) if since else None,
    }


def _wrong(error: SettingsError) -> Answer:
    return jsonify(error=str(error)), 400


def _off(error: FeatureOff) -> Answer:
    return jsonify(error=str(error)), 403


def _conflict(error: UserError) -> Answer:
    if isinstance(error, ConfigurationError | StoreError):
        log.error("%s %s: %s", request.method, request.path, error)
        return jsonify(error="calsync cannot do this now; its log says why"), 500
    return jsonify(error=str(error)), 409


def _away(error: RemoteError) -> Answer:
    log.warning("%s %s: %s", request.method, request.path, error)
    return jsonify(error="the CRM or Outlook cannot be asked now; try again later"), 502


def _unknown(error: HTTPException) -> Answer:
    answer = jsonify(error=error.description)
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer, 401
