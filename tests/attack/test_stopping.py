"""A sandbox as a process: a stop in time while a service does not answer, another port, damaged folders."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from calsync_plugin.cli import main
from calsync_plugin.demo import Sandbox
from calsync_plugin.settings import LogSettings
from tests.world import ALICE

SILENCE = 600
"""Seconds for which Outlook does not answer: a stop that waits for it is no stop."""
LIMIT = 60.0
"""Seconds. A stop takes about six of them on a machine that has nothing else to do."""


def test_sigterm_ends_it_in_time_while_outlook_does_not_answer(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "calsync_plugin", "serve", "--data", str(tmp_path), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        assert any("Stop with" in line for line in process.stdout)
        ports = json.loads((tmp_path / "sandbox.json").read_text(encoding="utf-8"))
        outlook = f"http://127.0.0.1:{ports['outlook']}"
        requests.put(
            f"{outlook}/control/delay", json={"delay_ms": SILENCE * 1000}, timeout=60
        ).raise_for_status()
        meeting = {
            "name": "Kick-off",
            "assignedUserId": ALICE,
            "dateStart": "2026-12-01 10:00:00",
            "dateEnd": "2026-12-01 11:00:00",
        }
        address = f"http://127.0.0.1:{ports['crm']}/api/v1/Meeting"
        requests.post(address, json=meeting, headers={"X-Api-Key": "sandbox"}, timeout=60).raise_for_status()
        ready = f"http://127.0.0.1:{ports['bridge']}/readyz"
        deadline = time.monotonic() + 60
        while requests.get(ready, timeout=60).json()["waiting"] != {"unrouted": 0, "routed": 1}:
            assert time.monotonic() < deadline
        with socket.create_connection(("127.0.0.1", ports["bridge"])) as idle:
            idle.sendall(b"POST /oauth/callback HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n")
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=LIMIT) == 0
    finally:
        process.kill()
        said = process.stderr.read()
        process.communicate()
    assert "Traceback" not in said


def test_a_sandbox_at_other_ports_goes_on(tmp_path: Path) -> None:
    for _ in range(2):
        sandbox = Sandbox(tmp_path, 0, LogSettings(level="warning"))
        sandbox.start()
        try:
            assert sandbox.calsync.store.installation.get().paused == ""
        finally:
            sandbox.stop()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        pytest.param("calsync.db", b"no database", id="store"),
        pytest.param("crm.json", b"{", id="crm"),
        pytest.param("outlook.json", b"[]", id="outlook"),
        pytest.param("secret.key", b"\xff\xfe", id="key"),
        pytest.param("sandbox.json/x", b"", id="ports-are-a-folder"),
    ],
)
def test_a_damaged_folder_is_one_line_and_exit_2(tmp_path: Path, file: str, content: bytes) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    answer = subprocess.run(
        [
            sys.executable,
            "-m",
            "calsync_plugin",
            "serve",
            "--data",
            str(tmp_path),
            "--port",
            "0",
        ],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith("calsync: ")
    assert len(answer.stderr.splitlines()) == 1


@pytest.mark.parametrize("content", ["{", "[]", '{"other": 1}', "null"])
def test_a_damaged_note_of_the_ports_is_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "sandbox.json").write_text(content, encoding="utf-8")
    answer = CliRunner().invoke(main, ["accounts", "list", "--data", str(tmp_path)])
    assert (answer.exit_code, len(answer.output.splitlines())) == (2, 1)


def test_a_data_folder_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    answer = CliRunner().invoke(main, ["serve", "--data", str(tmp_path / "file" / "x"), "--port", "0"])
    assert (answer.exit_code, answer.output.splitlines()) == (
        2,
        [f"calsync: {tmp_path / 'file' / 'x'}: Not a directory"],
    )
