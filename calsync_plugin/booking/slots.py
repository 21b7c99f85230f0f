"""Free slots of users and of booking calendars, from what the store knows.

Decides who is left out, and why: whose time is not known, whom nobody could book because Outlook cannot be
asked at present, and who must do without bookings. Where all are
needed and one is left out there are no slots. A time of which nothing is known is never offered. All who
could take a slot are told; whose turn it is is decided when it is booked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from calsync_plugin.booking.availability import Availability, UserTime
from calsync_plugin.booking.features import Feature, Features
from calsync_plugin.booking.fitting import Fitting, SlotQuery, fit
from calsync_plugin.booking.taking import apart
from calsync_plugin.domain.availability import Interval, cut, joined
from calsync_plugin.domain.slots import Member, Mode, Slot, slots
from calsync_plugin.errors import SettingsError
from calsync_plugin.state import Store
from calsync_plugin.wording import gettext as _

__all__ = ["Fitting", "FoundSlots", "SlotQuery", "Slots"]

NOT_ENABLED = _("Bookings are not enabled for this user.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSlots:
    """What was found."""

    slots: list[Slot]
    """In order of time, each with those who could take it (collective: who all come)."""
    fitting: Fitting
    """The question in force."""
    lacking: Mapping[str, str] = field(default_factory=dict)
    """Who is left out, by id, and why, in words for whoever asks."""
    read_at: datetime | None = None
    """When that calendar was read that was read longest ago, of those who count."""
    stale: bool = False
    problems: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What is wrong with the times of those who count, by id."""


class Slots:
    """Finds free slots."""

    def __init__(
        self, store: Store, features: Features, availability: Availability, crm_zone: Callable[[], str]
    ) -> None:
        """Read bookings and booking calendars from `store`, and all else by `availability`."""
        self._store = store
        self._features = features
        self._availability = availability
        self._crm_zone = crm_zone

    def fit(self, query: SlotQuery) -> Fitting:
        """Whom and what a question is about. Raises SettingsError for what has no answer, in words."""
        calendar = self._store.booking_calendars.get(query.calendar_id) if query.calendar_id else None
        if query.calendar_id and calendar is None:
            raise SettingsError(_("There is no such booking calendar; it may have been removed."))
        return fit(query, calendar, now=self._store.clock.now(), crm_zone=self._crm_zone)

    def find(self, query: SlotQuery, *, fresh: bool = False, limit: int | None = None) -> FoundSlots:
        """The free slots, the first `limit` of them; `fresh`: ask Outlook first."""
        return self.fill(self.fit(query), fresh=fresh, limit=limit)

    def fill(self, fitting: Fitting, *, fresh: bool = False, limit: int | None = None) -> FoundSlots:
        """The same for a question that was fitted before."""
        wanted = fitting.wanted
        around = wanted.window[0] - wanted.before, wanted.window[1] + wanted.after
        times: list[UserTime] = []
        if around[0] < around[1]:
            times = self._availability.within(fitting.users, around, fresh=fresh, untold=True)
        lacking = self._lacking(times)
        counted = [time for time in times if time.user_id not in lacking]
        found: Sequence[Slot] = ()
        if not lacking or wanted.mode is not Mode.COLLECTIVE:
            found = slots(wanted, self._members(fitting, counted, around))
        read = [time.read_at for time in counted if time.read_at]
        return FoundSlots(
            slots=list(found[:limit]),
            fitting=fitting,
            lacking=lacking,
            read_at=min(read, default=None),
            stale=any(time.stale for time in counted),
            problems={time.user_id: time.problems for time in counted if time.problems},
        )

    def _lacking(self, times: Sequence[UserTime]) -> dict[str, str]:
        closed = self._features.closed_for([time.user_id for time in times])
        lacking: dict[str, str] = {}
        for time in times:
            if Feature.BOOKINGS in closed[time.user_id]:
                lacking[time.user_id] = NOT_ENABLED
            elif not time.known:
                lacking[time.user_id] = time.reason
            elif time.unasked:
                lacking[time.user_id] = time.unasked
        return lacking

    def _members(self, fitting: Fitting, times: Sequence[UserTime], around: Interval) -> list[Member]:
        window = fitting.wanted.window
        own = fitting.hours.within(window) if fitting.hours else None
        booked = self._booked(fitting, [time.user_id for time in times])
        return [
            Member(
                user_id=time.user_id,
                busy=_taken(time, around, apart(booked.get(time.user_id, ()), fitting.apart)),
                hours=cut(time.hours, window) if own is None else own,
                booked=[start for start, _end in booked.get(time.user_id, ())],
            )
            for time in times
        ]

    def _booked(self, fitting: Fitting, user_ids: Sequence[str]) -> Mapping[str, Sequence[Interval]]:
        """The bookings that count for the daily limit, and those that need free time around them."""
        if not user_ids or (fitting.wanted.daily_limit is None and not any(fitting.apart)):
            return {}
        start, end = fitting.days
        return self._store.bookings.booked(user_ids, start, end, fitting.calendar_id)


def _taken(time: UserTime, around: Interval, also: Sequence[Interval]) -> Sequence[Interval]:
    """When a user is busy, when bookings are kept apart, and when nobody knows."""
    others = [*also, *time.unknown(around)]
    return joined([*time.busy, *others]) if others else time.busy
