"""The command line as people use it: exit codes, one line for each mistake, JSON for programs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from calsync_plugin.cli import main
from calsync_plugin.demo import Sandbox
from calsync_plugin.settings import LogSettings
from calsync_plugin.state import Keyring
from tests.world import ALICE, BOB

COMPLETE = """
crm:
  url: {crm}
  api_key: sandbox
graph:
  url: {graph}
  authority: {authority}
  client_id: someone
store:
  secret_keys: {{k1: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=}}
serve:
  public_url: http://127.0.0.1:8700
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A sandbox's data folder while the sandbox runs."""
    folder = tmp_path_factory.mktemp("sandbox")
    sandbox = Sandbox(folder, 0, LogSettings(level="warning"))
    sandbox.start()
    yield folder
    sandbox.stop()


def run(*words: str | Path) -> tuple[int, str]:
    """Exit code and output of a command."""
    answer = CliRunner().invoke(main, [str(word) for word in words])
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer.exit_code, answer.output


def test_the_accounts_of_a_sandbox(data: Path) -> None:
    code, output = run("accounts", "list", "--data", data, "--json")
    assert code == 0
    assert [(a["user"], a["status"]) for a in json.loads(output)] == [
        (ALICE, "connected"),
        (BOB, "connected"),
    ]


@pytest.mark.parametrize("name", [ALICE, "alice@example.com", "ALICE@example.com"])
def test_an_account_is_found_by_id_or_address(data: Path, name: str) -> None:
    code, output = run("accounts", "show", name, "--data", data, "--json")
    assert code == 0
    assert json.loads(output)["address"] == "alice@example.com"


def test_show_is_readable(data: Path) -> None:
    code, output = run("accounts", "show", ALICE, "--data", data)
    assert code == 0
    assert "status: connected" in output
    assert "parked: none" in output


def test_pause_and_resume(data: Path) -> None:
    assert run("accounts", "pause", ALICE, "--data", data)[0] == 0
    assert "paused" in run("accounts", "list", "--data", data)[1]
    assert run("accounts", "resume", ALICE, "--data", data) == (0, "resumed\n")


def test_nothing_held_is_no_error(data: Path) -> None:
    assert run("accounts", "resume", BOB, "--confirm", "--data", data) == (0, "0 held changes: confirmed\n")


def test_the_doctor_finds_a_running_sandbox_well(data: Path) -> None:
    code, output = run("doctor", "--data", data, "--json")
    findings = {f["what"]: f for f in json.loads(output)}
    assert (code, [what for what, f in findings.items() if not f["ok"]]) == (0, [])
    assert list(findings)[:9] == [
        *("store", "CRM", "CRM version", "CRM user", "kinds of records"),
        *("kinds of records, in addition", "webhooks", "webhook address", "CRM mails"),
    ]
    assert [what for what, f in findings.items() if f["note"]] == [
        "CRM user",
        "kinds of records, in addition",
    ]
    assert findings["CRM version"]["detail"] == "EspoCRM 9.2.7"
    assert "12 report changes" in findings["webhooks"]["detail"]
    assert "takes what the CRM delivers" in findings["webhook address"]["detail"]
    assert "by notifications" in findings["changes in Outlook"]["detail"]
    assert "accepts its secret" in findings["client ID and secret"]["detail"]
    assert findings["markers"]["detail"] == "all kinds of records have one"


def test_the_doctor_says_what_is_wrong(data: Path, tmp_path: Path) -> None:
    config = tmp_path / "calsync.yaml"
    nowhere = "http://127.0.0.1:9"
    config.write_text(COMPLETE.format(crm=nowhere, graph=f"{nowhere}/v1.0", authority=f"{nowhere}/common"))
    code, output = run("doctor", "--config", config, "--data", tmp_path, "--json")
    assert code == 1
    assert {f["what"]: f["ok"] for f in json.loads(output)} == {
        "store": True,
        "CRM": False,
        "records of the CRM": True,
        "Microsoft Graph": False,
        "login service": False,
        "client ID and secret": False,
        "permissions": True,
        "notification address": False,
        "accounts": True,
        "changes in Outlook": True,
        "markers": True,
    }


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(("accounts", "show", "nobody"), "there is no account of 'nobody'", id="unknown-user"),
        pytest.param(
            ("serve", "--host", "0.0.0.0"), "the sandbox does not bind to 0.0.0.0", id="open-sandbox"
        ),
        pytest.param(("serve", "--config", "missing.yaml"), "missing.yaml", id="no-file"),
        pytest.param(("installation", "moved"), "nothing is paused", id="nothing-moved"),
    ],
)
def test_wrong_use_is_one_line_and_exit_2(data: Path, words: tuple[str, ...], says: str) -> None:
    code, output = run(*words, *(() if "missing.yaml" in words else ("--data", data)))
    assert code == 2
    assert says in output
    assert len(output.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("crm: [", "line", id="broken-yaml"),
        pytest.param("crm: {ulr: x}", "ulr", id="unknown-key"),
        pytest.param("serve: {port: many}", "serve.port", id="wrong-type"),
        pytest.param("graph: {url: 'http://graph.example.com'}", "graph.url", id="plain-http"),
        pytest.param("crm: {url: 'https://crm.example.com'}", "crm.api_key", id="incomplete"),
    ],
)
def test_a_broken_configuration_is_one_line_and_exit_2(tmp_path: Path, text: str, says: str) -> None:
    config = tmp_path / "calsync.yaml"
    config.write_text(text)
    for words in (("config", "check", config), ("serve", "--config", config, "--data", tmp_path)):
        code, output = run(*words)
        assert code == 2
        assert says in output
        assert len(output.strip().splitlines()) == 1


def test_an_app_registration_may_come_later(tmp_path: Path) -> None:
    config, nowhere = tmp_path / "calsync.yaml", "http://127.0.0.1:9"
    written = COMPLETE.format(crm=nowhere, graph=f"{nowhere}/v1.0", authority=f"{nowhere}/common")
    config.write_text(written.replace("  client_id: someone\n", ""))
    code, output = run("config", "check", config)
    assert (code, "graph.client_id: not set" in output) == (0, True)


def test_a_sandbox_store_is_no_bridges_store(data: Path, tmp_path: Path) -> None:
    config = tmp_path / "calsync.yaml"
    somewhere = "http://127.0.0.1:9"
    config.write_text(
        COMPLETE.format(crm=somewhere, graph=f"{somewhere}/v1.0", authority=f"{somewhere}/common")
    )
    code, output = run("migrate", "--config", config, "--data", data)
    assert code == 2
    assert "belongs to a sandbox" in output


def test_a_folder_without_a_sandbox(tmp_path: Path) -> None:
    code, output = run("accounts", "list", "--data", tmp_path)
    assert code == 2
    assert "holds no sandbox" in output


def test_serve_stops_cleanly_on_sigterm_and_keeps_everything(tmp_path: Path) -> None:
    """Exit 0; the next start finds both simulators and the store as they were."""
    for _ in range(2):
        command = [
            sys.executable,
            "-W",
            "error",
            "-m",
            "calsync_plugin",
            "serve",
            "--port",
            "0",
            "--data",
            str(tmp_path),
        ]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            killer = threading.Timer(100, process.kill)
            killer.start()
            assert process.stdout is not None
            assert any("Stop with Ctrl+C" in line for line in process.stdout)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0
            killer.cancel()
    assert {"calsync.db", "crm.json", "outlook.json", "secret.key"} <= {f.name for f in tmp_path.iterdir()}
    assert (tmp_path / "secret.key").stat().st_mode & 0o077 == 0


def test_a_rotated_key_can_be_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old key alone; new key first; written anew; new key alone."""
    config = tmp_path / "calsync.yaml"
    nowhere = "http://127.0.0.1:9"
    text = COMPLETE.format(crm=nowhere, graph=f"{nowhere}/v1.0", authority=f"{nowhere}/common")
    config.write_text(text)
    new, old = f"k2:{Keyring.generate()}", "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    migrate = ("migrate", "--config", config, "--data", tmp_path)
    assert run(*migrate)[0] == 0
    monkeypatch.setenv("CALSYNC_SECRET_KEYS", new)
    assert "k1" in run(*migrate)[1]
    assert run(*migrate)[0] == 2
    monkeypatch.setenv("CALSYNC_SECRET_KEYS", f"{new},{old}")
    assert run(*migrate)[0] == 0
    monkeypatch.setenv("CALSYNC_SECRET_KEYS", new)
    assert run(*migrate)[0] == 0


def test_a_setting_is_changed_and_kept(data: Path) -> None:
    assert (
        "push_contacts: True"
        in run("accounts", "settings", BOB, "--set", "push_contacts=true", "--data", data)[1]
    )
    code, output = run("accounts", "settings", BOB, "--set", "sync_since=2026-11-01", "--data", data)
    assert code == 0
    assert "sync_since: 2026-11-01" in output
    assert "push_contacts: True" in run("accounts", "settings", BOB, "--data", data)[1]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param("mode=sideways", "mode", id="unknown-mode"),
        pytest.param("push_contact=true", "push_contact", id="unknown-setting"),
        pytest.param("entities=[", "entities", id="no-yaml"),
        pytest.param("default_entity=Task", "default_entity", id="not-synced"),
    ],
)
def test_a_wrong_setting_changes_nothing(data: Path, change: str, says: str) -> None:
    before = run("accounts", "settings", BOB, "--data", data)
    code, output = run("accounts", "settings", BOB, "--set", change, "--data", data)
    assert code == 2
    assert says in output
    assert run("accounts", "settings", BOB, "--data", data) == before


def test_what_belongs_to_nobody_is_shown_too(data: Path) -> None:
    assert run("accounts", "show", "--data", data) == (0, "parked: none\n")
