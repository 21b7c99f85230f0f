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


def asked_zone(calsync: Calsync) -> tuple[str, bool]:
    """The zone in which times are shown, and whether one was asked for that nobody knows."""
    name = request.args.get("zone", "")
    asked = _zone(name)
    zone = asked or zones.iana(zone_of_page(calsync)) or "UTC"
    # Moments on this page are told in it, too.
    g.zone = zone
    return zone, bool(name) and not asked


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
