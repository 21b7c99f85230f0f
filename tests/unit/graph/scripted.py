"""Graph as a script: a transport that answers what a test says, and a clock that nobody waits for."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse

from calsync_plugin.domain.meeting import JsonValue
from calsync_plugin.graph.client import GraphClient, MailboxClient
from calsync_plugin.graph.pace import Pace
from calsync_plugin.http import Http

BASE = "https://graph.example/v1.0"


@dataclass(frozen=True)
class Said:
    """One scripted answer; a body that is text is sent as it stands."""

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sent:
    """One request as it went out."""

    method: str
    url: str
    headers: dict[str, str]
    body: JsonValue

    @property
    def members(self) -> list[dict[str, object]]:
        """Members of a batch."""
        assert isinstance(self.body, dict)
        members = self.body["requests"]
        assert isinstance(members, list)
        return members


Script = Said | Exception | Callable[[Sent], Said]


class ScriptedGraph(BaseAdapter):
    """Answers request number n with entry number n, the last one for ever."""

    def __init__(self, *script: Script) -> None:
        super().__init__()
        self.script = list(script)
        self.sent: list[Sent] = []
        self.timeouts: list[object] = []

    def send(self, request: object = None, *args: object, **kwargs: object) -> requests.Response:
        assert isinstance(request, requests.PreparedRequest)
        raw = request.body or b""
        body: JsonValue = json.loads(raw) if raw else None
        sent = Sent(request.method or "", request.url or "", dict(request.headers), body)
        self.sent.append(sent)
        self.timeouts.append(kwargs.get("timeout"))
        said = self.script[min(len(self.sent), len(self.script)) - 1]
        if isinstance(said, Exception):
            raise said
        if not isinstance(said, Said):
            said = said(sent)
        payload = b"" if said.body is None else json.dumps(said.body).encode()
        raw_answer = HTTPResponse(
            body=io.BytesIO(said.body.encode() if isinstance(said.body, str) else payload),
            headers=HTTPHeaderDict(said.headers),
            status=said.status,
            preload_content=False,
        )
        return HTTPAdapter().build_response(request, raw_answer)

    def close(self) -> None:
        pass


class SteppingClock:
    """A clock that moves when somebody sleeps."""

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self.time = now
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


class Tokens:
    """Tokens t1, t2, ... each refresh gives the next; an exception is raised instead."""

    def __init__(self, *refreshes: Exception | None) -> None:
        self.refreshes = list(refreshes)
        self.number = 1

    def token(self, *, force_refresh: bool = False) -> str:
        if force_refresh:
            failure = self.refreshes.pop(0) if self.refreshes else None
            if failure is not None:
                raise failure
            self.number += 1
        return f"t{self.number}"


def mailbox_of(
    graph: ScriptedGraph,
    *,
    clock: SteppingClock | None = None,
    tokens: Tokens | None = None,
    pace: Pace | None = None,
    patience: float = 5.0,
) -> MailboxClient:
    """A client whose Graph is the script."""
    http = Http()
    http.mount(BASE, graph)
    client = GraphClient(http, BASE, clock or SteppingClock(), random.Random(1), patience=patience)
    return client.mailbox(tokens or Tokens(), pace or Pace())


def members(*answers: Said) -> Callable[[Sent], Said]:
    """Answer a batch: member n with answer n, the last one for all others, in reverse order."""

    def answer(sent: Sent) -> Said:
        responses: list[dict[str, object]] = []
        for number, member in enumerate(sent.members):
            said = answers[min(number, len(answers) - 1)]
            responses.append(
                {"id": member["id"], "status": said.status, "headers": said.headers, "body": said.body}
            )
        return Said(200, {"responses": responses[::-1]})

    return answer
