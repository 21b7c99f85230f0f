"""Whether the colleague whom an invitation names as its organizer organizes it.

Decides to whom a new record of an invitation belongs if its organizer is a connected user: whoever sends an
invitation chooses whom it names, so that the user's own mailbox has to know the meeting. Of a user whose
mailbox cannot be asked the invitation is believed (4.2).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from calsync_plugin.engine.claims import plain_uid
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.roster import READY, Member, Roster
from calsync_plugin.errors import Transient
from calsync_plugin.graph.calendar import find_by_ical_uid
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.graph.protocol import Outcome


class Vouching:
    """Asks the mailboxes of organizers."""

    def __init__(self, roster: Roster, open_mailbox: Callable[[Member], MailboxClient]) -> None:
        """Find accounts in `roster`; reading a mailbox by `open_mailbox` needs no lease."""
        self._roster = roster
        self._open_mailbox = open_mailbox

    def confirm(self, items: Sequence[Item]) -> None:
        """Let new records be the mailbox user's if their organizer's own mailbox knows nothing of them.

        What that mailbox could not tell now is tried again.
        """
        named: dict[str, list[Item]] = defaultdict(list)
        for item in items:
            if item.owner_id not in ("", item.runner.account.user_id):
                named[item.owner_id].append(item)
        for user_id, host in self._roster.by_users(named.keys()).items():
            if host.mailbox_id and host.account.status in READY:
                self._ask(host, named[user_id])

    def _ask(self, host: Member, items: Sequence[Item]) -> None:
        uids = [plain_uid(item.link.series_ical_uid) if item.link else "" for item in items]
        asked = [(item, uid) for item, uid in zip(items, uids, strict=True) if uid]
        requests = [find_by_ical_uid(uid, item=item.name) for item, uid in asked]
        outcomes = self._open_mailbox(host).batch(requests) if requests else []
        for (item, _), outcome in zip(asked, outcomes, strict=True):
            if isinstance(outcome.error, Transient):
                item.state, item.error = ItemState.RETRY, str(outcome.error)
                item.retry_after = outcome.error.retry_after
            elif outcome.error is None and not _organizes(outcome):
                _disown(item)
        for item, uid in zip(items, uids, strict=True):
            if not uid:
                _disown(item)


def _organizes(outcome: Outcome) -> bool:
    found = (outcome.value or {}).get("value")
    return isinstance(found, list) and any(
        isinstance(e, dict) and e.get("isOrganizer") is True for e in found
    )


def _disown(item: Item) -> None:
    item.owner_id = item.runner.account.user_id
    item.notes.append("the calendar of the user who is named as its organizer does not hold it")
