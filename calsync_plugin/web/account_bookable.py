"""Where a user can be booked, and what is booked next: a part of the page `/external-account/availability`.

Decides how the rules of a booking calendar are told to its members. Of a booking the time, its booking
calendar and its record are told; what the record says is the CRM's to show.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from calsync_plugin.booking.rules import Rules, rules_of
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import SettingsError
from calsync_plugin.state import Account, Booking, BookingCalendar, CalendarKind
from calsync_plugin.web.booking_words import KINDS, KindWords
from calsync_plugin.web.showing import kind
from calsync_plugin.web.speaking import say
from calsync_plugin.wording import Wording
from calsync_plugin.wording import gettext as _
from calsync_plugin.wording import ngettext as _n

NEXT = 20
DAY, HOUR = 24 * 60, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A booking calendar of which the user is a member."""

    id: str
    name: str
    kind: KindWords
    rules: tuple[str, ...]
    event: bool
    """Not connected to Outlook: there are no free times to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """A booking that takes the user's time."""

    start: datetime
    calendar: str
    record: str
    link: str = ""
    """Where the record is in the CRM; empty where that is not known."""


def memberships(calsync: Calsync, account: Account) -> list[Membership]:
    """The user's booking calendars, by name."""
    found = calsync.store.booking_calendars.of_member(account.user_id)
    return [
        Membership(
            id=one.id,
            name=one.name,
            kind=KINDS[one.kind],
            rules=() if one.kind is CalendarKind.EVENT else tuple(_words(one)),
            event=one.kind is CalendarKind.EVENT,
        )
        for one in found
    ]


def booked_next(calsync: Calsync, account: Account) -> list[Booked]:
    """What is booked of the user's time, the next first."""
    store = calsync.store
    names = {one.id: one.name for one in store.booking_calendars.all()}
    return [
        Booked(
            start=datetime.fromtimestamp(one.start, UTC),
            calendar=names.get(one.calendar_id, "") or _("(none)"),
            record=_record(one, link := _link(calsync, one)),
            link=link,
        )
        for one in store.bookings.upcoming(account.user_id, int(calsync.clock.now()), NEXT)
    ]


def _link(calsync: Calsync, booking: Booking) -> str:
    """The record's page in EspoCRM."""
    crm = calsync.settings.crm.url.rstrip("/")
    if not crm or not booking.record_id:
        return ""
    return f"{crm}/#{quote(booking.entity_type, safe='')}/view/{quote(booking.record_id, safe='')}"


def _record(booking: Booking, link: str) -> str:
    """What kind of record it is; by its id it is found where nothing leads to it."""
    if not booking.record_id:
        return _("being made")
    name = say(kind(booking.entity_type))
    return name if link else f"{name} {booking.record_id}"


def _words(calendar: BookingCalendar) -> Iterator[str]:
    try:
        rules = rules_of(calendar.rules)
    except SettingsError:
        # Told to the administrator who can mend them.
        return
    yield _("Meetings of %(time)s.", time=_time(rules.duration))
    yield from _around(rules)
    if rules.notice:
        yield _("At the earliest %(time)s from now.", time=_time(rules.notice))
    if rules.daily_limit:
        yield _n("At most %(num)s for you on a day.", "At most %(num)s for you on a day.", rules.daily_limit)


def _around(rules: Rules) -> Iterator[str]:
    if rules.before and rules.after:
        yield _(
            "Free before it: %(before)s, and after it: %(after)s.",
            before=_time(rules.before),
            after=_time(rules.after),
        )
    elif rules.before:
        yield _("Free before it: %(time)s.", time=_time(rules.before))
    elif rules.after:
        yield _("Free after it: %(time)s.", time=_time(rules.after))


def _time(minutes: int) -> Wording:
    """A length of time in the largest unit that fits."""
    if minutes % DAY == 0:
        return _n("%(num)s day", "%(num)s days", minutes // DAY)
    if minutes % HOUR == 0:
        return _n("%(num)s hour", "%(num)s hours", minutes // HOUR)
    return _n("%(num)s minute", "%(num)s minutes", minutes)
