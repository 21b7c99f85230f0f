"""The gauges of a store, and bookmarks that only one of several processes moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from calsync_plugin.state import Account, AccountStatus, Decision, Parked, SourceKind, Store, Subscription
from tests.state.samples import MovedClock


def test_a_bookmark_is_moved_by_one_of_two(store: Store) -> None:
    assert store.bookmarks.swap("notice", "", "first")
    assert not store.bookmarks.swap("notice", "", "second")
    assert store.bookmarks.get("notice") == "first"
    assert store.bookmarks.swap("notice", "first", "second")
    assert not store.bookmarks.swap("notice", "first", "third")
    assert store.bookmarks.get("notice") == "second"


def test_an_empty_store_has_nothing(store: Store) -> None:
    snapshot = store.gauges.read()
    assert set(snapshot.accounts.values()) == set(snapshot.links.values()) == {0}
    assert (snapshot.parked, dict(snapshot.held), snapshot.subscriptions) == (0, {}, 0)
    assert (snapshot.oldest_waiting, snapshot.oldest_reading, snapshot.oldest_source) == (0.0, 0.0, 0.0)
    assert set(snapshot.failing.values()) == {snapshot.unsettled} == {0}


def test_everything_is_counted(store: Store, clock: MovedClock, mailbox: int) -> None:
    now = datetime.fromtimestamp(clock.now(), UTC)
    store.accounts.save(
        Account(
            user_id="alice",
            mailbox_id=mailbox,
            status=AccountStatus.CONNECTED,
            pulled_at=now - timedelta(hours=2),
        )
    )
    store.accounts.save(Account(user_id="bob", status=AccountStatus.RECONNECT))
    store.queue.record_change("Meeting", "1")
    for number, ends in enumerate((timedelta(days=1), timedelta(days=-1))):
        store.subscriptions.save(
            Subscription(
                id=str(number),
                mailbox_id=mailbox,
                resource="me/events",
                client_state_hash="",
                expires_at=now + ends,
            )
        )
    with store.save(None) as tx:
        tx.hold(mailbox, "one", "deletion")
        tx.hold(mailbox, "two", "deletion")
        tx.park(Parked(mailbox_id=mailbox, user_id="alice", reason="refused", message="no", record_id="1"))
    store.held.decide(mailbox, Decision.CONFIRMED, ["two"])
    clock.move(30)
    snapshot = store.gauges.read()
    assert snapshot.accounts[AccountStatus.CONNECTED] == snapshot.accounts[AccountStatus.RECONNECT] == 1
    assert snapshot.waiting == {"unrouted": 1, "records": 0, "events": 0}
    assert snapshot.oldest_waiting == 30
    assert (snapshot.parked, snapshot.held, snapshot.subscriptions) == (1, {"deletion": 1}, 1)
    assert snapshot.oldest_reading == 2 * 3600 + 30


def test_sources_of_busy_times_are_counted(store: Store, clock: MovedClock, mailbox: int) -> None:
    """Of who does not sync, and of what is asked only when needed, the age says nothing."""
    store.accounts.save(Account(user_id="alice", mailbox_id=mailbox, status=AccountStatus.CONNECTED))
    store.accounts.save(Account(user_id="bob", status=AccountStatus.PAUSED))
    (calendar,) = store.busy.keep_calendars("alice", mailbox, {"c": (SourceKind.LINKED, "Calendar")})
    made = {
        (user_id, kind): store.feeds.add(user_id, kind, f"{user_id} {kind}", shown="", name="", most=9)
        for user_id, kind in (
            ("alice", SourceKind.FEED),
            ("alice", SourceKind.SCHEDULE),
            ("bob", SourceKind.FEED),
        )
    }
    with store.save(None) as tx:
        tx.busy.was_read(made["alice", SourceKind.SCHEDULE])
        tx.busy.was_read(made["bob", SourceKind.FEED])
    clock.move(100)
    with store.save(None) as tx:
        tx.busy.was_read(calendar.id)
        tx.busy.was_read(made["alice", SourceKind.FEED])
        tx.busy.failed(made["alice", SourceKind.FEED], "its server does not answer")
    clock.move(7)
    snapshot = store.gauges.read()
    assert snapshot.oldest_source == 7
    assert {kind: count for kind, count in snapshot.failing.items() if count} == {SourceKind.FEED: 1}


def test_accounts_are_found_by_their_status(store: Store) -> None:
    store.accounts.save(Account(user_id="bob", status=AccountStatus.RECONNECT))
    store.accounts.save(Account(user_id="alice", status=AccountStatus.NEEDS_ATTENTION))
    store.accounts.save(Account(user_id="carol", status=AccountStatus.CONNECTED))
    found = store.accounts.in_status(AccountStatus.RECONNECT, AccountStatus.NEEDS_ATTENTION)
    assert [account.user_id for account in found] == ["alice", "bob"]
