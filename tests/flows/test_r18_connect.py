"""R18 and R20: one mailbox for one user; a login that Microsoft ends asks the user and loses nothing."""

from __future__ import annotations

import pytest

from calsync_plugin.errors import UserError
from tests.flows.conftest import MakeWorld
from tests.world import ADDRESS, ALICE, BOB, CAROL, World


def test_r18_a_mailbox_that_another_user_holds_is_refused_with_the_way_out(world: World) -> None:
    with pytest.raises(UserError, match="Share its calendar with your own Outlook account"):
        world.connect(CAROL, mailbox=ADDRESS[ALICE])
    world.save(assignedUserId=CAROL)
    record = world.save(name="Of alice")
    world.settle()
    assert world.account(CAROL).mailbox_id is None
    assert world.app.store.tokens.load(CAROL) is None
    assert world.event(ALICE).subject == "Of alice"
    assert world.link(record).state == "active"


def test_r18_connecting_again_changes_nothing(world: World) -> None:
    record = world.save(usersIds=[ALICE, BOB])
    world.settle()
    world.mails()
    before = world.account(ALICE)
    with world.writes() as sent:
        world.connect(ALICE)
        world.settle()
    assert sent == []
    after = world.account(ALICE)
    assert (after.mailbox_id, after.push_from) == (before.mailbox_id, before.push_from)
    assert world.link(record).state == "active"


def test_r18_a_login_works_once(world: World) -> None:
    address = world.app.connections.begin(CAROL, login_hint=ADDRESS[CAROL], prompt="none")
    answer = world.signed_in(address)
    world.app.connections.finish(answer)
    with pytest.raises(UserError, match="connect again"):
        world.app.connections.finish(answer)


def test_pain_18_a_revoked_login_keeps_the_work_and_tells_the_user(world: World) -> None:
    record = world.save(name="Before")
    world.settle()
    world.revoke(ALICE)
    world.change(record, name="After")
    world.save(name="New")
    world.save(name="Of bob", assignedUserId=BOB)
    world.settle()
    assert world.account(ALICE).status == "reconnect"
    assert [user for user, _ in world.told] == [ALICE]
    assert world.event(BOB).subject == "Of bob"
    with world.watched(ALICE) as sent:
        world.change(record, description="Still waiting")
        world.settle()
        world.clock.advance(24 * 3600)
        world.settle()
    assert sent == []
    world.permit(ALICE)
    world.connect(ALICE)
    world.settle()
    assert [e.subject for e in world.events(ALICE)] == ["After", "New"]
    assert "Still waiting" in world.events(ALICE)[0].body["content"]
    assert world.account(ALICE).status == "connected"


def test_r20_resume_cannot_replace_a_login(world: World) -> None:
    world.revoke(ALICE)
    world.save()
    world.settle()
    with pytest.raises(UserError, match="sign in at Microsoft again"):
        world.app.connections.resume(ALICE)


def test_pain_18_an_expired_access_token_is_refreshed_unasked(world: World) -> None:
    world.save(name="One")
    world.settle()
    for number in range(4):
        world.clock.advance(2 * 3600)
        world.save(name=f"More {number}")
        world.settle()
    assert len(world.events(ALICE)) == 5
    assert world.account(ALICE).status == "connected"


def test_r20_a_login_service_that_is_away_is_waited_for(world: World) -> None:
    world.clock.advance(2 * 3600)
    world.fail(match={"path": "token"}, status=503, times=3)
    world.save()
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"
    assert world.account(ALICE).status == "connected"


def test_r20_another_process_goes_on_with_the_stored_login(world: World) -> None:
    world.save(name="One")
    world.settle()
    world.open()
    world.save(name="Two")
    world.settle()
    assert [e.subject for e in world.events(ALICE)] == ["One", "Two"]


def test_r18_an_account_without_a_mailbox_needs_attention(make_world: MakeWorld) -> None:
    world = make_world()
    world.connect(ALICE)
    world.fail(match={"path": "/me/calendar"}, status=404, code="MailboxNotEnabledForRESTAPI", times=1)
    world.save()
    world.settle()
    assert world.account(ALICE).status == "needs_attention"
    world.app.connections.resume(ALICE)
    world.settle()
    assert world.event(ALICE).subject == "Kick-off"
