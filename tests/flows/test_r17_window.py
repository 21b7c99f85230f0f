"""R17: which span is read, how cursors begin, move and expire, and what delta's traps do: nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from calsync_plugin.crm.gateway import Record
from calsync_plugin.state import CursorStage
from tests.flows.conftest import MakeWorld
from tests.world import ALICE, World

MONTH = 31 * 24 * 3600


def _cursors(world: World) -> list[tuple[str, str]]:
    mailbox_id = world.account(ALICE).mailbox_id
    assert mailbox_id is not None
    found = world.app.store.cursors.for_mailbox(mailbox_id)
    return [(c.stage.value, c.window_end.date().isoformat()) for c in found]


def _names(world: World) -> list[str]:
    return [str(record["name"]) for record in world.records()]


def test_r17_from_sync_since_to_twelve_months_ahead(world: World) -> None:
    world.outlook_create(ALICE, subject="Long ago", start="2026-10-01T10:00:00", end="2026-10-01T11:00:00")
    world.outlook_create(ALICE, subject="Soon", start="2026-11-25T10:00:00", end="2026-11-25T11:00:00")
    world.outlook_create(ALICE, subject="Next year", start="2027-10-25T10:00:00", end="2027-10-25T11:00:00")
    world.outlook_create(ALICE, subject="Too far", start="2028-03-01T10:00:00", end="2028-03-01T11:00:00")
    world.pull(ALICE)
    assert _names(world) == ["Soon", "Next year"]
    assert _cursors(world) == [("live", "2027-12-01")]


def test_r17_the_edge_moves_once_a_month_and_deletes_nothing(world: World) -> None:
    world.outlook_create(ALICE, subject="Now", start="2026-11-25T10:00:00", end="2026-11-25T11:00:00")
    far = world.outlook_create(
        ALICE, subject="Just out", start="2027-12-10T10:00:00", end="2027-12-10T11:00:00"
    )
    world.pull(ALICE)
    assert _names(world) == ["Now"]
    world.clock.advance(MONTH)
    world.pull(ALICE)
    assert _cursors(world) == [("live", "2028-01-01")]
    assert _names(world) == ["Now", "Just out"]
    world.outlook_patch(ALICE, far, subject="Just in")
    world.pull(ALICE)
    assert _names(world) == ["Now", "Just in"]
    world.quiet()


def test_r17_months_ahead_is_the_users_choice(world: World) -> None:
    world.outlook_create(ALICE, subject="Far", start="2027-06-01T10:00:00", end="2027-06-01T11:00:00")
    world.choose(ALICE, months_ahead=3)
    world.pull(ALICE)
    assert _names(world) == []
    world.choose(ALICE, months_ahead=9)
    world.pull(ALICE)
    assert _names(world) == ["Far"]


def test_r17_a_window_of_many_years_is_read_in_parts(make_world: MakeWorld) -> None:
    world = make_world()
    world.connect(ALICE)
    world.outlook_create(ALICE, subject="Old", start="2015-06-01T10:00:00", end="2015-06-01T11:00:00")
    world.outlook_create(ALICE, subject="New", start="2026-12-01T10:00:00", end="2026-12-01T11:00:00")
    world.choose(ALICE, sync_since="2014-01-01")
    world.pull(ALICE)
    assert _names(world) == ["Old", "New"]
    assert [stage for stage, _ in _cursors(world)] == ["live"] * 3
    world.quiet()


@pytest.mark.parametrize("status", [400, 404, 410])
def test_pain_16_an_expired_cursor_compares_and_neither_deletes_nor_doubles(
    world: World, status: int
) -> None:
    world.switch(expired_cursor_status=status)
    kept = world.outlook_create(ALICE, subject="Kept")
    edited = world.outlook_create(
        ALICE, subject="Edited", start="2026-12-03T10:00:00", end="2026-12-03T11:00:00"
    )
    removed = world.outlook_create(
        ALICE, subject="Removed", start="2026-12-04T10:00:00", end="2026-12-04T11:00:00"
    )
    pushed = world.save(name="From the CRM", dateStart="2026-12-05 10:00:00", dateEnd="2026-12-05 11:00:00")
    world.pull(ALICE)
    assert len(world.records()) == 4
    world.expire_cursors()
    world.outlook_patch(ALICE, edited, subject="Edited again")
    world.outlook_delete(ALICE, removed)
    world.pull(ALICE)
    assert _names(world) == ["Kept", "Edited again", "From the CRM"]
    assert {e.id for e in world.events(ALICE)} >= {kept, edited}
    assert world.link(pushed).state == "active"
    world.quiet()


def test_pain_16_what_went_while_no_cursor_told_of_it_is_looked_at(world: World) -> None:
    event = world.outlook_create(ALICE, subject="Gone unseen")
    world.pull(ALICE)
    world.outlook_delete(ALICE, event)
    world.app.store.cursors.drop_all(world.account(ALICE).mailbox_id or 0)
    world.pull(ALICE)
    assert world.records() == []


@pytest.mark.parametrize(
    "switches",
    [
        pytest.param({"delta_repeats_items": True}, id="repeated-items"),
        pytest.param({"delta_empty_pages": True}, id="empty-pages"),
        pytest.param({"delta_repeats_items": True, "delta_empty_pages": True}, id="both"),
    ],
)
def test_delta_may_repeat_itself_and_tell_nothing(world: World, switches: dict[str, bool]) -> None:
    world.switch(**switches)
    for number in range(5):
        day = f"2026-12-{number + 10}"
        world.outlook_create(ALICE, subject=f"E{number}", start=f"{day}T10:00:00", end=f"{day}T11:00:00")
    world.pull(ALICE)
    assert _names(world) == [f"E{number}" for number in range(5)]
    world.expire_cursors()
    world.pull(ALICE)
    assert len(world.records()) == 5
    world.quiet()


def test_pain_14_an_event_that_only_left_the_window_stays(world: World) -> None:
    event = world.outlook_create(ALICE, subject="Soon")
    world.pull(ALICE)
    world.outlook_patch(ALICE, event, start="2028-12-02T10:00:00", end="2028-12-02T11:00:00")
    world.pull(ALICE)
    assert world.only_record()["dateStart"] == "2028-12-02 10:00:00"
    world.outlook_patch(ALICE, event, subject="Later")
    world.pull(ALICE)
    assert world.only_record()["name"] == "Later"
    world.quiet()


def test_pain_14_removed_events_that_nobody_knows_are_noise(world: World) -> None:
    event = world.outlook_create(ALICE, start="2029-12-02T10:00:00", end="2029-12-02T11:00:00")
    world.pull(ALICE)
    world.outlook_patch(ALICE, event, subject="Still far away")
    with world.writes() as written:
        world.pull(ALICE)
    assert written == []
    assert world.records() == []


def test_pain_15_what_notifications_and_delta_missed_is_found_by_the_sweep(world: World) -> None:
    """The event vanishes, and delta never says so: its day in the slow sweep comes."""
    event = world.outlook_create(ALICE, subject="Vanishes")
    world.pull(ALICE)
    world.outlook_delete(ALICE, event)
    mailbox_id = world.account(ALICE).mailbox_id or 0
    cursor = world.app.store.cursors.get(
        mailbox_id, world.app.store.cursors.for_mailbox(mailbox_id)[0].calendar_id
    )
    assert cursor is not None
    assert cursor.stage is CursorStage.LIVE
    # Delta's word on it is skipped: the round is taken as read.
    answer = world.session.get(
        cursor.url, headers={"Authorization": "Bearer sandbox:alice@example.com"}, timeout=5
    ).json()
    with world.app.store.save(None) as tx:
        tx.save_cursor(replace(cursor, url=answer["@odata.deltaLink"]))
    world.pull(ALICE)
    assert len(world.records()) == 1
    for _ in range(3):
        world.clock.advance(24 * 3600 + 60)
        world.pull(ALICE)
    assert world.records() == []


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


def test_a_large_first_read_does_not_make_a_new_meeting_wait(make_world: MakeWorld) -> None:
    """A run yields within a page, and the marks of records come first in every run."""
    world = make_world()
    world.app._given_gateway = _SlowCrm(world)
    del world.app.gateway
    world.connect(ALICE)
    for number in range(180):
        world.outlook_create(ALICE, subject=f"E{number}")
    world.app.store.queue.hint(world.account(ALICE).mailbox_id or 0)
    world.app.worker.drain(rounds=1)
    read = len(world.records())
    assert 0 < read < 180
    saved = world.clock.now()
    world.save(name="Urgent")
    while "Urgent" not in {e.subject for e in world.events(ALICE)}:
        world.app.worker.drain(rounds=1)
    # Two runs of five seconds and a portion each: in this one thread the router waits for the first of them.
    assert world.clock.now() - saved < 20
    assert len(world.records()) < 181
    world.settle()
    assert len(world.records()) == 181
    world.quiet()
