"""The guide and what it installs belong together: files, paths, and the command that administrators type."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from calsync_plugin.settings import load_settings
from tests.deploy.confined import values
from tests.deploy.conftest import DEPLOY

CHECKOUT = DEPLOY.parent
GUIDE = (CHECKOUT / "docs" / "how-to" / "install-on-debian.md").read_text(encoding="utf-8")
SHELL = "\n".join(re.findall(r"^```sh\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL))
UNIT = (DEPLOY / "systemd" / "calsync.service").read_text(encoding="utf-8")
WRAPPER = (DEPLOY / "systemd" / "calsync-as-service").read_text(encoding="utf-8")
SECRET = """p$q`r"s %t #u;v=w"""
"""What a shell would make something else of if it were not quoted."""


def test_what_it_installs_is_there() -> None:
    for file in re.findall(r"/usr/local/src/calsync/(deploy/\S+)", SHELL):
        assert (CHECKOUT / file).exists(), file
    (line,) = re.findall(r"^install -m 0644 (.*) /etc/systemd/system/$", SHELL, re.MULTILINE)
    assert sorted(line.split()) == sorted(file.name for file in (DEPLOY / "systemd").glob("*.service"))
    assert "install -m 0755 calsync-as-service /usr/local/sbin/calsync" in SHELL
    assert os.access(DEPLOY / "systemd" / "calsync-as-service", os.X_OK)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/calsync/calsync.yaml",
        "/etc/calsync/secrets.env",
        "/opt/calsync/bin/",
        "/var/lib/calsync",
    ],
)
def test_guide_unit_and_command_name_the_same_places(path: str) -> None:
    assert path in GUIDE
    assert path in UNIT
    assert path in WRAPPER


def test_user_and_folder_are_those_of_the_unit() -> None:
    assert values(UNIT, "User") == ["calsync"]
    assert "adduser --system --group --home /var/lib/calsync --no-create-home calsync" in SHELL
    assert "install -d -m 0700 -o calsync -g calsync /var/lib/calsync" in SHELL
    assert values(UNIT, "StateDirectoryMode") == ["0700"]
    assert "runuser -u calsync --" in WRAPPER


def test_the_configuration_of_the_guide_is_enough_for_the_set_up() -> None:
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    found = load_settings(yaml.safe_load(text), {"CALSYNC_SECRET_KEYS": f"k1:{'A' * 43}="})
    assert (found.crm.url, found.serve.host, found.serve.port) == (
        "https://crm.example.com",
        "127.0.0.1",
        8700,
    )
    assert found.serve.trusted_proxy == "127.0.0.1"
    assert found.store.url == "sqlite:////var/lib/calsync/calsync.db"


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """The administrator's command with this machine's paths, whoever runs the test."""
    changes = {
        '"$(id -u)"': '"$TEST_UID"',
        "/etc/calsync": str(tmp_path),
        "/var/lib/calsync": str(tmp_path),
        "runuser -u calsync -- /opt/calsync/bin/calsync": f"{sys.executable} -m calsync_plugin",
    }
    text = WRAPPER
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / "calsync"
    file.write_text(text, encoding="utf-8")
    return file


def run(command: Path, *words: str, uid: int = 0) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), "TEST_UID": str(uid)}
    line = ("sh", str(command), *words)
    return subprocess.run(line, env=environ, capture_output=True, text=True, check=False, timeout=100)


def test_the_command_brings_configuration_and_secrets(command: Path) -> None:
    """Characters of a shell in a secret are part of it."""
    folder = command.parent
    text = "crm: {url: 'https://crm.example.com'}\nserve: {public_url: 'https://calsync.example.com'}\n"
    (folder / "calsync.yaml").write_text(text, encoding="utf-8")
    kept = {"CALSYNC_SECRET_KEYS": f"k1:{'A' * 43}=", "CALSYNC_CRM_API_KEY": SECRET}
    lines = [f"{name}='{value}'" for name, value in kept.items()]
    (folder / "secrets.env").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "calsync-data").mkdir()
    migrated = run(command, "migrate")
    assert migrated.returncode == 0, migrated.stderr
    assert "the store is up to date" in migrated.stdout
    shown = subprocess.run(
        ("sh", "-c", f"set -a; . {folder}/secrets.env; env"), capture_output=True, text=True, check=True
    )
    assert f"CALSYNC_CRM_API_KEY={SECRET}\n" in shown.stdout


def test_the_command_is_roots(command: Path) -> None:
    answer = run(command, "doctor", uid=1000)
    assert (answer.returncode, answer.stderr) == (
        2,
        "calsync: only root can read the secrets; say: sudo calsync doctor\n",
    )
