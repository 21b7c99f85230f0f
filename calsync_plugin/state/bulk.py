"""Bulk statements that both databases understand.

Decides how large an IN list may grow and how "insert what is missing" and "insert or replace" are said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar, cast

from sqlalchemy import ClauseElement, Column, Connection, Dialect, Executable, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.compiler import SQLCompiler

T = TypeVar("T")

CHUNK = 500
"""Values in one IN list: far below every limit, and few distinct statements to prepare."""


def chunks(items: Iterable[T]) -> Iterator[list[T]]:
    """`items` in lists of at most CHUNK."""
    iterator = iter(items)
    while part := list(islice(iterator, CHUNK)):
        yield part


class Bulk:
    """A constant statement that is executed for many rows, compiled once for each kind of database.

    SQLAlchemy's own way costs several times what the driver needs for a row. All rows have the same names.
    """

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._prepared: dict[str, _Prepared] = {}

    def execute(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute it for all `rows`, none of which may be missing a name."""
        if not rows:
            return
        prepared = self._prepared.get(connection.dialect.name)
        if prepared is None:
            prepared = _prepared(self._statement, connection.dialect, list(rows[0]))
            self._prepared[connection.dialect.name] = prepared
        for first in range(0, len(rows), CHUNK):
            part = rows[first : first + CHUNK]
            connection.exec_driver_sql(prepared.text, [prepared.parameters(row) for row in part])


@dataclass(frozen=True, slots=True)
class _Prepared:
    text: str
    names: Sequence[str]
    constants: Mapping[str, Any]
    processors: Sequence[Callable[[Any], Any] | None]
    positional: bool

    def parameters(self, row: Mapping[str, Any]) -> Any:
        whole = {**self.constants, **row} if self.constants else row
        values = [
            whole[name] if processor is None else processor(whole[name])
            for name, processor in zip(self.names, self.processors, strict=True)
        ]
        return tuple(values) if self.positional else dict(zip(self.names, values, strict=True))


def _prepared(statement: Executable, dialect: Dialect, given: list[str]) -> _Prepared:
    compiled = cast(
        SQLCompiler,
        cast(ClauseElement, statement).compile(dialect=dialect, column_keys=given, for_executemany=True),
    )
    names = list(compiled.positiontup or ()) if compiled.positional else list(compiled.binds)
    return _Prepared(
        text=str(compiled),
        names=names,
        constants={name: bind.value for name, bind in compiled.binds.items() if name not in given},
        processors=[
            compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names
        ],
        positional=bool(compiled.positional),
    )


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
