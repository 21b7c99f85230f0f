"""`/api/v1`: what is held until a person decides, and what was deleted and can come back (R11).

Decides how both read in JSON: counts and times, no names, since an administrator asks as well. What
confirming, discarding and restoring mean is decided in `accounts`.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, jsonify

from calsync_plugin.accounts import administration, holds
from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.accounts.restore import Restorer
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.state import Account, Decision
from calsync_plugin.web import api_calls

MOST = 200
"""Entries that one call restores: each is a request to the CRM or to Outlook."""


def about_deletions(pages: Blueprint, calsync: Calsync) -> None:
    """Add the addresses of held and of deleted items."""

    @pages.get("/accounts/<user>/held")
    def held(user: str) -> Response:
        api_calls.own(calsync, user)
        return jsonify(_held(calsync, api_calls.existing(calsync, user)))

    @pages.post("/accounts/<user>/held")
    def decide(user: str) -> Response:
        by = api_calls.own(calsync, user)
        account, decision = api_calls.existing(calsync, user), api_calls.body().get("decision")
        if decision not in ("confirm", "discard"):
            abort(400, "the body must hold a decision: confirm or discard")
        act = holds.confirm if decision == "confirm" else holds.discard
        return jsonify(decided=act(calsync.store, account, by=by))

    @pages.get("/accounts/<user>/deleted")
    def deleted(user: str) -> Response:
        api_calls.own(calsync, user)
        return jsonify(_deleted(calsync, api_calls.existing(calsync, user)))

    @pages.post("/accounts/<user>/deleted")
    def restore(user: str) -> Response:
        return _restore(calsync, user, api_calls.own(calsync, user))


def _held(calsync: Calsync, account: Account) -> dict[str, Any]:
    waiting = [
        one for one in calsync.store.held.all(account.mailbox_id or 0) if one.decision is Decision.NONE
    ]
    return {
        "held": len(waiting),
        "by_operation": dict(sorted(Counter(one.operation for one in waiting).items())),
        "since": _time(min((one.since for one in waiting), default=None)),
    }


def _deleted(calsync: Calsync, account: Account) -> dict[str, Any]:
    found = administration.deleted(_restorer(calsync).entries(account))
    return {
        "ids": list(found.ids),
        "by_side": dict(sorted(found.counts.items())),
        "first": _time(found.first),
        "last": _time(found.last),
        "invited": found.invited,
    }


def _restore(calsync: Calsync, user: str, by: Actor) -> Response:
    body = api_calls.body()
    ids, invite = body.get("ids"), body.get("with_attendees", False)
    if not isinstance(ids, list) or not 1 <= len(ids) <= MOST or not all(isinstance(i, str) for i in ids):
        abort(400, f"the body must hold ids: a list of 1 to {MOST} of those that GET names")
    if not isinstance(invite, bool):
        abort(400, "with_attendees must be true or false")
    account = api_calls.existing(calsync, user)
    done = _restorer(calsync).restore(
        account, list(dict.fromkeys(map(str, ids))), with_attendees=invite, by=by
    )
    return jsonify(restored=[{"id": one.entry_id, "done": one.done, "text": one.text} for one in done])


def _restorer(calsync: Calsync) -> Restorer:
    return Restorer(calsync.store, calsync.gateway, calsync.open_mailbox, calsync.entities)


def _time(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
