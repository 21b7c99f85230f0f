"""`/metrics`: what this process counted and how much of everything there is, as Prometheus reads it.

Decides who may read: whoever has the API token, and without it a program on this machine while the bridge has
no public address, for behind one a reverse proxy looks like a program on this machine. Counters are those of
this process; what other workers do is in theirs. The gauges are the store's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address

from flask import Blueprint, Response, abort, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from calsync_plugin.addresses import is_loopback
from calsync_plugin.domain.lag import LABELS
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.state import Snapshot
from calsync_plugin.web.callers import caller_of

FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")
"""Headers by which a proxy says that it asks for somebody else."""

Totals = Mapping[tuple[str, str], float]

_COUNTERS: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "writes": (
        "What was written, by side and kind.",
        ("side", "kind"),
        tuple(
            f"{side}:{kind}"
            for side, kinds in (("outlook", "create update delete respond"), ("crm", "create update delete"))
            for kind in kinds.split()
        ),
    ),
    "reads": ("Events and records that were read for a run.", ("kind",), ("events", "records")),
    "graph_requests": ("Requests to Microsoft Graph by the status of their answer.", ("status",), ()),
    "crm_requests": ("Requests to the CRM by the status of their answer.", ("status",), ()),
    "runs": ("Runs of mailboxes by how they ended.", ("result",), ("done", "failed", "lost")),
    "parked": ("Items that came to be parked.", (), ("",)),
    "clashes": ("Fields that both sides had changed.", (), ("",)),
    "bookings": (
        "What came of requests for bookings, and cancelled ones.",
        ("result",),
        ("made", "taken", "refused", "cancelled"),
    ),
    "held": ("Operations that came to be held.", ("operation",), ("deletion", "mail")),
}
"""Documentation, label names and the labels that are told even at 0, by what the engine counts."""


def metrics(calsync: Calsync) -> Blueprint:
    """The metrics of one bridge, in a registry of its own."""
    registry = CollectorRegistry()
    registry.register(_Installation(calsync))
    pages = Blueprint("metrics", __name__)

    @pages.get("/metrics")
    def read() -> Response:
        if not _may_read(calsync):
            abort(401, "metrics are for programs on this machine, or with Authorization: Bearer TOKEN")
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    return pages


def _may_read(calsync: Calsync) -> bool:
    serve = calsync.settings.serve
    caller = caller_of(request, calsync.plugins.hook, serve.api_token)
    if caller is not None and caller.admin:
        return True
    public = bool(serve.public_url) and not is_loopback(serve.public_url)
    forwarded = any(name in request.headers for name in FORWARDED)
    return not public and not forwarded and _is_here(request.remote_addr or "")


def _is_here(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


class _Installation(Collector):
    """Reads counters and gauges whenever somebody asks."""

    def __init__(self, calsync: Calsync) -> None:
        self._calsync = calsync

    def collect(self) -> Iterable[Metric]:
        """All metrics as they are now."""
        totals = self._calsync.counting.totals()
        yield from _counters(totals)
        yield _lag(totals)
        yield from _gauges(self._calsync.store.gauges.read())


def _counters(totals: Totals) -> Iterator[Metric]:
    for name, (text, names, always) in _COUNTERS.items():
        family = CounterMetricFamily(f"calsync_{name}", text, labels=names)
        counted = {label for known, label in totals if known == name}
        for label in sorted(counted.union(always)):
            family.add_metric(label.split(":") if names else [], totals.get((name, label), 0.0))
        yield family


def _lag(totals: Totals) -> Metric:
    text = "Seconds from the moment when a change became known until it was saved."
    family = HistogramMetricFamily("calsync_lag_seconds", text, labels=["direction"])
    for direction in ("in", "out"):
        below, buckets = 0.0, []
        for label in LABELS:
            below += totals.get(("lag", f"{direction}:{label}"), 0.0)
            buckets.append((label, below))
        family.add_metric([direction], buckets, totals.get(("lag_seconds", direction), 0.0))
    return family


def _gauges(now: Snapshot) -> Iterator[Metric]:
    labelled = {
        "accounts": ("Accounts by status.", "status", {s.value: n for s, n in now.accounts.items()}),
        "links": ("Links by state.", "state", {s.value: n for s, n in now.links.items()}),
        "waiting_changes": ("Marks of changes that wait.", "kind", now.waiting),
        "held_operations": ("Operations that wait for a person's decision.", "operation", now.held),
        "failing_sources": (
            "Sources of busy times that cannot be read.",
            "kind",
            {k.value: n for k, n in now.failing.items()},
        ),
    }
    for name, (text, label, values) in labelled.items():
        family = GaugeMetricFamily(f"calsync_{name}", text, labels=[label])
        for value, count in values.items():
            family.add_metric([value], count)
        yield family
    yield GaugeMetricFamily(
        "calsync_oldest_waiting_seconds",
        "Age of the oldest change of the CRM that waits.",
        now.oldest_waiting,
    )
    yield GaugeMetricFamily("calsync_parked_items", "Items that cannot be synced.", now.parked)
    yield GaugeMetricFamily(
        "calsync_subscriptions", "Subscriptions by which Outlook notifies calsync.", now.subscriptions
    )
    yield GaugeMetricFamily(
        "calsync_cursor_age_seconds",
        "Seconds since the calendars of a syncing account were read to the end, of the longest.",
        now.oldest_reading,
    )
    yield GaugeMetricFamily(
        "calsync_source_age_seconds",
        "Seconds since a source of busy times of a syncing account was read, of the longest.",
        now.oldest_source,
    )
    yield GaugeMetricFamily(
        "calsync_unsettled_bookings", "Bookings whose record is being made or looked for.", now.unsettled
    )
