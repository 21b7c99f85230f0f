"""A call of `/api/v1`: who makes it and what it says.

Decides who may ask what: an administrator about everybody, a user about that user alone. Nobody is known by a
cookie. Whatever a program sends, it is read or refused in words; nothing of it is believed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

from flask import abort, request

from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.hookspecs import Caller
from calsync_plugin.state import Account
from calsync_plugin.web.callers import caller_of

LARGEST_PAGE = 200
LARGEST_ID = 2**62
DEEPEST = 8
"""Levels of a body: settings have three."""
_NUMBER = re.compile(r"[0-9]{1,19}")


def caller(calsync: Calsync) -> Caller:
    """Who asks; 401 for somebody unknown."""
    found = caller_of(request, calsync.plugins.hook, calsync.settings.serve.api_token)
    if found is None:
        abort(401, "say who asks: Authorization: Bearer TOKEN")
    return found


def administrator(calsync: Calsync, what: str) -> Actor:
    """Who asks, if that is an administrator; 403 for others, who may not do `what`."""
    found = caller(calsync)
    if not found.admin:
        abort(403, f"only an administrator may {what}")
    return actor(found)


def actor(found: Caller) -> Actor:
    """The caller as the audit log names it; the token of the configuration is no user."""
    return Actor(found.user_id, "" if found.user_id else "API token")


def own(calsync: Calsync, user: str) -> Actor:
    """Let an administrator and the user through; others do not even learn whether the account exists."""
    found = caller(calsync)
    if not found.admin and found.user_id != user:
        abort(403, "this account is somebody else's")
    existing(calsync, user)
    return actor(found)


def existing(calsync: Calsync, user: str) -> Account:
    """The account of a user; 404 if there is none."""
    found = calsync.store.accounts.get(user)
    if found is None:
        abort(404, "this user has no account")
    return found


def body() -> dict[str, JsonValue]:
    """The JSON object that was sent; 400 for anything else."""
    try:
        value = json.loads(request.get_data(), parse_float=_number, parse_constant=_no_number)
        # Half of a surrogate pair can be written in JSON, and in no other text.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or _depth(value) > DEEPEST:
        abort(400, "the body must be a JSON object, with whole characters and finite numbers")
    return value


def limit(usual: int) -> int:
    """How many are asked for at most."""
    return number("limit", usual, largest=LARGEST_PAGE)


def number(name: str, usual: int, *, largest: int = LARGEST_ID) -> int:
    """A whole number of the query from 1 on."""
    text = request.args.get(name, str(usual))
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= largest:
        abort(400, f"{name} must be a number from 1 to {largest}")
    return int(text)


def _number(text: str) -> float:
    """12.0 is the whole number that JSON Schema takes it for."""
    value = float(text)
    if not isfinite(value):
        raise ValueError("the number is too large")
    return int(value) if value.is_integer() and abs(value) < LARGEST_ID else value


def _no_number(_text: str) -> float:
    raise ValueError("NaN and Infinity are no JSON")


def _depth(value: Any) -> int:
    """How deep objects and lists lie in each other, counted no further than needed."""
    level, deep = [value], 0
    while level and deep <= DEEPEST:
        deep += 1
        level = [
            inner
            for one in level
            if isinstance(one, Mapping | list)
            for inner in (one.values() if isinstance(one, Mapping) else one)
        ]
    return deep
