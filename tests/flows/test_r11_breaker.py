"""R11: mass deletions and mass mailings wait for a person, everything else goes on."""

from __future__ import annotations

from typing import Any

from calsync_plugin.accounts import holds
from calsync_plugin.state import Account, AccountStatus
from tests.world import ALICE, BOB, DAVE, World


def _many(world: World, count: int, **attributes: Any) -> list[str]:
    records = [world.save(name=f"Meeting {n:02}", **attributes) for n in range(count)]
    world.settle()
    assert len(world.events(ALICE)) == count
    world.mails()
    return records


def test_r11_six_deletions_of_ten_are_held_and_others_go_on(world: World) -> None:
    records = _many(world, 10)
    for record in records[:6]:
        world.remove(record)
    world.change(records[9], name="Changed")
    new = world.save(name="New")
    world.settle()
    assert len(world.events(ALICE)) == 11
    assert {"Changed", "New"} <= {e.subject for e in world.events(ALICE)}
    assert len(world.app.store.held.all(world.account(ALICE).mailbox_id)) == 6
    assert [user for user, _ in world.told] == [ALICE]
    world.remove(new)
    world.settle()
    assert "New" in {e.subject for e in world.events(ALICE)}


def test_r11_the_rest_of_a_mass_deletion_does_not_slip_through(world: World) -> None:
    records = _many(world, 25)
    for record in records:
        world.remove(record)
    world.settle()
    assert len(world.events(ALICE)) == 25


def test_r11_a_record_that_comes_back_is_no_longer_held(world: World) -> None:
    records = _many(world, 10)
    for record in records[:6]:
        world.remove(record)
    world.settle()
    world.crm.store.change("Meeting", records[0], {"deleted": False})
    world.change(records[0], name="Back again")
    world.settle()
    assert len(world.app.store.held.all()) == 5
    assert "Back again" in {e.subject for e in world.events(ALICE)}


def test_r11_confirmed_deletions_go_through(world: World) -> None:
    records = _many(world, 10)
    for record in records[:6]:
        world.remove(record)
    world.settle()
    assert holds.confirm(world.app.store, world.account(ALICE)) == 6
    world.settle()
    assert [e.subject for e in world.events(ALICE)] == [f"Meeting {n:02}" for n in range(6, 10)]
    assert world.app.store.held.all() == []


def test_r11_discarded_deletions_leave_the_events_alone(world: World) -> None:
    records = _many(world, 10)
    for record in records[:6]:
        world.remove(record)
    world.settle()
    assert holds.discard(world.app.store, world.account(ALICE)) == 6
    world.sweep()
    assert len(world.events(ALICE)) == 10
    assert {world.link(r).state for r in records[:6]} == {"detached"}


def test_r11_five_deletions_of_five_go_through(world: World) -> None:
    for record in _many(world, 5):
        world.remove(record)
    world.settle()
    assert world.events(ALICE) == []


def test_r11_deletions_one_by_one_are_counted_over_a_day(world: World) -> None:
    records = _many(world, 10)
    for record in records[:7]:
        world.remove(record)
        world.settle()
        world.clock.advance(3600)
    assert len(world.events(ALICE)) == 5
    world.clock.advance(24 * 3600)
    world.remove(records[7])
    world.settle()
    assert len(world.events(ALICE)) == 4


def test_r11_held_deletions_are_told_once(world: World) -> None:
    records = _many(world, 10)
    for record in records[:6]:
        world.remove(record)
    world.settle()
    for record in records[:6]:
        world.plugins.hook.calsync_entity_deleted(entity_type="Meeting", record_id=record)
    world.settle()
    assert len(world.told) == 1


def test_r11_moves_to_another_user_are_no_deletions(world: World) -> None:
    for record in _many(world, 8):
        world.reassign(record, BOB)
    world.settle()
    assert world.events(ALICE) == []
    assert len(world.events(BOB)) == 8


def test_r11_updates_that_mail_outsiders_are_held(world: World) -> None:
    world.choose(ALICE, push_contacts=True)
    records = _many(world, 10, contactsIds=[DAVE])
    for record in records[:6]:
        world.change(record, dateStart="2026-12-05 10:00:00", dateEnd="2026-12-05 11:00:00")
    plain = world.save(name="Own")
    world.settle()
    assert {e.start[:10] for e in world.events(ALICE)} == {"2026-12-01"}
    assert world.mails() == []
    world.change(plain, name="Own, changed")
    world.settle()
    assert "Own, changed" in {e.subject for e in world.events(ALICE)}
    assert holds.confirm(world.app.store, world.account(ALICE)) == 6
    world.settle()
    assert sum(e.start[:10] == "2026-12-05" for e in world.events(ALICE)) == 6
    assert world.mails() == [("update", "dave@contoso.example")] * 6


def test_r11_updates_among_colleagues_do_not_count(world: World) -> None:
    world.choose(ALICE, push_contacts=True)
    inside = _many(world, 8, usersIds=[ALICE, BOB])
    outside = world.save(name="Outside", contactsIds=[DAVE])
    world.settle()
    world.mails()
    for record in inside:
        world.change(record, description="New")
    world.settle()
    world.change(outside, name="Outside, changed")
    world.settle()
    assert "Outside, changed" in {e.subject for e in world.events(ALICE)}
    assert world.mails().count(("update", "dave@contoso.example")) == 1


def test_r11_deletions_in_many_mailboxes_are_held_by_their_share(world: World) -> None:
    """One deletion in each of eleven mailboxes is a bulk action of 50 accounts' CRM, and nothing in 100."""
    mine = world.save(name="Mine")
    world.settle()
    accounts = world.app.store.accounts
    for number in range(60):
        mailbox = accounts.ensure_mailbox("t", f"o{number}", f"u{number}@example.com")
        accounts.save(
            Account(
                user_id=f"u{number}",
                mailbox_id=mailbox,
                settings=world.account(ALICE).settings,
                status=AccountStatus.CONNECTED,
            )
        )
        if number < 10:
            with world.app.store.save(None) as tx:
                tx.count_deletion(mailbox, f"g{number}", kind="deletion")
    world.remove(mine)
    world.settle()
    assert world.events(ALICE) == []


def test_r11_deletions_in_most_mailboxes_are_held(world: World) -> None:
    mine = world.save(name="Mine")
    world.settle()
    for number in range(10):
        mailbox = world.app.store.accounts.ensure_mailbox("t", f"o{number}", f"u{number}@example.com")
        with world.app.store.save(None) as tx:
            tx.count_deletion(mailbox, f"g{number}", kind="deletion")
    world.remove(mine)
    world.settle()
    assert [e.subject for e in world.events(ALICE)] == ["Mine"]
    assert len(world.app.store.held.all(world.account(ALICE).mailbox_id)) == 1
