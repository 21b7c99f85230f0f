"""Sessions of browsers, kept here and not in the cookie, encrypted.

Decides that a session is found by the hash of its cookie alone and ends by itself. Does not decide what a
session holds or how long it lasts.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from sqlalchemy import delete, select, update

from calsync_plugin.state.bulk import upsert
from calsync_plugin.state.database import Database
from calsync_plugin.state.pages_schema import sessions
from calsync_plugin.state.secrets import Keyring

PURPOSE = "session"


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
        """Keep a new session for `seconds` from now; others that are over are removed."""
        row = self._row(token, text, user_id, seconds)
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires_at <= self._database.clock.now()))
            connection.execute(upsert(connection, sessions), row)
        return True

    def again(self, token: str, text: str, *, user_id: str, seconds: float) -> bool:
        """The same for one that was loaded; False, and nothing is kept, if it has ended since."""
        row = self._row(token, text, user_id, seconds)
        with self._database.write() as connection:
            known = update(sessions).where(sessions.c.id_hash == row["id_hash"])
            return connection.execute(known.values(row)).rowcount == 1

    def end(self, token: str) -> None:
        """Forget one session."""
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.id_hash == session_hash(token)))

    def end_all(self, user_id: str) -> int:
        """Sign a user out everywhere; returns of how many browsers."""
        with self._database.write() as connection:
            return connection.execute(delete(sessions).where(sessions.c.user_id == user_id)).rowcount

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
