"""What the overview plots: hours without a gap, changes both ways, percentiles, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from calsync_plugin.accounts.overview import DAY, WEEK, overview
from calsync_plugin.domain.lag import BOUNDS, LABELS, bucket, quantile
from calsync_plugin.state import Account, AccountStatus, Keyring, Store, open_store

START = datetime(2026, 11, 23, 9, 20, tzinfo=UTC)


class MovedClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = START.timestamp()

    def now(self) -> float:
        return self.at


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def store(tmp_path: Path, clock: MovedClock) -> Iterator[Store]:
    keyring = Keyring({"first": Keyring.generate()})
    found = open_store(f"sqlite:///{tmp_path / 'calsync.db'}", keyring, kind="sandbox", clock=clock)
    yield found
    found.close()


@pytest.mark.parametrize("hours", [pytest.param(DAY, id="day"), pytest.param(WEEK, id="week")])
def test_empty_hours_are_there(store: Store, hours: int) -> None:
    found = overview(store, hours=hours)
    assert found.is_empty
    assert len(found.hours) == hours
    begins = [hour.begins for hour in found.hours]
    assert begins[-1] == START.replace(minute=0)
    assert {later - earlier for earlier, later in pairwise(begins)} == {timedelta(hours=1)}
    assert (found.hours[0].lag_p50, found.hours[0].refused) == (None, 0)


def test_each_hour_has_its_own(store: Store, clock: MovedClock) -> None:
    store.figures.add({("writes", "outlook:create"): 2, ("writes", "outlook:delete"): 1})
    clock.at += 3600
    store.figures.add(
        {
            ("writes", "crm:update"): 4,
            ("graph_requests", "200"): 50,
            ("graph_requests", "404"): 3,
            ("graph_requests", "429"): 2,
            ("graph_requests", "503"): 1,
            ("graph_requests", "no_answer"): 1,
        }
    )
    before, now = overview(store).hours[-2:]
    assert (before.to_outlook, before.to_crm, before.refused) == (3, 0, 0)
    assert (now.to_outlook, now.to_crm) == (0, 4)
    assert now.refusals == {"429": 2, "503": 1, "no_answer": 1}
    assert now.refused == 4


def test_percentiles_come_from_both_directions(store: Store) -> None:
    store.figures.add({("lag", "out:1"): 90, ("lag", "in:60"): 10})
    now = overview(store).hours[-1]
    assert now.lag_p50 == pytest.approx(0.5 + 0.5 * 50 / 90)
    assert now.lag_p95 == pytest.approx(45)


def test_what_is_older_is_left_out(store: Store, clock: MovedClock) -> None:
    store.figures.add({("writes", "crm:create"): 1})
    clock.at += DAY * 3600
    assert overview(store, hours=DAY).is_empty
    assert not overview(store, hours=WEEK).is_empty


def test_accounts_are_counted_by_status(store: Store) -> None:
    store.accounts.save(Account(user_id="alice", status=AccountStatus.RECONNECT))
    assert overview(store).accounts[AccountStatus.RECONNECT] == 1


@pytest.mark.parametrize(
    ("seconds", "label"),
    [
        pytest.param(0.0, "0.1", id="none"),
        pytest.param(0.1, "0.1", id="on-a-bound"),
        pytest.param(0.11, "0.25", id="above-a-bound"),
        pytest.param(86_400.0, "86400", id="the-last-bound"),
        pytest.param(86_401.0, "+Inf", id="beyond"),
    ],
)
def test_a_duration_has_its_bucket(seconds: float, label: str) -> None:
    assert bucket(seconds) == label
    assert label in LABELS


@pytest.mark.parametrize(
    ("counts", "q", "seconds"),
    [
        pytest.param({}, 0.5, None, id="nothing"),
        pytest.param({"1": 1}, 1.0, 1.0, id="one"),
        pytest.param({"0.1": 4}, 0.5, 0.05, id="within-the-first"),
        pytest.param({"1": 50, "2": 50}, 0.75, 1.5, id="within-the-second"),
        pytest.param({"+Inf": 3}, 0.95, BOUNDS[-1], id="beyond-all"),
    ],
)
def test_quantiles(counts: dict[str, float], q: float, seconds: float | None) -> None:
    assert quantile(counts, q) == (None if seconds is None else pytest.approx(seconds))
