"""Bulk statements that both databases understand.

Decides how large an IN list may grow and how "insert what is missing" and "insert or replace" are said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from sqlalchemy import Column, Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")

CHUNK = 500
"""Values in one IN list: far below every limit, and few distinct statements to prepare."""


def chunks(items: Iterable[T]) -> Iterator[list[T]]:
    """`items` in lists of at most CHUNK."""
    iterator = iter(items)
    while part := list(islice(iterator, CHUNK)):
        yield part


def insert_missing(connection: Connection, table: Table) -> Insert:
    """INSERT that leaves out rows whose key or other unique value exists."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def upsert(connection: Connection, table: Table, *, keep: Sequence[str] = ()) -> Insert:
    """INSERT that replaces the row of the same primary key, except its columns in `keep`."""
    key: list[Column[object]] = list(table.primary_key.columns)
    names = [column.name for column in table.columns if column not in set(key) and column.name not in keep]
    if connection.dialect.name == "postgresql":
        pg = postgresql.insert(table)
        return pg.on_conflict_do_update(index_elements=key, set_={name: pg.excluded[name] for name in names})
    lite = sqlite.insert(table)
    return lite.on_conflict_do_update(index_elements=key, set_={name: lite.excluded[name] for name in names})
