"""A user's own switch: leaves the calendar alone, goes on with it, or tries again what needed attention.

Decides who may switch on again: what an administrator paused is not the user's to resume.
"""

from __future__ import annotations

from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.accounts.connect import Connections
from calsync_plugin.errors import UserError
from calsync_plugin.state import Account, AccountStatus

BY_USER = "switched off by its user"
RUNNING = frozenset({AccountStatus.CONNECTED, AccountStatus.SYNCING, AccountStatus.NEEDS_ATTENTION})


def switch(connections: Connections, account: Account, *, on: bool, by: Actor | None = None) -> None:
    """Switch an account on or off. Raises UserError if that is not this user's to do."""
    if on and account.status is AccountStatus.PAUSED:
        if account.reason != BY_USER:
            raise UserError("An administrator paused your calendar; only an administrator can go on with it.")
        connections.resume(account.user_id, by=by)
    elif on and account.status is AccountStatus.NEEDS_ATTENTION:
        connections.resume(account.user_id, by=by)
    elif not on and account.status in RUNNING:
        connections.pause(account.user_id, BY_USER, by=by)
