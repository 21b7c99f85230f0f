"""What a page shows of a booking calendar's week: its grid, who is not counted, and why it is empty.

Decides the words for an empty week. Which times are free lies in `booking.slots`; of members it is told
whether they are free, never what they do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from calsync_plugin.booking.availability import UserTime
from calsync_plugin.booking.slots import Fitting, FoundSlots, SlotQuery
from calsync_plugin.domain.availability import Interval, cut
from calsync_plugin.domain.slots import DAY, Mode
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.graph import zones
from calsync_plugin.state import BookingCalendar
from calsync_plugin.web.booking_words import Person, people
from calsync_plugin.web.slot_grid import DAYS, Grid, grid
from calsync_plugin.wording import gettext as _

SEEN_AHEAD = (4, 28)
"""Days in which the next free time is looked for: in the few first, then in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeTimes:
    """One week of one booking calendar."""

    grid: Grid
    minutes: int
    """How long a meeting takes."""
    people: Mapping[str, Person]
    """Whose time it is, in the order of their names."""
    all_needed: bool
    lacking: tuple[tuple[str, str], ...] = ()
    """Names of those who are not counted, and why."""
    problems: tuple[tuple[str, str], ...] = ()
    """Names of those whose time is told as far as it is known, and what is wrong with it."""
    empty: str = ""
    """Why nothing can be booked in this week."""
    read_at: datetime | None = None


def week_of(monday: date, zone: str) -> Interval:
    """The seconds of a week in a zone."""
    first, last = (
        zones.instant(datetime.combine(day, time(0)), zone) for day in (monday, monday + timedelta(days=DAYS))
    )
    return int(first.timestamp()), int(last.timestamp())


def next_free(calsync: Calsync, calendar: BookingCalendar, asked_user: str = "") -> datetime | None:
    """The next free time: most have one within days, so that not all of the weeks are reckoned for it."""
    now = int(calsync.clock.now())
    for days in SEEN_AHEAD:
        query = SlotQuery(window=(now, now + days * DAY), calendar_id=calendar.id, asked_user=asked_user)
        for slot in calsync.desk.slots.find(query, limit=1).slots:
            return datetime.fromtimestamp(slot.start, UTC)
    return None


def free_times(
    calsync: Calsync, calendar: BookingCalendar, monday: date, today: date, zone: str, asked_user: str = ""
) -> FreeTimes:
    """The week that begins on `monday` in `zone`. Raises SettingsError for a calendar without slots."""
    window = week_of(monday, zone)
    query = SlotQuery(window=window, calendar_id=calendar.id, asked_user=asked_user)
    fitting = calsync.desk.slots.fit(query)
    all_needed = fitting.wanted.mode is Mode.COLLECTIVE
    # Of a team that comes together it is shown who is free alone, too.
    anybody = replace(fitting, wanted=replace(fitting.wanted, mode=Mode.ROUND_ROBIN))
    found = calsync.desk.slots.fill(anybody)
    known = people(calsync, fitting.users)
    shown = grid(
        found.slots,
        monday=monday,
        today=today,
        zone=ZoneInfo(zone),
        names={
            one.user_id: one.name for one in known.values() if all_needed or one.user_id not in found.lacking
        },
        all_needed=all_needed,
        step=fitting.wanted.step,
    )
    return FreeTimes(
        grid=shown,
        minutes=fitting.wanted.duration // 60,
        people=known,
        all_needed=all_needed,
        lacking=tuple((one.name, found.lacking[u]) for u, one in known.items() if u in found.lacking),
        problems=tuple((one.name, text) for u, one in known.items() for text in found.problems.get(u, ())),
        empty=_why_empty(calsync, fitting, found, window) if shown.is_empty else "",
        read_at=found.read_at,
    )


def _why_empty(calsync: Calsync, fitting: Fitting, found: FoundSlots, window: Interval) -> str:
    now = calsync.clock.now()
    last = int(now) + fitting.rules.days_ahead * DAY
    counted = [one for one in fitting.users if one not in found.lacking]
    if window[1] <= now:
        return _("This week is over.")
    if window[1] <= fitting.wanted.earliest:
        return _("All of this week is too soon to be booked.")
    if window[0] >= last:
        return _("Times are offered until %(day)s only.", day=_day(last, fitting))
    if not counted:
        return _("Nobody of this booking calendar can be booked now; it says above why.")
    if fitting.wanted.mode is Mode.COLLECTIVE and found.lacking:
        return _("All members are needed, and not all of them can be booked; it says above who, and why.")
    times = calsync.desk.availability.of(counted, *window)
    left = max(window[0], fitting.wanted.earliest), fitting.wanted.window[1]
    works = [fitting.hours.within(window) if fitting.hours else one.hours for one in times]
    if not any(cut(hours, left) for hours in works):
        return _("Nobody works on the days of this week that can still be booked.")
    if all(one.unknown(window) == [window] for one in times):
        return _beyond(times, fitting)
    if fitting.wanted.mode is Mode.COLLECTIVE and len(counted) > 1:
        return _("There is no time in this week at which all members are free.")
    return _("All times of this week are taken.")


def _beyond(times: list[UserTime], fitting: Fitting) -> str:
    until = [one.known_until for one in times if one.known_until]
    if not until:
        return _("Nothing is known of this week yet.")
    return _(
        "Free and busy times are known until %(day)s only.", day=_day(int(max(until).timestamp()), fitting)
    )


def _day(second: int, fitting: Fitting) -> date:
    return zones.wall(datetime.fromtimestamp(second, UTC), fitting.zone).date()
