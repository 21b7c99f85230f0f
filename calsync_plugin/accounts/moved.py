"""A moved or copied installation (R22): a staging clone must never mail customers.

Decides that everything pauses when the store finds itself at another address, until an admin says which it
is.
"""

from __future__ import annotations

import logging

from calsync_plugin.errors import UserError
from calsync_plugin.state import Account, AccountStatus, Store

log = logging.getLogger(__name__)


def check_addresses(store: Store, *, public_url: str, crm_url: str) -> None:
    """Compare the addresses with those that the store remembers; pause if one of them changed.

    An address that was never set is remembered. The pause lasts until `confirm`.
    """
    known = store.installation.get()
    changed = [
        f"{name} was {before} and is {now}"
        for name, before, now in (
            ("the public address", known.public_url, public_url),
            ("the CRM's address", known.crm_url, crm_url),
        )
        if before and now and before != now
    ]
    if changed:
        reason = f"{'; '.join(changed)}: say whether calsync moved or this is a copy"
        log.warning("everything is paused: %s", reason)
        store.installation.update(paused=reason)
        return
    store.installation.update(public_url=known.public_url or public_url, crm_url=known.crm_url or crm_url)


def confirm_moved(store: Store, *, public_url: str, crm_url: str) -> None:
    """An admin says that the installation moved: remember the new addresses and go on."""
    if not store.installation.get().paused:
        raise UserError("nothing is paused; there is nothing to confirm")
    store.installation.update(public_url=public_url, crm_url=crm_url, paused="")
    store.queue.wake_all([a.mailbox_id for a in _accounts(store) if a.mailbox_id])


def confirm_copy(store: Store, *, public_url: str, crm_url: str) -> None:
    """An admin says that this is a copy: its accounts are taken off, it never writes to a calendar."""
    if not store.installation.get().paused:
        raise UserError("nothing is paused; there is nothing to confirm")
    for account in _accounts(store):
        store.tokens.delete(account.user_id)
        store.accounts.set_status(account.user_id, AccountStatus.OFF, "this installation is a copy")
    store.installation.update(public_url=public_url, crm_url=crm_url, paused="")


def _accounts(store: Store) -> list[Account]:
    found: list[Account] = []
    while page := store.accounts.all(after=found[-1].user_id if found else ""):
        found.extend(page)
    return found
