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
from calsync_plugin.state import changes, cursors, holding, link_writes, log, parking
from calsync_plugin.state.accounts import mark_succeeded
from calsync_plugin.state.columns import instant
from calsync_plugin.state.database import Database
from calsync_plugin.state.queue import hold_lease, set_pace, wake
from calsync_plugin.state.rows import Cursor, CursorStage, Lease, Pace, Parked
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

    # --- links

    def insert_links(self, links: Sequence[Link]) -> set[str]:
        """Insert new links (version 1); returns the ids that lost the race for their record or occurrence."""
        return link_writes.insert_links(self._connection, links)

    def save_links(self, links: Sequence[Link]) -> set[str]:
        """Save links with copies and bases by compare-and-swap; returns the ids of the stale ones.

        The others are saved, each with its version grown by one.
        """
        return link_writes.save_links(self._connection, links)

    def drop_link(self, link: Link) -> None:
        """Remove a link. Raises StaleLink if another run changed it."""
        link_writes.drop_link(self._connection, link)

    # --- change rows

    def finish_changes(self, change_ids: Iterable[int], mailbox_id: int) -> None:
        """This mailbox is done with these change rows; a row ends with its last mailbox."""
        self._finished[mailbox_id].update(change_ids)

    def add_target(self, change_ids: Iterable[int], mailbox_id: int) -> None:
        """These change rows concern another mailbox, too; it is woken."""
        changes.add_target(self._connection, change_ids, mailbox_id)
        self.wake(mailbox_id)

    def retry_changes(self, change_ids: Iterable[int], mailbox_id: int, delay: float, error: str) -> None:
        """Try these change rows again after `delay` seconds; `error` says why, in words."""
        changes.retry(self._connection, self._database, change_ids, mailbox_id, delay, error)

    def wake(self, mailbox_id: int) -> None:
        """Make a mailbox due when this is committed."""
        self._wakes.add(mailbox_id)

    def pace(self, mailbox_id: int, pace: Pace) -> None:
        """Remember how much of its request window a mailbox has used."""
        set_pace(self._connection, mailbox_id, pace)

    def next_due_in(self, mailbox_id: int) -> float | None:
        """Seconds until the next change of a mailbox is due (0 or less: now); None if none waits."""
        return changes.next_due_in(self._connection, self._database, mailbox_id)

    def succeeded(self, user_id: str) -> None:
        """A run of this account ended well: now."""
        mark_succeeded(self._connection, user_id, self._now())

    # --- cursors

    def save_cursor(self, cursor: Cursor) -> None:
        """Remember where the reading of a calendar stands."""
        cursors.save(self._connection, self._keyring, cursor)

    def drop_cursor(self, mailbox_id: int, calendar_id: str, stage: CursorStage = CursorStage.LIVE) -> None:
        """Forget it: the next pull reads everything and compares."""
        cursors.drop(self._connection, mailbox_id, calendar_id, stage)

    # --- what people read and decide

    def parked_in(self, records: Iterable[tuple[str, str]]) -> dict[tuple[str, str], set[int]]:
        """The mailboxes in which records (entity type, record id) are parked; others are left out."""
        return parking.mailboxes_of(self._connection, records)

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
