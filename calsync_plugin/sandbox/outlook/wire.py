"""The values that travel between the HTTP front and the handlers: a call, an answer, an error.

A `$batch` member is the same `Call` as a request of its own, so that both run through one table of handlers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from waitress.channel import ClientDisconnected  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from calsync_plugin.sandbox.outlook.state import Mailbox

Json = dict[str, Any]


class DroppedConnection(ClientDisconnected):  # type: ignore[misc]
    """The simulated connection broke: raised out of the WSGI app, and waitress closes the socket unanswered.

    In process a transport adapter turns it into its client's own connection error. `committed` says whether
    the request had been processed before the connection went away.
    """

    def __init__(self, *, committed: bool) -> None:
        super().__init__("connection dropped " + ("after the commit" if committed else "before processing"))
        self.committed = committed


class GraphError(Exception):
    """A refusal in Graph's words: HTTP status, error code, message and extra headers."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: dict[str, str] | None = None,
        extra: Json | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}
        self.extra = extra or {}


@dataclass(slots=True)
class Call:
    """One request to Graph: segments are decoded and follow the mailbox; header names are lower case."""

    method: str
    segments: list[str]
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    caller: Mailbox
    owner: Mailbox
    base_url: str
    path: str = ""
    ids: list[str] = field(default_factory=list)
    one_uid: bool = False

    def root(self) -> str:
        """Return the address of the service root, as context and paging links need it."""
        return self.base_url + "/v1.0"


@dataclass(slots=True)
class Answer:
    """One answer of Graph: a body of None sends none."""

    status: int
    body: Json | None = None
    headers: dict[str, str] = field(default_factory=dict)


def parameter(body: Any, name: str, default: Any = None) -> Any:
    """Return an action's parameter: Graph's metadata spells it PascalCase, its pages camelCase."""
    if not isinstance(body, dict):
        return default
    upper = name[0].upper() + name[1:]
    value = body.get(name, body.get(upper))
    return default if value is None else value
