"""Connecting, disconnecting, choosing: what is read anew, and what of a connection is given up (R18, R19)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from calsync_plugin.accounts.choices import choose
from calsync_plugin.accounts.moved import confirm_copy, confirm_moved
from calsync_plugin.accounts.reading import OUTDATED
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.errors import UserError
from calsync_plugin.settings import user_settings
from calsync_plugin.state import CursorStage
from tests.world import ALICE, PUBLIC, World

SignIn = Callable[[World, str], None]


@pytest.fixture
def world(world: World) -> World:
    """Alice is connected, and Outlook was read to its end."""
    world.connect(ALICE)
    world.settle()
    assert world.account(ALICE).pulled_at is not None
    return world


@pytest.fixture
def notified(notified: World) -> World:
    """The same, and Outlook notifies us."""
    notified.connect(ALICE)
    notified.settle()
    assert len(subscriptions(notified)) == 1
    return notified


def mailbox(world: World) -> int:
    return world.account(ALICE).mailbox_id or 0


def due(world: World) -> bool:
    """Whether Outlook is to be read now."""
    return world.app.store.queue.pull_state(mailbox(world)).pull_at <= world.clock.now()


def versions(world: World) -> set[int]:
    return {cursor.query_version for cursor in world.app.store.cursors.for_mailbox(mailbox(world))}


def subscriptions(world: World) -> list[Any]:
    """Those that Outlook has."""
    headers = {"Authorization": "Bearer sandbox:alice@example.com"}
    answer = world.session.get("http://127.0.0.1:2/v1.0/subscriptions", headers=headers, timeout=5)
    return list(answer.json()["value"])


# What is read anew ---------------------------------------------------------------------------------------

OTHERWISE = [
    pytest.param({"mode": "crm_to_outlook"}, id="direction"),
    pytest.param({"private_events": "busy"}, id="private-events"),
    pytest.param({"hide_imported_details": True}, id="hidden-details"),
]
MORE = [
    pytest.param({"recurring": "first"}, id="recurring"),
    pytest.param({"entities": [{"entity_type": "Meeting", "label": "M"}]}, id="label"),
    pytest.param({"entities": [{"entity_type": "Meeting"}]}, id="kinds"),
]
BESIDE = [
    pytest.param({"sync_since": "2026-11-01"}, id="sync-since-moved-back"),
    pytest.param({"months_ahead": 24}, id="further-ahead"),
    pytest.param({"main_calendar": "another"}, id="main-calendar"),
    pytest.param({"other_calendars": ["another"]}, id="other-calendar"),
]
NOT_READ = [
    pytest.param({"clash": "crm"}, id="who-wins"),
    pytest.param({"push_contacts": True}, id="contacts"),
    pytest.param({"sync_since": "2026-12-01"}, id="sync-since-moved-ahead"),
]


def chosen(world: World, changes: dict[str, JsonValue]) -> None:
    choose(world.app.store, world.app.gateway, ALICE, changes)


@pytest.mark.parametrize("changes", [*OTHERWISE, *MORE])
def test_a_choice_by_which_more_is_taken_reads_everything_again(
    world: World, changes: dict[str, JsonValue]
) -> None:
    chosen(world, changes)
    assert (versions(world), due(world)) == ({OUTDATED}, True)
    assert world.account(ALICE).pulled_at is None
    world.settle()
    assert OUTDATED not in versions(world)
    assert world.account(ALICE).pulled_at is not None


@pytest.mark.parametrize("changes", OTHERWISE)
def test_a_choice_by_which_events_read_otherwise_looks_at_linked_ones_too(
    world: World, changes: dict[str, JsonValue]
) -> None:
    record = world.save()
    world.settle()
    chosen(world, changes)
    home = world.link(record).home
    assert home is not None
    assert home.etag == ""
    assert world.link(record).outlook_base is not None


@pytest.mark.parametrize("changes", BESIDE)
def test_a_calendar_or_time_that_was_not_read_is_read_beside(
    world: World, changes: dict[str, JsonValue]
) -> None:
    """The cursors in use go on: what they do not reach is read in full."""
    before = versions(world)
    chosen(world, changes)
    assert (versions(world), due(world)) == (before, True)
    assert world.account(ALICE).pulled_at is None


@pytest.mark.parametrize("changes", NOT_READ)
def test_any_other_choice_only_makes_it_due(world: World, changes: dict[str, JsonValue]) -> None:
    before = versions(world)
    chosen(world, changes)
    assert (versions(world), due(world)) == (before, True)
    assert world.account(ALICE).pulled_at is not None


def test_a_changed_direction_is_noted_and_writes_nothing(world: World) -> None:
    world.save()
    world.settle()
    world.edit(ALICE, subject="Edited in Outlook")
    with world.writes() as sent:
        chosen(world, {"mode": "crm_to_outlook"})
        world.settle()
    assert sent == []
    assert "the direction was changed from both to crm_to_outlook" in world.notes(ALICE)


# Connecting and disconnecting ----------------------------------------------------------------------------


def test_a_new_account_knows_its_calendars_and_wants_to_be_read(world: World, sign_in: SignIn) -> None:
    world.graph("POST", ALICE, "calendars", json={"name": "Team"})
    sign_in(world, ALICE)
    rows = world.app.store.calendars.for_mailbox(mailbox(world))
    assert [(row.name, row.is_default) for row in rows] == [("Calendar", True), ("Team", False)]
    assert due(world)


def test_calendars_that_cannot_be_read_at_once_keep_nobody_from_connecting(world: World) -> None:
    world.app.connections.disconnect(ALICE)
    world.fail(match={"path": "/me/calendars"}, status=403, times=1)
    world.connect(ALICE)
    assert world.account(ALICE).status == "connected"
    world.settle()
    assert world.app.store.calendars.for_mailbox(mailbox(world))


def test_a_disconnect_gives_everything_of_the_connection_up(notified: World) -> None:
    world = notified
    record = world.save()
    world.settle()
    store = world.app.store
    calendar = store.calendars.for_mailbox(mailbox(world))[0].id
    chosen(
        world, {"main_calendar": calendar, "conflict_calendars": [calendar], "other_calendars": [calendar]}
    )
    with store.save(None) as tx:
        tx.mark_events(mailbox(world), ["some event"])
    world.app.connections.disconnect(ALICE)
    account = world.account(ALICE)
    assert (account.status, account.reason, account.pulled_at) == ("off", "Outlook was disconnected", None)
    assert store.tokens.load(ALICE) is None
    assert store.cursors.for_mailbox(mailbox(world)) == []
    assert store.events.waiting_for(mailbox(world)) == 0
    assert store.calendars.for_mailbox(mailbox(world)) == []
    assert store.subscriptions.for_mailbox(mailbox(world)) == []
    assert subscriptions(world) == []
    settings = user_settings(account.settings)
    assert (settings.main_calendar, settings.other_calendars, settings.conflict_calendars) == ("", (), ())
    assert world.link(record).state == "suspended"


def test_a_disconnect_does_not_need_microsoft(notified: World) -> None:
    world = notified
    world.revoke(ALICE)
    world.fail(match={"path": "/"}, status=503, times=100)
    world.app.connections.disconnect(ALICE)
    assert world.account(ALICE).status == "off"
    assert world.app.store.subscriptions.for_mailbox(mailbox(world)) == []


def test_an_account_that_comes_back_is_read_from_the_beginning(world: World, sign_in: SignIn) -> None:
    record = world.save()
    world.settle()
    world.app.connections.disconnect(ALICE)
    world.graph("PATCH", ALICE, f"events/{world.event(ALICE).id}", json={"subject": "Edited meanwhile"})
    sign_in(world, ALICE)
    assert world.account(ALICE).pulled_at is None
    world.settle()
    assert world.account(ALICE).pulled_at is not None
    assert world.record(record)["name"] == "Edited meanwhile"
    assert {c.stage for c in world.app.store.cursors.for_mailbox(mailbox(world))} == {CursorStage.LIVE}


def test_another_mailbox_takes_nothing_of_the_former_one_along(world: World) -> None:
    former = mailbox(world)
    chosen(world, {"main_calendar": world.app.store.calendars.for_mailbox(former)[0].id})
    page = world.app.connections.begin(ALICE, login_hint="carol@example.com", prompt="none")
    world.app.connections.finish(world.signed_in(page))
    store = world.app.store
    assert mailbox(world) != former
    assert user_settings(world.account(ALICE).settings).main_calendar == ""
    assert store.cursors.for_mailbox(former) == []
    assert store.subscriptions.for_mailbox(former) == []
    assert world.account(ALICE).pulled_at is None


def test_resume_looks_into_outlook_too(world: World) -> None:
    world.app.connections.pause(ALICE)
    world.graph("POST", ALICE, "events", json={
        "subject": "Made meanwhile",
        "start": {"dateTime": "2026-12-03T10:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2026-12-03T11:00:00", "timeZone": "UTC"},
    })  # fmt: skip
    world.app.connections.resume(ALICE)
    assert due(world)
    world.settle()
    assert [record["name"] for record in world.records()] == ["Made meanwhile"]


# A moved installation, or a copy of it (R22) ---------------------------------------------------------------


def test_a_moved_installation_is_notified_at_its_new_address(notified: World) -> None:
    world = notified
    before = world.app.store.subscriptions.for_mailbox(mailbox(world))
    assert len(before) == 1
    store = world.app.store
    store.installation.update(paused="it is somewhere else")
    confirm_moved(store, public_url=f"{PUBLIC}/new", crm_url=world.settings.crm.url)
    (ended,) = store.subscriptions.for_mailbox(mailbox(world))
    assert ended.id == before[0].id
    assert ended.expires_at.timestamp() <= world.clock.now()
    assert due(world)


def test_a_copy_leaves_the_subscriptions_of_the_original_alone(notified: World) -> None:
    world = notified
    store = world.app.store
    store.installation.update(paused="it is somewhere else")
    confirm_copy(store, public_url=PUBLIC, crm_url=world.settings.crm.url)
    assert store.subscriptions.for_mailbox(mailbox(world)) == []
    assert store.cursors.for_mailbox(mailbox(world)) == []
    assert len(subscriptions(world)) == 1


def test_only_who_has_an_account_can_choose(world: World) -> None:
    with pytest.raises(UserError, match="connect it first"):
        choose(world.app.store, world.app.gateway, "nobody", {"clash": "crm"})
