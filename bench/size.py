"""One change in a store of 100,000 links and in one of 100; the worker's memory in a process of its own."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from bench.harness import Line, alternate, median_ratio, seconds, timed
from bench.world import Simulators, connect, folder, installation, mark, settings_for, settle, simulators
from calsync_plugin.domain.links import Base, Copy, CopyPurpose, CopyState, Link
from calsync_plugin.domain.meeting import Field, JsonValue
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.sandbox.crm.identities import ALICE_ID

SMALL, LARGE = 100, 100_000
CHANGES = 15
"""Changes that make one figure, one run each."""
ROUNDS = 5
PORTION = 5_000
LARGEST_MB = 150.0


def run() -> list[Line]:
    """Compare both stores, then look at the memory of a worker over the large one."""
    with simulators() as sims, folder() as data:
        for name, links in (("small", SMALL), ("large", LARGE)):
            (data / name).mkdir()
            with installation(settings_for(sims, data / name)) as calsync:
                connect(calsync, {ALICE_ID: "alice@example.com"})
                fill(calsync, links)
        with (
            installation(settings_for(sims, data / "small")) as small,
            installation(settings_for(sims, data / "large")) as large,
        ):
            few, many = alternate(ROUNDS, _changes(sims, small), _changes(sims, large))
        resident = _worker_memory(sims, data / "large")
    return [
        Line(
            row="size",
            what=f"1 change in a store of {LARGE:,} links; floor: of {SMALL}",
            floor=seconds(statistics.median(few) / CHANGES),
            ours=seconds(statistics.median(many) / CHANGES),
            value=median_ratio(many, few),
            limit=1.3,
            note="a new meeting and its update, from the mark to the saved base, all links of one mailbox",
        ),
        Line(
            row="size",
            what=f"memory of a worker that did so in a process of its own, {LARGE:,} links",
            ours=f"{resident:.0f} MB",
            value=resident,
            limit=LARGEST_MB,
            unit="MB",
        ),
    ]


def fill(calsync: Calsync, number: int) -> None:
    """Put links of alice's mailbox into the store, as pushes would have left them."""
    account = calsync.store.accounts.get(ALICE_ID)
    assert account is not None
    assert account.mailbox_id is not None
    for first in range(0, number, PORTION):
        links = [_link(account.mailbox_id) for _ in range(min(PORTION, number - first))]
        with calsync.store.save(None) as tx:
            tx.insert_links(links)


def _link(mailbox_id: int) -> Link:
    record = uuid.uuid4().hex
    values: dict[Field, JsonValue] = {
        Field.SUBJECT: f"Review {record}",
        Field.SPAN: ["2027-01-04T08:00:00Z", "2027-01-04T09:00:00Z"],
        Field.DESCRIPTION: record * 2,
        Field.ATTENDEES: {},
    }
    home = Copy(
        mailbox_id=mailbox_id,
        purpose=CopyPurpose.HOME,
        state=CopyState.LIVE,
        transaction_id=str(uuid.uuid4()),
        event_id=f"AAMkAG{record}{record}",
        ical_uid=f"040000008200E00074C5B7101A82E008{record}",
        etag=f'W/"{record[:24]}"',
    )
    return Link(
        id=str(uuid.uuid4()),
        entity_type="Meeting",
        record_id=record[:17],
        copies=(home,),
        crm_base=Base(values, "2026-11-20T10:00:00Z"),
        outlook_base=Base(values, home.etag),
    )


def _changes(sims: Simulators, calsync: Calsync) -> Callable[[int], float]:
    """Seconds of CHANGES new meetings and their updates, a run for each."""

    def measure(_round: int) -> float:
        meetings = sims.add_meetings(CHANGES, [ALICE_ID])
        created = timed(lambda: _one_by_one(calsync, meetings))
        sims.rename_meetings([record for record, _ in meetings])
        return created + timed(lambda: _one_by_one(calsync, meetings))

    return measure


def _one_by_one(calsync: Calsync, meetings: list[tuple[str, str]]) -> None:
    for meeting in meetings:
        mark(calsync, [meeting])
        settle(calsync)


def _worker_memory(sims: Simulators, data: Path) -> float:
    """Peak resident memory in MB of a process that makes CHANGES changes in the store of `data`."""
    meetings = sims.add_meetings(CHANGES, [ALICE_ID])
    task = json.dumps({"ports": asdict(sims.ports), "meetings": meetings})
    command = [sys.executable, "-m", "bench.size_worker", str(data)]
    answer = subprocess.run(command, input=task.encode(), capture_output=True, check=True)
    return float(answer.stdout)
