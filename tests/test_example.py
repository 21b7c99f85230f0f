"""The example host works as its docstring says: a CRM of its own, calsync in process, a real login."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from calsync_plugin.sandbox.outlook import create_app
from calsync_plugin.sandbox.outlook.server import BackgroundServer

CHECKOUT = Path(__file__).parents[1]


def test_the_python_host_puts_a_meeting_into_outlook() -> None:
    with BackgroundServer(create_app(), threads=8) as outlook:
        ran = subprocess.run(
            [sys.executable, "-W", "error", "examples/python_host.py", outlook.url],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        sent = [mail.kind for mail in outlook.simulator.state.mails]
    said = "alice's Outlook now holds: Kick-off\nalice is booked for half an hour: Demo\n"
    assert (ran.returncode, ran.stdout) == (0, said), ran.stderr
    assert sent == []
