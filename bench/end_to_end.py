"""From a save in the CRM to the event in Outlook, through the sandbox as `calsync serve` runs it."""

from __future__ import annotations

import statistics
from time import monotonic, perf_counter, sleep
from typing import Any

import requests

from bench.floors import event_of, session_of
from bench.harness import Line, percentile, seconds
from bench.world import answers, folder, free_ports, meeting_record, process
from calsync_plugin.crm.webhook_setup import wanted_events
from calsync_plugin.demo import ENTITIES, HOST
from calsync_plugin.sandbox.crm.identities import ALICE_ID, API_KEY

SAVES = 100
WARM_UP = 10
DEADLINE = 10.0
LONGEST_MS = 300.0
_PAUSE = 0.001
"""Between two looks: the sandbox is one process, and a reader that never pauses is all it would serve."""


def run() -> list[Line]:
    """Save and look until it is there."""
    port = free_ports(3)
    crm, outlook = (f"http://{HOST}:{port + offset}" for offset in (1, 2))
    with folder() as data:
        command = ["calsync_plugin", "serve", "--data", str(data), "--port", str(port)]
        with process(command, lambda: _listens(crm)):
            sleep(_SETTLE)
            mine, direct = [], []
            for number in range(SAVES + WARM_UP):
                ours, floor = _saved(crm, outlook), _posted(outlook)
                if number >= WARM_UP:
                    mine.append(ours)
                    direct.append(floor)
    lines = []
    for name, share in (("p50", 0.5), ("p95", 0.95)):
        ours, floor = percentile(mine, share), percentile(direct, share)
        limited = name == "p95"
        lines.append(
            Line(
                row="end_to_end",
                what=f"CRM save to event visible, sandbox without delay, {name}",
                floor=f"{seconds(floor)} (one direct POST)",
                ours=f"{seconds(ours)}, {ours / floor:.1f} x",
                value=ours * 1000,
                limit=LONGEST_MS if limited else None,
                unit="ms",
                note=f"median ratio {statistics.median(mine) / statistics.median(direct):.1f}"
                if limited
                else "",
            )
        )
    return lines


_crm = requests.Session()
_SETTLE = 0.5
"""Between the CRM's last webhook and the worker's start."""


def _listens(crm: str) -> bool:
    """Whether the bridge has made all its webhooks: the last step but one of its start."""
    if not answers(f"{crm}/control/revision"):
        return False
    records = _crm.get(f"{crm}/control/dump", timeout=10).json()["records"]
    return len(records["Webhook"]) >= len(wanted_events(ENTITIES))


_outlook = session_of("alice@example.com")
_bob = session_of("bob@example.com")


def _saved(crm: str, outlook: str) -> float:
    """Seconds from the begin of a save to the first reading that shows the event."""
    record = meeting_record(ALICE_ID)
    del record["id"]
    started = perf_counter()
    answer = _crm.post(f"{crm}/api/v1/Meeting", json=record, headers={"X-Api-Key": API_KEY}, timeout=10)
    answer.raise_for_status()
    deadline = monotonic() + DEADLINE
    while not _visible(outlook, record):
        if monotonic() > deadline:
            raise RuntimeError("the meeting did not appear in Outlook")
        sleep(_PAUSE)
    return perf_counter() - started


def _visible(outlook: str, record: dict[str, Any]) -> bool:
    start, end = (record[name].replace(" ", "T") for name in ("dateStart", "dateEnd"))
    address = f"{outlook}/v1.0/me/calendarView?startDateTime={start}&endDateTime={end}&$select=subject"
    found = _outlook.get(address, timeout=10).json()["value"]
    return any(event["subject"] == record["name"] for event in found)


def _posted(outlook: str) -> float:
    """Seconds of one direct POST of such an event, to bob."""
    body = event_of(meeting_record(ALICE_ID))
    started = perf_counter()
    _bob.post(f"{outlook}/v1.0/me/events", json=body, timeout=10).raise_for_status()
    return perf_counter() - started
