"""From a save in the CRM to the event in Outlook, through the sandbox as `calsync serve` runs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, perf_counter, sleep
from typing import Any

import requests

from bench.floors import event_of, session_of
from bench.harness import Line, latency_lines
from bench.world import answers, folder, free_ports, meeting_record, process
from calsync_plugin.crm.webhook_setup import wanted_events
from calsync_plugin.demo import CONNECTED, ENTITIES, HOST
from calsync_plugin.sandbox.crm.identities import ALICE_ID, API_KEY

SAVES = 100
WARM_UP = 10
DEADLINE = 10.0
LONGEST_MS = 300.0
_PAUSE = 0.001
"""Between two looks: the sandbox is one process, and a reader that never pauses is all it would serve."""


def run() -> list[Line]:
    """Save and look until it is there."""
    with sandbox() as (crm, outlook):
        mine, direct = [], []
        for number in range(SAVES + WARM_UP):
            ours, floor = _saved(crm, outlook), _posted(outlook)
            if number >= WARM_UP:
                mine.append(ours)
                direct.append(floor)
    return latency_lines(
        "end_to_end",
        "CRM save to event visible, sandbox without delay",
        "direct POST",
        mine,
        direct,
        LONGEST_MS,
    )


@contextmanager
def sandbox() -> Iterator[tuple[str, str]]:
    """The sandbox in a process of its own, as newcomers start it: addresses of the CRM and of Outlook.

    The block begins when Outlook notifies calsync of all mailboxes that are connected.
    """
    port = free_ports(3)
    crm, outlook = (f"http://{HOST}:{port + offset}" for offset in (1, 2))
    with folder() as data:
        command = ["calsync_plugin", "serve", "--data", str(data), "--port", str(port)]
        with process(command, lambda: _listens(crm, outlook)):
            yield crm, outlook


_crm = requests.Session()


def _listens(crm: str, outlook: str) -> bool:
    """Whether the bridge hears of everything: it has its webhooks and subscriptions."""
    if not answers(f"{crm}/control/revision"):
        return False
    records = _crm.get(f"{crm}/control/dump", timeout=10).json()["records"]
    subscribed = _crm.get(f"{outlook}/control/subscriptions", timeout=10).json()["subscriptions"]
    return len(records["Webhook"]) >= len(wanted_events(ENTITIES)) and len(subscribed) >= len(CONNECTED)


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
