"""Which columns hold ciphertext, and which keys wrote what is stored.

Decides when a store may be opened with a keyring: if it has the key of everything that is stored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Table, func, select, update

from calsync_plugin.errors import StoreError
from calsync_plugin.state import bookings as bookings_room
from calsync_plugin.state import cursors as cursors_room
from calsync_plugin.state import feeds as feeds_room
from calsync_plugin.state import integration as integration_room
from calsync_plugin.state import log, tokens, webhooks
from calsync_plugin.state import sessions as sessions_room
from calsync_plugin.state.booking_schema import bookings
from calsync_plugin.state.busy_schema import feeds
from calsync_plugin.state.pages_schema import integration, sessions
from calsync_plugin.state.reading_schema import cursors
from calsync_plugin.state.schema import clashes, installation, journal, oauth_flows, token_caches
from calsync_plugin.state.schema import webhooks as webhooks_table
from calsync_plugin.state.secrets import Keyring

CHECK = "check"


@dataclass(frozen=True, slots=True)
class EncryptedColumn:
    """A column of ciphertext, its purpose and what each row's is bound to."""

    table: Table
    column: str
    purpose: str
    identity: Callable[[Any], str]


ENCRYPTED = (
    EncryptedColumn(installation, "key_check", CHECK, lambda row: str(row.id)),
    EncryptedColumn(token_caches, "cache", tokens.TOKEN, lambda row: str(row.user_id)),
    EncryptedColumn(oauth_flows, "flow", tokens.FLOW, lambda row: str(row.state_hash)),
    EncryptedColumn(webhooks_table, "secret", webhooks.PURPOSE, lambda row: str(row.id)),
    EncryptedColumn(cursors, "url", cursors_room.PURPOSE, cursors_room.identity),
    EncryptedColumn(journal, "content", log.JOURNAL, lambda row: str(row.id)),
    EncryptedColumn(clashes, "content", log.CLASH, lambda row: str(row.id)),
    EncryptedColumn(sessions, "content", sessions_room.PURPOSE, lambda row: str(row.id_hash)),
    EncryptedColumn(feeds, "address", feeds_room.PURPOSE, lambda row: str(row.source_id)),
    EncryptedColumn(bookings, "content", bookings_room.PURPOSE, lambda row: str(row.id)),
    EncryptedColumn(integration, "content", integration_room.PURPOSE, lambda row: str(row.one)),
)


def key_ids_in_use(connection: Connection) -> set[str]:
    """The ids of the keys that wrote what is stored."""
    return {
        key_id
        for encrypted in ENCRYPTED
        for key_id in connection.execute(
            select(_key_id(connection, encrypted.table.c[encrypted.column])).distinct()
        ).scalars()
    }


def check_keys(connection: Connection, keyring: Keyring) -> None:
    """Raise StoreError if something is stored whose key is missing or is another one under the same id."""
    missing = sorted(key_id for key_id in key_ids_in_use(connection) if key_id not in keyring)
    if missing:
        raise StoreError(
            f"the store holds secrets written with the key {', '.join(missing)}, which is not configured; "
            "add it as a further key"
        )
    row = connection.execute(select(installation)).one()
    keyring.decrypt(CHECK, row.id, row.key_check)


def reencrypt(connection: Connection, keyring: Keyring) -> int:
    """Write everything anew that an older key wrote; returns how many values."""
    done = 0
    for encrypted in ENCRYPTED:
        column = encrypted.table.c[encrypted.column]
        older = select(encrypted.table).where(_key_id(connection, column) != keyring.primary)
        for row in connection.execute(older).all():
            identity = encrypted.identity(row)
            text = keyring.decrypt(encrypted.purpose, identity, getattr(row, encrypted.column))
            same = [key == getattr(row, key.name) for key in encrypted.table.primary_key.columns]
            renewed = {encrypted.column: keyring.encrypt(encrypted.purpose, identity, text)}
            connection.execute(update(encrypted.table).where(*same).values(renewed))
            done += 1
    return done


def _key_id(connection: Connection, column: Column[Any]) -> Any:
    if connection.dialect.name == "postgresql":
        return func.split_part(column, ":", 1)
    return func.substr(column, 1, func.instr(column, ":") - 1)
