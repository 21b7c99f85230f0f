"""What a person would write by hand for one evening: loops that create events and remember nothing.

Decides nothing that a sync needs: no repeats, no look-ups, no state. That is what makes them floors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import requests

BATCH = 20
PAGE = 200


def event_of(record: dict[str, Any]) -> dict[str, Any]:
    """The event of a record, as plain as it can be."""
    start, end = (record[name].replace(" ", "T") for name in ("dateStart", "dateEnd"))
    return {
        "subject": record["name"],
        "body": {"contentType": "html", "content": record["description"].replace("\n", "<br>")},
        "start": {"dateTime": start, "timeZone": "UTC"},
        "end": {"dateTime": end, "timeZone": "UTC"},
    }


def session_of(address: str) -> requests.Session:
    """A session that is logged in as a mailbox's owner."""
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer sandbox:{address}"
    return session


def batches(records: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """`$batch` bodies that create the events of records, 20 each."""
    for first in range(0, len(records), BATCH):
        yield {
            "requests": [
                {
                    "id": str(number),
                    "method": "POST",
                    "url": "/me/events",
                    "headers": {"Content-Type": "application/json"},
                    "body": event_of(record),
                }
                for number, record in enumerate(records[first : first + BATCH])
            ]
        }


def push(session: requests.Session, outlook: str, records: Sequence[dict[str, Any]]) -> None:
    """Create the events of records, one batch after the other."""
    for body in batches(records):
        answer = session.post(f"{outlook}/v1.0/$batch", json=body, timeout=60)
        answer.raise_for_status()
        for member in answer.json()["responses"]:
            if member["status"] != 201:
                raise RuntimeError(f"the floor's own create failed: {member}")


def push_to_many(outlook: str, work: dict[str, list[dict[str, Any]]]) -> None:
    """The same for many mailboxes at once: a thread for each."""
    with ThreadPoolExecutor(len(work)) as pool:
        jobs = [pool.submit(push, session_of(address), outlook, records) for address, records in work.items()]
    for job in jobs:
        job.result()


def read_pages(session: requests.Session, outlook: str, start: datetime, end: datetime) -> int:
    """Read a calendar's window page by page, parse it and forget it; returns how many events there were."""
    first, last = (moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in (start, end))
    address = f"{outlook}/v1.0/me/calendarView/delta?startDateTime={first}&endDateTime={last}"
    prefer = f'odata.maxpagesize={PAGE}, IdType="ImmutableId", outlook.timezone="UTC"'
    read = 0
    while address:
        answer = session.get(address, headers={"Prefer": prefer}, timeout=60)
        answer.raise_for_status()
        page = answer.json()
        read += len(page["value"])
        address = page.get("@odata.nextLink", "")
    return read
