"""Bookings after the moment in which they were made: what was left open is settled, and what is kept follows
its record.

Decides when nobody works on a held booking any more, and that only a record that is gone for sure, or a
meeting that does not take place, frees the time. Once the meeting's event was read, the event tells and
nothing is followed here.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from calsync_plugin.booking import making
from calsync_plugin.booking.making import Maker
from calsync_plugin.booking.taking import owners_of
from calsync_plugin.crm.gateway import CrmGateway, Found, Record
from calsync_plugin.crm.records import NOT_HELD
from calsync_plugin.crm.spans import read_span
from calsync_plugin.domain.availability import Interval, taken
from calsync_plugin.domain.links import Presence
from calsync_plugin.errors import CalsyncError, ItemError, StoreBusy, Transient
from calsync_plugin.settings import EntitySettings
from calsync_plugin.state import Booking, BookingState, Change, Store

log = logging.getLogger(__name__)

PATIENCE = 180.0
"""After so many seconds nobody works on a held booking any more: the CRM's answer was waited for in vain."""
PORTION = 200
PORTIONS = 5
"""Kept bookings that one round looks at; the next one goes on where it ended."""
LOOKED = "bookings:looked"
"""The bookmark of the last booking that was looked at."""

NOT_MADE = "the CRM has no record of it; the request was lost on the way"
OVER = "the CRM could not be asked for its record until it was over"
GONE = "its record was removed in the CRM"
NOT_TAKING_PLACE = "its record says that the meeting is not held"


def never() -> bool:
    """Nobody stops it."""
    return False


class Settling:
    """Settles and follows bookings."""

    def __init__(
        self,
        store: Store,
        gateway: Callable[[], Any],
        maker: Maker,
        entities: Mapping[str, EntitySettings],
        *,
        crm_zone: Callable[[], str],
    ) -> None:
        """Read records through `gateway`, a `CrmGateway` that is made when it is first asked for."""
        self._store = store
        self._gateway = gateway
        self._maker = maker
        self._entities = entities
        self._crm_zone = crm_zone

    def go(self, stopping: Callable[[], bool] = never) -> None:
        """What each sweep does, until `stopping`. A CRM that is away is asked again by the next one."""
        now = self._store.clock.now()
        if not self._settle_all(now, stopping):
            return
        try:
            self._look_around(int(now), stopping)
        except CalsyncError as error:
            log.warning("the records of bookings could not be looked at: %s", error)

    def reported(self, changes: Iterable[Change]) -> None:
        """Look at the bookings among records that were reported as changed. Raises nothing of ours."""
        try:
            found = self._store.bookings.of_records({(one.entity_type, one.record_id) for one in changes})
            self._follow(found)
        except CalsyncError as error:
            log.warning("a booking will be looked at by the next sweep: %s", error)

    # --- what was left open

    def _settle_all(self, now: float, stopping: Callable[[], bool]) -> bool:
        """Whether there is more to ask the CRM: one that is away is not waited for once for each booking."""
        away = False
        for booking in self._store.bookings.unsettled(now - PATIENCE, PORTION):
            if stopping():
                return False
            if not away:
                try:
                    self._settle(booking)
                    continue
                except CalsyncError as error:
                    away = isinstance(error, Transient)
                    log.warning("booking %s is still held: %s", booking.id, error)
            if booking.end <= now:
                self._store.bookings.release(booking.id, OVER)
        return not away

    def _settle(self, booking: Booking) -> None:
        record_id = self._maker.find(booking)
        if record_id is None:
            log.warning("booking %s is released: %s", booking.id, NOT_MADE)
            self._store.bookings.release(booking.id, NOT_MADE)
        else:
            confirm(self._store, booking, record_id)

    # --- what is kept

    def _look_around(self, now: int, stopping: Callable[[], bool]) -> None:
        bookmarks = self._store.bookmarks
        for _portion in range(PORTIONS):
            if stopping():
                return
            after = bookmarks.get(LOOKED)
            found = self._store.bookings.kept(now, after, PORTION)
            self._follow(found)
            last = found[-1].id if len(found) == PORTION else ""
            if last != after:
                bookmarks.set(LOOKED, last)
            if not last:
                return

    def _follow(self, bookings: Sequence[Booking]) -> None:
        by_type: dict[str, list[Booking]] = defaultdict(list)
        for booking in bookings:
            if booking.entity_type in self._entities:
                by_type[booking.entity_type].append(booking)
        for entity_type, found in by_type.items():
            gateway: CrmGateway = self._gateway()
            answers = gateway.load(entity_type, [booking.record_id for booking in found])
            takers = self._store.bookings.takers([booking.id for booking in found])
            for booking in found:
                answer = answers[booking.record_id]
                if isinstance(answer, Found):
                    self._compare(booking, answer.record, takers.get(booking.id, []))
                elif answer.presence is Presence.GONE:
                    self._store.bookings.release(booking.id, GONE)

    def _compare(self, booking: Booking, record: Record, takers: Collection[str]) -> None:
        """Bring a booking in line with its record; one that cannot be read keeps what it has."""
        if record.get("status") == NOT_HELD:
            self._store.bookings.release(booking.id, NOT_TAKING_PLACE)
            return
        users = list(_users(booking, record))
        if not users:
            return
        try:
            start, end = self._interval(booking, record, users[0])
        except ItemError as error:
            log.info("booking %s keeps its time: %s", booking.id, error)
            return
        now = replace(booking, user_id=users[0], start=start, end=end)
        if now != booking or set(users) != set(takers):
            self._store.bookings.follow(now, users)

    def _interval(self, booking: Booking, record: Record, user_id: str) -> Interval:
        entity = self._entities[booking.entity_type]
        item = f"{booking.entity_type} {booking.record_id}"
        span = read_span(record, all_day=entity.all_day, item=item)
        return taken(span, owners_of(self._store, [user_id], self._crm_zone)[user_id].rules)


def _users(booking: Booking, record: Record) -> Iterator[str]:
    """Whose time the record takes: the assigned user's, and of those booked with it who still come."""
    assigned, attending = record.get("assignedUserId"), record.get("usersIds")
    if isinstance(assigned, str) and assigned:
        yield assigned
        # A CRM that does not tell who comes has taken nobody out.
        coming = set(attending) if isinstance(attending, list | tuple) else None
        for user_id in making.read(booking.content).other_users:
            if user_id != assigned and (coming is None or user_id in coming):
                yield user_id


def confirm(store: Store, booking: Booking, record_id: str) -> bool:
    """The record is there: keep the time, and let it be pushed at once. Whether it was still held."""
    if not (store.bookings.confirm(booking.id, record_id) or _is_confirmed(store, booking, record_id)):
        return False
    mark(store, booking, record_id)
    return True


def mark(store: Store, booking: Booking, record_id: str, kind: str = "saved") -> None:
    """Let what became of the record be carried to Outlook without waiting for the CRM to report it."""
    try:
        store.queue.record_change(booking.entity_type, record_id, user_hint=booking.user_id, kind=kind)
    except StoreBusy as error:
        # As with any other record that no hook could report.
        log.warning("the record of booking %s will be found by the sweep: %s", booking.id, error)


def _is_confirmed(store: Store, booking: Booking, record_id: str) -> bool:
    """Whether somebody else was faster in saying the same."""
    known = store.bookings.get(booking.id)
    return known is not None and (known.state, known.record_id) == (BookingState.CONFIRMED, record_id)
