"""R8: what is old goes out only after a person saw how much it is and to whom Outlook would write."""

from __future__ import annotations

import pytest

from calsync_plugin.accounts.backfill import Backfill
from calsync_plugin.accounts.choices import choose
from calsync_plugin.accounts.reset import reset
from calsync_plugin.domain.links import LinkState, Origin
from calsync_plugin.errors import UserError
from tests.flows.conftest import MakeWorld
from tests.world import ALICE, BOB, CAROL, DAVE, World

SPAN = {"start": "2026-12-01T10:00:00", "end": "2026-12-01T11:00:00"}
PREFIX = {"Meeting": "", "Call": "C: ", "Visit": "V: "}


def _old(make_world: MakeWorld) -> World:
    """A world in which alice's records are older than her account."""
    world = make_world()
    world.save(name="Alone")
    world.save(name="With bob", usersIds=[ALICE, BOB])
    world.save(name="With dave", contactsIds=[DAVE])
    world.save(name="Of bob", assignedUserId=BOB, usersIds=[BOB, ALICE])
    world.settle()
    world.clock.advance(60)
    return world


def _subjects(world: World, user_id: str = ALICE) -> list[str]:
    return sorted(event.subject for event in world.events(user_id))


def _confirm(world: World, user_id: str = ALICE) -> int:
    backfill = Backfill(world.app)
    count = backfill.confirm(backfill.preview(user_id))
    world.settle()
    return count


def test_pain_03_nothing_old_goes_out_by_connecting(make_world: MakeWorld) -> None:
    world = _old(make_world)
    world.connect(ALICE, push_contacts=True)
    world.connect(BOB)
    world.pull()
    world.sweep()
    world.clock.advance(3 * 86_400)
    world.pull()
    world.sweep()
    assert _subjects(world) == _subjects(world, BOB) == []
    assert world.mails() == []
    world.quiet()


def test_r08_the_preview_says_how_many_and_to_whom(make_world: MakeWorld) -> None:
    world = _old(make_world)
    world.connect(ALICE, push_contacts=True)
    with world.writes() as seen:
        preview = Backfill(world.app).preview(ALICE)
    assert seen == []
    assert (len(preview.records), preview.creates) == (3, 3)
    assert preview.mailed == ["bob@example.com", "dave@contoso.example"]
    assert preview.outsiders == ["dave@contoso.example"]
    assert preview.read is True
    world.settle()
    assert _subjects(world) == []


def test_r08_what_was_confirmed_goes_out_once(make_world: MakeWorld) -> None:
    world = _old(make_world)
    world.connect(ALICE)
    assert _confirm(world) == 3
    assert _subjects(world) == ["Alone", "With bob", "With dave"]
    assert world.mails() == [("invitation", "bob@example.com")]
    world.connect(BOB)
    world.pull()
    assert len(world.records()) == 4
    world.quiet()
    assert _confirm(world) == 0
    assert world.mails() == []


@pytest.mark.parametrize("kind", list(PREFIX))
def test_r08_what_outlook_holds_already_is_not_in_the_preview(make_world: MakeWorld, kind: str) -> None:
    world = make_world()
    record = world.save(kind, usersIds=[ALICE, BOB])
    world.save(kind, name="Only in the CRM")
    world.outlook_create(ALICE, subject=f"{PREFIX[kind]}Kick-off", attendees=["bob@example.com"], **SPAN)
    world.settle()
    world.clock.advance(60)
    world.mails()
    world.connect(ALICE)
    preview = Backfill(world.app).preview(ALICE)
    assert [one.record_id for one in preview.records] != [record]
    assert (len(preview.records), preview.mailed) == (1, [])
    _confirm(world)
    assert len(world.events(ALICE)) == len(world.records(kind)) == 2
    world.quiet()
    assert world.mails() == []


def test_pain_03_before_outlook_was_read_nothing_can_be_confirmed(make_world: MakeWorld) -> None:
    world = make_world(notifications=True)
    world.save(usersIds=[ALICE, BOB])
    world.outlook_create(ALICE, subject="Kick-off", attendees=["bob@example.com"], **SPAN)
    world.settle()
    world.clock.advance(60)
    world.mails()
    world.fail(match={"path": "calendarView/delta"}, status=503, times=5)
    world.connect(ALICE)
    world.settle()
    backfill = Backfill(world.app)
    early = backfill.preview(ALICE)
    assert early.read is False
    with pytest.raises(UserError, match="not read to its end"):
        backfill.confirm(early)
    world.settle()
    assert len(world.events(ALICE)) == 1
    world.clock.advance(600)
    world.pull()
    assert backfill.confirm(backfill.preview(ALICE)) == 0
    world.settle()
    assert len(world.events(ALICE)) == 1
    assert world.only_record()["name"] == "Kick-off"
    assert world.mails() == []
    world.quiet()


def test_r08_an_old_record_that_somebody_edits_goes_out_by_itself(make_world: MakeWorld) -> None:
    world = _old(make_world)
    world.connect(ALICE)
    (record,) = [one["id"] for one in world.records() if one["name"] == "With bob"]
    world.change(record, description="Agenda")
    world.settle()
    assert _subjects(world) == ["With bob"]
    assert world.mails() == [("invitation", "bob@example.com")]
    assert len(Backfill(world.app).preview(ALICE).records) == 2
    world.quiet()


def test_r08_differences_of_what_was_matched_wait_for_nobody(make_world: MakeWorld) -> None:
    """They came in; confirming sends nothing of them back."""
    world = make_world()
    record = world.save(usersIds=[ALICE, BOB], description="From the CRM")
    world.outlook_create(
        ALICE, subject="Kick-off", body="From Outlook", attendees=["bob@example.com"], **SPAN
    )
    world.settle()
    world.clock.advance(60)
    world.mails()
    world.connect(ALICE)
    assert world.link(record).origin is Origin.ADOPTED
    assert _confirm(world) == 0
    assert "From Outlook" in world.event(ALICE).body["content"]
    assert world.mails() == []
    world.quiet()


def test_r08_a_past_record_is_pushed_without_people(make_world: MakeWorld) -> None:
    world = make_world()
    world.save(
        name="Past", usersIds=[ALICE, BOB], dateStart="2026-11-23 07:00:00", dateEnd="2026-11-23 08:00:00"
    )
    world.settle()
    world.clock.advance(60)
    world.connect(ALICE)
    preview = Backfill(world.app).preview(ALICE)
    assert preview.mailed == []
    _confirm(world)
    world.quiet()
    assert world.mails() == []


def test_r08_an_outlook_to_crm_user_has_nothing_to_confirm(make_world: MakeWorld) -> None:
    world = _old(make_world)
    world.connect(ALICE, mode="outlook_to_crm")
    assert _confirm(world) == 0
    assert _subjects(world) == []
    world.quiet()


def test_r08_meetings_of_two_users_that_invite_each_other_are_confirmed_once_each(
    make_world: MakeWorld,
) -> None:
    world = _old(make_world)
    world.connect(ALICE)
    world.connect(BOB)
    _confirm(world)
    _confirm(world, BOB)
    world.pull()
    assert _subjects(world) == ["Alone", "Of bob", "With bob", "With dave"]
    assert _subjects(world, BOB) == ["Of bob", "With bob"]
    assert len(world.records()) == 4
    assert world.mails() == [("invitation", "alice@example.com"), ("invitation", "bob@example.com")]
    world.quiet()
    assert world.mails() == []


def test_r08_after_a_reset_what_differs_waits_for_the_confirmation(make_world: MakeWorld) -> None:
    world = make_world()
    world.connect(ALICE)
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.app.connections.pause(ALICE)
    world.change(record, name="Edited while paused")
    world.clock.advance(60)
    world.app.connections.resume(ALICE)
    world.mails()
    reset(world.app.store, world.app.gateway, world.app.open_mailbox, world.account(ALICE))
    world.settle()
    assert _subjects(world) == ["Kick-off"]
    assert world.mails() == []
    preview = Backfill(world.app).preview(ALICE)
    assert preview.mailed == ["bob@example.com"]
    _confirm(world)
    assert _subjects(world) == ["Edited while paused"]
    assert world.mails() == [("update", "bob@example.com")]
    assert world.link(record).state is LinkState.ACTIVE
    world.quiet()
    assert world.mails() == []


def test_r08_contacts_that_are_pushed_from_now_on_hear_of_old_meetings_after_the_confirmation(
    make_world: MakeWorld,
) -> None:
    world = make_world()
    world.connect(ALICE)
    world.save(name="With dave", contactsIds=[DAVE])
    world.settle()
    world.pull()
    world.clock.advance(60)
    choose(world.app.store, world.app.gateway, ALICE, {"push_contacts": True})
    world.settle()
    world.pull()
    world.sweep()
    assert world.mails() == []
    preview = Backfill(world.app).preview(ALICE)
    assert preview.outsiders == ["dave@contoso.example"]
    _confirm(world)
    assert world.event(ALICE).attendees == {"dave@contoso.example"}
    assert world.mails() == [("invitation", "dave@contoso.example")]
    world.quiet()
    assert world.mails() == []


def test_r08_what_came_from_outlook_is_not_offered_to_be_pushed(make_world: MakeWorld) -> None:
    world = make_world()
    world.outlook_create(ALICE, subject="From Outlook", attendees=["bob@example.com"])
    world.invite_from_outside(ALICE, subject="From outside")
    world.mails()
    world.connect(ALICE)
    assert len(world.records()) == 2
    world.clock.advance(60)
    reset(world.app.store, world.app.gateway, world.app.open_mailbox, world.account(ALICE))
    world.settle()
    assert Backfill(world.app).preview(ALICE).mailed == []
    assert _confirm(world) == 0
    world.quiet()
    assert world.mails() == []


def test_r08_a_colleagues_meeting_is_not_pushed_by_who_attends_it(make_world: MakeWorld) -> None:
    world = make_world()
    world.save(name="Of carol", assignedUserId=CAROL, usersIds=[CAROL, ALICE])
    world.settle()
    world.clock.advance(60)
    world.connect(ALICE)
    assert _confirm(world) == 0
    assert _subjects(world) == _subjects(world, CAROL) == []
    world.quiet()
