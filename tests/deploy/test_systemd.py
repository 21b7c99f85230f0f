"""The units of systemd: understood by systemd, little exposed, and enough for calsync to work and stop."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests

from calsync_plugin.settings import load_settings
from calsync_plugin.web.bridge import LONGEST_STOP
from tests.deploy.confined import allowed_calls, values
from tests.deploy.conftest import DEPLOY, program
from tests.world import ALICE

UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
BRIDGE = DEPLOY / "systemd" / "calsync.service"
CONFINED = Path(__file__).with_name("confined.py")
EXPOSURE = 15
"""Tenths of a point: systemd itself calls up to 20 safe enough, and a service without any protection 96."""
PATIENCE = 60.0


def test_there_are_units() -> None:
    assert [unit.name for unit in UNITS] == ["calsync-worker@.service", "calsync.service"]


@pytest.fixture(params=UNITS, ids=lambda unit: unit.name)
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A unit whose program lies on this machine."""
    unit: Path = request.param
    text = unit.read_text(encoding="utf-8")
    moved = tmp_path / unit.name
    moved.write_text(text.replace("/opt/calsync/bin/calsync", sys.executable), encoding="utf-8")
    return moved


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """What systemd says of a unit."""
    command = (program("systemd-analyze"), "--no-pager", *words)
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_systemd_understands_every_line(here: Path) -> None:
    answer = analyze("verify", here)
    assert (answer.returncode, answer.stdout + answer.stderr) == (0, "")


def test_systemd_would_name_a_line_that_it_does_not_know(here: Path) -> None:
    here.write_text(
        here.read_text(encoding="utf-8").replace("ProtectHome=", "ProtectHomes="), encoding="utf-8"
    )
    assert "ProtectHomes" in analyze("verify", here).stderr


def test_little_is_exposed(here: Path) -> None:
    answer = analyze("security", "--offline=true", f"--threshold={EXPOSURE}", here)
    assert answer.returncode == 0, answer.stdout[-2000:]


def test_both_units_are_protected_alike() -> None:
    """What comes after the program and before the installation is the same but for what is said of it."""

    def settings(unit: Path) -> list[str]:
        service = unit.read_text(encoding="utf-8").partition("[Service]")[2].partition("[Install]")[0]
        lines = [line for line in service.splitlines() if line and not line.startswith("#")]
        return [line for line in lines if not line.startswith("ExecStart=")]

    first, second = UNITS
    assert settings(first) == settings(second)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_stop_may_take_as_long_as_it_can(unit: Path) -> None:
    (seconds,) = values(unit.read_text(encoding="utf-8"), "TimeoutStopSec")
    assert int(seconds) >= LONGEST_STOP + 5


def test_nothing_secret_stands_in_a_unit_and_its_paths_are_those_of_the_guide() -> None:
    guide = (DEPLOY.parent / "docs" / "how-to" / "install-on-debian.md").read_text(encoding="utf-8")
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        assert values(text, "EnvironmentFile") == ["/etc/calsync/secrets.env"]
        assert values(text, "Environment") == ["CALSYNC_CONFIG=/etc/calsync/calsync.yaml"]
    assert "/etc/calsync/secrets.env" in guide
    assert "/etc/calsync/calsync.yaml" in guide


def test_calls_are_taken_away_from_what_is_allowed() -> None:
    program("systemd-analyze")
    calls = allowed_calls(BRIDGE.read_text(encoding="utf-8"))
    assert {"socket", "futex", "openat", "fsync"} <= calls
    assert not {"chroot", "mount", "ptrace", "setuid", "sched_setaffinity"} & calls


class TestConfined:
    """calsync with nothing but the system calls that the unit leaves it."""

    @pytest.fixture
    def confined(self) -> tuple[str, ...]:
        program("systemd-analyze")
        words = (sys.executable, str(CONFINED), str(BRIDGE))
        tried = subprocess.run((*words, "true"), capture_output=True, text=True, check=False, timeout=60)
        if tried.returncode:
            pytest.skip(f"this machine cannot confine a program so: {tried.stderr[-200:]}")
        return words

    @pytest.mark.parametrize(
        "forbidden",
        [
            pytest.param("import socket; socket.socket(socket.AF_NETLINK)", id="address-family"),
            pytest.param("import mmap; mmap.mmap(-1, 4096, prot=7)", id="memory-to-write-and-run"),
            pytest.param("import os; os.sched_setaffinity(0, [0])", id="system-call"),
        ],
    )
    def test_it_is_really_confined(self, confined: tuple[str, ...], forbidden: str) -> None:
        command = (*confined, sys.executable, "-c", forbidden)
        tried = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert "PermissionError" in tried.stderr

    def test_a_meeting_travels_and_a_stop_is_orderly(self, confined: tuple[str, ...], tmp_path: Path) -> None:
        calsync = (sys.executable, "-m", "calsync_plugin", "serve", "--port", "0", "--data", str(tmp_path))
        with subprocess.Popen(
            (*confined, *calsync), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            killer = threading.Timer(2 * PATIENCE, process.kill)
            killer.start()
            try:
                assert process.stdout is not None
                said = ""
                for line in process.stdout:
                    said += line
                    if "Stop with" in line:
                        break
                crm, outlook, _ = re.findall(r"http://127\.0\.0\.1:\d+", said)
                _save_meeting(crm)
                _wait_for_event(outlook)
                process.send_signal(signal.SIGTERM)
                assert process.wait(timeout=PATIENCE) == 0
            finally:
                process.kill()
                killer.cancel()


def _save_meeting(crm: str) -> None:
    meeting = {
        "name": "Confined",
        "assignedUserId": ALICE,
        "dateStart": "2030-12-02 10:00:00",
        "dateEnd": "2030-12-02 11:00:00",
    }
    headers = {"X-Api-Key": "sandbox"}
    requests.post(f"{crm}/api/v1/Meeting", json=meeting, headers=headers, timeout=30).raise_for_status()


def _wait_for_event(outlook: str) -> None:
    deadline = time.monotonic() + PATIENCE
    headers = {"Authorization": "Bearer sandbox:alice@example.com"}
    while True:
        answer = requests.get(f"{outlook}/v1.0/me/events", headers=headers, timeout=30)
        if "Confined" in {event["subject"] for event in answer.json()["value"]}:
            return
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.1)


def test_a_configuration_is_named_by_a_variable_as_the_units_do() -> None:
    """It is no variable of the configuration itself, and no warning says that it is unknown."""
    assert load_settings(None, {"CALSYNC_CONFIG": "/etc/calsync/calsync.yaml"}).warnings == ()
