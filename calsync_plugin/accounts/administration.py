"""What an administrator does with a user's account, beyond what its user may do as well.

Decides what an administrator may choose for somebody else, and that of what was deleted an administrator sees
times and counts, never contents. Pausing, resuming and resetting lie with the use cases that do it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.accounts.choices import choose
from calsync_plugin.accounts.restore import Entry
from calsync_plugin.crm.gateway import CrmGateway
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.errors import SettingsError, UserError
from calsync_plugin.settings import NO_CALENDAR, UserSettings
from calsync_plugin.state import Account, AccountStatus, Store

CHOSEN_FOR_OTHERS = ("mode", "main_calendar", "other_calendars", "conflict_calendars")
"""As team leaders do: which way, and which calendars. The rest is each user's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """What was deleted for an account in the last 30 days: how much and when."""

    counts: Mapping[str, int]
    """By side: `event` or `record`."""
    ids: tuple[str, ...] = ()
    first: datetime | None = None
    last: datetime | None = None
    invited: int = 0
    """How many people Outlook would invite again, for meetings that are still ahead."""


def choose_for(
    store: Store, gateway: CrmGateway, actor: Actor, user_id: str, changes: Mapping[str, JsonValue]
) -> UserSettings:
    """Choose direction and calendars for a connected user. Raises SettingsError for anything else."""
    account = store.accounts.get(user_id)
    if account is None or account.mailbox_id is None or account.status is AccountStatus.OFF:
        raise UserError(f"user {user_id} is not connected to Outlook; only the user can connect")
    same = {name for name, value in changes.items() if account.settings.get(name) == value}
    others = sorted(changes.keys() - same - set(CHOSEN_FOR_OTHERS))
    if others:
        raise SettingsError(
            f"{others[0]:.80}: is the user's own choice (expected one of {', '.join(CHOSEN_FOR_OTHERS)})"
        )
    check_calendars(store, account, changes)
    return choose(store, gateway, user_id, changes, by=actor)


def check_calendars(store: Store, account: Account, changes: Mapping[str, JsonValue]) -> None:
    """Raise SettingsError for a calendar that the mailbox does not have, or cannot be written as main one."""
    rows = {row.id: row for row in store.calendars.for_mailbox(account.mailbox_id or 0)}
    for name in CHOSEN_FOR_OTHERS[1:]:
        value = changes.get(name)
        before = account.settings.get(name)
        for chosen in value if isinstance(value, list) else [value]:
            kept = chosen == before or (isinstance(before, list) and chosen in before)
            if not isinstance(chosen, str) or not chosen or kept:
                continue
            if name == "main_calendar" and chosen == NO_CALENDAR:
                continue
            if chosen not in rows:
                raise SettingsError(f"{name}: the mailbox has no such calendar")
            if name == "main_calendar" and not rows[chosen].can_edit:
                raise SettingsError(f"{name}: it cannot be written; ask its owner for write access")


def deleted(entries: Sequence[Entry]) -> Deleted:
    """Of journal entries (`Restorer.entries`) what an administrator sees before restoring them."""
    times = [entry.at for entry in entries]
    return Deleted(
        counts=Counter(entry.side for entry in entries),
        ids=tuple(entry.id for entry in entries),
        first=min(times, default=None),
        last=max(times, default=None),
        invited=len(frozenset[str]().union(*(entry.invites for entry in entries))),
    )
