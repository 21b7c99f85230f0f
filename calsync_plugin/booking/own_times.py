"""When a user is busy, source by source: for that user's own eyes.

Decides, as `availability` does for everybody, which events take time up; unlike it, keeps the sources apart.
What an event says is told to nobody, because it is not known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from calsync_plugin.booking.owners import Owner, owner_of
from calsync_plugin.booking.taking import blocking
from calsync_plugin.domain.availability import Interval, cut, joined
from calsync_plugin.state import Account, BusySource, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTimes:
    """What one source takes of a window; joined and cut to it."""

    source: BusySource | None
    """None: bookings that no calendar tells of yet."""
    spans: tuple[Interval, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTimes:
    """A user's window: all sources by id, then bookings if there are any."""

    owner: Owner
    sources: tuple[SourceTimes, ...]
    hours: tuple[Interval, ...]


def own_times(store: Store, account: Account, window: Interval, crm_zone: Callable[[], str]) -> OwnTimes:
    """What is stored of a user's window, whether it is whole or not."""
    user_id = account.user_id
    owner = owner_of(user_id, account, user_zone=account.user_zone, crm_zone=crm_zone)
    sources = sorted(store.busy.sources([user_id]), key=lambda one: one.id)
    spans: dict[int, list[Interval]] = {one.id: [] for one in sources}
    # Before the blocks: of a booking whose event is read meanwhile at least one of them tells.
    held = [(hold.start, hold.end) for hold in store.bookings.holds([user_id], *window)]
    owners = dict.fromkeys(spans, owner)
    for source_id, span in blocking(store.busy.times(spans, *window), owners):
        spans[source_id].append(span)
    found = [SourceTimes(source=one, spans=tuple(cut(joined(spans[one.id]), window))) for one in sources]
    if held:
        found.append(SourceTimes(source=None, spans=tuple(cut(joined(held), window))))
    return OwnTimes(owner=owner, sources=tuple(found), hours=tuple(owner.hours.within(window)))
