"""Both simulators on real ports, and calsync in processes that are started and killed.

Decides how a state is put back between cases, and when a process has come to rest.
"""

from __future__ import annotations

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

from calsync_plugin.http import SANDBOX_LOGIN
from calsync_plugin.sandbox.crm import create_app as create_crm
from calsync_plugin.sandbox.outlook import create_app as create_outlook
from calsync_plugin.sandbox.outlook import faults as outlook_faults
from calsync_plugin.state import Keyring, Store, open_store
from calsync_plugin.web.server import Server
from tests.faults.process import assemble, run, settings_of
from tests.world import ADDRESS, ALICE, BOB, DAVE, KEY, _posted

DEADLINE = 20.0
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.faults.process"])


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
        self._kept = self.crm.dump()
        self.outlook.dump(folder / "outlook.json")
        shutil.copy(self._file, folder / "kept.db")

    def _connect(self) -> None:
        calsync = assemble(settings_of(self.store_url, self.crm_url, self.outlook_url))
        for user_id in (ALICE, BOB):
            page = calsync.connections.begin(user_id, login_hint=ADDRESS[user_id], prompt="none")
            address = page.replace(SANDBOX_LOGIN, self.outlook_url)
            calsync.connections.finish(_posted(requests.get(address, allow_redirects=False, timeout=5)))
            account = calsync.store.accounts.get(user_id)
            assert account is not None
            chosen = {**account.settings, "push_contacts": True, "teams_for_new": True}
            calsync.store.accounts.set_settings(user_id, chosen)
        calsync.store.close()
        calsync.http.close()

    def put_back(self) -> None:
        """Nothing was ever saved."""
        for suffix in ("-wal", "-shm"):
            self._file.with_name(self._file.name + suffix).unlink(missing_ok=True)
        shutil.copy(self._folder / "kept.db", self._file)
        self.outlook.reset()
        self.outlook.load(self._folder / "outlook.json")
        self.crm.load(self._kept)

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

    def api(self, method: str, path: str, json: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call the CRM as its administrator."""
        address = f"{self.crm_url}/api/v1/{path}"
        answer = requests.request(method, address, json=json, headers={"X-Api-Key": "sandbox"}, timeout=5)
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

    def events(self, user_id: str) -> list[dict[str, Any]]:
        """A user's calendar, by Graph."""
        headers = {"Authorization": f"Bearer sandbox:{ADDRESS[user_id]}"}
        answer = requests.get(f"{self.outlook_url}/v1.0/me/events?$top=999", headers=headers, timeout=5)
        return list(answer.json()["value"])

    def run_until(self, reached: Callable[[int, str], bool]) -> str:
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
                elif not sum(store.changes.waiting().values()):
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
