"""The installation: one row that says whose store this is (R22).

Decides that a store keeps the kind it was made as: a sandbox never opens a bridge's store, nor the reverse.
Does not decide what follows from a changed address.
"""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import Connection, select, update

from calsync_plugin.errors import StoreError
from calsync_plugin.state.accounts import new_mailbox
from calsync_plugin.state.bulk import insert_missing
from calsync_plugin.state.database import Database
from calsync_plugin.state.encrypted import CHECK
from calsync_plugin.state.rows import FEEDS, ROUTER, SWEEP, Installation, MailboxKind
from calsync_plugin.state.schema import installation, mailboxes
from calsync_plugin.state.secrets import Keyring

KINDS = ("sandbox", "bridge", "process")


class Installations:
    """The installation of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self) -> Installation:
        """The installation."""
        with self._database.read() as connection:
            row = connection.execute(select(installation)).one()
        return Installation(row.id, row.kind, row.public_url, row.crm_url, row.paused)

    def update(
        self, *, public_url: str | None = None, crm_url: str | None = None, paused: str | None = None
    ) -> None:
        """Change what is given; `paused` is the reason in words, empty to go on."""
        wanted = {"public_url": public_url, "crm_url": crm_url, "paused": paused}
        values = {name: value for name, value in wanted.items() if value is not None}
        if values:
            with self._database.write() as connection:
                connection.execute(update(installation).values(values))


def establish(connection: Connection, keyring: Keyring, kind: str) -> None:
    """Make the rows that every store has, or check the kind of a store that has them.

    Raises StoreError if the store was made as another kind.
    """
    if kind not in KINDS:
        raise ValueError(f"'{kind}' is no kind of installation")
    present = connection.execute(select(installation.c.kind)).scalar()
    if present is None:
        _create(connection, keyring, kind)
    elif present != kind:
        raise StoreError(
            f"this store belongs to a {present} installation and cannot be used as {kind}; name another store"
        )


def _create(connection: Connection, keyring: Keyring, kind: str) -> None:
    installation_id = str(uuid4())
    row = {
        "one": 1,
        "id": installation_id,
        "kind": kind,
        "public_url": "",
        "crm_url": "",
        "paused": "",
        "key_check": keyring.encrypt(CHECK, installation_id, "calsync"),
    }
    connection.execute(insert_missing(connection, installation), row)
    own = {ROUTER: MailboxKind.ROUTER, SWEEP: MailboxKind.SWEEP, FEEDS: MailboxKind.FEEDS}
    rows = [{"id": number, **new_mailbox(of, "", of.value)} for number, of in own.items()]
    connection.execute(insert_missing(connection, mailboxes), rows)
