"""Records removed, restored and hidden while nobody told."""

from __future__ import annotations

import pytest

from calsync_plugin.accounts import holds
from calsync_plugin.domain.links import LinkState
from tests.espocrm_side import MODES, mass_delete, quietly, restore
from tests.world import ALICE, BOB, World


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest, world: World) -> str:
    """Both users in each mode, and a sweep that has run once."""
    for user in (ALICE, BOB):
        world.choose(user, mode=request.param)
    world.settle()
    world.sweep()
    return str(request.param)


def _saved(world: World, count: int) -> list[str]:
    records = [world.save(name=f"Meeting {n:03}") for n in range(count)]
    world.settle()
    return records


def _subjects(world: World, user: str = ALICE) -> list[str]:
    return sorted(str(event.subject) for event in world.events(user))


@pytest.mark.usefixtures("mode")
def test_a_removal_beyond_the_first_portion_is_found_after_a_while(world: World) -> None:
    records = _saved(world, 210)
    gone = max(records)
    name = world.record(gone)["name"]
    quietly(world, "DELETE", f"Meeting/{gone}")
    for _ in range(2):
        world.sweep()
    assert len(world.events(ALICE)) == 209
    assert name not in _subjects(world)


@pytest.mark.usefixtures("mode")
def test_a_mass_deletion_that_nobody_told_is_held(world: World) -> None:
    records = _saved(world, 20)
    mass_delete(world, records[:10])
    for _ in range(3):
        world.sweep()
    assert len(world.events(ALICE)) == 20
    assert len(world.app.store.held.all()) == 10
    assert [user for user, _ in world.told] == [ALICE]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (403, "No 'read' access."),
        (404, ""),
        (404, "Page not found."),
        (404, "Record other does not exist."),
        (500, ""),
    ],
    ids=["no-access", "404-empty", "404-of-a-stale-cache", "404-of-another-record", "500"],
)
@pytest.mark.usefixtures("mode")
def test_only_a_404_about_this_record_means_gone(world: World, status: int, reason: str) -> None:
    records = _saved(world, 3)
    quietly(world, "DELETE", f"Meeting/{records[0]}")
    world.crm_fails(
        method="GET",
        path=f"api/v1/Meeting/{records[0]}",
        status=status,
        reason=reason,
        times=None,
    )
    world.sweep()
    assert len(world.events(ALICE)) == 3
    world.crm.faults.clear()
    world.clock.advance(1000)
    world.sweep()
    assert len(world.events(ALICE)) == 2


@pytest.mark.usefixtures("mode")
def test_a_record_restored_before_anybody_noticed_is_as_before(world: World) -> None:
    record, _ = _saved(world, 2)
    quietly(world, "DELETE", f"Meeting/{record}")
    restore(world, record)
    with world.writes() as seen:
        world.sweep()
    assert seen == []
    assert world.link(record).state is LinkState.ACTIVE


@pytest.mark.usefixtures("mode")
def test_a_record_restored_after_its_event_went_is_pushed_again(world: World) -> None:
    record, _ = _saved(world, 2)
    quietly(world, "DELETE", f"Meeting/{record}")
    world.sweep()
    assert _subjects(world) == ["Meeting 001"]
    saved = world.crm.store.tables["Meeting"].rows[record]["modifiedAt"]
    world.clock.advance(3 * 86_400)
    restore(world, record)
    assert world.record(record)["modifiedAt"] == saved
    world.sweep()
    assert _subjects(world) == ["Meeting 000", "Meeting 001"]
    world.quiet()
    assert _subjects(world) == ["Meeting 000", "Meeting 001"]


@pytest.mark.usefixtures("mode")
def test_a_record_restored_while_its_removal_is_held_is_held_no_more(world: World) -> None:
    records = _saved(world, 10)
    mass_delete(world, records[:6])
    world.sweep()
    assert len(world.app.store.held.all()) == 6
    for record in records[:6]:
        restore(world, record)
    world.sweep()
    assert world.app.store.held.all() == []
    assert len(world.events(ALICE)) == 10
    assert {world.link(record).state for record in records} == {LinkState.ACTIVE}
    world.quiet()


def test_a_restored_record_of_an_event_born_in_outlook_stays_unfollowed(world: World) -> None:
    world.outlook_create(ALICE, subject="Born in Outlook")
    world.pull()
    record = world.only_record()["id"]
    quietly(world, "DELETE", f"Meeting/{record}")
    world.sweep()
    assert world.link(record).state is LinkState.DETACHED
    restore(world, record)
    with world.writes() as seen:
        world.sweep()
    assert seen == []
    assert world.link(record).state is LinkState.DETACHED
    assert _subjects(world) == ["Born in Outlook"]


@pytest.mark.usefixtures("mode")
def test_records_that_are_shown_again_are_followed_again(world: World) -> None:
    records = _saved(world, 3)
    role = world.crm.store.tables["Role"].rows["5f0000000000b0001"]
    before = role["data"]
    world.crm.store.change("Role", role["id"], {"data": {**before, "Meeting": {"read": "own"}}})
    world.sweep()
    assert {world.link(record).state for record in records} == {LinkState.SUSPENDED}
    world.crm.store.change("Role", role["id"], {"data": before})
    # By a link call, which raises no time of modification.
    quietly(world, "POST", f"Meeting/{records[0]}/users", id=BOB)
    world.sweep()
    assert {world.link(record).state for record in records} == {LinkState.ACTIVE}
    assert world.event_of(ALICE, "Meeting 000").attendees == {"bob@example.com"}
    assert world.mails() == [("invitation", "bob@example.com")]
    world.quiet()


@pytest.mark.usefixtures("mode")
def test_removals_wait_for_an_account_that_has_to_sign_in_again_without_piling_up(world: World) -> None:
    record, _ = _saved(world, 2)
    quietly(world, "DELETE", f"Meeting/{record}")
    world.revoke(ALICE)
    world.save(name="Makes it notice")
    world.settle()
    world.clock.advance(600)
    world.sweep()
    waiting = world.app.store.changes.waiting()["routed"]
    for _ in range(5):
        world.sweep()
    assert world.app.store.changes.waiting()["routed"] == waiting


def test_a_confirmed_removal_goes_ahead(world: World) -> None:
    records = _saved(world, 10)
    world.sweep()
    mass_delete(world, records[:6])
    world.sweep()
    assert holds.confirm(world.app.store, world.account(ALICE)) == 6
    world.settle()
    assert len(world.events(ALICE)) == 4
    world.quiet()
