"""A backup of a store that is written to, what is in it, and what comes after it was put back."""

from __future__ import annotations

import re
import shutil
import sqlite3
import stat
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from calsync_plugin.cli import main
from calsync_plugin.errors import StoreError
from calsync_plugin.state import Keyring, back_up, open_store
from tests.patience import let_hooks_wait

PATIENCE = 60.0


def marks(file: Path) -> list[str]:
    """The records that a store has marked, in order."""
    with closing(sqlite3.connect(file)) as connection:
        return [name for (name,) in connection.execute("SELECT record_id FROM changes ORDER BY id")]


def test_a_backup_is_one_instant_of_a_store_that_is_written_to(
    tmp_path: Path, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No mark is missing before the last one that is in it, and a later backup has more."""
    source, target = tmp_path / "calsync.db", tmp_path / "backup.db"
    # The writer must not give up while a copy holds the store.
    let_hooks_wait(monkeypatch)
    store = open_store(f"sqlite:///{source}", keyring, kind="bridge")
    ended = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        while not ended.is_set():
            store.queue.record_change("Meeting", f"m{written}")
            written += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        found: list[int] = []
        for _ in range(3):
            already, deadline = written, time.monotonic() + PATIENCE
            while written < already + 10:
                assert time.monotonic() < deadline
                assert writer.is_alive()
                time.sleep(0.005)
            back_up(f"sqlite:///{source}", target)
            copied = marks(target)
            assert copied == [f"m{number}" for number in range(len(copied))]
            found.append(len(copied))
    finally:
        ended.set()
        writer.join()
        store.close()
    assert 10 <= found[0] < found[1] < found[2]
    assert {file.name for file in tmp_path.iterdir()} == {"calsync.db", "backup.db"}


def test_a_backup_is_private_and_opens_with_its_keys_alone(tmp_path: Path, keyring: Keyring) -> None:
    source, target = tmp_path / "calsync.db", tmp_path / "backup.db"
    store = open_store(f"sqlite:///{source}", keyring, kind="bridge")
    installation = store.installation.get()
    target.write_text("an older one")
    target.chmod(0o644)
    assert back_up(f"sqlite:///{source}", target) == target.stat().st_size
    store.close()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    for file in (target, source):
        with pytest.raises(StoreError, match="key"):
            open_store(f"sqlite:///{file}", Keyring({"second": Keyring.generate()}), kind="bridge")
    restored = open_store(f"sqlite:///{target}", keyring, kind="bridge")
    assert restored.installation.get() == installation
    restored.close()


@pytest.mark.parametrize(
    ("url", "target", "message"),
    [
        pytest.param("postgresql://calsync@db/calsync", "b.db", "pg_dump", id="postgresql"),
        pytest.param("sqlite:///{0}/none.db", "b.db", "there is no store at", id="no-store"),
        pytest.param("sqlite:///{0}/calsync.db", "calsync.db", "the store itself", id="onto-itself"),
        pytest.param(
            "sqlite:///{0}/calsync.db", "no/b.db", "cannot be written: No such file", id="no-folder"
        ),
        pytest.param("sqlite:///{0}/letter.txt", "b.db", "not a database", id="no-database"),
    ],
)
def test_what_cannot_be_backed_up_is_said_in_one_line(
    tmp_path: Path, keyring: Keyring, url: str, target: str, message: str
) -> None:
    open_store(f"sqlite:///{tmp_path}/calsync.db", keyring, kind="bridge").close()
    (tmp_path / "letter.txt").write_text("Dear Sir or Madam, " * 100)
    (tmp_path / "b.db").write_text("an older one")
    with pytest.raises(StoreError, match=message) as caught:
        back_up(url.format(tmp_path), tmp_path / target)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "b.db").read_text() == "an older one"
    assert [file for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_a_damaged_store_does_not_replace_a_backup(tmp_path: Path, keyring: Keyring) -> None:
    source, target = tmp_path / "calsync.db", tmp_path / "backup.db"
    store = open_store(f"sqlite:///{source}", keyring, kind="bridge")
    for number in range(200):
        store.queue.record_change("Meeting", f"m{number}")
    store.close()
    target.write_text("an older one")
    with source.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (source.stat().st_size - 2 * 4096))
    with pytest.raises(StoreError, match=r"damaged|malformed"):
        back_up(f"sqlite:///{source}", target)
    assert target.read_text() == "an older one"


CONFIGURATION = """
crm: {{url: 'http://127.0.0.1:9', api_key: somebody}}
graph: {{url: 'http://127.0.0.1:9/v1.0', authority: 'http://127.0.0.1:9/common'}}
store:
  url: sqlite:///{folder}/calsync.db
  secret_keys: {{k1: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=}}
serve: {{public_url: 'http://127.0.0.1:8700'}}
"""


def command(*words: str | Path) -> tuple[int, str]:
    """Exit code and output."""
    answer = CliRunner().invoke(main, [str(word) for word in words])
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer.exit_code, answer.output


def test_an_upgrade_goes_back_by_the_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer version opened the store: each command of this one refuses it in a line."""
    config, store, kept = tmp_path / "calsync.yaml", tmp_path / "calsync.db", tmp_path / "kept.db"
    config.write_text(CONFIGURATION.format(folder=tmp_path), encoding="utf-8")
    monkeypatch.setenv("CALSYNC_CONFIG", str(config))
    assert command("migrate")[0] == 0
    code, output = command("backup", kept)
    assert (code, "keep the keys" in output) == (0, True)
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for words in (("migrate",), ("doctor",), ("serve",), ("accounts", "list")):
        code, output = command(*words)
        assert (code, len(output.strip().splitlines())) == (2, 1), output
        assert re.search("schema 9999.*newer version.*put back the backup", output)
    shutil.copyfile(kept, store)
    assert command("migrate")[0] == 0
    assert command("accounts", "list")[0] == 0
