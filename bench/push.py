"""1,000 new meetings to one mailbox: ours, a loop of `$batch`, and what is the CRM's part of it."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from bench.floors import push, session_of
from bench.harness import Line, alternate, median_ratio, seconds, timed
from bench.stub import Records
from bench.world import (
    Simulators,
    connect,
    folder,
    installation,
    mark,
    meeting_record,
    settings_for,
    settle,
    simulators,
)
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.sandbox.crm.identities import ALICE_ID

EVENTS = 1000
ROUNDS = 3


def run() -> list[Line]:
    """Push to a simulator without delay."""
    with simulators() as sims, folder() as data:
        settings = settings_for(sims, data)
        with installation(settings) as calsync:
            connect(calsync, {ALICE_ID: "alice@example.com"})
            ours = ours_in(sims, calsync)
            stubbed = stubbed_in(calsync)
            floor_times, our_times, stub_times = alternate(ROUNDS, floor_in(sims), ours, stubbed)
    floor, mine, stub = (statistics.median(times) for times in (floor_times, our_times, stub_times))
    return [
        Line(
            row="push",
            what=f"{EVENTS} new meetings to 1 mailbox, no delay; floor: a loop of $batch without state",
            floor=f"{seconds(floor)}, {EVENTS / floor:.0f}/s",
            ours=f"{seconds(mine)}, {EVENTS / mine:.0f}/s",
            value=median_ratio(floor_times, our_times),
            limit=0.6,
            at_least=True,
            unit="of its throughput",
            note="ours reads the records from the CRM simulator over HTTP, which the floor does not",
        ),
        Line(
            row="push",
            what="the same with the records handed over in process",
            floor=seconds(floor),
            ours=f"{seconds(stub)}, {EVENTS / stub:.0f}/s",
            value=median_ratio(floor_times, stub_times),
            unit="of its throughput",
        ),
    ]


def floor_in(sims: Simulators, events: int = EVENTS) -> Callable[[int], float]:
    """The loop's seconds for `events` meetings."""
    session = session_of("bob@example.com")

    def measure(_round: int) -> float:
        records = [meeting_record(ALICE_ID) for _ in range(events)]
        return timed(lambda: push(session, sims.outlook, records))

    return measure


def ours_in(sims: Simulators, calsync: Calsync, events: int = EVENTS) -> Callable[[int], float]:
    """Our seconds from marks to saved bases."""

    def measure(_round: int) -> float:
        mark(calsync, sims.add_meetings(events, [ALICE_ID]))
        return timed(lambda: settle(calsync))

    return measure


def stubbed_in(calsync: Calsync, events: int = EVENTS) -> Callable[[int], float]:
    """The same without the CRM's own time."""

    def measure(_round: int) -> float:
        records = [meeting_record(ALICE_ID) for _ in range(events)]
        mark(calsync, [(record["id"], ALICE_ID) for record in records])
        with Records(records).instead_of(calsync):
            return timed(lambda: settle(calsync))

    return measure
