"""A world that is put back to a kept state within milliseconds, with every call and commit on its course.

Decides how a state is kept and put back. The engine over the database is the same for all runs of a process
(its compiled statements are most of a start); all else of calsync is built anew for each start.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pluggy
import pytest

from calsync_plugin import hookspecs
from calsync_plugin.engine import assembly
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.http import Http
from calsync_plugin.settings import Settings, WorkerSettings
from calsync_plugin.state import CursorStage, Keyring
from calsync_plugin.state.store import Store
from calsync_plugin.web.app import create_app as create_web
from tests.faults.course import Course, WatchedDatabase, Wire
from tests.world import ADDRESS, ALICE, BOB, CRM, KEY, OUTLOOK, PUBLIC, World
from tests.wsgi import WsgiAdapter, WsgiApp


@dataclass(frozen=True, slots=True)
class Kept:
    """A whole world at rest: the store's file, both simulators, the time."""

    folder: Path
    crm: str
    """As text: the CRM goes on working with the very values that it is given."""
    now: float
    settings: Settings


class Yard(World):
    """Alice and bob are connected in both directions."""

    def __init__(self, folder: Path, *, store_url: str = "") -> None:
        self.course = Course()
        self.folder = folder
        self._database: WatchedDatabase | None = None
        # One thread claims one row at a time, so that what the router finds is run once.
        super().__init__(folder, store_url=store_url, worker=WorkerSettings(threads=1))
        # Nothing here lies behind a proxy, and to look for one takes a third of a request.
        self.session.trust_env = False
        self.outlook.seeded = False
        self.connect(ALICE)
        self.connect(BOB)
        self._shut()
        self._database = WatchedDatabase(self.store_url, self.clock)
        self.begin()

    def open(self, *plugins: object) -> Calsync:
        """Start calsync anew over the same store."""
        if self._database is None:
            return super().open(*plugins)
        self._shut()
        self.plugins = pluggy.PluginManager("calsync")
        self.plugins.add_hookspecs(hookspecs)
        http = Http()
        http.mount(CRM, Wire(lambda: self.course, self.crm_app, "crm"))
        http.mount(OUTLOOK, Wire(lambda: self.course, self.outlook_app, "graph"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(assembly, "open_store", self._store)
            self.app = Calsync(self.settings, self.plugins, kind="sandbox", clock=self.clock, http=http)
        self._opened = [self.app]
        self.session.mount(PUBLIC, WsgiAdapter(_Receiver(self.app)))
        return self.app

    def begin(self, course: Course | None = None) -> None:
        """Start calsync on a new course."""
        self.course = WatchedDatabase.course = Course()
        self.open()
        self.course = WatchedDatabase.course = course or Course()

    def keep(self, name: str) -> Kept:
        """Remember the present state."""
        self._shut()
        folder = Path(tempfile.mkdtemp(prefix=name.replace(" ", "-"), dir=self.folder))
        self._save_store(folder)
        self.outlook.dump(folder / "outlook.json")
        return Kept(folder, json.dumps(self.crm.dump()), self.clock.now(), self.settings)

    def put_back(self, kept: Kept) -> None:
        """Return to a remembered state; calsync is not started."""
        self._shut()
        self.settings = kept.settings
        self._load_store(kept.folder)
        self.clock.advance(kept.now - self.clock.now())
        self.outlook.reset()
        self.outlook.load(kept.folder / "outlook.json")
        self.crm.load(json.loads(kept.crm))
        self.crm.auth.clear_failures()
        self.crm.faults.clear()
        self.crm.log.clear()

    def act_on(self, users: Iterable[str], **settings: Any) -> None:
        """Change settings of users."""
        for user_id in users:
            account = self.account(user_id)
            self.app.store.accounts.set_settings(user_id, {**account.settings, **settings})

    def due(self, *user_ids: str) -> list[str]:
        """Let mailboxes want to be read; returns the ids of all records that there are."""
        for user_id in user_ids:
            self.app.store.queue.hint(self.mailbox(user_id))
        return [str(record["id"]) for record in self.records()]

    def join(self, user_id: str) -> None:
        """Connect one more user, whose calendar is not read yet."""
        self.notifications, before = True, self.notifications
        self.connect(user_id)
        self.notifications = before

    def mailbox(self, user_id: str) -> int:
        """The id of the mailbox of a connected user."""
        mailbox_id = self.account(user_id).mailbox_id
        assert mailbox_id is not None
        return mailbox_id

    def event_json(self, user_id: str, event_id: str) -> dict[str, Any] | None:
        """An event as its user sees it, None if it is gone."""
        who = f"Bearer sandbox:{ADDRESS[user_id]}"
        headers = {"Authorization": who, "Prefer": 'IdType="ImmutableId"'}
        answer = self.session.get(f"{OUTLOOK}/v1.0/me/events/{event_id}", headers=headers, timeout=5)
        return dict(answer.json()) if answer.ok else None

    def wants(self, user_id: str) -> bool:
        """Whether a user's mailbox is due to be read."""
        return self.app.store.queue.pull_state(self.mailbox(user_id)).pull_at <= self.clock.now()

    def settle(self, *, limit: int = 50) -> None:
        """Run everything as in any world, readings that failed and are tried again included."""
        for _ in range(limit):
            super().settle(limit=limit)
            due = self.app.store.queue.next_due_in()
            if due is None or due > 700 or not any(self._is_behind(one) for one in self.connected()):
                return
            self.clock.advance(max(due, 0.0) + 0.001)
        raise AssertionError("a mailbox was never read to its end")

    def _is_behind(self, user_id: str) -> bool:
        """Whether a user's mailbox, or when its user is busy, is still to be read."""
        stages = {c.stage for c in self.app.store.cursors.for_mailbox(self.mailbox(user_id))}
        return self.wants(user_id) or CursorStage.LISTING in stages

    def run(self, *, rounds: int) -> None:
        """Run what is due, and what is tried again later, for so many rounds."""
        for _ in range(rounds):
            self.drain()
            due = self.app.store.queue.next_due_in()
            if due is None or due > 700:
                return
            self.clock.advance(max(due, 0.0) + 0.001)

    def touch(self, records: Iterable[str]) -> None:
        """Say once more of records that something happened to them."""
        for record_id in records:
            self.plugins.hook.calsync_entity_updated(
                entity_type="Meeting", record={"id": record_id}, changed=["name"]
            )

    def _save_store(self, folder: Path) -> None:
        """Keep the store, which nobody has open."""
        shutil.copy(self._file, folder / "calsync.db")

    def _load_store(self, folder: Path) -> None:
        """Put the store back."""
        shutil.copy(folder / "calsync.db", self._file)

    @property
    def _file(self) -> Path:
        return self.folder / "calsync.db"

    def _shut(self) -> None:
        for app in self._opened:
            app.store.close()
            app.http.close()
        self._opened = []
        for suffix in ("-wal", "-shm"):
            self._file.with_name(self._file.name + suffix).unlink(missing_ok=True)

    def _store(self, _url: str, _keyring: Keyring, **_kwargs: object) -> Store:
        assert self._database is not None
        return Store(self._database, Keyring({"k1": KEY}), self.clock)


class _Receiver:
    """calsync's own web application, made when Outlook first posts something: few runs need it."""

    def __init__(self, app: Calsync) -> None:
        self._app = app
        self._made: WsgiApp | None = None

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Answer one request."""
        if self._made is None:
            self._made = create_web(self._app)
        return self._made(environ, start_response)
