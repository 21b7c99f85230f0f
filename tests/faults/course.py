"""The course of an installation under test: what it calls and commits, where it is struck, where it dies.

Decides nothing of what is right. Every remote call and every commit of the store passes here, so that a test
can count them first and then let each of them go wrong, or let the process die after it.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from sqlalchemy import Connection

from calsync_plugin.state.database import Database
from tests.wsgi import WsgiAdapter, WsgiApp

_READS = {"GET", "HEAD", "OPTIONS"}


class Killed(BaseException):
    """The process died here: nothing after it is carried out, no `except` of ours sees it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One remote call. `members` are the calls within a batch, as method and path."""

    number: int
    service: str
    method: str
    path: str
    members: tuple[tuple[str, str], ...] = ()

    @property
    def writes(self) -> bool:
        """Whether it may leave something behind; a stop after a mere read is a stop before it."""
        return any(method not in _READS for method, _ in self.members or ((self.method, self.path),))

    def __str__(self) -> str:
        parts = ", ".join(f"{method} {_short(path)}" for method, path in self.members)
        whole = f"call {self.number}: {self.service} {self.method} {_short(self.path)}"
        return whole + (f" [{parts}]" if parts else "")


Carry = Callable[[], requests.Response]


class Strike(Protocol):
    """What goes wrong: it is handed one call and the way to carry it out."""

    def __call__(self, call: Call, request: requests.PreparedRequest, carry: Carry) -> requests.Response:
        """Answer in the service's place, or break."""
        ...


StrikeOf = Callable[[Call], Strike | None]


def _nothing(_call: Call) -> None:
    """No call is struck."""


@dataclass(slots=True)
class Course:
    """`strike_of`: what goes wrong with a call; `stop_after`: the number of the last step before the death.

    Steps are what lasts: commits, and calls that are no mere reads. Step 0 is the start.
    """

    strike_of: StrikeOf = _nothing
    stop_after: int | None = None
    calls: list[Call] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    dead: bool = False
    struck: Call | None = None
    """The call that the strike came to: after a restart another one may have its number."""
    _thread: int = field(default_factory=threading.get_ident)

    def alive(self) -> None:
        """Die if it is time, or stay dead."""
        if threading.get_ident() != self._thread:
            return
        if self.dead or self.stop_after == len(self.steps):
            self.dead = True
            raise Killed

    def restart(self) -> None:
        """Live again, and die no more."""
        self.dead, self.stop_after = False, None

    def passed(self, step: str) -> None:
        """Something that lasts was done."""
        if threading.get_ident() == self._thread:
            self.steps.append(step)
            self.alive()


class Wire(BaseAdapter):
    """The transport of calsync to one simulator."""

    def __init__(self, course: Callable[[], Course], app: WsgiApp, service: str) -> None:
        super().__init__()
        self._course = course
        self._service = service
        self._inner = WsgiAdapter(app)

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Carry one request, or let it be struck."""
        course = self._course()
        course.alive()
        call = _call(len(course.calls) + 1, self._service, request)
        course.calls.append(call)
        strike = course.strike_of(call)
        try:
            if strike is None:
                return self._inner.send(request)
            course.struck = call
            return strike(call, request, lambda: self._inner.send(request))
        finally:
            if call.writes:
                course.passed(str(call))

    def close(self) -> None:
        """Nothing is open."""


class WatchedDatabase(Database):
    """A database whose commits are steps of the course."""

    course = Course()
    _reading: Connection | None = None

    @contextmanager
    def read(self) -> Generator[Connection]:
        """Read on a connection that is kept, without a transaction: a bench has one thread, none to see.

        To take a connection and to begin and end a transaction cost more than most statements.
        """
        if not self.is_sqlite:
            with super().read() as connection:
                yield connection
            return
        if self._reading is None:
            options = {"calsync_begin": "SELECT 1"}
            self._reading = self.engine.connect().execution_options(**options)
        yield self._reading

    def close(self) -> None:
        """Close the kept connection, too."""
        if self._reading is not None:
            self._reading.close()
            self._reading = None
        super().close()

    @contextmanager
    def write(self) -> Generator[Connection]:
        """A transaction; a death within it is a death before it."""
        self.course.alive()
        with super().write() as connection:
            yield connection
        self.course.passed("commit")


def _call(number: int, service: str, request: requests.PreparedRequest) -> Call:
    parts = urlsplit(request.url or "")
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    members: tuple[tuple[str, str], ...] = ()
    if parts.path.endswith("/$batch"):
        body = json.loads(request.body or "{}")
        members = tuple((m["method"], m["url"]) for m in body["requests"])
    if "/oauth2/" in parts.path or "/.well-known/" in parts.path:
        service = "login"
    return Call(number, service, request.method or "GET", path, members)


def _short(path: str) -> str:
    """A path as messages name it: without its query, long ids cut."""
    bare = path.partition("?")[0]
    return re.sub(r"[\w-]{40,}", lambda found: f"...{found[0][-6:]}", bare)
