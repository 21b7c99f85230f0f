"""`/external-account/availability`: when a user is busy, and where that comes from.

Decides which week is shown and what of the page is renewed while something is read. What can be changed on it
lies in `account_busy_sources`; what makes somebody busy is `booking`'s to say.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

from flask import Blueprint, request

from calsync_plugin.accounts import report
from calsync_plugin.booking.features import Feature
from calsync_plugin.booking.own_times import OwnTimes, own_times
from calsync_plugin.domain.availability import Interval
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import FeatureOff
from calsync_plugin.graph import zones
from calsync_plugin.settings import user_settings
from calsync_plugin.state import OF_MAILBOX, Account, BusySource
from calsync_plugin.web.account_bookable import booked_next, memberships
from calsync_plugin.web.account_frame import Page, connected, framed
from calsync_plugin.web.busy_calendars import calendars_of
from calsync_plugin.web.busy_days import DAYS, EVER, BusyDay, Look, Taking, days_of, window_of
from calsync_plugin.web.busy_grid import grid_of, looks
from calsync_plugin.web.busy_words import BOOKINGS, KINDS, NAMELESS, SourceState, state_of
from calsync_plugin.web.showing import zone_of_page
from calsync_plugin.web.speaking import say
from calsync_plugin.web.visitors import visitor
from calsync_plugin.web.week import monday_of
from calsync_plugin.wording import gettext as _

BOOKING = "booking"
NOTHING: Interval = (EVER[1], EVER[0])
"""What is known where not all was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """A source as the page lists it."""

    source: BusySource
    look: Look
    name: str
    kind: str
    state: SourceState
    shown: str = ""
    """A calendar address, masked; of a colleague the address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What was entered and refused: in which form, the name again, and what is wrong. Never an address."""

    form: str = ""
    name: str = ""
    wrong: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """Which week is shown, in which zone."""

    monday: date
    today: date
    zone: str

    @property
    def before(self) -> date:
        """The week before it."""
        return self.monday - timedelta(days=DAYS)

    @property
    def after(self) -> date:
        """The week after it."""
        return self.monday + timedelta(days=DAYS)


def availability_page(pages: Blueprint, calsync: Calsync) -> None:
    """Add the page."""

    @pages.get("/external-account/availability")
    @connected(calsync)
    def availability(account: Account) -> Page:
        return busy_page(calsync, account)


def busy_page(calsync: Calsync, account: Account, entered: Entered | None = None) -> str:
    """The page as it is now. It stays when free and busy times are off: that is about what others learn."""
    off, week = gates(calsync, account), _week(calsync)
    common: dict[str, Any] = {"off": off, "week": week, "entered": entered or Entered()}
    if Feature.BOOKINGS not in off:
        common |= {"memberships": memberships(calsync, account), "booked": booked_next(calsync, account)}
    found = own_times(calsync.store, account, window_of(week.monday, week.zone), calsync.crm_zone)
    drawn = looks([one.source.kind.value if one.source else BOOKING for one in found.sources])
    rows, known = _rows(calsync, account, found, drawn), _known(found)
    days = _days(week, found, drawn, known)
    return framed(
        account,
        "availability.html",
        **common,
        days=days,
        grid=grid_of(days),
        looks=drawn,
        rows=rows,
        bookings=next((look for one, look in zip(found.sources, drawn, strict=True) if not one.source), None),
        reading=[row.name for row in rows if row.state.busy],
        unknown=_unknown(week, known),
        unbookable=_unbookable(off, found),
        reads=reads_mailbox(calsync, account),
        digest=sha256(repr((days, rows)).encode()).hexdigest()[:16],
        calendars=calendars_of(calsync.store, account),
        settings=user_settings(account.settings),
    )


def gates(calsync: Calsync, account: Account) -> dict[Feature, str]:
    """What is off for the visitor, and what the visitor is told of it."""
    found: dict[Feature, str] = {}
    for feature in Feature:
        try:
            calsync.desk.features.check(feature, account.user_id, admin=visitor().admin)
        except FeatureOff as error:
            found[feature] = error.args[0]
    return found


def _week(calsync: Calsync) -> Week:
    """The week of the day that was asked for, else this one; years that no calendar has are none."""
    zone = zone_of_page(calsync) or "UTC"
    today = zones.wall(datetime.fromtimestamp(calsync.clock.now(), UTC), zone).date()
    monday = monday_of(request.values.get("week", ""), today)
    return Week(monday=monday, today=today, zone=zone)


def _days(week: Week, found: OwnTimes, drawn: list[Look], known: Interval) -> list[BusyDay]:
    takings = [
        Taking(look=look, name=_name(one.source), spans=one.spans)
        for one, look in zip(found.sources, drawn, strict=True)
    ]
    return days_of(week.monday, week.today, week.zone, takings, found.hours, known)


def _rows(calsync: Calsync, account: Account, found: OwnTimes, drawn: list[Look]) -> list[SourceRow]:
    store = calsync.store
    feeds = {feed.source.id: feed for feed in store.feeds.of(account.user_id)}
    anything, syncs = reads_anything(calsync), reads_mailbox(calsync, account)
    return [
        SourceRow(
            source=one.source,
            look=look,
            name=_name(one.source),
            kind=KINDS[one.source.kind],
            state=state_of(
                one.source,
                reads=syncs if one.source.kind in OF_MAILBOX else anything,
                waits=one.source.id in feeds and feeds[one.source.id].due_at <= store.clock.now(),
            ),
            shown=feeds[one.source.id].shown if one.source.id in feeds else "",
        )
        for one, look in zip(found.sources, drawn, strict=True)
        if one.source is not None
    ]


def reads_anything(calsync: Calsync) -> bool:
    """Whether anything is read for anybody at present."""
    return calsync.settings.graph.enabled and not calsync.store.installation.get().paused


def reads_mailbox(calsync: Calsync, account: Account) -> bool:
    """Whether this account's mailbox is read at present."""
    return account.status in report.SYNCING and reads_anything(calsync)


def _name(source: BusySource | None) -> str:
    return BOOKINGS if source is None else source.name or NAMELESS


def _known(found: OwnTimes) -> Interval:
    """For which time all sources are known: for none as long as one was never read."""
    if _unread(found) is not None:
        return NOTHING
    spans = [(one.source.known_from, one.source.known_until) for one in found.sources if one.source]
    return (
        max((int(start.timestamp()) for start, _ in spans if start), default=EVER[0]),
        min((int(end.timestamp()) for _, end in spans if end), default=EVER[1]),
    )


def _unread(found: OwnTimes) -> list[str] | None:
    """The names of those that were never read, so that nobody can be offered a time; None if all were.

    An address that failed ever since it was added is none of them (`booking.trust`).
    """
    sources = [one.source for one in found.sources if one.source]
    counted = [one for one in sources if one.known_until or one.kind in OF_MAILBOX or not one.error]
    unread = [_name(one) for one in counted if one.read_at is None or one.known_until is None]
    return unread if unread or not counted else None


def _unbookable(off: Collection[Feature], found: OwnTimes) -> str:
    """Why nobody can book the user at present, as far as that lies with what was never read."""
    unread = _unread(found)
    if unread is None or Feature.AVAILABILITY in off or Feature.BOOKINGS in off:
        return ""
    if not unread:
        return _("Nobody can book you until a calendar was read that tells when you are busy.")
    return _(
        "Nobody can book you until this was read or is taken off: %(calendars)s.",
        calendars=", ".join(say(one) for one in unread),
    )


def _unknown(week: Week, known: Interval) -> tuple[date | None, date | None]:
    """Before and after which days of the week it is not known whether anything takes time up."""
    start, end = window_of(week.monday, week.zone)
    if known == NOTHING:
        return None, None
    return (
        _day(known[0], week.zone) if known[0] > start else None,
        _day(known[1], week.zone) if known[1] < end else None,
    )


def _day(second: int, zone: str) -> date:
    return zones.wall(datetime.fromtimestamp(second, UTC), zone).date()
