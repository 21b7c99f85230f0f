"""Change notifications: made with a handshake, renewed, lost, doubled, forged; the poll that takes over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from calsync_plugin.settings import ServeSettings
from tests.flows.conftest import MakeWorld
from tests.world import ALICE, BOB, PUBLIC, World

DAY = 24 * 3600


@pytest.fixture
def notified(make_world: MakeWorld) -> World:
    """Alice and bob are connected, and Outlook notifies calsync of changes."""
    world = make_world(notifications=True)
    world.connect(ALICE)
    world.connect(BOB)
    world.settle()
    # A hint that nothing came of is followed by one more look, for delta may lag behind.
    world.clock.advance(60)
    world.settle()
    return world


def _subscriptions(world: World) -> int:
    return len(world.outlook.subscriptions.alive())


def test_an_edit_arrives_without_any_poll(notified: World) -> None:
    assert notified.account(ALICE).notify == "notifications"
    assert _subscriptions(notified) == 2
    event = notified.outlook_create(ALICE, subject="Told")
    notified.settle()
    assert notified.only_record()["name"] == "Told"
    notified.outlook_patch(ALICE, event, subject="Told again")
    notified.settle()
    assert notified.only_record()["name"] == "Told again"
    notified.outlook_delete(ALICE, event)
    notified.settle()
    assert notified.records() == []


@pytest.mark.parametrize("told", [True, False], ids=["delta-tells", "delta-does-not-tell"])
def test_a_date_that_is_taken_out_of_its_series_is_found_at_once(notified: World, told: bool) -> None:
    notified.switch(removed_for_deleted_occurrence=told)
    series = notified.series(ALICE, count=3)
    notified.settle()
    notified.outlook_delete(ALICE, notified.occurrences(ALICE, series)[1].id)
    notified.settle()
    assert [one["dateStart"][:10] for one in notified.records()] == ["2026-12-02", "2026-12-16"]
    notified.quiet()


def test_what_is_only_said_to_be_deleted_stays(notified: World) -> None:
    """Genuine or not, a notification is a hint."""
    event = notified.outlook_create(ALICE, subject="Told")
    notified.settle()
    (mailbox,) = [m for a, m in notified.outlook.state.mailboxes.items() if a == "alice@example.com"]
    (item,) = mailbox.items.values()
    notified.outlook.changed(mailbox, item, "deleted")
    with notified.writes() as written:
        notified.settle()
    assert written == []
    assert notified.only_record()["name"] == "Told"
    assert notified.event(ALICE).id == event
    notified.quiet()


def test_our_own_writes_come_back_and_lead_to_nothing(notified: World) -> None:
    record = notified.save(name="From the CRM")
    with notified.writes() as written:
        notified.settle()
    assert written == ["POST /v1.0/me/calendar/events"]
    assert notified.link(record).state == "active"
    notified.quiet()


@pytest.mark.parametrize("times", [1, 3])
def test_lost_notifications_cost_time_only(notified: World, times: int) -> None:
    notified.outlook.subscriptions.deliver = lambda *_: (202, "")
    for number in range(times):
        notified.outlook_create(ALICE, subject=f"Lost {number}")
    notified.settle()
    assert notified.records() == []
    notified.clock.advance(DAY * 1.2)
    notified.settle()
    assert len(notified.records()) == times


def test_an_idle_mailbox_costs_nothing_for_an_hour(notified: World) -> None:
    with notified.watched() as sent:
        for _ in range(12):
            notified.clock.advance(300)
            notified.settle()
    assert sent == []


def test_a_month_of_an_idle_mailbox_is_renewals_and_the_sweep(notified: World) -> None:
    with notified.watched() as sent:
        for _ in range(30 * 4):
            notified.clock.advance(6 * 3600)
            notified.settle()
    assert _subscriptions(notified) == 2
    # For each mailbox a look a day, with the working hours, a renewal in half a week, and a full read with a
    # list of the busy times at the month's edge. Some are sent twice here: the login library goes by the
    # machine's clock and does not see that its token ended.
    assert len(sent) <= 2 * (2 * (30 + 9 + 3) + 30 + 1)
    assert {"POST", "DELETE"}.isdisjoint(sent)


def test_a_subscription_that_ended_is_made_anew(notified: World) -> None:
    notified.clock.advance(8 * DAY)
    notified.settle()
    assert _subscriptions(notified) == 2
    notified.outlook_create(ALICE, subject="After a week")
    notified.settle()
    assert notified.only_record()["name"] == "After a week"


@pytest.mark.parametrize("event", ["missed", "subscriptionRemoved", "reauthorizationRequired"])
def test_lifecycle_events_are_followed(notified: World, event: str) -> None:
    notified.outlook.subscriptions.deliver = lambda *_: (202, "")
    notified.outlook_create(ALICE, subject="Unheard")
    notified.settle()
    assert notified.records() == []
    notified.outlook.subscriptions.deliver = notified._deliver
    if event == "subscriptionRemoved":
        for one in notified.outlook.subscriptions.alive():
            if one.mailbox == "alice@example.com":
                notified.outlook.subscriptions.drop(one.id)
    notified.lifecycle(event, ALICE) if event != "subscriptionRemoved" else _removed(notified)
    notified.settle()
    assert notified.only_record()["name"] == "Unheard"
    assert _subscriptions(notified) == 2


def _removed(world: World) -> None:
    """Outlook tells that alice's subscription is no more, after it is no more."""
    mailbox_id = world.account(ALICE).mailbox_id or 0
    (row,) = world.app.store.subscriptions.for_mailbox(mailbox_id)
    world.clock.advance(1)
    # The hash cannot be undone: what Outlook would post is what the store knows of it, not the secret.
    world.app.store.subscriptions.delete(row.id)
    world.app.store.queue.hint(mailbox_id)


def test_pain_25_a_tenant_that_refuses_is_polled_and_says_so(world: World) -> None:
    account = world.account(ALICE)
    assert account.notify == "poll"
    assert "notifications" in account.notify_reason
    world.outlook_create(ALICE, subject="Polled")
    world.settle()
    assert world.records() == []
    world.clock.advance(DAY + 1)
    world.settle()
    assert world.only_record()["name"] == "Polled"


def test_without_a_public_address_the_poll_takes_over(make_world: MakeWorld) -> None:
    world = make_world(notifications=True)
    world.connect(ALICE)
    world.settings = replace(world.settings, serve=ServeSettings(public_url=""))
    world.open()
    world.pull(ALICE)
    assert world.account(ALICE).notify == "poll"
    assert world.account(ALICE).notify_reason
    assert _subscriptions(world) == 0


def test_a_shared_calendar_is_polled_beside_the_notifications(make_world: MakeWorld) -> None:
    world = make_world(notifications=True)
    world.settings = replace(world.settings, graph=replace(world.settings.graph, poll_seconds=600))
    world.open()
    world.connect(ALICE)
    shared = world.share(BOB, ALICE)
    world.settle()
    mailbox_id = world.account(ALICE).mailbox_id or 0
    world.app.store.calendars.replace(mailbox_id, [])
    world.choose(ALICE, other_calendars=[shared])
    world.pull(ALICE)
    world.outlook_create(BOB, subject="In bob's calendar")
    world.settle()
    assert world.records() == []
    world.clock.advance(601)
    world.settle()
    assert [r["name"] for r in world.records()] == ["In bob's calendar"]


def test_a_disconnected_user_is_not_notified_of(notified: World) -> None:
    notified.app.connections.disconnect(ALICE)
    notified.settle()
    assert {one.mailbox for one in notified.outlook.subscriptions.alive()} == {"bob@example.com"}
    notified.outlook_create(ALICE, subject="None of our business")
    notified.settle()
    assert notified.records() == []


def test_late_and_doubled_notifications_change_nothing(notified: World) -> None:
    event = notified.outlook_create(ALICE, subject="Once")
    notified.settle()
    (row,) = [o for o in notified.outlook.subscriptions.alive() if o.mailbox == "alice@example.com"]
    body = {
        "value": [
            {
                "subscriptionId": row.id,
                "clientState": row.client_state,
                "changeType": "updated",
                "resource": f"Users/x/Events/{event}",
            }
        ]
        * 3
    }
    with notified.writes() as written:
        for _ in range(3):
            answer = notified.session.post(f"{PUBLIC}/webhooks/outlook", json=body, timeout=5)
            assert answer.status_code == 202
        notified.clock.advance(timedelta(hours=5).total_seconds())
        notified.settle()
    assert written == []
    assert len(notified.records()) == 1


def test_an_answer_that_moves_no_etag_is_seen(world: World) -> None:
    world.switch(response_new_key=False)
    world.outlook_create(ALICE, subject="Answered", attendees=["bob@example.com"])
    world.pull()
    world.respond(BOB, world.event(BOB).id, "accept")
    world.pull()
    assert world.only_record()["usersColumns"][BOB]["status"] == "Accepted"
    world.quiet()


def test_a_cursor_that_leads_elsewhere_is_read_anew(world: World) -> None:
    world.outlook_create(ALICE, subject="Kept")
    world.pull(ALICE)
    mailbox_id = world.account(ALICE).mailbox_id or 0
    (cursor,) = world.app.store.cursors.for_mailbox(mailbox_id)
    with world.app.store.save(None) as tx:
        tx.save_cursor(
            replace(cursor, url="https://elsewhere.example/v1.0/me/calendarView/delta?$deltatoken=x")
        )
    world.outlook_create(ALICE, subject="New", start="2026-12-03T10:00:00", end="2026-12-03T11:00:00")
    world.pull(ALICE)
    assert [r["name"] for r in world.records()] == ["Kept", "New"]
    assert world.account(ALICE).status == "connected"
