"""A mailbox's subscription over its whole life, with the Outlook simulator and calsync's own receivers."""

from __future__ import annotations

import hashlib
import logging
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calsync_plugin.accounts.reading import end_subscriptions
from calsync_plugin.engine.subscribing import AFTER_TROUBLE, ASK_AGAIN, LIFE, Subscriber
from calsync_plugin.errors import ReconnectNeeded, Unauthorized
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.sandbox.outlook.subscriptions import Subscription as Remote
from calsync_plugin.state import Lease, MailboxKind, Notify, Subscription
from tests.unit.graph.scripted import Said, ScriptedGraph, mailbox_of
from tests.world import ALICE, BOB, OUTLOOK, PUBLIC, World

DAY = 86_400.0
LIVES = LIFE.total_seconds()


class Keeper:
    """Calsync's upkeep of one mailbox, look by look."""

    def __init__(self, world: World, *, user_id: str = ALICE, **changed: str) -> None:
        self.world = world
        self.user_id = user_id
        self.store = world.app.store
        self.mailbox_id = world.account(user_id).mailbox_id or 0
        self.subscriber = Subscriber(
            self.store,
            now=world.clock.now,
            random=random.Random(1),
            **{"public_url": PUBLIC, "graph_url": f"{OUTLOOK}/v1.0", **changed},
        )

    def look(self, client: MailboxClient | None = None) -> float:
        """One look, as at the end of a run; returns the seconds until the next."""
        lease = Lease(self.mailbox_id, MailboxKind.MAILBOX, "test", 1, 0, 1, 0.0)
        member = self.world.app.roster.by_mailboxes([self.mailbox_id])[self.mailbox_id]
        return self.subscriber.upkeep(lease, member, client or self.client())

    def client(self) -> MailboxClient:
        return self.world.app.open_mailbox(self.user_id, self.mailbox_id)

    def end(self, client: MailboxClient | None = None) -> None:
        """What a disconnect does."""
        end_subscriptions(self.store, self.user_id, self.mailbox_id, client)

    @property
    def rows(self) -> list[Subscription]:
        return self.store.subscriptions.for_mailbox(self.mailbox_id)

    @property
    def row(self) -> Subscription:
        (only,) = self.rows
        return only

    @property
    def remote(self) -> list[Remote]:
        mine = self.world.account(self.user_id).address
        return [one for one in self.world.outlook.subscriptions.alive() if one.mailbox == mine]

    @property
    def notify(self) -> Notify:
        return self.world.account(self.user_id).notify

    @property
    def reason(self) -> str:
        return self.world.account(self.user_id).notify_reason

    @property
    def hints(self) -> int:
        return self.store.queue.pull_state(self.mailbox_id).hints


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, notifications=True)
    made.connect(ALICE)
    yield made
    made.close()


@pytest.fixture
def keeper(world: World) -> Keeper:
    return Keeper(world)


class TestMade:
    def test_it_is_made_and_noted(self, world: World, keeper: Keeper) -> None:
        wait = keeper.look()
        (remote,) = keeper.remote
        assert (remote.url, remote.lifecycle_url) == (
            f"{PUBLIC}/webhooks/outlook",
            f"{PUBLIC}/webhooks/outlook/lifecycle",
        )
        assert (remote.resource, remote.change_types) == ("me/events", ("created", "updated", "deleted"))
        assert remote.immutable
        assert keeper.row == Subscription(
            id=remote.id,
            mailbox_id=keeper.mailbox_id,
            resource="me/events",
            client_state_hash=hashlib.sha256(str(remote.client_state).encode()).hexdigest(),
            expires_at=remote.expires_at(),
        )
        assert timedelta(days=6, hours=22) < remote.expires_at() - world.outlook.now() < timedelta(days=7)
        assert (keeper.notify, keeper.reason) == (Notify.NOTIFICATIONS, "")
        assert 0.5 * LIVES <= wait <= 0.6 * LIVES

    def test_its_secret_is_long_new_each_time_and_nowhere_kept(self, world: World, keeper: Keeper) -> None:
        states = set()
        for _ in range(3):
            keeper.look()
            states.add(str(keeper.remote[0].client_state))
            keeper.end(keeper.client())
        assert len(states) == 3
        assert {len(state) for state in states} == {43}
        stored = Path(world.store_url.removeprefix("sqlite:///")).read_bytes()
        assert not [state for state in states if state.encode() in stored]

    def test_a_change_in_outlook_reaches_the_mailbox(self, world: World, keeper: Keeper) -> None:
        keeper.look()
        before = keeper.hints
        times = {name: {"dateTime": f"2026-12-01T{hour}:00:00", "timeZone": "UTC"} for name, hour in _TIMES}
        world.graph("POST", ALICE, "events", json={"subject": "Lunch", **times})
        assert world.outlook.subscriptions.flush() == 1
        assert keeper.hints == before + 1

    def test_nothing_is_asked_while_it_lives(self, world: World, keeper: Keeper) -> None:
        wait = keeper.look()
        with world.watched() as seen:
            for _ in range(5):
                world.clock.advance(3600)
                wait -= 3600
                assert keeper.look() == pytest.approx(wait)
            # After a restart, too.
            assert Keeper(world).look() == pytest.approx(wait)
        assert seen == []

    def test_each_mailbox_has_its_own(self, world: World, keeper: Keeper) -> None:
        world.connect(BOB)
        bobs = Keeper(world, user_id=BOB)
        keeper.look()
        bobs.look()
        assert (len(keeper.remote), len(bobs.remote)) == (1, 1)
        assert keeper.row.client_state_hash != bobs.row.client_state_hash


_TIMES = (("start", 10), ("end", 11))


class TestRenewed:
    def test_it_is_renewed_from_half_of_its_life_on(self, world: World, keeper: Keeper) -> None:
        world.clock.advance(keeper.look() + 1)
        (before,) = keeper.remote
        with world.watched() as seen:
            wait = keeper.look()
        (after,) = keeper.remote
        # Once more with another token, if the first has run out.
        assert set(seen) == {"PATCH"}
        assert (after.id, after.client_state) == (before.id, before.client_state)
        assert after.expires_at() > before.expires_at()
        assert keeper.row.expires_at == after.expires_at()
        assert 0.5 * LIVES <= wait <= 0.6 * LIVES

    def test_not_all_are_renewed_at_once(self, world: World, keeper: Keeper) -> None:
        waits = set()
        for _ in range(5):
            waits.add(round(keeper.look()))
            keeper.end(keeper.client())
        assert len(waits) == 5

    def test_years_pass(self, world: World, keeper: Keeper) -> None:
        keeper.look()
        (made,) = keeper.remote
        for _ in range(100):
            world.clock.advance(keeper.look() + 1)
        assert [one.id for one in keeper.remote] == [made.id]

    @pytest.mark.parametrize(
        "rule",
        [
            pytest.param({"status": 404, "code": "ResourceNotFound"}, id="as-graph-says-it"),
            pytest.param({"status": 404, "code": "ErrorItemNotFound"}, id="as-exchange-says-it"),
            pytest.param({"status": 400, "code": "InvalidRequest"}, id="refused"),
        ],
    )
    def test_one_that_cannot_be_renewed_is_made_anew(
        self, world: World, keeper: Keeper, rule: dict[str, object]
    ) -> None:
        world.clock.advance(keeper.look() + 1)
        (old,) = keeper.remote
        world.fail(match={"method": "PATCH", "path": "/subscriptions/"}, times=1, **rule)
        keeper.look()
        (new,) = keeper.remote
        assert new.id != old.id
        assert keeper.row.id == new.id
        assert keeper.notify is Notify.NOTIFICATIONS

    def test_one_that_has_ended_is_made_anew(self, world: World, keeper: Keeper) -> None:
        keeper.look()
        old = keeper.row.id
        world.clock.advance(8 * DAY)
        assert keeper.remote == []
        keeper.look()
        assert keeper.row.id == keeper.remote[0].id != old

    def test_one_that_leads_to_a_former_address_is_made_anew(self, world: World, keeper: Keeper) -> None:
        world.clock.advance(keeper.look() + 1)
        moved = Keeper(world, public_url="http://127.0.0.2:3")
        world.session.mount("http://127.0.0.2:3", world.session.get_adapter(PUBLIC))
        moved.look()
        assert [one.url for one in keeper.remote] == ["http://127.0.0.2:3/webhooks/outlook"]
        assert keeper.row.id == keeper.remote[0].id

    def test_a_short_life_is_renewed_at_its_half(self, keeper: Keeper) -> None:
        ends = datetime.fromtimestamp(keeper.world.clock.now(), UTC) + timedelta(hours=1)
        short = {"id": "short", "expirationDateTime": ends.isoformat(), "clientState": "shown"}
        graph = ScriptedGraph(Said(200, {"value": []}), Said(201, short))
        assert keeper.look(mailbox_of(graph)) == pytest.approx(1800)
        assert keeper.row.expires_at == ends
        assert keeper.look(mailbox_of(graph)) == pytest.approx(1800)
        assert [sent.method for sent in graph.sent] == ["GET", "POST"]


class TestLifecycle:
    @pytest.mark.parametrize(
        ("event", "stays"),
        [
            pytest.param("missed", True, id="missed"),
            pytest.param("reauthorizationRequired", True, id="reauthorization"),
            pytest.param("subscriptionRemoved", False, id="removed"),
        ],
    )
    def test_what_outlook_says_is_followed(
        self, world: World, keeper: Keeper, event: str, stays: bool
    ) -> None:
        wait = keeper.look()
        old, hints = keeper.remote[0], keeper.hints
        world.clock.advance(DAY)
        world.outlook.subscriptions.send_lifecycle(old, event)
        assert world.outlook.subscriptions.flush() == 1
        assert keeper.hints == hints + 1
        with world.watched() as seen:
            later = keeper.look()
        (new,) = keeper.remote
        assert (new.id == old.id) is stays
        assert keeper.row.id == new.id
        if event == "missed":
            assert seen == []
            assert later == pytest.approx(wait - DAY)
        else:
            assert new.expires_at() - old.expires_at() == timedelta(days=1)

    def test_what_is_said_while_it_is_being_renewed_is_followed(
        self, world: World, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        save = keeper.store.subscriptions.save

        def and_then(row: Subscription) -> None:
            save(row)
            save(replace(row, expires_at=world.outlook.now()))

        with monkeypatch.context() as patch:
            patch.setattr(keeper.store.subscriptions, "save", and_then)
            keeper.look()
        with world.watched() as seen:
            keeper.look()
        assert seen == ["PATCH"]


class TestOrder:
    def test_superfluous_ones_are_removed(self, world: World, keeper: Keeper) -> None:
        keeper.look()
        keep = keeper.row
        ends = world.outlook.now() + timedelta(days=2)
        other = replace(keeper.remote[0], id="second", client_state="other", expires=ends.isoformat())
        world.outlook.subscriptions.add(other)
        keeper.store.subscriptions.save(replace(keep, id="second", expires_at=ends))
        keeper.store.subscriptions.save(replace(keep, id="gone", expires_at=ends - timedelta(days=1)))
        keeper.look()
        assert [one.id for one in keeper.remote] == [keep.id]
        assert keeper.rows == [keep]

    def test_one_that_nobody_noted_is_replaced(self, world: World, keeper: Keeper) -> None:
        """Its creation was carried out, but no answer came."""
        world.fail(match={"method": "POST", "path": "/subscriptions$"}, drop_after_commit=True, times=1)
        wait = keeper.look()
        (lost,) = keeper.remote
        assert (keeper.rows, keeper.notify) == ([], Notify.UNKNOWN)
        assert AFTER_TROUBLE * 0.8 < wait < AFTER_TROUBLE * 1.2
        world.clock.advance(wait + 1)
        keeper.look()
        (new,) = keeper.remote
        assert new.id != lost.id
        assert (keeper.row.id, keeper.notify) == (new.id, Notify.NOTIFICATIONS)

    def test_another_installations_is_left_alone(self, world: World, keeper: Keeper) -> None:
        keeper.look()
        other = replace(keeper.remote[0], id="theirs", url="https://other.example/webhooks/outlook")
        keeper.end(keeper.client())
        world.outlook.subscriptions.add(other)
        wait = keeper.look()
        assert [one.id for one in keeper.remote] == ["theirs"]
        assert (keeper.rows, keeper.notify) == ([], Notify.POLL)
        assert "another installation" in keeper.reason
        world.outlook.subscriptions.drop("theirs")
        world.clock.advance(wait + 1)
        keeper.look()
        assert (keeper.notify, keeper.reason) == (Notify.NOTIFICATIONS, "")


REFUSALS = [
    pytest.param({"status": 403, "code": "ExtensionError"}, "does not allow", id="403"),
    pytest.param(
        {"status": 403, "code": "Authorization_RequestDenied"}, "does not allow", id="no-permission"
    ),
    pytest.param({"status": 400, "code": "ExtensionError"}, "cannot be reached", id="extension-error"),
    pytest.param({"status": 400, "code": "ValidationError"}, "cannot be reached", id="validation"),
    pytest.param({"status": 409, "code": "Conflict"}, "another installation", id="409"),
    pytest.param({"status": 404, "code": "MailboxNotEnabledForRESTAPI"}, "does not allow", id="no-mailbox"),
]


class TestPolled:
    @pytest.mark.parametrize(("rule", "words"), REFUSALS)
    def test_a_refusal_is_said_in_words_and_not_repeated_blindly(
        self, world: World, keeper: Keeper, rule: dict[str, object], words: str
    ) -> None:
        world.fail(match={"method": "POST", "path": "/subscriptions$"}, times=1, **rule)
        wait = keeper.look()
        assert (keeper.notify, keeper.rows) == (Notify.POLL, [])
        assert words in keeper.reason
        assert 0.8 * ASK_AGAIN < wait < 1.2 * ASK_AGAIN
        with world.watched() as seen:
            for _ in range(4):
                world.clock.advance(wait / 5)
                keeper.look()
        assert seen == []
        world.clock.advance(wait / 5 + 1)
        keeper.look()
        assert (keeper.notify, keeper.reason) == (Notify.NOTIFICATIONS, "")

    def test_a_receiver_that_does_not_echo(self, world: World, keeper: Keeper) -> None:
        asked = []

        def deaf(url: str, body: object, timeout: float) -> tuple[int, str]:
            asked.append((url, body, timeout))
            return 200, "Welcome"

        world.outlook.subscriptions.deliver = deaf
        keeper.look()
        assert len(asked) == 1
        assert keeper.notify is Notify.POLL
        assert f"{PUBLIC}/webhooks/outlook cannot be reached from the internet" in keeper.reason

    def test_renewal_that_is_not_allowed(self, world: World, keeper: Keeper) -> None:
        """It still notifies until its end; then another one is asked for."""
        world.clock.advance(keeper.look() + 1)
        world.fail(match={"method": "PATCH", "path": "/subscriptions/"}, status=403, times=1)
        wait = keeper.look()
        assert (keeper.notify, keeper.row.id) == (Notify.POLL, keeper.remote[0].id)
        world.clock.advance(wait + 1)
        keeper.look()
        assert keeper.notify is Notify.NOTIFICATIONS

    def test_subscriptions_that_cannot_be_listed_are_made_all_the_same(
        self, world: World, keeper: Keeper
    ) -> None:
        world.fail(match={"method": "GET", "path": "/subscriptions$"}, status=403, times=1)
        keeper.look()
        assert keeper.notify is Notify.NOTIFICATIONS

    @pytest.mark.parametrize(
        ("addresses", "words"),
        [
            pytest.param({"public_url": ""}, "no public address", id="none"),
            pytest.param({"public_url": "http://calsync.example.com"}, "not accepted", id="plain"),
            pytest.param(
                {"graph_url": "https://graph.microsoft.com/v1.0"}, "https addresses only", id="loopback"
            ),
            pytest.param({"public_url": "ftp://127.0.0.1"}, "not accepted", id="no-web-address"),
        ],
    )
    def test_an_address_that_microsoft_cannot_reach(
        self, world: World, addresses: dict[str, str], words: str
    ) -> None:
        keeper = Keeper(world, **addresses)
        with world.watched() as seen:
            wait = keeper.look()
        assert (keeper.notify, seen) == (Notify.POLL, [])
        assert words in keeper.reason
        assert wait > ASK_AGAIN / 2

    def test_what_was_reset_is_tried_again(self, world: World, keeper: Keeper) -> None:
        world.switch(refuse_subscriptions=True)
        keeper.look()
        world.switch(refuse_subscriptions=False)
        keeper.look()
        assert keeper.notify is Notify.POLL
        keeper.end()
        keeper.look()
        assert (keeper.notify, len(keeper.remote)) == (Notify.NOTIFICATIONS, 1)

    def test_what_somebody_forgot_of_a_living_one_is_said_again(self, world: World, keeper: Keeper) -> None:
        keeper.look()
        keeper.store.accounts.set_notify(ALICE, Notify.UNKNOWN)
        with world.watched() as seen:
            keeper.look()
        assert (keeper.notify, seen) == (Notify.NOTIFICATIONS, [])


TROUBLES = [
    pytest.param({"status": 429, "retry_after": 900}, 900, 900, id="throttled"),
    pytest.param({"status": 503}, 0.8 * AFTER_TROUBLE, 1.2 * AFTER_TROUBLE, id="unavailable"),
    pytest.param({"status": 500}, 0.8 * AFTER_TROUBLE, 1.2 * AFTER_TROUBLE, id="failed"),
    pytest.param({"drop_before": True}, 0.8 * AFTER_TROUBLE, 1.2 * AFTER_TROUBLE, id="dropped"),
    pytest.param({"truncate_body": True}, 0.8 * AFTER_TROUBLE, 1.2 * AFTER_TROUBLE, id="cut-short"),
]


class TestTrouble:
    @pytest.mark.parametrize("method", ["GET", "POST"])
    @pytest.mark.parametrize(("rule", "least", "most"), TROUBLES)
    def test_trouble_is_no_reason_to_poll(
        self, world: World, keeper: Keeper, rule: dict[str, object], method: str, least: float, most: float
    ) -> None:
        world.fail(match={"method": method, "path": "/subscriptions$"}, times=8, **rule)
        wait = keeper.look()
        assert least <= wait <= most
        assert (keeper.notify, keeper.reason, keeper.rows) == (Notify.UNKNOWN, "", [])
        with world.watched() as seen:
            keeper.look()
        assert seen == []
        world.outlook.faults.replace([])
        world.clock.advance(wait + 1)
        keeper.look()
        assert (keeper.notify, keeper.row.id) == (Notify.NOTIFICATIONS, keeper.remote[0].id)

    @pytest.mark.parametrize(("rule", "least", "most"), TROUBLES)
    def test_a_renewal_can_wait(
        self, world: World, keeper: Keeper, rule: dict[str, object], least: float, most: float
    ) -> None:
        world.clock.advance(keeper.look() + 1)
        made = keeper.row.id
        world.fail(match={"method": "PATCH", "path": "/subscriptions/"}, times=8, **rule)
        assert least <= keeper.look() <= most
        assert (keeper.notify, keeper.row.id) == (Notify.NOTIFICATIONS, made)

    def test_trouble_after_its_end_is_told(self, world: World, keeper: Keeper) -> None:
        keeper.look()
        world.clock.advance(8 * DAY)
        world.fail(match={"path": "/subscriptions"}, status=503, times=20)
        keeper.look()
        assert keeper.notify is Notify.UNKNOWN

    def test_a_stray_one_that_cannot_be_ended_yet(self, world: World, keeper: Keeper) -> None:
        world.fail(match={"method": "POST", "path": "/subscriptions$"}, drop_after_commit=True, times=1)
        world.clock.advance(keeper.look() + 1)
        world.fail(match={"method": "DELETE", "path": "/subscriptions/"}, status=503, times=4)
        wait = keeper.look()
        assert (keeper.notify, len(keeper.remote)) == (Notify.UNKNOWN, 1)
        world.clock.advance(wait + 1)
        keeper.look()
        assert (keeper.notify, len(keeper.remote)) == (Notify.NOTIFICATIONS, 1)

    def test_a_login_that_is_wanted_is_for_the_run(self, world: World, keeper: Keeper) -> None:
        world.revoke(ALICE)
        world.clock.advance(DAY)
        with pytest.raises(ReconnectNeeded):
            keeper.look()
        assert keeper.notify is Notify.UNKNOWN

    def test_a_token_that_is_refused_is_for_the_run(self, world: World, keeper: Keeper) -> None:
        world.fail(match={"path": "/subscriptions"}, status=401, times=8)
        with pytest.raises(Unauthorized):
            keeper.look()


class TestUnsubscribed:
    def test_with_the_users_token_it_is_ended(self, keeper: Keeper) -> None:
        keeper.look()
        keeper.end(keeper.client())
        assert (keeper.rows, keeper.remote) == ([], [])
        keeper.end(keeper.client())

    def test_without_a_token_it_is_forgotten_and_its_notifications_ignored(
        self, world: World, keeper: Keeper
    ) -> None:
        keeper.look()
        keeper.end()
        assert (keeper.rows, len(keeper.remote)) == ([], 1)
        hints = keeper.hints
        world.outlook.subscriptions.send_lifecycle(keeper.remote[0], "missed")
        assert world.outlook.subscriptions.flush() == 1
        assert keeper.hints == hints

    @pytest.mark.parametrize("trouble", ["revoked", "away", "refused"])
    def test_whatever_keeps_it_from_being_ended(self, world: World, keeper: Keeper, trouble: str) -> None:
        keeper.look()
        if trouble == "revoked":
            world.revoke(ALICE)
            world.clock.advance(DAY)
        else:
            world.fail(
                match={"method": "DELETE", "path": "/subs"}, status=503 if trouble == "away" else 403, times=9
            )
        keeper.end(keeper.client())
        assert keeper.rows == []

    def test_whoever_connects_again_gets_another(self, keeper: Keeper) -> None:
        keeper.look()
        (old,) = keeper.remote
        keeper.end()
        keeper.look()
        (new,) = keeper.remote
        assert new.id != old.id
        assert keeper.row.id == new.id


_FAILURES: tuple[dict[str, object], ...] = (
    {"status": 503},
    {"status": 400},
    {"drop_after_commit": True},
    {"truncate_body": True},
    {"delay_ms": 1},
)


def test_no_secret_is_ever_logged(world: World, keeper: Keeper, caplog: pytest.LogCaptureFixture) -> None:
    secrets: set[str] = set()
    with caplog.at_level(logging.DEBUG):
        for rule in _FAILURES:
            world.fail(match={"method": "POST", "path": "/subscriptions$"}, times=1, **rule)
            for _ in range(2):
                keeper.look()
                secrets |= {str(one.client_state) for one in keeper.remote}
                world.clock.advance(DAY)
            keeper.end(keeper.client())
        keeper.look()
        world.outlook.subscriptions.send_lifecycle(keeper.remote[0], "reauthorizationRequired")
        world.outlook.subscriptions.flush()
        keeper.look()
        keeper.end(keeper.client())
    assert len(secrets) > len(_FAILURES)
    assert caplog.records
    assert not [secret for secret in secrets if secret in caplog.text]
