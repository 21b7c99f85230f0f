"""When a mailbox's owner works: asked once a day, in the run of that mailbox.

Decides how often. A mailbox that does not let us read its settings has no working hours, and nothing else
suffers from that.
"""

from __future__ import annotations

from calsync_plugin.engine.run import Run
from calsync_plugin.errors import Forbidden, NotFound, Refused
from calsync_plugin.graph.calendar import mailbox_settings
from calsync_plugin.graph.working_hours import read_working_hours
from calsync_plugin.state import Store

DAY = 24 * 3600.0


def keep_hours(store: Store, run: Run) -> None:
    """Ask for the working hours if a day has passed since they were asked for."""
    account = run.member.account
    if account.working_hours_at is not None and run.started - account.working_hours_at.timestamp() < DAY:
        return
    try:
        told = run.client.send(mailbox_settings()) or {}
    except (Forbidden, NotFound, Refused):
        told = {}
    zone = told.get("timeZone")
    hours = read_working_hours(told.get("workingHours"), zone=zone if isinstance(zone, str) else "")
    store.accounts.set_working_hours(run.user_id, hours)
