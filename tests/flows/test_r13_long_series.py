"""R13: a series of a year's days: many pages and runs, nobody waits for it, the breaker counts it as one."""

from __future__ import annotations

from typing import Any

import pytest

from calsync_plugin.accounts import holds
from calsync_plugin.accounts.restore import Restorer
from calsync_plugin.crm.gateway import Record
from calsync_plugin.domain.links import LinkState
from calsync_plugin.settings import WorkerSettings
from tests.flows.conftest import MakeWorld
from tests.outlook_side import repeats
from tests.world import ALICE, BOB, World

YEAR = 366
SERIES = {"start": "2026-12-02T10:00:00", "end": "2026-12-02T10:15:00"}


def records(world: World) -> list[dict[str, Any]]:
    """All meetings as the CRM keeps them, deleted ones aside: more than one list holds."""
    listed: list[dict[str, Any]] = []
    while True:
        page = world.api(
            "GET", "Meeting", params={"maxSize": 200, "offset": len(listed), "orderBy": "dateStart"}
        )["list"]
        if not page:
            return listed
        listed += page


def daily(world: World, count: int = YEAR, **properties: Any) -> str:
    """A series of that many days."""
    return world.series(ALICE, "daily", count=count, **{**SERIES, **properties})


@pytest.fixture
def a_year(world: World) -> tuple[World, str]:
    """A year's daily series, imported."""
    world.choose(ALICE, months_ahead=14)
    world.settle()
    series = daily(world)
    world.pull(ALICE)
    return world, series


def test_r13_a_series_of_a_year_comes_in_whole_and_quietly(a_year: tuple[World, str]) -> None:
    world, _ = a_year
    found = records(world)
    assert len(found) == YEAR
    assert len({one["dateStart"] for one in found}) == YEAR
    assert world.mails() == []
    world.quiet()


def test_r13_a_series_of_a_year_moves_with_all_its_records(a_year: tuple[World, str]) -> None:
    world, series = a_year
    before = [one["id"] for one in records(world)]
    start = "2026-12-03T11:00:00"
    world.outlook_patch(
        ALICE,
        series,
        start=start,
        end="2026-12-03T11:15:00",
        recurrence=repeats("daily", start=start, count=YEAR),
    )
    world.pull(ALICE)
    after = records(world)
    assert sorted(before) == sorted(one["id"] for one in after)
    assert {one["dateStart"][11:] for one in after} == {"11:00:00"}


def test_r13_r11_a_series_of_a_year_that_is_deleted_counts_as_one(a_year: tuple[World, str]) -> None:
    """Far more than fifty records; held would be a mass change, and this is one."""
    world, series = a_year
    world.outlook_delete(ALICE, series)
    world.pull(ALICE)
    assert records(world) == []
    assert world.app.store.held.all() == []
    assert world.told == []
    world.quiet()


def test_r13_r11_many_series_that_are_deleted_at_once_are_held(world: World) -> None:
    made = [daily(world, 3, subject=f"Series {number}") for number in range(7)]
    world.pull(ALICE)
    for series in made:
        world.outlook_delete(ALICE, series)
    world.pull(ALICE)
    assert len(records(world)) == 21
    assert len(world.app.store.held.all()) == 21
    (told,) = {user for user, _ in world.told}
    assert told == ALICE
    assert holds.confirm(world.app.store, world.account(ALICE)) == 21
    world.settle()
    assert records(world) == []


def _restore_all(world: World) -> None:
    app = world.app
    restorer = Restorer(app.store, app.gateway, app.open_mailbox, app.entities)
    account = world.account(ALICE)
    entries = [entry.id for entry in restorer.entries(account)]
    assert all(one.done for one in restorer.restore(account, entries, with_attendees=True))


def test_r13_r11_the_records_of_a_series_can_be_restored(world: World) -> None:
    series = daily(world, 3, subject="Stand-up")
    world.pull(ALICE)
    world.outlook_delete(ALICE, series)
    world.pull(ALICE)
    assert records(world) == []
    _restore_all(world)
    world.pull()
    assert [one["name"] for one in records(world)] == ["Stand-up"] * 3
    assert world.events(ALICE) == []
    world.quiet()


def test_r13_r11_a_date_that_went_with_its_record_comes_back_as_a_single_event(world: World) -> None:
    world.choose(ALICE, remove_event_with_record=True)
    series = daily(world, 3)
    world.pull(ALICE)
    world.remove(records(world)[1]["id"])
    world.settle()
    assert len(world.occurrences(ALICE, series)) == 2
    _restore_all(world)
    world.pull()
    assert sorted(event.type for event in world.events(ALICE)) == ["seriesMaster", "singleInstance"]
    assert len(world.occurrences(ALICE, series)) == 2
    assert len(records(world)) == 2
    world.quiet()


class _SlowCrm:
    """The CRM behind a gateway that takes 150 ms for each new record."""

    def __init__(self, world: World) -> None:
        self._gateway = world.app.gateway
        self._clock = world.clock

    def create(self, entity_type: str, attributes: Record) -> str:
        """Create a record, slowly."""
        self._clock.advance(0.15)
        return self._gateway.create(entity_type, attributes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gateway, name)


def _slow(make_world: MakeWorld) -> World:
    world = make_world()
    world.app._given_gateway = _SlowCrm(world)
    del world.app.gateway
    world.connect(ALICE)
    world.connect(BOB)
    world.settle()
    return world


def test_r13_a_long_series_does_not_make_a_new_meeting_wait(make_world: MakeWorld) -> None:
    world = _slow(make_world)
    daily(world, 150)
    world.app.store.queue.hint(world.account(ALICE).mailbox_id or 0)
    while not records(world):
        world.app.worker.drain(rounds=1)
    assert len(records(world)) < 150
    saved = world.clock.now()
    world.save(name="Urgent", assignedUserId=BOB)
    world.save(name="Urgent")
    while not any(event.subject == "Urgent" for event in world.events(ALICE)):
        world.app.worker.drain(rounds=1)
    assert world.clock.now() - saved < 20
    assert len(records(world)) < 152
    world.settle()
    assert len(records(world)) == 152
    assert [event.subject for event in world.events(BOB)] == ["Urgent"]
    world.quiet()


def test_r13_a_move_in_several_runs_loses_nothing(make_world: MakeWorld) -> None:
    """A run that yields in the middle leaves half of the series at its former slots."""
    world = make_world(worker=WorkerSettings(threads=4, run_items=20, run_seconds=0.0))
    world.connect(ALICE)
    world.settle()
    series = daily(world, 90)
    world.pull(ALICE)
    before = {one["id"]: one["dateStart"] for one in records(world)}
    assert len(before) == 90
    world.outlook_patch(ALICE, series, start="2026-12-02T09:00:00", end="2026-12-02T09:15:00")
    world.pull(ALICE)
    after = {one["id"]: one["dateStart"] for one in records(world)}
    assert after == {record: start.replace("10:00:00", "09:00:00") for record, start in before.items()}
    world.quiet()


def test_r13_a_run_that_dies_within_a_series_goes_on(world: World) -> None:
    world.crm_fails(method="POST", path="Meeting", status=503, times=30)
    daily(world, 60)
    world.pull(ALICE)
    world.open()
    world.settle()
    assert len(records(world)) == 60
    assert len({one["dateStart"] for one in records(world)}) == 60
    world.quiet()


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"start": {"dateTime": "x", "timeZone": "UTC"}}, id="no-time"),
        pytest.param({"end": {"dateTime": "0001-01-01T00:00:00", "timeZone": "UTC"}}, id="year-one"),
    ],
)
def test_r13_pain_24_a_series_that_cannot_be_read_stops_no_other(
    world: World, broken: dict[str, Any]
) -> None:
    recurrence = repeats(count=3)
    world.plant(ALICE, subject="Odd", recurrence=recurrence, **broken)
    world.series(ALICE, count=3, subject="Fine")
    world.pull(ALICE)
    assert {one["name"] for one in records(world)} >= {"Fine"}
    world.quiet()


def test_r13_a_detached_date_stays_detached_in_a_full_read(a_year: tuple[World, str]) -> None:
    world, _ = a_year
    known = records(world)
    for one in known[:3]:
        world.remove(one["id"])
    world.settle()
    world.expire_cursors()
    world.pull(ALICE)
    assert len(records(world)) == YEAR - 3
    counts = world.app.store.links.counts(world.account(ALICE).mailbox_id)
    assert (counts[LinkState.DETACHED], counts[LinkState.ACTIVE]) == (3, YEAR - 3)
