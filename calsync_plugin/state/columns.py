"""Column types that behave the same on SQLite and PostgreSQL.

Decides how texts, ids, instants and JSON are written. Does not decide which tables there are (`schema`).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, Double, Integer, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

RowId = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only for INTEGER PRIMARY KEY."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def storable(text: str) -> str:
    """`text` without what PostgreSQL refuses: NUL and lone surrogates."""
    if text.isascii():
        return text.replace("\0", "")
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _storable_or_none(value: Any) -> Any:
    if value is None or (value.isascii() and "\0" not in value):
        return value
    return storable(value)


_json_text = json.JSONEncoder(separators=(",", ":")).encode


class Words(TypeDecorator[str]):
    """Text that people read."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Leave out what PostgreSQL refuses."""
        return None if value is None else storable(value)

    def bind_processor(self, dialect: Dialect) -> Any:  # noqa: ARG002
        """The same without the detour over the dialect: a save binds thousands of texts."""
        return _storable_or_none


class Exact(Words):
    """Ids and codes: compared and sorted byte for byte, whatever the database's collation."""

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The binary collation under the name that each database has for it."""
        return Text(collation="C" if dialect.name == "postgresql" else "BINARY")


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as epoch seconds and read back in UTC."""

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> float | None:  # noqa: ARG002
        """Epoch seconds; a naive time is refused rather than guessed."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time cannot be stored")
        return (value - _EPOCH).total_seconds()

    def process_result_value(self, value: float | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """UTC, rounded to the microsecond."""
        return None if value is None else instant(value)


class Json(TypeDecorator[Any]):
    """A JSON value as text: both databases keep it alike, and nothing queries into it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: object, dialect: Dialect) -> str:  # noqa: ARG002
        """ASCII JSON, so that any character of a meeting survives."""
        return _json_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """The value again."""
        return None if value is None else json.loads(value)


def instant(epoch: float) -> datetime:
    """Epoch seconds as an aware datetime in UTC."""
    return _EPOCH + timedelta(seconds=epoch)
