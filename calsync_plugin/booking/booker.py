"""Booking a slot: reserved in the store, looked at in Outlook, made a record, confirmed or released.

Decides in which order that happens, so that whatever breaks on the way leaves one record or none, and no time
that stays taken for nothing. Which times are offered is `slots`'; to whom one is given, `giving`'s; what
becomes of a booking that was left open, `settling`'s.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from calsync_plugin.booking.asking import BookingRequest, Desired
from calsync_plugin.booking.giving import Offer, given
from calsync_plugin.booking.making import Maker
from calsync_plugin.booking.settling import confirm, mark
from calsync_plugin.crm.gateway import CrmGateway
from calsync_plugin.errors import (
    CalsyncError,
    Forbidden,
    ItemError,
    KeyReused,
    NotBooked,
    NotFound,
    SlotTaken,
    StaleLink,
    StoreBusy,
    Unavailable,
    UnknownOutcome,
)
from calsync_plugin.state import Booking, BookingState, Standing, Store
from calsync_plugin.wording import gettext as _

log = logging.getLogger(__name__)

TRIES = 3
"""How often it is begun anew because somebody else used the key at the same moment."""
UNANSWERED = 60.0
"""Seconds for which others come before somebody about whom Outlook could not be asked: who books waits for
such a mailbox, and whoever is not booked would be next every time."""
CANCELLED = "it was cancelled"
BEING_MADE = _("This booking is still being made. Please try again in some minutes.")
TAKEN = _("This time is not free, or not any more.")

Look = Callable[[Collection[str], int, int], Mapping[str, str]]
Counted = Callable[[str], None]


def uncounted(what: str) -> None:
    """Nobody wants to know."""


class Booker:
    """Books slots and cancels bookings."""

    def __init__(
        self,
        store: Store,
        gateway: Callable[[], Any],
        desired: Desired,
        look: Look,
        maker: Maker,
        counted: Counted = uncounted,
    ) -> None:
        """Book what `desired` finds on offer, after `look` asked Outlook; `maker` makes the records.

        `counted` is told what came of a request: `made`, `taken` (not free any more), `refused` by the CRM;
        and `cancelled`.
        """
        self._store = store
        self._gateway = gateway
        self._desired = desired
        self._look = look
        self._maker = maker
        self._counted = counted
        self._unanswered: dict[str, float] = {}

    def book(self, request: BookingRequest) -> Booking:
        """Book a slot, or tell of the booking that the same request made before, cancelled since or not.

        A booking that comes back `held` was taken, and it is not known yet whether the CRM has its record:
        `settling` finds out. Raises SlotTaken with the next free slots, KeyReused, FeatureOff, NotBooked if
        the CRM refused, SettingsError for what cannot be booked, and Unavailable or another RemoteError if
        Outlook or the CRM cannot be asked; in all these cases nothing was booked.
        """
        for _attempt in range(TRIES):
            known = self._known(request)
            if known is not None:
                return known
            try:
                held = self._held(request, *self._desired.offer(request))
            except StaleLink as error:
                log.info("a booking is begun anew: %s", error)
                continue
            except SlotTaken:
                # By the very same request, it may be.
                known = self._known(request)
                if known is None:
                    self._counted("taken")
                    raise
                return known
            made = self._made(held)
            self._counted("made")
            return made
        raise StoreBusy("the same booking is being made by somebody else; repeat it")

    def cancel(self, booking_id: str) -> Booking | None:
        """Remove a booking's record and free its time; None if there is no such booking.

        Raises SlotTaken while it is still being made, and what the CRM says if it does not remove the record.
        """
        booking = self._store.bookings.get(booking_id)
        if booking is None or booking.state is BookingState.RELEASED:
            return booking
        if booking.state is BookingState.HELD:
            raise SlotTaken(BEING_MADE)
        gateway: CrmGateway = self._gateway()
        try:
            gateway.delete(booking.entity_type, booking.record_id)
        except NotFound:
            log.info("the record of booking %s was gone already", booking_id)
        self._store.bookings.release(booking_id, CANCELLED)
        self._counted("cancelled")
        mark(self._store, booking, booking.record_id, "deleted")
        return self._store.bookings.get(booking_id)

    def _known(self, request: BookingRequest) -> Booking | None:
        known = self._store.bookings.by_key(request.caller, request.key)
        if known is not None and known.request_hash != request.digest():
            raise KeyReused(_("This idempotency key was used for another booking; choose a new one."))
        return known

    # --- the time

    def _held(self, request: BookingRequest, offer: Offer, booking: Booking) -> Booking:
        """The booking, held for users of whom Outlook said that they are free."""
        offer = replace(offer, last=self._lately_unanswered(offer))
        looked: set[str] = set()
        passed: dict[str, str] = {}
        while True:
            held, users = self._reserve(offer.without(passed), booking)
            if held is None:
                raise self._nobody(request, passed)
            booking = held
            asked = sorted(set(users) - looked)
            if not asked:
                return held
            looked |= set(asked)
            try:
                told = self._look(asked, *offer.around)
            except CalsyncError as error:
                self._store.bookings.release(held.id, str(error))
                raise
            failed = {user_id: why for user_id, why in told.items() if why}
            self._unanswered |= dict.fromkeys(failed, self._store.clock.now())
            if failed and offer.needs_all():
                reason = next(iter(failed.values()))
                self._store.bookings.release(held.id, reason)
                raise Unavailable(reason)
            passed |= failed

    def _lately_unanswered(self, offer: Offer) -> frozenset[str]:
        long_ago = self._store.clock.now() - UNANSWERED
        return frozenset(one for one in offer.owners if self._unanswered.get(one, long_ago) > long_ago)

    def _reserve(self, offer: Offer, booking: Booking) -> tuple[Booking | None, list[str]]:
        """Take the time of whoever has it; a booking that is held already keeps its user if it can."""
        users: list[str] = []

        def decide(standing: Standing) -> list[str] | None:
            found = given(offer, standing, keeps=booking.user_id)
            users[:] = found or []
            return found

        held = self._store.bookings.reserve(
            booking, offer.owners, decide, around=offer.around, day=offer.days, since=offer.since
        )
        return held, users

    def _nobody(self, request: BookingRequest, passed: Mapping[str, str]) -> CalsyncError:
        """Why nobody has the time: it is taken, or Outlook could not be asked about those who may be free."""
        if passed:
            return Unavailable(next(iter(passed.values())))
        return SlotTaken(TAKEN, next_slots=self._desired.instead(request))

    # --- the record

    def _made(self, held: Booking) -> Booking:
        """The booking with its record; still held if nobody can tell yet whether the CRM has one."""
        try:
            record_id = self._maker.create(held)
        except UnknownOutcome as error:
            log.warning("booking %s: %s", held.id, error)
            return self._found(held)
        except (ItemError, Forbidden, NotFound) as error:
            self._store.bookings.release(held.id, str(error))
            self._counted("refused")
            raise NotBooked(_("The CRM did not take the meeting: %(reason)s", reason=str(error))) from error
        except CalsyncError as error:
            self._store.bookings.release(held.id, str(error))
            raise
        return self._confirmed(held, record_id)

    def _found(self, held: Booking) -> Booking:
        """A look at what became of it, at once: most of what seems lost is there."""
        try:
            record_id = self._maker.find(held)
        except CalsyncError as error:
            log.warning("booking %s is settled later: %s", held.id, error)
            return held
        return self._confirmed(held, record_id) if record_id else held

    def _confirmed(self, held: Booking, record_id: str) -> Booking:
        try:
            kept = confirm(self._store, held, record_id)
        except StoreBusy as error:
            # The time is held and the record is there: the sweep brings them together.
            log.warning("booking %s is confirmed later: %s", held.id, error)
            return held
        if not kept:
            return self._too_late(held, record_id)
        return replace(held, state=BookingState.CONFIRMED, record_id=record_id)

    def _too_late(self, held: Booking, record_id: str) -> Booking:
        """This took so long that the time was released, and may be somebody else's by now."""
        gateway: CrmGateway = self._gateway()
        log.warning("booking %s took too long; its record is removed again", held.id)
        try:
            gateway.delete(held.entity_type, record_id)
        except NotFound:
            log.info("the record of booking %s was gone already", held.id)
        self._counted("taken")
        raise SlotTaken(TAKEN)
