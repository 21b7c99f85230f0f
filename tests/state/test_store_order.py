"""What is read in an order comes in one order: what happened at the same time, too, on either database.

Rows are written against the order that is expected, so that neither the order of writing nor the database's
plan makes it by chance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from calsync_plugin.domain.links import CopyPurpose
from calsync_plugin.state import Parked, Store, Subject, Subscription
from tests.state.samples import NOON, a_copy, a_link, insert

BACKWARDS = tuple("EDCBA")


def _mailboxes(store: Store) -> list[int]:
    """Mailboxes that all are due at the same time, the first of them woken last."""
    made = [store.accounts.ensure_mailbox("tenant", name, f"{name}@example.com") for name in BACKWARDS]
    for mailbox_id in reversed(made):
        store.queue.wake(mailbox_id)
    return made


def test_mailboxes_that_are_due_at_the_same_time_are_claimed_in_their_order(store: Store) -> None:
    made = _mailboxes(store)
    claimed = [store.queue.claim("one", limit=2, lease=15) for _ in range(3)]
    assert [[lease.mailbox_id for lease in leases] for leases in claimed] == [made[:2], made[2:4], made[4:]]


def _parked(store: Store, mailbox: int) -> list[str]:
    item = Parked(mailbox_id=mailbox, user_id="alice", reason="no_end", message="no end")
    for name in BACKWARDS:
        with store.save(None) as save:
            save.park(replace(item, entity_type="Meeting", record_id=name))
    return [found.record_id for found in store.parked.all()]


def test_what_is_parked_for_a_reason_is_read_in_portions_of_one_order(store: Store) -> None:
    (mailbox, *_) = _mailboxes(store)
    reasons = ("forbidden", "no_end", "assignment")
    for name in BACKWARDS:
        for reason in reasons:
            item = Parked(mailbox_id=mailbox, user_id="alice", reason=reason, message="no")
            with store.save(None) as save:
                save.park(replace(item, entity_type="Meeting", record_id=f"{name} {reason}"))
    found: list[str] = []
    last: Parked | None = None
    while portion := store.parked.of_reasons({"forbidden", "assignment"}, after=last, limit=3):
        found += [item.record_id for item in portion]
        last = portion[-1]
    assert found == sorted(
        f"{name} {reason}" for name in BACKWARDS for reason in reasons if reason != "no_end"
    )


def _clashes(store: Store, mailbox: int) -> list[str]:
    del mailbox
    for name in BACKWARDS:
        with store.save(None) as save:
            save.clash(user_id="alice", link_id=name, field="subject", winner="crm", crm="", outlook="")
    return [found.link_id for found in store.log.clashes("alice")]


def _fields(store: Store, mailbox: int) -> list[str]:
    del mailbox
    for name in BACKWARDS:
        with store.save(None) as save:
            save.clash(user_id="alice", link_id="l1", field=name, winner="crm", crm="", outlook="")
    return [found.field for found in store.log.clashes("alice")]


def _journal(store: Store, mailbox: int) -> list[str]:
    for name in BACKWARDS:
        with store.save(None) as save:
            save.journal(
                mailbox_id=mailbox, user_id="alice", link_id="l1", side="event", item_id=name, content="{}"
            )
    return [found.item_id for found in store.log.journal()]


def _held(store: Store, mailbox: int) -> list[str]:
    for name in BACKWARDS:
        with store.save(None) as save:
            save.hold(mailbox, name, "DeleteEvent")
    return [found.link_id for found in store.held.all()]


def _subscriptions(store: Store, mailbox: int) -> list[str]:
    for name in BACKWARDS:
        store.subscriptions.save(
            Subscription(
                id=name,
                mailbox_id=mailbox,
                resource="me/events",
                client_state_hash="h",
                expires_at=NOON + timedelta(days=1),
            )
        )
    return [found.id for found in store.subscriptions.for_mailbox(mailbox)]


def _given(store: Store, mailbox: int) -> list[str]:
    del mailbox
    for name in BACKWARDS:
        store.given_grants.give(Subject("role", name), "OutlookCalendar", subject_name="Sales", given_by="me")
    return [found.subject.id for found in store.given_grants.all()]


def _links(store: Store, mailbox: int) -> list[str]:
    for name in BACKWARDS:
        insert(store, a_link(name, mailbox))
    return list(store.links.by_ids(BACKWARDS))


def _dates(store: Store, mailbox: int) -> list[str]:
    for name in BACKWARDS:
        insert(store, a_link(name, mailbox, copies=(a_copy(mailbox, name, series_id="S"),)))
    return [found.id for found in store.links.of_series(mailbox, ["S"])]


def _unseen(store: Store, mailbox: int) -> list[str]:
    for name in BACKWARDS:
        insert(store, a_link(name, mailbox, copies=(a_copy(mailbox, name),)))
    with store.save(None) as save:
        return save.unseen_events(mailbox, "calendar")


def _copies(store: Store, mailbox: int) -> list[str]:
    copies = tuple(a_copy(mailbox, name, purpose=CopyPurpose.ATTENDEE) for name in reversed(BACKWARDS))
    insert(store, a_link("l1", mailbox, copies=copies))
    return [event_id for _, event_id in store.links.event_ids(mailbox)]


LISTS: list[Callable[[Store, int], list[str]]] = [
    _parked,
    _clashes,
    _fields,
    _journal,
    _held,
    _subscriptions,
    _given,
    _links,
    _dates,
    _unseen,
    _copies,
]


@pytest.mark.parametrize("listed", LISTS, ids=lambda listed: listed.__name__.lstrip("_"))
def test_a_list_has_one_order(store: Store, mailbox: int, listed: Callable[[Store, int], list[str]]) -> None:
    assert listed(store, mailbox) == sorted(BACKWARDS)
