"""The smaller rooms: accounts, tokens, logins, webhooks, cursors, parked and held items, the log."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calsync_plugin.errors import MailboxTaken
from calsync_plugin.state import (
    Account,
    AccountStatus,
    Cursor,
    CursorStage,
    Decision,
    Installation,
    Mailbox,
    MailboxKind,
    Parked,
    Stage,
    Store,
    Subscription,
    Webhook,
)
from tests.state.samples import NOON, MovedClock

ALICE = Account(
    user_id="alice",
    address="alice@example.com",
    settings={"mode": "both", "entities": [{"entity_type": "Call", "label": "C"}]},
    grants=frozenset({"ExternalAccount", "OutlookCalendar"}),
    status=AccountStatus.CONNECTED,
    zone="Europe/Berlin",
    push_from=datetime(2027, 1, 1, 0, 0, 0, 123456, tzinfo=UTC),
    connected_at=NOON,
)


def _now(clock: MovedClock) -> datetime:
    return datetime.fromtimestamp(clock.now(), UTC)


class TestAccounts:
    """Accounts and mailboxes."""

    def test_an_account_comes_back_as_it_was(self, store: Store, mailbox: int) -> None:
        alice = replace(ALICE, mailbox_id=mailbox)
        store.accounts.save(ALICE)
        store.accounts.save(alice)
        assert store.accounts.get("alice") == store.accounts.by_mailbox(mailbox) == alice
        assert store.accounts.many(["alice", "bob"]) == {"alice": alice}
        assert store.accounts.get("ALICE") is None

    def test_a_mailbox_has_one_user(self, store: Store, mailbox: int) -> None:
        store.accounts.save(replace(ALICE, mailbox_id=mailbox))
        with pytest.raises(MailboxTaken) as caught:
            store.accounts.save(Account(user_id="bob", mailbox_id=mailbox))
        assert "Share its calendar" in str(caught.value)
        assert "alice" not in str(caught.value)
        assert store.accounts.get("bob") is None

    def test_a_mailbox_is_an_identity_not_an_address(self, store: Store, mailbox: int) -> None:
        assert store.accounts.ensure_mailbox("tenant", "alice", "new@example.com") == mailbox
        assert store.accounts.mailbox(mailbox) == Mailbox(
            mailbox, MailboxKind.MAILBOX, "tenant", "alice", "new@example.com"
        )
        assert store.accounts.ensure_mailbox("other", "alice", "new@example.com") != mailbox
        assert store.accounts.mailbox(999) is None

    def test_pages(self, store: Store) -> None:
        for name in ("b", "a", "c"):
            store.accounts.save(Account(user_id=name))
        assert [account.user_id for account in store.accounts.all(limit=2)] == ["a", "b"]
        assert [account.user_id for account in store.accounts.all(after="b", limit=2)] == ["c"]
        assert store.accounts.counts()[AccountStatus.OFF] == 3

    def test_each_actor_writes_its_own_columns(self, store: Store, clock: MovedClock) -> None:
        store.accounts.save(ALICE)
        store.accounts.set_stage("alice", Stage.PUSHING)
        store.accounts.set_settings("alice", {"mode": "crm_to_outlook"})
        store.accounts.set_grants("alice", frozenset({"ExternalAccount"}))
        store.accounts.set_push_from("alice", NOON)
        store.accounts.set_status("alice", AccountStatus.NEEDS_ATTENTION, "full mailbox")
        store.accounts.failed("alice", "507")
        clock.move(60)
        store.accounts.succeeded("alice")
        assert store.accounts.get("alice") == replace(
            ALICE,
            settings={"mode": "crm_to_outlook"},
            grants=frozenset({"ExternalAccount"}),
            push_from=NOON,
            status=AccountStatus.NEEDS_ATTENTION,
            reason="full mailbox",
            stage=Stage.IDLE,
            last_error="507",
            last_error_at=_now(clock) - timedelta(seconds=60),
            last_success_at=_now(clock),
        )

    def test_a_naive_time_is_refused(self, store: Store) -> None:
        with pytest.raises(Exception, match="naive"):
            store.accounts.save(replace(ALICE, connected_at=datetime(2027, 1, 1)))  # noqa: DTZ001


class TestLogins:
    """Token caches and begun logins."""

    def test_tokens(self, store: Store) -> None:
        assert store.tokens.load("alice") is None
        store.tokens.save("alice", "one")
        store.tokens.save("alice", "two")
        assert store.tokens.load("alice") == "two"
        store.tokens.delete("alice")
        assert store.tokens.load("alice") is None

    def test_a_login_is_taken_once(self, store: Store) -> None:
        store.oauth_flows.put("state", "alice", "flow")
        found = store.oauth_flows.take("state")
        assert found is not None
        assert (found.user_id, found.flow) == ("alice", "flow")
        assert store.oauth_flows.take("state") is None
        assert store.oauth_flows.take("guessed") is None

    def test_a_login_is_taken_in_time(self, store: Store, clock: MovedClock) -> None:
        store.oauth_flows.put("state", "alice", "flow", seconds=600)
        clock.move(600)
        assert store.oauth_flows.take("state") is None


def test_webhooks(store: Store) -> None:
    one, two = Webhook("1", "Meeting.update", "s1"), Webhook("2", "Meeting.update", "s2")
    for webhook in (two, one):
        store.webhooks.save(webhook)
    assert store.webhooks.all() == [one, two]
    store.webhooks.delete("1")
    assert store.webhooks.get("1") is None
    assert store.webhooks.get("2") == two


def test_subscriptions(store: Store, mailbox: int) -> None:
    soon, late = (
        Subscription(
            id=name, mailbox_id=mailbox, resource="me/events", client_state_hash="h", expires_at=NOON + wait
        )
        for name, wait in (("soon", timedelta(hours=1)), ("late", timedelta(days=2)))
    )
    store.subscriptions.save(late)
    store.subscriptions.save(soon)
    assert store.subscriptions.for_mailbox(mailbox) == [soon, late]
    assert store.subscriptions.expiring(NOON + timedelta(days=1)) == [soon]
    assert store.subscriptions.get("late") == late
    store.subscriptions.delete("late")
    assert store.subscriptions.get("late") is None


def test_cursors(store: Store, mailbox: int) -> None:
    live = Cursor(
        mailbox_id=mailbox,
        calendar_id="c",
        url="u1",
        query_version=1,
        window_start=NOON,
        window_end=NOON + timedelta(days=365),
    )
    building = replace(live, stage=CursorStage.BUILDING, url="u2")
    with store.save(None) as save:
        save.save_cursor(replace(live, url="old"))
        save.save_cursor(building)
        save.save_cursor(live)
    assert store.cursors.for_mailbox(mailbox) == [building, live]
    with store.save(None) as save:
        save.drop_cursor(mailbox, "c", CursorStage.BUILDING)
    assert store.cursors.get(mailbox, "c", CursorStage.BUILDING) is None
    assert store.cursors.get(mailbox, "c") == live
    store.cursors.drop_all(mailbox)
    assert store.cursors.for_mailbox(mailbox) == []


def test_parked_items(store: Store, clock: MovedClock, mailbox: int) -> None:
    item = Parked(
        mailbox_id=mailbox,
        user_id="alice",
        reason="no_end",
        message="no end",
        entity_type="Meeting",
        record_id="m1",
    )
    first = _now(clock)
    with store.save(None) as save:
        save.park(item)
        save.park(replace(item, record_id="", event_id="E1"))
    clock.move(60)
    with store.save(None) as save:
        save.park(replace(item, reason="refused", message="too large"))
    again = replace(item, reason="refused", message="too large", since=first)
    assert again in store.parked.all(user_id="alice")
    assert store.parked.count() == len(store.parked.all(mailbox_id=mailbox)) == 2
    assert store.parked.all(user_id="bob") == []
    with store.save(None) as save:
        assert save.unpark(mailbox_id=mailbox, entity_type="Meeting", record_id="m1") == 1
        assert save.unpark(entity_type="Meeting", record_id="m1") == 0
    assert store.parked.remove(event_id="E1") == 1
    assert store.parked.count() == 0
    with pytest.raises(ValueError, match="named"):
        store.parked.remove()


def test_held_operations(store: Store, clock: MovedClock, mailbox: int) -> None:
    with store.save(None) as save:
        save.hold(mailbox, "l1", "DeleteEvent")
        save.hold(mailbox, "l2", "DeleteEvent")
    assert store.held.decide(mailbox, Decision.CONFIRMED, ["l1"]) == 1
    clock.move(60)
    with store.save(None) as save:
        save.hold(mailbox, "l1", "DeleteEvent")
        save.unhold(mailbox, "l2")
    (held,) = store.held.all()
    assert (held.link_id, held.decision) == ("l1", Decision.CONFIRMED)
    assert held.since == _now(clock) - timedelta(seconds=60)
    assert store.held.decide(mailbox, Decision.DISCARDED) == 1
    with store.save(None) as save:
        save.unhold(mailbox, "l1")
    assert store.held.all(mailbox) == []


def test_deletions_are_counted_by_group_over_a_day(store: Store, clock: MovedClock, mailbox: int) -> None:
    with store.save(None) as save:
        for group in ("series", "series", "l1"):
            save.count_deletion(mailbox, group)
        save.count_deletion(mailbox + 1, "l2")
        save.count_deletion(mailbox, "l3", kind="mailed")
    assert store.held.groups(mailbox) == {"series", "l1"}
    assert store.held.groups(mailbox, kind="mailed") == {"l3"}
    assert store.held.deleted_everywhere() == {mailbox: 2, mailbox + 1: 1}
    clock.move(24 * 3600)
    assert store.held.groups(mailbox) == frozenset()
    assert store.held.deleted_everywhere() == {}


class TestLog:
    """Journal, clashes and notes."""

    def test_the_journal(self, store: Store, clock: MovedClock, mailbox: int) -> None:
        with store.save(None) as save:
            entry_id = save.journal(
                mailbox_id=mailbox,
                user_id="alice",
                link_id="l1",
                side="event",
                item_id="E1",
                content='{"subject": "Lunch"}',
            )
        (entry,) = store.log.journal(mailbox_id=mailbox, user_id="alice")
        assert entry == store.log.journal_entry(entry_id)
        assert (entry.content, entry.at, entry.side) == ('{"subject": "Lunch"}', _now(clock), "event")
        store.log.remove_journal_entry(entry_id)
        assert store.log.journal_entry(entry_id) is None

    def test_what_becomes_private_is_masked(self, store: Store) -> None:
        with store.save(None) as save:
            save.note("alice", "l1", "Surgery moved")
            save.note("alice", "l2", "Lunch moved")
            save.clash(
                user_id="alice", link_id="l1", field="subject", winner="crm", crm="Surgery", outlook="Doctor"
            )
        store.log.mask("l1")
        assert [note.text for note in store.log.notes("alice")] == ["Lunch moved", "private"]
        assert store.log.clashes("alice") == []

    def test_all_of_it_ends_after_thirty_days(self, store: Store, clock: MovedClock, mailbox: int) -> None:
        for day in (0, 1):
            with store.save(None) as save:
                save.journal(
                    mailbox_id=mailbox, user_id="alice", link_id="l", side="event", item_id="E", content=""
                )
                save.clash(user_id="alice", link_id="l", field="subject", winner="crm", crm=None, outlook=day)
                save.count_deletion(mailbox, "l")
            store.log.add_note("alice", f"day {day}", link_id="l")
            clock.move(24 * 3600)
        clock.move(28 * 3600 * 24 + 1)
        assert store.log.purge() == 4
        assert [note.text for note in store.log.notes("alice")] == ["day 1"]
        assert [clash.outlook for clash in store.log.clashes("alice")] == [1]
        assert len(store.log.clash_times("alice")) == 1
        assert len(store.log.journal()) == 1


def test_the_installation(store: Store) -> None:
    before = store.installation.get()
    assert before == Installation(before.id, "sandbox", "", "", "")
    store.installation.update(public_url="https://a", crm_url="https://b", paused="moved?")
    store.installation.update(paused="")
    store.installation.update()
    assert store.installation.get() == Installation(before.id, "sandbox", "https://a", "https://b", "")


def test_bookmarks(store: Store) -> None:
    assert store.bookmarks.get("sweep") == ""
    store.bookmarks.set("sweep", "one")
    store.bookmarks.set("sweep", "two")
    assert store.bookmarks.get("sweep") == "two"
