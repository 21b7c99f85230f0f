"""How many invitations may become records: whoever is outside chooses how many are sent (R11).

Decides which of them wait for a person: what is beyond a day's number, once a mailbox was read to its end for
the first time. They are parked, so that people see them; a person who resumes the account lets the next ones
in. A series counts as one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from calsync_plugin.domain.breaker import MANY_INVITATIONS
from calsync_plugin.domain.links import Role
from calsync_plugin.domain.operations import CreateRecord
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.roster import Member
from calsync_plugin.errors import ItemError
from calsync_plugin.state import Store

log = logging.getLogger(__name__)

INVITATION = "invitation"
REASON = "too_many_invitations"


class Flooding:
    """Counts the invitations that become records."""

    def __init__(self, store: Store, notify: Callable[[str, str], None]) -> None:
        """Count in `store`."""
        self._store = store
        self._notify = notify

    def hold(self, items: Sequence[Item]) -> None:
        """Park new records of one mailbox's invitations beyond what it takes in a day."""
        new = [item for item in items if item.state is ItemState.OPEN and _is_invited(item)]
        if not new or new[0].runner.account.pulled_at is None:
            return
        counted = set(self._store.held.groups(new[0].mailbox_id, kind=INVITATION))
        waiting = []
        for item in new:
            assert item.proposed is not None
            group = item.proposed.series_ical_uid or item.proposed.id
            if group not in counted and len(counted) >= MANY_INVITATIONS:
                waiting.append(item)
            else:
                counted.add(group)
                item.counting.add(INVITATION)
        if waiting:
            self._park(new[0].runner, waiting)

    def _park(self, member: Member, items: Sequence[Item]) -> None:
        told = any(p.reason == REASON for p in self._store.parked.all(mailbox_id=member.mailbox_id))
        user_id = member.account.user_id
        text = f"more than {MANY_INVITATIONS} invitations came within 24 hours"
        for item in items:
            item.plan, item.state = (), ItemState.PARKED
            item.problem = ItemError(
                f"{text}; a later look takes it in: calsync accounts resume {user_id}",
                item=item.name,
                reason=REASON,
            )
        if not told:
            log.warning("%s in the mailbox of user %s; the others are parked", text, user_id)
            self._notify(
                user_id,
                f"{text}; the others are not in the CRM but listed with your account. An administrator lets "
                f"them in, {MANY_INVITATIONS} a day, with: calsync accounts resume {user_id}",
            )


def _is_invited(item: Item) -> bool:
    link = item.proposed
    return (
        item.link is None
        and link is not None
        and link.role is Role.ATTENDEE
        and any(isinstance(operation, CreateRecord) for operation in item.plan)
    )
