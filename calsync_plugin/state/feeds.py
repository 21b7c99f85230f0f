"""Feeds: addresses outside of the user's mailbox that tell when the user is busy, encrypted.

Decides that a user has an address once, and that nothing is read for who is off or paused. Does not decide
how often one is read.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Any

from sqlalchemy import case, func, insert, select, update

from calsync_plugin.errors import SettingsError, StaleLink
from calsync_plugin.state.busy import source_of, source_row
from calsync_plugin.state.busy_rows import Feed, SourceKind
from calsync_plugin.state.busy_schema import busy_sources, feeds
from calsync_plugin.state.database import Database
from calsync_plugin.state.in_turn import in_turn
from calsync_plugin.state.rows import AccountStatus
from calsync_plugin.state.schema import accounts
from calsync_plugin.state.secrets import Keyring

PURPOSE = "feed"
_ALL = select(busy_sources, feeds).join(feeds, feeds.c.source_id == busy_sources.c.id)
_LEFT_ALONE = (AccountStatus.OFF.value, AccountStatus.PAUSED.value)
_READ = busy_sources.c.user_id.in_(select(accounts.c.user_id).where(accounts.c.status.not_in(_LEFT_ALONE)))


class Feeds:
    """The feeds of a store."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def add(
        self,
        user_id: str,
        kind: SourceKind,
        address: str,
        *,
        shown: str,
        name: str,
        most: int,
        due_in: float = 0.0,
    ) -> int:
        """Add an address to a user's sources, due now or in some seconds; returns the source's id.

        Raises SettingsError if the user has it already or has `most` of them.
        """
        digest = hmac.new(self._keyring.derived(PURPOSE).encode(), address.encode(), sha256).hexdigest()
        try:
            with self._database.write() as connection:
                in_turn(connection, [f"{PURPOSE} {user_id}"])
                own = (busy_sources.c.user_id == user_id) & (busy_sources.c.mailbox_id == 0)
                count = select(func.count()).select_from(busy_sources).where(own)
                if connection.execute(count).scalar_one() >= most:
                    raise SettingsError(f"address: you have {most} addresses already; remove one first")
                row = source_row(user_id, kind, 0, digest, name)
                (source_id,) = connection.execute(
                    insert(busy_sources).returning(busy_sources.c.id), row
                ).one()
                connection.execute(insert(feeds), self._row(source_id, address, shown, due_in))
        except StaleLink as error:
            raise SettingsError("address: it is among your calendars already") from error
        return int(source_id)

    def of(self, user_id: str) -> list[Feed]:
        """The feeds of a user, by name."""
        statement = _ALL.where(busy_sources.c.user_id == user_id)
        ordered = statement.order_by(busy_sources.c.name, busy_sources.c.id)
        with self._database.read() as connection:
            return [self._feed(row) for row in connection.execute(ordered)]

    def due(self, limit: int) -> list[Feed]:
        """Those that want to be read, longest waiting first."""
        due = _ALL.where(feeds.c.due_at <= self._database.clock.now(), _READ)
        with self._database.read() as connection:
            found = connection.execute(due.order_by(feeds.c.due_at, feeds.c.source_id).limit(limit))
            return [self._feed(row) for row in found]

    def next_due_in(self) -> float | None:
        """Seconds until the next one wants to be read (0 or less: now); None if there is none."""
        first = select(func.min(feeds.c.due_at)).join(busy_sources, busy_sources.c.id == feeds.c.source_id)
        with self._database.read() as connection:
            found = connection.execute(first.where(_READ)).scalar()
        return None if found is None else float(found) - self._database.clock.now()

    def rename(self, source_id: int, name: str, *, user_id: str) -> bool:
        """Give a feed another name; whether this user has it."""
        same = (busy_sources.c.id == source_id) & (busy_sources.c.user_id == user_id)
        with self._database.write() as connection:
            return connection.execute(update(busy_sources).where(same).values(name=name)).rowcount > 0

    def answered(
        self, source_id: int, *, next_in: float, failures: int, etag: str = "", last_modified: str = ""
    ) -> None:
        """What the server said, and when it is asked again; with the blocks it is written by `BusyWrites`."""
        values = {
            "due_at": self._database.clock.now() + next_in,
            "failures": failures,
            "etag": etag,
            "last_modified": last_modified,
        }
        with self._database.write() as connection:
            connection.execute(update(feeds).where(feeds.c.source_id == source_id).values(values))

    def read_soon(self, source_id: int, *, user_id: str) -> bool:
        """Let a feed be read now, after those that wait longer; whether this user has it."""
        own = select(busy_sources.c.id).where(
            busy_sources.c.id == source_id, busy_sources.c.user_id == user_id
        )
        with self._database.write() as connection:
            now = self._database.clock.now()
            due_at = case((feeds.c.due_at < now, feeds.c.due_at), else_=now)
            statement = update(feeds).where(feeds.c.source_id.in_(own)).values(due_at=due_at)
            return connection.execute(statement).rowcount > 0

    def _row(self, source_id: int, address: str, shown: str, due_in: float) -> dict[str, Any]:
        return {
            "source_id": source_id,
            "address": self._keyring.encrypt(PURPOSE, str(source_id), address),
            "shown": shown,
            "etag": "",
            "last_modified": "",
            "due_at": self._database.clock.now() + due_in,
            "failures": 0,
        }

    def _feed(self, row: Any) -> Feed:
        return Feed(
            source=source_of(row),
            address=self._keyring.decrypt(PURPOSE, str(row.source_id), row.address),
            shown=row.shown,
            etag=row.etag,
            last_modified=row.last_modified,
            due_at=row.due_at,
            failures=row.failures,
        )
