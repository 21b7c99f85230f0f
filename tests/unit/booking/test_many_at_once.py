"""Two hundred bookings at the same moment: every slot is given away once, and every loser is told."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import pytest

from calsync_plugin.booking.asking import BookingRequest, Desired
from calsync_plugin.booking.booker import Booker
from calsync_plugin.booking.fitting import SlotQuery
from calsync_plugin.booking.making import Maker
from calsync_plugin.crm.gateway import Record
from calsync_plugin.errors import SlotTaken
from calsync_plugin.state import Booking, BookingCalendar, BookingState, CalendarKind, Store
from tests.unit.booking.office import DAY, HOUR, NOW, Crm, Office

MEMBERS = ("anna", "ben", "cleo", "dan")
STARTS = [NOW + 3 * DAY + number * HOUR for number in range(5)]
"""A Monday, from noon on."""
REQUESTS = 200


class Records(Crm):
    """A CRM that keeps what is created."""

    def __init__(self, office: Office) -> None:
        super().__init__(office.people)
        self.created: list[Record] = []

    def create(self, entity_type: str, attributes: Record) -> str:
        """Keep it."""
        self.created.append(attributes)
        return f"{entity_type}{len(self.created)}"


def nothing_new(user_ids: Collection[str], _start: int, _end: int) -> Mapping[str, str]:
    """Outlook was asked, and knows no more than the store."""
    return dict.fromkeys(user_ids, "")


@pytest.fixture
def records(office: Office) -> Records:
    """The records that bookings became."""
    return Records(office)


@pytest.fixture
def booker(office: Office, records: Records) -> Booker:
    """What books in the office."""
    maker = Maker(office.store, lambda: records, office.entities)
    desk = office.desk
    desired = Desired(office.store, desk.features, desk.slots, maker, lambda: office.zone)
    return Booker(office.store, lambda: records, desired, nothing_new, maker)


@pytest.fixture
def team(office: Office) -> BookingCalendar:
    """Four members, at any hour of the day."""
    for user_id in MEMBERS:
        office.connect(user_id)
    rules: dict[str, Any] = {"hours": "own", "start": "00:00", "end": "00:00", "duration": 60, "step": 60}
    calendar = BookingCalendar(
        id="team",
        name="Advice",
        kind=CalendarKind.ROUND_ROBIN,
        rules=rules,
        members=dict.fromkeys(MEMBERS, 0),
    )
    return office.store.booking_calendars.save(calendar)


class Crowd:
    """Many who book at the same moment, each in a thread."""

    def __init__(self, booker: Booker) -> None:
        self.booker = booker
        self.won: list[Booking] = []
        self.lost: list[SlotTaken] = []

    def book(self, requests: list[BookingRequest]) -> None:
        """All of them."""
        begin = threading.Barrier(len(requests))
        threads = [threading.Thread(target=self._one, args=(begin, request)) for request in requests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert not any(thread.is_alive() for thread in threads)

    def _one(self, begin: threading.Barrier, request: BookingRequest) -> None:
        begin.wait(60)
        try:
            self.won.append(self.booker.book(request))
        except SlotTaken as taken:
            self.lost.append(taken)


def a_request(number: int, start: int, key: str = "") -> BookingRequest:
    """A request of the team's calendar."""
    query = SlotQuery(window=(0, 1), calendar_id="team")
    return BookingRequest(query=query, start=start, name=f"Visitor {number}", caller="web", key=key)


def test_of_two_hundred_twenty_win(
    store: Store, booker: Booker, records: Records, team: BookingCalendar
) -> None:
    crowd = Crowd(booker)
    crowd.book([a_request(number, STARTS[number % len(STARTS)]) for number in range(REQUESTS)])
    assert len(crowd.won) == len(records.created) == len(STARTS) * len(MEMBERS)
    assert {one.state for one in crowd.won} == {BookingState.CONFIRMED}
    assert len({(one.user_id, one.start) for one in crowd.won}) == len(crowd.won)
    made = {(one["assignedUserId"], one["dateStart"]) for one in records.created}
    assert len(made) == len(crowd.won)
    assert Counter(one.user_id for one in crowd.won) == dict.fromkeys(MEMBERS, len(STARTS))
    assert len(crowd.lost) == REQUESTS - len(crowd.won)
    assert all(taken.next_slots for taken in crowd.lost)
    holds = store.bookings.holds(list(team.members), STARTS[0], STARTS[-1] + HOUR)
    assert len(holds) == len(crowd.won)


def test_two_at_once_get_two_members(booker: Booker, team: BookingCalendar) -> None:
    crowd = Crowd(booker)
    crowd.book([a_request(number, STARTS[0] + number % 2 * 6 * HOUR) for number in range(len(team.members))])
    assert sorted(one.user_id for one in crowd.won) == sorted(MEMBERS)


def test_a_daily_limit_holds_whoever_comes_at_once(
    office: Office, booker: Booker, team: BookingCalendar
) -> None:
    office.store.booking_calendars.save(replace(team, rules={**team.rules, "daily_limit": 1}))
    crowd = Crowd(booker)
    crowd.book([a_request(number, STARTS[number % len(STARTS)]) for number in range(40)])
    assert sorted(one.user_id for one in crowd.won) == sorted(MEMBERS)


def test_the_same_request_many_times_at_once_is_booked_once(
    booker: Booker, records: Records, team: BookingCalendar
) -> None:
    del team
    crowd = Crowd(booker)
    crowd.book([a_request(1, STARTS[0], key="k1")] * 20)
    assert crowd.lost == []
    assert len({one.id for one in crowd.won}) == 1
    assert len(records.created) == 1
