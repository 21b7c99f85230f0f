"""Bookings: reserved, confirmed, released.

Decides that a slot is given away in one transaction at a time for each user and each booking calendar. Whom
it is given to is decided by the caller, from what it is shown within that transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, case, delete, insert, or_, select, update

from calsync_plugin.domain.availability import Interval
from calsync_plugin.state.booking_reads import booked_of, holds_of, lies_there, longest_fairness, standing
from calsync_plugin.state.booking_rows import TAKING, Booking, BookingState, Hold, HoldState, Standing
from calsync_plugin.state.booking_schema import booking_holds as h
from calsync_plugin.state.booking_schema import bookings as k
from calsync_plugin.state.bulk import chunks
from calsync_plugin.state.database import Database
from calsync_plugin.state.in_turn import in_turn
from calsync_plugin.state.secrets import Keyring

PURPOSE = "booking"
TAKEN = "the time was given to somebody else meanwhile, or is not free any more"
KEPT_DAYS = 30
"""How long a booking is remembered with its content after it is over, as what was deleted is."""

_CONFIRMED = k.c.state == BookingState.CONFIRMED.value

Decide = Callable[[Standing], Sequence[str] | None]
"""Whose time a booking takes, the assigned user first; None: nobody has it any more."""


class Bookings:
    """The bookings of a store."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def reserve(
        self,
        booking: Booking,
        candidates: Collection[str],
        decide: Decide,
        *,
        around: Interval,
        day: Interval,
        since: float,
    ) -> Booking | None:
        """Hold the slot of `booking` for whom `decide` names; None if that is nobody.

        `candidates` are all who may be named: nobody else gives away time of theirs meanwhile. `around` is
        the span of which their holds are shown, `day` that of which their bookings are shown, followed
        or not, `since` from when turns are counted. A booking that is held already is given anew, or released
        if nobody has the time any more. Raises StaleLink if its key was used meanwhile, or if it is no longer
        held.
        """
        users = sorted(set(candidates))
        with self._database.write() as connection:
            in_turn(connection, [booking.calendar_id, *users] if booking.calendar_id else users)
            connection.execute(delete(h).where(h.c.booking_id == booking.id))
            named = decide(standing(connection, booking, users, around, day, since))
            if not named:
                held_before = (k.c.id == booking.id) & (k.c.state == BookingState.HELD.value)
                connection.execute(update(k).where(held_before).values(self._released(TAKEN)))
                return None
            held = replace(booking, state=BookingState.HELD, user_id=named[0])
            self._write(connection, held)
            rows = [_hold_row(held, user_id, HoldState.HELD) for user_id in dict.fromkeys(named)]
            connection.execute(insert(h), rows)
        return held

    def _write(self, connection: Connection, booking: Booking) -> None:
        now = self._database.clock.now()
        row = _row(booking, self._keyring) | {"changed_at": now}
        held = (k.c.id == booking.id) & (k.c.state == BookingState.HELD.value)
        if not connection.execute(update(k).where(held).values(row)).rowcount:
            # One that was released meanwhile is there and not held: this is refused.
            connection.execute(insert(k), row | {"made_at": now})

    def confirm(self, booking_id: str, record_id: str) -> bool:
        """The record was made: what was held is kept. Whether it was still held."""
        now = self._database.clock.now()
        same = (k.c.id == booking_id) & (k.c.state == BookingState.HELD.value)
        values = {"state": BookingState.CONFIRMED.value, "record_id": record_id, "changed_at": now}
        with self._database.write() as connection:
            found = connection.execute(update(k).where(same).values(values)).rowcount > 0
            if found:
                kept = update(h).where(h.c.booking_id == booking_id).values(state=HoldState.KEPT.value)
                connection.execute(kept)
        return found

    def release(self, booking_id: str, reason: str) -> bool:
        """The time is free again. Whether there was anything to release.

        The key of a booking that came to nothing may be used once more; that of one that was made may not.
        """
        same = (k.c.id == booking_id) & (k.c.state != BookingState.RELEASED.value)
        with self._database.write() as connection:
            found = connection.execute(update(k).where(same).values(self._released(reason))).rowcount > 0
            connection.execute(delete(h).where(h.c.booking_id == booking_id))
        return found

    def _released(self, reason: str) -> dict[str, Any]:
        now = self._database.clock.now()
        key = case((k.c.state == BookingState.HELD.value, ""), else_=k.c.key)
        return {"state": BookingState.RELEASED.value, "reason": reason, "key": key, "changed_at": now}

    def follow(self, booking: Booking, user_ids: Sequence[str]) -> None:
        """The record lies elsewhere now, or with others: what the booking takes moves along.

        Where it lies elsewhere it is kept by the booking again until its event is read there.

        Nothing is done for a booking that is not confirmed any more.
        """
        confirmed = (k.c.id == booking.id) & (k.c.state == BookingState.CONFIRMED.value)
        moved_to = {"user_id": booking.user_id, "starts_at": booking.start, "ends_at": booking.end}
        with self._database.write() as connection:
            in_turn(connection, sorted({booking.user_id, *user_ids}))
            values = moved_to | {"changed_at": self._database.clock.now()}
            if not connection.execute(update(k).where(confirmed).values(values)).rowcount:
                return
            where = h.c.booking_id == booking.id
            known = set(connection.execute(select(h.c.user_id).where(where)).scalars())
            connection.execute(delete(h).where(where, h.c.user_id.not_in(list(user_ids))))
            moved = {"starts_at": booking.start, "ends_at": booking.end}
            elsewhere = where & ((h.c.starts_at != booking.start) | (h.c.ends_at != booking.end))
            # The event is not there yet, unless it is what was moved: then it was read before the record.
            there = case((lies_there(booking), HoldState.FOLLOWED.value), else_=HoldState.KEPT.value)
            connection.execute(update(h).where(elsewhere).values(state=there))
            connection.execute(update(h).where(where).values(moved))
            new = [_hold_row(booking, u, HoldState.KEPT) for u in dict.fromkeys(user_ids) if u not in known]
            if new:
                connection.execute(insert(h), new)

    def get(self, booking_id: str) -> Booking | None:
        """A booking by its id."""
        return self._one(k.c.id == booking_id)

    def by_key(self, caller: str, key: str) -> Booking | None:
        """The booking that this caller made with this idempotency key."""
        return self._one((k.c.caller == caller) & (k.c.key == key)) if key else None

    def of_record(self, entity_type: str, record_id: str) -> Booking | None:
        """The booking that a record was made of."""
        return (
            self._one((k.c.entity_type == entity_type) & (k.c.record_id == record_id)) if record_id else None
        )

    def of_records(self, keys: Iterable[tuple[str, str]]) -> list[Booking]:
        """The confirmed bookings that these records (entity type, record id) were made of, by id."""
        ids: dict[str, set[str]] = {}
        for entity_type, record_id in keys:
            ids.setdefault(entity_type, set()).add(record_id)
        found = [
            booking
            for entity_type, wanted in sorted(ids.items())
            for part in chunks(sorted(wanted - {""}))
            for booking in self._many(_CONFIRMED & (k.c.entity_type == entity_type) & k.c.record_id.in_(part))
        ]
        return sorted(found, key=lambda booking: booking.id)

    def takers(self, booking_ids: Collection[str]) -> dict[str, list[str]]:
        """Whose time bookings take or took, by booking: followed or not, in order of their ids."""
        found: dict[str, list[str]] = {}
        statement = select(h.c.booking_id, h.c.user_id).order_by(h.c.booking_id, h.c.user_id)
        with self._database.read() as connection:
            for part in chunks(sorted(set(booking_ids))):
                for row in connection.execute(statement.where(h.c.booking_id.in_(part))):
                    found.setdefault(row.booking_id, []).append(row.user_id)
        return found

    def holds(self, user_ids: Collection[str], start: int, end: int) -> list[Hold]:
        """What takes up time of these users in a window by itself, by user, start and booking."""
        with self._database.read() as connection:
            return [
                hold
                for part in chunks(sorted(set(user_ids)))
                for hold in holds_of(connection, part, start, end, TAKING)
            ]

    def booked(
        self, user_ids: Collection[str], start: int, end: int, calendar_id: str = ""
    ) -> dict[str, list[Interval]]:
        """When bookings of these users are, followed or not; those of one booking calendar if it is named."""
        with self._database.read() as connection:
            return booked_of(connection, sorted(set(user_ids)), (start, end), calendar_id, "")

    def unsettled(self, before: float, limit: int) -> list[Booking]:
        """Those still held that did not change since `before`, oldest first."""
        where = (k.c.state == BookingState.HELD.value) & (k.c.changed_at <= before)
        return self._many(where, limit)

    def kept(self, now: int, after: str, limit: int) -> list[Booking]:
        """Confirmed ones that are not over and whose time is kept by themselves, by id after `after`."""
        own = select(h.c.booking_id).where(h.c.state == HoldState.KEPT.value, h.c.ends_at > now)
        where = (k.c.state == BookingState.CONFIRMED.value) & k.c.id.in_(own) & (k.c.id > after)
        with self._database.read() as connection:
            return [
                self._booking(row)
                for row in connection.execute(select(k).where(where).order_by(k.c.id).limit(limit))
            ]

    def upcoming(self, user_id: str, now: int, limit: int) -> list[Booking]:
        """Those that take time of this user and are not over, in order of time."""
        own = select(h.c.booking_id).where(h.c.user_id == user_id, h.c.ends_at > now)
        ordered = select(k).where(k.c.id.in_(own)).order_by(k.c.starts_at, k.c.id).limit(limit)
        with self._database.read() as connection:
            return [self._booking(row) for row in connection.execute(ordered)]

    def purge(self) -> int:
        """Forget what is over or was released long ago; returns how many.

        That it took place is remembered for as long as turns are compared; what it was made of is not.
        """
        now = self._database.clock.now()
        with self._database.write() as connection:
            before = now - KEPT_DAYS * 86_400
            compared = now - max(KEPT_DAYS, longest_fairness(connection)) * 86_400
            old = (k.c.ends_at < compared) & (k.c.changed_at < compared)
            released = (k.c.state == BookingState.RELEASED.value) & (k.c.changed_at < before)
            gone = connection.execute(delete(k).where(or_(old, released))).rowcount
            over = (k.c.ends_at < before) & (k.c.changed_at < before) & (k.c.request_hash != "")
            for booking_id in connection.execute(select(k.c.id).where(over)).scalars().all():
                nothing = {
                    "key": "",
                    "request_hash": "",
                    "content": self._keyring.encrypt(PURPOSE, booking_id, ""),
                }
                connection.execute(update(k).where(k.c.id == booking_id).values(nothing))
        return gone

    def _one(self, where: Any) -> Booking | None:
        return next(iter(self._many(where, 1)), None)

    def _many(self, where: Any, limit: int | None = None) -> list[Booking]:
        statement = select(k).where(where).order_by(k.c.changed_at, k.c.id).limit(limit)
        with self._database.read() as connection:
            return [self._booking(row) for row in connection.execute(statement)]

    def _booking(self, row: Any) -> Booking:
        return Booking(
            id=row.id,
            calendar_id=row.calendar_id,
            caller=row.caller,
            key=row.key,
            request_hash=row.request_hash,
            state=BookingState(row.state),
            user_id=row.user_id,
            start=row.starts_at,
            end=row.ends_at,
            entity_type=row.entity_type,
            record_id=row.record_id,
            content=self._keyring.decrypt(PURPOSE, row.id, row.content),
            reason=row.reason,
            made_at=row.made_at,
            changed_at=row.changed_at,
        )


def _hold_row(booking: Booking, user_id: str, state: HoldState) -> dict[str, Any]:
    return {
        "booking_id": booking.id,
        "user_id": user_id,
        "starts_at": booking.start,
        "ends_at": booking.end,
        "state": state.value,
    }


def _row(booking: Booking, keyring: Keyring) -> dict[str, Any]:
    return {
        "id": booking.id,
        "calendar_id": booking.calendar_id,
        "caller": booking.caller,
        "key": booking.key,
        "request_hash": booking.request_hash,
        "state": booking.state.value,
        "user_id": booking.user_id,
        "starts_at": booking.start,
        "ends_at": booking.end,
        "entity_type": booking.entity_type,
        "record_id": booking.record_id,
        "content": keyring.encrypt(PURPOSE, booking.id, booking.content),
        "reason": booking.reason,
    }
