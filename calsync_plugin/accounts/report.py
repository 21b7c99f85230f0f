"""What people read about accounts: status, counts, what is parked and why.

Decides what is shown to an administrator: no content of meetings beyond the ids and reasons of parked items.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from calsync_plugin.accounts.left_behind import left_behind
from calsync_plugin.domain.links import Link
from calsync_plugin.errors import UserError
from calsync_plugin.state import NEVER, Account, AccountStatus, Clash, Parked, Store

PAGE = 200
SYNCING = frozenset({AccountStatus.CONNECTED, AccountStatus.SYNCING})
WHAT_TO_DO: Mapping[AccountStatus, str] = MappingProxyType(
    {
        AccountStatus.RECONNECT: "let the user sign in again: calsync accounts connect {user}",
        AccountStatus.NEEDS_ATTENTION: "cure what the reason says, then: calsync accounts resume {user}",
        AccountStatus.PAUSED: "go on with: calsync accounts resume {user}",
    }
)


def accounts(store: Store) -> Iterator[dict[str, Any]]:
    """A line for each account, in the order of their user ids."""
    after = ""
    while page := some_accounts(store, after=after):
        yield from page
        after = page[-1]["user"]


def some_accounts(store: Store, *, after: str = "", limit: int = PAGE) -> list[dict[str, Any]]:
    """The lines of a page of accounts, after a user id."""
    parked = Counter(item.user_id for item in store.parked.all())
    page = store.accounts.all(after=after, limit=limit)
    return [line(account) | {"parked": parked[account.user_id]} for account in page]


def account(store: Store, name: str) -> dict[str, Any]:
    """All about one account, named by its user id or address. Raises UserError for an unknown one."""
    found = find(store, name)
    mailbox_id = found.mailbox_id or 0
    held = store.held.all(mailbox_id)
    return line(found) | {
        "what_to_do": WHAT_TO_DO.get(found.status, "").format(user=found.user_id),
        "grants": sorted(found.grants),
        **_reading(store, found),
        "settings": dict(found.settings),
        "links": {state.value: count for state, count in store.links.counts(mailbox_id).items()},
        "waiting": {
            "records": store.changes.waiting_for(mailbox_id),
            "events": store.events.waiting_for(mailbox_id),
        },
        "held": dict(Counter(item.operation for item in held if not item.decision)),
        "parked": [_parked(item) for item in store.parked.all(user_id=found.user_id)],
        "left_behind": [f"{e.entity_type} {e.record_id}" for e in left_behind(store, found)],
        "clashes": len(store.log.clash_times(found.user_id)),
        "notes": [
            {"at": _time(note.at), "text": note.text} for note in store.log.notes(found.user_id, limit=20)
        ],
    }


def clashes(store: Store, account: Account, *, limit: int = 100) -> list[dict[str, Any]]:
    """What both sides of an account's meetings had, latest first: for that user's eyes alone."""
    found = store.log.clashes(account.user_id, limit=limit)
    links = store.links.by_ids([clash.link_id for clash in found])
    return [_clash(clash, links.get(clash.link_id)) for clash in found]


def _clash(clash: Clash, link: Link | None) -> dict[str, Any]:
    return {
        "at": _time(clash.at),
        "record": f"{link.entity_type} {link.record_id}".strip() if link else "",
        "field": clash.field,
        "winner": clash.winner,
        "crm": clash.crm,
        "outlook": clash.outlook,
    }


def _reading(store: Store, found: Account) -> dict[str, Any]:
    """How changes in Outlook become known, when all was last read and when it is looked at next."""
    now = store.clock.now()
    state = store.queue.pull_state(found.mailbox_id) if found.mailbox_id else None
    due = state is not None and found.status in SYNCING and state.pull_at < NEVER
    return {
        "read": _time(found.pulled_at),
        "read_seconds_ago": round(now - found.pulled_at.timestamp()) if found.pulled_at else None,
        "next_reading": _time(datetime.fromtimestamp(max(state.pull_at, now), UTC)) if state and due else "",
        "changes_by": found.notify.value,
        "changes_by_reason": found.notify_reason,
    }


def nobody(store: Store) -> dict[str, Any]:
    """What is parked and belongs to no account: records without an assigned user, for instance."""
    return {"parked": [_parked(item) for item in store.parked.all(user_id="")]}


def find(store: Store, name: str) -> Account:
    """The account of a user id or address."""
    known = found(store, name)
    if known is None:
        raise UserError(f"there is no account of {name!r}; list them with: calsync accounts list")
    return known


def found(store: Store, name: str) -> Account | None:
    """The account of a user id or address, None if there is none."""
    return store.accounts.get(name) or next(
        (a for a in _all(store) if a.address.lower() == name.lower()), None
    )


def _all(store: Store) -> Iterator[Account]:
    after = ""
    while page := store.accounts.all(after=after, limit=PAGE):
        yield from page
        after = page[-1].user_id


def line(found: Account) -> dict[str, Any]:
    """What is said of an account in one line."""
    return {
        "user": found.user_id,
        "address": found.address,
        "status": found.status.value,
        "stage": found.stage.value,
        "reason": found.reason,
        "mode": found.settings.get("mode", "both"),
        "last_success": _time(found.last_success_at),
        "last_error": found.last_error,
        "last_error_at": _time(found.last_error_at),
    }


def _parked(item: Parked) -> dict[str, str]:
    return {
        "record": f"{item.entity_type} {item.record_id}".strip(),
        "event": item.event_id,
        "reason": item.reason,
        "message": item.message,
        "since": _time(item.since),
    }


def _time(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""
