"""What a question for slots comes to: who is looked at, and by which rules.

Decides how a question and the rules of a booking calendar go together: how long a meeting takes and how close
the offered times lie may be asked for; of notice, free time around it and daily limit the stricter counts.
What a question leaves open is as the calendar says, and without one as usual.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from calsync_plugin.booking.availability import check_window
from calsync_plugin.booking.rules import Rules, rules_of
from calsync_plugin.domain.availability import Interval, WorkingHours, local_days
from calsync_plugin.domain.slots import DAY, Mode, Wanted
from calsync_plugin.errors import SettingsError
from calsync_plugin.graph import zones
from calsync_plugin.state import BookingCalendar, CalendarKind
from calsync_plugin.wording import gettext as _

MINUTE = 60
SHORTEST_STEP = 5 * MINUTE
"""Nobody chooses among more times, and they have to be reckoned for each user."""
WITHOUT_CALENDAR = Rules(notice=0)
MODES: Mapping[CalendarKind, Mode] = {
    CalendarKind.PERSONAL: Mode.SINGLE,
    CalendarKind.ROUND_ROBIN: Mode.ROUND_ROBIN,
    CalendarKind.COLLECTIVE: Mode.COLLECTIVE,
    CalendarKind.SERVICE: Mode.ROUND_ROBIN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotQuery:
    """What is asked for, of users or of a booking calendar; durations in seconds, instants in epoch ones."""

    window: Interval
    users: tuple[str, ...] = ()
    calendar_id: str = ""
    mode: Mode | None = None
    """None: as the calendar is, or `single` for one user."""
    duration: int | None = None
    step: int | None = None
    before: int | None = None
    after: int | None = None
    notice: int | None = None
    daily_limit: int | None = None
    zone: str = ""
    """Of users: in which steps and the days of the limit are meant. A booking calendar has its own."""
    asked_user: str = ""
    """The member of a service who is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """The question in force."""

    users: tuple[str, ...]
    """Who is looked at, in the order asked."""
    wanted: Wanted
    """Window, durations, notice and limit, in seconds."""
    rules: Rules = WITHOUT_CALENDAR
    """Of the booking calendar, as they are stored."""
    calendar: BookingCalendar | None = None
    priorities: Mapping[str, int] = field(default_factory=dict)
    hours: WorkingHours | None = None
    """Those of the calendar; None: each user's own."""
    zone: str = "UTC"

    @property
    def calendar_id(self) -> str:
        """The booking calendar's id, empty without one."""
        return self.calendar.id if self.calendar else ""

    @property
    def apart(self) -> Interval:
        """What other bookings of the booking calendar need besides, before and after them.

        The free time around a meeting is part of what is wanted already: the longer of both is kept free
        between two meetings, not one after the other.
        """
        rules, wanted = self.rules, self.wanted
        return max(0, rules.before * MINUTE - wanted.after), max(0, rules.after * MINUTE - wanted.before)

    @property
    def days(self) -> Interval:
        """The whole days that the window touches, and those from which a booking's free time may reach it."""
        window, zone = self.wanted.window, self.wanted.zone
        days = list(local_days(window, zone))
        first, last = (datetime(day.year, day.month, day.day, tzinfo=zone) for day in (days[0], days[-1]))
        return int(first.timestamp()), max(int(last.timestamp()), window[1]) + 26 * 3600


def fit(
    query: SlotQuery, calendar: BookingCalendar | None, *, now: float, crm_zone: Callable[[], str]
) -> Fitting:
    """Put question and calendar together. Raises SettingsError for what has no answer, in words."""
    check_window(query.window)
    users = _of_calendar(query, calendar) if calendar else _named(query)
    rules = rules_of(calendar.rules) if calendar else WITHOUT_CALENDAR
    zone = _zone(query, rules if calendar else None, crm_zone)
    start, end = query.window
    if calendar:
        end = max(start, min(end, int(now) + rules.days_ahead * DAY))
    wanted = Wanted(
        window=(start, end),
        duration=_first(query.duration, rules.duration * MINUTE),
        step=_first(query.step, rules.step * MINUTE),
        before=_stricter(query.before, rules.before * MINUTE),
        after=_stricter(query.after, rules.after * MINUTE),
        earliest=int(now) + _stricter(query.notice, rules.notice * MINUTE),
        daily_limit=_fewer(query.daily_limit, rules.daily_limit),
        zone=zones.rules(zone) or UTC,
        mode=_mode(query, calendar, len(users)),
    )
    _check(wanted)
    return Fitting(
        users=users,
        wanted=wanted,
        rules=rules,
        calendar=calendar,
        priorities=calendar.members if calendar else {},
        hours=rules.own_hours(_first_known(rules.zone, crm_zone)) if rules.hours == "own" else None,
        zone=zone,
    )


def _named(query: SlotQuery) -> tuple[str, ...]:
    if not query.users:
        raise SettingsError(_("Name at least one user, or a booking calendar."))
    if query.asked_user:
        raise SettingsError(_("A user can be asked for in a booking calendar for a service only."))
    return tuple(dict.fromkeys(query.users))


def _of_calendar(query: SlotQuery, calendar: BookingCalendar) -> tuple[str, ...]:
    if query.users:
        raise SettingsError(_("Name users or a booking calendar, not both."))
    if calendar.kind is CalendarKind.EVENT:
        raise SettingsError(
            _(
                "The booking calendar %(name)s is for events with many guests. They are not connected to "
                "Outlook, so there are no free times to find.",
                name=calendar.name,
            )
        )
    if not calendar.members:
        raise SettingsError(_("The booking calendar %(name)s has no members.", name=calendar.name))
    if not query.asked_user:
        return tuple(sorted(calendar.members))
    if calendar.kind is not CalendarKind.SERVICE:
        raise SettingsError(_("A user can be asked for in a booking calendar for a service only."))
    if query.asked_user not in calendar.members:
        raise SettingsError(_("The user who is asked for does not give this service."))
    return (query.asked_user,)


def _mode(query: SlotQuery, calendar: BookingCalendar | None, users: int) -> Mode:
    if calendar:
        mode = Mode.SINGLE if query.asked_user else MODES[calendar.kind]
        if query.mode not in (None, mode):
            raise SettingsError(_("The mode follows from the booking calendar; leave it out."))
        return mode
    mode = query.mode or Mode.SINGLE
    if mode is Mode.SINGLE and users > 1:
        raise SettingsError(
            _("Several users need a mode: collective (all come) or round_robin (one of them takes it).")
        )
    return mode


def _check(wanted: Wanted) -> None:
    if wanted.step < SHORTEST_STEP:
        raise SettingsError(
            _(
                "The step is too short; it takes %(minutes)s minutes at least.",
                minutes=SHORTEST_STEP // MINUTE,
            )
        )
    if max(wanted.duration, wanted.step, wanted.before, wanted.after) > DAY:
        raise SettingsError(_("Duration, step and the free time around a meeting are one day at most."))


def _zone(query: SlotQuery, rules: Rules | None, crm_zone: Callable[[], str]) -> str:
    """In which days are counted: in another one than the calendar's a full day would look like two halves."""
    asked = zones.iana(query.zone) if query.zone else ""
    if query.zone and not asked:
        raise SettingsError(_("The time zone is not known; write one such as Europe/Vienna."))
    if rules is None and asked:
        return asked
    return _first_known(rules.zone if rules else "", crm_zone)


def _first_known(zone: str, crm_zone: Callable[[], str]) -> str:
    return (zones.iana(zone) if zone else "") or zones.iana(crm_zone()) or "UTC"


def _first(asked: int | None, ruled: int) -> int:
    return ruled if asked is None else asked


def _stricter(asked: int | None, ruled: int) -> int:
    return ruled if asked is None or 0 <= asked < ruled else asked


def _fewer(asked: int | None, ruled: int) -> int | None:
    limits = [limit for limit in (asked, ruled or None) if limit is not None]
    return min(limits, default=None)
