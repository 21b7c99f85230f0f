"""What people read about accounts: status, counts, what is parked and why.

Decides what is shown to an administrator: no content of meetings beyond the ids and reasons of parked items.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from calsync_plugin.accounts.left_behind import left_behind
from calsync_plugin.errors import UserError
from calsync_plugin.state import Account, Parked, Store

PAGE = 200


def accounts(store: Store) -> Iterator[dict[str, Any]]:
    """A line for each account, in the order of their user ids."""
    parked = Counter(item.user_id for item in store.parked.all())
    after = ""
    while page := store.accounts.all(after=after, limit=PAGE):
        for account in page:
            yield _line(account) | {"parked": parked[account.user_id]}
        after = page[-1].user_id


def account(store: Store, name: str) -> dict[str, Any]:
    """All about one account, named by its user id or address. Raises UserError for an unknown one."""
    found = find(store, name)
    mailbox_id = found.mailbox_id or 0
    held = store.held.all(mailbox_id)
    return _line(found) | {
        "settings": dict(found.settings),
        "links": {state.value: count for state, count in store.links.counts(mailbox_id).items()},
        "waiting": store.changes.waiting_for(mailbox_id),
        "held": Counter(item.operation for item in held if not item.decision),
        "parked": [_parked(item) for item in store.parked.all(user_id=found.user_id)],
        "left_behind": [f"{e.entity_type} {e.record_id}" for e in left_behind(store, found)],
        "clashes": len(store.log.clashes(found.user_id)),
        "notes": [
            {"at": _time(note.at), "text": note.text} for note in store.log.notes(found.user_id, limit=20)
        ],
    }


def nobody(store: Store) -> dict[str, Any]:
    """What is parked and belongs to no account: records without an assigned user, for instance."""
    return {"parked": [_parked(item) for item in store.parked.all(user_id="")]}


def find(store: Store, name: str) -> Account:
    """The account of a user id or address."""
    found = store.accounts.get(name)
    if found is None:
        found = next((a for a in _all(store) if a.address.lower() == name.lower()), None)
    if found is None:
        raise UserError(f"there is no account of {name!r}; list them with: calsync accounts list")
    return found


def _all(store: Store) -> Iterator[Account]:
    after = ""
    while page := store.accounts.all(after=after, limit=PAGE):
        yield from page
        after = page[-1].user_id


def _line(found: Account) -> dict[str, Any]:
    return {
        "user": found.user_id,
        "address": found.address,
        "status": found.status.value,
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
