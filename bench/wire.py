"""Requests on the wire for 1,000 creates and 1,000 updates; floor: batches of 20."""

from __future__ import annotations

from bench.harness import Line
from bench.world import (
    Simulators,
    connect,
    folder,
    installation,
    mark,
    settings_for,
    settle,
    simulators,
)
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.sandbox.crm.identities import ALICE_ID

EVENTS = 1000
FLOOR = EVENTS // 20


def run() -> list[Line]:
    """Count what the simulator's request log saw."""
    with simulators() as sims, folder() as data, installation(settings_for(sims, data)) as calsync:
        connect(calsync, {ALICE_ID: "alice@example.com"})
        meetings = sims.add_meetings(EVENTS, [ALICE_ID])
        lines = [_counted("creates", sims, calsync, meetings)]
        sims.rename_meetings([record for record, _ in meetings])
        return [*lines, _counted("updates", sims, calsync, meetings)]


def _counted(what: str, sims: Simulators, calsync: Calsync, meetings: list[tuple[str, str]]) -> Line:
    sims.forget()
    mark(calsync, meetings)
    settle(calsync)
    seen = sims.wire()
    if seen["members"] < EVENTS:
        raise RuntimeError(f"only {seen} for {EVENTS} {what}")
    return Line(
        row="wire",
        what=f"requests on the wire for {EVENTS} {what}",
        floor=f"{FLOOR} batches of 20",
        ours=f"{seen['requests']} requests, {seen['members']} members of batches",
        value=seen["requests"] / FLOOR,
        limit=1.1,
    )
