"""Query strings as PHP reads them: `where[0][value][]=x` becomes nested maps and lists."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

_PART = re.compile(r"\[([^\[\]]*)\]")


def parse(query: str) -> dict[str, Any]:
    """The parameters of a query string; maps whose keys are numbers become lists."""
    tree: dict[str, Any] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        head = key.split("[", 1)[0]
        _put(tree, [head, *_PART.findall(key[len(head) :])], value)
    return {key: _listed(value) for key, value in tree.items()}


def _put(tree: dict[str, Any], path: list[str], value: str) -> None:
    for part in path[:-1]:
        child = tree.setdefault(part or str(len(tree)), {})
        if not isinstance(child, dict):
            return
        tree = child
    tree[path[-1] or str(len(tree))] = value


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_listed(value[key]) for key in sorted(value, key=int)]
    return {key: _listed(item) for key, item in value.items()}
