"""Records handed over in process, to tell the CRM's time from ours."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any

from calsync_plugin.crm.espocrm import EspoGateway
from calsync_plugin.crm.gateway import Found, Loaded, Record
from calsync_plugin.engine.assembly import Calsync


class Records:
    """Answers `load` from memory."""

    def __init__(self, records: Sequence[dict[str, Any]]) -> None:
        self._found = {record["id"]: _found(record) for record in records}

    def load(self, _entity_type: str, ids: Collection[str]) -> Mapping[str, Loaded]:
        """All records that are asked for."""
        return {record_id: self._found[record_id] for record_id in ids}

    @contextmanager
    def instead_of(self, calsync: Calsync) -> Iterator[None]:
        """Let the installation read from here within the block."""
        with _instead(calsync, load=self.load):
            yield


class Imports:
    """Takes what a pull writes, and gives each record back as a CRM would."""

    def __init__(self, *, keep: bool) -> None:
        """`keep` the records, or forget each once it was read back: it would be memory that is not ours."""
        self._found: dict[str, Loaded] = {}
        self._keep = keep
        self._ids = count(1)
        self.updates = 0
        """How many records were changed."""

    def create(self, _entity_type: str, attributes: Record) -> str:
        """Take a new record."""
        record_id = f"7{next(self._ids):016x}"
        self._found[record_id] = _found({**attributes, "id": record_id})
        return record_id

    def update(
        self, _entity_type: str, record_id: str, attributes: Record, *, version: int | None = None
    ) -> None:
        """Change a record."""
        assert version is None
        known = self._found[record_id]
        assert isinstance(known, Found)
        self.updates += 1
        self._found[record_id] = _found({**known.record, **attributes})

    def load(self, _entity_type: str, ids: Collection[str]) -> Mapping[str, Loaded]:
        """Read records."""
        give = self._found.__getitem__ if self._keep else self._found.pop
        return {record_id: give(record_id) for record_id in ids}

    @contextmanager
    def instead_of(self, calsync: Calsync) -> Iterator[None]:
        """Let the installation write here within the block."""
        with _instead(calsync, create=self.create, update=self.update, load=self.load):
            yield


def _found(record: Mapping[str, object]) -> Found:
    modified = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return Found({**record, "modifiedAt": modified, "deleted": False})


@contextmanager
def _instead(calsync: Calsync, **calls: Callable[..., Any]) -> Iterator[None]:
    gateway = calsync.gateway
    if not isinstance(gateway, EspoGateway):
        raise TypeError("the bench runs with EspoCRM's gateway")
    for name, call in calls.items():
        setattr(gateway, name, call)
    try:
        yield
    finally:
        for name in calls:
            delattr(gateway, name)
