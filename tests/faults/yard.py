"""A world that is put back to a kept state within milliseconds, with every call and commit on its course.

Decides how a state is kept and put back. The engine over the database is the same for all runs of a process
(its compiled statements are most of a start); all else of calsync is built anew for each start.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pluggy
import pytest

from calsync_plugin import hookspecs
from calsync_plugin.engine import assembly
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.http import Http
from calsync_plugin.state import Keyring
from calsync_plugin.state.store import Store
from tests.faults.course import Course, WatchedDatabase, Wire
from tests.world import ALICE, BOB, CRM, KEY, OUTLOOK, World


@dataclass(frozen=True, slots=True)
class Kept:
    """A whole world at rest: the store's file, both simulators, the time."""

    folder: Path
    crm: dict[str, Any]
    now: float


class Yard(World):
    """Alice and bob are connected in both directions."""

    def __init__(self, folder: Path) -> None:
        self.course = Course()
        self.folder = folder
        self._database: WatchedDatabase | None = None
        super().__init__(folder)
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
        shutil.copy(self._file, folder / "calsync.db")
        self.outlook.dump(folder / "outlook.json")
        return Kept(folder, self.crm.dump(), self.clock.now())

    def put_back(self, kept: Kept) -> None:
        """Return to a remembered state; calsync is not started."""
        self._shut()
        shutil.copy(kept.folder / "calsync.db", self._file)
        self.clock.advance(kept.now - self.clock.now())
        self.outlook.reset()
        self.outlook.load(kept.folder / "outlook.json")
        self.crm.load(kept.crm)
        self.crm.auth.clear_failures()
        self.crm.faults.clear()
        self.crm.log.clear()

    def act_on(self, users: Iterable[str], **settings: Any) -> None:
        """Change settings of users."""
        for user_id in users:
            account = self.account(user_id)
            self.app.store.accounts.set_settings(user_id, {**account.settings, **settings})

    def run(self, *, rounds: int) -> None:
        """Run what is due, and what is tried again later, for so many rounds."""
        for _ in range(rounds):
            self.app.worker.drain()
            due = self.app.store.queue.next_due_in()
            if due is None or due > 700:
                return
            self.clock.advance(max(due, 0.0) + 0.001)

    def touch(self, records: Sequence[str]) -> None:
        """Say once more of records that something happened to them."""
        for record_id in records:
            self.plugins.hook.calsync_entity_updated(
                entity_type="Meeting", record={"id": record_id}, changed=["name"]
            )

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
