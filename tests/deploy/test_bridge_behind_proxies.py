"""calsync itself behind each example: a user connects through the proxy, and both calendars follow.

`calsync serve` runs as a process of its own, configured as the guide says: a file, secrets from files, the
addresses of a proxy that ends https. Both sides call it by its public address, Outlook from outside.
"""

from __future__ import annotations

import html
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.utils import requote_uri

from calsync_plugin.sandbox.crm import create_app as create_crm
from calsync_plugin.sandbox.crm import identities as crm_people
from calsync_plugin.sandbox.outlook import Simulator
from calsync_plugin.sandbox.outlook import create_app as create_outlook
from calsync_plugin.sandbox.outlook import identities as outlook_people
from calsync_plugin.sandbox.outlook.delivery import Deliver
from calsync_plugin.web.server import Server
from tests.deploy.proxies import INSIDE, Place, place, running, visit
from tests.world import ALICE, KEY

PATIENCE = 60.0
CONFIGURATION = """
crm:
  url: {crm}
  entities:
    - entity_type: Meeting
      marker: cOutlookEventId
graph:
  url: {outlook}/v1.0
  authority: {outlook}/common
  client_id: {client_id}
store:
  url: sqlite:///{folder}/calsync.db
serve:
  public_url: {public}
  host: {host}
  port: {port}
  trusted_proxy: 127.0.0.1
"""


@dataclass
class Installation:
    """A running calsync, what it stands between, and where it answers."""

    at: Place
    crm: str
    outlook: str
    environ: dict[str, str]
    process: subprocess.Popen[str]
    simulator: Simulator

    @property
    def public(self) -> str:
        return f"https://{self.at.address}:{self.at.https}"

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """What an administrator types beside the running service."""
        line = (sys.executable, "-m", "calsync_plugin", *words)
        return subprocess.run(
            line, env=self.environ, capture_output=True, text=True, check=False, timeout=PATIENCE
        )

    def outlooks(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Authorization": "Bearer sandbox:alice@example.com"}
        url = f"{self.outlook}/v1.0/me/{path}"
        answer = requests.request(method, url, headers=headers, json=body, timeout=PATIENCE)
        answer.raise_for_status()
        return answer.json()

    def crms(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        url, headers = f"{self.crm}/api/v1/{path}", {"X-Api-Key": "sandbox"}
        answer = requests.request(method, url, headers=headers, json=body, timeout=PATIENCE)
        answer.raise_for_status()
        return answer.json()


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    """Both simulators and calsync, at its first start; no proxy yet."""
    at = place(tmp_path)
    # The CRM and calsync trust the certificate of this test.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(at.certificate))
    crm_app, outlook_app = create_crm(webhook_interval=0), create_outlook()
    crm = Server(crm_app, host=INSIDE, port=0, threads=4, name="crm")
    outlook = Server(outlook_app, host=INSIDE, port=0, threads=8, name="outlook")
    simulator: Simulator = outlook_app.extensions["outlook"]
    simulator.base_url = f"http://{INSIDE}:{outlook.port}"
    simulator.subscriptions.deliver = from_outside(at)
    addresses = {"crm": f"http://{INSIDE}:{crm.port}", "outlook": f"http://{INSIDE}:{outlook.port}"}
    environ = _configured(at, **addresses)
    for server in (crm, outlook):
        server.start()
    try:
        with (
            (tmp_path / "calsync.log").open("w") as log,
            subprocess.Popen(
                (sys.executable, "-W", "error", "-m", "calsync_plugin", "serve"),
                env=environ,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            ) as process,
        ):
            try:
                assert process.stdout is not None
                assert "calsync answers at" in process.stdout.readline(), (
                    tmp_path / "calsync.log"
                ).read_text()
                yield Installation(at, environ=environ, process=process, simulator=simulator, **addresses)
            finally:
                process.kill()
    finally:
        for server in (crm, outlook):
            server.stop()
        crm_app.extensions["crm"].close()
        simulator.close()


def from_outside(at: Place) -> Deliver:
    """Notifications that come as Microsoft's do: from an address that is not inside."""

    def deliver(url: str, body: dict[str, Any] | None, timeout: float, /) -> tuple[int, str]:
        path = requote_uri(url).removeprefix(f"https://{at.address}:{at.https}")
        kind = "text/plain; charset=utf-8" if body is None else "application/json"
        sent = b"" if body is None else json.dumps(body).encode()
        answer = visit(at, path, headers={"Content-Type": kind}, body=sent)
        return answer.status, answer.body.decode()

    return deliver


def _configured(at: Place, *, crm: str, outlook: str) -> dict[str, str]:
    config = at.folder / "calsync.yaml"
    text = CONFIGURATION.format(
        crm=crm,
        outlook=outlook,
        client_id=outlook_people.CLIENT_ID,
        folder=at.folder,
        public=f"https://{at.address}:{at.https}",
        host=at.address,
        port=at.upstream,
    )
    config.write_text(text, encoding="utf-8")
    secrets = {
        "CALSYNC_CRM_API_KEY": crm_people.HMAC_API_KEY,
        "CALSYNC_CRM_SECRET_KEY": crm_people.HMAC_SECRET,
        "CALSYNC_CLIENT_SECRET": outlook_people.CLIENT_SECRET,
        "CALSYNC_SECRET_KEYS": f"k1:{KEY}",
    }
    return {**os.environ, **secrets, "CALSYNC_CONFIG": str(config)}


def wait(condition: Callable[[], bool]) -> None:
    """Until it is true."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


def connect(installation: Installation) -> None:
    """As alice does in a browser, through the proxy."""
    printed = installation.command("accounts", "connect", ALICE, "--mode", "both")
    assert printed.returncode == 0, printed.stderr
    page = printed.stdout.split()[-1].replace("prompt=select_account", "prompt=none")
    with requests.Session() as browser:
        asked = browser.get(f"{page}&login_hint=alice@example.com", timeout=PATIENCE).text
        fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', asked)
        answer = {name: html.unescape(value) for name, value in fields}
        callback = f"{installation.public}/oauth/callback"
        question = browser.post(callback, data=answer, timeout=PATIENCE)
        assert question.status_code == 200, question.text
        form = dict(re.findall(r'name="(csrf_token|ticket)" value="([^"]+)"', question.text))
        done = browser.post(
            f"{installation.public}/oauth/answer", data={**form, "answer": "yes"}, timeout=PATIENCE
        )
        assert (done.status_code, "alice@example.com" in done.text) == (200, True)


def travel(installation: Installation, name: str) -> None:
    """A meeting goes to Outlook, and its new subject comes back; both are told of by webhooks alone."""
    meeting = {
        "name": name,
        "assignedUserId": ALICE,
        "dateStart": "2030-12-02 10:00:00",
        "dateEnd": "2030-12-02 11:00:00",
    }
    record = installation.crms("POST", "Meeting", meeting)["id"]

    def events() -> dict[str, str]:
        return {one["subject"]: one["id"] for one in installation.outlooks("GET", "events")["value"]}

    wait(lambda: name in events())
    wait(lambda: bool(installation.simulator.subscriptions.alive()))
    installation.outlooks("PATCH", f"events/{events()[name]}", {"subject": f"{name} and back"})
    wait(lambda: bool(installation.crms("GET", f"Meeting/{record}")["name"] == f"{name} and back"))


def look(at: Place) -> None:
    """Who sees what of the real addresses."""
    seen = [visit(at, path, visitor=INSIDE, method="GET").status for path in ("/readyz", "/sign-in")]
    assert seen == [200, 200]
    hidden = [visit(at, path, method="GET").status for path in ("/admin", "/sign-in", "/metrics", "/")]
    assert hidden == [403] * 4
    handshake = visit(at, "/webhooks/outlook?validationToken=hello")
    assert (handshake.status, handshake.body) == (200, b"hello")
    assert visit(at, "/webhooks/outlook", body=b"{}").status == 202
    assert visit(at, "/webhooks/crm/Meeting.update", visitor=INSIDE, body=b"[]").status == 401


def test_a_user_connects_and_meetings_travel_both_ways(installation: Installation) -> None:
    with running("nginx", installation.at):
        connect(installation)
        travel(installation, "By nginx")
        look(installation.at)
        checked = installation.command("doctor")
        assert (checked.returncode, "1 by notifications" in checked.stdout) == (0, True), checked.stdout
    for kind in ("apache", "caddy"):
        with running(kind, installation.at):
            travel(installation, f"By {kind}")
            look(installation.at)
    installation.process.send_signal(signal.SIGTERM)
    assert installation.process.wait(timeout=PATIENCE) == 0
