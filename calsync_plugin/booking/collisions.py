"""What a meeting collides with that a host is about to save.

Decides whom it is told of and which events do not count: the record's own and its booking's. Answers from the
store alone, within a time that nobody notices, and never fails its caller: a warning that is missing costs
less than a save that hangs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from calsync_plugin.booking.availability import BOOKING, MOST_USERS
from calsync_plugin.booking.features import Feature, Features
from calsync_plugin.booking.owners import Owner
from calsync_plugin.booking.taking import owners_of
from calsync_plugin.booking.trust import is_connected
from calsync_plugin.crm.spans import read_span
from calsync_plugin.domain.availability import Interval, taken, within_told
from calsync_plugin.domain.timespan import TimeSpan
from calsync_plugin.errors import CalsyncError, InvalidRecord
from calsync_plugin.settings import EntitySettings
from calsync_plugin.state import Store

log = logging.getLogger(__name__)

SECONDS = 0.2
"""A host may ask in every save."""
AT_ONCE = 4
MOST = 200
"""Collisions that are told; nobody reads more."""
DAY = 86_400
NO_DATES = frozenset({"no_start", "no_end"})


@dataclass(frozen=True, slots=True, order=True)
class Collision:
    """A time at which somebody is busy already, and what kind of source says so."""

    start: int
    end: int
    user_id: str
    kind: str
    """linked, conflict, feed, schedule or booking."""

    def told(self) -> dict[str, str]:
        """As a host is told."""
        start, end = (datetime.fromtimestamp(second, UTC).isoformat() for second in (self.start, self.end))
        return {"user_id": self.user_id, "start": start, "end": end, "kind": self.kind}


class Collisions:
    """Compares records with stored busy times."""

    def __init__(
        self,
        store: Store,
        features: Features,
        entities: Mapping[str, EntitySettings],
        *,
        crm_zone: Callable[[], str],
        seconds: float | None = None,
    ) -> None:
        """Answer from `store` within `seconds`; `crm_zone` must know the zone without asking anybody."""
        self._store = store
        self._features = features
        self._entities = entities
        self._crm_zone = crm_zone
        self._seconds = SECONDS if seconds is None else seconds

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="calsync-collisions")

    def close(self) -> None:
        """Answer nobody any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def of(self, entity_type: str, record: Mapping[str, object]) -> tuple[dict[str, str], ...]:
        """What a record would collide with, in order of time; nothing where that cannot be told in time."""
        asked: Future[tuple[dict[str, str], ...]] | None = None
        try:
            asked = self._threads.submit(self._told, entity_type, record)
            return asked.result(self._seconds)
        except TooSlow:
            if asked is not None:
                asked.cancel()
            log.warning("collisions of a %.80s were not told: it took too long", entity_type)
        except CalsyncError as error:
            log.warning("collisions of a %.80s were not told: %s", entity_type, error)
        except Exception:
            # A save in the CRM goes on; nothing of ours may keep it from that.
            log.exception("collisions of a %.80s were not told", entity_type)
        return ()

    def _told(self, entity_type: str, record: Mapping[str, object]) -> tuple[dict[str, str], ...]:
        return tuple(one.told() for one in self.find(entity_type, record))

    def find(self, entity_type: str, record: Mapping[str, object]) -> tuple[Collision, ...]:
        """The same in the caller's thread, for as long as it takes. May raise StoreBusy."""
        span = self._span(entity_type, record)
        users = _users(record)
        if span is None or not users:
            return ()
        owners = self._connected(users)
        windows = {one: taken(span, owner.rules) for one, owner in owners.items()}
        windows = {one: window for one, window in windows.items() if window[0] < window[1]}
        if not windows:
            return ()
        of_record = (entity_type, str(record.get("id") or ""))
        # Bookings first: of one whose event is read meanwhile at least one of them tells.
        found = {*self._bookings(of_record, windows), *self._blocks(of_record, owners, windows)}
        return tuple(sorted(found)[:MOST])

    def check(self, entity_type: str, record: Mapping[str, object]) -> None:
        """Raise InvalidRecord if nobody can tell when a record is; KeyError for a type that is not synced."""
        read_span(record, all_day=self._entities[entity_type].all_day, item=entity_type)

    def concerns(self, entity_type: str, record_id: str, user_id: str) -> bool:
        """Whether a record is known to be a user's: an event or a booking of it takes that one's time."""
        of_record = (entity_type, record_id)
        link = self._store.links.by_records([of_record]).get(of_record)
        account = self._store.accounts.get(user_id)
        if link and account and account.mailbox_id in {copy.mailbox_id for copy in link.copies}:
            return True
        booking = self._store.bookings.of_record(entity_type, record_id)
        return booking is not None and user_id in self._store.bookings.takers([booking.id]).get(
            booking.id, ()
        )

    def _span(self, entity_type: str, record: Mapping[str, object]) -> TimeSpan | None:
        entity = self._entities.get(entity_type)
        if entity is None:
            return None
        try:
            return read_span(record, all_day=entity.all_day, item=entity_type)
        except InvalidRecord as error:
            if error.reason not in NO_DATES:
                log.info("collisions were not told: %s", error)
            return None

    def _connected(self, users: list[str]) -> dict[str, Owner]:
        accounts = self._store.accounts.many(users)
        connected = [one for one, account in accounts.items() if is_connected(account)]
        off = self._features.closed_for(connected)
        told = [one for one in sorted(connected) if Feature.AVAILABILITY not in off[one]]
        return owners_of(self._store, told, self._crm_zone)

    def _blocks(
        self, of_record: tuple[str, str], owners: Mapping[str, Owner], windows: Mapping[str, Interval]
    ) -> Iterator[Collision]:
        link = self._store.links.by_records([of_record]).get(of_record) if of_record[1] else None
        own = {(copy.mailbox_id, copy.event_id) for copy in link.copies} if link else set()
        sources = {source.id: source for source in self._store.busy.sources(windows)}
        for source_id, block in self._store.busy.blocks(sources, *_around(windows)):
            source = sources[source_id]
            owner = owners[source.user_id]
            if block.show_as.value not in owner.takes or (source.mailbox_id, block.id) in own:
                continue
            start, end = block.within(owner.rules)
            if _overlap((start, end), windows[owner.user_id]):
                yield Collision(within_told(start), within_told(end), owner.user_id, source.kind.value)

    def _bookings(self, of_record: tuple[str, str], windows: Mapping[str, Interval]) -> Iterator[Collision]:
        booking = self._store.bookings.of_record(*of_record)
        for hold in self._store.bookings.holds(windows, *_around(windows)):
            own = booking is not None and hold.booking_id == booking.id
            if not own and _overlap((hold.start, hold.end), windows[hold.user_id]):
                yield Collision(hold.start, hold.end, hold.user_id, BOOKING)


def _users(record: Mapping[str, object]) -> list[str]:
    """The assigned user and the attending ones, each once."""
    attending = record.get("usersIds")
    named = [record.get("assignedUserId"), *(attending if isinstance(attending, list | tuple) else ())]
    return sorted({one for one in named if isinstance(one, str) and one})[:MOST_USERS]


def _around(windows: Mapping[str, Interval]) -> Interval:
    return min(start for start, _ in windows.values()), max(end for _, end in windows.values())


def _overlap(some: Interval, other: Interval) -> bool:
    return some[0] < other[1] and other[0] < some[1]
