"""What a mailbox tells of its owner when it is connected: the time zone and the working hours.

Decides that a mailbox which does not tell has none of them, and that one which could not answer has not said
so. Both are asked for again by each day's first run (`engine.hours_told`).
"""

from __future__ import annotations

from dataclasses import dataclass

from calsync_plugin.errors import Forbidden, NotFound, Refused, RemoteError
from calsync_plugin.graph.calendar import mailbox_settings
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.working_hours import StoredHours, read_working_hours
from calsync_plugin.graph.zones import known


@dataclass(frozen=True, slots=True)
class Told:
    """What is believed of it."""

    zone: str = ""
    hours: StoredHours | None = None
    answered: bool = True
    """Whether this is the mailbox's word, be it that it does not tell."""


def ask_mailbox(client: MailboxClient) -> Told:
    """Ask once; whatever keeps a mailbox from telling keeps nobody from connecting it."""
    try:
        settings = client.send(mailbox_settings()) or {}
    except (Forbidden, NotFound, Refused):
        return Told()
    except RemoteError:
        return Told(answered=False)
    zone = settings.get("timeZone")
    zone = zone if isinstance(zone, str) and known(zone) else ""
    return Told(zone, read_working_hours(settings.get("workingHours"), zone=zone))
