"""What a user chooses: settings that are checked, kept and put into force.

Decides which choices make old records wait for a person (R8): those that would send out what lay still
until now.
"""

from __future__ import annotations

from collections.abc import Mapping

from calsync_plugin.accounts.resuming import compare_suspended
from calsync_plugin.crm.gateway import CrmGateway
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.errors import UserError
from calsync_plugin.settings import UserSettings, user_settings
from calsync_plugin.state import Store


def choose(store: Store, gateway: CrmGateway, user_id: str, changes: Mapping[str, JsonValue]) -> UserSettings:
    """Change some settings of a user; the others stay. Raises SettingsError for what does not fit."""
    account = store.accounts.get(user_id)
    if account is None:
        raise UserError(f"user {user_id} has no account; connect it first")
    values = {**account.settings, **changes}
    before, after = user_settings(account.settings), user_settings(values)
    if _sends_more(before, after):
        # By the CRM's clock, in whole seconds as the CRM tells when a record was changed.
        store.accounts.set_push_from(user_id, gateway.now().replace(microsecond=0))
    store.accounts.set_settings(user_id, values)
    if account.mailbox_id:
        compare_suspended(store, account.mailbox_id)
    return after


def _sends_more(before: UserSettings, after: UserSettings) -> bool:
    """Whether records that were left alone would be pushed now."""
    entered = {e.entity_type for e in after.entities} - {e.entity_type for e in before.entities}
    return (
        before.mode != after.mode
        or bool(entered)
        or (after.push_contacts and not before.push_contacts)
        or (after.push_leads and not before.push_leads)
        or after.sync_since < before.sync_since
    )
