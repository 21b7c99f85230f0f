"""The sandbox: both simulators and a bridge between them, for newcomers and tests.

Decides the sandbox's settings and who is connected at its start. Binds to loopback only. Together with the
command line it is the only part that knows the simulators.
"""

from __future__ import annotations

import html
import json
import logging
import os
import re
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from calsync_plugin.accounts import giving
from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.accounts.entitled import USER
from calsync_plugin.accounts.grants import is_allowed
from calsync_plugin.addresses import is_loopback
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import StoreError
from calsync_plugin.hookspecs import plugin_manager
from calsync_plugin.http import Http
from calsync_plugin.sandbox.crm import Crm
from calsync_plugin.sandbox.crm import create_app as create_crm
from calsync_plugin.sandbox.crm import identities as crm_people
from calsync_plugin.sandbox.outlook import Simulator
from calsync_plugin.sandbox.outlook import create_app as create_outlook
from calsync_plugin.sandbox.outlook import identities as outlook_people
from calsync_plugin.settings import (
    CrmSettings,
    EntitySettings,
    GraphSettings,
    LogSettings,
    ServeSettings,
    Settings,
    StoreSettings,
    WorkerSettings,
    load_settings,
)
from calsync_plugin.state import AccountStatus, Keyring, Store, Subject
from calsync_plugin.web.bridge import Bridge
from calsync_plugin.web.loopback import LoopbackOnly
from calsync_plugin.web.server import Server

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
CONNECTED = {crm_people.ALICE_ID: "alice@example.com", crm_people.BOB_ID: "bob@example.com"}
TOKEN_FILE = "api-token"  # noqa: S105 - the name of a file
TOKEN_VARIABLES = ("CALSYNC_API_TOKEN", "CALSYNC_API_TOKEN_FILE")
SANDBOX = Actor("", "the sandbox")
_IN_HAND = 0.5
"""Seconds for a simulator's requests at a stop: the bridge, which made them, has stopped by then."""
_FIELD = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')
_SERVER = re.compile(r"\Ahttp://[^/]+")

MARKER, JOIN_URL = "cOutlookEventId", "cOutlookJoinUrl"
ENTITIES = (
    EntitySettings(entity_type="Meeting", marker=MARKER, join_url=JOIN_URL),
    EntitySettings(entity_type="Call", label="C", all_day=False, marker=MARKER, join_url=JOIN_URL),
    EntitySettings(entity_type="Visit", label="V", location="location", marker=MARKER, join_url=JOIN_URL),
)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the three parts answer."""

    bridge: int
    crm: int
    outlook: int


def sandbox_settings(data: Path, ports: Ports, log: LogSettings) -> Settings:
    """The settings of a sandbox whose store lies in `data`; its key is made at the first start."""
    outlook = f"http://{HOST}:{ports.outlook}"
    return Settings(
        crm=CrmSettings(
            url=f"http://{HOST}:{ports.crm}",
            # A user of its own: the CRM does not report to a webhook what its owner did (skipOwn).
            api_key=crm_people.HMAC_API_KEY,
            secret_key=crm_people.HMAC_SECRET,
            entities=ENTITIES,
            sweep_seconds=60,
        ),
        graph=GraphSettings(
            url=f"{outlook}/v1.0",
            authority=f"{outlook}/common",
            client_id=outlook_people.CLIENT_ID,
            client_secret=outlook_people.CLIENT_SECRET,
        ),
        store=StoreSettings(url=f"sqlite:///{data / 'calsync.db'}", secret_keys={"sandbox": _key(data)}),
        serve=ServeSettings(
            port=ports.bridge, public_url=f"http://{HOST}:{ports.bridge}", api_token=_api_token(data)
        ),
        worker=WorkerSettings(threads=8),
        log=log,
    )


def open_sandbox(data: Path, log: LogSettings) -> Calsync:
    """Open the store of a sandbox that was started before, beside it or without it."""
    file = data / "sandbox.json"
    if not file.exists():
        raise StoreError(f"{data} holds no sandbox; start one with: calsync serve --data {data}")
    try:
        ports = Ports(**json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        raise StoreError(f"{file} is damaged; remove it and start the sandbox again") from None
    return _assemble(sandbox_settings(data, ports, log))


class Sandbox:
    """Both simulators and the bridge, in one process."""

    def __init__(self, data: Path, port: int, log: LogSettings) -> None:
        """Take three ports from `port` on (0: any) and open the store in `data`."""
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _readable(data):
            self.crm_app = create_crm(data_file=data / "crm.json", webhook_interval=0)
            self.outlook_app = create_outlook(data_file=data / "outlook.json")
        self.crm: Crm = self.crm_app.extensions["crm"]
        self.outlook: Simulator = self.outlook_app.extensions["outlook"]
        crm = Server(
            LoopbackOnly(self.crm_app, is_loopback),
            host=HOST,
            port=port + 1 if port else 0,
            threads=8,
            name="crm",
        )
        outlook = Server(
            LoopbackOnly(self.outlook_app, is_loopback),
            host=HOST,
            port=port + 2 if port else 0,
            threads=16,
            name="outlook",
        )
        self._simulators = (crm, outlook)
        self.outlook.base_url = f"http://{HOST}:{outlook.port}"
        # The bridge's address is part of its settings, so its port is taken before there is a bridge.
        listener = None if port else socket.create_server((HOST, 0))
        bridge = listener.getsockname()[1] if listener else port
        self.ports = Ports(bridge=bridge, crm=crm.port, outlook=outlook.port)
        self._data = data
        (data / "sandbox.json").write_text(json.dumps(asdict(self.ports)), encoding="utf-8")
        self.calsync = _assemble(sandbox_settings(data, self.ports, log))
        if self.calsync.store.installation.get().paused:
            _go_on(self.calsync, self.outlook)
        self.bridge = Bridge(self.calsync, listener)

    def start(self, progress: Callable[[str], None] = lambda _step: None) -> None:
        """Start the simulators, connect alice and bob, start the bridge."""
        for server in self._simulators:
            server.start()
        progress("connecting alice and bob")
        for user_id, address in CONNECTED.items():
            account = self.calsync.store.accounts.get(user_id)
            if account is None:
                giving.give(self.calsync, SANDBOX, Subject(USER, user_id))
            elif account.status is AccountStatus.CONNECTED or not is_allowed(account):
                continue
            self._connect(user_id, address)
        progress("starting the bridge")
        self.bridge.start()

    def stop(self) -> None:
        """Stop everything and keep both simulators' state."""
        self.bridge.stop()
        for server in self._simulators:
            server.stop(_IN_HAND)
        self.crm.close()
        self.crm.save_to(self._data / "crm.json")
        self.outlook.close()

    def _connect(self, user_id: str, address: str) -> None:
        """Log in as a browser would, with the simulator's answer that needs no click."""
        page = self.calsync.connections.begin(user_id, login_hint=address, prompt="none")
        http = Http()
        try:
            answer = http.send("GET", page).body.decode()
        finally:
            http.close()
        self.calsync.connections.finish({n: html.unescape(v) for n, v in _FIELD.findall(answer)})


def _assemble(settings: Settings) -> Calsync:
    return Calsync(settings, plugin_manager(), kind="sandbox")


def _go_on(calsync: Calsync, outlook: Simulator) -> None:
    """A sandbox on other ports is no copy that could mail anybody: what R22 asks a person is known here.

    Its own Outlook still notifies the bridge, and its links of changes still lead to it.
    """
    settings, store = calsync.settings, calsync.store
    outlook.subscriptions.redirect(store.installation.get().public_url, settings.serve.public_url)
    for user_id in CONNECTED:
        account = store.accounts.get(user_id)
        if account is not None and account.mailbox_id is not None:
            _redirect_links(store, account.mailbox_id, str(outlook.base_url))
    store.installation.update(public_url=settings.serve.public_url, crm_url=settings.crm.url, paused="")
    log.warning("the sandbox answers at other ports than before and goes on")


def _redirect_links(store: Store, mailbox_id: int, address: str) -> None:
    with store.save(None) as tx:
        for cursor in store.cursors.for_mailbox(mailbox_id):
            tx.save_cursor(replace(cursor, url=_SERVER.sub(address, cursor.url, count=1)))


@contextmanager
def _readable(data: Path) -> Iterator[None]:
    """Turn what a simulator says of a damaged file into one line."""
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise StoreError(
            f"crm.json or outlook.json in {data} is damaged; remove both and the simulators begin anew"
        ) from error


def _api_token(data: Path) -> str:
    """The token of the environment, as for a configured bridge, else one that is made at the first start."""
    named = {name: os.environ[name] for name in TOKEN_VARIABLES if os.environ.get(name)}
    if named:
        return load_settings(None, named).serve.api_token
    return _kept(data / TOKEN_FILE, lambda: secrets.token_urlsafe(36))


def _key(data: Path) -> str:
    return _kept(data / "secret.key", Keyring.generate)


def _kept(file: Path, made: Callable[[], str]) -> str:
    """A secret of the sandbox, made if there is none yet."""
    if not file.exists():
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as out:
            out.write(made())
    return file.read_text(encoding="ascii", errors="replace").strip()
