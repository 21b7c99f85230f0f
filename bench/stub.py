"""Records handed over in process, to tell the CRM's time from ours."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from calsync_plugin.crm.espocrm import EspoGateway
from calsync_plugin.crm.gateway import Found, Loaded
from calsync_plugin.engine.assembly import Calsync


class Records:
    """Answers `load` from memory."""

    def __init__(self, records: Sequence[dict[str, Any]]) -> None:
        modified = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
        self._found = {
            record["id"]: Found({**record, "modifiedAt": modified, "deleted": False}) for record in records
        }

    def load(self, _entity_type: str, ids: Collection[str]) -> Mapping[str, Loaded]:
        """All records that are asked for."""
        return {record_id: self._found[record_id] for record_id in ids}

    @contextmanager
    def instead_of(self, calsync: Calsync) -> Iterator[None]:
        """Let the installation read from here within the block."""
        gateway = calsync.gateway
        if not isinstance(gateway, EspoGateway):
            raise TypeError("the bench runs with EspoCRM's gateway")
        gateway.load = self.load  # type: ignore[method-assign,assignment]
        try:
            yield
        finally:
            del gateway.load
