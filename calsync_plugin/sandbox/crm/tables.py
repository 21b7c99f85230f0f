"""The records of one entity type with the indexes that keep a store of 100,000 fast.

An index holds live records only. It decides nothing: `listing` picks the index, `saving` the values.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from typing import Any

from calsync_plugin.sandbox.crm.entity_type import EntityType

Record = dict[str, Any]


def addresses(row: Record) -> list[str]:
    """The lower-case e-mail addresses of a person, the primary one first."""
    return [entry["emailAddress"].lower() for entry in row.get("emailAddressData") or ()]


class Table:
    """Records by id, sorted by some attributes and hashed by others."""

    def __init__(self, entity: EntityType) -> None:
        self.entity = entity
        self.rows: dict[str, Record] = {}
        self.live: set[str] = set()
        self._sorted: dict[str, list[tuple[str, str]]] = {name: [] for name in entity.sorted_attributes}
        self._hashed: dict[str, dict[object, set[str]]] = {name: {} for name in self._hash_names()}

    def _hash_names(self) -> tuple[str, ...]:
        return (*self.entity.hashed_attributes, *(("emailAddress",) if self.entity.is_person else ()))

    def adopt(self, entity: EntityType) -> None:
        """Take a changed entity type (one more field) and build the indexes that it asks for."""
        self.entity = entity
        for name in set(self._hash_names()) - set(self._hashed):
            self._hashed[name] = {}
            for record_id in self.live:
                self._hash(name, self.rows[record_id])

    def get(self, record_id: object) -> Record | None:
        """The live record of that id."""
        return self.rows[record_id] if isinstance(record_id, str) and record_id in self.live else None

    def insert(self, row: Record) -> None:
        """Add a record, deleted or not; one of the same id is replaced."""
        self._unindex(row["id"])
        self.rows[row["id"]] = row
        if not row["deleted"]:
            self._index(row)

    def change(self, record_id: str, values: Record) -> None:
        """Set attributes of a record; `deleted` takes it out of the indexes or puts it back."""
        row = self.rows[record_id]
        indexed = {*self._sorted, *self._hashed, "emailAddressData", "deleted"}
        if record_id in self.live and not any(row.get(k) != v for k, v in values.items() if k in indexed):
            row.update(values)
            return
        self._unindex(record_id)
        row.update(values)
        if not row["deleted"]:
            self._index(row)

    def count(self) -> int:
        """How many live records there are."""
        return len(self.live)

    def ordered(self, attribute: str) -> list[tuple[str, str]] | None:
        """(value, id) of the live records in rising order, or None without such an index. Do not"
        " change it."""
        return self._sorted.get(attribute)

    def matching(self, attribute: str, values: Iterable[object]) -> set[str] | None:
        """The ids of live records whose attribute is one of the values, or None without such an index."""
        index = self._hashed.get(attribute)
        if index is None:
            return None
        found: set[str] = set()
        for value in values:
            found |= index.get(_hash_key(attribute, value), set())
        return found

    def __iter__(self) -> Iterator[Record]:
        return (self.rows[record_id] for record_id in self.live)

    def _index(self, row: Record) -> None:
        self.live.add(row["id"])
        for name, order in self._sorted.items():
            insort(order, (row.get(name) or "", row["id"]))
        for name in self._hashed:
            self._hash(name, row)

    def _unindex(self, record_id: str) -> None:
        if record_id not in self.live:
            return
        row = self.rows[record_id]
        self.live.discard(record_id)
        for name, order in self._sorted.items():
            del order[bisect_left(order, (row.get(name) or "", record_id))]
        for name, index in self._hashed.items():
            for key in _hash_keys(name, row):
                index[key].discard(record_id)
                if not index[key]:
                    del index[key]

    def _hash(self, name: str, row: Record) -> None:
        for key in _hash_keys(name, row):
            self._hashed[name].setdefault(key, set()).add(row["id"])


def _hash_key(name: str, value: object) -> object:
    # MariaDB's collation compares text without case.
    return value.lower() if isinstance(value, str) and name in ("name", "emailAddress", "userName") else value


def _hash_keys(name: str, row: Record) -> set[object]:
    if name == "emailAddress":
        return set(addresses(row))
    return {_hash_key(name, row.get(name))}
