"""`/admin/grants`: who may connect Outlook and sync a calendar.

Decides how users, teams and roles are found and shown. What giving and taking does lies in `accounts.giving`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from calsync_plugin.accounts import crm_grants
from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.accounts.giving import Outcome, give, listed, take
from calsync_plugin.accounts.grants import NEEDED
from calsync_plugin.bundle import manifest
from calsync_plugin.crm.staff import Colleague
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import RemoteError
from calsync_plugin.state import Given, Subject
from calsync_plugin.web.visitors import admin_only, visitor

FOUND = 20
"""Users whom a search shows; whoever looks for more has to say more."""
Page = str | Response | tuple[str, int]


@dataclass(frozen=True, slots=True)
class Holder:
    """A user, team or role with all its grants."""

    subject: Subject
    name: str
    grants: tuple[Given, ...]


def grant_pages(calsync: Calsync) -> Blueprint:
    """The grants of one bridge."""
    pages = Blueprint("admin_grants", __name__)

    @pages.get("/admin/grants", endpoint="listed")
    @admin_only
    def overview() -> Page:
        return _shown(calsync, request.args.get("search", ""))

    @pages.post("/admin/grants")
    @admin_only
    def change() -> Page:
        subject = Subject(request.form.get("kind", ""), request.form.get("id", ""))
        actor = Actor(visitor().user_id, visitor().name)
        gives = request.form.get("do") != "take"
        named = request.form.get("grant", "")
        outcome = (give if gives else take)(calsync, actor, subject, {named} if named else NEEDED)
        flash(_told(outcome, gives=gives), "success")
        return redirect(url_for("admin_grants.listed"), 303)

    return pages


def _shown(calsync: Calsync, search: str) -> str:
    staff = calsync.gateway.staff
    lack, groups = "", None
    users: tuple[Colleague, ...] = ()
    try:
        groups = staff.groups()
        users = staff.users(search=search, limit=FOUND).users if search else ()
    except RemoteError:
        lack = (
            "The CRM does not answer now: its users, teams and roles cannot be shown. Try again in a minute."
        )
    return render_template(
        "admin/grants.html",
        holders=list(_holders(listed(calsync))),
        groups=groups,
        users=users,
        search=search,
        lack=lack,
        in_crm=crm_grants.roles(calsync.store) if crm_grants.decides(calsync.store) else None,
        needed=NEEDED,
        needs={need.name: need.description for need in manifest().grants},
    )


def _holders(given: Iterable[Given]) -> Iterator[Holder]:
    found: dict[Subject, list[Given]] = {}
    for one in given:
        found.setdefault(one.subject, []).append(one)
    for subject, grants in found.items():
        yield Holder(subject, grants[0].subject_name, tuple(grants))


def _told(outcome: Outcome, *, gives: bool) -> str:
    name, count = outcome.subject_name, len(outcome.changed)
    if outcome.later:
        return f"Saved for {name}. The accounts concerned follow as soon as the CRM answers again."
    if gives:
        return f"{name} may use Outlook. " + (
            f"{count} {'account goes' if count == 1 else 'accounts go'} on."
            if count
            else "Users can connect now."
        )
    still = " This user may still use it by a team or role." if outcome.still else ""
    return (
        f"Taken away from {name}. "
        + (
            f"{count} {'account' if count == 1 else 'accounts'} stopped; nothing was deleted."
            if count
            else ""
        )
        + still
    )
