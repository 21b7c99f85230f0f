"""Clocks, links and leases as the tests of the store need them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from calsync_plugin.domain.links import Base, Copy, CopyPurpose, CopyState, Link
from calsync_plugin.domain.meeting import Field
from calsync_plugin.state import Lease, Store

Opener = Callable[..., Store]
"""Opens a store on the test's database: `clock`, `keyring` and `kind` by keyword."""

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
START = 1_800_000_000.0


class MovedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: float = START) -> None:
        self.at = at

    def now(self) -> float:
        """Epoch seconds."""
        return self.at

    def move(self, seconds: float) -> None:
        """Forward."""
        self.at += seconds


def a_copy(mailbox_id: int, event_id: str = "E1", **fields: Any) -> Copy:
    """A live home copy."""
    defaults: dict[str, Any] = {
        "purpose": CopyPurpose.HOME,
        "state": CopyState.LIVE,
        "ical_uid": f"U-{event_id}",
    }
    return Copy(mailbox_id=mailbox_id, event_id=event_id, **(defaults | fields))


def a_link(link_id: str, mailbox_id: int = 3, **fields: Any) -> Link:
    """A link with one copy and two bases."""
    defaults: dict[str, Any] = {
        "entity_type": "Meeting",
        "record_id": f"record-{link_id}",
        "copies": (a_copy(mailbox_id, f"event-{link_id}"),),
        "crm_base": Base({Field.SUBJECT: "Lunch", Field.ATTENDEES: [{"key": "user:1"}]}, "17"),
        "outlook_base": Base({Field.SUBJECT: "Lunch"}, 'W/"1"'),
    }
    return Link(id=link_id, **(defaults | fields))


def insert(store: Store, *links: Link) -> set[str]:
    """Insert links outside of any run; returns those that lost."""
    with store.save(None) as save:
        return save.insert_links(links)


def claimed(store: Store, mailbox_id: int, *, owner: str = "one", lease: float = 15) -> Lease:
    """The lease of a mailbox that is due."""
    leases = {found.mailbox_id: found for found in store.queue.claim(owner, limit=100, lease=lease)}
    return leases[mailbox_id]


def routed(store: Store, mailbox_id: int, *record_ids: str) -> list[int]:
    """Note changes of records and route all that is unrouted to one mailbox; returns the rows' ids."""
    store.queue.record_changes([("Meeting", record_id, "", "saved") for record_id in record_ids])
    ids = [change.id for change in store.changes.unrouted(10_000)]
    store.changes.route({change_id: [mailbox_id] for change_id in ids})
    return ids
