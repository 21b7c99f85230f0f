"""`/api/v1` for administrators: grants, and the log of who changed what.

Decides how they read in JSON. Who has which grant, and what follows from it, is decided in `accounts`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request

from calsync_plugin.accounts import crm_grants, giving
from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.accounts.entitled import host_decides
from calsync_plugin.accounts.grants import NEEDED
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.state import AuditEntry, Given, Subject
from calsync_plugin.web import api_calls

Answer = Response | tuple[Response, int]
LONGEST_ID = 100


def about_grants(pages: Blueprint, calsync: Calsync) -> None:
    """Add the addresses of grants."""

    @pages.get("/grants")
    def grants() -> Answer:
        api_calls.administrator(calsync, "list grants")
        named = host_decides(calsync) or crm_grants.decides(calsync.store)
        given = [_given(one) for one in giving.listed(calsync)]
        return jsonify(grants=given, named_by_crm=named)

    @pages.put("/grants/<kind>/<subject>")
    def put_grants(kind: str, subject: str) -> Answer:
        actor = api_calls.administrator(calsync, "give grants")
        names = api_calls.body().get("grants")
        if not isinstance(names, list) or not all(isinstance(n, str) and n in NEEDED for n in names):
            abort(400, f"the body must hold grants: a list out of {', '.join(sorted(NEEDED))}")
        return _set(calsync, actor, kind, subject, [str(name) for name in names])

    @pages.delete("/grants/<kind>/<subject>")
    def delete_grants(kind: str, subject: str) -> Answer:
        return _set(calsync, api_calls.administrator(calsync, "take grants"), kind, subject, ())


def about_audit(pages: Blueprint, calsync: Calsync) -> None:
    """Add the address of the audit log."""

    @pages.get("/audit")
    def audit() -> Answer:
        who, user = api_calls.caller(calsync), request.args.get("user", "")
        if not who.admin and (not user or who.user_id != user):
            abort(403, "only an administrator may read what others changed")
        limit = api_calls.limit(50)
        before = api_calls.number("before", api_calls.LARGEST_ID)
        found = calsync.store.audit.entries(user_id=user, before=before, limit=limit + 1)
        page = found[:limit]
        return jsonify(
            entries=[_entry(one) for one in page], next=page[-1].id if len(found) > limit else None
        )


def _set(calsync: Calsync, actor: Actor, kind: str, subject_id: str, names: Collection[str]) -> Answer:
    subject = Subject(kind, subject_id)
    fits = kind in giving.KINDS and len(subject_id) <= LONGEST_ID and subject_id.isprintable()
    if not fits or (names and giving.known(calsync, subject) is None):
        abort(404, "the CRM knows no such role, team or user")
    outcome = giving.set_to(calsync, actor, subject, names)
    return jsonify(
        name=outcome.subject_name,
        grants=sorted(names),
        changed=list(outcome.changed),
        later=outcome.later,
    )


def _given(one: Given) -> dict[str, Any]:
    return {
        "kind": one.subject.kind,
        "id": one.subject.id,
        "subject": one.subject_name,
        "grant": one.name,
        "given_by": one.given_by,
        "given_at": one.given_at.isoformat(timespec="seconds"),
    }


def _entry(one: AuditEntry) -> dict[str, Any]:
    return {
        "id": one.id,
        "at": one.at.isoformat(timespec="seconds"),
        "actor": one.actor_name or one.actor_id,
        "user": one.user_id,
        "subject": one.subject,
        "text": one.text,
    }
