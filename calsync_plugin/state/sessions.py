"""Sessions of browsers, kept here and not in the cookie, encrypted.

Decides that a session is found by the hash of its cookie alone and ends by itself. Does not decide what a
session holds or how long it lasts.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from sqlalchemy import delete, false, not_, select, update

from calsync_plugin.state.bulk import upsert
from calsync_plugin.state.database import Database
from calsync_plugin.state.pages_schema import sessions
from calsync_plugin.state.secrets import Keyring

PURPOSE = "session"
KEPT = 2 * 86_400.0
"""Seconds for which a user's session that is over can wait: longer than a token of EspoCRM lives unused."""


class Sessions:
    """The sessions of a store, by the token in the browser's cookie."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def load(self, token: str) -> str | None:
        """What a session holds; None if it is unknown or over."""
        key = session_hash(token)
        statement = select(sessions).where(sessions.c.id_hash == key)
        with self._database.read() as connection:
            row = connection.execute(statement).first()
        if row is None or row.expires_at <= self._database.clock.now():
            return None
        return self._keyring.decrypt(PURPOSE, key, row.content)

    def save(self, token: str, text: str, *, user_id: str, seconds: float) -> bool:
        """Keep a new session for `seconds` from now; others that are over are removed.

        Those of users wait some days for `forget`: they hold what is to be ended at the CRM as well.
        """
        row = self._row(token, text, user_id, seconds)
        now = self._database.clock.now()
        over = (sessions.c.user_id == "") & (sessions.c.expires_at <= now)
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(over | (sessions.c.expires_at <= now - KEPT)))
            connection.execute(upsert(connection, sessions), row)
        return True

    def again(self, token: str, text: str, *, user_id: str, seconds: float) -> bool:
        """The same for one that was loaded; False, and nothing is kept, if it has ended since."""
        row = self._row(token, text, user_id, seconds)
        with self._database.write() as connection:
            known = update(sessions).where(
                sessions.c.id_hash == row["id_hash"], sessions.c.expires_at > self._database.clock.now()
            )
            return connection.execute(known.values(row)).rowcount == 1

    def end(self, token: str, *, owed: bool = False) -> None:
        """Forget one session; one of a user that is `owed` to the CRM waits for `forget`."""
        this = sessions.c.id_hash == session_hash(token)
        kept = this & (sessions.c.user_id != "") if owed else false()
        with self._database.write() as connection:
            connection.execute(update(sessions).where(kept).values(expires_at=self._database.clock.now()))
            connection.execute(delete(sessions).where(this, not_(kept)))

    def end_all(self, user_id: str) -> int:
        """Sign a user out everywhere; returns of how many browsers."""
        now = self._database.clock.now()
        with self._database.write() as connection:
            mine = (sessions.c.user_id == user_id) & (sessions.c.expires_at > now)
            return connection.execute(update(sessions).where(mine).values(expires_at=now)).rowcount

    def over(self, limit: int) -> list[tuple[str, str]]:
        """Sessions of users that are over, oldest first: the hash and what each held."""
        statement = (
            select(sessions)
            .where(sessions.c.user_id != "", sessions.c.expires_at <= self._database.clock.now())
            .order_by(sessions.c.expires_at, sessions.c.id_hash)
            .limit(limit)
        )
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        return [(row.id_hash, self._keyring.decrypt(PURPOSE, row.id_hash, row.content)) for row in rows]

    def forget(self, hashed: str) -> None:
        """Remove one that is over."""
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.id_hash == hashed))

    def _row(self, token: str, text: str, user_id: str, seconds: float) -> dict[str, Any]:
        key = session_hash(token)
        return {
            "id_hash": key,
            "user_id": user_id,
            "content": self._keyring.encrypt(PURPOSE, key, text),
            "expires_at": self._database.clock.now() + seconds,
        }


def session_hash(token: str) -> str:
    """By what a session is kept: who reads the store cannot take a session over."""
    return sha256(token.encode()).hexdigest()
