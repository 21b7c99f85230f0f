"""What an administrator sees of the last hours: accounts, changes, lag and refusals of Graph, by the hour.

Decides which figures make up a plot, and that an hour in which nothing happened is shown as such. Nothing of
it names a user or a meeting.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from calsync_plugin.domain.lag import quantile
from calsync_plugin.state import AccountStatus, Figure, Store

DAY, WEEK = 24, 7 * 24
"""Hours."""
HOUR = timedelta(hours=1)
REFUSED = frozenset({"401", "403", "423", "429", "no_answer"})
"""Answers of Graph that turn a request away; others, such as 404 and 412, say something of an item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """One hour. Lags are seconds, None if nothing was carried."""

    begins: datetime
    to_outlook: int = 0
    to_crm: int = 0
    lag_p50: float | None = None
    lag_p95: float | None = None
    refusals: Mapping[str, int]
    """By status of Graph's answer; `no_answer` if there was none."""

    @property
    def refused(self) -> int:
        """All refusals together."""
        return sum(self.refusals.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The present and the last hours; the last of them has not ended yet."""

    accounts: Mapping[AccountStatus, int]
    hours: tuple[Hour, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened in all these hours."""
        return not any(hour.to_outlook or hour.to_crm or hour.refused for hour in self.hours)


def overview(store: Store, *, hours: int = DAY) -> Overview:
    """The last `hours` hours of an installation, the oldest first."""
    now = datetime.fromtimestamp(store.clock.now(), UTC)
    first = now.replace(minute=0, second=0, microsecond=0) - (hours - 1) * HOUR
    found: defaultdict[datetime, list[Figure]] = defaultdict(list)
    for figure in store.figures.since(first):
        found[figure.hour].append(figure)
    begins = [first + number * HOUR for number in range(hours)]
    return Overview(
        accounts=store.accounts.counts(), hours=tuple(_hour(moment, found[moment]) for moment in begins)
    )


def _hour(begins: datetime, figures: list[Figure]) -> Hour:
    writes: Counter[str] = Counter()
    refusals: Counter[str] = Counter()
    lag: defaultdict[str, float] = defaultdict(float)
    for figure in figures:
        if figure.name == "writes":
            writes[figure.label.partition(":")[0]] += round(figure.amount)
        elif figure.name == "lag":
            lag[figure.label.partition(":")[2]] += figure.amount
        elif figure.name == "graph_requests" and _is_refusal(figure.label):
            refusals[figure.label] += round(figure.amount)
    return Hour(
        begins=begins,
        to_outlook=writes["outlook"],
        to_crm=writes["crm"],
        lag_p50=quantile(lag, 0.5),
        lag_p95=quantile(lag, 0.95),
        refusals=dict(sorted(refusals.items())),
    )


def _is_refusal(status: str) -> bool:
    return status in REFUSED or status.startswith("5")
