"""What the admin page saved: one encrypted document, since it holds the client secret.

Decides that a saved version can be told from the one before. Does not know what is in it (`config` does).
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import select

from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.state.bulk import upsert
from calsync_plugin.state.database import Database
from calsync_plugin.state.pages_schema import integration
from calsync_plugin.state.secrets import Keyring

PURPOSE = "integration"
ROW = "1"


class Integration:
    """The admin page's values of a store."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def version(self) -> int:
        """A number that grows with each save; 0 if nothing was ever saved."""
        with self._database.read() as connection:
            return int(connection.execute(select(integration.c.version)).scalar() or 0)

    def values(self) -> dict[str, JsonValue]:
        """The values by name, none if nothing was ever saved."""
        with self._database.read() as connection:
            found = connection.execute(select(integration.c.content)).scalar()
        values: dict[str, JsonValue] = json.loads(self._keyring.decrypt(PURPOSE, ROW, found)) if found else {}
        return values

    def save(self, values: Mapping[str, JsonValue]) -> None:
        """Replace the values."""
        content = self._keyring.encrypt(PURPOSE, ROW, json.dumps(dict(values)))
        with self._database.write() as connection:
            version = int(connection.execute(select(integration.c.version)).scalar() or 0) + 1
            row = {"one": 1, "version": version, "content": content}
            connection.execute(upsert(connection, integration), row)
