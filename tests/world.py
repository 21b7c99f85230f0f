"""A whole installation within the process: both simulators, calsync and a clock that tests move.

No sockets: every request is carried by `WsgiAdapter` to a simulator in this process. Runs happen when a test
says so (`settle`), in this thread.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pluggy
import requests

from calsync_plugin import hookspecs
from calsync_plugin.domain.links import Link
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.http import Http
from calsync_plugin.sandbox.crm import create_app as create_crm
from calsync_plugin.sandbox.crm import identities as crm_people
from calsync_plugin.sandbox.crm.clock import MovableClock as CrmClock
from calsync_plugin.sandbox.crm.faults import FaultRule
from calsync_plugin.sandbox.outlook import create_app as create_outlook
from calsync_plugin.sandbox.outlook import faults as outlook_faults
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
from calsync_plugin.state import SWEEP, Account
from tests.wsgi import WsgiAdapter

CRM = "http://127.0.0.1:1"
OUTLOOK = "http://127.0.0.1:2"
PUBLIC = "http://127.0.0.1:3"
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ALICE, BOB, CAROL = crm_people.ALICE_ID, crm_people.BOB_ID, crm_people.CAROL_ID
DAVE, ERIN, FRANK = crm_people.DAVE_ID, crm_people.ERIN_ID, crm_people.FRANK_ID
ADDRESS = {ALICE: "alice@example.com", BOB: "bob@example.com", CAROL: "carol@example.com"}
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


class SharedClock:
    """One time for calsync and both simulators; nothing sleeps, waiting moves it."""

    def __init__(self) -> None:
        self.outlook = OutlookClock(frozen_at=START)
        self.crm = CrmClock(frozen_at=START)
        self.slept: list[float] = []

    def now(self) -> float:
        """Epoch seconds."""
        return self.outlook.now().timestamp()

    def sleep(self, seconds: float) -> None:
        """Move instead of waiting."""
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move all three clocks."""
        self.outlook.advance(seconds)
        self.crm.advance(timedelta(seconds=seconds))


@dataclass(slots=True)
class Event:
    """An event as a test reads it from the simulator by Graph."""

    json: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        return self.json[name]

    @property
    def attendees(self) -> set[str]:
        """Addresses of the attendees."""
        return {a["emailAddress"]["address"].lower() for a in self.json["attendees"]}

    @property
    def start(self) -> str:
        """Start as Graph says it, without the fraction."""
        return str(self.json["start"]["dateTime"])[:19]

    @property
    def end(self) -> str:
        """End as Graph says it, without the fraction."""
        return str(self.json["end"]["dateTime"])[:19]


class World:
    """Both sides, calsync between them, and the hands of a test."""

    def __init__(
        self, folder: Path, *, store_url: str = "", crm_key: str = "sandbox", **changes: Any
    ) -> None:
        self.clock = SharedClock()
        self.outlook_app = create_outlook(clock=self.clock.outlook, base_url=OUTLOOK, sleep=self.clock.sleep)
        self.crm_app = create_crm(clock=self.clock.crm)
        self.outlook = self.outlook_app.extensions["outlook"]
        self.crm = self.crm_app.extensions["crm"]
        self.store_url = store_url or f"sqlite:///{folder / 'calsync.db'}"
        self.settings = replace(_settings(self.store_url, crm_key), **changes)
        self.session = requests.Session()
        self.session.mount(CRM, WsgiAdapter(self.crm_app))
        self.session.mount(OUTLOOK, WsgiAdapter(self.outlook_app))
        self.told: list[tuple[str, str]] = []
        self.plugins = pluggy.PluginManager("calsync")
        self._opened: list[Calsync] = []
        self._crm_addresses = [CRM]
        self.app = self.open()

    # --- calsync

    def open(self, *plugins: object) -> Calsync:
        """Start calsync anew over the same store, as after a crash or a restart, beside these plugins."""
        self.plugins = pluggy.PluginManager("calsync")
        self.plugins.add_hookspecs(hookspecs)
        for plugin in (_Notices(self.told), *plugins):
            self.plugins.register(plugin)
        http = Http()
        for address in self._crm_addresses:
            http.mount(address, WsgiAdapter(self.crm_app))
        http.mount(OUTLOOK, WsgiAdapter(self.outlook_app))
        app = Calsync(self.settings, self.plugins, kind="sandbox", clock=self.clock, http=http)
        self.app = app
        self._opened.append(app)
        return app

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

    def connect(self, user_id: str, *, mode: str = "both", mailbox: str = "", **settings: Any) -> None:
        """Connect a user (to the own mailbox, or to another) through the real login, and choose settings."""
        hint = mailbox or ADDRESS[user_id]
        address = self.app.connections.begin(user_id, mode=mode, login_hint=hint, prompt="none")
        self.app.connections.finish(self.signed_in(address))
        if settings:
            self.choose(user_id, **settings)

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
        waited for.
        """
        for _ in range(limit):
            if self.app.worker.drain():
                continue
            waiting = self.app.store.changes.waiting()
            due = self.app.store.queue.next_due_in()
            if not sum(waiting.values()) or due is None or due > 700:
                return
            self.clock.advance(max(due, 0.0) + 0.001)
        raise AssertionError("it never came to rest")

    def sweep(self) -> None:
        """Let the sweep run now, and everything that it finds."""
        self.app.store.queue.wake(SWEEP)
        self.settle()

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

    # --- Outlook's side

    def graph(self, method: str, user_id: str, path: str, *, prefer: str = "", **kwargs: Any) -> Any:
        """Call Graph as a user of Outlook would."""
        preferences = ['IdType="ImmutableId"', *filter(None, [prefer])]
        headers = {"Authorization": f"Bearer sandbox:{ADDRESS[user_id]}", "Prefer": ", ".join(preferences)}
        answer = self.session.request(
            method, f"{OUTLOOK}/v1.0/me/{path}", headers=headers, timeout=5, **kwargs
        )
        assert answer.ok, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def events(self, user_id: str) -> list[Event]:
        """All events of a user's calendar, by subject."""
        found = self.graph("GET", user_id, "events?$top=999")["value"]
        return [Event(json) for json in sorted(found, key=lambda e: str(e["subject"]))]

    def event(self, user_id: str) -> Event:
        """The only event of a user's calendar."""
        events = self.events(user_id)
        assert len(events) == 1, [e.subject for e in events]
        return events[0]

    def edit(self, user_id: str, **properties: Any) -> None:
        """Change the only event of a user's calendar in Outlook, as its owner would."""
        self.clock.advance(1)
        self.graph("PATCH", user_id, f"events/{self.event(user_id).id}", json=properties)

    def discard(self, user_id: str) -> None:
        """Delete the only event of a user's calendar in Outlook."""
        self.clock.advance(1)
        self.graph("DELETE", user_id, f"events/{self.event(user_id).id}")

    def mails(self) -> list[tuple[str, str]]:
        """What Outlook mailed since this was last asked: kind and address, in order of the addresses."""
        mails = [(mail.kind, mail.to) for mail in self.outlook.state.mails]
        self.outlook.state.mails.clear()
        return sorted(mails, key=lambda mail: mail[1])

    @contextmanager
    def watched(self) -> Iterator[list[str]]:
        """Collect the methods of what is sent to Graph within, members of batches one by one."""
        self.outlook.log.clear()
        seen: list[str] = []
        yield seen
        requests = self.outlook.log.as_json()["requests"]
        seen += [entry["method"] for entry in requests if "$batch" not in entry["path"]]

    def switch(self, **switches: Any) -> None:
        """Turn switches of the Outlook simulator."""
        self.outlook.switches = self.outlook.switches.changed(switches)

    def fail(self, **rule: Any) -> None:
        """Let the Outlook simulator fail (the rules of its control API)."""
        self.outlook.faults.add(outlook_faults.parse(rule))

    def revoke(self, user_id: str) -> None:
        """Microsoft no longer accepts a user's tokens."""
        self.outlook.logins.revoke(ADDRESS[user_id])
        self.outlook.logins.revoked.add(ADDRESS[user_id])

    def permit(self, user_id: str) -> None:
        """The user may log in again."""
        self.outlook.logins.revoked.discard(ADDRESS[user_id])

    def parked(self) -> dict[str, str]:
        """Reasons of parked items, by record id."""
        return {p.record_id: p.reason for p in self.app.store.parked.all()}


class _Notices:
    """The host's way to tell its users something: by user id and message."""

    def __init__(self, told: list[tuple[str, str]]) -> None:
        self._told = told

    @hookspecs.hookimpl
    def calsync_notify(self, user_id: str, message: str) -> None:
        """Keep it for the test."""
        self._told.append((user_id, message))


DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "name": "Kick-off",
        "assignedUserId": ALICE,
        "dateStart": "2026-12-01 10:00:00",
        "dateEnd": "2026-12-01 11:00:00",
    }
)

_HOST = "https://login.sandbox.invalid"
_INPUT = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


def _settings(store_url: str, crm_key: str) -> Settings:
    return Settings(
        crm=CrmSettings(url=CRM, api_key=crm_key, entities=ENTITIES, sweep_seconds=86_400),
        graph=GraphSettings(
            url=f"{OUTLOOK}/v1.0",
            authority=f"{OUTLOOK}/common",
            client_id=outlook_people.CLIENT_ID,
            client_secret=outlook_people.CLIENT_SECRET,
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
