"""100 mailboxes with 20 new meetings each, at once, in one process."""

from __future__ import annotations

import statistics
from time import process_time

from bench.floors import push_to_many
from bench.harness import Line, median_ratio, seconds, timed
from bench.stub import Records
from bench.world import (
    Simulators,
    connect,
    folder,
    installation,
    mark,
    meeting_record,
    settings_for,
    settle_in_background,
    simulators,
)
from calsync_plugin.engine.assembly import Calsync

MAILBOXES = 100
EACH = 20
EVENTS = MAILBOXES * EACH
DELAY_MS = 100.0
AT_ONCE = 4
LEAST = EACH / AT_ONCE * DELAY_MS / 1000
"""Every mailbox at its own limit, all at once, nothing else taking any time."""
ROUNDS = 3


def run() -> list[Line]:
    """Push to many mailboxes."""
    with simulators() as sims, folder() as data:
        people = sims.add_people(MAILBOXES)
        others = sims.add_mailboxes(MAILBOXES, "other")
        with installation(settings_for(sims, data, threads=MAILBOXES)) as calsync:
            connect(calsync, people)
            sims.delay(DELAY_MS)
            calsync.worker.start()
            floors, mine, stubbed, cpu = [], [], [], []
            for number in range(ROUNDS + 1):
                work = {a: [meeting_record("") for _ in range(EACH)] for a in others}
                floor = timed(lambda work=work: push_to_many(sims.outlook, work))  # type: ignore[misc]
                before = process_time()
                ours = _ours(calsync, sims, list(people))
                used = process_time() - before
                stub = _stubbed(calsync, list(people))
                if number:
                    floors.append(floor)
                    mine.append(ours)
                    stubbed.append(stub)
                    cpu.append(used)
            calsync.worker.stop()
    floor, ours, stub = (statistics.median(times) for times in (floors, mine, stubbed))
    what = f"{MAILBOXES} mailboxes x {EACH} new meetings, {DELAY_MS:.0f} ms delay, one process"
    return [
        Line(
            row="many_mailboxes",
            what=f"{what}; floor: all at their limit at once",
            floor=f"{seconds(LEAST)} (computed)",
            ours=f"{seconds(ours)}, {EVENTS / ours:.0f}/s",
            value=LEAST / ours,
            limit=0.5,
            at_least=True,
            unit="of its throughput",
            note=f"{statistics.median(cpu) / EVENTS * 1000:.2f} ms of CPU for each event of ours",
        ),
        Line(
            row="many_mailboxes",
            what="the same; floor: 100 threads, each with a loop of $batch without state",
            floor=f"{seconds(floor)}, {EVENTS / floor:.0f}/s",
            ours=seconds(ours),
            value=median_ratio(floors, mine),
            unit="of its throughput",
            note="the simulator shares the machine: what it takes is in both",
        ),
        Line(
            row="many_mailboxes",
            what="the same with the records handed over in process",
            floor=seconds(floor),
            ours=f"{seconds(stub)}, {EVENTS / stub:.0f}/s",
            value=median_ratio(floors, stubbed),
            unit="of its throughput",
        ),
    ]


def _ours(calsync: Calsync, sims: Simulators, users: list[str]) -> float:
    meetings = sims.add_meetings(EVENTS, users)
    return timed(lambda: _push(calsync, meetings))


def _stubbed(calsync: Calsync, users: list[str]) -> float:
    records = [meeting_record(users[i % len(users)]) for i in range(EVENTS)]
    meetings = [(record["id"], record["assignedUserId"]) for record in records]
    with Records(records).instead_of(calsync):
        return timed(lambda: _push(calsync, meetings))


def _push(calsync: Calsync, meetings: list[tuple[str, str]]) -> None:
    """From the marks to the last saved base; the worker waits already."""
    mark(calsync, meetings)
    settle_in_background(calsync)
