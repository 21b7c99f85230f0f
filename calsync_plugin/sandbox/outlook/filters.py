"""The part of OData's $filter that Outlook clients use on events, as a predicate over items.

Comparisons of a path with a literal, `contains` and `startswith`, `and`, `or`, `not`, brackets, and
`singleValueExtendedProperties/Any(ep: ep/id eq '..' and ep/value eq '..')`. Source: Graph docs,
singleValueLegacy- ExtendedProperty: get (name case-sensitive, value not), and "Use the $filter query
parameter".
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from calsync_plugin.sandbox.outlook.items import told_uid
from calsync_plugin.sandbox.outlook.odata_types import parse_instant
from calsync_plugin.sandbox.outlook.state import Item
from calsync_plugin.sandbox.outlook.wire import GraphError

Predicate = Callable[[Item], bool]
_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|([A-Za-z_][\w./@-]*)|(-?\d[\w.:+-]*)|(.))", re.DOTALL)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_PATHS: dict[str, Callable[[Item], Any]] = {
    "icaluid": lambda item: told_uid(item, one=False),
    "subject": lambda item: item.subject.lower(),
    "start/datetime": lambda item: item.starts,
    "end/datetime": lambda item: item.ends,
    "start": lambda item: item.starts,
    "end": lambda item: item.ends,
    "createddatetime": lambda item: item.created,
    "lastmodifieddatetime": lambda item: item.modified,
    "isallday": lambda item: item.all_day,
    "iscancelled": lambda item: item.cancelled,
    "isorganizer": lambda item: item.is_organizer,
    "isonlinemeeting": lambda item: item.online,
    "type": lambda item: "exception" if item.lone_master else item.kind.lower(),
    "showas": lambda item: item.show_as.lower(),
    "sensitivity": lambda item: item.sensitivity.lower(),
    "importance": lambda item: item.importance.lower(),
    "transactionid": lambda item: item.transaction_id,
    "organizer/emailaddress/address": lambda item: str(item.organizer["emailAddress"]["address"]).lower(),
}
_EXACT = {"icaluid", "transactionid"}
_MOMENTS = {"start/datetime", "end/datetime", "start", "end", "createddatetime", "lastmodifieddatetime"}


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed filter: the predicate, and an index entry that already narrows the items down."""

    matches: Predicate
    uid: str | None = None
    extended: tuple[str, str] | None = None


def parse(text: str, *, one_uid: bool = False) -> Filter:
    """Return a filter; GraphError 400 if it is malformed or uses what events do not support.

    `one_uid`: occurrences share their master's iCalUId.
    """
    parser = _Parser(text, one_uid=one_uid)
    found = parser.either()
    if parser.peek():
        raise refused(text)
    # An index helps only if the whole filter is that one condition.
    lone = parser.conditions == 1
    # Items are filed under an iCalUId of their own.
    return Filter(found, parser.uid if lone and not one_uid else None, parser.extended if lone else None)


def refused(text: str) -> GraphError:
    """Return the 400 of a filter that the service does not take."""
    return GraphError(400, "ErrorInvalidUrlQueryFilter", f"Invalid filter clause: '{text}'.")


class _Parser:
    def __init__(self, text: str, *, one_uid: bool) -> None:
        self.text = text
        self.one_uid = one_uid
        self.tokens = [match.group(0).strip() for match in _TOKEN.finditer(text) if match.group(0).strip()]
        self.at = 0
        self.conditions = 0
        self.uid: str | None = None
        self.extended: tuple[str, str] | None = None

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, expected: str | None = None) -> str:
        token = self.peek()
        if not token or (expected is not None and token.lower() != expected):
            raise refused(self.text)
        self.at += 1
        return token

    def either(self) -> Predicate:
        parts = [self.both()]
        while self.peek().lower() == "or":
            self.take()
            self.conditions += 1
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else lambda item: any(part(item) for part in parts)

    def both(self) -> Predicate:
        parts = [self.one()]
        while self.peek().lower() == "and":
            self.take()
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else lambda item: all(part(item) for part in parts)

    def one(self) -> Predicate:
        word = self.peek().lower()
        if word == "(":
            self.take()
            inner = self.either()
            self.take(")")
            return inner
        if word == "not":
            self.take()
            self.conditions += 1
            negated = self.one()
            return lambda item: not negated(item)
        self.conditions += 1
        if word in {"contains", "startswith"}:
            return self._function(word)
        if word == "singlevalueextendedproperties/any":
            return self._extended()
        return self._comparison()

    def _function(self, name: str) -> Predicate:
        self.take()
        self.take("(")
        read = self._path()
        self.take(",")
        wanted = str(self._literal()).lower()
        self.take(")")
        if name == "contains":
            return lambda item: wanted in str(read(item)).lower()
        return lambda item: str(read(item)).lower().startswith(wanted)

    def _path(self) -> Callable[[Item], Any]:
        name = self.take().lower()
        if name not in _PATHS:
            raise refused(self.text)
        if self.one_uid and name == "icaluid":
            return lambda item: told_uid(item, one=True)
        return _PATHS[name]

    def _comparison(self) -> Predicate:
        name = self.peek().lower()
        read = self._path()
        verb = self.take().lower()
        if verb not in _COMPARE:
            raise refused(self.text)
        compare, value = _COMPARE[verb], self._literal()
        if name in _MOMENTS:
            value = parse_instant(value)
        elif isinstance(value, str) and name not in _EXACT:
            value = value.lower()
        if name == "icaluid" and verb == "eq":
            self.uid = str(value)
        return lambda item: bool(_safe(compare, read(item), value))

    def _literal(self) -> Any:
        token = self.take()
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        words: dict[str, Any] = {"true": True, "false": False, "null": None}
        return words.get(token.lower(), token)

    def _extended(self) -> Predicate:
        self.take()
        self.take("(")
        variable = self.take().lower().rstrip(":")
        if self.peek() == ":":
            self.take()
        self.take(f"{variable}/id")
        self.take("eq")
        name = str(self._literal())
        self.take("and")
        compare, value = self._extended_value(variable, name)
        self.take(")")
        return lambda item: name in item.properties and compare(item.properties[name], value)

    def _extended_value(self, variable: str, name: str) -> tuple[Callable[[str, Any], bool], str]:
        word = self.peek().lower()
        if word in {"contains", "startswith"}:
            self.take()
            self.take("(")
            self.take(f"{variable}/value")
            self.take(",")
            value = str(self._literal()).lower()
            self.take(")")
            if word == "contains":
                return lambda have, wanted: wanted in have.lower(), value
            return lambda have, wanted: have.lower().startswith(wanted), value
        if word == "cast":
            for part in ("cast", "(", f"{variable}/value", ","):
                self.take(part)
            self.take()
            self.take(")")
        else:
            self.take(f"{variable}/value")
        verb = self.take().lower()
        if verb not in _COMPARE:
            raise refused(self.text)
        value = str(self._literal()).lower()
        if verb == "eq":
            self.extended = (name, value)
        compare = _COMPARE[verb]
        number = not name.startswith("String")
        return (lambda have, wanted: _numbers(compare, have, wanted, number=number)), value


def _numbers(compare: Callable[[Any, Any], bool], have: str, wanted: str, *, number: bool) -> bool:
    if number:
        try:
            return compare(float(have), float(wanted))
        except ValueError:
            pass
    return compare(have.lower(), wanted)


def _safe(compare: Callable[[Any, Any], bool], have: Any, wanted: Any) -> bool:
    if isinstance(have, datetime) != isinstance(wanted, datetime) and compare not in {
        operator.eq,
        operator.ne,
    }:
        return False
    if have is None and compare not in {operator.eq, operator.ne}:
        return False
    return compare(have, wanted)
