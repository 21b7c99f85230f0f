"""What the address of a booking calendar's page asks for besides the week: a zone, a member.

Decides that what is not understood is left out, what the page's links carry along, and that page, form and
look are open to the same visitors.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import g, request, url_for

from calsync_plugin.booking.features import Feature
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.graph import zones
from calsync_plugin.state import BookingCalendar, CalendarKind
from calsync_plugin.web.showing import zone_of_page
from calsync_plugin.web.visitors import visitor

LONGEST_ZONE = 100


def check_enabled(calsync: Calsync) -> None:
    """Raise FeatureOff, in the visitor's words, unless free times may be seen and booked here."""
    for feature in (Feature.BOOKINGS, Feature.AVAILABILITY):
        calsync.desk.features.check(feature, visitor().user_id, admin=visitor().admin)


def asked_zone(calsync: Calsync, calendar: BookingCalendar) -> tuple[str, bool]:
    """The zone in which times are shown, and whether one was asked for that nobody knows."""
    name = request.args.get("zone", "")
    asked = _zone(name)
    zone = asked or zone_for(calsync, calendar)
    # Moments on this page are told in it, too.
    g.zone = zone
    return zone, bool(name) and not asked


def zone_for(calsync: Calsync, calendar: BookingCalendar) -> str:
    """The visitor's own zone; who has none is told times as those who are booked have them.

    What the CRM says of somebody without an account may be the installation's zone, which is nobody's own.
    """
    name, account = zone_of_page(calsync), calsync.store.accounts.get(visitor().user_id)
    has_own = account is not None and bool(account.user_zone or account.zone)
    own = zones.iana(name) if name else ""
    if own and (has_own or own != _crm_zone(calsync)):
        return own
    return _zone_of(calsync, calendar)


def _zone_of(calsync: Calsync, calendar: BookingCalendar) -> str:
    """A booking calendar's zone: of its rules, the one in which all of its members live, the CRM's."""
    ruled = _zone(str(calendar.rules.get("zone") or ""))
    if ruled:
        return ruled
    accounts = calsync.store.accounts.many(list(calendar.members)).values()
    lived_in = {zones.iana(one.user_zone or one.zone) for one in accounts if one.user_zone or one.zone} - {""}
    return lived_in.pop() if len(lived_in) == 1 else _crm_zone(calsync)


def _crm_zone(calsync: Calsync) -> str:
    return zones.iana(str(calsync.crm_zone())) or "UTC"


def asked_user(calendar: BookingCalendar) -> str:
    """The member of a service who is asked for; empty: whoever is free."""
    user = request.values.get("user", "")
    return user if calendar.kind is CalendarKind.SERVICE and user in calendar.members else ""


def kept(calendar: BookingCalendar) -> dict[str, str]:
    """What was asked for, for the links of the page."""
    found = {"zone": _zone(request.args.get("zone", "")), "user": asked_user(calendar)}
    return {name: value for name, value in found.items() if value}


def week_address(calendar: BookingCalendar, monday: date) -> str:
    """The page of a week, as it was asked for before."""
    carried: dict[str, Any] = kept(calendar)
    return url_for("booking.calendar", calendar_id=calendar.id, week=monday, **carried)


def _zone(name: str) -> str:
    return zones.iana(name) if name and len(name) <= LONGEST_ZONE and name.isprintable() else ""
