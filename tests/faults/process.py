"""calsync in a process of its own, which halts before every step that lasts until it is told to go on.

Decides nothing: whoever started it lets it go on, or kills it right there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe

import pytest
import requests
from requests.adapters import HTTPAdapter
from sqlalchemy import Connection

from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.engine.clock import SystemClock
from calsync_plugin.hookspecs import plugin_manager
from calsync_plugin.http import Http
from calsync_plugin.sandbox.outlook import identities as outlook_people
from calsync_plugin.settings import (
    CrmSettings,
    GraphSettings,
    ServeSettings,
    Settings,
    StoreSettings,
    WorkerSettings,
)
from calsync_plugin.state import store as store_module
from calsync_plugin.state.database import Database
from tests.world import ENTITIES, KEY, PUBLIC

LEASE = 1.0
Halt = Callable[[str], None]


def settings_of(store_url: str, crm_url: str, outlook_url: str) -> Settings:
    """The settings of tests, for simulators on ports, with a lease of a second."""
    return Settings(
        crm=CrmSettings(url=crm_url, api_key="sandbox", entities=ENTITIES, sweep_seconds=86_400),
        graph=GraphSettings(
            url=f"{outlook_url}/v1.0",
            authority=f"{outlook_url}/common",
            client_id=outlook_people.CLIENT_ID,
            client_secret=outlook_people.CLIENT_SECRET,
        ),
        store=StoreSettings(url=store_url, secret_keys={"k1": KEY}),
        serve=ServeSettings(public_url=PUBLIC),
        worker=WorkerSettings(threads=1, lease_seconds=LEASE),
    )


def assemble(settings: Settings, http: Http | None = None) -> Calsync:
    """calsync on the machine's own time."""
    return Calsync(settings, plugin_manager(), kind="sandbox", clock=SystemClock(), http=http)


def run(pipe: Pipe, store_url: str, crm_url: str, outlook_url: str) -> None:
    """Work until the process is killed; say each step through the pipe and wait for leave."""
    turn = threading.Lock()

    def halt(step: str) -> None:
        if threading.current_thread().name.startswith("calsync-run"):
            with turn:
                pipe.send(step)
                pipe.recv()

    http = Http()
    for url in (crm_url, outlook_url):
        http.mount(url, HaltingAdapter(halt))
    HaltingDatabase.halt = staticmethod(halt)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_module, "Database", HaltingDatabase)
        calsync = assemble(settings_of(store_url, crm_url, outlook_url), http)
    calsync.worker.start()
    threading.Event().wait()


class HaltingDatabase(Database):
    """Halts before every commit, within the transaction."""

    halt: Halt

    @contextmanager
    def write(self) -> Generator[Connection]:
        """A transaction as always."""
        with super().write() as connection:
            yield connection
            self.halt("commit")


class HaltingAdapter(HTTPAdapter):
    """Halts before every request that is no mere read."""

    def __init__(self, halt: Halt) -> None:
        super().__init__()
        self._halt = halt

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send one request over the network."""
        if request.method != "GET":
            self._halt(f"{request.method} {request.url}")
        return super().send(request, stream, timeout, verify, cert, proxies)
