"""The sandbox as a newcomer starts it: what is done in Outlook is in the CRM at once, after a restart too."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from calsync_plugin.demo import TOKEN_FILE, TOKEN_VARIABLES, Ports, Sandbox, sandbox_settings
from calsync_plugin.errors import ConfigurationError
from calsync_plugin.settings import LogSettings

LONGEST = 60.0
"""Seconds; notified, a change takes a tenth of one. Nobody is polled sooner than in ten minutes."""


def wait_for(what: Callable[[], bool]) -> None:
    deadline, never = time.monotonic() + LONGEST, threading.Event()
    while not what():
        assert time.monotonic() < deadline
        never.wait(0.02)


def names_in_crm(sandbox: Sandbox) -> set[str]:
    address = f"http://127.0.0.1:{sandbox.ports.crm}/api/v1/Meeting?maxSize=50"
    return {
        one["name"]
        for one in requests.get(address, headers={"X-Api-Key": "sandbox"}, timeout=60).json()["list"]
    }


def make_in_outlook(sandbox: Sandbox, subject: str) -> None:
    # The sandbox goes by the machine's clock, and what is over is not brought in.
    day = datetime.now(UTC).date() + timedelta(days=7)
    times = {
        name: {"dateTime": f"{day}T{hour}:00:00", "timeZone": "UTC"}
        for name, hour in (("start", 10), ("end", 11))
    }
    answer = requests.post(
        f"http://127.0.0.1:{sandbox.ports.outlook}/v1.0/me/events",
        json={"subject": subject, **times},
        headers={"Authorization": "Bearer sandbox:alice@example.com"},
        timeout=60,
    )
    assert answer.status_code == 201


@pytest.mark.parametrize("variable", ["", "CALSYNC_API_TOKEN", "CALSYNC_API_TOKEN_FILE"])
def test_a_program_has_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    data, file = tmp_path / "data", tmp_path / "token"
    data.mkdir()
    file.write_text("t" * 40, encoding="ascii")
    for name in TOKEN_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, str(file) if variable.endswith("FILE") else "t" * 40)
    ports, log = Ports(bridge=1, crm=2, outlook=3), LogSettings(level="warning")
    token = sandbox_settings(data, ports, log).serve.api_token
    assert (token == "t" * 40) is bool(variable)
    assert len(token) >= 32
    assert sandbox_settings(data, ports, log).serve.api_token == token
    assert (data / TOKEN_FILE).exists() is not bool(variable)


def test_a_token_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CALSYNC_API_TOKEN_FILE", raising=False)
    monkeypatch.setenv("CALSYNC_API_TOKEN", "short")
    with pytest.raises(ConfigurationError, match="32 characters"):
        sandbox_settings(tmp_path, Ports(bridge=1, crm=2, outlook=3), LogSettings(level="warning"))


def test_an_event_is_in_the_crm_at_once_and_also_after_a_restart_on_other_ports(tmp_path: Path) -> None:
    for subject in ("First", "Second"):
        sandbox = Sandbox(tmp_path, 0, LogSettings(level="warning"))
        sandbox.start()
        try:
            an_event_arrives(sandbox, subject)
        finally:
            sandbox.stop()


def an_event_arrives(sandbox: Sandbox, subject: str) -> None:
    wait_for(lambda: len(sandbox.outlook.subscriptions.alive()) == 2)
    receivers = {one.url for one in sandbox.outlook.subscriptions.alive()}
    assert receivers == {f"http://127.0.0.1:{sandbox.ports.bridge}/webhooks/outlook"}
    make_in_outlook(sandbox, subject)
    wait_for(lambda: subject in names_in_crm(sandbox))
