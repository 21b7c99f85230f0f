"""The `where` of a list: a tree of conditions compiled to one test of a record.

Types as EspoCRM names them. Recorded from 9.2.7: equals, in, after, greaterThan, greaterThanOrEquals, on,
between, linkedWith, or, isTrue and the refusal of an unknown attribute; the other types follow its
documentation.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from calsync_plugin.sandbox.crm.clock import Clock, stored
from calsync_plugin.sandbox.crm.entities import ATTENDEES
from calsync_plugin.sandbox.crm.entity_type import EntityType
from calsync_plugin.sandbox.crm.errors import ApiError
from calsync_plugin.sandbox.crm.store import Store
from calsync_plugin.sandbox.crm.tables import Record, addresses

Test = Callable[[Record], bool]
Condition = dict[str, Any]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "greaterThan": lambda have, want: have > want,
    "after": lambda have, want: have > want,
    "lessThan": lambda have, want: have < want,
    "before": lambda have, want: have < want,
    "greaterThanOrEquals": lambda have, want: have >= want,
    "lessThanOrEquals": lambda have, want: have <= want,
}
_TEXT: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda have, want: want in have,
    "notContains": lambda have, want: want not in have,
    "startsWith": lambda have, want: have.startswith(want),
    "endsWith": lambda have, want: have.endswith(want),
}
GROUPS = ("or", "and", "not")
_LINKS = ("linkedWith", "notLinkedWith", "isLinked", "isNotLinked")


class Filters:
    """Compiles conditions for one store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def compile(self, entity: EntityType, conditions: list[Condition]) -> Test:
        """One test for all conditions. Raises `ApiError` 400 for what does not exist."""
        tests = [self._one(entity, condition) for condition in conditions]
        return lambda row: all(test(row) for test in tests)

    def _one(self, entity: EntityType, condition: object) -> Test:
        if not isinstance(condition, dict):
            raise ApiError(400, "Bad where.")
        kind, value = condition.get("type"), condition.get("value")
        if kind in GROUPS:
            return self._group(entity, str(kind), _as_list(value))
        attribute = condition.get("attribute")
        if kind in _LINKS:
            return self._linked(entity, str(kind), str(attribute), _as_list(value))
        if attribute not in entity.attributes:
            raise ApiError(400, f"Not existing attribute '{attribute}' in where.")
        return self._comparison(str(kind), str(attribute), _moved(condition))

    def _group(self, entity: EntityType, kind: str, conditions: list[Condition]) -> Test:
        tests = [self._one(entity, condition) for condition in conditions]
        if kind == "or":
            return lambda row: any(test(row) for test in tests)
        if kind == "and":
            return lambda row: all(test(row) for test in tests)
        return lambda row: not all(test(row) for test in tests)

    def _linked(self, entity: EntityType, kind: str, link: str, ids: list[str]) -> Test:
        if link in ATTENDEES and entity.is_event:
            name = entity.name

            def people(row: Record) -> set[str]:
                return set(self._store.members(name, row["id"], link))
        elif link in entity.belongs_to:

            def people(row: Record) -> set[str]:
                return {row[f"{link}Id"]} if row.get(f"{link}Id") else set()
        elif f"{link}Ids" in entity.attributes and not entity.is_event:

            def people(row: Record) -> set[str]:
                return set(row.get(f"{link}Ids") or ())
        else:
            raise ApiError(400, f"Not existing link '{link}' in where.")
        wanted = {str(record_id) for record_id in ids}
        tests: dict[str, Test] = {
            "linkedWith": lambda row: bool(people(row) & wanted),
            "notLinkedWith": lambda row: not people(row) & wanted,
            "isLinked": lambda row: bool(people(row)),
            "isNotLinked": lambda row: not people(row),
        }
        return tests[kind]

    def _comparison(self, kind: str, name: str, value: Any) -> Test:
        if kind in ("equals", "in", "on", "notEquals", "notIn", "notOn"):
            return self._equality(kind, name, value)
        if kind in _COMPARE:
            compare = _COMPARE[kind]
            return lambda row: row.get(name) is not None and compare(str(row[name]), str(value))
        if kind in _TEXT:
            match, text = _TEXT[kind], str(value).lower()
            return lambda row: match(str(row.get(name) or "").lower(), text)
        if kind == "like":
            text = str(value).lower().strip("%")
            return lambda row: text in str(row.get(name) or "").lower()
        if kind == "between":
            low, high = (*_as_list(value), "", "")[:2]
            return lambda row: row.get(name) is not None and str(low) <= str(row[name]) <= str(high)
        if kind in ("past", "future"):
            now = stored(self._clock.now())
            return lambda row: row.get(name) is not None and (row[name] < now) == (kind == "past")
        states: dict[str, Test] = {
            "isTrue": lambda row: row.get(name) is True,
            "isFalse": lambda row: not row.get(name),
            "isNull": lambda row: row.get(name) is None,
            "isNotNull": lambda row: row.get(name) is not None,
        }
        if kind not in states:
            raise ApiError(400, f"Unknown where item type '{kind}'.")
        return states[kind]

    @staticmethod
    def _equality(kind: str, name: str, value: Any) -> Test:
        wanted = {_key(name, item) for item in (_as_list(value) if kind in ("in", "notIn") else [value])}
        if name == "emailAddress":

            def hit(row: Record) -> bool:
                return not wanted.isdisjoint(addresses(row))
        else:

            def hit(row: Record) -> bool:
                return _key(name, row.get(name)) in wanted

        return (lambda row: not hit(row)) if kind.startswith("not") else hit


def _key(name: str, value: Any) -> Any:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str):
        return value.lower() if name in ("name", "emailAddress", "userName") else value
    return value if value is None else str(value)


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else [value]


def nested(condition: Condition) -> list[Condition]:
    """The conditions in a group."""
    return [item for item in _as_list(condition.get("value")) if isinstance(item, dict)]


def _moved(condition: Condition) -> Any:
    """The value; with `dateTime` it is local to `timeZone` and becomes UTC."""
    value = condition.get("value")
    if str(condition.get("dateTime")).lower() not in ("true", "1") or not isinstance(value, str):
        return value
    try:
        local = datetime.fromisoformat(value).replace(tzinfo=ZoneInfo(condition.get("timeZone") or "UTC"))
    except (ValueError, KeyError):
        raise ApiError(400, "Bad where item: no date-time.") from None
    return stored(local.astimezone(UTC))
