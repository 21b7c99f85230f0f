"""One run of one mailbox, as its phases hand it on.

Decides nothing: it is the lease, whose mailbox it is, and how to reach it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from calsync_plugin.domain.window import Window, window
from calsync_plugin.engine.calendars import Scope
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.roster import Member
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.state import Lease


@dataclass(slots=True, kw_only=True)
class Run:
    """The working state of a run."""

    lease: Lease
    member: Member
    client: MailboxClient
    started: float
    """Epoch seconds."""
    scope: Scope
    window: Window
    carry: Callable[[Run, Sequence[Item]], None]
    """Plans, writes and saves items, as many as may be begun."""
    may_go_on: Callable[[], bool]
    hinted_at: float = 0.0
    """When something said that there is news in Outlook (epoch seconds)."""
    written: set[str] = field(default_factory=set)
    """Events of this mailbox that were changed."""

    @property
    def mailbox_id(self) -> int:
        """The mailbox of this run."""
        return self.lease.mailbox_id

    @property
    def user_id(self) -> str:
        """Whose mailbox it is."""
        return self.member.account.user_id

    def carried(self, items: Sequence[Item]) -> bool:
        """Carry items out; whether all of them came to rest, or the run has to yield before that."""
        if items:
            self.carry(self, items)
        return all(item.state is not ItemState.OPEN for item in items)


def window_of(member: Member, now: float) -> Window:
    """The window that a member's calendars are read in."""
    settings = member.settings
    return window(settings.sync_since, settings.months_ahead, datetime.fromtimestamp(now, UTC))
