"""What nothing costs: the requests of a connected mailbox in which nothing happens, and 10,000 of those.

The day passes by a clock that is moved, with both simulators in this process (`tests.world`).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import asdict

from bench.harness import Line
from bench.world import Simulators, folder, simulators
from tests.world import ALICE, World

EVENTS = 150
DAY = 24 * 3600.0
DAYS = 4
MOST_LOOKS = 5
"""One a day, from 21.6 to 26.4 hours after the last."""
MAILBOXES = 10_000
SECONDS = 20.0
MOST_CPU = 2.0
LARGEST_MB = 300.0
_UPKEEP = re.compile("/subscriptions", re.IGNORECASE)
_LOOK = re.compile("/calendarView/delta", re.IGNORECASE)
_SWEPT = re.compile("/me/events/[^/?]+(/calendar)?([?]|$)", re.IGNORECASE)


def run() -> list[Line]:
    """Let a day pass, then let 10,000 mailboxes wait."""
    with simulators() as sims:
        return [_day(), *_many(sims)]


def _day() -> Line:
    """Days of a mailbox with notifications."""
    with folder() as data:
        world = World(data, notifications=True)
        try:
            for number in range(EVENTS):
                world.outlook_create(ALICE, subject=f"Visit {number}")
            world.connect(ALICE)
            world.settle()
            _pass(world, DAY / 2)
            world.outlook.log.clear()
            _pass(world, DAYS * DAY)
            seen = world.outlook.log.as_json()["requests"]
        finally:
            world.close()
    # MSAL goes by the machine's clock: here Outlook has to say that a token's hour is over.
    paths = [one["path"] for one in seen if "$batch" not in one["path"] and one["status"] != 401]
    upkeep = [path for path in paths if _UPKEEP.search(path)]
    looks = [path for path in paths if _LOOK.search(path)]
    swept = [path for path in paths if _SWEPT.search(path)]
    others = len(paths) - len(upkeep) - len(looks) - len(swept)
    others += max(0, len(looks) - MOST_LOOKS)
    an_hour = others / (24 * DAYS)
    return Line(
        row="idle",
        what="an idle mailbox with notifications: requests of Graph but renewals and daily looks",
        ours=f"{an_hour:.2f} an hour",
        value=an_hour,
        limit=0.0,
        unit="an hour",
        note=f"in {DAYS} days: {len(upkeep)} for its subscription, {len(looks)} looks,"
        f" {len(swept)} members of batches by which they verify portions of the events",
    )


def _pass(world: World, seconds: float) -> None:
    """Let time pass, step by step from one thing that is due to the next."""
    end = world.clock.now() + seconds
    while True:
        while world.app.worker.drain() or world.outlook.subscriptions.flush():
            pass
        due = world.app.store.queue.next_due_in()
        left = end - world.clock.now()
        if due is None or due > left:
            world.clock.advance(max(left, 0.0))
            return
        world.clock.advance(max(due, 0.0) + 0.001)


def _many(sims: Simulators) -> list[Line]:
    """CPU and memory of a process whose worker waits for MAILBOXES mailboxes."""
    task = json.dumps({"ports": asdict(sims.ports), "mailboxes": MAILBOXES, "seconds": SECONDS})
    with folder() as data:
        command = [sys.executable, "-m", "bench.idle_worker", str(data)]
        answer = subprocess.run(command, input=task.encode(), stdout=subprocess.PIPE, check=True)
    found = json.loads(answer.stdout)
    if found["accounts"] != MAILBOXES:
        raise RuntimeError(f"{found['accounts']} accounts waited instead of {MAILBOXES}")
    what = f"{MAILBOXES:,} idle mailboxes in one process"
    return [
        Line(
            row="idle",
            what=f"{what}, share of a core",
            ours=f"{found['cpu']:.2f} s in {found['seconds']:.0f} s",
            value=100 * found["cpu"] / found["seconds"],
            limit=MOST_CPU,
            unit="%",
        ),
        Line(
            row="idle",
            what=f"{what}, peak memory",
            ours=f"{found['peak']:.0f} MB",
            value=found["peak"],
            limit=LARGEST_MB,
            unit="MB",
        ),
    ]
