"""`/metrics`: what Prometheus reads, that it can read it, and who may."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from prometheus_client import REGISTRY
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import Client, TestResponse

from calsync_plugin.web.app import create_app
from tests.world import ALICE, World

TOKEN = "an-administrators-token-of-32-characters"
HERE = {"REMOTE_ADDR": "127.0.0.1"}
NOTHING: Mapping[str, str] = MappingProxyType({})
ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """One in which alice is connected, and programs have a token."""
    found = World(tmp_path)
    try:
        found.settings = replace(found.settings, serve=replace(found.settings.serve, api_token=TOKEN))
        found.open()
        found.connect(ALICE)
        yield found
    finally:
        found.close()


def _read(
    world: World, headers: Mapping[str, str] = NOTHING, where: Mapping[str, str] = HERE
) -> TestResponse:
    client = Client(create_app(world.app))
    return client.get("/metrics", headers=dict(headers), environ_overrides=dict(where))


def _families(world: World) -> dict[str, Metric]:
    answer = _read(world)
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=")
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def _value(families: dict[str, Metric], sample: str, **labels: str) -> float:
    found = [s for f in families.values() for s in f.samples if s.name == sample and s.labels == labels]
    assert len(found) == 1, sample
    return found[0].value


def test_prometheus_can_read_all_of_it(world: World) -> None:
    families = _families(world)
    assert all(name.startswith("calsync_") for name in families)
    assert {f.type for f in families.values()} == {"counter", "gauge", "histogram"}
    assert all(family.documentation.endswith(".") for family in families.values())
    assert _value(families, "calsync_writes_total", side="outlook", kind="create") == 0
    assert _value(families, "calsync_accounts", status="connected") == 1
    assert _value(families, "calsync_accounts", status="reconnect") == 0


def test_what_happened_is_told(world: World) -> None:
    world.save()
    world.clock.advance(45)
    world.settle()
    world.app.store.queue.record_change("Meeting", "unrouted")
    world.clock.advance(7)
    families = _families(world)
    assert _value(families, "calsync_writes_total", side="outlook", kind="create") == 1
    assert _value(families, "calsync_links", state="active") == 1
    assert _value(families, "calsync_waiting_changes", kind="unrouted") == 1
    assert _value(families, "calsync_oldest_waiting_seconds") == pytest.approx(7, abs=0.1)
    assert _value(families, "calsync_runs_total", result="done") >= 1
    assert _value(families, "calsync_graph_requests_total", status="200") >= 1


def test_the_lag_is_a_histogram(world: World) -> None:
    world.save()
    world.clock.advance(45)
    world.settle()
    families = _families(world)
    assert _value(families, "calsync_lag_seconds_bucket", direction="out", le="30") == 0
    assert _value(families, "calsync_lag_seconds_bucket", direction="out", le="60") == 1
    assert _value(families, "calsync_lag_seconds_bucket", direction="out", le="+Inf") == 1
    assert _value(families, "calsync_lag_seconds_count", direction="out") == 1
    assert _value(families, "calsync_lag_seconds_sum", direction="out") == pytest.approx(45, abs=1)


def test_two_bridges_in_one_process_count_apart(world: World) -> None:
    world.save()
    world.settle()
    first, second = world.app, world.open()
    second.counting.add("clashes", amount=5)
    assert ("clashes", "") not in first.counting.totals()
    assert _value(_families(world), "calsync_clashes_total") == 5
    names = {metric.name for metric in REGISTRY.collect()}
    assert not any(name.startswith("calsync") for name in names)


def test_nobody_is_named(world: World) -> None:
    world.save(name="Merger with Fabrikam")
    world.settle()
    text = _read(world).text
    for secret in ("Merger", "alice", ALICE, "example.com", TOKEN):
        assert secret not in text


@pytest.mark.parametrize(
    ("where", "headers", "status"),
    [
        pytest.param(HERE, {}, 200, id="this-machine"),
        pytest.param({"REMOTE_ADDR": "::1"}, {}, 200, id="this-machine-v6"),
        pytest.param(ELSEWHERE, {}, 401, id="elsewhere"),
        pytest.param({"REMOTE_ADDR": ""}, {}, 401, id="unknown-address"),
        pytest.param(HERE, {"X-Forwarded-For": "192.0.2.7"}, 401, id="through-a-proxy"),
        pytest.param(HERE, {"Forwarded": "for=192.0.2.7"}, 401, id="through-a-proxy-rfc-7239"),
        pytest.param(ELSEWHERE, {"Authorization": f"Bearer {TOKEN}"}, 200, id="token"),
        pytest.param(ELSEWHERE, {"Authorization": "Bearer wrong"}, 401, id="wrong-token"),
        pytest.param(
            HERE,
            {"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": "192.0.2.7"},
            200,
            id="token-through-a-proxy",
        ),
    ],
)
def test_metrics_are_for_this_machine_or_the_token(
    world: World, where: dict[str, str], headers: dict[str, str], status: int
) -> None:
    answer = _read(world, headers, where)
    assert answer.status_code == status
    assert ("calsync_accounts" in answer.text) is (status == 200)


@pytest.mark.parametrize(
    ("token", "status"), [pytest.param("", 401, id="without"), pytest.param(TOKEN, 200, id="with")]
)
def test_behind_a_public_address_only_the_token_counts(tmp_path: Path, token: str, status: int) -> None:
    world = World(tmp_path)
    try:
        serve = replace(world.settings.serve, public_url="https://calsync.example.com", api_token=TOKEN)
        world.settings = replace(
            world.settings, serve=serve, store=replace(world.settings.store, url=f"sqlite:///{tmp_path}/2.db")
        )
        world.open()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        assert _read(world, headers).status_code == status
    finally:
        world.close()
