"""Values of a call of `/api/v1`, from its query or its body: of the right kind, or refused in words.

Decides what is taken for a number, a text and a list. A query has texts only, in which numbers are digits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from flask import abort, request

from calsync_plugin.booking.asking import LONGEST_KEY
from calsync_plugin.domain.meeting import JsonValue

LONGEST_ID = 100
_DIGITS = re.compile(r"-?[0-9]{1,15}")
_KEY = re.compile(r"[!-~]+")


def whole(name: str, value: object, *, least: int, most: int) -> int:
    """A whole number within bounds."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        abort(400, f"{name}: must be a whole number from {least} to {most}")
    return value


def text(name: str, value: object, *, longest: int, needed: bool = False) -> str:
    """A text; None stands for an empty one."""
    value = "" if value is None else value
    if not isinstance(value, str) or len(value) > longest or "\0" in value:
        abort(400, f"{name}: must be a text of at most {longest} characters")
    if needed and not value.strip():
        abort(400, f"{name}: is missing")
    return value


def one_of(name: str, value: object, choices: Sequence[str]) -> str:
    """One of these words."""
    if not isinstance(value, str) or value not in choices:
        abort(400, f"{name}: must be one of {', '.join(choices)}")
    return value


def identity(name: str, value: object) -> str:
    """What can be the id of something in the CRM or here; empty for None."""
    found = text(name, value, longest=LONGEST_ID)
    if not found.isprintable():
        abort(400, f"{name}: {found!r} cannot be an id")
    return found


def identities(name: str, value: object, *, most: int) -> list[str]:
    """A list of ids, each once; empty for None."""
    value = [] if value is None else value
    if not isinstance(value, list) or len(value) > most:
        abort(400, f"{name}: must be a list of at most {most} ids")
    found = [identity(name, one) for one in value]
    if not all(found):
        abort(400, f"{name}: an id is empty")
    return list(dict.fromkeys(found))


def mapping(name: str, value: object) -> dict[str, JsonValue]:
    """An object; empty for None."""
    value = {} if value is None else value
    if not isinstance(value, dict):
        abort(400, f"{name}: must be an object")
    return value


def nothing_else(values: Mapping[str, Any], known: Sequence[str]) -> None:
    """400 for what is not known: a misspelt name must not be passed over."""
    other = sorted(values.keys() - set(known))
    if other:
        abort(400, f"{other[0][:80]!r} is not known (expected {', '.join(known)})")


def nothing_else_asked(*known: str) -> None:
    """400 for a parameter of the query that is not known, with the nearest one that is."""
    for name in request.args:
        if name not in known:
            close = get_close_matches(name[:80], known, n=1)
            hint = f"; did you mean {close[0]}?" if close else f" (expected {', '.join(known) or 'none'})"
            abort(400, f"{name[:80]!r} is not known{hint}")


def idempotency_key() -> str:
    """The key of the header `Idempotency-Key`; empty if there is none."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return ""
    if not _KEY.fullmatch(key) or len(key) > LONGEST_KEY:
        abort(400, f"Idempotency-Key: must be 1 to {LONGEST_KEY} printable ASCII characters without blanks")
    return key
