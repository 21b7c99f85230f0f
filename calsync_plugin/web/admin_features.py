"""`/admin/features`: what an administrator switched off, for everybody, a team or a role.

Decides how it is shown, and for whom it can be switched off by a click. Whom a gate keeps out, and what
people read then, lies in `booking.features`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.booking.features import EVERYBODY, NOT_FOR_YOU, ROLE, TEAM, Feature, off_for_admin
from calsync_plugin.crm.staff import Group, Groups
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import RemoteError
from calsync_plugin.state import Gate, Subject
from calsync_plugin.web.speaking import tell
from calsync_plugin.web.visitors import admin_only, visitor
from calsync_plugin.wording import Wording
from calsync_plugin.wording import gettext as _

Page = str | Response | tuple[str, int]
WHAT: Mapping[Feature, Wording] = MappingProxyType(
    {
        Feature.CONFLICT_CALENDARS: _(
            "Users add further calendars that make them busy. Off: none can be added; those that are there "
            "go on counting."
        ),
        Feature.FEEDS: _(
            "Users add calendars of other services by their address. Off: none can be added; those that are "
            "there go on counting."
        ),
        Feature.AVAILABILITY: _(
            "Others can ask when a user is busy, never what for. Off: nobody learns it, and the user "
            "cannot be booked."
        ),
        Feature.BOOKINGS: _(
            "Free times are found and booked. Off: the user is offered none, and cannot be booked."
        ),
    }
)
"""What a feature does, and what is left without it."""
EXAMPLE = Gate(feature=Feature.BOOKINGS.value, subject=EVERYBODY)
"""Shows what would be read, while nothing is off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One feature, with what is off of it, and for which teams and roles it can be switched off."""

    feature: Feature
    what: str
    everybody: Gate | None
    gates: Mapping[str, tuple[Gate, ...]]
    """By kind of subject: teams and roles."""
    left: Mapping[str, tuple[Group, ...]]


def feature_pages(calsync: Calsync) -> Blueprint:
    """The feature gates of one bridge."""
    pages = Blueprint("admin_features", __name__)

    @pages.get("/admin/features")
    @admin_only
    def listed() -> Page:
        return _shown(calsync)

    @pages.post("/admin/features")
    @admin_only
    def change() -> Page:
        feature = _feature(request.form.get("feature", ""))
        subject = Subject(request.form.get("kind", ""), request.form.get("id", ""))
        actor = Actor(visitor().user_id, visitor().name)
        if subject.kind != EVERYBODY.kind and not subject.id:
            tell(_("Nobody was chosen, so nothing was changed."), "warning")
        elif request.form.get("do") == "on":
            calsync.desk.features.open(actor, feature, subject)
            tell(_("%(feature)s: switched on again.", feature=feature.shown), "success")
        else:
            calsync.desk.features.close(actor, feature, subject)
            tell(_("%(feature)s: switched off.", feature=feature.shown), "success")
        return redirect(url_for("admin_features.listed"), 303)

    return pages


def _feature(name: str) -> Feature:
    if name not in set(Feature):
        abort(404, _("There is no such feature."))
    return Feature(name)


def _shown(calsync: Calsync) -> str:
    lack, groups = "", Groups()
    try:
        groups = calsync.gateway.staff.groups()
    except RemoteError:
        lack = _("The CRM does not answer now: its teams and roles cannot be shown. Try again in a minute.")
    closed = calsync.desk.features.all()
    return render_template(
        "admin/features.html",
        lines=[_line(feature, closed, groups) for feature in Feature],
        groups=groups,
        lack=lack,
        user_reads=NOT_FOR_YOU,
        admin_reads=[off_for_admin(gate) for gate in closed or [EXAMPLE]],
        example=not closed,
    )


def _line(feature: Feature, closed: list[Gate], groups: Groups) -> Line:
    own = [gate for gate in closed if gate.feature == feature.value]
    gates = {kind: tuple(gate for gate in own if gate.subject.kind == kind) for kind in (TEAM, ROLE)}
    off = {gate.subject for gate in own}
    offered = {TEAM: groups.teams, ROLE: groups.roles}
    return Line(
        feature=feature,
        what=WHAT[feature],
        everybody=next((gate for gate in own if gate.subject == EVERYBODY), None),
        gates=gates,
        left={
            kind: tuple(one for one in offered[kind] if Subject(kind, one.id) not in off)
            for kind in (TEAM, ROLE)
        },
    )
