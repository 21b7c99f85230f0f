"""A moved or copied installation (R22): a staging clone must never mail customers.

Decides that everything pauses when the store finds itself at another address, until an admin says which it
is.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime

from calsync_plugin.accounts import auditing
from calsync_plugin.accounts.auditing import COMMAND_LINE, Actor
from calsync_plugin.accounts.reading import stop_reading
from calsync_plugin.errors import UserError
from calsync_plugin.state import Account, AccountStatus, Store

log = logging.getLogger(__name__)

INSTALLATION = "installation"


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


def confirm_moved(store: Store, *, public_url: str, crm_url: str, by: Actor = COMMAND_LINE) -> None:
    """An admin says that the installation moved: remember the new addresses and go on."""
    if not store.installation.get().paused:
        raise UserError("nothing is paused; there is nothing to confirm")
    accounts = [(a.user_id, a.mailbox_id) for a in _accounts(store) if a.mailbox_id]
    if store.installation.get().public_url != public_url:
        for _, mailbox_id in accounts:
            _end_soon(store, mailbox_id)
    store.installation.update(public_url=public_url, crm_url=crm_url, paused="")
    auditing.note(store, by, "said that the installation moved, and let it go on", subject=INSTALLATION)
    for _, mailbox_id in accounts:
        store.queue.hint(mailbox_id)


def _end_soon(store: Store, mailbox_id: int) -> None:
    """Microsoft would go on notifying the old address: the next run ends that and subscribes anew.

    Forgotten here it would live on there, and a second one for the same mailbox would be refused.
    """
    now = datetime.fromtimestamp(store.clock.now(), UTC)
    for subscription in store.subscriptions.for_mailbox(mailbox_id):
        store.subscriptions.save(replace(subscription, expires_at=now))


def confirm_copy(store: Store, *, public_url: str, crm_url: str, by: Actor = COMMAND_LINE) -> None:
    """An admin says that this is a copy: its accounts are taken off, it never writes to a calendar."""
    if not store.installation.get().paused:
        raise UserError("nothing is paused; there is nothing to confirm")
    for account in _accounts(store):
        store.accounts.set_status(account.user_id, AccountStatus.OFF, "this installation is a copy")
        if account.mailbox_id:
            # Never at Microsoft: the subscriptions are those of the original.
            stop_reading(store, account.user_id, account.mailbox_id)
        store.tokens.delete(account.user_id)
    # They report to the original; a copy that knew them would take them along when it is set up.
    for webhook in store.webhooks.all():
        store.webhooks.delete(webhook.id)
    auditing.note(store, by, "said that it is a copy; all accounts were switched off", subject=INSTALLATION)
    store.installation.update(public_url=public_url, crm_url=crm_url, paused="")


def _accounts(store: Store) -> list[Account]:
    found: list[Account] = []
    while page := store.accounts.all(after=found[-1].user_id if found else ""):
        found.extend(page)
    return found
