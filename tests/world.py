"""A whole installation within the process: both simulators, calsync and a clock that tests move.

No sockets: every request is carried by `WsgiAdapter` to a simulator in this process. Runs happen when a test
says so (`settle`, `pull`), in this thread. The hands of Outlook's users lie in `outlook_side`.

Outlook refuses subscriptions unless a world is made with `notifications=True`; then calsync's own web
application takes the notifications while the world settles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pluggy
import requests

from calsync_plugin import hookspecs
from calsync_plugin.accounts import giving
from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.accounts.grants import NEEDED
from calsync_plugin.domain.links import Link
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.http import Http
from calsync_plugin.sandbox.crm import create_app as create_crm
from calsync_plugin.sandbox.crm import identities as crm_people
from calsync_plugin.sandbox.crm.clock import MovableClock as CrmClock
from calsync_plugin.sandbox.crm.faults import FaultRule
from calsync_plugin.sandbox.outlook import Simulator
from calsync_plugin.sandbox.outlook import create_app as create_outlook
from calsync_plugin.sandbox.outlook import identities as outlook_people
from calsync_plugin.sandbox.outlook.clock import MovableClock as OutlookClock
from calsync_plugin.settings import (
    CrmSettings,
    EntitySettings,
    GraphSettings,
    ServeSettings,
    Settings,
    StoreSettings,
    WorkerSettings,
)
from calsync_plugin.state import SWEEP, Account, Subject
from calsync_plugin.web.app import create_app as create_web
from tests import outlook_side
from tests.drawing import draws
from tests.keeping import Kept
from tests.outlook_side import OutlookSide
from tests.sharing import Later, share_rules, share_statements
from tests.wsgi import WsgiAdapter

CRM = "http://127.0.0.1:1"
OUTLOOK = outlook_side.OUTLOOK
PUBLIC = "http://127.0.0.1:3"
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ALICE, BOB, CAROL = crm_people.ALICE_ID, crm_people.BOB_ID, crm_people.CAROL_ID
DAVE, ERIN, FRANK = crm_people.DAVE_ID, crm_people.ERIN_ID, crm_people.FRANK_ID
ADDRESS = outlook_side.ADDRESS
ADMIN_ID = crm_people.ADMIN_ID
ADMINISTRATOR = Actor(ADMIN_ID, "Admin")
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

ENTITIES = (
    EntitySettings(entity_type="Meeting", join_url="cOutlookJoinUrl", marker="cOutlookEventId"),
    EntitySettings(
        entity_type="Call", label="C", all_day=False, join_url="cOutlookJoinUrl", marker="cOutlookEventId"
    ),
    EntitySettings(
        entity_type="Visit",
        label="V",
        location="location",
        join_url="cOutlookJoinUrl",
        marker="cOutlookEventId",
    ),
)


share_rules()
share_statements()


class SharedClock:
    """One time for calsync and both simulators; nothing sleeps, waiting moves it."""

    def __init__(self) -> None:
        self.outlook = OutlookClock(frozen_at=START)
        self.crm = CrmClock(frozen_at=START)
        self.slept: list[float] = []

    def now(self) -> float:
        """Epoch seconds."""
        return self.outlook.now().timestamp()

    def age(self) -> timedelta:
        """How far it has moved."""
        return self.outlook.now() - START

    def sleep(self, seconds: float) -> None:
        """Move instead of waiting."""
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move all three clocks."""
        self.outlook.advance(seconds)
        self.crm.advance(timedelta(seconds=seconds))


class World(OutlookSide):
    """Both sides, calsync between them, and the hands of a test."""

    def __init__(
        self,
        folder: Path,
        *,
        store_url: str = "",
        crm_key: str = "sandbox",
        notifications: bool = False,
        begin: Kept | None = None,
        **changes: Any,
    ) -> None:
        self.notifications = notifications
        self.clock: SharedClock = SharedClock()
        if begin is not None:
            self.clock.advance(begin.age.total_seconds())
        self.outlook_app = create_outlook(
            clock=self.clock.outlook,
            base_url=OUTLOOK,
            sleep=self.clock.sleep,
            data_file=begin.outlook if begin else None,
        )
        self.crm_app = create_crm(clock=self.clock.crm, data_file=begin.crm if begin else None)
        self.outlook: Simulator = self.outlook_app.extensions["outlook"]
        self.outlook.data_file = None
        self.outlook.subscriptions.in_background = False
        self.outlook.subscriptions.deliver = self._deliver
        self.switch(refuse_subscriptions=not notifications)
        self.crm = self.crm_app.extensions["crm"]
        self.store_url = store_url or f"sqlite:///{folder / 'calsync.db'}"
        self.settings = replace(_settings(self.store_url, crm_key), **changes)
        self.session = requests.Session()
        self.session.mount(CRM, WsgiAdapter(self.crm_app))
        self.session.mount(OUTLOOK, WsgiAdapter(self.outlook_app))
        self.told: list[tuple[str, str]] = []
        self.administrators_told: list[str] = []
        self.plugins = pluggy.PluginManager("calsync")
        self._opened: list[Calsync] = []
        # One for all restarts: ids that are drawn must not come again.
        self._draws = draws()
        self._crm_addresses = [CRM]
        self.app = self.open()
        if begin is None:
            self.allow(ALICE, BOB, CAROL)

    # --- calsync

    def open(self, *plugins: object) -> Calsync:
        """Start calsync anew over the same store, as after a crash or a restart, beside these plugins."""
        self.plugins = pluggy.PluginManager("calsync")
        self.plugins.add_hookspecs(hookspecs)
        for plugin in (_Notices(self.told, self.administrators_told), *plugins):
            self.plugins.register(plugin)
        http = Http()
        for address in self._crm_addresses:
            http.mount(address, WsgiAdapter(self.crm_app))
        http.mount(OUTLOOK, WsgiAdapter(self.outlook_app))
        app = Calsync(
            self.settings, self.plugins, kind="sandbox", clock=self.clock, http=http, draws=self._draws
        )
        self.app = app
        self.session.mount(PUBLIC, WsgiAdapter(Later(lambda: create_web(app))))
        self._opened.append(app)
        return app

    def _deliver(self, url: str, body: dict[str, Any] | None, timeout: float, /) -> tuple[int, str]:
        """Carry what Outlook posts to calsync's own web application (`delivery.Deliver`)."""
        headers = {"Content-Type": "text/plain; charset=utf-8"} if body is None else {}
        answer = self.session.post(url, json=body, headers=headers, timeout=timeout)
        is_text = answer.headers.get("Content-Type", "").startswith("text/plain")
        return answer.status_code, answer.text if body is not None or is_text else ""

    def also_at(self, address: str) -> None:
        """Let the CRM answer at another address, too, from the next `open` on."""
        self._crm_addresses.append(address)

    def close(self) -> None:
        """Close calsync and the simulators."""
        for app in self._opened:
            app.store.close()
            app.http.close()
        self.crm.close()
        self.outlook.close()

    def allow(self, *user_ids: str) -> None:
        """Give users what they need to sync, as if an administrator had; whoever they are."""
        given = ((Subject("user", user_id), name, user_id) for user_id in user_ids for name in sorted(NEEDED))
        self.app.store.given_grants.give_all(given, given_by="the test")

    def grant(self, user_id: str) -> None:
        """Give a user the right to sync, as an administrator does."""
        giving.give(self.app, ADMINISTRATOR, Subject("user", user_id))

    def forbid(self, user_id: str) -> None:
        """Take that right away, as an administrator does; `revoke` takes the login away."""
        giving.take(self.app, ADMINISTRATOR, Subject("user", user_id))

    def connect(self, user_id: str, *, mode: str = "both", mailbox: str = "", **settings: Any) -> None:
        """Connect a user (to the own mailbox, or to another) through the real login, and choose settings.

        The first look into the mailbox is done then, unless the world has notifications: there nothing has
        run yet, so that a test sees the subscription being made.
        """
        hint = mailbox or ADDRESS[user_id]
        if self.app.store.accounts.get(user_id) is None:
            self.allow(user_id)
        address = self.app.connections.begin(user_id, mode=mode, login_hint=hint, prompt="none")
        self.app.connections.finish(self.signed_in(address))
        if settings:
            self.choose(user_id, **settings)
        if not self.notifications:
            self.settle()

    def signed_in(self, address: str) -> dict[str, str]:
        """Sign in at the address of a login that needs no click; returns what Microsoft would post back."""
        return _posted(self.session.get(address.replace(_HOST, OUTLOOK), allow_redirects=False, timeout=5))

    def choose(self, user_id: str, **settings: Any) -> None:
        """Change a user's settings."""
        self.app.store.accounts.set_settings(user_id, {**self.account(user_id).settings, **settings})
        self.plugins.hook.calsync_account_changed(user_id=user_id)

    def settle(self, *, limit: int = 50) -> None:
        """Run everything that is due until nothing is, moving the clock over waits of up to ten minutes.

        Marks that wait for a person (a paused account) are left waiting; the sweep, once a day here, is not
        waited for, nor is the next look into a mailbox that is polled.
        """
        for _ in range(limit):
            if self.drain() or self.outlook.subscriptions.flush():
                continue
            waiting = sum(self.app.store.changes.waiting().values()) + self.app.store.events.waiting()
            due = self.app.store.queue.next_due_in()
            if not waiting or due is None or due > 700:
                return
            self.clock.advance(max(due, 0.0) + 0.001)
        raise AssertionError("it never came to rest")

    def drain(self) -> int:
        """Run everything that is due now, no wait moved over; returns how many rows were run.

        Fails if that does not end: a mailbox that makes itself due again burns a core and Graph's requests.
        """
        store = self.app.store
        count = self.app.worker.drain(rounds=ROUNDS)
        due = store.queue.next_due_in()
        if count < ROUNDS or due is None or due > 0:
            return count
        leases = store.queue.claim("the test", limit=10, lease=60)
        accounts = store.accounts.by_mailboxes([lease.mailbox_id for lease in leases])
        who = {mailbox_id: f" of {account.address}" for mailbox_id, account in accounts.items()}
        names = [f"{lease.kind} {lease.mailbox_id}{who.get(lease.mailbox_id, '')}" for lease in leases]
        raise AssertionError(f"after {count} runs without a pause still due: {', '.join(names)}")

    def sweep(self) -> None:
        """Let the sweep run now, and everything that it finds."""
        self.app.store.queue.wake(SWEEP)
        self.settle()

    def pull(self, *user_ids: str) -> None:
        """Look into the mailboxes of these users now (of everybody who is connected), and do what follows.

        Whose comes first is not said: one call for each user is an order, one call for several is none.
        """
        for user_id in user_ids or self.connected():
            mailbox_id = self.account(user_id).mailbox_id
            assert mailbox_id is not None, f"{user_id} is not connected"
            self.app.store.queue.hint(mailbox_id)
        self.settle()

    def connected(self) -> list[str]:
        """Who has a mailbox."""
        return [one.user_id for one in self.app.store.accounts.all() if one.mailbox_id is not None]

    def quiet(self) -> None:
        """Assert that another look at everything, on both sides, writes nothing on either side."""
        with self.writes() as seen:
            self.pull()
            self.sweep()
            self.pull()
        assert seen == []

    @contextmanager
    def writes(self) -> Iterator[list[str]]:
        """Collect what calsync writes within: method and path, of the CRM and of Outlook.

        Subscriptions do not count, and neither do the requests of Graph that only ask by POST.
        """
        self.outlook.log.clear()
        self.crm.log.clear()
        seen: list[str] = []
        yield seen
        seen += [f"{one.method} {one.path}" for one in self.crm.log.requests if one.method != "GET"]
        for entry in self._requests():
            written = f"{entry['method']} {entry['path']}"
            if entry["method"] != "GET" and not _NO_WRITE.search(written):
                seen.append(written)

    def account(self, user_id: str) -> Account:
        """A user's account as the store has it."""
        account = self.app.store.accounts.get(user_id)
        assert account is not None
        return account

    def link(self, record_id: str, entity_type: str = "Meeting") -> Link:
        """The link of a record."""
        return self.app.store.links.by_records([(entity_type, record_id)])[(entity_type, record_id)]

    def notes(self, user_id: str) -> str:
        """The log of an account, oldest line first."""
        return "\n".join(note.text for note in reversed(self.app.store.log.notes(user_id)))

    # --- the CRM's side

    def api(self, method: str, path: str, **kwargs: Any) -> Any:
        """Call the CRM as its administrator; the change is reported by the matching hook."""
        answer = self.session.request(
            method, f"{CRM}/api/v1/{path}", headers={"X-Api-Key": "sandbox"}, timeout=5, **kwargs
        )
        assert answer.ok, (
            method,
            path,
            answer.status_code,
            answer.headers.get("X-Status-Reason"),
            answer.text,
        )
        return answer.json()

    def save(self, entity_type: str = "Meeting", **attributes: Any) -> str:
        """Create a record and call the hook."""
        record = self.api("POST", entity_type, json={**DEFAULTS, **attributes})
        self.plugins.hook.calsync_entity_created(entity_type=entity_type, record=record)
        return str(record["id"])

    def change(self, record_id: str, entity_type: str = "Meeting", **attributes: Any) -> None:
        """Change a record and call the hook."""
        self.clock.advance(1)
        record = self.api("PUT", f"{entity_type}/{record_id}", json=attributes)
        self.plugins.hook.calsync_entity_updated(
            entity_type=entity_type, record=record, changed=list(attributes)
        )

    def remove(self, record_id: str, entity_type: str = "Meeting") -> None:
        """Remove a record and call the hook."""
        self.api("DELETE", f"{entity_type}/{record_id}")
        self.plugins.hook.calsync_entity_deleted(entity_type=entity_type, record_id=record_id)

    def records(self, entity_type: str = "Meeting") -> list[dict[str, Any]]:
        """All records of a kind as the CRM has them, by start and name."""
        query = {"maxSize": 200, "orderBy": "dateStart", "select": "id,name"}
        listed = self.api("GET", entity_type, params=query)
        assert listed["total"] == len(listed["list"]), "more records than a list holds"
        found = [self.record(one["id"], entity_type) for one in listed["list"]]
        return sorted(found, key=lambda one: (one["dateStart"] or "", one["name"] or ""))

    def only_record(self, entity_type: str = "Meeting") -> dict[str, Any]:
        """The only record of a kind."""
        found = self.records(entity_type)
        assert len(found) == 1, [one["name"] for one in found]
        return found[0]

    def insert(self, entity_type: str = "Meeting", **attributes: Any) -> str:
        """Put a record into the CRM as it is, whatever the CRM would refuse, and call the hook."""
        record = self.crm.insert(entity_type, {**DEFAULTS, "usersIds": [ALICE], **attributes})
        self.plugins.hook.calsync_entity_created(entity_type=entity_type, record={"id": record["id"]})
        return str(record["id"])

    def reassign(
        self, record_id: str, user_id: str, entity_type: str = "Meeting", *, stays: bool = False
    ) -> None:
        """Give a record to another user and call the hook; `stays`: the former one attends from now on.

        The latter is what EspoCRM does unless the users are written as well.
        """
        self.clock.advance(1)
        attributes = {"assignedUserId": user_id} | ({} if stays else {"usersIds": [user_id]})
        record = self.api("PUT", f"{entity_type}/{record_id}", json=attributes)
        self.plugins.hook.calsync_entity_reassigned(
            entity_type=entity_type, record=record, previous_user_id=None
        )

    def crm_fails(self, **rule: Any) -> None:
        """Let the CRM simulator fail (`FaultRule`)."""
        self.crm.faults.add(FaultRule(**rule))

    def record(self, record_id: str, entity_type: str = "Meeting") -> dict[str, Any]:
        """A record as the CRM has it."""
        return dict(self.api("GET", f"{entity_type}/{record_id}"))

    def parked(self) -> dict[str, str]:
        """Reasons of parked items, by record id."""
        return {p.record_id: p.reason for p in self.app.store.parked.all()}


class _Notices:
    """The host's way to tell its users something, and without a user id its administrators."""

    def __init__(self, told: list[tuple[str, str]], administrators: list[str]) -> None:
        self._told = told
        self._administrators = administrators

    @hookspecs.hookimpl
    def calsync_notify(self, user_id: str, message: str) -> None:
        """Keep it for the test."""
        if user_id:
            self._told.append((user_id, message))
        else:
            self._administrators.append(message)


DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "name": "Kick-off",
        "assignedUserId": ALICE,
        "dateStart": "2026-12-01 10:00:00",
        "dateEnd": "2026-12-01 11:00:00",
    }
)

ROUNDS = 300
"""Of claims without a pause: several times what the largest portions of a test take."""
_NO_WRITE = re.compile(r"/subscriptions|/getSchedule|/translateExchangeIds", re.IGNORECASE)
_HOST = "https://login.sandbox.invalid"
_INPUT = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


def _settings(store_url: str, crm_key: str) -> Settings:
    return Settings(
        crm=CrmSettings(
            url=CRM,
            api_key=crm_key,
            entities=ENTITIES,
            sweep_seconds=86_400,
            # Whenever a test sweeps.
            reread_seconds=0,
        ),
        graph=GraphSettings(
            url=f"{OUTLOOK}/v1.0",
            authority=f"{OUTLOOK}/common",
            client_id=outlook_people.CLIENT_ID,
            client_secret=outlook_people.CLIENT_SECRET,
            # Once a day, so that a test waits for nobody's next look: `pull` makes it due.
            poll_seconds=86_400,
        ),
        store=StoreSettings(url=store_url, secret_keys={"k1": KEY}),
        serve=ServeSettings(public_url=PUBLIC),
        worker=WorkerSettings(threads=4),
    )


def _posted(answer: requests.Response) -> dict[str, str]:
    """What the login posts to the redirect address, by form or by query."""
    location = answer.headers.get("Location", "")
    if location:
        return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    return {name: unescape(value) for name, value in _INPUT.findall(answer.text)}
