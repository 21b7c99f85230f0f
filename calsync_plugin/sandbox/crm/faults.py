"""Faults on demand: rules that make chosen requests fail in chosen ways, and the WSGI layer that applies
them.

A rule matches a method (or `*`) and a regular expression on the path. It may answer in the application's
place (`status`), wait (`delay_ms`), close the connection before the request takes effect (`drop_before`) or
after (`drop_after_commit`), or cut the answer's body in half (`truncate_body`). It skips the first `skip`
matches and ends after `times`.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from calsync_plugin.sandbox.crm.errors import DroppedConnection
from calsync_plugin.sandbox.crm.request_log import LoggedRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from calsync_plugin.sandbox.crm.simulator import Crm

API = "/api/v1"


@dataclass(slots=True)
class FaultRule:
    """Which requests fail, and how."""

    path: str
    method: str = "*"
    status: int | None = None
    reason: str | None = None
    retry_after: int | None = None
    delay_ms: int = 0
    drop_before: bool = False
    drop_after_commit: bool = False
    truncate_body: bool = False
    times: int | None = 1
    skip: int = 0


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self.rules: list[FaultRule] = []
        self._lock = threading.Lock()

    def add(self, rule: FaultRule) -> None:
        """Put a rule in force. Raises `re.error` for a broken path."""
        re.compile(rule.path)
        with self._lock:
            self.rules.append(rule)

    def clear(self) -> None:
        """End all rules."""
        with self._lock:
            self.rules.clear()

    def take(self, method: str, path: str) -> FaultRule | None:
        """The first rule that strikes this request; its count goes down."""
        with self._lock:
            for rule in self.rules:
                if rule.method not in ("*", method) or not re.search(rule.path, path):
                    continue
                if rule.skip > 0:
                    rule.skip -= 1
                    continue
                if rule.times is not None:
                    rule.times -= 1
                    if rule.times <= 0:
                        self.rules.remove(rule)
                return rule
        return None


class FaultLayer:
    """WSGI: applies the faults to `/api/v1` and logs what came and how it ended."""

    def __init__(self, app: WSGIApplication, crm: Crm) -> None:
        self._app = app
        self._crm = crm

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request. Raises `DroppedConnection` if a rule says so."""
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        if not path.startswith(API):
            return self._app(environ, start_response)
        rule = self._crm.faults.take(method, path)
        answer = _Answer()
        try:
            if rule:
                self._before(rule, answer)
            if not answer.started:
                answer.run(self._app, environ)
            if rule and rule.drop_after_commit:
                answer.status = "0"
                raise DroppedConnection(f"{method} {path}: dropped after it took effect")
        finally:
            self._log(environ, answer)
        body = answer.body
        if rule and rule.truncate_body:
            body = body[: len(body) // 2]
        start_response(answer.status, answer.headers)
        return [body]

    @staticmethod
    def _before(rule: FaultRule, answer: _Answer) -> None:
        if rule.delay_ms:
            time.sleep(rule.delay_ms / 1000)
        if rule.drop_before:
            raise DroppedConnection("dropped before it took effect")
        if rule.status is not None:
            answer.refuse(rule.status, rule.reason, rule.retry_after)

    def _log(self, environ: WSGIEnvironment, answer: _Answer) -> None:
        self._crm.log.note(
            LoggedRequest(
                self._crm.now(),
                environ["REQUEST_METHOD"],
                environ.get("PATH_INFO", ""),
                environ.get("QUERY_STRING", ""),
                int(answer.status.split(" ", 1)[0]),
            )
        )


class _Answer:
    """An answer held back until all of it is there."""

    def __init__(self) -> None:
        self.status = "0"
        self.headers: list[tuple[str, str]] = []
        self.body = b""

    @property
    def started(self) -> bool:
        return self.status != "0"

    def refuse(self, status: int, reason: str | None, retry_after: int | None) -> None:
        known = status in HTTPStatus.__members__.values()
        self.status = f"{status} {HTTPStatus(status).phrase if known else 'Fault'}"
        self.headers = [("Content-Type", "application/json"), ("Content-Length", "0")]
        if reason is not None:
            self.headers.append(("X-Status-Reason", reason))
        if retry_after is not None:
            self.headers.append(("Retry-After", str(retry_after)))

    def run(self, app: WSGIApplication, environ: WSGIEnvironment) -> None:
        def start(status: str, headers: list[tuple[str, str]], _exc: Any = None) -> Callable[[bytes], object]:
            self.status, self.headers = status, headers
            return lambda _: None

        chunks = app(environ, start)
        try:
            self.body = b"".join(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
