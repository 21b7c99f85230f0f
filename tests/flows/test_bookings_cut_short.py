"""A process that dies while it books: one record or none, and no time that stays taken for nothing.

Every commit and every write to the CRM is a step, and the process dies after each of them in turn, with the
CRM's answer lost on the way as well as without that.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from calsync_plugin.booking.asking import BookingRequest
from calsync_plugin.booking.fitting import SlotQuery
from calsync_plugin.booking.making import Maker
from calsync_plugin.booking.settling import PATIENCE
from calsync_plugin.errors import SlotTaken, StoreBusy
from calsync_plugin.state import SWEEP, Booking, BookingState
from calsync_plugin.state.bookings import Bookings
from calsync_plugin.state.database import Database
from calsync_plugin.state.queue import Queue
from tests.faults.course import Course, Killed, Wire
from tests.world import ALICE, CRM, World

HOUR = 3600
TEN = 1_796_119_200
"""1 December 2026, 10:00 UTC."""
STEPS = ["reserved", "looked", "record", "confirmed", "marked"]
REQUEST = BookingRequest(
    query=SlotQuery(window=(0, 1), users=(ALICE,), duration=HOUR),
    start=TEN,
    name="Consultation",
    caller="web",
    key="k1",
)


@pytest.fixture
def course(world: World, monkeypatch: pytest.MonkeyPatch) -> Course:
    """What calsync commits and sends to the CRM, step by step."""
    course = Course()
    write, mark = Database.write, Queue.record_changes

    @contextmanager
    def watched(self: Database) -> Generator[Connection]:
        course.alive()
        with write(self) as connection:
            yield connection
        course.passed("commit")

    def marked(self: Queue, changes: Iterable[tuple[str, str, str, str]]) -> None:
        course.alive()
        mark(self, changes)
        course.passed("mark")

    monkeypatch.setattr(Database, "write", watched)
    monkeypatch.setattr(Queue, "record_changes", marked)
    world.app.http.mount(CRM, Wire(lambda: course, world.crm_app, "crm"))
    return course


def again(world: World, course: Course) -> None:
    """Another process takes over, some minutes later."""
    course.restart()
    world.crm.faults.clear()
    world.open()
    world.clock.advance(PATIENCE + 1)
    world.app.store.queue.wake(SWEEP)
    world.settle()


def free(world: World) -> bool:
    """Whether the hour is on offer."""
    query = SlotQuery(window=(TEN, TEN + HOUR), users=(ALICE,), duration=HOUR)
    return bool(world.app.desk.slots.find(query).slots)


def only_booking(world: World) -> Booking | None:
    """The booking that holds the key."""
    return world.app.store.bookings.by_key("web", "k1")


def test_the_steps_of_a_booking(world: World, course: Course) -> None:
    world.app.desk.booker.book(REQUEST)
    kinds = ["call" if step.startswith("call") else step for step in course.steps]
    assert kinds == ["commit", "commit", "call", "commit", "mark"]
    assert len(kinds) == len(STEPS)


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "answer-lost"])
@pytest.mark.parametrize("step", range(len(STEPS) + 1), ids=["nothing", *STEPS])
def test_a_death_leaves_one_record_or_none(world: World, course: Course, step: int, lost: bool) -> None:
    if lost:
        world.crm_fails(path="Meeting", method="POST", drop_after_commit=True)
    course.stop_after = step
    with pytest.raises(Killed):
        world.app.desk.booker.book(REQUEST)
    again(world, course)
    made = step >= STEPS.index("record") + 1
    assert len(world.records()) == len(world.events(ALICE)) == int(made)
    booking = only_booking(world)
    assert (booking is not None) == made
    assert free(world) is not made
    if booking is not None:
        assert (booking.state, booking.record_id) == (BookingState.CONFIRMED, world.only_record()["id"])
    assert world.app.desk.booker.book(REQUEST).state is BookingState.CONFIRMED
    world.settle()
    assert len(world.records()) == len(world.events(ALICE)) == 1


@pytest.mark.parametrize("step", range(3), ids=["nothing", "record-removed", "released"])
def test_a_death_while_cancelling_is_made_good_by_cancelling_again(
    world: World, course: Course, step: int
) -> None:
    booking = world.app.desk.booker.book(REQUEST)
    world.settle()
    course.steps.clear()
    course.stop_after = step
    with pytest.raises(Killed):
        world.app.desk.booker.cancel(booking.id)
    again(world, course)
    cancelled = world.app.desk.booker.cancel(booking.id)
    assert cancelled is not None
    assert cancelled.state is BookingState.RELEASED
    world.settle()
    assert (world.records(), world.events(ALICE)) == ([], [])
    assert free(world)


@pytest.mark.parametrize("room", [Queue, Bookings], ids=["queue", "bookings"])
def test_a_store_that_is_busy_when_the_record_is_there_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, room: type
) -> None:
    name = "record_changes" if room is Queue else "confirm"

    def refused(*_arguments: object) -> None:
        raise StoreBusy("no turn to write")

    with monkeypatch.context() as patch:
        patch.setattr(room, name, refused)
        made = world.app.desk.booker.book(REQUEST)
    assert made.state is (BookingState.CONFIRMED if room is Queue else BookingState.HELD)
    again(world, Course())
    booking = only_booking(world)
    assert booking is not None
    assert (booking.id, booking.state) == (made.id, BookingState.CONFIRMED)
    assert len(world.records()) == len(world.events(ALICE)) == 1


class Slow:
    """The CRM takes so long to answer that the booking is settled meanwhile."""

    def __init__(self, world: World, *, before: bool) -> None:
        self.world = world
        self.before = before
        app = world.app
        self.create = Maker(app.store, lambda: app.gateway, app.entities).create

    def __call__(self, booking: Booking) -> str:
        """Settle before the CRM has the record, or after."""
        if self.before:
            self._settle()
            return self.create(booking)
        record_id = self.create(booking)
        self._settle()
        return record_id

    def _settle(self) -> None:
        self.world.clock.advance(PATIENCE + 1)
        self.world.app.desk.settling.go()


def test_a_record_that_comes_after_its_time_was_released_is_removed_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(world, before=True)
    monkeypatch.setattr(Maker, "create", slow)
    with pytest.raises(SlotTaken):
        world.app.desk.booker.book(REQUEST)
    assert world.records() == []
    assert free(world)


def test_a_record_that_was_found_meanwhile_is_confirmed_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(world, before=False)
    monkeypatch.setattr(Maker, "create", slow)
    booking = world.app.desk.booker.book(REQUEST)
    assert (booking.state, booking.record_id) == (BookingState.CONFIRMED, world.only_record()["id"])
    assert not free(world)
