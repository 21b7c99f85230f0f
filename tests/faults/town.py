"""Both simulators on real ports, and calsync in processes that are started and killed.

Decides how a state is put back between cases, and when a process has come to rest.
"""

from __future__ import annotations

import json
import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from time import monotonic
from typing import Any

import requests

from calsync_plugin.accounts.grants import NEEDED
from calsync_plugin.http import SANDBOX_LOGIN
from calsync_plugin.sandbox.crm import create_app as create_crm
from calsync_plugin.sandbox.outlook import create_app as create_outlook
from calsync_plugin.sandbox.outlook import faults as outlook_faults
from calsync_plugin.state import Keyring, Store, Subject, open_store
from calsync_plugin.web.server import Server
from tests.faults.process import LEASE, assemble, run, settings_of
from tests.world import ADDRESS, ALICE, BOB, DAVE, KEY, _posted

DEADLINE = 60.0
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.faults.process"])
Reached = Callable[[int, str], bool]
Rests = Callable[[Store], bool]


def before_step(number: int) -> Reached:
    """When the step of this number is about to be taken."""
    return lambda reached, step: bool(step) and reached == number


def nothing_waits(store: Store) -> bool:
    """All marks of records are carried out."""
    return not sum(store.changes.waiting().values())


def nothing_is_due(store: Store) -> bool:
    """All mailboxes are read, too, and nobody is at work on one: its lease would end soon."""
    due = store.queue.next_due_in()
    return due is None or due > LEASE + 1.0


class Town:
    """The simulators of one test session; alice and bob are connected."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "calsync.db"
        crm, outlook = create_crm(), create_outlook()
        self.crm, self.outlook = crm.extensions["crm"], outlook.extensions["outlook"]
        self._servers = [
            Server(app, host="127.0.0.1", port=0, threads=4, name=name)
            for app, name in ((crm, "crm"), (outlook, "outlook"))
        ]
        self.crm_url, self.outlook_url = (f"http://127.0.0.1:{server.port}" for server in self._servers)
        self.outlook.base_url, self.outlook.seeded = self.outlook_url, False
        for server in self._servers:
            server.start()
        self.store_url = f"sqlite:///{self._file}"
        self._connect()
        self.keep()

    def _connect(self) -> None:
        calsync = assemble(settings_of(self.store_url, self.crm_url, self.outlook_url))
        for user_id in (ALICE, BOB):
            given = ((Subject("user", user_id), name, user_id) for name in sorted(NEEDED))
            calsync.store.given_grants.give_all(given, given_by="the test")
            page = calsync.connections.begin(user_id, login_hint=ADDRESS[user_id], prompt="none")
            address = page.replace(SANDBOX_LOGIN, self.outlook_url)
            calsync.connections.finish(_posted(requests.get(address, allow_redirects=False, timeout=60)))
            account = calsync.store.accounts.get(user_id)
            assert account is not None
            chosen = {**account.settings, "push_contacts": True, "teams_for_new": True}
            calsync.store.accounts.set_settings(user_id, chosen)
        calsync.store.close()
        calsync.http.close()

    def keep(self) -> None:
        """Remember the present state; no process runs."""
        with self.store():
            # Whoever closes a database last brings into its file what a killed process left beside it.
            pass
        # As text: the CRM goes on working with the very values that it is given.
        self._kept = json.dumps(self.crm.dump())
        self.outlook.dump(self._folder / "outlook.json")
        shutil.copy(self._file, self._folder / "kept.db")

    def put_back(self) -> None:
        """Nothing happened since `keep`."""
        for suffix in ("-wal", "-shm"):
            self._file.with_name(self._file.name + suffix).unlink(missing_ok=True)
        shutil.copy(self._folder / "kept.db", self._file)
        self.outlook.reset()
        self.outlook.load(self._folder / "outlook.json")
        self.crm.load(json.loads(self._kept))

    def close(self) -> None:
        """Stop the simulators."""
        for server in self._servers:
            server.stop()
        self.crm.close()
        self.outlook.close()

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The store as another process sees it."""
        store = open_store(self.store_url, Keyring({"k1": KEY}), kind="sandbox")
        try:
            yield store
        finally:
            store.close()

    def api(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call the CRM as its administrator."""
        address = f"{self.crm_url}/api/v1/{path}"
        answer = requests.request(method, address, json=body, headers={"X-Api-Key": "sandbox"}, timeout=60)
        assert answer.ok, answer.headers
        found: Any = answer.json()
        return found if isinstance(found, dict) else {}

    def save(self) -> str:
        """A meeting of alice's with dave; its mark waits in the store."""
        start = datetime.now(UTC) + timedelta(days=10)
        times = {
            "dateStart": f"{start:%Y-%m-%d} 10:00:00",
            "dateEnd": f"{start:%Y-%m-%d} 11:00:00",
        }
        guests = {"assignedUserId": ALICE, "contactsIds": [DAVE]}
        record_id = str(self.api("POST", "Meeting", {"name": "Kick-off", **times, **guests})["id"])
        self.mark(record_id)
        return record_id

    def mark(self, record_id: str) -> None:
        """What a hook leaves in the store."""
        with self.store() as store:
            store.queue.record_changes([("Meeting", record_id, "", "updated")])

    def fail(self, **rule: Any) -> None:
        """Let Outlook fail once."""
        self.outlook.faults.replace([outlook_faults.parse({"times": 1, **rule})])

    def graph(
        self, method: str, user_id: str, path: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Call Graph as a user of Outlook."""
        headers = {"Authorization": f"Bearer sandbox:{ADDRESS[user_id]}", "Prefer": 'IdType="ImmutableId"'}
        address = f"{self.outlook_url}/v1.0/me/{path}"
        answer = requests.request(method, address, json=body, headers=headers, timeout=60)
        assert answer.ok, answer.text
        found: Any = answer.json() if answer.content else {}
        return dict(found)

    def events(self, user_id: str) -> list[dict[str, Any]]:
        """A user's calendar, by Graph."""
        return list(self.graph("GET", user_id, "events?$top=999")["value"])

    def visit(self, subject: str) -> str:
        """An event that alice makes in Outlook; her mailbox wants to be read."""
        start = datetime.now(UTC) + timedelta(days=10)
        span = {
            name: {"dateTime": f"{start:%Y-%m-%d}T{hour}:00:00", "timeZone": "UTC"}
            for name, hour in (("start", 10), ("end", 11))
        }
        self.hint(ALICE)
        return str(self.graph("POST", ALICE, "events", {"subject": subject, **span})["id"])

    def hint(self, user_id: str) -> None:
        """What a notification of Outlook leaves in the store."""
        with self.store() as store:
            account = store.accounts.get(user_id)
            assert account is not None
            assert account.mailbox_id is not None
            store.queue.hint(account.mailbox_id)

    def run_until(self, reached: Reached, *, rests: Rests = nothing_waits) -> str:
        """Run calsync until `reached` says so, and kill it there; "" if it came to rest before.

        It is asked with the number and the name of each step before that, and with ("") while none is due.
        """
        end, number = monotonic() + DEADLINE, 0
        with self._process() as pipe, self.store() as store:
            while monotonic() < end:
                step = str(pipe.recv()) if pipe.poll(0.03) else ""
                if reached(number, step):
                    return step or "on its way"
                if step:
                    pipe.send("go on")
                    number += 1
                elif rests(store):
                    return ""
        raise AssertionError("it never came to rest")

    @contextmanager
    def _process(self) -> Iterator[Pipe]:
        """A process of calsync, which ends by SIGKILL."""
        ours, theirs = _FORKS.Pipe()
        process = _FORKS.Process(target=run, args=(theirs, self.store_url, self.crm_url, self.outlook_url))
        process.start()
        theirs.close()
        try:
            yield ours
        finally:
            process.kill()
            process.join()
            process.close()
            ours.close()
