"""The process in which `idle` lets mailboxes wait: prints its CPU seconds, peak and how long it took."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time, sleep

from sqlalchemy import make_url

from bench.memory import peak
from bench.world import Simulators, installation, settings_for
from calsync_plugin.accounts.grants import NEEDED
from calsync_plugin.demo import Ports
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.state import Account, AccountStatus, Notify, Subscription

START_UP = 5.0
"""Seconds that are not counted: the first sweep, and what is imported for it."""
WEEK = timedelta(days=7)


def main() -> None:
    """Fill the store in a process of its own, then wait over it."""
    task = json.load(sys.stdin)
    data, sims = Path(sys.argv[1]), Simulators(Ports(**task["ports"]))
    if "fill" in task:
        with installation(settings_for(sims, data)) as calsync:
            fill(calsync, task["mailboxes"])
        return
    # What filling takes of memory is not the waiting process's.
    command = [sys.executable, "-m", "bench.idle_worker", str(data)]
    filling = {"ports": asdict(sims.ports), "mailboxes": task["mailboxes"], "fill": True}
    subprocess.run(command, input=json.dumps(filling).encode(), check=True)
    with installation(settings_for(sims, data)) as calsync:
        calsync.start()
        sleep(START_UP)
        started, used = perf_counter(), process_time()
        sleep(task["seconds"])
        result = {"cpu": process_time() - used, "seconds": perf_counter() - started, "peak": peak()}
        calsync.worker.stop()
        waiting = sum(calsync.store.accounts.counts().values())
    print(json.dumps({**result, "accounts": waiting}))


def fill(calsync: Calsync, number: int) -> None:
    """Connect so many people as far as the store knows: read, subscribed, due in a week."""
    now = datetime.now(UTC)
    mailbox_id = calsync.store.accounts.ensure_mailbox("tenant", "object", "idle@example.com")
    calsync.store.accounts.save(_account(mailbox_id, now))
    calsync.store.subscriptions.save(
        Subscription(
            id="subscription",
            mailbox_id=mailbox_id,
            resource="me/events",
            client_state_hash="0" * 64,
            expires_at=now + WEEK,
        )
    )
    with calsync.store.save(None) as tx:
        tx.pulled(mailbox_id, WEEK.total_seconds(), 0)
    connection = sqlite3.connect(make_url(calsync.settings.store.url).database or "")
    with connection:
        for table, names in (
            ("mailboxes", ("id", "object_id")),
            ("accounts", ("mailbox_id", "user_id")),
            ("subscriptions", ("mailbox_id", "id")),
        ):
            _repeat(connection, table, mailbox_id, number, *names)
    connection.close()


def _account(mailbox_id: int, now: datetime) -> Account:
    return Account(
        user_id="idle",
        mailbox_id=mailbox_id,
        settings={
            "mode": "both",
            "sync_since": now.date().isoformat(),
            "entities": [{"entity_type": "Meeting"}],
            "default_entity": "Meeting",
        },
        grants=NEEDED,
        status=AccountStatus.CONNECTED,
        notify=Notify.NOTIFICATIONS,
        connected_at=now,
        pulled_at=now,
    )


def _repeat(
    connection: sqlite3.Connection, table: str, mailbox_id: int, number: int, mailbox: str, name: str
) -> None:
    """Let there be `number` rows like that of one mailbox: row by row by the store it would take minutes."""
    # Columns that the database itself computes are not among these.
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    listed = ", ".join(columns)
    found = connection.execute(f"SELECT {listed} FROM {table} WHERE {mailbox} = ?", (mailbox_id,)).fetchone()
    row = dict(zip(columns, found, strict=True))
    rows = ({**row, mailbox: mailbox_id + one, name: f"{row[name]}-{one}"} for one in range(1, number))
    values = ", ".join(f":{column}" for column in columns)
    connection.executemany(f"INSERT INTO {table} ({listed}) VALUES ({values})", rows)


if __name__ == "__main__":
    main()
