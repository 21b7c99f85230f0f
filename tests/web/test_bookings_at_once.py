"""Two hundred programs book at the same moment, over HTTP: each slot is given once, every loser is told."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from calsync_plugin.state import BookingCalendar, CalendarKind
from calsync_plugin.web.app import create_app
from calsync_plugin.web.server import Server
from tests.patience import let_hooks_wait
from tests.state.conftest import database, fresh, server, url, used_schema
from tests.web.test_api import ADMIN, TOKEN
from tests.world import ALICE, BOB, World

__all__ = ["database", "fresh", "server", "url", "used_schema"]

MEMBERS = (ALICE, BOB)
STARTS = [f"2026-12-01T{hour:02}:00:00Z" for hour in range(8, 18)]
SLOTS = len(MEMBERS) * len(STARTS)
REQUESTS = 200
RULES: dict[str, Any] = {"duration": 60, "step": 60, "hours": "own", "start": "08:00", "end": "20:00"}


@pytest.fixture
def world(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Alice and bob, whose team can be booked."""
    let_hooks_wait(monkeypatch)
    made = World(tmp_path, store_url=url)
    made.settings = replace(made.settings, serve=replace(made.settings.serve, api_token=TOKEN, threads=16))
    made.open()
    for user_id in MEMBERS:
        made.connect(user_id)
    team = BookingCalendar(
        id="team",
        name="Advice",
        kind=CalendarKind.ROUND_ROBIN,
        rules=RULES,
        members=dict.fromkeys(MEMBERS, 0),
    )
    made.app.store.booking_calendars.save(team)
    yield made
    made.close()


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """The API on a port of its own."""
    app = create_app(world.app)
    serving = Server(app, host="127.0.0.1", port=0, threads=16, name="bookings")
    serving.start()
    yield f"http://127.0.0.1:{serving.port}/api/v1/bookings"
    serving.stop()


class Program:
    """One who books, in a thread, when all others do."""

    def __init__(self, address: str, number: int, begin: threading.Barrier) -> None:
        self.address = address
        self.number = number
        self.begin = begin
        self.status = 0
        self.answer: dict[str, Any] = {}
        self.thread = threading.Thread(target=self._book)

    def _book(self) -> None:
        asked = {
            "calendar": "team",
            "start": STARTS[self.number * len(STARTS) // REQUESTS],
            "name": f"V {self.number}",
        }
        headers = {**ADMIN, "Idempotency-Key": f"key-{self.number}"}
        self.begin.wait(60)
        answer = requests.post(self.address, json=asked, headers=headers, timeout=120)
        self.status, self.answer = answer.status_code, answer.json()


def test_of_two_hundred_programs_twenty_get_a_slot(world: World, address: str) -> None:
    begin = threading.Barrier(REQUESTS)
    programs = [Program(address, number, begin) for number in range(REQUESTS)]
    for program in programs:
        program.thread.start()
    for program in programs:
        program.thread.join(180)
    assert Counter(one.status for one in programs) == {201: SLOTS, 409: REQUESTS - SLOTS}, [
        one.answer for one in programs if one.status not in (201, 409)
    ]
    won = [one.answer for one in programs if one.status == 201]
    assert {one["state"] for one in won} == {"confirmed"}
    records = world.records()
    assert {one["id"] for one in records} == {one["record"] for one in won}
    taken = {(one["assignedUserId"], one["dateStart"]) for one in records}
    assert len(taken) == len(records) == SLOTS
    assert all(one.answer["next"] for one in programs if one.status == 409)
    world.settle()
    assert {user_id: len(world.events(user_id)) for user_id in MEMBERS} == dict.fromkeys(MEMBERS, len(STARTS))
