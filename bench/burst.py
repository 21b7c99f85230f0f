"""Somebody saves one meeting 500 times in ten seconds while the worker runs."""

from __future__ import annotations

from time import perf_counter, sleep

import requests

from bench.floors import session_of
from bench.harness import Line
from bench.world import (
    Simulators,
    connect,
    folder,
    installation,
    mark,
    settings_for,
    settle,
    settle_in_background,
    simulators,
)
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.sandbox.crm.identities import ALICE_ID, API_KEY

SAVES = 500
SECONDS = 10.0
MOST_WRITES = 20


def run() -> list[Line]:
    """Save, call the hook, and count what Outlook was sent."""
    with simulators() as sims, folder() as data, installation(settings_for(sims, data)) as calsync:
        connect(calsync, {ALICE_ID: "alice@example.com"})
        ((record_id, user_id),) = sims.add_meetings(1, [ALICE_ID])
        mark(calsync, [(record_id, user_id)])
        settle(calsync)
        sims.forget()
        calsync.worker.start()
        taken, last = _saves(sims, calsync, record_id)
        settle_in_background(calsync)
        calsync.worker.stop()
        _shows(sims, last)
        writes = sims.writes()
    return [
        Line(
            row="burst",
            what=f"{SAVES} saves of one meeting in {taken:.0f} s: what is written to Outlook",
            ours=f"{writes} writes",
            value=float(writes),
            limit=float(MOST_WRITES),
            unit="writes",
            note="the event shows the last save; the worker ran all the time",
        )
    ]


def _saves(sims: Simulators, calsync: Calsync, record_id: str) -> tuple[float, str]:
    """Save the record in even steps, with the hook after each; returns the seconds and the last subject."""
    crm, name = requests.Session(), ""
    started = perf_counter()
    for number in range(SAVES):
        sleep(max(0.0, started + number * SECONDS / SAVES - perf_counter()))
        name = f"Saved {number}"
        answer = crm.put(
            f"{sims.crm}/api/v1/Meeting/{record_id}",
            json={"name": name},
            headers={"X-Api-Key": API_KEY},
            timeout=10,
        )
        answer.raise_for_status()
        calsync.plugins.hook.calsync_entity_updated(
            entity_type="Meeting", record=answer.json(), changed=["name"]
        )
    return perf_counter() - started, name


def _shows(sims: Simulators, subject: str) -> None:
    events = session_of("alice@example.com").get(f"{sims.outlook}/v1.0/me/events", timeout=10).json()
    shown = [event["subject"] for event in events["value"]]
    if shown != [subject]:
        raise RuntimeError(f"Outlook shows {shown}, the last save was {subject!r}")
