"""The last step of a run: what was learnt goes into the store, in one transaction for each portion.

Decides what becomes of the marks of each item. An item whose link another run saved meanwhile keeps its
mark and is gathered anew: compare-and-swap, the loser plans again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from calsync_plugin.domain.links import LinkState
from calsync_plugin.engine.brake import group_of
from calsync_plugin.engine.busy_news import save_news
from calsync_plugin.engine.counting import Counting
from calsync_plugin.engine.item import Item, ItemState
from calsync_plugin.engine.worker import backoff
from calsync_plugin.errors import StaleLink
from calsync_plugin.state import ChangeKey, Lease, Pace, Parked, Save, Store

log = logging.getLogger(__name__)

AT_ONCE = 6
"""How often an item is handed from mailbox to mailbox without a pause."""
CONTESTED_WAIT = 0.05
"""Seconds until an event is looked at again whose link another run was about to save."""


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

    def __init__(self, store: Store, counting: Counting) -> None:
        """Save to `store`, and count what was saved."""
        self._store = store
        self._counting = counting

    def save(self, lease: Lease, items: Sequence[Item], intent: Intent = NOTHING) -> None:
        """Commit links, bases and the end of the marks; marks of unfinished items stay.

        With an `intent` what is about to be done for other items goes into the same commit. Those of them
        that lost the race for their link are marked as contested and must not be written.
        """
        news = [one for item in items for one in item.busy]
        sources = [s for m in sorted({n.mailbox_id for n in news}) for s in self._store.busy.of_mailbox(m)]
        with self._store.save(lease) as tx:
            parked = tx.parked_in([(i.key.entity_type, i.key.record_id) for i in items if i.key.record_id])
            by_mailbox = {i.mailbox_id for i in items if i.event_id}
            events = {m: tx.parked_events(m, [i.event_id for i in items]) for m in by_mailbox}
            self._save_links(tx, [i for i in items if not i.dropped])
            for item in items:
                if item.dropped and item.state is ItemState.DONE:
                    self._drop(tx, item)
            marked: set[tuple[int, str]] = set()
            for item in items:
                self._end(tx, item, parked_in=parked.get((item.key.entity_type, item.key.record_id), set()))
                self._end_event(tx, item, marked, parked=events.get(item.mailbox_id, set()))
            self._intend(tx, intent)
            save_news(tx.busy, news, sources)
        for item in items:
            item.busy.clear()
        self._counting.saved(items, parked=sum(_is_news(i, parked, events) for i in items))

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

    def end(self, lease: Lease, user_id: str, before: Pace, after: Pace) -> float | None:
        """A run ended well; returns the seconds until its mailbox's next mark is due, None if none waits."""
        with self._store.save(lease) as tx:
            tx.pace(lease.mailbox_id, before, after)
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
        changed = [i for i in items if i.changed_link and i.link and _may_be_saved(i)]
        fresh = [i for i in changed if i.link and i.link.version == 0]
        stored = [i for i in changed if i.link and i.link.version > 0]
        lost = tx.insert_links([i.link for i in fresh if i.link]) if fresh else set()
        known = [i.stored for i in stored if i.stored]
        lost |= tx.save_links([i.link for i in stored if i.link], known) if stored else set()
        for item in changed:
            assert item.link is not None
            if item.link.id in lost:
                item.state = ItemState.CONTESTED
            else:
                item.stored = item.link = replace(item.link, version=item.link.version + 1)
                item.changed_link = False

    def _drop(self, tx: Save, item: Item) -> None:
        if item.link is None or item.link.version == 0:
            return
        try:
            tx.drop_link(item.link)
        except StaleLink:
            item.state = ItemState.CONTESTED

    def _end(self, tx: Save, item: Item, *, parked_in: set[int]) -> None:
        key, link_id = item.key, item.link.id if item.link else ""
        if item.state in (ItemState.OPEN, ItemState.CONTESTED):
            return
        for mailbox_id in sorted(item.elsewhere - {item.mailbox_id}):
            self._hand_on(tx, item, mailbox_id)
        for kind in sorted(item.counted):
            tx.count_deletion(item.mailbox_id, group_of(item), kind=kind)
        if item.held and link_id:
            tx.hold(item.mailbox_id, link_id, item.held)
        elif link_id and (item.counted or (item.released and item.state is ItemState.DONE)):
            tx.unhold(item.mailbox_id, link_id)
        self._tell(tx, item)
        if item.state is ItemState.RETRY:
            delay = backoff(key.attempts + 1) if item.retry_after is None else item.retry_after
            tx.retry_changes(key.change_ids, item.mailbox_id, delay, item.error)
            return
        for mailbox_id in sorted(_no_longer_parked(item, parked_in)) if key.record_id else ():
            tx.unpark(mailbox_id=mailbox_id, entity_type=key.entity_type, record_id=key.record_id)
        if item.state is ItemState.PARKED:
            log.warning("an item is parked: %s", item.problem or item.error)
            tx.park(_parked(item))
        tx.finish_changes(key.change_ids, item.mailbox_id)

    def _tell(self, tx: Save, item: Item) -> None:
        """What people read of it afterwards."""
        user_id, link_id = item.member.account.user_id, item.link.id if item.link else ""
        for clash in item.clashes:
            tx.clash(
                user_id=user_id, link_id=link_id, field=clash.field, winner=clash.winner,
                crm=clash.ours, outlook=clash.theirs,
            )  # fmt: skip
        for text in item.notes if item.wrote else ():
            tx.note(user_id, link_id, f"{item.name}: {text}")
        for text in item.remarks:
            tx.remark(item.runner.account.user_id, link_id, f"{item.name}: {text}")
        if item.masks_log and link_id:
            tx.mask(link_id)

    def _hand_on(self, tx: Save, item: Item, mailbox_id: int) -> None:
        """Let another mailbox do its part: by the item's marks, or by a new one if an event brought it.

        Two mailboxes of which each leaves it to the other wait longer each time.
        """
        if item.key.change_ids:
            handed = item.key.attempts + 1
            delay = pause_after(handed)
            if delay:
                log.warning("%s goes from mailbox to mailbox; it waits for %.0f s", item.name, delay)
            tx.add_target(item.key.change_ids, mailbox_id, attempts=handed, delay=delay)
        elif item.key.record_id:
            tx.mark_record(item.key.entity_type, item.key.record_id, mailbox_id)

    def _end_event(self, tx: Save, item: Item, marked: set[tuple[int, str]], *, parked: set[str]) -> None:
        """What becomes of the marks of the event that brought the item; `marked`: what got one just now."""
        if item.series_to_read:
            tx.mark_events(item.mailbox_id, [item.series_to_read])
            tx.finish_events(item.event_marks)
            return
        if not item.event_id or item.state is ItemState.OPEN:
            return
        if item.state in (ItemState.RETRY, ItemState.CONTESTED):
            delay = CONTESTED_WAIT
            if item.state is ItemState.RETRY:
                delay = backoff(item.event_attempts + 1) if item.retry_after is None else item.retry_after
            if item.event_marks:
                tx.retry_events(item.event_marks, delay, item.error)
            elif (item.mailbox_id, _to_mark(item)) not in marked:
                marked.add((item.mailbox_id, _to_mark(item)))
                attempts = item.event_attempts + int(item.state is ItemState.RETRY)
                tx.mark_events(
                    item.mailbox_id, [_to_mark(item)], delay=delay, error=item.error, attempts=attempts
                )
            return
        tx.finish_events(item.event_marks)
        if item.event_id in parked and item.state is ItemState.DONE:
            tx.unpark(mailbox_id=item.mailbox_id, event_id=item.event_id)


def pause_after(handed: int) -> float:
    """Seconds that an item waits which mailboxes handed to each other so often."""
    return backoff(handed - AT_ONCE) if handed > AT_ONCE else 0.0


def _to_mark(item: Item) -> str:
    """What is to be looked at again: of a series that is still to be imported the series, at once."""
    return item.series_id if item.link is None and item.series_id else item.event_id


def _may_be_saved(item: Item) -> bool:
    """Whether the item's link says what is so: not if another run was faster.

    Nor if the record did not pass to the user whose copy is its home now: the next look hands it over.
    """
    halfway = bool(item.passes_to) and item.state in (ItemState.RETRY, ItemState.PARKED)
    return item.state is not ItemState.CONTESTED and not halfway


def _no_longer_parked(item: Item, parked_in: set[int]) -> set[int]:
    """An item is parked once: where it failed last. Whoever hands it on has nothing to say of the others.

    Nor has whoever came to rest of mailboxes that hold a copy: their part of it is theirs to do.
    """
    if item.state is ItemState.PARKED:
        return parked_in - {item.mailbox_id}
    if item.problem:
        return parked_in & {item.mailbox_id}
    followed = item.link is not None and not item.dropped and item.link.state is LinkState.ACTIVE
    holders = {copy.mailbox_id for copy in item.link.copies} if item.link and followed else set()
    return parked_in - (holders - {item.mailbox_id})


def _is_news(item: Item, records: Mapping[tuple[str, str], set[int]], events: Mapping[int, set[str]]) -> bool:
    """Whether an item is parked that was not before."""
    key = item.key
    before = item.mailbox_id in records.get((key.entity_type, key.record_id), ())
    before = before or item.event_id in events.get(item.mailbox_id, ())
    return item.state is ItemState.PARKED and not before


def _parked(item: Item) -> Parked:
    problem = item.problem
    return Parked(
        mailbox_id=item.mailbox_id,
        user_id=item.member.account.user_id,
        reason=problem.reason if problem else "unknown",
        message=str(problem) if problem else item.error,
        entity_type=item.key.entity_type,
        record_id=item.key.record_id,
        event_id=item.event_id,
    )
