"""Availability: when users are busy, when they work, and how far that is known.

Decides what of the store counts: the events that block by each user's settings, whole days in the user's own
zone, and bookings that no event tells of yet. A handful of statements reads them, however many users are
asked for, and they are merged before anybody sees them: when somebody is busy is told, never with what.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain

from calsync_plugin.booking.features import Feature, Features
from calsync_plugin.booking.owners import Owner
from calsync_plugin.booking.taking import blocking, owners_of
from calsync_plugin.booking.trust import NOT_ENABLED, Trust, lacks, trust, unasked
from calsync_plugin.booking.untold import Untold
from calsync_plugin.domain.availability import Interval, WorkingHours, cut, gaps, joined
from calsync_plugin.errors import SettingsError
from calsync_plugin.settings import Settings
from calsync_plugin.state import BusySource, Store
from calsync_plugin.wording import gettext as _

MOST_USERS = 100
"""Users in one call over the network."""
LONGEST = 62 * 86_400
"""Seconds of one window."""
LAST = 1 << 33
"""A second of the 23rd century: no calendar goes beyond it, and every zone has its days until then."""
BOOKING = "booking"
"""The kind of what no source tells: our own reservations."""

Look = Callable[[Collection[str], int, int], Mapping[str, str]]
"""Asks Outlook now and keeps what it told; by user why it could not be asked, empty if it could."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserTime:
    """The answer for one user."""

    user_id: str
    known: bool
    """Whether all calendars of the user were read. If not, what is told is not all."""
    reason: str = ""
    """Why not, in words for whoever asks."""
    kinds: Mapping[str, Sequence[Interval]] = field(default_factory=dict)
    """When the user is busy, by kind; each joined and cut to the window."""
    busy: tuple[Interval, ...] = ()
    """All kinds together."""
    hours: tuple[Interval, ...] = ()
    """When the user works."""
    zone: str = ""
    """The user's own zone, in which whole days are meant: IANA."""
    read_at: datetime | None = None
    """When that source was read that was read longest ago; None if one of them never was."""
    known_from: datetime | None = None
    known_until: datetime | None = None
    """Before the one and after the other nothing is known."""
    stale: bool = False
    """Whether that is too long ago, or something cannot be read now. What was read still counts."""
    problems: tuple[str, ...] = ()
    """What is wrong, in words for whoever asks."""
    unasked: str = ""
    """Why Outlook is not asked about the user now, so that nobody can book; in words for whoever asks."""
    fresh: bool = False
    """Whether Outlook was asked for this very answer: `read_at` tells when a source was read as a whole."""

    def unknown(self, window: Interval) -> list[Interval]:
        """What of a window nothing is known of."""
        if not self.known or self.known_from is None or self.known_until is None:
            return [window]
        return gaps([(int(self.known_from.timestamp()), int(self.known_until.timestamp()))], window)


class Availability:
    """Reads the busy times of users."""

    def __init__(
        self,
        store: Store,
        features: Features,
        *,
        settings: Callable[[], Settings],
        crm_zone: Callable[[], str],
        look: Look,
    ) -> None:
        """Read from `store`; `look` is asked where the answer has to be fresh."""
        self._store = store
        self._features = features
        self._settings = settings
        self._crm_zone = crm_zone
        self._look = look
        self._untold = Untold(store, lambda: settings().graph)

    def of(self, user_ids: Sequence[str], start: int, end: int, *, fresh: bool = False) -> list[UserTime]:
        """The times of users in the order asked. Raises SettingsError for a window that cannot be answered.

        `fresh`: ask Outlook first. A user of whom nothing is known is answered with the reason.
        """
        check_window((start, end))
        return self.within(user_ids, (start, end), fresh=fresh)

    def within(
        self, user_ids: Sequence[str], window: Interval, *, fresh: bool = False, untold: bool = False
    ) -> list[UserTime]:
        """The same for a window that was checked, and may have grown by buffers since.

        `untold`: ask about users of whom nothing is known because they are not connected.
        """
        store, wanted = self._store, sorted(set(user_ids))
        closed = self._features.closed_for(wanted)
        off = {one for one in wanted if Feature.AVAILABILITY in closed[one]}
        asked = [one for one in wanted if one not in off]
        if not fresh:
            asked = self._untold.of(asked, window) if untold else []
        told = self._look(asked, *window) if asked else {}
        accounts, graph, now = store.accounts.many(wanted), self._settings().graph, store.clock.now()
        sources = self._sources(wanted)
        refused = {
            one: NOT_ENABLED
            if one in off
            else lacks(accounts.get(one), sources.get(one, ()), schedules=graph.schedules)
            for one in wanted
        }
        answered = [one for one in wanted if not refused[one]]
        owners = owners_of(store, answered, self._crm_zone, accounts)
        kinds = self._kinds(owners, sources, window)
        hours = _hours(owners.values(), window)
        found = {one: UserTime(user_id=one, known=False, reason=refused[one] or "") for one in wanted}
        for one, owner in owners.items():
            judged = trust(
                accounts.get(one),
                sources.get(one, ()),
                window,
                now=now,
                graph=graph,
                not_asked=told.get(one, ""),
            )
            why = unasked(accounts.get(one), enabled=graph.enabled) or ""
            time = _time(owner, judged, kinds[one], hours[owner.hours], why)
            found[one] = replace(time, fresh=told.get(one) == "")
        return [found[user_id] for user_id in user_ids]

    def _sources(self, user_ids: Collection[str]) -> dict[str, list[BusySource]]:
        sources: dict[str, list[BusySource]] = {}
        for source in self._store.busy.sources(user_ids):
            sources.setdefault(source.user_id, []).append(source)
        return sources

    def _kinds(
        self, owners: Mapping[str, Owner], sources: Mapping[str, Sequence[BusySource]], window: Interval
    ) -> dict[str, dict[str, list[Interval]]]:
        """When users are busy in a window, by user and kind."""
        found: dict[str, dict[str, list[Interval]]] = {one: {} for one in owners}
        of_source = {source.id: owner for one, owner in owners.items() for source in sources.get(one, ())}
        into = {
            source.id: found[one].setdefault(source.kind.value, []).append
            for one in owners
            for source in sources.get(one, ())
        }
        # Before the blocks: of a booking whose event is read meanwhile at least one of them tells.
        holds = self._store.bookings.holds(owners, *window)
        for source_id, span in blocking(self._store.busy.times(of_source, *window), of_source):
            into[source_id](span)
        for hold in holds:
            found[hold.user_id].setdefault(BOOKING, []).append((hold.start, hold.end))
        return {
            one: {kind: inside for kind, all_of in kinds.items() if (inside := cut(joined(all_of), window))}
            for one, kinds in found.items()
        }


def check_window(window: Interval) -> None:
    """Raise SettingsError in words for a window that ends before it starts, or is too long."""
    start, end = window
    if end <= start:
        raise SettingsError(_("The window ends before it starts."))
    if start < 0 or end > LAST:
        raise SettingsError(_("The window lies outside of every calendar."))
    if end - start > LONGEST:
        raise SettingsError(
            _("The window is too long; ask for %(days)s days at most.", days=LONGEST // 86_400)
        )


def _time(
    owner: Owner,
    judged: Trust,
    kinds: Mapping[str, Sequence[Interval]],
    hours: tuple[Interval, ...],
    why_unasked: str,
) -> UserTime:
    parts = list(kinds.values())
    busy = parts[0] if len(parts) == 1 else joined(chain.from_iterable(parts))
    known_from, known_until = judged.span or (None, None)
    return UserTime(
        user_id=owner.user_id,
        known=judged.known,
        reason=judged.reason,
        kinds=kinds,
        busy=tuple(busy),
        hours=hours,
        zone=owner.zone,
        read_at=judged.read_at,
        known_from=None if known_from is None else datetime.fromtimestamp(known_from, UTC),
        known_until=None if known_until is None else datetime.fromtimestamp(known_until, UTC),
        stale=judged.stale,
        problems=judged.problems,
        unasked=why_unasked,
    )


def _hours(owners: Collection[Owner], window: Interval) -> dict[WorkingHours, tuple[Interval, ...]]:
    """When people work; reckoned once for those who work alike."""
    return {hours: tuple(hours.within(window)) for hours in {owner.hours for owner in owners}}
