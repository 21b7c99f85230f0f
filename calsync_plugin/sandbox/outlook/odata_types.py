"""OData's literal forms: dates with seven digits, enumerations in any case, properties that Graph knows but
ignores.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from calsync_plugin.sandbox.outlook.wire import GraphError, Json

EARLIEST, LATEST = 1601, 4500


def offset_free(value: datetime) -> str:
    """Return a local time in Graph's form: seven digits, no offset."""
    return value.isoformat(timespec="microseconds")[:26] + "0"


def instant(value: datetime) -> str:
    """Return an instant in Graph's form: seven digits and Z."""
    return value.isoformat(timespec="microseconds")[:26] + "0Z"


def short_instant(value: datetime) -> str:
    """Return an instant in whole seconds, as response times and original starts are given."""
    return value.isoformat(timespec="seconds")[:19] + "Z"


def invalid(message: str, code: str = "ErrorInvalidRequest") -> GraphError:
    """Return the 400 that refuses a request's content."""
    return GraphError(400, code, message)


def parse_datetime(text: object) -> datetime:
    """Return a date and time, aware if an offset was given; GraphError 400 if it is none or beyond what
    Exchange keeps.
    """
    try:
        if not isinstance(text, str):
            raise ValueError
        value = datetime.fromisoformat(text.strip())
    except ValueError:
        raise invalid(
            f"The value '{text}' cannot be converted to a date and time.", "RequestBodyRead"
        ) from None
    if not EARLIEST <= value.year <= LATEST:
        raise invalid(f"The date '{text}' lies outside what a calendar can hold.", "ErrorInvalidRequest")
    return value


def parse_instant(text: object) -> datetime:
    """Return an instant; a value without an offset is UTC."""
    value = parse_datetime(text)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def choice(value: object, allowed: tuple[str, ...], name: str) -> str:
    """Return an enumeration's value in Graph's spelling, whatever the case it came in."""
    if isinstance(value, str):
        wanted = value.lower()
        for item in allowed:
            if item.lower() == wanted:
                return item
    raise invalid(
        f"Cannot convert the literal '{value}' to the expected type of property '{name}'.", "RequestBodyRead"
    )


def boolean(value: object, name: str) -> bool:
    """Return a boolean; Graph also takes the words, as some of its own samples send them."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise invalid(f"Cannot convert the value '{value}' of property '{name}' to a boolean.", "RequestBodyRead")


def integer(value: object, name: str) -> int:
    """Return a 32 bit integer."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31:
        return value
    raise invalid(
        f"Cannot convert the value '{value}' of property '{name}' to an integer.", "RequestBodyRead"
    )


def text(value: object, name: str) -> str:
    """Return a string; null is the empty one."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value if value.isascii() else _without_lone_surrogates(value)
    raise invalid(f"Cannot convert the value of property '{name}' to a string.", "RequestBodyRead")


def _without_lone_surrogates(value: str) -> str:
    """Return a text that can be written as UTF-8: JSON may escape halves of characters."""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def mapping(value: Any, name: str) -> Json:
    """Return an object; anything else is refused."""
    if isinstance(value, dict):
        return value
    raise invalid(f"Property '{name}' has to be an object.", "RequestBodyRead")


def sequence(value: Any, name: str) -> list[Any]:
    """Return a collection; null is the empty one."""
    if value is None:
        return []
    if isinstance(value, list):
        return value
    raise invalid(f"Property '{name}' has to be a collection.", "RequestBodyRead")
