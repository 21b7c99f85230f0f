"""`/booking-calendars`: the free times of a person or a team, week by week.

Decides who sees which booking calendar: its members and administrators; for anybody else it is not there.
Which times are free is `booking.slots`' to say; booking one lies in `booking_form`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import FeatureOff, SettingsError
from calsync_plugin.graph import zones
from calsync_plugin.state import BookingCalendar, CalendarKind
from calsync_plugin.web.booking_asked import asked_user, asked_zone, check_enabled, kept, week_address
from calsync_plugin.web.booking_form import add_form
from calsync_plugin.web.booking_words import EVENT_WHY, KINDS, people
from calsync_plugin.web.free_times import FreeTimes, free_times, next_free, week_of
from calsync_plugin.web.known_sentences import in_words, known
from calsync_plugin.web.slot_grid import DAYS
from calsync_plugin.web.speaking import tell
from calsync_plugin.web.visitors import signed_in, visitor
from calsync_plugin.web.week import monday_of
from calsync_plugin.wording import gettext as _

VIEWS = ("list", "grid")
Page = str | Response | tuple[str, int]


def booking_pages(calsync: Calsync) -> Blueprint:
    """The booking calendars of one bridge, for those who may book."""
    pages = Blueprint("booking", __name__)

    def find(calendar_id: str) -> BookingCalendar:
        return _visible(calsync, calendar_id)

    @pages.get("/booking-calendars")
    @signed_in
    def calendars() -> Page:
        found = calsync.desk.calendars.visible_to(visitor().user_id, admin=visitor().admin)
        return render_template(
            "booking/calendars.html",
            calendars=found,
            kinds=KINDS,
            admin=visitor().admin,
            off=_why_off(calsync),
        )

    @pages.get("/booking-calendars/<calendar_id>")
    @signed_in
    def calendar(calendar_id: str) -> Page:
        return _shown(calsync, find(calendar_id))

    @pages.post("/booking-calendars/<calendar_id>/look")
    @signed_in
    def look(calendar_id: str) -> Page:
        return _looked(calsync, find(calendar_id))

    add_form(pages, calsync, find)
    return pages


def _visible(calsync: Calsync, calendar_id: str) -> BookingCalendar:
    mine = calsync.desk.calendars.visible_to(visitor().user_id, admin=visitor().admin)
    found = next((one for one in mine if one.id == calendar_id), None)
    if found is None:
        abort(404, _("There is no such booking calendar, or you are not a member of it."))
    return found


def _why_off(calsync: Calsync) -> str:
    """Why free times are neither shown to this visitor nor booked; empty if they are."""
    try:
        check_enabled(calsync)
    except FeatureOff as error:
        return known(in_words(error))
    return ""


def _shown(calsync: Calsync, calendar: BookingCalendar) -> Page:
    about = {
        "calendar": calendar,
        "kind": KINDS[calendar.kind],
        "admin": visitor().admin,
        "event_why": EVENT_WHY if calendar.kind is CalendarKind.EVENT else "",
    }
    if calendar.kind is CalendarKind.EVENT:
        return render_template("booking/calendar.html", **about, week=None)
    zone, wrong = asked_zone(calsync, calendar)
    today = zones.wall(datetime.fromtimestamp(calsync.clock.now(), UTC), zone).date()
    asked_week = request.args.get("week", "")
    monday = monday_of(asked_week, today)
    off, week = "", None
    try:
        check_enabled(calsync)
        week = free_times(calsync, calendar, monday, today, zone, asked_user(calendar))
        if week.empty and not asked_week:
            monday = _first_monday(calsync, calendar, zone) or monday
            week = free_times(calsync, calendar, monday, today, zone, asked_user(calendar))
    except (FeatureOff, SettingsError) as error:
        off = known(in_words(error))
    return render_template(
        "booking/calendar.html",
        **about,
        week=week,
        off=off,
        wrong_zone=wrong,
        monday=monday,
        before=monday - timedelta(days=DAYS),
        this_week=today - timedelta(days=today.weekday()),
        after=monday + timedelta(days=DAYS),
        zone=zone,
        zones=_zones(calsync, zone, week),
        asked=kept(calendar),
        names=_givers(calsync, calendar),
        view=request.args.get("view", "") if request.args.get("view") in VIEWS else "",
    )


def _first_monday(calsync: Calsync, calendar: BookingCalendar, zone: str) -> date | None:
    """The week of the next free time, for whoever asks for none."""
    found = next_free(calsync, calendar, asked_user(calendar))
    return monday_of("", zones.wall(found, zone).date()) if found else None


def _looked(calsync: Calsync, calendar: BookingCalendar) -> Page:
    """Ask Outlook about the members' week, and show it anew."""
    check_enabled(calsync)
    zone, _wrong = asked_zone(calsync, calendar)
    today = zones.wall(datetime.fromtimestamp(calsync.clock.now(), UTC), zone).date()
    monday = monday_of(request.args.get("week", ""), today)
    if calendar.members:
        told = calsync.desk.looking.look(sorted(calendar.members), *week_of(monday, zone))
        if any(told.values()):
            tell(_("Outlook could not be asked about everybody; what was known before is shown."), "warning")
        else:
            tell(_("Outlook was asked just now."), "success")
    return redirect(week_address(calendar, monday), 303)


def _givers(calsync: Calsync, calendar: BookingCalendar) -> dict[str, str]:
    """Names of those who give a service, by id: one of them can be asked for."""
    if calendar.kind is not CalendarKind.SERVICE:
        return {}
    return {one.user_id: one.name for one in people(calsync, list(calendar.members)).values()}


def _zones(calsync: Calsync, zone: str, week: FreeTimes | None) -> list[str]:
    """Those in which somebody here lives: the reader, the CRM, the members."""
    accounts = calsync.store.accounts.many(list(week.people)) if week else {}
    named = (zone, calsync.crm_zone(), *(one.user_zone or one.zone for one in accounts.values()))
    return sorted({found for name in named if name and (found := zones.iana(name))})
