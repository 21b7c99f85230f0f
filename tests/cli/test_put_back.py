"""`calsync installation restored`: each account by name, and a word at the end."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from calsync_plugin.cli import main
from calsync_plugin.demo import Sandbox
from calsync_plugin.settings import LogSettings
from calsync_plugin.state import AccountStatus
from tests.world import BOB


def test_every_connected_account_is_compared(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path, 0, LogSettings(level="error"))
    sandbox.start()
    try:
        sandbox.calsync.store.accounts.set_status(BOB, AccountStatus.OFF, reason="the test")
        answer = CliRunner().invoke(main, ["installation", "restored", "--data", str(tmp_path)])
    finally:
        sandbox.stop()
    assert answer.exit_code == 0, answer.output
    first, last = answer.output.strip().splitlines()
    assert first.startswith("alice@example.com: ")
    assert first.endswith(" links are compared")
    assert last == "done; calsync can be started"
