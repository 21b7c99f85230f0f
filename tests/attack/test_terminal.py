"""What comes from the CRM or Outlook is shown on a terminal as it is written, and does nothing there."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from calsync_plugin.cli import main
from calsync_plugin.demo import Sandbox
from calsync_plugin.settings import LogSettings
from calsync_plugin.state import Parked
from tests.world import ALICE

HOSTILE = [
    pytest.param("[/] and [/bold] and [link=http://evil.example]x", id="markup"),
    pytest.param("\x1b]0;owned\x07\x1b[2J\x9b2J", id="escapes"),
    pytest.param(":warning: [red]all is lost[/red]", id="emoji"),
    pytest.param("\\[bold]", id="backslash"),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sandbox that was stopped."""
    folder = tmp_path_factory.mktemp("sandbox")
    sandbox = Sandbox(folder, 0, LogSettings(level="warning"))
    sandbox.start()
    with sandbox.calsync.store.save(None) as tx:
        for number, case in enumerate(HOSTILE):
            tx.park(
                Parked(
                    mailbox_id=sandbox.calsync.store.accounts.many([ALICE])[ALICE].mailbox_id or 0,
                    user_id=ALICE,
                    reason="refused",
                    message=str(case.values[0]),
                    entity_type="Meeting",
                    record_id=f"{number} {case.values[0]}",
                )
            )
    sandbox.stop()
    return folder


@pytest.mark.parametrize("text", HOSTILE)
def test_it_is_shown_as_it_is_written(data: Path, text: str) -> None:
    answer = CliRunner().invoke(main, ["accounts", "show", ALICE, "--data", str(data)], color=True)
    assert answer.exception is None
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    assert shown in answer.output
    assert not any(c in answer.output for c in "\x07\x9b")
