"""Who syncs: CRM users, their accounts, their mailboxes and what they chose.

Decides an account's standing for an entity type, and turns settings into the planner's policy. Does not
decide what is planned with them.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache

from calsync_plugin.domain.carried import MODE_FLOW, Flow
from calsync_plugin.domain.meeting import Field
from calsync_plugin.domain.planner import Assignee, Standing
from calsync_plugin.domain.policy import ClashRule, Mode, Policy, PrivateRule
from calsync_plugin.errors import SettingsError
from calsync_plugin.settings import EntitySettings, UserSettings, user_settings
from calsync_plugin.state import Account, AccountStatus, Store

log = logging.getLogger(__name__)

READY = frozenset({AccountStatus.CONNECTED, AccountStatus.SYNCING})
OFF = frozenset({AccountStatus.OFF})


@dataclass(frozen=True, slots=True)
class Member:
    """A user with an account, and the settings in force."""

    account: Account
    settings: UserSettings
    readable: bool = True
    """Whether `settings` are the user's own: unreadable ones stop this account and no other."""

    @property
    def mailbox_id(self) -> int:
        """The mailbox behind the account; 0 if there is none."""
        return self.account.mailbox_id or 0

    def standing(self, entity_type: str) -> Standing:
        """Whether records of this type may be pushed to this user's calendar now (R1, R2)."""
        if not self.readable and self.mailbox_id and self.account.status not in OFF:
            return Standing.WAITING
        takes = Flow.OUT in MODE_FLOW[Mode(self.settings.mode)] and self.settings.has_main
        if self.account.status in OFF or not self.mailbox_id or not takes:
            return Standing.NONE
        if self.settings.entity(entity_type) is None:
            return Standing.NONE
        return Standing.SYNCING if self.account.status in READY else Standing.WAITING

    def brings(self, entity_type: str) -> bool:
        """Whether this user's mailbox brings meetings of this type into the CRM."""
        gives = Flow.IN in MODE_FLOW[Mode(self.settings.mode)]
        return self.account.status not in OFF and gives and self.settings.entity(entity_type) is not None

    def assignee(self, entity_type: str) -> Assignee:
        """This user as the planner sees an assigned user."""
        return Assignee(
            user_id=self.account.user_id,
            standing=self.standing(entity_type),
            mailbox_id=self.mailbox_id,
            former_mailboxes=self.account.former_mailboxes,
        )

    def label(self, entity: EntitySettings) -> str:
        """The identification label of an entity type in this user's Outlook (R4)."""
        chosen = self.settings.entity(entity.entity_type)
        return (chosen.label if chosen else "") or entity.label

    def policy(self, entity: EntitySettings, now: float) -> Policy:
        """What the planner has to respect for this user's meetings of one type."""
        fields = _fields(entity)
        if self.settings.teams_for_new:
            fields |= {Field.ONLINE}
        return Policy(
            now=datetime.fromtimestamp(now, UTC),
            mode=Mode(self.settings.mode),
            clash=ClashRule(self.settings.clash),
            entity_fields=fields,
            description_both_ways=self.settings.description_both_ways,
            create_contacts=self.settings.create_contacts,
            delete_outlook_born_event=self.settings.remove_event_with_record,
            delete_crm_born_record=self.settings.remove_record_with_event,
            private=PrivateRule(self.settings.private_events),
            hide_details=self.settings.hide_imported_details,
            push_from=self.account.push_from,
            entity_enabled=self.settings.entity(entity.entity_type) is not None,
            suspended=self.account.reason or "off" if self.account.status in OFF else "",
        )


@lru_cache(maxsize=256)
def _fields(entity: EntitySettings) -> frozenset[Field]:
    return frozenset(Field(name) for name in entity.fields())


class Roster:
    """Reads accounts in bulk; settings are parsed once for each version of their text."""

    def __init__(self, store: Store, supposed: Account | None = None) -> None:
        """Read from `store`; `supposed` stands in for that user's stored account."""
        self._store = store
        self._supposed = supposed
        self._parsed: dict[str, tuple[str, UserSettings]] = {}

    def by_users(self, user_ids: Collection[str]) -> Mapping[str, Member]:
        """The members among `user_ids`."""
        wanted = sorted(set(user_ids) - {""})
        accounts = self._store.accounts.many(wanted) if wanted else {}
        return {account.user_id: self._member(account) for account in accounts.values()}

    def by_mailboxes(self, mailbox_ids: Collection[int]) -> Mapping[int, Member]:
        """The members behind `mailbox_ids`."""
        wanted = sorted(set(mailbox_ids) - {0})
        accounts = self._store.accounts.by_mailboxes(wanted) if wanted else {}
        return {mailbox: self._member(account) for mailbox, account in accounts.items()}

    def _member(self, account: Account) -> Member:
        if self._supposed is not None and self._supposed.user_id == account.user_id:
            account = self._supposed
        text = json.dumps(account.settings, sort_keys=True)
        known = self._parsed.get(account.user_id)
        if known is None or known[0] != text:
            try:
                known = (text, user_settings(account.settings))
            except SettingsError as error:
                return self._unreadable(account, str(error))
            self._parsed[account.user_id] = known
        return Member(account, known[1])

    def _unreadable(self, account: Account, problem: str) -> Member:
        """A member whose records wait until somebody has corrected the settings and resumed the account."""
        if account.status in READY:
            reason = f"the stored settings cannot be read: {problem}"
            log.error("the account of user %s needs attention: %s", account.user_id, reason)
            self._store.accounts.set_status(account.user_id, AccountStatus.NEEDS_ATTENTION, reason)
            account = replace(account, status=AccountStatus.NEEDS_ATTENTION, reason=reason)
        return Member(account, UserSettings(sync_since=date.max), readable=False)
