"""How long changes took: a histogram with fixed bounds, and the percentiles that it gives.

Decides the bounds, from a tenth of a second to a day, close where people notice the difference. A percentile
is estimated within its bucket, as Prometheus' `histogram_quantile` does it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping

BOUNDS = (
    0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0,
    1800.0, 3600.0, 14_400.0, 86_400.0,
)  # fmt: skip
ENDLESS = "+Inf"
LABELS = (*(f"{bound:g}" for bound in BOUNDS), ENDLESS)
"""The name of each bucket: its upper bound in seconds."""


def bucket(seconds: float) -> str:
    """Return the label of the bucket that a duration belongs to; a bound belongs to the bucket below it."""
    return LABELS[bisect_left(BOUNDS, seconds)]


def quantile(counts: Mapping[str, float], q: float) -> float | None:
    """Return the duration that a share `q` of what was counted did not exceed; None if nothing was.

    `counts` holds how many fell into each bucket, by label. What took longer than the last bound is told as
    that bound.
    """
    total = sum(counts.get(label, 0.0) for label in LABELS)
    if total <= 0:
        return None
    wanted, below, lower = q * total, 0.0, 0.0
    for label, upper in zip(LABELS, BOUNDS, strict=False):
        inside = counts.get(label, 0.0)
        if inside and below + inside >= wanted:
            return lower + (upper - lower) * (wanted - below) / inside
        below, lower = below + inside, upper
    return BOUNDS[-1]
