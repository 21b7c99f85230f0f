"""`/admin`: how the whole installation is at a glance.

Decides which plots there are and for how long a time. The figures lie in `accounts.overview`, the drawing in
`plots`.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from calsync_plugin.accounts.overview import DAY, WEEK, Hour, Overview, overview
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.web.plots import Plot, Series, bars, lines
from calsync_plugin.web.showing import kind, zone_of_page
from calsync_plugin.web.speaking import clock, say, weekday
from calsync_plugin.web.visitors import admin_only
from calsync_plugin.wording import gettext as _

STALE = 26 * 3600.0
"""Seconds: each calendar is read once a day at least."""
Page = str | Response


def overview_pages(calsync: Calsync) -> Blueprint:
    """The overview of one bridge."""
    pages = Blueprint("admin_overview", __name__)

    @pages.get("/admin")
    @admin_only
    def front() -> Page:
        hours = WEEK if request.args.get("show") == "week" else DAY
        seen = overview(calsync.store, hours=hours)
        now = calsync.store.gauges.read()
        return render_template(
            "admin/overview.html",
            seen=seen,
            week=hours == WEEK,
            plots=_plots(seen, ZoneInfo(zone_of_page(calsync) or "UTC")),
            paused=calsync.store.installation.get().paused,
            enabled=calsync.settings.graph.enabled,
            now=now,
            stale_hours=int(now.oldest_source // 3600) if now.oldest_source > STALE else 0,
            doubted=[kind(entity_type) for entity_type in calsync.doubts()],
        )

    return pages


def _plots(seen: Overview, zone: ZoneInfo) -> list[Plot]:
    hours = seen.hours
    names = [_name(hour.begins.astimezone(zone), whole_week=len(hours) > DAY) for hour in hours]
    return [
        bars(
            "changes",
            say(_("Changes carried in an hour")),
            names,
            [
                Series(say(_("to Outlook")), [float(h.to_outlook) for h in hours]),
                Series(say(_("to the CRM")), [float(h.to_crm) for h in hours]),
            ],
        ),
        lines(
            "lag",
            say(_("Seconds from a change until it is carried")),
            names,
            [
                Series(say(_("half of them within")), _lags(hours, 50)),
                Series(say(_("95 of 100 within")), _lags(hours, 95)),
            ],
            unit="s",
        ),
        bars(
            "refusals",
            say(_("Requests that Microsoft refused")),
            names,
            [Series(say(_("refused")), [float(h.refused) for h in hours])],
        ),
    ]


def _lags(hours: tuple[Hour, ...], share: int) -> list[float | None]:
    return [hour.lag_p50 if share == 50 else hour.lag_p95 for hour in hours]


def _name(local: datetime, *, whole_week: bool) -> str:
    return f"{weekday(local)} {clock(local)}" if whole_week else clock(local)
