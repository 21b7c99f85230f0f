"""Brings a database to the present schema, forward only.

Decides when a database is too new for this program. Does not decide what the tables are.
"""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from calsync_plugin.errors import StoreError

_LOCK = 7_203_114_662
"""Any constant: the advisory lock under which PostgreSQL lets one process migrate."""


def migrate(connection: Connection) -> None:
    """Upgrade inside the caller's transaction; nothing is left half.

    Raises StoreError if the database was written by a newer calsync.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    config = Config()
    config.set_main_option("script_location", "calsync_plugin.state:migrations")
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    present = _revision(connection)
    if present == scripts.get_current_head():
        return
    if present and present not in {script.revision for script in scripts.walk_revisions()}:
        raise StoreError(
            f"the store has schema {present}, which this version of calsync does not know: a newer version "
            "wrote it; install that one again, or put back the backup from before the upgrade"
        )
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str:
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")
