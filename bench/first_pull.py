"""The first reading of a mailbox with 10,000 events; floor: the same pages read and parsed, nothing kept.

The CRM is stubbed where it is written: 10,000 records are the CRM's work, not ours.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from bench.floors import read_pages, session_of
from bench.harness import Line, alternate, median_ratio, seconds, timed
from bench.world import Simulators, folder, simulators
from calsync_plugin.domain.window import window
from calsync_plugin.sandbox.crm.identities import ALICE_ID, BOB_ID

EVENTS, FEW = 10_000, 2_000
ROUNDS = 3
DELAY_MS = 100.0
LARGEST_MB = 200.0
PEOPLE = {EVENTS: (ALICE_ID, "alice@example.com"), FEW: (BOB_ID, "bob@example.com")}


@dataclass(frozen=True, slots=True)
class Pull:
    """What a process that read a mailbox told."""

    seconds: float
    peak: float
    links: int


def run() -> list[Line]:
    """Read both mailboxes, the large one several times and once with latency."""
    with simulators() as sims:
        for number, (_, address) in PEOPLE.items():
            sims.plant(address, number)
        few, pulls = _pull(sims, FEW), []

        def ours(number: int) -> float:
            pull = _pull(sims, EVENTS)
            if number:
                pulls.append(pull)
            return pull.seconds

        floors, mine = alternate(ROUNDS, lambda _: _floor(sims), ours)
        sims.delay(DELAY_MS)
        late_floor, late = _floor(sims), _pull(sims, EVENTS).seconds
    floor, taken = statistics.median(floors), statistics.median(mine)
    peak = max(pull.peak for pull in pulls)
    return [
        Line(
            row="first_pull",
            what=f"first pull of {EVENTS:,} events, CRM writes stubbed; floor: the pages read and parsed",
            floor=seconds(floor),
            ours=f"{seconds(taken)}, {EVENTS / taken:.0f}/s",
            value=median_ratio(mine, floors),
            limit=3.0,
            note="every other event has two attendees; ours compares, keeps both bases and reads back",
        ),
        Line(
            row="first_pull",
            what=f"the same with {DELAY_MS:.0f} ms for each request of Graph",
            floor=seconds(late_floor),
            ours=seconds(late),
            value=late / late_floor,
        ),
        Line(
            row="first_pull",
            what=f"peak memory of the process that pulls {EVENTS:,} events",
            ours=f"{peak:.0f} MB",
            value=peak,
            limit=LARGEST_MB,
            unit="MB",
        ),
        Line(
            row="first_pull",
            what=f"that peak; floor: of {FEW:,} events",
            floor=f"{few.peak:.0f} MB",
            ours=f"{peak:.0f} MB",
            value=peak / few.peak,
            limit=1.15,
        ),
    ]


def _floor(sims: Simulators) -> float:
    session = session_of(PEOPLE[EVENTS][1])
    today = datetime.now(UTC)
    span = window(today.date(), 12, today)
    read = 0

    def read_all() -> None:
        nonlocal read
        read = read_pages(session, sims.outlook, span.start, span.end)

    taken = timed(read_all)
    if read != EVENTS:
        raise RuntimeError(f"the floor read {read} events instead of {EVENTS}")
    return taken


def _pull(sims: Simulators, events: int) -> Pull:
    """Pull in a process of its own, into a store of its own."""
    user_id, address = PEOPLE[events]
    task = json.dumps({"ports": asdict(sims.ports), "user": user_id, "address": address})
    with folder() as data:
        command = [sys.executable, "-m", "bench.pull_worker", str(data)]
        answer = subprocess.run(command, input=task.encode(), stdout=subprocess.PIPE, check=True)
    found = Pull(**json.loads(answer.stdout))
    if found.links != events:
        raise RuntimeError(f"{found.links} links of {events} events")
    return found
