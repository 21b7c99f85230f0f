"""From an edit in Outlook to the record in the CRM, through the sandbox as `calsync serve` runs it.

Outlook notifies calsync over HTTP; nothing is polled.
"""

from __future__ import annotations

from itertools import count
from time import monotonic, perf_counter, sleep
from typing import Any

import requests

from bench.end_to_end import sandbox
from bench.floors import session_of
from bench.harness import Line, latency_lines
from bench.world import meeting_record
from calsync_plugin.sandbox.crm.identities import ALICE_ID, API_KEY, CAROL_ID

MEETINGS = 10
EDITS = 100
WARM_UP = 10
DEADLINE = 10.0
LONGEST_MS = 500.0
_PAUSE = 0.001
"""Between two looks: the sandbox is one process, and a reader that never pauses is all it would serve."""
_outlook = session_of("alice@example.com")
_crm = requests.Session()
_crm.headers["X-Api-Key"] = API_KEY
_names = count(1)


def run() -> list[Line]:
    """Edit and look until it is there; beside each edit one direct PUT of another record."""
    with sandbox() as (crm, outlook):
        events = dict(_meeting(crm, outlook) for _ in range(MEETINGS))
        other = _unsynced(crm)
        mine, direct = [], []
        for number in range(EDITS + WARM_UP):
            record_id = list(events)[number % MEETINGS]
            ours, floor = _edited(crm, outlook, record_id, events[record_id]), _put(crm, other)
            if number >= WARM_UP:
                mine.append(ours)
                direct.append(floor)
    return latency_lines(
        "from_outlook",
        "Outlook edit to CRM record, sandbox with notifications",
        "direct PUT",
        mine,
        direct,
        LONGEST_MS,
    )


def _meeting(crm: str, outlook: str) -> tuple[str, str]:
    """A meeting that is in both; returns the ids of its record and of its event."""
    record = meeting_record(ALICE_ID)
    del record["id"]
    record_id = str(_sent(_crm.post(f"{crm}/api/v1/Meeting", json=record, timeout=10))["id"])
    query = {"$filter": f"subject eq '{record['name']}'", "$select": "id"}
    deadline = monotonic() + DEADLINE
    while True:
        found = _sent(_outlook.get(f"{outlook}/v1.0/me/events", params=query, timeout=10))["value"]
        if found:
            return record_id, str(found[0]["id"])
        if monotonic() > deadline:
            raise RuntimeError("the meeting did not appear in Outlook")
        sleep(_PAUSE)


def _unsynced(crm: str) -> str:
    """The id of a record that nobody's calendar gets: its PUTs cost the CRM alone."""
    record = meeting_record(CAROL_ID)
    del record["id"]
    return str(_sent(_crm.post(f"{crm}/api/v1/Meeting", json=record, timeout=10))["id"])


def _edited(crm: str, outlook: str, record_id: str, event_id: str) -> float:
    """Seconds from the begin of an edit to the first reading of the record that shows it."""
    subject = f"Edited in Outlook {next(_names)}"
    started = perf_counter()
    _sent(_outlook.patch(f"{outlook}/v1.0/me/events/{event_id}", json={"subject": subject}, timeout=10))
    deadline = monotonic() + DEADLINE
    while _sent(_crm.get(f"{crm}/api/v1/Meeting/{record_id}", timeout=10))["name"] != subject:
        if monotonic() > deadline:
            raise RuntimeError("the edit did not reach the CRM")
        sleep(_PAUSE)
    return perf_counter() - started


def _put(crm: str, record_id: str) -> float:
    """Seconds of one direct PUT of such a change."""
    body = {"name": f"Edited in the CRM {next(_names)}"}
    started = perf_counter()
    _sent(_crm.put(f"{crm}/api/v1/Meeting/{record_id}", json=body, timeout=10))
    return perf_counter() - started


def _sent(answer: requests.Response) -> dict[str, Any]:
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found
