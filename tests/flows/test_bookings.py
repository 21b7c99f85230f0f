"""Bookings, from a free time to a record in the CRM and an event in Outlook."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from calsync_plugin.accounts.choices import choose
from calsync_plugin.booking import settling
from calsync_plugin.booking.asking import BookingRequest
from calsync_plugin.booking.fitting import SlotQuery
from calsync_plugin.booking.settling import PATIENCE
from calsync_plugin.domain.slots import Mode
from calsync_plugin.errors import CalsyncError, FeatureOff, KeyReused, NotBooked, SlotTaken, Unavailable
from calsync_plugin.sandbox.outlook import faults as outlook_faults
from calsync_plugin.state import (
    SWEEP,
    AccountStatus,
    Booking,
    BookingCalendar,
    BookingState,
    CalendarKind,
    Gate,
    Hold,
    HoldState,
    Subject,
)
from tests.world import ALICE, BOB, CAROL, DAVE, FRANK, World

HOUR, DAY = 3600, 86_400
ANY = (0, 1)


def at(text: str) -> int:
    """An epoch second in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


TEN = at("2026-12-01T10:00")
TEN_TO_TWELVE = (TEN - HOUR, TEN + 3 * HOUR)


def asking(*users: str, start: int = TEN, mode: Mode | None = None, **more: Any) -> BookingRequest:
    """An hour of these users."""
    query = SlotQuery(window=ANY, users=users, duration=HOUR, mode=mode)
    return BookingRequest(query=query, start=start, **{"name": "Consultation", **more})


def of_calendar(calendar: BookingCalendar, start: int = TEN, asked: str = "", **more: Any) -> BookingRequest:
    """An hour of a booking calendar."""
    query = SlotQuery(window=ANY, calendar_id=calendar.id, asked_user=asked)
    return BookingRequest(query=query, start=start, **{"name": "Consultation", **more})


def set_up(world: World, kind: CalendarKind, members: dict[str, int], **rules: Any) -> BookingCalendar:
    """A booking calendar for an hour at any time of the day."""
    whole_day: dict[str, Any] = {
        "hours": "own",
        "start": "00:00",
        "end": "00:00",
        "notice": 0,
        "duration": 60,
    }
    calendar = BookingCalendar(
        id=kind.value, name="Advice", kind=kind, rules={**whole_day, **rules}, members=members
    )
    return world.app.store.booking_calendars.save(calendar)


def book(world: World, request: BookingRequest) -> Booking:
    """Book it."""
    return world.app.desk.booker.book(request)


def holds(world: World, *users: str) -> list[Hold]:
    """What bookings take of the time of these users by themselves."""
    return world.app.store.bookings.holds(users or (ALICE, BOB), *TEN_TO_TWELVE)


def free(world: World, user_id: str, start: int = TEN) -> bool:
    """Whether an hour is on offer."""
    query = SlotQuery(window=(start, start + HOUR), users=(user_id,), duration=HOUR)
    return bool(world.app.desk.slots.find(query).slots)


def stored(world: World, booking: Booking) -> Booking:
    """A booking as the store has it."""
    found = world.app.store.bookings.get(booking.id)
    assert found is not None
    return found


def later(world: World, seconds: float = PATIENCE + 1) -> None:
    """Let time pass and the sweep run."""
    world.clock.advance(seconds)
    world.app.store.queue.wake(SWEEP)
    world.settle()


# --- whose time it is, and what becomes of it


def test_a_booking_becomes_a_record_and_an_event(world: World) -> None:
    booking = book(world, asking(ALICE, contact_ids=(DAVE,), lead_ids=(FRANK,), description="Bring papers."))
    assert (booking.state, booking.user_id) == (BookingState.CONFIRMED, ALICE)
    record = world.only_record()
    assert record["id"] == booking.record_id
    assert (record["name"], record["description"]) == ("Consultation", "Bring papers.")
    assert (record["dateStart"], record["dateEnd"]) == ("2026-12-01 10:00:00", "2026-12-01 11:00:00")
    assert record["assignedUserId"] == ALICE
    assert (record["usersIds"], record["contactsIds"], record["leadsIds"]) == ([ALICE], [DAVE], [FRANK])
    world.settle()
    event = world.event(ALICE)
    assert (event.subject, event.start) == ("Consultation", "2026-12-01T10:00:00")
    assert not free(world, ALICE)


def test_once_the_event_is_there_it_tells_and_the_booking_does_not(world: World) -> None:
    booking = book(world, asking(ALICE))
    assert [hold.state for hold in holds(world)] == [HoldState.KEPT]
    world.settle()
    world.pull()
    assert holds(world) == []
    assert not free(world, ALICE)
    world.discard(ALICE)
    world.pull()
    assert free(world, ALICE)
    assert stored(world, booking).state is BookingState.CONFIRMED


def test_a_booking_takes_its_time_by_itself_again_when_its_calendar_is_left(world: World) -> None:
    book(world, asking(ALICE))
    world.settle()
    world.pull()
    assert holds(world) == []
    choose(world.app.store, world.app.gateway, ALICE, {"main_calendar": world.calendar(ALICE, "Another")})
    world.settle()
    world.pull()
    assert [hold.state for hold in holds(world)] == [HoldState.KEPT]
    assert not free(world, ALICE)


def test_a_booking_keeps_its_time_while_its_user_connects_again(world: World) -> None:
    booking = book(world, asking(ALICE))
    world.settle()
    world.app.connections.disconnect(ALICE)
    assert [hold.state for hold in holds(world)] == [HoldState.KEPT]
    world.connect(ALICE)
    world.settle()
    assert holds(world) == []
    assert not free(world, ALICE)
    assert stored(world, booking).state is BookingState.CONFIRMED


def test_a_team_takes_turns(world: World) -> None:
    team = set_up(world, CalendarKind.ROUND_ROBIN, {ALICE: 0, BOB: 0})
    got = [book(world, of_calendar(team, TEN + number * HOUR)).user_id for number in range(4)]
    assert sorted(got[:2]) == sorted([ALICE, BOB])
    assert got[:2] == got[2:]


def test_of_equals_the_higher_priority_comes_first(world: World) -> None:
    team = set_up(world, CalendarKind.ROUND_ROBIN, {ALICE: 1, BOB: 9})
    got = [book(world, of_calendar(team, TEN + number * HOUR)).user_id for number in range(2)]
    assert got == [BOB, ALICE]


def test_of_equals_in_all_who_waited_longest_comes_first(world: World) -> None:
    team = set_up(world, CalendarKind.ROUND_ROBIN, {ALICE: 0, BOB: 0}, fairness_days=1)
    first = book(world, of_calendar(team)).user_id
    world.clock.advance(600)
    second = book(world, of_calendar(team, TEN + HOUR)).user_id
    assert {first, second} == {ALICE, BOB}
    world.clock.advance(2 * 86_400)
    assert book(world, of_calendar(team, TEN + 2 * HOUR)).user_id == first


def test_a_busy_member_is_passed_over(world: World) -> None:
    team = set_up(world, CalendarKind.ROUND_ROBIN, {ALICE: 9, BOB: 0})
    world.outlook_create(ALICE, start="2026-12-01T10:30", end="2026-12-01T11:30")
    world.pull(ALICE)
    assert book(world, of_calendar(team)).user_id == BOB


def test_all_of_a_team_come(world: World) -> None:
    team = set_up(world, CalendarKind.COLLECTIVE, {ALICE: 0, BOB: 9})
    booking = book(world, of_calendar(team))
    assert booking.user_id == BOB
    record = world.only_record()
    assert record["assignedUserId"] == BOB
    assert sorted(record["usersIds"]) == sorted([ALICE, BOB])
    assert {hold.user_id for hold in holds(world)} == {ALICE, BOB}
    world.settle()
    world.pull()
    assert world.event(BOB).attendees == {"alice@example.com"}
    assert len(world.events(ALICE)) == 1
    assert [hold.user_id for hold in holds(world)] == [ALICE]


def test_of_a_team_that_comes_together_all_are_free_or_nobody_is_booked(world: World) -> None:
    team = set_up(world, CalendarKind.COLLECTIVE, {ALICE: 0, BOB: 0})
    world.outlook_create(BOB, start="2026-12-01T10:30", end="2026-12-01T11:30")
    with pytest.raises(SlotTaken):
        book(world, of_calendar(team))
    assert (world.records(), holds(world)) == ([], [])


def test_who_did_not_answer_the_invitation_yet_is_not_booked_twice(world: World) -> None:
    store = world.app.store
    store.accounts.set_settings(BOB, {**world.account(BOB).settings, "tentative_blocks": False})
    book(world, asking(ALICE, BOB, mode=Mode.COLLECTIVE))
    world.settle()
    world.pull()
    assert [(hold.user_id, hold.state) for hold in holds(world)] == [(BOB, HoldState.KEPT)]
    assert not free(world, BOB)
    (invitation,) = world.events(BOB)
    world.graph("POST", BOB, f"events/{invitation.id}/accept", json={"sendResponse": True})
    world.pull()
    assert holds(world) == []
    assert not free(world, BOB)


def test_for_a_service_one_who_gives_it_can_be_asked_for(world: World) -> None:
    service = set_up(world, CalendarKind.SERVICE, {ALICE: 9, BOB: 0})
    assert book(world, of_calendar(service, asked=BOB)).user_id == BOB
    with pytest.raises(SlotTaken) as taken:
        book(world, of_calendar(service, asked=BOB))
    assert taken.value.next_slots[0] == (TEN + HOUR, TEN + 2 * HOUR, (BOB,))
    assert book(world, of_calendar(service)).user_id == ALICE


def test_who_comes_too_late_is_offered_the_next_free_times(world: World) -> None:
    book(world, asking(ALICE))
    with pytest.raises(SlotTaken) as taken:
        book(world, asking(ALICE))
    starts = [start for start, _end, _users in taken.value.next_slots]
    assert starts == [TEN + HOUR + number * HOUR // 2 for number in range(5)]
    assert len(world.records()) == 1


@pytest.mark.parametrize(
    ("start", "rules"),
    [
        pytest.param("2026-12-01T10:07", {}, id="between-two-steps"),
        pytest.param("2026-11-23T08:00", {}, id="past"),
        pytest.param("2026-11-23T10:00", {"notice": 120}, id="too-soon"),
        pytest.param("2026-12-01T10:00", {"days_ahead": 2}, id="too-far-ahead"),
        pytest.param("2026-12-05T10:00", {"weekdays": ["mon", "tue"]}, id="not-a-working-day"),
        pytest.param("2026-12-01T19:00", {"start": "09:00", "end": "17:00"}, id="after-work"),
        pytest.param("2026-12-01T11:00", {"before": 30}, id="too-close-after-another"),
        pytest.param("2026-12-01T09:00", {"after": 30}, id="too-close-before-another"),
        pytest.param("2026-12-01T14:00", {"daily_limit": 1}, id="enough-for-that-day"),
    ],
)
def test_a_time_that_is_not_offered_cannot_be_booked(world: World, start: str, rules: dict[str, Any]) -> None:
    book(world, of_calendar(set_up(world, CalendarKind.ROUND_ROBIN, {ALICE: 0})))
    calendar = world.app.store.booking_calendars.get(CalendarKind.ROUND_ROBIN.value)
    assert calendar
    strict = world.app.store.booking_calendars.save(replace(calendar, rules={**calendar.rules, **rules}))
    with pytest.raises(SlotTaken):
        book(world, of_calendar(strict, at(start)))
    assert len(world.records()) == 1


# --- the same request again


def test_the_same_request_with_the_same_key_is_booked_once(world: World) -> None:
    request = asking(ALICE, caller="web", key="k1")
    first = book(world, request)
    assert book(world, request) == stored(world, first)
    assert len(world.records()) == 1


def test_another_request_with_the_same_key_is_refused(world: World) -> None:
    book(world, asking(ALICE, caller="web", key="k1"))
    with pytest.raises(KeyReused):
        book(world, asking(ALICE, caller="web", key="k1", start=TEN + HOUR))
    assert book(world, asking(ALICE, caller="another", key="k1", start=TEN + HOUR)).user_id == ALICE


def test_the_key_of_a_booking_that_came_to_nothing_can_be_used_again(world: World) -> None:
    request = asking(ALICE, caller="web", key="k1")
    world.crm_fails(path="Meeting", method="POST", status=400)
    with pytest.raises(NotBooked):
        book(world, request)
    assert book(world, request).state is BookingState.CONFIRMED


# --- a last look at Outlook


def test_a_request_that_is_sent_again_after_its_booking_was_cancelled_books_nothing(world: World) -> None:
    request = asking(ALICE, key="k", caller="c")
    booking = book(world, request)
    world.app.desk.booker.cancel(booking.id)
    again = book(world, request)
    assert (again.id, again.state) == (booking.id, BookingState.RELEASED)
    assert world.records() == []
    assert book(world, replace(request, key="another")).state is BookingState.CONFIRMED


def test_what_came_into_outlook_a_moment_ago_is_seen(world: World) -> None:
    world.outlook_create(ALICE, start="2026-12-01T10:30", end="2026-12-01T11:30")
    assert free(world, ALICE)
    with pytest.raises(SlotTaken) as taken:
        book(world, asking(ALICE))
    assert taken.value.next_slots[0][0] == TEN + HOUR + HOUR // 2
    assert (world.records(), holds(world)) == ([], [])


def test_the_next_member_takes_it_if_outlook_says_that_the_first_is_busy(world: World) -> None:
    team = set_up(world, CalendarKind.ROUND_ROBIN, {ALICE: 9, BOB: 0})
    world.outlook_create(ALICE, start="2026-12-01T10:30", end="2026-12-01T11:30")
    assert book(world, of_calendar(team)).user_id == BOB


def test_what_left_outlook_a_moment_ago_is_free_for_the_next_one(world: World) -> None:
    event = world.outlook_create(ALICE, start="2026-12-01T10:00", end="2026-12-01T11:00")
    day_off: dict[str, Any] = {"start": "2026-12-01T00:00", "end": "2026-12-02T00:00", "isAllDay": True}
    day = world.outlook_create(ALICE, showAs="oof", **day_off)
    world.pull(ALICE)
    assert not free(world, ALICE)
    world.outlook_delete(ALICE, event)
    world.outlook_delete(ALICE, day)
    assert world.app.desk.looking.look([ALICE], TEN, TEN + HOUR) == {ALICE: ""}
    assert free(world, ALICE)


def outlook_fails(world: World, address: str, **rule: Any) -> None:
    """Let looks at one mailbox fail."""
    match = {"path": "calendarView", "mailbox": address}
    world.outlook.faults.replace([outlook_faults.parse({"match": match, **rule})])


def test_a_member_of_whom_outlook_cannot_tell_is_passed_over(world: World) -> None:
    team = set_up(world, CalendarKind.ROUND_ROBIN, {ALICE: 9, BOB: 0})
    outlook_fails(world, "alice@example.com", status=429, retry_after=120)
    assert book(world, of_calendar(team)).user_id == BOB


def test_who_books_waits_for_a_mailbox_that_does_not_answer_once_a_minute(world: World) -> None:
    team = set_up(world, CalendarKind.ROUND_ROBIN, {ALICE: 9, BOB: 0})
    world.outlook_create(BOB, start="2026-12-01T20:00:00", end="2026-12-01T21:00:00")
    world.pull(BOB)
    outlook_fails(world, "alice@example.com", status=503)
    given = []
    for hours, wait in ((0, 0), (1, 30), (2, 31)):
        world.clock.advance(wait)
        with world.watched(ALICE) as asked:
            booking = book(world, of_calendar(team, TEN + hours * HOUR))
        given.append((booking.user_id, bool(asked)))
    assert given == [(BOB, True), (BOB, False), (BOB, True)]
    # Nobody else can.
    with pytest.raises(Unavailable):
        book(world, of_calendar(team, at("2026-12-01T20:00")))


@pytest.mark.parametrize("kind", [CalendarKind.PERSONAL, CalendarKind.COLLECTIVE])
def test_without_an_answer_of_outlook_nothing_is_booked_where_nobody_can_stand_in(
    world: World, kind: CalendarKind
) -> None:
    members = {ALICE: 0} | ({BOB: 0} if kind is CalendarKind.COLLECTIVE else {})
    calendar = set_up(world, kind, members)
    outlook_fails(world, "alice@example.com", status=429, retry_after=120)
    with pytest.raises(Unavailable, match="no more requests"):
        book(world, of_calendar(calendar))
    assert (world.records(), holds(world)) == ([], [])


def test_who_has_to_connect_again_is_not_booked(world: World) -> None:
    world.app.store.accounts.set_status(ALICE, AccountStatus.RECONNECT, "the login has expired")
    with pytest.raises(SlotTaken, match="not ready"):
        book(world, asking(ALICE))
    assert holds(world) == []


def test_who_is_not_connected_is_not_booked(world: World) -> None:
    with pytest.raises(SlotTaken, match="not connected"):
        book(world, asking(CAROL))


def test_what_is_switched_off_is_not_booked(world: World) -> None:
    world.app.store.gates.close(Gate(feature="bookings", subject=Subject("installation", "")))
    with pytest.raises(FeatureOff):
        book(world, asking(ALICE))


# --- the CRM


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        pytest.param({"status": 400}, NotBooked, id="refused"),
        pytest.param({"status": 403, "reason": "No create access"}, NotBooked, id="forbidden"),
        pytest.param({"status": 401}, CalsyncError, id="key-refused"),
        pytest.param({"status": 503}, Unavailable, id="unavailable"),
    ],
)
def test_a_record_that_the_crm_does_not_take_frees_the_time(
    world: World, fault: dict[str, Any], error: type[Exception]
) -> None:
    world.crm_fails(path="Meeting", method="POST", **fault)
    with pytest.raises(error):
        book(world, asking(ALICE))
    assert (world.records(), holds(world)) == ([], [])
    assert free(world, ALICE)


@pytest.mark.parametrize("entity_type", ["Meeting", "Call"])
@pytest.mark.parametrize("marked", [True, False], ids=["marked", "unmarked"])
def test_an_answer_that_was_lost_after_the_crm_saved_is_no_second_record(
    world: World, entity_type: str, marked: bool
) -> None:
    if not marked:
        for name, entity in world.app.entities.items():
            world.app.entities[name] = replace(entity, marker="")
    world.crm_fails(path=entity_type, method="POST", drop_after_commit=True)
    booking = book(world, asking(ALICE, entity_type=entity_type))
    assert booking.state is BookingState.CONFIRMED
    assert world.only_record(entity_type)["id"] == booking.record_id


def test_a_booking_of_which_nobody_can_tell_is_held_until_the_crm_tells(world: World) -> None:
    world.crm_fails(path="Meeting", method="POST", drop_after_commit=True)
    world.crm_fails(path="Meeting", method="GET", status=503, times=None)
    request = asking(ALICE, caller="web", key="k1")
    booking = book(world, request)
    assert booking.state is BookingState.HELD
    assert book(world, request).id == booking.id
    assert not free(world, ALICE)
    world.crm.faults.clear()
    later(world)
    settled = stored(world, booking)
    assert (settled.state, settled.record_id) == (BookingState.CONFIRMED, world.only_record()["id"])
    assert world.event(ALICE).subject == "Consultation"


def test_a_crm_that_is_away_is_not_asked_for_one_held_booking_after_the_other(world: World) -> None:
    bookings = world.app.store.bookings
    starts = {f"b{number}": TEN + (number - 2) * DAY for number in range(30)}
    for one, start in starts.items():
        held = Booking(id=one, start=start, end=start + HOUR, entity_type="Meeting")
        assert bookings.reserve(held, [ALICE], lambda _: [ALICE], around=ANY, day=ANY, since=0)
    world.clock.advance(TEN - world.clock.now())
    world.crm_fails(path="Meeting", method="GET", status=503, times=None)
    before = len(world.crm.log.requests)
    world.app.desk.settling.go()
    assert len(world.crm.log.requests) - before < 5
    found = {one: bookings.get(one) for one in starts}
    released = [one for one, now in found.items() if now and now.state is BookingState.RELEASED]
    assert released == ["b0", "b1"]
    world.crm.faults.clear()
    world.app.desk.settling.go(lambda: True)
    assert len(bookings.unsettled(world.clock.now(), 99)) == 28
    world.app.desk.settling.go()
    assert bookings.unsettled(world.clock.now(), 99) == []


def test_a_booking_that_never_reached_the_crm_is_released_after_a_while(world: World) -> None:
    world.crm_fails(path="Meeting", method="POST", drop_before=True)
    booking = book(world, asking(ALICE))
    assert booking.state is BookingState.HELD
    assert not free(world, ALICE)
    later(world)
    assert stored(world, booking).state is BookingState.RELEASED
    assert "lost" in stored(world, booking).reason
    assert free(world, ALICE)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        pytest.param({"name": " "}, "name", id="no-name"),
        pytest.param({"attributes": {"dateStart": "2026-12-01 12:00:00"}}, "dateStart", id="another-time"),
        pytest.param({"attributes": {"assignedUserId": BOB}}, "assignedUserId", id="another-user"),
        pytest.param({"entity_type": "Opportunity"}, "Opportunity", id="another-kind"),
        pytest.param({"name": "x" * 251}, "250 characters", id="long-name"),
        pytest.param({"description": "x" * 30_001}, "30000 characters", id="too-long"),
        pytest.param({"attributes": {"x": "x" * 70_000}}, "more text", id="too-much"),
        pytest.param({"contact_ids": ["c"] * 51, "lead_ids": ["l"] * 50}, "at most", id="too-many-people"),
        pytest.param({"key": "k" * 300}, "key", id="long-key"),
        pytest.param({"start": -1}, "start", id="no-time"),
    ],
)
def test_what_no_record_could_be_made_of_is_refused(world: World, more: dict[str, Any], says: str) -> None:
    with pytest.raises(CalsyncError, match=says):
        book(world, asking(ALICE, **more))
    assert (world.records(), holds(world)) == ([], [])


def test_further_attributes_go_into_the_record(world: World) -> None:
    book(world, asking(ALICE, attributes={"status": "Planned", "teamsIds": []}))
    assert world.only_record()["status"] == "Planned"


# --- afterwards


def test_a_record_that_is_moved_takes_the_time_along(world: World) -> None:
    booking = book(world, asking(ALICE))
    world.change(booking.record_id, dateStart="2026-12-01 11:00:00", dateEnd="2026-12-01 12:00:00")
    world.settle()
    assert free(world, ALICE)
    assert not free(world, ALICE, TEN + HOUR)
    assert (stored(world, booking).start, stored(world, booking).end) == (TEN + HOUR, TEN + 2 * HOUR)
    assert world.event(ALICE).start == "2026-12-01T11:00:00"


def test_a_record_that_is_moved_takes_its_time_before_its_event_is_moved(world: World) -> None:
    booking = book(world, asking(ALICE))
    world.settle()
    world.pull()
    assert holds(world) == []
    two = at("2026-12-01T14:00")
    world.change(booking.record_id, dateStart="2026-12-01 14:00:00", dateEnd="2026-12-01 15:00:00")
    world.app.desk.settling.reported(world.app.store.changes.unrouted(100))
    # Outlook still has it where it was, and is asked about that.
    assert world.app.desk.looking.look([ALICE], TEN, TEN + HOUR) == {ALICE: ""}
    assert not free(world, ALICE, two)
    world.settle()
    world.pull()
    assert world.app.store.bookings.holds([ALICE], two, two + HOUR) == []
    assert (free(world, ALICE), free(world, ALICE, two)) == (True, False)


def test_a_record_that_is_reassigned_takes_the_time_of_another(world: World) -> None:
    booking = book(world, asking(ALICE))
    world.reassign(booking.record_id, BOB)
    world.settle()
    assert stored(world, booking).user_id == BOB
    assert (free(world, ALICE), free(world, BOB)) == (True, False)


@pytest.mark.parametrize("seen", [True, False], ids=["event-seen", "before-the-push"])
def test_a_record_that_is_removed_frees_the_time(world: World, seen: bool) -> None:
    booking = book(world, asking(ALICE))
    if seen:
        world.settle()
    world.remove(booking.record_id)
    world.settle()
    assert free(world, ALICE)
    assert stored(world, booking).state is BookingState.RELEASED


def test_a_meeting_that_is_not_held_frees_the_time(world: World) -> None:
    booking = book(world, asking(ALICE))
    world.change(booking.record_id, status="Not Held")
    world.app.desk.settling.go()
    assert stored(world, booking).state is BookingState.RELEASED


def test_what_no_hook_reported_is_found_by_the_sweep(world: World) -> None:
    world.choose(ALICE, mode="outlook_to_crm")
    booking = book(world, asking(ALICE))
    world.settle()
    assert [hold.state for hold in holds(world)] == [HoldState.KEPT]
    world.api("DELETE", f"Meeting/{booking.record_id}")
    later(world, 1)
    assert stored(world, booking).state is BookingState.RELEASED
    assert free(world, ALICE)


def test_a_record_out_of_our_sight_keeps_the_time(world: World) -> None:
    booking = book(world, asking(ALICE))
    world.crm_fails(path=f"Meeting/{booking.record_id}", method="GET", status=403, times=None)
    world.app.desk.settling.go()
    assert stored(world, booking).state is BookingState.CONFIRMED
    assert not free(world, ALICE)


def test_bookings_are_looked_at_in_portions(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "PORTION", 2)
    monkeypatch.setattr(settling, "PORTIONS", 2)
    bookings = [book(world, asking(ALICE, start=TEN + number * HOUR)) for number in range(5)]
    for booking in bookings:
        world.api("DELETE", f"Meeting/{booking.record_id}")
    for _round in range(2):
        world.app.desk.settling.go()
    assert {stored(world, booking).state for booking in bookings} == {BookingState.RELEASED}


def test_who_leaves_a_team_meeting_is_free(world: World) -> None:
    team = set_up(world, CalendarKind.COLLECTIVE, {ALICE: 0, BOB: 9})
    booking = book(world, of_calendar(team))
    world.api("PUT", f"Meeting/{booking.record_id}", json={"usersIds": [BOB]})
    world.app.desk.settling.go()
    assert [hold.user_id for hold in holds(world)] == [BOB]


def test_a_meeting_that_is_moved_in_outlook_is_busy_where_it_is(world: World) -> None:
    booking = book(world, asking(ALICE))
    world.settle()
    world.edit(ALICE, start="2026-12-01T12:00", end="2026-12-01T13:00")
    world.pull()
    # A CRM tells of our own write, too: it comes to the same.
    world.app.store.queue.record_change("Meeting", booking.record_id, user_hint=ALICE)
    world.app.desk.settling.reported(world.app.store.changes.unrouted(100))
    assert stored(world, booking).start == TEN + 2 * HOUR
    assert (free(world, ALICE), free(world, ALICE, TEN + 2 * HOUR)) == (True, False)
    assert world.app.store.bookings.holds([ALICE], TEN, TEN + DAY) == []


def test_a_booking_is_cancelled_with_its_record_and_event(world: World) -> None:
    booking = book(world, asking(ALICE))
    world.settle()
    cancelled = world.app.desk.booker.cancel(booking.id)
    assert cancelled is not None
    assert cancelled.state is BookingState.RELEASED
    world.settle()
    assert (world.records(), world.events(ALICE)) == ([], [])
    assert free(world, ALICE)
    assert world.app.desk.booker.cancel(booking.id) == stored(world, booking)
    assert world.app.desk.booker.cancel("another") is None


def test_a_booking_whose_record_is_gone_can_be_cancelled(world: World) -> None:
    booking = book(world, asking(ALICE))
    world.api("DELETE", f"Meeting/{booking.record_id}")
    cancelled = world.app.desk.booker.cancel(booking.id)
    assert cancelled is not None
    assert cancelled.state is BookingState.RELEASED


def test_a_record_that_the_crm_does_not_remove_keeps_its_booking(world: World) -> None:
    booking = book(world, asking(ALICE))
    world.crm_fails(path=f"Meeting/{booking.record_id}", method="DELETE", status=503)
    with pytest.raises(Unavailable):
        world.app.desk.booker.cancel(booking.id)
    assert stored(world, booking).state is BookingState.CONFIRMED
    assert not free(world, ALICE)


def test_what_is_still_being_made_cannot_be_cancelled(world: World) -> None:
    world.crm_fails(path="Meeting", method="POST", drop_before=True)
    booking = book(world, asking(ALICE))
    with pytest.raises(SlotTaken, match="still being made"):
        world.app.desk.booker.cancel(booking.id)


def test_nothing_of_all_that_is_written_twice(world: World) -> None:
    book(world, asking(ALICE))
    world.settle()
    world.pull()
    world.quiet()
