"""Opening a store: migrated forward, of the right kind, and of a schema that this version knows."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import inspect, text

from calsync_plugin.errors import StoreError
from calsync_plugin.state import Keyring, Store, open_store
from calsync_plugin.state.schema import metadata
from tests.state.samples import Opener, a_link, insert


@pytest.fixture
def fresh() -> bool:
    """Each test has a database that has never been opened."""
    return True


def test_a_store_keeps_what_it_holds_when_opened_again(opened: Opener) -> None:
    first = opened()
    insert(first, a_link("l1"))
    first.queue.record_change("Meeting", "m1")
    first.close()
    again = opened()
    assert again.installation.get() == first.installation.get()
    assert set(again.links.by_ids(["l1"])) == {"l1"}
    assert len(again.changes.unrouted(10)) == 1


def test_the_migrations_make_the_tables_that_are_queried(store: Store) -> None:
    found = inspect(store._database.engine)
    assert set(found.get_table_names()) == {*metadata.tables, "alembic_version"}
    for table in metadata.sorted_tables:
        columns = {column["name"]: column["nullable"] for column in found.get_columns(table.name)}
        assert columns == {column.name: column.nullable for column in table.columns}, table.name
        keys = found.get_pk_constraint(table.name)["constrained_columns"]
        assert keys == [column.name for column in table.primary_key.columns], table.name
        indexes = {
            (tuple(index["column_names"]), bool(index["unique"]))
            for index in found.get_indexes(table.name)
            if "duplicates_constraint" not in index
        }
        wanted = {(tuple(column.name for column in index.columns), index.unique) for index in table.indexes}
        assert indexes == wanted, table.name


def test_a_newer_schema_is_refused(opened: Opener) -> None:
    store = opened()
    with store._database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(StoreError, match=r"schema 9999.*newer version"):
        opened()


def test_a_migration_that_fails_leaves_nothing(url: str, opened: Opener, keyring: Keyring) -> None:
    with pytest.raises(ValueError, match="no kind"):
        open_store(url, keyring, kind="circus")
    store = opened(kind="bridge")
    assert store.installation.get().kind == "bridge"


@pytest.mark.parametrize(
    ("made", "opened_as"), [("bridge", "sandbox"), ("sandbox", "bridge"), ("process", "sandbox")]
)
def test_a_store_keeps_its_kind(opened: Opener, made: str, opened_as: str) -> None:
    opened(kind=made).close()
    with pytest.raises(StoreError, match=f"belongs to a {made} installation"):
        opened(kind=opened_as)


def test_several_processes_may_open_a_new_store_at_once(opened: Opener) -> None:
    ids: list[str] = []
    threads = [threading.Thread(target=lambda: ids.append(opened().installation.get().id)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 4
    assert len(set(ids)) == 1


def test_each_installation_has_an_id_of_its_own(tmp_path: Path, keyring: Keyring) -> None:
    stores = [open_store(f"sqlite:///{tmp_path / name}.db", keyring, kind="sandbox") for name in "ab"]
    assert stores[0].installation.get().id != stores[1].installation.get().id
    for store in stores:
        store.close()


def test_a_file_is_private_and_durable(tmp_path: Path, keyring: Keyring) -> None:
    file = tmp_path / "calsync.db"
    store = open_store(f"sqlite:///{file}", keyring, kind="sandbox")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with store._database.read() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    assert file.with_name("calsync.db-wal").exists()
    store.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        pytest.param("sqlite://", "in memory is not supported", id="memory"),
        pytest.param("sqlite:///:memory:", "in memory is not supported", id="named_memory"),
        pytest.param("sqlite:////nowhere/at/all/x.db", "cannot be opened: No such file", id="no_folder"),
        pytest.param("mysql://host/db", "'mysql' is not supported", id="mysql"),
        pytest.param("calsync.db", "not readable", id="no_url"),
    ],
)
def test_an_unusable_url_is_refused_in_one_line(keyring: Keyring, url: str, message: str) -> None:
    with pytest.raises(StoreError, match=message) as caught:
        open_store(url, keyring, kind="sandbox")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path, keyring: Keyring) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear Sir or Madam, " * 100)
    with pytest.raises(StoreError, match=r"letter\.txt.*not a database"):
        open_store(f"sqlite:///{file}", keyring, kind="sandbox")


def test_a_server_that_is_not_there_is_named_without_its_password(keyring: Keyring) -> None:
    with pytest.raises(StoreError, match=r"127\.0\.0\.1:1/x.*refused") as caught:
        open_store("postgresql://calsync:hush@127.0.0.1:1/x", keyring, kind="sandbox")
    assert "hush" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.services
def test_a_role_that_may_create_nothing_is_refused(url: str, keyring: Keyring) -> None:
    schema = url.rpartition("%3D")[2]
    role = f"nobody_{schema}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN".encode())
        connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}".encode())
    try:
        with pytest.raises(StoreError, match="permission denied"):
            open_store(url.replace("postgres@", f"{role}@"), keyring, kind="sandbox")
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP OWNED BY {role}".encode())
            connection.execute(f"DROP ROLE {role}".encode())
