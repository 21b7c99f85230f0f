"""The save of a run: everything it learnt, in one transaction, fenced by its lease.

Decides that a run which lost its lease saves nothing. What is saved is decided by the engine; how each kind
of row is written is said in its own module.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection

from calsync_plugin.domain.links import Link
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.state import changes, cursors, events, holding, link_writes, log, parking, pulls
from calsync_plugin.state.accounts import mark_pulled, mark_succeeded
from calsync_plugin.state.busy_writes import BusyWrites
from calsync_plugin.state.columns import instant
from calsync_plugin.state.database import Database
from calsync_plugin.state.queue import add_pace, hold_lease, wake
from calsync_plugin.state.reading_rows import Cursor, CursorStage
from calsync_plugin.state.rows import Lease, Pace, Parked
from calsync_plugin.state.secrets import Keyring
from calsync_plugin.state.waiting import Doorbell


class Save:
    """An open transaction. All calls take effect together at the end of the `with` block, or none does."""

    def __init__(self, connection: Connection, database: Database, keyring: Keyring) -> None:
        self._connection = connection
        self._database = database
        self._keyring = keyring
        self._wakes: set[int] = set()
        self._finished: dict[int, set[int]] = defaultdict(set)
        self._notes: list[log.NoteRow] = []
        self.busy = BusyWrites(connection, database)

    # --- links

    def insert_links(self, links: Sequence[Link]) -> set[str]:
        """Insert new links (version 1); returns the ids that lost the race for their record or occurrence."""
        return link_writes.insert_links(self._connection, links)

    def save_links(self, links: Sequence[Link], known: Sequence[Link] = ()) -> set[str]:
        """Save links with copies and bases by compare-and-swap; returns the ids of the stale ones.

        The others are saved, each with its version grown by one. `known`: those of them that are known as
        they are stored; what is equal of them is not written again.
        """
        return link_writes.save_links(self._connection, links, known)

    def drop_link(self, link: Link) -> None:
        """Remove a link. Raises StaleLink if another run changed it."""
        link_writes.drop_link(self._connection, link)

    # --- change rows

    def finish_changes(self, change_ids: Iterable[int], mailbox_id: int) -> None:
        """This mailbox is done with these change rows; a row ends with its last mailbox."""
        self._finished[mailbox_id].update(change_ids)

    def add_target(
        self, change_ids: Iterable[int], mailbox_id: int, *, attempts: int = 0, delay: float = 0.0
    ) -> None:
        """These change rows concern another mailbox, too, `delay` seconds from now; it is woken."""
        changes.add_target(
            self._connection, self._database, change_ids, mailbox_id, attempts=attempts, delay=delay
        )
        self.wake(mailbox_id)

    def mark_record(self, entity_type: str, record_id: str, mailbox_id: int) -> None:
        """Mark a record for one mailbox, which is woken."""
        changes.mark_for(self._connection, self._database, entity_type, record_id, mailbox_id)
        self.wake(mailbox_id)

    def retry_changes(self, change_ids: Iterable[int], mailbox_id: int, delay: float, error: str) -> None:
        """Try these change rows again after `delay` seconds; `error` says why, in words."""
        changes.retry(self._connection, self._database, change_ids, mailbox_id, delay, error)

    def wake(self, mailbox_id: int) -> None:
        """Make a mailbox due when this is committed."""
        self._wakes.add(mailbox_id)

    def pace(self, mailbox_id: int, before: Pace, after: Pace) -> None:
        """Remember how much of its request window a mailbox has used since `before`."""
        add_pace(self._connection, mailbox_id, before, after)

    def next_due_in(self, mailbox_id: int) -> float | None:
        """Seconds until a mailbox's next change, event mark or pull is due (0 or less: now)."""
        found = [
            changes.next_due_in(self._connection, self._database, mailbox_id),
            events.next_due_in(self._connection, self._database, mailbox_id),
            pulls.next_due_in(self._connection, self._database, mailbox_id),
        ]
        return min((seconds for seconds in found if seconds is not None), default=None)

    def succeeded(self, user_id: str) -> None:
        """A run of this account ended well: now."""
        mark_succeeded(self._connection, user_id, self._now())

    # --- cursors

    def save_cursor(self, cursor: Cursor) -> None:
        """Remember where the reading of a calendar stands."""
        cursors.save(self._connection, self._keyring, cursor)

    def cursor_is(self, cursor: Cursor) -> bool:
        """Whether a cursor is still as it was read: nobody has reset or outdated it meanwhile."""
        return cursors.is_as_read(self._connection, self._keyring, cursor)

    def drop_cursor(
        self, mailbox_id: int, calendar_id: str, stage: CursorStage = CursorStage.LIVE, part: int = 0
    ) -> None:
        """Forget it: the next pull reads everything and compares."""
        cursors.drop(self._connection, mailbox_id, calendar_id, stage, part)

    def pulled(self, mailbox_id: int, next_in: float, seen_hints: int) -> None:
        """A mailbox was read; it wants to be read again in `next_in` seconds unless a hint came meanwhile."""
        pulls.pulled(self._connection, self._database, mailbox_id, next_in, seen_hints)

    def read_to_the_end(self, user_id: str) -> None:
        """All calendars of an account were read to their end: now."""
        mark_pulled(self._connection, user_id, self._now())

    # --- events to look at

    def mark_events(
        self,
        mailbox_id: int,
        event_ids: Iterable[str],
        *,
        delay: float = 0.0,
        error: str = "",
        attempts: int = 0,
    ) -> None:
        """Look at these events of a mailbox, not before `delay` seconds from now."""
        events.mark(
            self._connection,
            self._database,
            mailbox_id,
            event_ids,
            delay=delay,
            error=error,
            attempts=attempts,
        )

    def finish_events(self, mark_ids: Iterable[int]) -> None:
        """These marks were dealt with."""
        events.finish(self._connection, mark_ids)

    def retry_events(self, mark_ids: Iterable[int], delay: float, error: str) -> None:
        """Look again after `delay` seconds; `error` says why, in words."""
        events.retry(self._connection, self._database, mark_ids, delay, error)

    def saw_events(self, mailbox_id: int, calendar_id: str, event_ids: Iterable[str]) -> None:
        """A full round came across these events."""
        events.saw(self._connection, mailbox_id, calendar_id, event_ids)

    def unseen_events(self, mailbox_id: int, calendar_id: str) -> list[str]:
        """Linked events of a calendar that the full round did not come across; it ends with this."""
        return events.unseen(self._connection, mailbox_id, calendar_id)

    def begin_round(self, mailbox_id: int, calendar_id: str) -> None:
        """A full round begins: nothing was seen yet."""
        events.forget_seen(self._connection, mailbox_id, calendar_id)

    # --- what people read and decide

    def parked_in(self, records: Iterable[tuple[str, str]]) -> dict[tuple[str, str], set[int]]:
        """The mailboxes in which records (entity type, record id) are parked; others are left out."""
        return parking.mailboxes_of(self._connection, records)

    def parked_events(self, mailbox_id: int, event_ids: Iterable[str]) -> set[str]:
        """Those of a mailbox's events that are parked."""
        return parking.parked_events(self._connection, mailbox_id, event_ids)

    def mask(self, link_id: str) -> None:
        """The meeting became private: what was noted of it becomes unreadable at once (R14)."""
        log.mask(self._connection, link_id)

    def park(self, item: Parked) -> None:
        """Keep an item that cannot be synced, with its reason; `since` stays that of the first time."""
        parking.park(self._connection, item, item.since or self._now())

    def unpark(
        self, *, mailbox_id: int | None = None, entity_type: str = "", record_id: str = "", event_id: str = ""
    ) -> int:
        """An item was synced after all; an id that is left out matches any. Returns how many were parked."""
        return parking.unpark(
            self._connection,
            mailbox_id=mailbox_id,
            entity_type=entity_type,
            record_id=record_id,
            event_id=event_id,
        )

    def unpark_events(self, mailbox_id: int, event_ids: Sequence[str]) -> None:
        """Events of a mailbox are no more, or came to rest after all."""
        for event_id in self.parked_events(mailbox_id, event_ids) if event_ids else ():
            self.unpark(mailbox_id=mailbox_id, event_id=event_id)

    def hold(self, mailbox_id: int, link_id: str, operation: str) -> None:
        """Let an operation wait for a person; one that is held already stays as it is."""
        holding.hold(self._connection, mailbox_id, link_id, operation, self._now())

    def unhold(self, mailbox_id: int, link_id: str) -> None:
        """The held operations of a link were carried out or given up."""
        holding.unhold(self._connection, mailbox_id, link_id)

    def count_deletion(self, mailbox_id: int, group_key: str, *, kind: str = "deletion") -> None:
        """Count for the breaker; calls with the same `group_key` count as one."""
        holding.count_deletion(self._connection, mailbox_id, group_key, kind, self._now())

    def journal(
        self, *, mailbox_id: int, user_id: str, link_id: str, side: str, item_id: str, content: str
    ) -> str:
        """Keep what is about to be deleted, encrypted, for 30 days; returns the entry's id."""
        return log.journal(
            self._connection,
            self._keyring,
            at=self._now(),
            mailbox_id=mailbox_id,
            user_id=user_id,
            link_id=link_id,
            side=side,
            item_id=item_id,
            content=content,
        )

    def clash(
        self, *, user_id: str, link_id: str, field: str, winner: str, crm: JsonValue, outlook: JsonValue
    ) -> None:
        """Keep both values of a field that both sides changed, encrypted, for 30 days."""
        log.clash(
            self._connection,
            self._keyring,
            at=self._now(),
            user_id=user_id,
            link_id=link_id,
            field=field,
            winner=winner,
            values={"crm": crm, "outlook": outlook},
        )

    def note(self, user_id: str, link_id: str, text: str) -> None:
        """One line for the log of an account, in words."""
        self._notes.append((user_id, link_id, text))

    def remark(self, user_id: str, link_id: str, text: str) -> None:
        """A note that says how things are, unless the last one on this link says so already."""
        if log.last_note(self._connection, user_id, link_id) != text:
            self.note(user_id, link_id, text)

    def _now(self) -> datetime:
        return instant(self._database.clock.now())

    @property
    def wakes(self) -> bool:
        """Whether any mailbox became due."""
        return bool(self._wakes)

    def complete(self, lease: Lease | None) -> None:
        """What is written for all items at once, and then what locks mailbox rows: wakes wait for those."""
        log.note_all(self._connection, self._now(), self._notes)
        for mailbox_id, change_ids in sorted(self._finished.items()):
            changes.finish(self._connection, change_ids, mailbox_id)
        ids = sorted(self._wakes | ({lease.mailbox_id} if lease else set()))
        for mailbox_id in ids:
            if lease is not None and mailbox_id == lease.mailbox_id:
                hold_lease(self._connection, lease)
            if mailbox_id in self._wakes:
                wake(self._connection, self._database, [mailbox_id])


@contextmanager
def saving(database: Database, keyring: Keyring, doorbell: Doorbell, lease: Lease | None) -> Generator[Save]:
    """One transaction of a run. Raises LeaseLost at its end if the lease is no longer ours.

    Without a lease it is the transaction of a person's action; links are still protected by their versions.
    """
    with database.write() as connection:
        save = Save(connection, database, keyring)
        yield save
        save.complete(lease)
    if save.wakes:
        doorbell.ring()
