"""`calsync espocrm setup` and `remove` as an administrator uses them, over real HTTP."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from calsync_plugin.accounts import crm_steps
from calsync_plugin.cli import main
from calsync_plugin.cli.crm_showing import KEY_VARIABLE
from calsync_plugin.sandbox.crm import CrmServer
from calsync_plugin.sandbox.crm import identities as ids
from calsync_plugin.sandbox.crm.faults import FaultRule

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
CONFIG = """
crm: {{url: {url}}}
store: {{secret_keys: {{k1: {key}}}}}
serve: {{public_url: "https://calsync.example.com"}}
"""
LOGIN = {"CALSYNC_CRM_ADMIN": "admin", "CALSYNC_CRM_ADMIN_PASSWORD": ids.PASSWORD}


@dataclass(frozen=True)
class Place:
    """A running CRM and the folder of an administrator."""

    server: CrmServer
    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "calsync.yaml"

    def run(self, *words: str, answers: str = "", env: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Exit code, output and what was said beside it."""
        arguments = ["espocrm", *words, "--config", str(self.config), "--data", str(self.folder)]
        result = CliRunner().invoke(main, arguments, input=answers, env=LOGIN if env is None else env)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout, result.stderr

    def has(self, entity_type: str, **values: object) -> int:
        table = self.server.crm.store.tables[entity_type]
        return sum(all(row.get(name) == value for name, value in values.items()) for row in table)


@pytest.fixture(scope="module")
def server() -> Iterator[CrmServer]:
    served = CrmServer(0, webhook_interval=None)
    thread = threading.Thread(target=served.run)
    thread.start()
    yield served
    served.close()
    thread.join(timeout=30)
    assert not thread.is_alive()


@pytest.fixture
def place(server: CrmServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    server.crm.reset()
    server.crm.settings.two_factor = {}
    monkeypatch.setattr(crm_steps, "WAITS", ())
    for name in list(os.environ):
        if name.startswith("CALSYNC_CRM") or name == "CALSYNC_CONFIG":
            monkeypatch.delenv(name)
    made = Place(server, tmp_path)
    made.config.write_text(CONFIG.format(url=server.url, key=KEY), encoding="utf-8")
    return made


def test_the_way_of_a_new_administrator(place: Place) -> None:
    """Plan, question, work, what to configure; then again, the doctor, and the end."""
    code, output, _ = place.run("setup", answers="y\n")
    assert code == 0
    assert re.search(r"\d+ steps done\.", output)
    assert (place.has("Role", name="calsync"), place.has("User", userName="calsync")) == (1, 1)
    block = output.split("below crm:")[1].split("The API key")[0]
    entities = yaml.safe_load(block)["entities"]
    assert [entity["entity_type"] for entity in entities] == ["Meeting", "Call", "Visit"]
    (line,) = (line for line in output.splitlines() if line.startswith("export "))
    name, _, file = shlex.split(line)[1].partition("=")

    settings = yaml.safe_load(place.config.read_text("utf-8"))
    settings["crm"]["entities"] = entities
    place.config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    code, output, _ = place.run("setup", env={**LOGIN, name: file})
    assert (code, "There is nothing to do." in output, "Put this into" in output) == (0, True, False)

    code, output, _ = place.run("remove", "--yes", env={**LOGIN, name: file})
    assert (code, "EspoCRM knows calsync no more." in output) == (0, True)
    assert not Path(file).exists()
    assert (place.has("Role", name="calsync"), place.has("User", userName="calsync")) == (0, 0)
    assert place.has("Webhook") == 0
    assert place.server.crm.auth.tokens == {}


def test_the_key_goes_where_the_variable_says(place: Place) -> None:
    """It may name the file before there is one, and after it was lost."""
    file = place.folder / "secrets" / "key"
    for _ in range(2):
        code, _, said = place.run("setup", "--yes", env={**LOGIN, KEY_VARIABLE: str(file)})
        assert (code, file.stat().st_mode & 0o777) == (0, 0o600), said
        file.unlink()


def test_the_plan_alone(place: Place) -> None:
    code, output, _ = place.run("setup", "--dry-run")

    assert code == 0
    assert "nothing was changed" in output
    assert place.has("Role", name="calsync") == 0


@pytest.mark.parametrize("answers", ["n\n", ""], ids=["no", "no answer"])
def test_nothing_happens_without_a_yes(place: Place, answers: str) -> None:
    place.run("setup", answers=answers)

    assert place.has("Role", name="calsync") == 0
    assert place.server.crm.auth.tokens == {}


def test_json_for_programs(place: Place) -> None:
    code, output, said = place.run("setup", "--json", "--yes", "--entity", "Meeting", "--concurrency")

    told = json.loads(output)
    assert (code, said, told["done"], told["left"], told["configured"]) == (0, "", True, [], False)
    assert [entity["entity_type"] for entity in told["entities"]] == ["Meeting"]
    doing = {(step["part"], step["name"]): step["doing"] for step in told["steps"]}
    assert doing["role", "calsync"] == "make"
    assert doing["concurrent saves", "Meeting"] == "change"
    assert doing["kind of record", "Visit"] == "note"

    told = json.loads(place.run("setup", "--json", "--dry-run", "--entity", "Meeting")[1])
    assert (told["done"], [step for step in told["steps"] if step["doing"] in ("make", "change")]) == (
        False,
        [],
    )


@pytest.mark.parametrize("way", ["asked", "standard input", "environment", "file"])
def test_ways_to_log_in(place: Place, way: str) -> None:
    place.server.crm.settings.two_factor = {"admin": "123456"}
    secret = place.folder / "password"
    secret.write_text(f"{ids.PASSWORD}\n", encoding="utf-8")
    code = {"CALSYNC_CRM_ADMIN_CODE": "123456"}
    ways: dict[str, tuple[tuple[str, ...], str, dict[str, str]]] = {
        "asked": ((), f"admin\n{ids.PASSWORD}\n123456\n", {}),
        "standard input": (("--admin", "admin", "--password-stdin"), f"{ids.PASSWORD}\n123456\n", {}),
        "environment": ((), "", {**LOGIN, **code}),
        "file": (("--admin", "admin"), "", {"CALSYNC_CRM_ADMIN_PASSWORD_FILE": str(secret), **code}),
    }
    words, answers, env = ways[way]

    code_of_exit, output, said = place.run("setup", "--dry-run", *words, answers=answers, env=env)

    assert (code_of_exit, "role calsync" in output) == (0, True), said
    assert f"{ids.PASSWORD}\n" not in output + said
    assert place.server.crm.auth.tokens == {}


@pytest.mark.parametrize(
    ("words", "answers", "env", "says"),
    [
        pytest.param((), "", {}, "nobody answered 'Administrator of EspoCRM'", id="no user"),
        pytest.param(("--admin", "admin"), "", {}, "CALSYNC_CRM_ADMIN_PASSWORD", id="no password"),
        pytest.param(
            ("--dry-run",), "", {**LOGIN, "CALSYNC_CRM_ADMIN_PASSWORD": "x"}, "not right", id="wrong password"
        ),
        pytest.param(
            ("--dry-run",), "", {**LOGIN, "CALSYNC_CRM_ADMIN": "alice"}, "no administrator", id="not an admin"
        ),
        pytest.param(("--json",), "", LOGIN, "--json asks nobody", id="json without yes"),
        pytest.param(
            ("--password-stdin",), ids.PASSWORD, LOGIN, "leaves nobody to ask", id="no terminal to ask at"
        ),
        pytest.param(("--url", "https://other.example.com"), "", LOGIN, "crm.url: says", id="two addresses"),
        pytest.param(("--entity", "Metting", "--dry-run"), "", LOGIN, "correct --entity", id="unknown kind"),
        pytest.param(
            ("--admin", "admin"),
            "",
            {"CALSYNC_CRM_ADMIN_PASSWORD_FILE": "/nowhere"},
            "/nowhere cannot be read",
            id="no such file",
        ),
    ],
)
def test_mistakes_are_one_line(
    place: Place, words: tuple[str, ...], answers: str, env: dict[str, str], says: str
) -> None:
    code, _, said = place.run("setup", *words, answers=answers, env=env)

    assert code == 2
    assert says in said
    assert "Traceback" not in said
    assert place.has("Role", name="calsync") == 0
    assert place.server.crm.auth.tokens == {}


@pytest.mark.parametrize("missing", ["serve", "store"])
def test_what_must_be_configured_before(place: Place, missing: str) -> None:
    settings = yaml.safe_load(place.config.read_text("utf-8"))
    del settings[missing]
    place.config.write_text(yaml.safe_dump(settings), encoding="utf-8")

    code, _, said = place.run("setup", "--dry-run")

    assert (code, f"{missing}." in said) == (2, True)


def test_the_address_may_be_an_option(place: Place) -> None:
    settings = yaml.safe_load(place.config.read_text("utf-8"))
    del settings["crm"]
    place.config.write_text(yaml.safe_dump(settings), encoding="utf-8")

    assert place.run("setup", "--dry-run", "--url", f"{place.server.url}/")[0] == 0
    assert "--url: 'crm' is no address" in place.run("setup", "--url", "crm")[2]
    assert "crm.url" in place.run("setup")[2]


def test_a_password_does_not_travel_readable_unless_that_is_said(place: Place) -> None:
    settings = yaml.safe_load(place.config.read_text("utf-8"))
    settings["crm"]["url"] = "http://crm.example.invalid"
    place.config.write_text(yaml.safe_dump(settings), encoding="utf-8")

    code, _, said = place.run("setup", "--dry-run", env=LOGIN)
    assert (code, "--plain-http" in said) == (2, True)
    assert "no connection" in place.run("setup", "--dry-run", "--plain-http", env=LOGIN)[2]


def test_a_fault_in_the_middle_says_how_to_go_on(place: Place) -> None:
    place.server.crm.faults.add(FaultRule(path="/Webhook$", method="POST", skip=3, status=500))

    code, _, said = place.run("setup", "--yes")

    assert code == 1
    assert "Stopped at webhook Meeting.fieldUpdate.assignedUser. What was done stays" in said
    assert place.server.crm.auth.tokens == {}
    assert place.run("setup", "--yes")[0] == 0
    assert place.has("Webhook") == 12


def test_no_secret_is_shown(place: Place) -> None:
    shown = "".join(place.run("setup", "--yes")[1:])
    key = (place.folder / "crm-api-key").read_text("utf-8").strip()
    shown += "".join(place.run("setup", "--yes", "--json")[1:])

    secrets = [row["secretKey"] for row in place.server.crm.store.tables["Webhook"]]
    assert len(secrets) == 12
    assert [secret for secret in (key, KEY, *secrets) if secret in shown] == []


def test_a_stop_from_outside_signs_out(place: Place) -> None:
    command = [sys.executable, "-m", "calsync_plugin", "espocrm", "setup", "--config", str(place.config)]
    process = subprocess.Popen(
        [*command, "--data", str(place.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **LOGIN, "COLUMNS": "200"},
    )
    killer = threading.Timer(100, process.kill)
    killer.start()
    with process:
        assert process.stdout is not None
        assert any("webhook Visit.fieldUpdate" in line for line in process.stdout), "the plan is shown"
        assert len(place.server.crm.auth.tokens) == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 1
    killer.cancel()
    assert place.server.crm.auth.tokens == {}
    assert place.has("Role", name="calsync") == 0
