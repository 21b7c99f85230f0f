"""Looking for the calendars of a mailbox because its user misses one.

Decides what is new. Nothing is read of them by this; what is chosen is read by the engine.
"""

from __future__ import annotations

from collections.abc import Callable

from calsync_plugin.accounts.grants import check_allowed
from calsync_plugin.engine.calendars import refresh_calendars
from calsync_plugin.errors import UserError
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.state import Account, AccountStatus, Store


def look_for_calendars(
    store: Store, open_mailbox: Callable[[str, int], MailboxClient], account: Account
) -> int:
    """Ask Outlook for the calendars of a connected account; returns how many were not known before.

    Raises UserError for an account that may not sync or is not connected, RemoteError if Outlook cannot tell.
    """
    check_allowed(account)
    mailbox_id = account.mailbox_id
    if account.status is AccountStatus.OFF or not mailbox_id:
        raise UserError(f"user {account.user_id} is not connected to Outlook; connect it first")
    before = {one.id for one in store.calendars.for_mailbox(mailbox_id)}
    client = open_mailbox(account.user_id, mailbox_id)
    found = refresh_calendars(client, store, mailbox_id, account.address)
    return sum(one.id not in before for one in found)
