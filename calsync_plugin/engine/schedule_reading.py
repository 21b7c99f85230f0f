"""What Outlook tells a user of a colleague's free and busy times, where the tenant allows it.

Decides whose mailbox asks, and how far ahead. Knows nothing of the colleague but an address and times; what
cannot be asked is said in words.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta

from calsync_plugin.domain.window import Window
from calsync_plugin.engine.roster import READY, Member, Roster
from calsync_plugin.errors import CalsyncError
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.schedules import Schedule, read_schedules, refusal, schedule_requests, together

AHEAD = timedelta(days=123)
"""With the day before now two requests (Graph docs, "calendar: getSchedule": 62 days at once)."""
NOT_CONNECTED = "it can be asked for only while you are connected to Outlook"
LATER = "Outlook does not answer; it is asked again"
NOT_TOLD = "Outlook did not tell when this person is free"


class ScheduleReader:
    """Asks as the users who want to know."""

    def __init__(self, roster: Roster, open_mailbox: Callable[[Member], MailboxClient]) -> None:
        """Find accounts in `roster`; to ask as one by `open_mailbox` needs no lease."""
        self._roster = roster
        self._open_mailbox = open_mailbox

    def span(self, now: datetime) -> Window:
        """What is asked for at `now`."""
        start = datetime.combine(now.date() - timedelta(days=1), time(0), now.tzinfo)
        return Window(start, start + timedelta(days=1) + AHEAD)

    def read(self, user_id: str, address: str, span: Window) -> Schedule:
        """When the person at `address` is busy, as Outlook tells this user."""
        member = self._roster.by_users([user_id]).get(user_id)
        if member is None or member.account.status not in READY:
            return Schedule(address=address, problem=NOT_CONNECTED)
        asked = schedule_requests([address], span.start, span.end)
        try:
            told = [read_schedules(o.unwrap()) for o in self._open_mailbox(member).batch(asked)]
        except CalsyncError as error:
            return Schedule(address=address, problem=refusal(error) or LATER)
        found = together(one for answer in told for one in answer).get(address.lower())
        return found or Schedule(address=address, problem=NOT_TOLD)
