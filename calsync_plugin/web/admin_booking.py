"""`/admin/booking-calendars`: what can be booked, and with whom.

Decides what an administrator sees of it. What can be saved lies in `booking.calendars`, which also writes the
audit log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.booking.calendars import LONGEST_NAME, MOST_PRIORITY
from calsync_plugin.booking.features import Feature, off_for_admin
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import FeatureOff, RemoteError, SettingsError, StaleLink
from calsync_plugin.state import BookingCalendar, CalendarKind
from calsync_plugin.web.booking_asked import zone_for
from calsync_plugin.web.booking_setup import (
    SCHEMA,
    Shown,
    again,
    blame,
    differences,
    entered,
    of_calendar,
    only_looks,
    refuse,
    rule_choices,
)
from calsync_plugin.web.booking_words import EVENT_WHY, KINDS, Person, people, standing_of
from calsync_plugin.web.free_times import SEEN_AHEAD, next_free
from calsync_plugin.web.known_sentences import in_words, known
from calsync_plugin.web.schema_forms import SchemaForm, form_class
from calsync_plugin.web.speaking import say, tell
from calsync_plugin.web.visitors import admin_only, visitor
from calsync_plugin.wording import gettext as _

NEEDED = (Feature.BOOKINGS, Feature.AVAILABILITY)
"""Without these nobody can be booked."""
FOUND = 20
"""Users whom a search shows; whoever looks for more has to say more."""
LONGEST_SEARCH = 100
Page = str | Response | tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One booking calendar of the list."""

    calendar: BookingCalendar
    people: tuple[Person, ...]
    next: datetime | None = None
    zone: str = ""
    """In which that is told."""
    why: str = ""
    """Why there is no next free time."""


def booking_setup_pages(calsync: Calsync) -> Blueprint:
    """The booking calendars of one bridge, for administrators."""
    pages = Blueprint("admin_booking", __name__)

    @pages.get("/admin/booking-calendars")
    @admin_only
    def listed() -> Page:
        return _list(calsync)

    @pages.route("/admin/booking-calendars/new", methods=["GET", "POST"])
    @admin_only
    def new() -> Page:
        return _edited(calsync, None)

    @pages.route("/admin/booking-calendars/<calendar_id>", methods=["GET", "POST"])
    @admin_only
    def form(calendar_id: str) -> Page:
        return _edited(calsync, _known(calsync, calendar_id))

    @pages.post("/admin/booking-calendars/<calendar_id>/remove")
    @admin_only
    def remove(calendar_id: str) -> Page:
        calendar = _known(calsync, calendar_id)
        calsync.desk.calendars.remove(_actor(), calendar_id)
        tell(_("%(name)s was removed; what was booked stays booked.", name=calendar.name), "success")
        return redirect(url_for("admin_booking.listed"), 303)

    return pages


def _known(calsync: Calsync, calendar_id: str) -> BookingCalendar:
    found = calsync.store.booking_calendars.get(calendar_id)
    if found is None:
        abort(404, _("There is no such booking calendar; somebody may have removed it."))
    return found


def _actor() -> Actor:
    return Actor(visitor().user_id, visitor().name)


def _edited(calsync: Calsync, calendar: BookingCalendar | None) -> Page:
    form_of = form_class(SCHEMA, rule_choices(calsync))
    if request.method == "GET":
        shown = of_calendar(calendar) if calendar else Shown()
        return _form(calsync, form_of.of(calendar.rules if calendar else {}), shown)
    form, shown = form_of(), entered(calendar)
    if only_looks():
        return _form(calsync, form, shown)
    rules = form.document()
    wrong = form.problems(rules)
    if blame(form, shown) or wrong:
        return _form(calsync, form, shown), 422
    if calendar is not None and calendar.version != shown.version:
        return _changed_meanwhile(calsync, form, shown, rules), 409
    try:
        saved = calsync.desk.calendars.save(_actor(), shown.calendar(rules))
    except SettingsError as error:
        if isinstance(error.__cause__, StaleLink):
            return _changed_meanwhile(calsync, form, shown, rules), 409
        refuse(form, error)
        return _form(calsync, form, shown), 422
    except RemoteError:
        form.wrong[""] = [say(_("The CRM does not answer now, so nothing was saved. Try again in a minute."))]
        return _form(calsync, form, shown), 502
    tell(_("Saved."), "success")
    return redirect(url_for("booking.calendar", calendar_id=saved.id), 303)


def _changed_meanwhile(calsync: Calsync, form: SchemaForm, shown: Shown, rules: Mapping[str, Any]) -> str:
    """The form as it was entered, to be saved over what somebody else saved, with what that is."""
    saved = _known(calsync, shown.id)
    names = {one.user_id: one.name for one in people(calsync, list(saved.members)).values()}
    changed = differences(shown, rules, saved, names, form)
    return _form(calsync, form, again(shown, saved), changed)


def _form(calsync: Calsync, form: SchemaForm, shown: Shown, changed: Sequence[str] = ()) -> str:
    search = request.form.get("search", "").strip()[:LONGEST_SEARCH]
    found, lack = _found(calsync, search)
    return render_template(
        "admin/booking_calendar.html",
        form=form,
        shown=shown,
        changed=changed,
        kinds=KINDS,
        event_why=EVENT_WHY,
        people=list(people(calsync, list(shown.members)).values()),
        search=search,
        found=found,
        lack=lack,
        longest_name=LONGEST_NAME,
        highest=MOST_PRIORITY,
    )


def _found(calsync: Calsync, search: str) -> tuple[list[Person], str]:
    """Users of the CRM who are called like that, or why they cannot be looked for."""
    if not search:
        return [], ""
    try:
        users = calsync.gateway.staff.users(search=search, limit=FOUND).users
    except RemoteError:
        return [], _("The CRM does not answer now, so nobody can be looked for. Try again in a minute.")
    accounts = calsync.store.accounts.many([user.id for user in users])
    return [
        Person(
            user_id=user.id,
            name=user.name or user.user_name,
            address=user.addresses[0] if user.addresses else "",
            standing=standing_of(accounts.get(user.id))[0],
        )
        for user in users
    ], ""


def _list(calsync: Calsync) -> str:
    off = ""
    try:
        for feature in NEEDED:
            calsync.desk.features.check(feature, visitor().user_id, admin=True)
    except FeatureOff as error:
        off = known(in_words(error))
    calendars = calsync.desk.calendars.list()
    everybody = people(calsync, sorted({one for calendar in calendars for one in calendar.members}))
    lines = [_line(calsync, calendar, everybody) for calendar in calendars]
    return render_template("admin/booking_calendars.html", lines=lines, kinds=KINDS, off=off)


def _line(calsync: Calsync, calendar: BookingCalendar, everybody: Mapping[str, Person]) -> Line:
    members = tuple(person for user_id, person in everybody.items() if user_id in calendar.members)
    if calendar.kind is CalendarKind.EVENT:
        return Line(calendar=calendar, people=members, why=_("none: not connected to Outlook"))
    try:
        found = next_free(calsync, calendar)
    except SettingsError as error:
        return Line(calendar=calendar, people=members, why=known(in_words(error)))
    if found is None:
        return Line(calendar=calendar, people=members, why=_why_none(calsync, calendar))
    return Line(calendar=calendar, people=members, next=found, zone=zone_for(calsync, calendar))


def _why_none(calsync: Calsync, calendar: BookingCalendar) -> str:
    """What is switched off for a member whom it needs, before that there is no time."""
    closed = calsync.desk.features.closed_for(sorted(calendar.members)).values()
    off = [next((gates[one] for one in NEEDED if one in gates), None) for gates in closed]
    first = next(filter(None, off), None)
    if first is not None and (all(off) or calendar.kind is CalendarKind.COLLECTIVE):
        return _("none: %(reason)s", reason=known(off_for_admin(first)))
    return _("none in %(num)s days", num=SEEN_AHEAD[-1])
