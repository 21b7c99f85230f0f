"""A real `calsync serve` is killed while EspoCRM delivers: what was answered is in the store, whole."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import requests
import yaml

from calsync_plugin.sandbox.crm import create_app as create_crm
from calsync_plugin.sandbox.crm.delivery import signatures
from calsync_plugin.sandbox.outlook import create_app as create_outlook
from calsync_plugin.sandbox.outlook import identities
from calsync_plugin.state import Keyring, open_store
from calsync_plugin.web.server import Server
from tests.world import KEY

DEADLINE = 90.0
pytestmark = pytest.mark.timeout(400)
EVENT = "Meeting.update"
EVENTS, ENOUGH, SENDERS = 50, 30, 4
POSTGRES = "host=127.0.0.1 port=5432 user=postgres dbname=postgres connect_timeout=3"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty store of its own."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'calsync.db'}"
        return
    name = f"calsync_kill_{uuid4().hex}"
    try:
        server = psycopg.connect(POSTGRES, autocommit=True)
    except psycopg.OperationalError as error:
        if os.environ.get("CALSYNC_REQUIRE_SERVICES") == "1":
            pytest.fail(f"PostgreSQL is required and not there: {error}")
        pytest.skip(f"no PostgreSQL on 127.0.0.1:5432: {error}")
    with server:
        server.execute(f'CREATE DATABASE "{name}"'.encode())
        yield f"postgresql://postgres@127.0.0.1:5432/{name}"
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
    server.close()


@pytest.fixture
def sides() -> Iterator[dict[str, Any]]:
    """Both simulators on ports."""
    apps = {"crm": create_crm(), "outlook": create_outlook()}
    with ExitStack() as stack:
        found: dict[str, Any] = {name: app.extensions[name] for name, app in apps.items()}
        for name, app in apps.items():
            server = Server(app, host="127.0.0.1", port=0, threads=4, name=name)
            server.start()
            stack.callback(found[name].close)
            stack.callback(server.stop)
            found[f"{name}_url"] = f"http://127.0.0.1:{server.port}"
        yield found


@contextmanager
def serving(config: dict[str, Any], folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`calsync serve` as an administrator starts it, and its address; another port if one was taken."""
    file = folder / "calsync.yaml"
    for _ in range(5):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        address = f"http://127.0.0.1:{port}"
        file.write_text(yaml.safe_dump(config | {"serve": {"public_url": address, "port": port}}))
        command = [sys.executable, "-m", "calsync_plugin", "serve", "--config", str(file)]
        with subprocess.Popen([*command, "--data", str(folder)], stdout=subprocess.DEVNULL) as process:
            try:
                if _answers(process, address):
                    yield process, address
                    return
            finally:
                process.kill()
    raise AssertionError("it did not start")


def _answers(process: subprocess.Popen[bytes], address: str) -> bool:
    """Whether it came to answer; False if it ended."""
    until = monotonic() + DEADLINE
    while process.poll() is None:
        assert monotonic() < until, "it did not come to answer"
        try:
            if _direct().get(f"{address}/readyz", timeout=DEADLINE).ok:
                return True
        except requests.ConnectionError:
            sleep(0.05)
    return False


def _hook(crm: Any, address: str) -> dict[str, Any]:
    """The webhook of updates, once the bridge has made it and knows its secret."""
    until = monotonic() + DEADLINE
    while monotonic() < until:
        for row in list(crm.store.tables["Webhook"].rows.values()):
            if row["event"] == EVENT and row["url"].startswith(address) and _is_known(row):
                return dict(row)
        sleep(0.05)
    raise AssertionError("the bridge has made no webhook")


def _direct() -> requests.Session:
    """No proxy of the environment stands between this machine and itself."""
    session = requests.Session()
    session.trust_env = False
    return session


def _is_known(hook: dict[str, Any]) -> bool:
    headers = signatures(hook["id"], hook["secretKey"], b"[]")
    return _direct().post(hook["url"], data=b"[]", headers=headers, timeout=DEADLINE).status_code == 202


class Senders:
    """EspoCRM, which delivers as long as somebody answers."""

    def __init__(self, url: str, hook: dict[str, Any]) -> None:
        self._url = url
        self._hook = hook
        self._numbers = count()
        self.answered: list[int] = []
        self.refused: list[int] = []
        self.enough = threading.Event()
        self._threads = [threading.Thread(target=self._send) for _ in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def _send(self) -> None:
        session = requests.Session()
        session.trust_env = False
        while True:
            number = next(self._numbers)
            body = json.dumps([{"id": one, "name": "Changed"} for one in ids_of(number)]).encode()
            headers = signatures(self._hook["id"], self._hook["secretKey"], body)
            try:
                answer = session.post(self._url, data=body, headers=headers, timeout=DEADLINE)
            except requests.RequestException:
                return
            if answer.status_code == 202:
                self.answered.append(number)
            else:
                # It comes again later: nothing is promised.
                self.refused.append(answer.status_code)
            if len(self.answered) >= ENOUGH or len(self.refused) > ENOUGH:
                self.enough.set()

    def join(self) -> None:
        """Wait until nobody answers any more."""
        for thread in self._threads:
            thread.join(DEADLINE)


def ids_of(delivery: int) -> list[str]:
    """The records that a delivery tells of."""
    return [f"{delivery:08x}{number:09x}" for number in range(EVENTS)]


def test_every_delivery_that_was_answered_is_in_the_store_after_a_kill(
    tmp_path: Path, sides: dict[str, Any], store_url: str
) -> None:
    config = {
        "crm": {"url": sides["crm_url"], "api_key": "sandbox"},
        # Nothing is worked off: what was noted is still there to be counted.
        "graph": {
            "enabled": False,
            "url": f"{sides['outlook_url']}/v1.0",
            "authority": f"{sides['outlook_url']}/common",
            "client_id": identities.CLIENT_ID,
            "client_secret": identities.CLIENT_SECRET,
        },
        "store": {"url": store_url, "secret_keys": {"k1": KEY}},
    }
    with serving(config, tmp_path) as (process, address):
        senders = Senders(f"{address}/webhooks/crm/{EVENT}", _hook(sides["crm"], address))
        assert senders.enough.wait(DEADLINE)
        process.send_signal(signal.SIGKILL)
        process.wait(DEADLINE)
        senders.join()
    assert set(senders.refused) <= {503}
    assert len(senders.answered) >= ENOUGH
    store = open_store(store_url, Keyring({"k1": KEY}), kind="bridge")
    noted = {change.record_id for change in store.changes.unrouted(10_000_000)}
    store.close()
    lost = {number for number in senders.answered if not noted.issuperset(ids_of(number))}
    assert lost == set()
    # A delivery that was not answered comes again: it is there as a whole, or not at all.
    assert len(noted) % EVENTS == 0
