"""Bookings, cancellations and trouble in any order: nobody is booked twice, and nothing is left over.

The CRM refuses, saves without an answer, or loses a request; Outlook cannot be asked, or tells of something
new; records are moved, given to others and removed by hand. What must hold does not depend on the order.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import pytest

from calsync_plugin.booking.asking import BookingRequest, Desired
from calsync_plugin.booking.booker import Booker
from calsync_plugin.booking.fitting import SlotQuery
from calsync_plugin.booking.making import Maker
from calsync_plugin.booking.settling import PATIENCE, Settling
from calsync_plugin.crm.gateway import Found, Loaded, Missing, Record
from calsync_plugin.crm.spans import wire_instant
from calsync_plugin.domain.availability import Block, Interval
from calsync_plugin.domain.links import Presence
from calsync_plugin.errors import CalsyncError, NotFound, Refused, Unavailable, UnknownOutcome
from calsync_plugin.state import Booking, BookingCalendar, BookingState, CalendarKind
from tests.state.samples import MovedClock
from tests.unit.booking.office import DAY, HOUR, NOW, Crm, Office

USERS = ("anna", "ben", "cleo")
STARTS = [NOW + 3 * DAY + number * HOUR // 2 for number in range(8)]
RULES: Mapping[str, Any] = {"hours": "own", "start": "00:00", "end": "00:00", "duration": 60, "step": 30}
KINDS = (CalendarKind.ROUND_ROBIN, CalendarKind.COLLECTIVE, CalendarKind.SERVICE)
STEPS = 60


@dataclass
class Books(Crm):
    """A CRM whose requests end as they are drawn."""

    office: Office
    draws: random.Random
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    made: int = 0

    def __post_init__(self) -> None:
        super().__init__(self.office.people)

    def create(self, entity_type: str, attributes: Record) -> str:
        """Save it or not, and say so or not."""
        how = self.draws.choice(["saved"] * 6 + ["refused", "away", "lost", "unanswered"])
        if how == "refused":
            raise Refused("no")
        if how == "away":
            raise Unavailable("away")
        if how == "lost":
            raise UnknownOutcome("lost")
        self.made += 1
        record_id = f"{entity_type}{self.made}"
        self.records[record_id] = {**attributes, "id": record_id}
        if how == "unanswered":
            raise UnknownOutcome("no answer")
        return record_id

    def find_created(self, entity_type: str, attributes: Record, since: datetime) -> str | None:
        """By name; each booking has its own here."""
        del entity_type, since
        if self.draws.random() < 0.3:
            raise Unavailable("away")
        alike = [i for i, one in self.records.items() if one["name"] == attributes["name"]]
        return alike[-1] if alike else None

    def load(self, entity_type: str, ids: Collection[str]) -> Mapping[str, Loaded]:
        """As they are now."""
        del entity_type
        gone = Missing(Presence.GONE, "removed")
        return {one: Found(self.records[one]) if one in self.records else gone for one in ids}

    def delete(self, entity_type: str, record_id: str) -> None:
        """Remove it, if it is there."""
        if self.records.pop(record_id, None) is None:
            raise NotFound(f"{entity_type} {record_id}")


class Town:
    """An office in which things happen by lot."""

    def __init__(self, office: Office, clock: MovedClock, seed: int) -> None:
        self.office = office
        self.clock = clock
        self.draws = random.Random(seed)
        self.crm = Books(office, self.draws)
        self.blocks: dict[str, list[Interval]] = {user_id: [] for user_id in USERS}
        self.sources = {user_id: office.connect(user_id) for user_id in USERS}
        for kind in KINDS:
            members = dict.fromkeys(USERS, 0)
            office.store.booking_calendars.save(
                BookingCalendar(id=kind.value, name=kind.value, kind=kind, rules=RULES, members=members)
            )
        maker = Maker(office.store, lambda: self.crm, office.entities)
        desk, zone = office.desk, lambda: office.zone
        desired = Desired(office.store, desk.features, desk.slots, maker, zone)
        self.booker = Booker(office.store, lambda: self.crm, desired, self.look, maker)
        self.settling = Settling(office.store, lambda: self.crm, maker, office.entities, crm_zone=zone)
        self.bookings: set[str] = set()

    def look(self, user_ids: Collection[str], _start: int, _end: int) -> Mapping[str, str]:
        """What Outlook tells: sometimes nothing, sometimes something new."""
        return {
            one: "it does not answer" if self.draws.random() < 0.1 else self._news(one) for one in user_ids
        }

    def _news(self, user_id: str) -> str:
        if self.draws.random() < 0.1:
            start = self.draws.choice(STARTS)
            self.blocks[user_id].append((start, start + HOUR // 2))
        blocks = [Block(id=f"{a}", start=a, end=b) for a, b in self.blocks[user_id]]
        self.office.read(self.sources[user_id], *blocks)
        return ""

    def step(self, number: int) -> None:
        """Something happens."""
        {
            "book": lambda: self.book(number),
            "cancel": self.cancel,
            "remove": self.remove,
            "reassign": self.reassign,
            "settle": self.settle,
        }[self.draws.choice(["book"] * 6 + ["cancel", "remove", "reassign", "settle"])]()
        self.clock.move(10)

    def book(self, number: int) -> None:
        """Somebody books something."""
        kind = self.draws.choice(KINDS)
        asked = self.draws.choice(USERS) if kind is CalendarKind.SERVICE and self.draws.random() < 0.5 else ""
        query = SlotQuery(window=(0, 1), calendar_id=kind.value, asked_user=asked)
        request = BookingRequest(query=query, start=self.draws.choice(STARTS), name=f"Visitor {number}")
        try:
            booking = self.booker.book(request)
        except CalsyncError:
            return
        self.bookings.add(booking.id)
        for user_id in self.office.store.bookings.takers([booking.id])[booking.id]:
            told = [one for one in self.blocks[user_id] if one[0] < booking.end and booking.start < one[1]]
            assert told == [], (user_id, booking)

    def cancel(self) -> None:
        """Somebody cancels something."""
        if self.bookings:
            try:
                self.booker.cancel(self.draws.choice(sorted(self.bookings)))
            except CalsyncError:
                return

    def remove(self) -> None:
        """Somebody removes a record by hand."""
        if self.crm.records:
            del self.crm.records[self.draws.choice(sorted(self.crm.records))]

    def reassign(self) -> None:
        """Somebody gives a record to nobody whom bookings know."""
        if self.crm.records:
            record = self.crm.records[self.draws.choice(sorted(self.crm.records))]
            record["assignedUserId"], record["usersIds"] = "dora", ["dora"]

    def settle(self) -> None:
        """The sweep comes, after a while."""
        self.clock.move(PATIENCE + 1)
        self.settling.go()

    def booked(self) -> list[Booking]:
        """All bookings that were told of."""
        found = [self.office.store.bookings.get(one) for one in sorted(self.bookings)]
        return [one for one in found if one is not None]

    def check(self) -> None:
        """What holds at any time: nobody is held twice."""
        holds = self.office.store.bookings.holds(USERS, STARTS[0], STARTS[-1] + DAY)
        for some, other in combinations(holds, 2):
            apart = some.user_id != other.user_id or some.end <= other.start or other.end <= some.start
            assert apart, (some, other)

    def check_at_rest(self) -> None:
        """What holds when all is settled: each booking has its record, each record its booking."""
        states = {one.state for one in self.booked()}
        assert states <= {BookingState.CONFIRMED, BookingState.RELEASED}
        confirmed = {one.record_id: one for one in self.booked() if one.state is BookingState.CONFIRMED}
        assert confirmed.keys() == self.crm.records.keys()
        holds = self.office.store.bookings.holds([*USERS, "dora"], STARTS[0], STARTS[-1] + DAY)
        assert {hold.booking_id for hold in holds} == {one.id for one in confirmed.values()}
        for record_id, booking in confirmed.items():
            record = self.crm.records[record_id]
            assert booking.user_id == record["assignedUserId"]
            assert wire_instant(datetime.fromtimestamp(booking.start, UTC)) == record["dateStart"]


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_nobody_is_booked_twice_and_nothing_is_left(
    office: Office, clock: MovedClock, seed: int
) -> None:
    town = Town(office, clock, seed)
    for number in range(STEPS):
        town.step(number)
        town.check()
    for _sweep in range(12):
        town.settle()
    town.check()
    town.check_at_rest()
    assert town.crm.made > 3
