"""`/external-account/week`: a user's week, CRM and Outlook on top of each other.

Decides which week is shown and in which day's column an entry stands. What it shows lies in `accounts.week`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from calsync_plugin.accounts import report
from calsync_plugin.accounts.week import DAYS, Entry, week_of
from calsync_plugin.domain.timespan import AllDay
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.graph import zones
from calsync_plugin.state import Account, AccountStatus
from calsync_plugin.web.known_sentences import known
from calsync_plugin.web.showing import zone_of_page
from calsync_plugin.web.speaking import clock
from calsync_plugin.web.visitors import signed_in, visitor
from calsync_plugin.wording import gettext as _

CAN_READ = report.SYNCING | {AccountStatus.PAUSED, AccountStatus.NEEDS_ATTENTION}
Page = str | Response


@dataclass(frozen=True, slots=True)
class Card:
    """An entry in one day's column."""

    entry: Entry
    when: str
    detail: str


@dataclass(frozen=True, slots=True)
class Day:
    """One column."""

    date: date
    today: bool
    cards: list[Card]


def week_pages(calsync: Calsync) -> Blueprint:
    """The week of one bridge's users."""
    pages = Blueprint("week", __name__)

    @pages.get("/external-account/week")
    @signed_in
    def week() -> Page:
        account = calsync.store.accounts.get(visitor().user_id)
        if account is None or not account.mailbox_id or account.status not in CAN_READ:
            return redirect(url_for("account.overview"))
        zone = zone_of_page(calsync) or "UTC"
        today = zones.wall(datetime.fromtimestamp(calsync.clock.now(), UTC), zone).date()
        monday = monday_of(request.args.get("from", ""), today)
        return _shown(calsync, account, monday, today, zone)

    return pages


def _shown(calsync: Calsync, account: Account, monday: date, today: date, zone: str) -> str:
    entries = week_of(calsync, account, monday, zone)
    days = [
        Day(
            day,
            day == today,
            [Card(e, _when(e, day, zone), known(e.detail)) for e in entries if e.on(day, zone)],
        )
        for day in (monday + timedelta(days=n) for n in range(DAYS))
    ]
    return render_template(
        "account/week.html",
        days=days,
        empty=not entries,
        zone=zone,
        before=monday - timedelta(days=DAYS),
        after=monday + timedelta(days=DAYS),
    )


def monday_of(text: str, today: date) -> date:
    """The Monday of the day that was asked for, else of today's week; years that no calendar has are none."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = today
    if not 1970 <= day.year <= 2199:
        day = today
    return day - timedelta(days=day.weekday())


def _when(entry: Entry, day: date, zone: str) -> str:
    """The time of an entry on one day: from midnight on if it began before, to midnight if it goes on."""
    if isinstance(entry.span, AllDay):
        return _("All day")
    start, end = (zones.wall(at, zone) for at in (entry.span.start, entry.span.end))
    from_time = clock(start) if start.date() == day else "00:00"
    to_time = clock(end) if end.date() == day else "24:00"
    return _("%(start)s to %(end)s", start=from_time, end=to_time)
