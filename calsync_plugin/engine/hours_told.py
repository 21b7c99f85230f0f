"""When a mailbox's owner works, and in which zone: asked once a day, in the run of that mailbox.

Decides how often. A mailbox that does not let us read its settings has no working hours; one whose settings
are away for the moment keeps those that are known and is asked again soon. Nothing else suffers from either.
"""

from __future__ import annotations

from datetime import UTC, datetime

from calsync_plugin.engine.run import Run
from calsync_plugin.errors import Forbidden, NotFound, Refused, Unavailable, UnknownOutcome
from calsync_plugin.graph.calendar import mailbox_settings
from calsync_plugin.graph.working_hours import read_working_hours
from calsync_plugin.graph.zones import known
from calsync_plugin.state import Store

DAY = 24 * 3600.0
SOON = 3600.0
"""Seconds until a mailbox is asked again whose settings were away."""


def keep_hours(store: Store, run: Run) -> None:
    """Ask for the working hours if a day has passed since they were asked for."""
    account = run.member.account
    if account.working_hours_at is not None and run.started - account.working_hours_at.timestamp() < DAY:
        return
    try:
        told = run.client.send(mailbox_settings()) or {}
    except (Forbidden, NotFound, Refused):
        told = {}
    except (Unavailable, UnknownOutcome):
        asked_at = datetime.fromtimestamp(run.started - DAY + SOON, UTC)
        store.accounts.set_working_hours(run.user_id, account.working_hours, asked_at=asked_at)
        return
    zone = told.get("timeZone")
    zone = zone if isinstance(zone, str) and known(zone) else ""
    store.accounts.set_working_hours(
        run.user_id, read_working_hours(told.get("workingHours"), zone=zone), zone=zone
    )
