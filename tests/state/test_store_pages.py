"""The rooms behind the pages: sessions, given grants, the admin page's values, the audit log, figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from calsync_plugin.errors import StoreError
from calsync_plugin.state import Account, AccountStatus, CrmUser, Parked, Store, Subject, session_hash
from tests.state.samples import MovedClock

SALES = Subject("role", "sales")
ALICE = Subject("user", "alice")


def test_a_session_is_found_by_its_token_alone(store: Store) -> None:
    store.sessions.save("token", '{"user": "alice"}', user_id="alice", seconds=60)
    assert store.sessions.load("token") == '{"user": "alice"}'
    assert store.sessions.load(session_hash("token")) is None


def test_a_session_ends_by_itself(store: Store, clock: MovedClock) -> None:
    store.sessions.save("token", "{}", user_id="", seconds=60)
    clock.move(60)
    assert store.sessions.load("token") is None


def test_signing_out_everywhere_leaves_the_others_signed_in(store: Store) -> None:
    for token, user_id in (("one", "alice"), ("two", "alice"), ("three", "bob")):
        store.sessions.save(token, "{}", user_id=user_id, seconds=60)
    assert store.sessions.end_all("alice") == 2
    assert store.sessions.load("one") is None
    assert store.sessions.load("three") == "{}"


def test_one_session_can_be_ended(store: Store) -> None:
    store.sessions.save("token", "{}", user_id="alice", seconds=60)
    store.sessions.end("token")
    assert store.sessions.load("token") is None


def test_a_begun_login_remembers_its_session(store: Store) -> None:
    store.oauth_flows.put("state", "alice", "flow", session_hash="abc")
    taken = store.oauth_flows.take("state")
    assert taken is not None
    assert (taken.user_id, taken.flow, taken.session_hash) == ("alice", "flow", "abc")


def test_grants_of_several_subjects_add_up(store: Store) -> None:
    store.given_grants.give(SALES, "ExternalAccount", subject_name="Sales", given_by="admin")
    store.given_grants.give(ALICE, "OutlookCalendar", subject_name="Alice", given_by="admin")
    assert store.given_grants.of([SALES, ALICE]) == {"ExternalAccount", "OutlookCalendar"}
    assert store.given_grants.of([ALICE]) == {"OutlookCalendar"}
    assert store.given_grants.of([]) == frozenset()


def test_a_grant_is_taken_once(store: Store) -> None:
    store.given_grants.give(SALES, "ExternalAccount", subject_name="Sales", given_by="admin")
    store.given_grants.give(SALES, "ExternalAccount", subject_name="Sales team", given_by="root")
    assert [(g.subject_name, g.given_by) for g in store.given_grants.all()] == [("Sales team", "root")]
    assert store.given_grants.take(SALES, "ExternalAccount")
    assert not store.given_grants.take(SALES, "ExternalAccount")


def test_what_the_admin_page_saved_has_a_version(store: Store) -> None:
    assert (store.integration.version(), store.integration.values()) == (0, {})
    store.integration.save({"enabled": True, "client_secret": "hidden"})
    store.integration.save({"enabled": False})
    assert (store.integration.version(), store.integration.values()) == (2, {"enabled": False})


def test_the_audit_log_tells_the_latest_first(store: Store, clock: MovedClock) -> None:
    for number, user_id in enumerate(("alice", "bob", "alice")):
        clock.move(1)
        store.audit.add(
            actor_id="admin", actor_name="Admin", user_id=user_id, subject="account", text=f"change {number}"
        )
    latest = store.audit.entries(limit=2)
    assert [entry.text for entry in latest] == ["change 2", "change 1"]
    assert [entry.text for entry in store.audit.entries(before=latest[-1].id)] == ["change 0"]
    assert [entry.text for entry in store.audit.entries(user_id="alice")] == ["change 2", "change 0"]


def test_old_audit_entries_are_removed(store: Store, clock: MovedClock) -> None:
    store.audit.add(actor_id="admin", subject="integration", text="old")
    clock.move(timedelta(days=401).total_seconds())
    store.audit.add(actor_id="admin", subject="integration", text="new")
    assert store.audit.purge() == 1
    assert [entry.text for entry in store.audit.entries()] == ["new"]


def test_figures_of_an_hour_add_up(store: Store, clock: MovedClock) -> None:
    began = datetime.fromtimestamp(clock.now(), UTC)
    store.figures.add({("writes", "outlook"): 2, ("writes", "crm"): 1})
    store.figures.add({("writes", "outlook"): 3})
    store.figures.add({})
    clock.move(3600)
    store.figures.add({("writes", "outlook"): 1})
    found = [(f.name, f.label, f.amount) for f in store.figures.since(began)]
    assert found == [("writes", "crm", 1), ("writes", "outlook", 5), ("writes", "outlook", 1)]


def test_old_figures_are_removed(store: Store, clock: MovedClock) -> None:
    store.figures.add({("writes", "crm"): 1})
    clock.move(timedelta(days=41).total_seconds())
    assert store.figures.purge() == 1
    assert store.figures.since(datetime(1970, 1, 1, tzinfo=UTC)) == []


@pytest.mark.parametrize("room", ["sessions", "integration"])
def test_nobody_reads_the_rooms_without_the_key(store: Store, room: str) -> None:
    store.sessions.save("token", "secret text", user_id="alice", seconds=60)
    store.integration.save({"client_secret": "secret text"})
    with store._database.write() as connection:
        text = connection.exec_driver_sql(f"SELECT content FROM {room}").scalar_one()
        connection.exec_driver_sql(f"UPDATE {room} SET content = 'other:' || '{text}'")
    assert "secret text" not in text
    with pytest.raises(StoreError):
        _ = store.sessions.load("token") if room == "sessions" else store.integration.values()


def test_accounts_are_listed_by_status_and_text(store: Store) -> None:
    ids = {name: store.accounts.ensure_mailbox("t", name, f"{name}@example.com") for name in ("alice", "bob")}
    for name, status in (("alice", AccountStatus.CONNECTED), ("bob", AccountStatus.PAUSED)):
        store.accounts.save(
            Account(user_id=name, mailbox_id=ids[name], address=f"{name}@Example.com", status=status)
        )
    store.accounts.save(Account(user_id="carol"))

    def listed(**question: Any) -> list[str]:
        return [line.account.user_id for line in store.listing.page(**question)]

    assert listed() == ["alice", "bob", "carol"]
    assert listed(after="alice", limit=1) == ["bob"]
    assert listed(statuses=[AccountStatus.PAUSED, AccountStatus.OFF]) == ["bob", "carol"]
    assert listed(text="BOB@example") == ["bob"]
    assert listed(text="nobody", user_ids=["carol"]) == ["carol"]
    assert listed(text="%") == []


def test_a_line_counts_what_there_is(store: Store, clock: MovedClock) -> None:
    mailbox = store.accounts.ensure_mailbox("t", "alice", "alice@example.com")
    store.accounts.save(Account(user_id="alice", mailbox_id=mailbox))
    since = clock.now()
    store.queue.record_changes([("Meeting", "1", "alice", "saved")])
    with store.save(None) as tx:
        tx.park(Parked(mailbox_id=mailbox, user_id="alice", reason="x", message="X", record_id="1"))
    (line,) = store.listing.page()
    assert (line.links, line.parked, line.held) == (0, 1, 0)
    assert line.waiting_since is None
    store.changes.route({change.id: [mailbox] for change in store.changes.unrouted(10)})
    clock.move(60)
    (line,) = store.listing.page()
    assert line.waiting_since is not None
    assert line.waiting_since.timestamp() == pytest.approx(since)


def test_grants_are_given_to_many(store: Store) -> None:
    bob = Subject("user", "bob")
    store.given_grants.give_all(
        [(bob, "A", "Bob"), (bob, "B", "Bob"), (SALES, "A", "Sales")], given_by="somebody"
    )
    store.given_grants.give_all([], given_by="nobody")
    assert store.given_grants.by_subject([bob, ALICE]) == {bob: {"A", "B"}}
    assert store.given_grants.to_groups() == {SALES: {"A"}}


def test_a_session_that_is_owed_to_the_crm_waits(store: Store, clock: MovedClock) -> None:
    for token, user_id in (("one", "alice"), ("two", "")):
        store.sessions.save(token, f'"{token}"', user_id=user_id, seconds=60)
        store.sessions.end(token, owed=True)
        assert store.sessions.load(token) is None
    ((hashed, text),) = store.sessions.over(10)
    assert text == '"one"'
    store.sessions.save("three", "{}", user_id="bob", seconds=60)
    assert [hashed for hashed, _ in store.sessions.over(10)] == [hashed]
    store.sessions.forget(hashed)
    assert store.sessions.over(10) == []
    clock.move(60)
    assert [text for _, text in store.sessions.over(10)] == ["{}"]


def test_what_is_owed_is_forgotten_after_days(store: Store, clock: MovedClock) -> None:
    store.sessions.save("one", "{}", user_id="alice", seconds=60)
    clock.move(60 + 2 * 86_400)
    assert len(store.sessions.over(10)) == 1
    store.sessions.save("two", "{}", user_id="bob", seconds=60)
    assert store.sessions.over(10) == []


def test_a_session_that_is_over_is_not_taken_up_again(store: Store, clock: MovedClock) -> None:
    store.sessions.save("one", "{}", user_id="alice", seconds=60)
    clock.move(60)
    assert not store.sessions.again("one", "{}", user_id="alice", seconds=60)


def test_a_user_of_the_crm_is_told_of_once(store: Store) -> None:
    alice = CrmUser(user_id="alice", zone="Europe/Berlin", language="de_DE", grants=frozenset({"A", "B"}))
    assert store.crm_users.tell(alice)
    assert not store.crm_users.tell(alice)
    assert store.crm_users.tell(replace(alice, grants=frozenset()))
    assert store.crm_users.tell(replace(alice, grants=None))
    assert store.crm_users.many(["alice", "bob"]).keys() == {"alice"}
    assert store.crm_users.many(["alice"])["alice"].grants is None


def test_when_a_user_was_told_of_is_known_to_the_hour(store: Store, clock: MovedClock) -> None:
    alice = CrmUser(user_id="alice")
    store.crm_users.tell(alice)
    first = store.crm_users.many(["alice"])["alice"].told_at
    clock.move(3_599)
    assert not store.crm_users.tell(alice)
    assert store.crm_users.many(["alice"])["alice"].told_at == first
    clock.move(1)
    assert not store.crm_users.tell(alice)
    told_at = store.crm_users.many(["alice"])["alice"].told_at
    assert first is not None
    assert told_at == first + timedelta(hours=1)


def test_an_account_shows_its_users_zone_and_language(store: Store) -> None:
    store.accounts.save(Account(user_id="alice", zone="W. Europe Standard Time"))
    store.crm_users.tell(CrmUser(user_id="alice", zone="Asia/Kolkata", language="de_DE"))
    store.crm_users.tell(CrmUser(user_id="bob", zone="Asia/Tokyo"))
    found = store.accounts.get("alice")
    assert found is not None
    assert (found.zone, found.user_zone, found.language) == (
        "W. Europe Standard Time",
        "Asia/Kolkata",
        "de_DE",
    )
    assert store.accounts.many(["alice"])["alice"] == found == store.accounts.all()[0]
    assert store.accounts.get("bob") is None
