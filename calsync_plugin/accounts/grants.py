"""What an administrator allows a user (R12): without the grant nothing of that user syncs, nothing is lost.

Decides what follows for an account when its user gets or loses a grant. Tokens are kept, links are suspended
and compared when the grant comes back. Who has which grant is `entitled`'s.
"""

from __future__ import annotations

from collections.abc import Collection

from calsync_plugin.accounts.away import was_long_away
from calsync_plugin.accounts.handing_on import leave
from calsync_plugin.accounts.reading import end_subscriptions
from calsync_plugin.accounts.resuming import compare_suspended, find_what_was_saved
from calsync_plugin.crm.gateway import CrmGateway
from calsync_plugin.errors import UserError
from calsync_plugin.settings import user_settings
from calsync_plugin.state import Account, AccountStatus, Store

ACCOUNT, CALENDAR = "ExternalAccount", "OutlookCalendar"
NEEDED = frozenset({ACCOUNT, CALENDAR})
"""Both are needed (`plugin.yaml`): to connect an account at all, and to sync its calendar."""
NOT_ALLOWED = "not allowed by an administrator"
PAUSED_BEFORE = f"{NOT_ALLOWED}; it was paused before"
NOT_CONNECTED = "not connected to Outlook"


def is_allowed(account: Account) -> bool:
    """Whether this user may sync."""
    return account.grants >= NEEDED


def check_allowed(account: Account) -> None:
    """Raise UserError if this user may not sync."""
    if not is_allowed(account):
        raise UserError(
            f"user {account.user_id} is {NOT_ALLOWED} to sync a calendar; "
            f"an administrator can change that with: calsync accounts grant {account.user_id}"
        )


def revoke(store: Store, account: Account, grants: frozenset[str] = frozenset({ACCOUNT})) -> None:
    """Stop syncing at once. `grants` is what is left to the user."""
    store.accounts.set_grants(account.user_id, grants)
    if account.status is not AccountStatus.OFF:
        paused = account.status is AccountStatus.PAUSED
        store.accounts.set_status(
            account.user_id,
            AccountStatus.OFF,
            f"{PAUSED_BEFORE}: {account.reason}" if paused else NOT_ALLOWED,
        )
    if account.mailbox_id:
        if leave(store, account.mailbox_id, NOT_ALLOWED):
            # Only a full reading brings those events back to their meetings.
            store.cursors.drop_all(account.mailbox_id)
        # Without asking Microsoft: this may run while the CRM saves something.
        end_subscriptions(store, account.user_id, account.mailbox_id, None)
    store.log.add_note(account.user_id, f"syncing is {NOT_ALLOWED} any more")


def grant(store: Store, gateway: CrmGateway, account: Account) -> None:
    """Let a user sync; what was connected before is compared and goes on, what was paused stays so."""
    store.accounts.set_grants(account.user_id, account.grants | NEEDED)
    was_paused = account.reason.startswith(PAUSED_BEFORE)
    if account.status is not AccountStatus.OFF or not (was_paused or account.reason == NOT_ALLOWED):
        return
    mailbox_id = account.mailbox_id
    if not mailbox_id or store.tokens.load(account.user_id) is None:
        store.accounts.set_status(account.user_id, AccountStatus.OFF, NOT_CONNECTED)
        return
    if was_long_away(account, store.clock.now()):
        store.accounts.set_push_from(account.user_id, gateway.now().replace(microsecond=0))
    store.log.add_note(account.user_id, "syncing is allowed again by an administrator")
    if was_paused:
        reason = account.reason.removeprefix(PAUSED_BEFORE).removeprefix(": ")
        store.accounts.set_status(account.user_id, AccountStatus.PAUSED, reason or "paused")
        _look_back(store, gateway, account)
        return
    store.accounts.set_status(account.user_id, AccountStatus.CONNECTED)
    _look_back(store, gateway, account)
    compare_suspended(store, mailbox_id)
    store.queue.hint(mailbox_id)


def _look_back(store: Store, gateway: CrmGateway, before: Account) -> None:
    """Find what was saved while nothing was allowed; after a long time that waits for a person (R8)."""
    if not was_long_away(before, store.clock.now()):
        entities = user_settings(before.settings).entities
        find_what_was_saved(store, gateway, [one.entity_type for one in entities], before)


def bring_in_line(store: Store, gateway: CrmGateway, account: Account, given: Collection[str]) -> bool:
    """Let an account follow what its user has now; whether anything came of it."""
    left = frozenset(given) & NEEDED
    if left == NEEDED:
        if is_allowed(account):
            return False
        grant(store, gateway, account)
    elif is_allowed(account):
        revoke(store, account, left)
    elif left == account.grants:
        return False
    else:
        store.accounts.set_grants(account.user_id, left)
    return True
