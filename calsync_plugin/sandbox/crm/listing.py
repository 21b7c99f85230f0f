"""Lists of records: which index answers them, their order, their page and their total.

A store of 100,000 records answers `id in`, `modifiedAt after`, a marker or an attendee without reading the
others.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from calsync_plugin.sandbox.crm.access import Access, Caller
from calsync_plugin.sandbox.crm.entities import ATTENDEES
from calsync_plugin.sandbox.crm.entity_type import EntityType
from calsync_plugin.sandbox.crm.errors import ApiError
from calsync_plugin.sandbox.crm.presenter import Presenter
from calsync_plugin.sandbox.crm.store import Store
from calsync_plugin.sandbox.crm.tables import Record
from calsync_plugin.sandbox.crm.where import GROUPS, Condition, Filters, Test, nested

MAX_SIZE = 200
_LOW = ("after", "greaterThan", "greaterThanOrEquals")
_HIGH = ("before", "lessThan", "lessThanOrEquals")


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of a list, from the query string or from `searchParams`."""

    where: Sequence[Condition]
    order_by: str | None
    descending: bool | None
    offset: int
    max_size: int | None
    select: Sequence[str] | None
    count: bool = True


def query_of(params: dict[str, Any], search: Any, *, count: bool) -> Query:
    """Read a list's parameters. `search` is the decoded `searchParams`, or None. Raises `ApiError`."""
    if isinstance(search, dict):
        if "select" in search and not isinstance(search["select"], list):
            raise ApiError(400, "select should be array.")
        params = {**params, **search}
    select = params.get("select")
    if isinstance(select, str):
        select = [part for part in select.split(",") if part]
    max_size = None if params.get("maxSize") in (None, "") else _number(params["maxSize"])
    if max_size is not None and max_size > MAX_SIZE:
        raise ApiError(403, "Max size should not exceed 200. Use offset and limit.")
    where = params.get("where") or []
    if not isinstance(where, list) or not all(isinstance(item, dict) for item in where):
        raise ApiError(400, "Bad where.")
    order = params.get("order")
    descending = None if order in (None, "") else str(order).lower() in ("desc", "true")
    offset = _number(params.get("offset") or 0)
    return Query(where, params.get("orderBy") or None, descending, offset, max_size, select, count)


def _number(value: Any) -> int:
    try:
        return max(int(value), 0)
    except (TypeError, ValueError):
        return 0


class Listing:
    """Answers lists."""

    def __init__(self, store: Store, access: Access, presenter: Presenter, filters: Filters) -> None:
        self._store = store
        self._access = access
        self._presenter = presenter
        self._filters = filters

    def answer(self, caller: Caller, entity_type: str, query: Query) -> Record:
        """`{"total": ..., "list": [...]}` for the caller. Raises `ApiError` 400 or 403."""
        entity = self._store.entity(entity_type)
        order_by = query.order_by or entity.order_by
        if order_by not in entity.attributes:
            raise ApiError(400, f"Order by non-existing field '{order_by}'.")
        self._check_hidden(caller, entity, query.where)
        test = self._filters.compile(entity, list(query.where))
        descending = query.descending
        if descending is None:
            descending = entity.descending if query.order_by is None else False
        total, rows = self._page(caller, entity, query, test, order_by, descending)
        wanted: Collection[str] | None = None
        if query.select is not None:
            companion = order_by if query.order_by is None else "id"
            wanted = self._presenter.selection(entity, query.select, companion)
        return {"total": total, "list": self._presenter.lines(caller, entity, rows, wanted)}

    def _check_hidden(self, caller: Caller, entity: EntityType, where: Sequence[Condition]) -> None:
        hidden = self._presenter.hidden(caller, entity)
        for condition in where:
            if condition.get("attribute") in hidden:
                raise ApiError(403, f"Forbidden attribute '{condition['attribute']}' in where.")
            if condition.get("type") in GROUPS:
                self._check_hidden(caller, entity, nested(condition))

    def _page(
        self,
        caller: Caller,
        entity: EntityType,
        query: Query,
        test: Test,
        order_by: str,
        descending: bool,
    ) -> tuple[int, list[Record]]:
        rows = self._store.tables[entity.name].rows
        size = query.max_size if query.max_size is not None else len(rows)
        free = self._access.level(caller, entity.name, "read") in ("all", "yes")
        whole = caller.is_admin or entity.name not in ("User", "Webhook")
        span = self._span(entity, query.where, order_by) if free and whole else None
        if span is not None:
            order, low, high = span
            first = high - query.offset - size if descending else low + query.offset
            page = order[max(first, low) : max(min(first + size, high), low)]
            if descending:
                page.reverse()
            return _total(query, high - low, size), [rows[record_id] for _, record_id in page]
        ids = self._candidates(entity, query.where)
        found = [
            row
            for record_id in ids
            if test(row := rows[record_id]) and self._visible(caller, entity, row, free=free)
        ]
        found.sort(key=lambda row: (_sortable(row.get(order_by)), row["id"]), reverse=descending)
        return _total(query, len(found), size), found[query.offset : query.offset + size]

    def _visible(self, caller: Caller, entity: EntityType, row: Record, *, free: bool) -> bool:
        if not self._access.lists(caller, entity.name, row):
            return False
        return free or entity.name == "Webhook" or self._access.may(caller, entity.name, "read", row)

    def _span(
        self, entity: EntityType, where: Sequence[Condition], order_by: str
    ) -> tuple[list[tuple[str, str]], int, int] | None:
        """The sorted index and the part of it that is the answer, if the conditions are ranges of it."""
        order = self._store.tables[entity.name].ordered(order_by)
        if order is None or not all(_is_range(c) and c.get("attribute") == order_by for c in where):
            return None
        low, high = _bounds(order, where)
        return order, low, high

    def _candidates(self, entity: EntityType, where: Sequence[Condition]) -> list[str]:
        """Ids that may match, by the index that leaves the fewest."""
        found = [ids for condition in where if (ids := self._by_index(entity, condition)) is not None]
        return min(found, key=len) if found else list(self._store.tables[entity.name].live)

    def _by_index(self, entity: EntityType, condition: Condition) -> list[str] | None:
        table = self._store.tables[entity.name]
        kind, name, value = condition.get("type"), condition.get("attribute"), condition.get("value")
        values = [item for item in (value if isinstance(value, list) else [value]) if _is_plain(item)]
        if kind in ("equals", "in") and name == "id":
            return [str(record_id) for record_id in dict.fromkeys(values) if table.get(record_id)]
        if kind in ("equals", "in") and isinstance(name, str):
            ids = table.matching(name, values)
            return None if ids is None else list(ids)
        if kind == "linkedWith" and name in ATTENDEES and entity.is_event:
            attendance = self._store.attendance[entity.name]
            found = set().union(*(attendance.attending(str(name), str(person)) for person in values))
            return [record_id for record_id in found if table.get(record_id)]
        order = table.ordered(str(name)) if _is_range(condition) else None
        if order is not None:
            low, high = _bounds(order, [condition])
            if high - low < len(order) // 2:
                return [record_id for _, record_id in order[low:high]]
        return None


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float)


def _is_range(condition: Condition) -> bool:
    plain = isinstance(condition.get("value"), str) and not condition.get("dateTime")
    return plain and condition.get("type") in (*_LOW, *_HIGH)


def _bounds(order: list[tuple[str, str]], ranges: Sequence[Condition]) -> tuple[int, int]:
    """Slice of a sorted index that the conditions leave. The lowest text of an empty value never matches."""
    low, high = bisect_right(order, ("", "\uffff")) if ranges else 0, len(order)
    for condition in ranges:
        value, kind = condition["value"], condition["type"]
        below = bisect_left(order, (value, ""))
        through = bisect_right(order, (value, "\uffff"))
        if kind in _LOW:
            low = max(low, below if kind == "greaterThanOrEquals" else through)
        else:
            high = min(high, through if kind == "lessThanOrEquals" else below)
    return low, max(low, high)


def _sortable(value: object) -> tuple[int, str | float]:
    # MariaDB sorts null first.
    if value is None:
        return (0, "")
    return (1, value) if isinstance(value, int | float) else (2, str(value).lower())


def _total(query: Query, total: int, size: int) -> int:
    if query.count:
        return total
    return -1 if total > query.offset + size else -2
