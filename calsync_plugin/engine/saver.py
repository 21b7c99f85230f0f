"""The last step of a run: what was learnt goes into the store, in one transaction for each portion.

Decides what becomes of the marks of each item. An item whose link another run saved meanwhile keeps its
mark and is gathered anew: compare-and-swap, the loser plans again.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from calsync_plugin.engine.brake import group_of
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.worker import backoff
from calsync_plugin.errors import StaleLink
from calsync_plugin.state import ChangeKey, Lease, Pace, Parked, Save, Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be done, to be committed before anything is sent."""

    begun: Sequence[Item] = ()
    """Items whose create was begun."""
    journal: Sequence[tuple[Item, str, str]] = ()
    """Item, event id and content of what is about to be deleted."""

    def __bool__(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self.begun or self.journal)


NOTHING = Intent()


def joined(intents: Sequence[Intent]) -> Intent:
    """Several as one."""
    return Intent(
        [item for intent in intents for item in intent.begun],
        [entry for intent in intents for entry in intent.journal],
    )


class Saver:
    """Saves items of runs."""

    def __init__(self, store: Store) -> None:
        """Save to `store`."""
        self._store = store

    def save(self, lease: Lease, items: Sequence[Item], intent: Intent = NOTHING) -> None:
        """Commit links, bases and the end of the marks; marks of unfinished items stay.

        With an `intent` what is about to be done for other items goes into the same commit. Those of them
        that lost the race for their link are marked as contested and must not be written.
        """
        with self._store.save(lease) as tx:
            parked = tx.parked_in([(i.key.entity_type, i.key.record_id) for i in items])
            self._save_links(tx, [i for i in items if not i.dropped])
            for item in items:
                if item.dropped and item.state is ItemState.DONE:
                    self._drop(tx, item)
            for item in items:
                self._end(tx, item, parked_in=parked.get((item.key.entity_type, item.key.record_id), set()))
            self._intend(tx, intent)

    def _intend(self, tx: Save, intent: Intent) -> None:
        self._save_links(tx, intent.begun)
        for item, event_id, content in intent.journal:
            tx.journal(
                mailbox_id=item.mailbox_id,
                user_id=item.member.account.user_id,
                link_id=item.link.id if item.link else "",
                side="event" if event_id else "record",
                item_id=event_id or item.name,
                content=content,
            )

    def end(self, lease: Lease, user_id: str, pace: Pace) -> float | None:
        """A run ended well; returns the seconds until its mailbox's next mark is due, None if none waits."""
        with self._store.save(lease) as tx:
            tx.pace(lease.mailbox_id, pace)
            tx.succeeded(user_id)
            return tx.next_due_in(lease.mailbox_id)

    def withdraw(self, lease: Lease, items: Sequence[Item]) -> None:
        """Take back begun creates that were never sent, so that nobody has to look for their events."""
        with self._store.save(lease) as tx:
            for item in items:
                if item.state is ItemState.OPEN:
                    self._drop(tx, item)

    def forget(self, lease: Lease, keys: Sequence[ChangeKey]) -> None:
        """End marks that concern nobody."""
        with self._store.save(lease) as tx:
            tx.finish_changes([i for key in keys for i in key.change_ids], lease.mailbox_id)

    def _save_links(self, tx: Save, items: Sequence[Item]) -> None:
        changed = [i for i in items if i.changed_link and i.link and i.state is not ItemState.CONTESTED]
        fresh = [i for i in changed if i.link and i.link.version == 0]
        stored = [i for i in changed if i.link and i.link.version > 0]
        lost = tx.insert_links([i.link for i in fresh if i.link]) if fresh else set()
        lost |= tx.save_links([i.link for i in stored if i.link]) if stored else set()
        for item in changed:
            assert item.link is not None
            if item.link.id in lost:
                item.state = ItemState.CONTESTED
            else:
                item.link = replace(item.link, version=item.link.version + 1)
                item.changed_link = False

    def _drop(self, tx: Save, item: Item) -> None:
        if item.link is None or item.link.version == 0:
            return
        try:
            tx.drop_link(item.link)
        except StaleLink:
            item.state = ItemState.CONTESTED

    def _end(self, tx: Save, item: Item, *, parked_in: set[int]) -> None:
        key, user_id = item.key, item.member.account.user_id
        link_id = item.link.id if item.link else ""
        if item.state in (ItemState.OPEN, ItemState.CONTESTED):
            return
        for mailbox_id in sorted(item.elsewhere - {item.mailbox_id}):
            tx.add_target(key.change_ids, mailbox_id)
        for kind in sorted(item.counted):
            tx.count_deletion(item.mailbox_id, group_of(item), kind=kind)
        if item.held and link_id:
            tx.hold(item.mailbox_id, link_id, item.held)
        elif link_id and (item.counted or (item.released and item.state is ItemState.DONE)):
            tx.unhold(item.mailbox_id, link_id)
        for clash in item.clashes:
            tx.clash(
                user_id=user_id, link_id=link_id, field=clash.field, winner=clash.winner,
                crm=clash.ours, outlook=clash.theirs,
            )  # fmt: skip
        for text in item.notes if item.wrote else ():
            tx.note(user_id, link_id, f"{item.name}: {text}")
        if item.state is ItemState.RETRY:
            delay = backoff(key.attempts + 1) if item.retry_after is None else item.retry_after
            tx.retry_changes(key.change_ids, item.mailbox_id, delay, item.error)
            return
        for mailbox_id in sorted(_no_longer_parked(item, parked_in)):
            tx.unpark(mailbox_id=mailbox_id, entity_type=key.entity_type, record_id=key.record_id)
        if item.state is ItemState.PARKED:
            log.warning("an item is parked: %s", item.problem or item.error)
            tx.park(_parked(item))
        tx.finish_changes(key.change_ids, item.mailbox_id)


def _no_longer_parked(item: Item, parked_in: set[int]) -> set[int]:
    """An item is parked once: where it failed last. Whoever hands it on has nothing to say of the others."""
    if item.state is ItemState.PARKED:
        return parked_in - {item.mailbox_id}
    return parked_in & {item.mailbox_id} if item.problem else parked_in


def _parked(item: Item) -> Parked:
    problem = item.problem
    return Parked(
        mailbox_id=item.mailbox_id,
        user_id=item.member.account.user_id,
        reason=problem.reason if problem else "unknown",
        message=str(problem) if problem else item.error,
        entity_type=item.key.entity_type,
        record_id=item.key.record_id,
    )
