"""What all worlds of a process share or put off, because it costs more than most tests.

Nothing that a test can change is shared: only code that werkzeug makes of the text of a route, and SQL that
SQLAlchemy makes of a statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask
from sqlalchemy import URL, Engine, create_engine
from werkzeug.routing import Rule

from calsync_plugin.state import database
from tests.wsgi import WsgiApp

Builder = Callable[..., tuple[str, str]]

_builders: dict[tuple[str, bool], Builder] = {}
_first: dict[str, Engine] = {}


class SharedRule(Rule):
    """A route whose address builders are those of the first route that reads the same.

    For each route of each application werkzeug writes and compiles the source of two functions. Without
    defaults they depend on nothing but the route's text.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Builder:
        if self.defaults or self.subdomain or self.host:
            return super()._compile_builder(append_unknown)
        key = (self.rule, append_unknown)
        if key not in _builders:
            _builders[key] = super()._compile_builder(append_unknown)
        return _builders[key]


class Later:
    """A WSGI application that is made when it is first called: few worlds call calsync's own."""

    def __init__(self, make: Callable[[], WsgiApp]) -> None:
        self._make = make
        self._made: WsgiApp | None = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        self._made = self._made or self._make()
        return self._made(environ, start_response)


def share_rules() -> None:
    """Let Flask applications made from now on share the builders of equal routes."""
    Flask.url_rule_class = SharedRule


def share_statements() -> None:
    """Let stores opened from now on share compiled statements, one lot for SQLite and one for PostgreSQL.

    SQLAlchemy keeps them by dialect and engine; each store has an engine of its own.
    """
    database.create_engine = _engine  # type: ignore[assignment, attr-defined]


def _engine(url: URL, **arguments: Any) -> Engine:
    engine = create_engine(url, **arguments)
    first = _first.get(url.get_backend_name())
    # A dialect knows its server from the first connection on; one that never got any is no use to others.
    if first is None or first.dialect.server_version_info is None:
        _first[url.get_backend_name()] = first = engine
    engine.dialect = first.dialect
    engine._compiled_cache = first._compiled_cache
    return engine
