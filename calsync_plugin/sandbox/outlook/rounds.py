"""What a round of delta tells: which items and days, and what is said of each when its page is cut.

A round's keys are fixed when it begins, so that a page that is asked for again is the same page; what is
said of a key is the state at the time of the answer. Source: Graph docs, event: delta ("@removed" for what
left the window).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from calsync_plugin.sandbox.outlook import ids, recurrence
from calsync_plugin.sandbox.outlook.items import render, skeleton
from calsync_plugin.sandbox.outlook.lookup import Place
from calsync_plugin.sandbox.outlook.series import days_between
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import Item, Key
from calsync_plugin.sandbox.outlook.wire import Json

KEPT_ROUNDS = 64
_MARGIN = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Round:
    """A round: of which calendar, over which span, telling everything or what changed between two moments.

    Without `windowed` series are not expanded.
    """

    calendar: int
    starts: datetime
    ends: datetime
    since: int
    until: int
    full: bool
    windowed: bool
    backwards: bool


def keys_of(sim: Simulator, where: Place, made: Round) -> list[Key]:
    """Return what a round tells, in its order: item and day, day 0 for the item itself."""
    known = sim.rounds.get(made)
    if known is None:
        known = sorted(_full(where, made) if made.full else _changed(sim, where, made))
        if made.backwards:
            known.reverse()
        sim.rounds[made] = known
        while len(sim.rounds) > KEPT_ROUNDS:
            sim.rounds.popitem(last=False)
    return known


def position(keys: list[Key], after: Key | None, *, backwards: bool) -> int:
    """Return where a round goes on after a key."""
    if after is None:
        return 0
    if not backwards:
        return bisect_right(keys, after)
    return bisect_right(keys, (-after[0], -after[1]), key=lambda key: (-key[0], -key[1]))


def _full(where: Place, made: Round) -> list[Key]:
    items, found = where.mailbox.items, []
    for number in where.calendar.order:
        item = items[number]
        if item.recurrence is not None and made.windowed:
            days = [(number, one.day) for one in recurrence.occurrences(item, made.starts, made.ends)]
            found += [(number, 0), *days] if days else []
        elif not made.windowed or recurrence.touches(item, made.starts, made.ends):
            found.append((number, 0))
    return found


def _changed(sim: Simulator, where: Place, made: Round) -> list[Key]:
    touched: dict[int, set[int]] = {}
    changes = where.calendar.changes
    for key in reversed(changes):
        if changes[key] <= made.since:
            break
        if changes[key] <= made.until:
            touched.setdefault(key[0], set()).add(key[1])
    found: list[Key] = []
    for number, days in touched.items():
        item = where.mailbox.items[number]
        if made.windowed and (item.recurrence is not None or item.shapes):
            found += [(number, day) for day in _days(sim, item, days, where, made)]
        else:
            found.append((number, 0))
    return found


def _days(sim: Simulator, master: Item, touched: set[int], where: Place, made: Round) -> set[int]:
    if 0 not in touched:
        told = set(touched)
    elif master.folder != where.calendar.number and not sim.switches.removed_series_names_occurrences:
        return {0}
    else:
        told = touched | days_between(master, made.since, made.starts, made.ends)
    if not sim.switches.removed_for_deleted_occurrence:
        told -= set(master.cancelled_days)
    return told


@dataclass(slots=True)
class Teller:
    """Says what became of a key; remembers the days of the series that it was asked about."""

    where: Place
    round: Round
    _days: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def tell(self, key: Key) -> Json | None:
        """Return an event, a skeletal occurrence or @removed; None for what a first round need not name."""
        item = self._present(key)
        if item is not None:
            return self._shown(item)
        return None if self.round.full else self._removed(key)

    def removed_or_shown(self, key: Key) -> Json:
        """Return what is said of a key that was told before."""
        item = self._present(key)
        return self._removed(key) if item is None else self._shown(item)

    def _present(self, key: Key) -> Item | None:
        number, day = key
        item = self.where.mailbox.items[number]
        if item.folder != self.where.calendar.number:
            return None
        starts, ends = self.round.starts, self.round.ends
        if not self.round.windowed:
            return item if not day else None
        if item.recurrence is None:
            return item if not day and recurrence.touches(item, starts, ends) else None
        if not day:
            return item if recurrence.occurrences(item, starts, ends) else None
        return self._occurrence(item, day)

    def _occurrence(self, master: Item, day: int) -> Item | None:
        if day not in master.exceptions:
            days = self._days.get(master.number)
            if days is None:
                reach = master.end - master.start + _MARGIN
                first, last = (self.round.starts - reach).date(), (self.round.ends + _MARGIN).date()
                days = self._days[master.number] = recurrence.days(master, first, last)
            at = bisect_left(days, day)
            if at == len(days) or days[at] != day or day in master.cancelled_days:
                return None
        item = recurrence.occurrence(master, day)
        return item if recurrence.touches(item, self.round.starts, self.round.ends) else None

    def _removed(self, key: Key) -> Json:
        number, view = self.where.view.mailbox.number, self.where.view
        folder = self.where.calendar.number if view.alias is None else view.alias.number
        identity = (
            ids.immutable_id(number, key[1], key[0])
            if view.immutable
            else ids.default_id(number, folder, key[1], key[0])
        )
        return {"@odata.type": "#microsoft.graph.event", "id": identity, "@removed": {"reason": "deleted"}}

    def _shown(self, item: Item) -> Json:
        view = self.where.view
        if item.kind == "occurrence":
            return skeleton(view, item)
        return {"@odata.type": "#microsoft.graph.event", **render(view, item)}
