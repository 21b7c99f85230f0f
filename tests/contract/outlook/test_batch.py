"""$batch, and the limits of a mailbox: four at once, so many in ten minutes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from flask import Flask

from calsync_plugin.sandbox.outlook import Simulator, create_app
from calsync_plugin.sandbox.outlook.clock import MovableClock
from tests.contract.outlook.people import MARK, Json, Person, code_of, event, json_of, member


def creates(count: int) -> list[Json]:
    return [member(f"{number}", "POST", "/me/events", event(f"{number}")) for number in range(count)]


def test_members_are_answered_each(alice: Person) -> None:
    made = alice.create()
    mark = f"singleValueExtendedProperties/Any(ep: ep/id eq '{MARK}' and ep/value eq 'x')"
    found = alice.batch(
        member("a", "POST", "/me/events", event("New")),
        member("b", "GET", f"/me/events/{made['id']}?$select=subject"),
        member("c", "PATCH", f"/me/events/{made['id']}", {"subject": "Changed"}),
        member("d", "GET", "/me/events/nonsense"),
        member("e", "DELETE", f"/users/alice@example.com/events/{made['id']}"),
        member("f", "GET", f"/me/events?$filter={quote(mark)}"),
    )
    statuses = {name: part["status"] for name, part in found.items()}
    assert statuses == {"a": 201, "b": 200, "c": 200, "d": 400, "e": 204, "f": 200}
    assert found["b"]["body"]["subject"] == "Plan"
    assert found["d"]["body"]["error"]["code"] == "ErrorInvalidIdMalformed"
    assert "body" not in found["e"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="no requests"),
        pytest.param({"requests": []}, id="none"),
        pytest.param({"requests": creates(21)}, id="twenty-one"),
        pytest.param({"requests": [*creates(1), *creates(1)]}, id="an id twice"),
        pytest.param(
            {"requests": [{"id": "1", "method": "POST", "url": "/me/events", "body": {}}]},
            id="no content type",
        ),
        pytest.param({"requests": [{"id": "1", "method": "SING", "url": "/me"}]}, id="no method"),
        pytest.param({"requests": [{"method": "GET", "url": "/me"}]}, id="no id"),
        pytest.param(
            {"requests": [member("1", "GET", "/me", dependsOn=["2"])]}, id="depends on what is not there"
        ),
        pytest.param([], id="no object"),
    ],
)
def test_malformed_batches(alice: Person, body: object) -> None:
    assert alice.post("/v1.0/$batch", body).status_code == 400
    assert alice.events() == []


def test_what_depends_on_a_failure_fails(alice: Person) -> None:
    found = alice.batch(
        member("1", "GET", "/me/events/nonsense"),
        member("2", "POST", "/me/events", event(), dependsOn=["1"]),
        member("3", "POST", "/me/events", event(), dependsOn=["2"]),
        member("4", "POST", "/me/events", event("Free")),
    )
    assert [found[name]["status"] for name in "1234"] == [400, 424, 424, 201]
    assert found["2"]["body"]["error"]["code"] == "FailedDependency"
    assert [one["subject"] for one in alice.events()] == ["Free"]


def test_a_batch_of_other_peoples_mailboxes(alice: Person, bob: Person) -> None:
    found = alice.batch(
        member("1", "GET", "/users/bob@example.com/calendar"), member("2", "GET", "/nonsense")
    )
    assert [found[name]["status"] for name in "12"] == [403, 400]


class Gate:
    """Stands in for the simulator's sleep: who sleeps waits until the gate opens, and says for how long."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.waiting = threading.Semaphore(0)
        self.open = threading.Event()

    def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        self.waiting.release()
        assert self.open.wait(10)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def slow(gate: Gate) -> Iterator[Flask]:
    app = create_app(sleep=gate, clock=MovableClock(frozen_at=datetime(2026, 11, 23, tzinfo=UTC)))
    app.extensions["outlook"].delay_ms = 100
    yield app
    gate.open.set()
    app.extensions["outlook"].close()


@contextmanager
def meanwhile(gate: Gate, *calls: Callable[[], object]) -> Iterator[None]:
    """Run calls in threads, and the block while all of them sleep."""
    threads = [threading.Thread(target=call, daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    for _ in calls:
        assert gate.waiting.acquire(timeout=10)
    yield
    gate.open.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    ("count", "chained", "seconds"),
    [(20, False, 0.5), (4, False, 0.1), (5, False, 0.2), (1, False, 0.1), (3, True, 0.3)],
)
def test_the_latency_of_a_batch_is_one_sleep(
    slow: Flask, gate: Gate, count: int, chained: bool, seconds: float
) -> None:
    gate.open.set()
    requests = creates(count)
    if chained:
        for one, before in zip(requests[1:], requests, strict=False):
            one["dependsOn"] = [before["id"]]
    Person(slow, "alice@example.com").batch(*requests)
    assert gate.asked == [pytest.approx(seconds)]


def test_a_second_batch_of_a_mailbox_is_refused_member_by_member(slow: Flask, gate: Gate) -> None:
    first, second, other = (Person(slow, f"{name}@example.com") for name in ("alice", "alice", "bob"))
    results: list[Json] = []
    with meanwhile(gate, lambda: results.append(first.batch(*creates(20)))):
        refused = second.batch(*creates(2))
        assert {part["status"] for part in refused.values()} == {429}
        assert refused["0"]["body"]["error"]["code"] == "ApplicationThrottled"
        assert refused["0"]["headers"]["Retry-After"] == "1"
        alone = second.get("events")
        assert (alone.status_code, alone.headers["Retry-After"]) == (429, "1")
        gate.open.set()
        assert other.batch(*creates(1))["0"]["status"] == 201
    assert {part["status"] for part in results[0].values()} == {201}
    assert second.batch(*creates(1))["0"]["status"] == 201


def test_four_requests_at_once(slow: Flask, gate: Gate) -> None:
    people = [Person(slow, "alice@example.com") for _ in range(5)]
    with meanwhile(gate, *[lambda one=one: one.get("events") for one in people[:4]]):
        answer = people[4].get("events")
        assert (answer.status_code, code_of(answer)) == (429, "ApplicationThrottled")
    assert people[4].get("events").status_code == 200


def test_so_many_in_ten_minutes(alice: Person, sim: Simulator, clock: MovableClock) -> None:
    sim.switches = sim.switches.changed({"requests_per_10_minutes": 10})
    clock.advance(30)
    assert {part["status"] for part in alice.batch(*creates(8)).values()} == {201}
    clock.advance(60)
    found = alice.batch(*creates(3))
    assert [found[name]["status"] for name in "012"] == [201, 201, 429]
    assert found["2"]["headers"]["Retry-After"] == "540"
    clock.advance(541)
    assert alice.get("events").status_code == 200
    assert Person(_app(sim), "bob@example.com").get("events").status_code == 200


def _app(sim: Simulator) -> Flask:
    """Return an application around a simulator that is already there."""
    app = create_app()
    front = app.wsgi_app
    assert hasattr(front, "_sim")
    front._sim = sim
    return app


def test_counts(alice: Person) -> None:
    alice.batch(*creates(3))
    alice.get("events")
    seen = json_of(alice.get("/control/requests"))
    assert seen["total"] == {"requests": 2, "batches": 1, "members": 3, "refused": 0}
    assert seen["mailboxes"]["alice@example.com"]["members"] == 3
    assert [one["path"] for one in seen["requests"]][-1] == "/v1.0/me/events"
    alice.delete("/control/requests")
    assert json_of(alice.get("/control/requests"))["requests"] == []
