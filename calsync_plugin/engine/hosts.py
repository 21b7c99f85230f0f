"""The organizer's own mailbox comes first (4.2): whoever is invited waits for it a while.

Decides how long an invited user's copy waits for the link that the organizer's mailbox makes. Content flows
through that mailbox; only if it does not bring the meeting, the copy stands for it.
"""

from __future__ import annotations

from collections.abc import Callable

from calsync_plugin.domain.carried import MODE_FLOW, Flow
from calsync_plugin.domain.policy import Mode
from calsync_plugin.engine.inward import Inward
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.roster import OFF, Member, Roster
from calsync_plugin.graph.events import EventView

WAITS = (2.0, 15.0, 60.0)
"""Seconds between the looks for a link of an organizer whose mailbox gives meetings to the CRM."""
SHORT = 1
"""Looks for one whose mailbox only takes them: its create may be under way."""
BEGUN = 30
"""Looks, the later ones a minute apart, while a create was begun there whose outcome is not known: the
invitation may have come of it, and would get a second record."""


class Hosts:
    """Organizers who are connected themselves."""

    def __init__(self, roster: Roster, inward: Inward, hint: Callable[[int], None]) -> None:
        """Find accounts in `roster`; `hint` lets a mailbox be read soon."""
        self._roster = roster
        self._inward = inward
        self._hint = hint

    def wait_for(self, item: Item, view: EventView, creates_begun: Callable[[int], bool]) -> None:
        """Let an item wait if its organizer's own mailbox is connected and may still bring the meeting.

        `creates_begun` tells of a mailbox whether creates are under way there.
        """
        if view.is_organizer or view.cancelled:
            return
        host = self._host(item, view)
        if host is None:
            return
        gives = Flow.IN in MODE_FLOW[Mode(host.settings.mode)]
        looks = len(WAITS) if gives else SHORT
        if item.event_attempts >= looks and not (
            item.event_attempts < BEGUN and creates_begun(host.mailbox_id)
        ):
            return
        if gives and item.event_attempts == 0:
            self._hint(host.mailbox_id)
        item.state = ItemState.RETRY
        item.retry_after = WAITS[min(item.event_attempts, len(WAITS) - 1)]
        item.error = f"waits for the calendar of {host.account.address}, who organizes it"

    def _host(self, item: Item, view: EventView) -> Member | None:
        person = self._inward.organizer(view)
        if person is None or person.id == item.runner.account.user_id:
            return None
        member = self._roster.by_users([person.id]).get(person.id)
        return member if member and member.mailbox_id and member.account.status not in OFF else None
