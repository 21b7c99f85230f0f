"""`/admin/grants`: who may connect Outlook and sync a calendar.

Decides how users, teams and roles are found and shown. What giving and taking does lies in `accounts.giving`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, url_for
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
from calsync_plugin.web.speaking import say, tell
from calsync_plugin.web.visitors import admin_only, visitor
from calsync_plugin.wording import gettext as _
from calsync_plugin.wording import ngettext as _n

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
        tell(_told(outcome, gives=gives), "success")
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
        lack = _(
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
        return _(
            "Saved for %(name)s. The accounts concerned follow as soon as the CRM answers again.", name=name
        )
    if gives:
        follows = (
            _n("%(num)s account goes on.", "%(num)s accounts go on.", count)
            if count
            else _("Users can connect now.")
        )
        return " ".join((say(_("%(name)s may use Outlook.", name=name)), say(follows)))
    said = [_("Taken away from %(name)s.", name=name)]
    if count:
        stopped = _n(
            "%(num)s account stopped; nothing was deleted.",
            "%(num)s accounts stopped; nothing was deleted.",
            count,
        )
        said.append(stopped)
    if outcome.still:
        said.append(_("This user may still use it by a team or role."))
    return " ".join(say(one) for one in said)
