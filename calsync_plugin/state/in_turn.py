"""Transactions that wait for each other: one at a time for each of some names.

Decides nothing about what is done meanwhile. SQLite has one writer anyway.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from sqlalchemy import Connection, text


def in_turn(connection: Connection, names: Iterable[str]) -> None:
    """Wait until no other transaction has one of these names, and have them until this one ends."""
    if connection.dialect.name != "postgresql":
        return
    keys = {int.from_bytes(sha256(name.encode()).digest()[:8], signed=True) for name in names}
    for key in sorted(keys):
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
