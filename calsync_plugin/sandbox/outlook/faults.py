"""Faults that a test injects: a rule matches requests, and bends the answer or the connection.

A rule's JSON, all parts optional: `match` {`method`: regular expression, `path`: regular expression
searched in path and query, `mailbox`: address}, then what happens: `status` with `code`, `message` and
`retry_after` (`after_commit` true: processed first), `delay_ms` before processing, `delay_after_ms` after
the commit, `drop_before`, `drop_after_commit`, `truncate_body`; `times` (how often, null for ever) and
`skip` (how many matches pass first). Rules see members of a batch one by one, as `/v1.0/me/...`, and the
login's token address too.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import Any

from calsync_plugin.sandbox.outlook.wire import GraphError, Json

_KNOWN = frozenset((
    "match", "status", "code", "message", "retry_after", "after_commit", "delay_ms",
    "delay_after_ms", "drop_before", "drop_after_commit", "truncate_body", "times", "skip",
))  # fmt: skip
_CODES = {
    400: "ErrorInvalidRequest",
    401: "InvalidAuthenticationToken",
    403: "ErrorAccessDenied",
    404: "ErrorItemNotFound",
    409: "ConcurrentItemSave",
    410: "SyncStateNotFound",
    412: "ErrorIrresolvableConflict",
    423: "Locked",
    429: "ApplicationThrottled",
    500: "ErrorInternalServerError",
    503: "ErrorServerBusy",
    504: "UnknownError",
}


@dataclass(slots=True)
class Rule:
    """One fault: what it matches, what it does, and how often it still does it."""

    method: re.Pattern[str]
    path: re.Pattern[str]
    mailbox: str | None
    status: int | None
    code: str
    message: str
    retry_after: float | None
    after_commit: bool
    delay_ms: float
    delay_after_ms: float
    drop_before: bool
    drop_after_commit: bool
    truncate_body: bool
    times: int | None
    skip: int
    matched: int = 0
    fired: int = 0

    def error(self) -> GraphError:
        """Return the refusal that this rule answers with."""
        headers = {} if self.retry_after is None else {"Retry-After": f"{self.retry_after:g}"}
        return GraphError(self.status or 500, self.code, self.message, headers=headers)


def parse(value: Any) -> Rule:
    """Return a rule from its JSON; ValueError says what is wrong with it."""
    if not isinstance(value, dict):
        raise TypeError("a fault rule is an object")
    unknown = value.keys() - _KNOWN
    if unknown:
        raise ValueError(f"a fault rule knows no {min(unknown)!r}; it knows {', '.join(sorted(_KNOWN))}")
    match = value.get("match") or {}
    if not isinstance(match, dict):
        raise TypeError("match is an object")
    unknown = match.keys() - {"method", "path", "mailbox"}
    if unknown:
        raise ValueError(f"match knows method, path and mailbox, not {min(unknown)!r}")
    status = value.get("status")
    return Rule(
        method=re.compile(match.get("method", ""), re.IGNORECASE),
        path=re.compile(match.get("path", ""), re.IGNORECASE),
        mailbox=match.get("mailbox"),
        status=status,
        code=value.get("code") or _CODES.get(status or 0, "UnknownError"),
        message=value.get("message", "Injected by a fault rule."),
        retry_after=value.get("retry_after"),
        after_commit=bool(value.get("after_commit", False)),
        delay_ms=float(value.get("delay_ms", 0)),
        delay_after_ms=float(value.get("delay_after_ms", 0)),
        drop_before=bool(value.get("drop_before", False)),
        drop_after_commit=bool(value.get("drop_after_commit", False)),
        truncate_body=bool(value.get("truncate_body", False)),
        times=value.get("times"),
        skip=int(value.get("skip", 0)),
    )


class Faults:
    """The rules in force, first match first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []

    def replace(self, rules: list[Rule]) -> None:
        """Put new rules in force instead of all before."""
        with self._lock:
            self._rules = list(rules)

    def add(self, rule: Rule) -> None:
        """Put one more rule in force, after the others."""
        with self._lock:
            self._rules.append(rule)

    def match(self, method: str, path: str, mailbox: str | None) -> Rule | None:
        """Return the rule that bends this request, and use it up once."""
        if not self._rules:
            return None
        with self._lock:
            for rule in self._rules:
                if rule.mailbox is not None and rule.mailbox != mailbox:
                    continue
                if not rule.method.search(method) or not rule.path.search(path):
                    continue
                rule.matched += 1
                if rule.matched <= rule.skip or (rule.times is not None and rule.fired >= rule.times):
                    continue
                rule.fired += 1
                return rule
        return None

    def as_json(self) -> list[Json]:
        """Return every rule with how often it matched and fired."""
        with self._lock:
            return [
                {
                    "match": {
                        "method": rule.method.pattern,
                        "path": rule.path.pattern,
                        "mailbox": rule.mailbox,
                    },
                    "status": rule.status,
                    "code": rule.code,
                    "times": rule.times,
                    "skip": rule.skip,
                    "matched": rule.matched,
                    "fired": rule.fired,
                }
                for rule in self._rules
            ]
