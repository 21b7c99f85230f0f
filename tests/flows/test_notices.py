"""Notices: each trouble is told once, to its user and to the administrators, over restarts and processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from calsync_plugin.accounts import holds
from calsync_plugin.engine.notices import Notices
from calsync_plugin.state import AccountStatus
from tests.world import ADDRESS, ALICE, World

DAY = 24 * 3600.0
SECRET = "Merger with Fabrikam"


def _revoked(world: World) -> None:
    world.save(name=SECRET)
    world.settle()
    world.revoke(ALICE)
    world.clock.advance(4000)
    world.save(name=SECRET)
    world.pull(ALICE)
    assert world.account(ALICE).status is AccountStatus.RECONNECT


def _broken(world: World) -> None:
    world.save(name=SECRET)
    world.settle()
    world.clock.advance(60)
    world.app.store.accounts.set_status(ALICE, AccountStatus.NEEDS_ATTENTION, "no mailbox was found.")
    world.sweep()


def _held(world: World) -> None:
    for record in [
        world.save(name=f"{SECRET} {n}", dateStart=_at(n, 9), dateEnd=_at(n, 10)) for n in range(7)
    ]:
        world.settle()
        world.remove(record)
    world.settle()
    for record in [
        world.save(name=f"{SECRET} {n}", dateStart=_at(n, 11), dateEnd=_at(n, 12)) for n in range(7)
    ]:
        world.settle()
        world.remove(record)
    world.settle()
    assert world.app.store.held.all()


def _at(day: int, hour: int) -> str:
    return f"2026-12-{1 + day:02} {hour:02}:00:00"


TROUBLES = pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(_revoked, id="login"),
        pytest.param(_broken, id="attention"),
        pytest.param(_held, id="held"),
    ],
)
Trouble = Callable[[World], None]


@TROUBLES
def test_the_user_and_the_administrators_are_told_once(world: World, trouble: Trouble) -> None:
    trouble(world)
    for _ in range(3):
        world.clock.advance(3600)
        world.sweep()
    assert [user for user, _ in world.told] == [ALICE]
    assert len(world.administrators_told) == 1
    assert ALICE in world.administrators_told[0]


@TROUBLES
def test_a_restart_and_another_process_tell_nothing_again(world: World, trouble: Trouble) -> None:
    trouble(world)
    world.open()
    world.sweep()
    other = Notices(world.app.store, lambda user_id, text: world.told.append((user_id, text)))
    other.look()
    assert len(world.told) == len(world.administrators_told) == 1


@TROUBLES
def test_it_is_told_again_after_a_week(world: World, trouble: Trouble) -> None:
    trouble(world)
    world.clock.advance(6.9 * DAY)
    world.sweep()
    assert len(world.told) == 1
    world.clock.advance(0.2 * DAY)
    world.sweep()
    world.sweep()
    assert len(world.told) == len(world.administrators_told) == 2


@TROUBLES
def test_what_is_told_says_what_to_do_and_nothing_of_meetings(world: World, trouble: Trouble) -> None:
    trouble(world)
    texts = [text for _, text in world.told] + world.administrators_told
    for text in texts:
        assert SECRET not in text
        assert "\n" not in text
        assert len(text) < 400
        assert any(word in text for word in ("sign", "resume", "administrator"))
        assert ".." not in text


def test_what_was_cured_and_broke_again_is_told_again(world: World) -> None:
    _revoked(world)
    world.permit(ALICE)
    world.connect(ALICE)
    world.settle()
    world.clock.advance(60)
    world.revoke(ALICE)
    world.clock.advance(4000)
    world.save()
    world.pull(ALICE)
    assert world.account(ALICE).status is AccountStatus.RECONNECT
    assert [user for user, _ in world.told] == [ALICE, ALICE]


def test_a_resume_that_cured_nothing_is_not_told_again(world: World) -> None:
    _broken(world)
    world.app.store.accounts.set_status(ALICE, AccountStatus.CONNECTED)
    world.app.store.accounts.set_status(ALICE, AccountStatus.NEEDS_ATTENTION, "no mailbox was found")
    world.sweep()
    assert len(world.told) == 1


def test_new_held_deletions_are_told_after_the_old_ones_were_decided(world: World) -> None:
    _held(world)
    holds.discard(world.app.store, world.account(ALICE))
    world.clock.advance(60)
    world.settle()
    record = world.save(name="One more")
    world.settle()
    world.remove(record)
    world.settle()
    assert len(world.told) == 2


def test_a_pause_after_a_move_is_told_to_the_administrators_alone(world: World) -> None:
    serve = replace(world.settings.serve, public_url="http://127.0.0.1:4")
    world.settings = replace(world.settings, serve=serve)
    world.open()
    world.sweep()
    world.sweep()
    assert world.told == []
    (text,) = world.administrators_told
    assert "moved" in text
    assert "copy" in text


def test_an_account_that_works_is_nobodys_trouble(world: World) -> None:
    world.save()
    world.settle()
    world.sweep()
    assert world.told == []
    assert world.administrators_told == []
    assert ADDRESS[ALICE] == world.account(ALICE).address


def test_upkeep_removes_old_rows_once_a_day(world: World) -> None:
    store = world.app.store
    store.figures.add({("writes", "crm:create"): 1})
    store.audit.add(actor_id="admin", text="gave", subject="OutlookCalendar")
    world.sweep()
    assert store.audit.entries()
    world.clock.advance(401 * DAY)
    world.sweep()
    assert store.audit.entries() == []
