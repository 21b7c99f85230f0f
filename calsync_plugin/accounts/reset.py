"""Reset (R19): everything that is known of a mailbox's state is forgotten, and everything is compared.

Decides what a reset forgets. It deletes nothing in either calendar and creates nothing: what is linked stays
linked, what is detached stays detached, and what differs in the CRM waits for a confirmed back-fill.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from calsync_plugin.accounts.auditing import Actor, note_account
from calsync_plugin.accounts.grants import check_allowed
from calsync_plugin.accounts.reading import end_subscriptions, forget_bases, read_again
from calsync_plugin.crm.gateway import CrmGateway
from calsync_plugin.domain.links import LinkState
from calsync_plugin.errors import UserError
from calsync_plugin.graph.client import MailboxClient
from calsync_plugin.state import Account, AccountStatus, Store

OpenMailbox = Callable[[str, int], MailboxClient]
"""Opens the mailbox of a user id and mailbox id."""
MOST_PARKED = 100_000
Record = tuple[str, str]


def reset(
    store: Store,
    gateway: CrmGateway,
    open_mailbox: OpenMailbox,
    account: Account,
    *,
    by: Actor | None = None,
) -> int:
    """Begin anew with a connected account; returns how many links are compared.

    Without `by` it is the user's own wish. Raises UserError for an account that is not connected, RemoteError
    if the CRM does not tell its time: then nothing was forgotten.
    """
    check_allowed(account)
    mailbox_id = account.mailbox_id
    if account.status is AccountStatus.OFF or not mailbox_id:
        raise UserError(f"user {account.user_id} is not connected to Outlook; connect it first")
    # By the CRM's clock, in whole seconds as the CRM tells when a record was changed. Set first: from here
    # on nothing old goes out, whatever is compared when.
    store.accounts.set_push_from(account.user_id, gateway.now().replace(microsecond=0))
    store.events.drop_all(mailbox_id)
    compared = forget_bases(store, mailbox_id)
    records = dict.fromkeys([*_linked(store, mailbox_id), *_parked(store, mailbox_id)])
    store.parked.remove(mailbox_id=mailbox_id)
    store.queue.record_changes([(*record, "", "reset") for record in records])
    end_subscriptions(store, account.user_id, mailbox_id, open_mailbox(account.user_id, mailbox_id))
    read_again(store, account.user_id, mailbox_id)
    text = f"the account was reset: {compared} links are compared"
    store.log.add_note(account.user_id, text)
    note_account(store, by, account, text)
    return compared


def _linked(store: Store, mailbox_id: int) -> Iterator[Record]:
    """Those that lie outside the window that is read, too."""
    for link in store.links.for_mailbox(mailbox_id):
        if link.state is not LinkState.DETACHED and link.record_id:
            yield link.entity_type, link.record_id


def _parked(store: Store, mailbox_id: int) -> Iterator[Record]:
    """What is taken off the list has to be tried again."""
    for item in store.parked.all(mailbox_id=mailbox_id, limit=MOST_PARKED):
        if item.record_id:
            yield item.entity_type, item.record_id
