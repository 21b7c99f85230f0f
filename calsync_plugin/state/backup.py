"""A copy of a store in SQLite, while others write to it.

Decides that a backup is whole before it takes the place of an older one, and that only its owner may read
it. Does not open the store: nothing is migrated, no key is needed, and none is in the copy. PostgreSQL brings
a program of its own for this.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from calsync_plugin.errors import StoreError
from calsync_plugin.state.database import known_url

_PATIENCE = 60.0
"""Seconds to wait for a lock; a copy needs none but while the file itself is put in order."""


def back_up(url: str, target: Path) -> int:
    """Copy the store at `url` to the file `target`, as of one instant; returns its size in bytes.

    Raises StoreError for a store that is not SQLite, is not there or is damaged, and for a target that cannot
    be written; an older backup at `target` is there until the new one is whole.
    """
    parsed = known_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise StoreError("this store lies in PostgreSQL: back it up with pg_dump")
    source = Path(str(parsed.database)).resolve()
    if not source.is_file():
        raise StoreError(f"there is no store at {source}")
    if target.exists() and target.samefile(source):
        raise StoreError(f"{target} is the store itself; name another file")
    try:
        # A name of its own, readable for its owner alone: two backups at once each end whole.
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        os.close(handle)
        _put_in_place(source, Path(name), target)
    except OSError as error:
        raise StoreError(f"the backup {target} cannot be written: {error.strerror}") from error
    except sqlite3.Error as error:
        raise StoreError(f"{source} could not be copied to {target}: {error}") from error
    return target.stat().st_size


def _put_in_place(source: Path, new: Path, target: Path) -> None:
    try:
        _copy(source, new)
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)


def _copy(source: Path, new: Path) -> None:
    reading = sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)
    with closing(reading), closing(sqlite3.connect(new, timeout=_PATIENCE)) as writing:
        # All pages in one step: in WAL mode that is one instant, and nobody who writes has to wait.
        reading.backup(writing, pages=-1)
        # One file, complete without others beside it.
        writing.execute("PRAGMA journal_mode=DELETE").close()
        (found,) = writing.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise StoreError(f"{source} is damaged: {found}; keep the backups that you have")
