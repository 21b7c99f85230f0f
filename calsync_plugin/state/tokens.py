"""Token caches and begun logins, encrypted.

Decides that a login can be taken up once and in time. Does not look into a token cache: the login library
writes and reads it.
"""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import delete, select

from calsync_plugin.state.bulk import upsert
from calsync_plugin.state.database import Database
from calsync_plugin.state.rows import OAuthFlow
from calsync_plugin.state.schema import oauth_flows, token_caches
from calsync_plugin.state.secrets import Keyring

TOKEN = "token"  # noqa: S105 - a purpose, not a token
FLOW = "flow"


class Tokens:
    """The token caches of a store, by CRM user."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def load(self, user_id: str) -> str | None:
        """The cache of a user; None if there is none."""
        statement = select(token_caches.c.cache).where(token_caches.c.user_id == user_id)
        with self._database.read() as connection:
            found = connection.execute(statement).scalar()
        return None if found is None else self._keyring.decrypt(TOKEN, user_id, found)

    def save(self, user_id: str, text: str) -> None:
        """Replace the cache of a user."""
        row = {"user_id": user_id, "cache": self._keyring.encrypt(TOKEN, user_id, text)}
        with self._database.write() as connection:
            connection.execute(upsert(connection, token_caches), row)

    def delete(self, user_id: str) -> None:
        """Forget the cache of a user."""
        with self._database.write() as connection:
            connection.execute(delete(token_caches).where(token_caches.c.user_id == user_id))


class OAuthFlows:
    """Logins that were begun and not ended yet, by the hash of their state."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def put(
        self, state: str, user_id: str, flow: str, *, session_hash: str = "", seconds: float = 600.0
    ) -> None:
        """Keep a begun login for `seconds`; others that are over are removed."""
        now = self._database.clock.now()
        key = _hash(state)
        row = {
            "state_hash": key,
            "user_id": user_id,
            "flow": self._keyring.encrypt(FLOW, key, flow),
            "expires_at": now + seconds,
            "session_hash": session_hash,
        }
        with self._database.write() as connection:
            connection.execute(delete(oauth_flows).where(oauth_flows.c.expires_at <= now))
            connection.execute(upsert(connection, oauth_flows), row)

    def knows(self, state: str) -> bool:
        """Whether a login with this state was begun and can still be ended."""
        statement = select(oauth_flows.c.expires_at).where(oauth_flows.c.state_hash == _hash(state))
        with self._database.read() as connection:
            found = connection.execute(statement).scalar()
        return found is not None and found > self._database.clock.now()

    def take(self, state: str) -> OAuthFlow | None:
        """The login of `state`, once; None if it is unknown, taken or over."""
        key = _hash(state)
        statement = delete(oauth_flows).where(oauth_flows.c.state_hash == key).returning(oauth_flows)
        with self._database.write() as connection:
            row = connection.execute(statement).first()
        if row is None or row.expires_at <= self._database.clock.now():
            return None
        return OAuthFlow(row.user_id, self._keyring.decrypt(FLOW, key, row.flow), row.session_hash)


def _hash(state: str) -> str:
    return sha256(state.encode()).hexdigest()
