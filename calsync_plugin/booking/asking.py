"""What somebody wants to book, and whether it is on offer.

Decides what can be booked at all: a slot that a question for slots would offer at this moment, by the same
rules, of a kind of record that is synced. Takes no time of anybody.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from uuid import uuid4

from calsync_plugin.booking import making
from calsync_plugin.booking.features import Feature, Features
from calsync_plugin.booking.fitting import Fitting, SlotQuery
from calsync_plugin.booking.giving import Offer
from calsync_plugin.booking.making import Content, Maker
from calsync_plugin.booking.slots import FoundSlots, Slots
from calsync_plugin.booking.taking import owners_of
from calsync_plugin.domain.availability import Interval
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.domain.slots import DAY, Mode
from calsync_plugin.errors import SettingsError, SlotTaken
from calsync_plugin.state import Booking, Store
from calsync_plugin.wording import gettext as _

NEXT = 5
"""Free slots that are offered to whoever came too late ..."""
NEXT_WITHIN = 14 * DAY
"""... within so many seconds from the asked one on."""
LONGEST_KEY = 200
LAST = 1 << 33
"""A second of the 23rd century: beyond every calendar."""

NOT_OFFERED = _("This time is not offered, or not free any more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRequest:
    """What somebody wants to book."""

    query: SlotQuery
    """Which slots are on offer; its window does not count."""
    start: int
    name: str
    caller: str = ""
    """Whose key it is: keys of others do not count."""
    key: str = ""
    """Idempotency key: the same request with it is booked once, however often it is sent."""
    description: str = ""
    contact_ids: Sequence[str] = ()
    lead_ids: Sequence[str] = ()
    entity_type: str = ""
    """Empty: as the booking calendar says."""
    attributes: Mapping[str, JsonValue] = field(default_factory=dict)
    """Further attributes of the record."""

    def digest(self) -> str:
        """The same for the same request, whoever sends it."""
        asked = asdict(replace(self, query=replace(self.query, window=(0, 0)), caller="", key=""))
        return sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()


class Desired:
    """Looks requests up among what is on offer."""

    def __init__(
        self, store: Store, features: Features, slots: Slots, maker: Maker, crm_zone: Callable[[], str]
    ) -> None:
        """Find by `slots`; `maker` knows of which types records can be made."""
        self._store = store
        self._features = features
        self._slots = slots
        self._maker = maker
        self._crm_zone = crm_zone

    def offer(self, request: BookingRequest) -> tuple[Offer, Booking]:
        """The asked slot as it is on offer now, and the booking of it, which is not stored yet.

        Raises SlotTaken if it is not offered, FeatureOff, or SettingsError for what cannot be booked.
        """
        if len(request.key) > LONGEST_KEY:
            raise SettingsError(
                _("An idempotency key has %(number)s characters at most.", number=LONGEST_KEY)
            )
        fitting = self._fitting(request)
        start, end = fitting.wanted.window
        found = self._slots.fill(fitting)
        users = next((slot.user_ids for slot in found.slots if slot.start == start), ())
        if not users:
            raise self._refusal(request, found)
        booking = self._booking(request, fitting, users)
        self._maker.check_people(request.contact_ids, request.lead_ids)
        wanted = fitting.wanted
        return Offer(
            slot=(start, end),
            wanted=wanted,
            owners=owners_of(self._store, users, self._crm_zone),
            priorities=fitting.priorities,
            days=fitting.days,
            apart=fitting.apart,
            since=self._store.clock.now() - fitting.rules.fairness_days * DAY,
        ), booking

    def instead(self, request: BookingRequest) -> list[tuple[int, int, tuple[str, ...]]]:
        """The next free slots after the asked one: start, end and who could take it."""
        first = max(request.start, int(self._store.clock.now()))
        query = replace(request.query, window=(first, first + NEXT_WITHIN))
        found = self._slots.find(query, limit=NEXT + 1)
        others = [slot for slot in found.slots if slot.start != request.start]
        return [(slot.start, slot.end, slot.user_ids) for slot in others[:NEXT]]

    def _fitting(self, request: BookingRequest) -> Fitting:
        """The question for this very slot. SlotTaken if it begins later than may be booked."""
        start = request.start
        if not 0 < start < LAST:
            raise SettingsError(_("start: is no time that can be booked."))
        fitting = self._slots.fit(replace(request.query, window=(start, start + 2 * DAY)))
        slot: Interval = start, start + fitting.wanted.duration
        if fitting.wanted.window[1] < slot[1]:
            raise SlotTaken(NOT_OFFERED, next_slots=self.instead(request))
        return replace(fitting, wanted=replace(fitting.wanted, window=slot))

    def _booking(self, request: BookingRequest, fitting: Fitting, users: Sequence[str]) -> Booking:
        entity = self._maker.entity(request.entity_type or fitting.rules.entity_type)
        content = Content(
            name=request.name,
            description=request.description,
            contact_ids=tuple(request.contact_ids),
            lead_ids=tuple(request.lead_ids),
            other_users=tuple(users) if fitting.wanted.mode is Mode.COLLECTIVE else (),
            attributes=request.attributes,
        )
        start, end = fitting.wanted.window
        return Booking(
            id=str(uuid4()),
            calendar_id=fitting.calendar_id,
            caller=request.caller,
            key=request.key,
            request_hash=request.digest(),
            start=start,
            end=end,
            entity_type=entity.entity_type,
            content=making.written(making.checked(content, entity)),
            made_at=self._store.clock.now(),
        )

    def _refusal(self, request: BookingRequest, found: FoundSlots) -> SlotTaken:
        """Why the slot is not offered: nobody is there to ask, or the time is not free."""
        users = found.fitting.users
        for user_id in users:
            if len(found.lacking) == len(users):
                self._features.check(Feature.BOOKINGS, user_id)
        lacking = next(iter(found.lacking.values()), "")
        if lacking and (len(found.lacking) == len(users) or found.fitting.wanted.mode is Mode.COLLECTIVE):
            return SlotTaken(lacking)
        return SlotTaken(NOT_OFFERED, next_slots=self.instead(request))
