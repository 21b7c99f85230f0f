"""What is counted of a run, what of it the store keeps, and that an idle installation keeps nothing."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

import pytest

from calsync_plugin.domain.lag import LABELS
from tests.world import ALICE, World


def _kept(world: World) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = defaultdict(float)
    for figure in world.app.store.figures.since(datetime(2026, 1, 1, tzinfo=UTC)):
        found[figure.name, figure.label] += figure.amount
    return found


def _edit_both_sides(world: World) -> None:
    record = world.save(name="Ours")
    world.settle()
    world.change(record, name="Ours, edited")
    world.settle()
    event = world.outlook_create(ALICE, subject="Theirs")
    world.pull()
    world.outlook_patch(ALICE, event, subject="Theirs, edited")
    world.pull()
    world.remove(record)
    world.settle()


@pytest.mark.parametrize(
    ("label", "amount"),
    [
        pytest.param("outlook:create", 1, id="event-created"),
        pytest.param("outlook:update", 1, id="event-changed"),
        pytest.param("outlook:delete", 1, id="event-deleted"),
        pytest.param("crm:create", 1, id="record-created"),
    ],
)
def test_writes_are_counted_by_side_and_kind(world: World, label: str, amount: int) -> None:
    _edit_both_sides(world)
    assert world.app.counting.totals()["writes", label] == amount


def test_requests_are_counted_by_their_answers(world: World) -> None:
    world.outlook.log.clear()
    before = world.app.counting.totals().get(("graph_requests", "200"), 0)
    world.save()
    world.settle()
    world.pull()
    asked = [one for one in world.outlook.log.as_json()["requests"] if one["mailbox"]]
    answered = [one for one in asked if one["status"] == 200 and "$batch" not in one["path"]]
    assert answered
    assert world.app.counting.totals()["graph_requests", "200"] - before == len(answered)
    assert world.app.counting.totals()["crm_requests", "200"] > 0
    assert world.app.counting.totals()["reads", "records"] > 0


def test_the_lag_is_counted_from_the_hook_to_the_save(world: World) -> None:
    world.save()
    world.clock.advance(45)
    world.settle()
    assert world.app.counting.totals()["lag", "out:60"] == 1
    assert world.app.counting.totals()["lag_seconds", "out"] == pytest.approx(45, abs=1)


def test_an_echo_has_no_lag(world: World) -> None:
    record = world.save()
    world.settle()
    counted = {key: n for key, n in world.app.counting.totals().items() if key[0].startswith("lag")}
    world.app.marks.saved("Meeting", {"id": record})
    world.pull()
    assert {k: n for k, n in world.app.counting.totals().items() if k[0].startswith("lag")} == counted


def test_the_store_gets_sums_of_some_seconds_at_once(world: World) -> None:
    world.app.counting.save()
    before = _kept(world)
    world.app.counting.add("writes", "outlook:create")
    world.app.counting.save_if_due()
    assert _kept(world) == before
    world.clock.advance(10)
    world.app.counting.save_if_due()
    assert _kept(world)["writes", "outlook:create"] == before["writes", "outlook:create"] + 1


def test_figures_that_the_store_cannot_take_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from calsync_plugin.errors import StoreBusy  # noqa: PLC0415

    def refuse(amounts: object) -> None:
        raise StoreBusy("the database is busy")

    world.app.counting.add("writes", "crm:update", 3)
    with monkeypatch.context() as patch:
        patch.setattr(world.app.store.figures, "add", refuse)
        world.app.counting.save()
    before = _kept(world)["writes", "crm:update"]
    world.app.counting.save()
    assert _kept(world)["writes", "crm:update"] == before + 3


def test_an_idle_installation_writes_no_figures(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.save()
    world.settle()
    world.sweep()
    world.clock.advance(20)
    world.app.counting.save_if_due()
    saved: list[object] = []
    monkeypatch.setattr(world.app.store.figures, "add", saved.append)
    for _ in range(5):
        world.clock.advance(20)
        world.drain()
        world.app.counting.save_if_due()
    assert saved == []


def test_a_label_names_nobody(world: World) -> None:
    _edit_both_sides(world)
    names = {name for name, _ in world.app.counting.totals()}
    labels = {label for _, label in world.app.counting.totals()}
    assert names <= {
        *("writes", "reads", "graph_requests", "crm_requests", "runs"),
        *("parked", "clashes", "held", "lag", "lag_seconds"),
    }
    buckets = {f"{way}:{label}" for way in ("in", "out") for label in LABELS}
    kinds = {
        f"{side}:{kind}" for side in ("outlook", "crm") for kind in ("create", "update", "delete", "respond")
    }
    words = {"", "in", "out", "events", "records", "done", "failed", "lost", "deletion", "mail", "no_answer"}
    assert {label for label in labels - buckets - kinds - words if not label.isdigit()} == set()
