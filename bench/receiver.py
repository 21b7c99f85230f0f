"""500 deliveries of EspoCRM's webhooks, 50 events each, in ten seconds, while the bridge works them off.

The bridge is a real `calsync serve` on one core, all else is on the others. The events are changes of 2,000
synced meetings, so that it also routes, reads and compares what it is told. Every delivery is signed as
EspoCRM signs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from time import perf_counter, sleep

import requests
import yaml

from bench.harness import Line, percentile, seconds
from bench.world import Simulators, answers, connect, folder, mark, process, settings_for, settle, simulators
from calsync_plugin.demo import HOST
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.engine.clock import SystemClock
from calsync_plugin.hookspecs import plugin_manager
from calsync_plugin.sandbox.crm.delivery import signatures
from calsync_plugin.sandbox.crm.identities import ALICE_ID
from calsync_plugin.settings import Settings

DELIVERIES, EVENTS, RECORDS = 500, 50, 2000
SECONDS = 10.0
SENDERS = 4
LONGEST_MS = 100.0
EVENT = "Meeting.update"


def run() -> list[Line]:
    """Deliver at an even pace, and measure how long each answer takes."""
    first, *others = sorted(os.sched_getaffinity(0))
    with _on(others or [first]), simulators() as sims, folder() as data:
        settings = settings_for(sims, data)
        records = _synced(sims, settings)
        with bridge(sims, settings, data, cores=[first]) as address:
            bodies = list(islice(_bodies(records), DELIVERIES))
            sent = _signed(sims, bodies)
            started = perf_counter()
            took = _deliver(f"{address}/webhooks/crm/{EVENT}", sent)
            total = perf_counter() - started
    ms = [one * 1000 for one in took]
    return [
        Line(
            row="receiver",
            what=f"{DELIVERIES} deliveries of {EVENTS} events in {SECONDS:.0f} s, on a core of its own, p99",
            ours=f"p50 {percentile(ms, 0.5):.1f} ms, all in {seconds(total)}",
            value=percentile(ms, 0.99),
            limit=LONGEST_MS,
            unit="ms",
            note=f"the longest answer took {max(ms):.0f} ms; load {os.getloadavg()[0]:.1f}",
            failed=total > SECONDS + 1,
        )
    ]


def _synced(sims: Simulators, settings: Settings) -> list[str]:
    """Ids of meetings that are in Outlook already."""
    calsync = Calsync(settings, plugin_manager(), kind="bridge", clock=SystemClock())
    try:
        connect(calsync, {ALICE_ID: "alice@example.com"})
        added = sims.add_meetings(RECORDS, [ALICE_ID])
        mark(calsync, added)
        settle(calsync)
        return [record_id for record_id, _ in added]
    finally:
        calsync.store.close()
        calsync.http.close()


@contextmanager
def bridge(sims: Simulators, settings: Settings, data: Path, *, cores: Collection[int] = ()) -> Iterator[str]:
    """`calsync serve` over a store that is there already, on `cores` of this machine; its address."""
    address = f"http://{HOST}:{sims.ports.bridge}"
    file = data / "calsync.yaml"
    file.write_text(yaml.safe_dump(_configuration(settings)), encoding="utf-8")
    command = ["calsync_plugin", "serve", "--config", str(file), "--data", str(data)]
    with ExitStack() as stack:
        with _on(cores):
            up = process(command, lambda: answers(f"{address}/readyz") and _hears(sims, address))
            stack.enter_context(up)
        yield address


@contextmanager
def _on(cores: Collection[int]) -> Iterator[None]:
    """Use these cores, and so does whatever is started meanwhile; none named: as before."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _configuration(settings: Settings) -> dict[str, object]:
    crm, graph = settings.crm, settings.graph
    return {
        "crm": {
            "url": crm.url,
            "api_key": crm.api_key,
            "secret_key": crm.secret_key,
            "sweep_seconds": 86_400,
        },
        "graph": {
            "url": graph.url,
            "authority": graph.authority,
            "client_id": graph.client_id,
            "client_secret": graph.client_secret,
        },
        "store": {"url": settings.store.url, "secret_keys": dict(settings.store.secret_keys)},
        "serve": {"public_url": settings.serve.public_url, "port": settings.serve.port},
        "log": {"level": "warning"},
    }


def _bodies(records: Sequence[str]) -> Iterator[bytes]:
    """Deliveries without end: a save of one record after the other."""
    number = 0
    while True:
        elements = []
        for _ in range(EVENTS):
            elements.append(
                {"name": f"Changed {number}", "reminders": [], "id": records[number % len(records)]}
            )
            number += 1
        yield json.dumps(elements).encode()


def _hears(sims: Simulators, address: str) -> bool:
    """Whether it knows its webhooks by now: it answers before it has made them."""
    if not _hooks(sims):
        return False
    (empty,) = _signed(sims, [b"[]"])
    url = f"{address}/webhooks/crm/{EVENT}"
    return requests.post(url, data=empty[0], headers=empty[1], timeout=5).status_code == 202


def _hooks(sims: Simulators) -> list[dict[str, str]]:
    rows = sims.control("GET", f"{sims.crm}/control/dump")["records"]["Webhook"]
    return [row for row in rows if row["event"] == EVENT and not row["deleted"]]


def _signed(sims: Simulators, bodies: Sequence[bytes]) -> list[tuple[bytes, dict[str, str]]]:
    hook = _hooks(sims)[0]
    json_type = {"Content-Type": "application/json"}
    return [(body, json_type | signatures(hook["id"], hook["secretKey"], body)) for body in bodies]


def _deliver(url: str, sent: Sequence[tuple[bytes, dict[str, str]]]) -> list[float]:
    """Deliver each in its turn, evenly over `SECONDS`; the seconds until each answer."""
    session = requests.Session()
    session.trust_env = False
    began = perf_counter()

    def one(number: int) -> float:
        body, headers = sent[number]
        sleep(max(began + number * SECONDS / len(sent) - perf_counter(), 0.0))
        started = perf_counter()
        answer = session.post(url, data=body, headers=headers, timeout=10)
        if answer.status_code != 202:
            raise RuntimeError(f"a delivery was answered {answer.status_code}: {answer.text:.200}")
        return perf_counter() - started

    with ThreadPoolExecutor(SENDERS) as pool:
        return list(pool.map(one, range(len(sent))))
