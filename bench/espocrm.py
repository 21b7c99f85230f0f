"""1,000 meetings saved in EspoCRM, 15 ms for each request: until all of them are in Outlook."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from time import monotonic, perf_counter, sleep

import requests

from bench.floors import push, session_of
from bench.harness import Line, alternate, median_ratio, seconds, timed
from bench.push import ours_in
from bench.receiver import bridge
from bench.world import (
    Simulators,
    connect,
    folder,
    installation,
    meeting_record,
    settings_for,
    simulators,
)
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.engine.clock import SystemClock
from calsync_plugin.hookspecs import plugin_manager
from calsync_plugin.sandbox.crm.identities import ALICE_ID, API_KEY, CAROL_ID

MEETINGS, PAGE = 1000, 200
DELAY_MS = 15
ROUNDS = 3
DEADLINE = 120.0


def run() -> list[Line]:
    """Save one after the other while the bridge runs; and hand all of them over at once."""
    return [_saved(), _at_once()]


def _saved() -> Line:
    with simulators() as sims, folder() as data:
        settings = settings_for(sims, data)
        calsync = Calsync(settings, plugin_manager(), kind="bridge", clock=SystemClock())
        connect(calsync, {ALICE_ID: "alice@example.com"})
        calsync.store.close()
        calsync.http.close()
        _delay(sims)
        floor = timed(lambda: _save(sims, CAROL_ID))
        with bridge(sims, settings, data):
            sims.forget()
            started = perf_counter()
            _save(sims, ALICE_ID)
            _wait(sims)
            ours = perf_counter() - started
    return Line(
        row="espocrm",
        what=f"{MEETINGS} meetings saved one after the other, {DELAY_MS} ms a request, until Outlook has all",
        floor=f"{seconds(floor)} (the saves alone)",
        ours=seconds(ours),
        value=ours / floor,
        limit=1.3,
        note=f"by EspoCRM's webhooks to a bridge in a process of its own; load {os.getloadavg()[0]:.1f}",
    )


def _at_once() -> Line:
    with simulators() as sims, folder() as data, installation(settings_for(sims, data)) as calsync:
        connect(calsync, {ALICE_ID: "alice@example.com"})
        _delay(sims)
        floor, ours = alternate(ROUNDS, _requests_alone(sims), ours_in(sims, calsync, MEETINGS))
    return Line(
        row="espocrm",
        what="the same handed over at once; floor: pages of 200 read, batches of 20 sent, nothing kept",
        floor=seconds(statistics.median(floor)),
        ours=seconds(statistics.median(ours)),
        value=median_ratio(ours, floor),
    )


def _delay(sims: Simulators) -> None:
    slow = {"path": "^/?api/v1/", "delay_ms": DELAY_MS, "times": None}
    sims.control("POST", f"{sims.crm}/control/faults", slow)
    sims.delay(DELAY_MS)


def _save(sims: Simulators, user_id: str) -> None:
    session = requests.Session()
    session.trust_env = False
    for _ in range(MEETINGS):
        record = meeting_record(user_id)
        del record["id"]
        answer = session.post(
            f"{sims.crm}/api/v1/Meeting", json=record, headers={"X-Api-Key": API_KEY}, timeout=10
        )
        answer.raise_for_status()


def _wait(sims: Simulators) -> None:
    until = monotonic() + DEADLINE
    while sims.writes() < MEETINGS:
        if monotonic() > until:
            raise RuntimeError("not all meetings came to Outlook")
        sleep(0.05)


def _requests_alone(sims: Simulators) -> Callable[[int], float]:
    session = session_of("bob@example.com")

    def measure(_round: int) -> float:
        records = [meeting_record(ALICE_ID) for _ in range(MEETINGS)]

        def alone() -> None:
            _read(sims)
            push(session, sims.outlook, records)

        return timed(alone)

    return measure


def _read(sims: Simulators) -> None:
    for offset in range(0, MEETINGS, PAGE):
        query = f"maxSize={PAGE}&offset={offset}&select=id,name,dateStart,dateEnd,usersIds"
        address = f"{sims.crm}/api/v1/Meeting?{query}"
        answer = requests.get(address, headers={"X-Api-Key": API_KEY}, timeout=10)
        answer.raise_for_status()
