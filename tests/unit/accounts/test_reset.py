"""Reset: everything is compared, nothing is doubled, deleted or sent, and what is detached stays so (R19)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import cast

import pytest

from calsync_plugin.accounts import reset as resetting
from calsync_plugin.accounts.backfill import Backfill
from calsync_plugin.crm.gateway import CrmGateway, SimpleGateway
from calsync_plugin.domain.links import LinkState
from calsync_plugin.errors import Unavailable, UserError
from tests.world import ALICE, BOB, CAROL, World


def reset(world: World) -> int:
    app = world.app
    return resetting.reset(app.store, app.gateway, app.open_mailbox, world.account(ALICE))


@pytest.fixture
def world(world: World) -> World:
    """Alice is connected, and Outlook was read to its end."""
    world.connect(ALICE)
    world.settle()
    return world


def test_what_is_linked_stays_linked_without_duplicates_and_mails(world: World) -> None:
    records = [world.save(name=f"Meeting {n}", usersIds=[ALICE, BOB]) for n in range(3)]
    born = world.outlook_create(ALICE, subject="Born in Outlook")
    world.pull()
    before = {record: world.link(record).id for record in records}
    world.mails()
    with world.writes() as sent:
        assert reset(world) == 4
        world.settle()
    assert sent == []
    assert world.mails() == []
    assert {record: world.link(record).id for record in records} == before
    assert len(world.records()) == len(world.events(ALICE)) == 4
    assert all(world.link(r).outlook_base and world.link(r).crm_base for r in records)
    assert born in {event.id for event in world.events(ALICE)}
    world.quiet()


def test_after_that_each_side_counts_where_it_was_born_and_the_crms_edits_wait(world: World) -> None:
    ours = world.save(name="Ours")
    world.settle()
    event = world.outlook_create(ALICE, subject="Theirs")
    world.pull()
    theirs = next(record["id"] for record in world.records() if record["name"] == "Theirs")
    world.app.connections.pause(ALICE)
    world.change(ours, name="Ours, edited")
    world.clock.advance(60)
    world.outlook_patch(ALICE, event, subject="Theirs, edited")
    world.app.connections.resume(ALICE)
    reset(world)
    world.settle()
    assert {e.subject for e in world.events(ALICE)} == {"Ours", "Theirs, edited"}
    assert world.record(theirs)["name"] == "Theirs, edited"
    found = Backfill(world.app).preview(ALICE)
    assert [record.record_id for record in found.records] == [ours]
    Backfill(world.app).confirm(found)
    world.settle()
    assert {e.subject for e in world.events(ALICE)} == {"Ours, edited", "Theirs, edited"}


def test_what_is_detached_stays_detached(world: World) -> None:
    record = world.save()
    world.settle()
    with world.app.store.save(None) as tx:
        tx.save_links([replace(world.link(record), state=LinkState.DETACHED, reason="by hand")])
    reset(world)
    world.change(record, name="Changed")
    world.settle()
    assert (world.link(record).state, world.event(ALICE).subject) == ("detached", "Kick-off")
    assert world.link(record).outlook_base is not None


def test_an_event_that_vanished_meanwhile_costs_no_record(world: World) -> None:
    """A lost base means: compare everything, never delete everything."""
    record = world.save()
    world.outlook_create(ALICE, subject="Born in Outlook")
    world.pull()
    for event in world.events(ALICE):
        world.outlook_delete(ALICE, event.id)
    reset(world)
    world.settle()
    assert len(world.records()) == 2
    assert world.link(record).state == "detached"


def test_what_was_parked_is_tried_again(world: World) -> None:
    record = world.insert(dateEnd=None)
    world.settle()
    assert world.parked() == {record: "no_end"}
    reset(world)
    assert world.parked() == {}
    world.settle()
    assert world.parked() == {record: "no_end"}


def test_everything_is_read_from_the_beginning_and_the_log_says_so(world: World) -> None:
    world.save()
    world.settle()
    store, mailbox_id = world.app.store, world.account(ALICE).mailbox_id or 0
    with store.save(None) as tx:
        tx.mark_events(mailbox_id, ["gone"])
    world.clock.advance(60)
    reset(world)
    account = world.account(ALICE)
    assert account.push_from is not None
    assert account.push_from.timestamp() == int(world.clock.now())
    assert account.pulled_at is None
    assert store.events.waiting_for(mailbox_id) == 0
    assert "the account was reset: 1 links are compared" in world.notes(ALICE)
    world.settle()
    assert world.account(ALICE).pulled_at is not None


def test_the_subscription_is_made_anew(notified: World) -> None:
    notified.connect(ALICE)
    notified.settle()
    store, mailbox_id = notified.app.store, notified.account(ALICE).mailbox_id or 0
    (before,) = store.subscriptions.for_mailbox(mailbox_id)
    reset(notified)
    assert store.subscriptions.for_mailbox(mailbox_id) == []
    notified.settle()
    (after,) = store.subscriptions.for_mailbox(mailbox_id)
    assert after.id != before.id
    assert notified.account(ALICE).notify == "notifications"


def test_links_of_others_keep_their_bases(world: World) -> None:
    """Alice is a guest in bob's meeting: what both sides looked like is his mailbox's to know."""
    world.connect(BOB)
    record = world.save(assignedUserId=BOB, usersIds=[ALICE, BOB])
    world.settle()
    world.pull()
    assert world.account(ALICE).mailbox_id in {copy.mailbox_id for copy in world.link(record).copies}
    reset(world)
    assert world.link(record).outlook_base is not None


class Away(SimpleGateway):
    """A CRM that does not answer; nobody gets as far as asking it for a record."""

    def now(self) -> datetime:
        raise Unavailable("the CRM does not answer")


def test_a_crm_that_is_away_changes_nothing(world: World) -> None:
    record = world.save()
    world.settle()
    before = world.account(ALICE)
    app = world.app
    with pytest.raises(Unavailable):
        resetting.reset(app.store, cast(CrmGateway, Away()), app.open_mailbox, before)
    assert world.account(ALICE) == before
    assert world.link(record).outlook_base is not None


def test_only_a_connected_account_can_be_reset(world: World) -> None:
    world.app.connections.disconnect(ALICE)
    with pytest.raises(UserError, match="connect it first"):
        reset(world)
    assert world.app.store.accounts.get(CAROL) is None
