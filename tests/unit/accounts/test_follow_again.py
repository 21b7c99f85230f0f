"""A person ends a detachment: pushed again, imported again, or both sides compared; never by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calsync_plugin.accounts.backfill import Backfill
from calsync_plugin.accounts.follow_again import detached, follow, link_of
from calsync_plugin.accounts.restore import Restorer
from calsync_plugin.domain.links import Link, LinkState, Role
from calsync_plugin.errors import UserError
from tests.world import ALICE, BOB, World


@pytest.fixture
def world(world: World) -> World:
    """Alice is connected."""
    world.connect(ALICE)
    world.settle()
    return world


def again(world: World, name: str, user_id: str = ALICE) -> str:
    app = world.app
    link = link_of(app.store, name)
    said = follow(app.store, app.gateway, app.open_mailbox, world.account(user_id), link)
    world.settle()
    return said


def save(world: World, link: Link) -> None:
    with world.app.store.save(None) as tx:
        assert tx.save_links([link]) == set()


def detach(world: World, record: str) -> None:
    save(world, replace(world.link(record), state=LinkState.DETACHED, reason="by hand"))


def test_a_record_whose_event_was_removed_is_pushed_again_as_a_new_event(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    old = world.event(ALICE)
    before = world.link(record)
    world.discard(ALICE)
    world.pull()
    world.mails()
    assert world.link(record).state == "detached"
    assert [link.record_id for link in detached(world.app.store, world.account(ALICE))] == [record]
    assert "pushed again" in again(world, f"Meeting {record}")
    new, link = world.event(ALICE), world.link(record)
    assert new.id != old.id
    assert new.transactionId != old.transactionId
    assert (link.id, link.state, link.generation) == (before.id, "active", before.generation + 1)
    assert world.mails() == [("invitation", "bob@example.com")]
    world.change(record, name="Followed")
    world.settle()
    assert world.event(ALICE).subject == "Followed"
    world.quiet()


def test_an_event_whose_record_was_removed_is_imported_again(world: World) -> None:
    event = world.outlook_create(ALICE, subject="Born in Outlook")
    world.pull()
    old = str(world.only_record()["id"])
    world.remove(old)
    world.settle()
    assert world.link(old).state == "detached"
    assert "imported again" in again(world, f"Meeting {old}")
    record = world.only_record()
    assert record["id"] != old
    link = world.link(record["id"])
    assert (link.state, link.home and link.home.event_id) == ("active", event)
    world.outlook_patch(ALICE, event, subject="Followed")
    world.pull()
    assert world.only_record()["name"] == "Followed"
    world.quiet()


def test_where_both_are_there_they_are_compared_and_nobody_is_mailed(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.mails()
    detach(world, record)
    with world.writes() as sent:
        assert "compared" in again(world, f"Meeting {record}")
    assert sent == []
    assert world.mails() == []
    assert world.link(record).state == "active"
    world.change(record, name="Followed")
    world.settle()
    assert world.event(ALICE).subject == "Followed"


def test_where_nothing_is_left_it_is_forgotten(world: World) -> None:
    record = world.save()
    world.settle()
    detach(world, record)
    world.discard(ALICE)
    world.remove(record)
    assert "nothing is left" in again(world, f"Meeting {record}")
    with pytest.raises(UserError, match="is not known"):
        link_of(world.app.store, f"Meeting {record}")


def test_a_record_that_outlook_created_is_the_crms_from_then_on(world: World) -> None:
    event = world.outlook_create(ALICE, subject="Born in Outlook")
    world.pull()
    record = str(world.only_record()["id"])
    detach(world, record)
    world.outlook_delete(ALICE, event)
    world.pull()
    assert "pushed again" in again(world, f"Meeting {record}")
    assert world.event(ALICE).subject == "Born in Outlook"
    assert world.link(record).origin == "crm"
    world.quiet()


def test_somebody_elses_meeting_is_not_pushed_under_ones_own_name(world: World) -> None:
    record = world.save()
    world.settle()
    save(
        world,
        replace(world.link(record), state=LinkState.DETACHED, role=Role.ATTENDEE, reason="removed here"),
    )
    world.discard(ALICE)
    with pytest.raises(UserError, match="only its organizer"):
        again(world, f"Meeting {record}")
    assert world.link(record).state == "detached"
    assert world.events(ALICE) == []


def test_a_restored_record_can_be_followed(world: World) -> None:
    event = world.outlook_create(ALICE, subject="Born in Outlook")
    world.pull()
    world.outlook_delete(ALICE, event)
    world.pull()
    app, account = world.app, world.account(ALICE)
    restorer = Restorer(app.store, app.gateway, app.open_mailbox, app.entities)
    restorer.restore(account, [e.id for e in restorer.entries(account)], with_attendees=False)
    world.settle()
    assert world.events(ALICE) == []
    again(world, f"Meeting {world.only_record()['id']}")
    assert world.event(ALICE).subject == "Born in Outlook"


def test_a_restored_event_can_be_followed_by_its_link(world: World) -> None:
    record = world.save(name="Review")
    world.settle()
    world.remove(record)
    world.settle()
    app, account = world.app, world.account(ALICE)
    restorer = Restorer(app.store, app.gateway, app.open_mailbox, app.entities)
    restorer.restore(account, [e.id for e in restorer.entries(account)], with_attendees=False)
    (link,) = detached(app.store, account)
    assert link.record_id == ""
    again(world, link.id)
    assert world.only_record()["name"] == "Review"
    world.quiet()


def test_a_record_from_before_the_account_goes_out_because_a_person_asked(world: World) -> None:
    record = world.save()
    world.settle()
    world.discard(ALICE)
    world.pull()
    world.clock.advance(60)
    store = world.app.store
    store.accounts.set_push_from(ALICE, world.app.gateway.now().replace(microsecond=0))
    assert "pushed again" in again(world, f"Meeting {record}")
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"
    assert Backfill(world.app).preview(ALICE).records == ()


def test_what_is_followed_already_is_left_alone(world: World) -> None:
    record = world.save()
    world.settle()
    with pytest.raises(UserError, match="active, not detached"):
        again(world, f"Meeting {record}")


def test_an_event_in_another_account_is_that_accounts_matter(world: World) -> None:
    world.connect(BOB)
    record = world.save(assignedUserId=BOB)
    world.settle()
    detach(world, record)
    with pytest.raises(UserError, match="another account"):
        again(world, f"Meeting {record}")
    assert "compared" in again(world, f"Meeting {record}", BOB)


def test_a_record_that_may_not_be_read_decides_nothing(world: World) -> None:
    record = world.save()
    world.settle()
    detach(world, record)
    role = world.crm.store.tables["Role"].rows["5f0000000000b0001"]
    world.crm.store.change("Role", role["id"], {"data": {**role["data"], "Meeting": {"read": "no"}}})
    with pytest.raises(UserError, match="cannot be told now"):
        again(world, f"Meeting {record}")
    assert world.link(record).state == "detached"


def test_an_account_that_is_off_follows_nothing(world: World) -> None:
    record = world.save()
    world.settle()
    detach(world, record)
    world.app.connections.disconnect(ALICE)
    with pytest.raises(UserError, match="connect it first"):
        again(world, f"Meeting {record}")


@pytest.mark.parametrize("name", ["", "Meeting", "Meeting nowhere", "no-link"])
def test_a_name_that_is_nobodys(world: World, name: str) -> None:
    with pytest.raises(UserError, match="is not known"):
        link_of(world.app.store, name)
