"""Restoring from the journal: each entry once, nobody is invited unasked, and nothing is followed (R11)."""

from __future__ import annotations

from typing import Any

import pytest

from calsync_plugin.accounts.restore import Restored, Restorer
from calsync_plugin.accounts.restored_events import event_again, invited
from calsync_plugin.errors import UserError
from calsync_plugin.graph.calendar import MARKER
from tests.world import ALICE, BOB, DAVE, World


@pytest.fixture
def world(world: World) -> World:
    """Alice is connected and lets contacts be invited."""
    world.connect(ALICE, push_contacts=True)
    world.settle()
    return world


def restorer(world: World) -> Restorer:
    app = world.app
    return Restorer(app.store, app.gateway, app.open_mailbox, app.entities)


def restore(world: World, *, with_attendees: bool = True) -> list[Restored]:
    worker, account = restorer(world), world.account(ALICE)
    entries = worker.entries(account)
    return worker.restore(account, [entry.id for entry in entries], with_attendees=with_attendees)


def deleted_event(world: World, **attributes: Any) -> None:
    """A record of the CRM is removed, and its event with it (R9)."""
    record = world.save(**attributes)
    world.settle()
    world.remove(record)
    world.settle()
    assert world.events(ALICE) == []
    world.mails()


def deleted_record(world: World, **properties: Any) -> str:
    """An event of Outlook is removed, and its record with it (R10); returns the id of that record."""
    event = world.outlook_create(ALICE, **properties)
    world.pull()
    record = str(world.only_record()["id"])
    world.outlook_delete(ALICE, event)
    world.pull()
    assert world.records() == []
    return record


def settled(world: World) -> None:
    """Another look at both sides finds nothing to do."""
    world.settle()
    world.quiet()


# Events ----------------------------------------------------------------------------------------------------


def test_an_event_comes_back_as_it_was(world: World) -> None:
    record = world.save(name="Review", description="agenda\nand more", usersIds=[ALICE, BOB])
    world.settle()
    world.edit(
        ALICE,
        categories=["Red"],
        location={"displayName": "Room 5"},
        reminderMinutesBeforeStart=42,
        showAs="tentative",
    )
    world.pull()
    before = world.event(ALICE)
    world.remove(record)
    world.settle()
    world.mails()
    (done,) = restore(world)
    assert (done.done, done.text) == (True, "restored")
    after = world.event(ALICE)
    for name in ("subject", "start", "end", "showAs", "reminderMinutesBeforeStart", "categories", "isAllDay"):
        assert getattr(after, name) == getattr(before, name), name
    assert after.json["location"]["displayName"] == "Room 5"
    assert after.json["originalStartTimeZone"] == before.json["originalStartTimeZone"]
    assert "agenda" in after.json["body"]["content"]
    assert after.attendees == {"bob@example.com"}
    assert world.mails() == [("invitation", "bob@example.com")]
    assert restorer(world).entries(world.account(ALICE)) == []
    settled(world)
    assert len(world.events(ALICE)) == 1
    assert world.records() == []


def test_without_attendees_nobody_is_written_to(world: World) -> None:
    deleted_event(world, usersIds=[ALICE, BOB], contactsIds=[DAVE])
    restore(world, with_attendees=False)
    assert world.event(ALICE).attendees == set()
    assert world.mails() == []


def test_nobody_is_invited_to_a_meeting_that_is_over(world: World) -> None:
    deleted_event(world, usersIds=[ALICE, BOB])
    world.clock.advance(20 * 86_400)
    restore(world)
    assert world.event(ALICE).attendees == set()
    assert world.mails() == []


def test_an_all_day_event_keeps_its_days(world: World) -> None:
    deleted_event(world, isAllDay=True, dateStartDate="2026-12-03", dateEndDate="2026-12-04")
    restore(world)
    event = world.event(ALICE)
    assert (event.json["isAllDay"], event.start, event.end) == (
        True,
        "2026-12-03T00:00:00",
        "2026-12-05T00:00:00",
    )


def test_an_online_meeting_comes_back_without_its_dead_link(world: World) -> None:
    world.choose(ALICE, teams_for_new=True)
    deleted_event(world, description="agenda")
    restore(world)
    body = world.event(ALICE).json["body"]["content"]
    assert "agenda" in body
    assert "teams.microsoft.com" not in body


def test_the_list_tells_whom_outlook_would_invite_and_no_content(world: World) -> None:
    deleted_event(world, name="Secret", usersIds=[ALICE, BOB], contactsIds=[DAVE])
    (entry,) = restorer(world).entries(world.account(ALICE))
    assert entry.side == "event"
    assert entry.invites == {"bob@example.com", "dave@contoso.example"}
    assert "Secret" not in repr(entry)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"drop_after_commit": True}, id="connection-lost"),
        pytest.param({"status": 504, "after_commit": True}, id="timed-out"),
    ],
)
def test_an_event_whose_answer_was_lost_is_not_doubled(world: World, fault: dict[str, Any]) -> None:
    deleted_event(world, usersIds=[ALICE, BOB])
    world.fail(match={"method": "POST", "path": "/events"}, times=1, **fault)
    (first,) = restore(world)
    assert not first.done
    assert "restore it again" in first.text
    with world.watched() as sent:
        (second,) = restore(world)
    assert second.done
    assert "POST" not in sent
    assert len(world.events(ALICE)) == 1
    assert world.mails() == [("invitation", "bob@example.com")]
    settled(world)
    assert world.records() == []


def test_one_that_is_refused_leaves_the_others_going_and_can_be_tried_again(world: World) -> None:
    deleted_event(world, name="One")
    deleted_event(world, name="Two")
    world.fail(match={"method": "POST", "path": "/events"}, status=400, code="ErrorInvalid", times=1)
    done = restore(world)
    assert sorted(one.done for one in done) == [False, True]
    assert len(world.events(ALICE)) == 1
    assert len(list(world.app.store.links.for_mailbox(world.account(ALICE).mailbox_id or 0))) == 1
    (again,) = restore(world)
    assert again.done
    assert {e.subject for e in world.events(ALICE)} == {"One", "Two"}
    settled(world)


def test_a_look_between_sending_and_saving_imports_nothing(world: World) -> None:
    """Link and key are kept before the event is sent: whoever finds it knows whose it is."""
    deleted_event(world)
    world.fail(match={"method": "POST", "path": "/events"}, times=1, drop_after_commit=True)
    restore(world)
    world.pull()
    assert world.records() == []
    (again,) = restore(world)
    assert again.done
    assert len(world.events(ALICE)) == 1


def test_a_sync_that_finds_it_first_changes_nothing(world: World) -> None:
    """Outlook's notification may be faster than our own answer."""
    deleted_event(world)
    world.fail(match={"method": "POST", "path": "/events"}, times=1, drop_after_commit=True)
    restore(world)
    world.pull()
    (link,) = [
        link
        for link in world.app.store.links.for_mailbox(world.account(ALICE).mailbox_id or 0)
        if link.reason == "restored by a person"
    ]
    assert link.version > 2
    (again,) = restore(world)
    assert (again.done, again.text) == (True, "restored")
    (link,) = world.app.store.links.by_ids([link.id]).values()
    assert (link.state, link.home and link.home.event_id) == ("detached", world.event(ALICE).id)
    settled(world)


# Records ---------------------------------------------------------------------------------------------------


def test_a_record_comes_back_and_is_not_pushed(world: World) -> None:
    old = deleted_record(world, subject="Visit Contoso", body={"contentType": "text", "content": "agenda"})
    (entry,) = restorer(world).entries(world.account(ALICE))
    assert entry.side == "record"
    (done,) = restore(world)
    assert done.done
    record = world.only_record()
    assert record["id"] != old
    assert (record["name"], record["description"]) == ("Visit Contoso", "agenda")
    assert record["assignedUserId"] == ALICE
    link = world.link(record["id"])
    assert (link.state, link.reason) == ("detached", "restored by a person")
    settled(world)
    assert world.events(ALICE) == []
    assert f"Meeting {record['id']} was restored" in world.notes(ALICE)


def test_a_record_whose_answer_was_lost_is_not_doubled(world: World) -> None:
    deleted_record(world, subject="Visit Contoso")
    world.crm_fails(method="POST", path="Meeting", drop_after_commit=True)
    (first,) = restore(world)
    assert not first.done
    (second,) = restore(world)
    assert second.done
    assert len(world.records()) == 1
    settled(world)
    assert world.events(ALICE) == []


def test_a_kind_that_is_no_longer_synced_is_refused_in_words(world: World) -> None:
    deleted_record(world, subject="Visit Contoso")
    worker, account = restorer(world), world.account(ALICE)
    less = Restorer(world.app.store, world.app.gateway, world.app.open_mailbox, {})
    (done,) = less.restore(account, [e.id for e in worker.entries(account)], with_attendees=False)
    assert (done.done, done.text) == (False, "Meeting is no kind of record that is synced here")


# Whose -----------------------------------------------------------------------------------------------------


def test_nobody_restores_what_was_somebody_elses(world: World) -> None:
    deleted_event(world)
    world.connect(BOB)
    (entry,) = restorer(world).entries(world.account(ALICE))
    assert restorer(world).entries(world.account(BOB)) == []
    assert restorer(world).restore(world.account(BOB), [entry.id], with_attendees=True) == []


def test_an_event_belongs_to_whose_calendar_it_lay_in(world: World) -> None:
    """Moved to bob, it was deleted at alice's."""
    world.connect(BOB)
    record = world.save(name="Handed over")
    world.settle()
    world.reassign(record, BOB)
    world.settle()
    assert [e.subject for e in world.events(BOB)] == ["Handed over"]
    assert restorer(world).entries(world.account(BOB)) == []
    assert [entry.side for entry in restorer(world).entries(world.account(ALICE))] == ["event"]


def test_who_restores_somebody_elses_meeting_invites_nobody(world: World) -> None:
    """Or the guest would become its organizer."""
    world.invite_from_outside(ALICE, BOB)
    json = world.event(ALICE).json
    now = world.clock.now()
    assert json["attendees"]
    assert invited(json) == frozenset()
    assert event_again(json, zone="UTC", now=now, with_attendees=True)["attendees"] == []


def test_who_is_off_has_nowhere_to_restore_to(world: World) -> None:
    deleted_event(world)
    world.app.connections.disconnect(ALICE)
    with pytest.raises(UserError, match="connect it first"):
        restore(world)


def test_the_restored_event_carries_its_own_marker(world: World) -> None:
    deleted_event(world)
    restore(world)
    expand = f"singleValueExtendedProperties($filter=id eq '{MARKER}')"
    found = world.graph("GET", ALICE, f"events/{world.event(ALICE).id}", params={"$expand": expand})[
        "singleValueExtendedProperties"
    ]
    link_id = found[0]["value"].partition(":")[2]
    link = world.app.store.links.by_ids([link_id])[link_id]
    assert (link.state, link.home and link.home.event_id) == ("detached", world.event(ALICE).id)
