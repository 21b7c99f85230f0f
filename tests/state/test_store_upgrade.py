"""A store of every earlier schema is brought to the present one by whoever opens it, with what it holds."""

from __future__ import annotations

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from calsync_plugin.state import Keyring
from calsync_plugin.state.database import Database
from calsync_plugin.state.encrypted import CHECK
from calsync_plugin.state.schema import metadata
from tests.state.samples import Opener


def _scripts() -> Config:
    config = Config()
    config.set_main_option("script_location", "calsync_plugin.state:migrations")
    return config


REVISIONS = [script.revision for script in ScriptDirectory.from_config(_scripts()).walk_revisions()][::-1]
ROW = {"one": 1, "id": "an-old-one", "kind": "bridge", "public_url": "https://old.example.com"}
REST = {"crm_url": "https://crm.example.com", "paused": ""}


@pytest.fixture
def fresh() -> bool:
    """Each test has a database that has never been opened."""
    return True


def test_there_are_revisions() -> None:
    assert [f"{number:04}" for number in range(1, len(REVISIONS) + 1)] == REVISIONS


@pytest.mark.parametrize("revision", REVISIONS)
def test_an_earlier_schema_is_brought_forward(
    url: str, opened: Opener, keyring: Keyring, revision: str
) -> None:
    before = Database(url)
    with before.write() as connection:
        config = _scripts()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        row = {**ROW, **REST, "key_check": keyring.encrypt(CHECK, "an-old-one", "calsync")}
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        connection.execute(text(f"INSERT INTO installation ({names}) VALUES ({values})"), row)
    before.close()
    store = opened(kind="bridge")
    assert store.installation.get().id == "an-old-one"
    assert store.installation.get().public_url == "https://old.example.com"
    found = inspect(store._database.engine)
    assert set(found.get_table_names()) == {*metadata.tables, "alembic_version"}
    for table in metadata.sorted_tables:
        columns = {column["name"] for column in found.get_columns(table.name)}
        assert columns == {column.name for column in table.columns}, table.name
