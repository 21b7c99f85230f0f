"""The push to one mailbox with the latency of a real service: 100 ms a request, four of a mailbox at once."""

from __future__ import annotations

import statistics

from bench.harness import Line, alternate, median_ratio, seconds
from bench.push import floor_in, ours_in
from bench.world import connect, folder, installation, settings_for, simulators
from calsync_plugin.sandbox.crm.identities import ALICE_ID

EVENTS = 400
DELAY_MS = 100.0
AT_ONCE = 4
ROUNDS = 2
LEAST = EVENTS / AT_ONCE * DELAY_MS / 1000
"""25 s for 1,000 events, 10 s for 400."""


def run() -> list[Line]:
    """Push with latency."""
    with simulators() as sims, folder() as data, installation(settings_for(sims, data)) as calsync:
        connect(calsync, {ALICE_ID: "alice@example.com"})
        ours, floor = ours_in(sims, calsync, EVENTS), floor_in(sims, EVENTS)
        ours(0)
        sims.delay(DELAY_MS)
        mine = [ours(number) for number in range(ROUNDS)]
        (loops,) = alternate(0, floor) if not ROUNDS else ([floor(0)],)
    return [
        Line(
            row="latency",
            what=f"{EVENTS} new meetings to 1 mailbox, {DELAY_MS:.0f} ms delay, {AT_ONCE} at once",
            floor=f"{seconds(LEAST)} (computed)",
            ours=seconds(statistics.median(mine)),
            value=median_ratio([LEAST] * ROUNDS, mine),
            limit=0.9,
            at_least=True,
            unit="of its throughput",
            note=f"scaled from 1,000 meetings (25 s); the loop without state took {seconds(loops[0])}",
        )
    ]
