"""Real processes at one queue: no wake is lost, no mailbox runs twice at once, a killed one is replaced."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from calsync_plugin.state import Keyring
from tests.state.samples import Opener, claimed

ROOT = Path(__file__).parents[2]
MAILBOXES = 8
WAKES = 250
DEADLINE = 60.0
LEASE = 10.0
"""Seconds: longer than a busy machine lets this process wait before it looks."""


@contextmanager
def _worker(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-W", "error", "-m", "tests.state.worker", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _want(folder: Path, mailbox_id: int, number: int) -> None:
    new = folder / "new"
    new.write_text(str(number))
    new.rename(folder / f"wanted-{mailbox_id}")


def _seen(folder: Path, mailbox_id: int) -> str:
    file = folder / f"seen-{mailbox_id}"
    return file.read_text() if file.exists() else ""


def test_no_wake_is_lost_and_no_mailbox_runs_twice_at_once(url: str, opened: Opener, tmp_path: Path) -> None:
    key = Keyring.generate()
    store = opened(keyring=Keyring({"first": key}))
    mailboxes = [store.accounts.ensure_mailbox("tenant", f"user{n}", "") for n in range(MAILBOXES)]
    folder = tmp_path / "race"
    folder.mkdir()
    with _worker("race", url, key, str(folder)) as one, _worker("race", url, key, str(folder)) as two:
        wanted, chance = dict.fromkeys(mailboxes, 0), random.Random(1)
        for _ in range(WAKES):
            mailbox_id = chance.choice(mailboxes)
            wanted[mailbox_id] += 1
            _want(folder, mailbox_id, wanted[mailbox_id])
            store.queue.wake(mailbox_id)
        end = monotonic() + DEADLINE
        while {mailbox_id: _seen(folder, mailbox_id) for mailbox_id in mailboxes} != {
            mailbox_id: str(number) for mailbox_id, number in wanted.items()
        }:
            assert monotonic() < end, "a wake was lost"
            assert (one.poll(), two.poll()) == (None, None), "a worker died"
        (folder / "stop").touch()
        for process in (one, two):
            _, errors = process.communicate(timeout=DEADLINE)
            assert process.returncode == 0, errors
    assert not list(folder.glob("overlap-*"))


def test_a_killed_workers_mailbox_runs_again_within_its_lease(url: str, opened: Opener) -> None:
    key = Keyring.generate()
    store = opened(keyring=Keyring({"first": key}))
    mailbox = store.accounts.ensure_mailbox("tenant", "alice", "")
    store.queue.wake(mailbox)
    with _worker("hang", url, key, str(LEASE)) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == str(mailbox)
        assert store.queue.claim("heir", limit=1, lease=15) == []
        process.send_signal(signal.SIGKILL)
        killed = monotonic()
        assert store.queue.wait(DEADLINE)
    assert monotonic() - killed < 2 * LEASE
    assert claimed(store, mailbox, owner="heir").attempt == 2
