"""What the rows measure: simulators in processes of their own, and an installation of calsync between them.

Decides how records come into the CRM and people get connected. Measures nothing.
"""

from __future__ import annotations

import html
import logging
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pluggy
import requests

from calsync_plugin.accounts.grants import NEEDED
from calsync_plugin.demo import HOST, Ports, sandbox_settings
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.engine.clock import SystemClock
from calsync_plugin.sandbox.crm import identities
from calsync_plugin.settings import LogSettings, Settings
from calsync_plugin.state import Subject

START_SECONDS = 20.0
_INPUT = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')
_DAY = datetime(2027, 1, 4, 8, 0, tzinfo=UTC)
_ids = count(1)

GUESTS = 300
"""How many people who are unknown to the CRM are invited to events."""

# At the address where these rows say that calsync answers nobody listens: mailboxes are polled, and calsync
# says so for each of them.
logging.getLogger("calsync_plugin.engine.subscribing").setLevel(logging.ERROR)

DESCRIPTION = "Agenda\n- where we stand\n- what is next\n\nPlease bring the figures of last month."


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def free_ports(number: int) -> int:
    """The first of so many free ports in a row, below those that systems give to outgoing connections."""
    for first in range(20_000, 30_000, number):
        with ExitStack() as stack:
            try:
                for offset in range(number):
                    stack.enter_context(socket.socket()).bind((HOST, first + offset))
            except OSError:
                continue
            return first
    raise RuntimeError("no free ports")


@contextmanager
def process(arguments: Sequence[str], ready: Callable[[], bool]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Python module until the block ends; the block begins when it is `ready`."""
    command = [sys.executable, "-m", *arguments]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = monotonic() + START_SECONDS
        while not ready():
            if running.poll() is not None or monotonic() > deadline:
                raise RuntimeError(f"{' '.join(command)} did not start")
            sleep(0.02)
        yield running
    finally:
        running.terminate()
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def answers(url: str) -> bool:
    """Whether somebody answers there."""
    try:
        return requests.get(url, timeout=2).ok
    except requests.ConnectionError:
        return False


class Simulators:
    """Both simulators, by their control interfaces."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports
        self.crm = f"http://{HOST}:{ports.crm}"
        self.outlook = f"http://{HOST}:{ports.outlook}"
        self._session = requests.Session()

    def control(self, method: str, address: str, body: object = None) -> Any:
        """Call a control interface."""
        answer = self._session.request(method, address, json=body, timeout=60)
        if not answer.ok:
            raise RuntimeError(f"{method} {address} answered {answer.status_code}: {answer.text:.300}")
        return answer.json()

    def delay(self, milliseconds: float) -> None:
        """Set the latency of each request of Graph."""
        self.control("PUT", f"{self.outlook}/control/delay", {"delay_ms": milliseconds})

    def unlimited(self) -> None:
        """No limit for ten minutes: a bench does more in that time than a mailbox may."""
        self.control("PUT", f"{self.outlook}/control/switches", {"requests_per_10_minutes": 10_000_000})

    def wire(self) -> dict[str, int]:
        """Requests that came to Graph since the last `forget`."""
        total: dict[str, int] = self.control("GET", f"{self.outlook}/control/requests")["total"]
        return total

    def writes(self) -> int:
        """How many requests since the last `forget`, members of batches one by one, were to write."""
        seen = self.control("GET", f"{self.outlook}/control/requests")["requests"]
        return sum(one["method"] != "GET" and "$batch" not in one["path"] for one in seen)

    def forget(self) -> None:
        """Begin to count anew."""
        self.control("DELETE", f"{self.outlook}/control/requests")

    def add_mailboxes(self, number: int, prefix: str) -> list[str]:
        """Mailboxes of nobody in the CRM; returns their addresses."""
        self.control("POST", f"{self.outlook}/control/mailboxes", {"count": number, "prefix": prefix})
        return [f"{prefix}{i}@example.com" for i in range(1, number + 1)]

    def add_people(self, number: int) -> dict[str, str]:
        """Users of the CRM with mailboxes: id -> address."""
        people = {f"{i:017x}": address for i, address in enumerate(self.add_mailboxes(number, "bench"))}
        rows = [
            {
                "id": user_id,
                "userName": address.split("@")[0],
                "lastName": address.split("@")[0],
                "emailAddress": address,
                "type": "regular",
                "rolesIds": [identities.ROLE_SALES_ID],
            }
            for user_id, address in people.items()
        ]
        self.control("POST", f"{self.crm}/control/records/User", {"list": rows})
        return people

    def add_meetings(self, number: int, user_ids: Sequence[str]) -> list[tuple[str, str]]:
        """New meetings, spread over users: (record id, user id) of each."""
        rows = [meeting_record(user_ids[i % len(user_ids)]) for i in range(number)]
        for first in range(0, number, 500):
            part = rows[first : first + 500]
            self.control("POST", f"{self.crm}/control/records/Meeting", {"list": part})
        return [(row["id"], row["assignedUserId"]) for row in rows]

    def plant(self, address: str, number: int) -> None:
        """Put new events into somebody's calendar."""
        for first in range(0, number, 500):
            events = [outlook_event() for _ in range(min(500, number - first))]
            self.control(
                "POST", f"{self.outlook}/control/mailboxes/{address}/events/many", {"events": events}
            )

    def rename_meetings(self, record_ids: Sequence[str]) -> None:
        """Save other subjects, through the CRM's own interface."""
        for record_id in record_ids:
            address = f"{self.crm}/api/v1/Meeting/{record_id}"
            answer = self._session.put(
                address,
                json={"name": f"Moved review {record_id}"},
                headers={"X-Api-Key": identities.API_KEY},
                timeout=10,
            )
            answer.raise_for_status()


def meeting_record(user_id: str) -> dict[str, Any]:
    """An ordinary meeting of an ordinary length."""
    number = next(_ids)
    start = _DAY + timedelta(hours=number % 4000)
    return {
        "id": f"6{number:016x}",
        "name": f"Quarterly review with customer {number}",
        "description": f"{DESCRIPTION}\nReference {number}",
        "dateStart": start.strftime("%Y-%m-%d %H:%M:%S"),
        "dateEnd": (start + timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S"),
        "assignedUserId": user_id,
        "usersIds": [user_id],
    }


def outlook_event() -> dict[str, Any]:
    """An ordinary event of an ordinary length; every other one has two attendees whom the CRM lacks."""
    number = next(_ids)
    start = _DAY + timedelta(minutes=30 * (number % 14_000))
    text = "</p><p>".join(DESCRIPTION.splitlines())
    people = [f"guest{(number + offset) % GUESTS}@northwind.example" for offset in (0, 7)]
    return {
        "subject": f"Site visit at customer {number}",
        "body": {"contentType": "html", "content": f"<html><body><p>{text}</p>{number}</body></html>"},
        "location": {"displayName": f"Room {number % 40}"},
        "start": {"dateTime": start.strftime("%Y-%m-%dT%H:%M:%S"), "timeZone": "UTC"},
        "end": {"dateTime": (start + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S"), "timeZone": "UTC"},
        "attendees": [
            {"type": "required", "emailAddress": {"address": address, "name": address.split("@")[0].title()}}
            for address in people[: 2 * (number % 2)]
        ],
    }


@contextmanager
def simulators() -> Iterator[Simulators]:
    """Both simulators, fresh, each in a process of its own."""
    found = Simulators(Ports(bridge=free_port(), crm=free_port(), outlook=free_port()))
    with ExitStack() as stack:
        for side, port, url in (
            ("crm", found.ports.crm, f"{found.crm}/control/revision"),
            ("outlook", found.ports.outlook, f"{found.outlook}/control/counter"),
        ):
            command = ["calsync_plugin", "sandbox", side, "--port", str(port)]
            stack.enter_context(process(command, lambda url=url: answers(url)))  # type: ignore[misc]
        found.unlimited()
        yield found


@contextmanager
def folder() -> Iterator[Path]:
    """A folder on disk that goes away."""
    with tempfile.TemporaryDirectory(prefix="calsync-bench-") as name:
        yield Path(name)


def settings_for(sims: Simulators, data: Path, *, threads: int = 8) -> Settings:
    """Settings of the sandbox, without a sweep or a look into a mailbox that would come in between."""
    settings = sandbox_settings(data, sims.ports, LogSettings(level="warning"))
    return replace(
        settings,
        crm=replace(settings.crm, sweep_seconds=86_400),
        graph=replace(settings.graph, requests_per_window=10_000_000, poll_seconds=86_400),
        worker=replace(settings.worker, threads=threads),
    )


@contextmanager
def installation(settings: Settings) -> Iterator[Calsync]:
    """An installation of calsync in this process; its worker runs when a row says so."""
    calsync = Calsync(settings, pluggy.PluginManager("calsync"), kind="sandbox", clock=SystemClock())
    try:
        yield calsync
    finally:
        calsync.store.close()
        calsync.http.close()


def connect(
    calsync: Calsync, people: dict[str, str], *, mode: str = "crm_to_outlook", settled: bool = True
) -> None:
    """Connect users (id -> address) through the login, as a browser would, and let the first reading end.

    Not `settled`: that one is what the row measures.
    """
    session = requests.Session()
    grants = ((Subject("user", user_id), name, user_id) for user_id in people for name in sorted(NEEDED))
    calsync.store.given_grants.give_all(grants, given_by="the bench")
    for user_id, address in people.items():
        page = calsync.connections.begin(user_id, mode=mode, login_hint=address, prompt="none").replace(
            "https://login.sandbox.invalid", calsync.settings.graph.authority.rsplit("/", 1)[0]
        )
        answer = session.get(page, timeout=10).text
        calsync.connections.finish({name: html.unescape(value) for name, value in _INPUT.findall(answer)})
    if settled:
        settle(calsync)


def mark(calsync: Calsync, records: Sequence[tuple[str, str]]) -> None:
    """Mark records (id, user id) as a host's hooks do."""
    calsync.store.queue.record_changes([("Meeting", record, user, "saved") for record, user in records])


def settle(calsync: Calsync) -> None:
    """Run in this thread until nothing waits."""
    while calsync.worker.drain():
        pass
    check(calsync)


def settle_in_background(calsync: Calsync, *, deadline: float = 120.0) -> None:
    """Let the started worker run until nothing waits."""
    until = monotonic() + deadline
    while waiting(calsync):
        if monotonic() > until:
            raise RuntimeError("the worker did not come to an end")
        sleep(0.01)
    check(calsync)


def waiting(calsync: Calsync) -> int:
    """How many marks of records and of events wait."""
    return sum(calsync.store.changes.waiting().values()) + calsync.store.events.waiting()


def check(calsync: Calsync) -> None:
    """A figure of work that was not done would be worth nothing."""
    left, parked = waiting(calsync), calsync.store.parked.all(limit=3)
    if left or parked:
        raise RuntimeError(f"not all was synced: {left} marks wait, parked: {parked}")
