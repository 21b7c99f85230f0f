"""Graph's strict OpenAPI description as a judge of recorded exchanges, members of batches included."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

HOST = "https://graph.microsoft.com"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer; `path` begins with the version."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer: bytes


class Recorder:
    """A WSGI application around another one that keeps what passed to and from Graph's paths."""

    def __init__(self, inner: Callable[..., Iterable[bytes]]) -> None:
        self._inner = inner
        self.exchanges: list[Exchange] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if not path.startswith("/v1.0/"):
            return self._inner(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        statuses: list[int] = []

        def started(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            statuses.append(int(status.split()[0]))
            return start_response(status, headers, *rest)

        answer = list(self._inner(environ, started))
        headers = {
            key[5:].replace("_", "-"): value for key, value in environ.items() if key.startswith("HTTP_")
        }
        self.exchanges.append(
            Exchange(
                environ["REQUEST_METHOD"],
                path,
                environ["QUERY_STRING"],
                headers,
                body,
                statuses[0],
                b"".join(answer),
            )
        )
        return answer


class Description:
    """The judge. Requests are judged where they were taken, answers always."""

    def __init__(self, path: Path) -> None:
        self._openapi = OpenAPI.from_file_path(str(path))
        self._shapes = _shapes(path)

    def problems(self, exchanges: list[Exchange]) -> list[str]:
        """Return what in these exchanges does not hold."""
        found = []
        for exchange in exchanges:
            for one in (exchange, *_members(exchange)):
                found += self._judge(one)
        return found

    def _judge(self, exchange: Exchange) -> list[str]:
        path = _normal(exchange.path)
        if not any(shape.fullmatch(path.removeprefix("/v1.0")) for shape in self._shapes):
            # A path that Graph does not have still has to be refused in its envelope.
            assert exchange.status >= 400, f"{exchange.method} {exchange.path} is not described"
            path = "/v1.0/me"
        request = MockRequest(
            HOST,
            exchange.method.lower(),
            path,
            args=dict(parse_qsl(exchange.query, keep_blank_values=True)),
            headers={**exchange.headers, "Authorization": "Bearer x"},
            data=exchange.body or None,
            content_type="application/json",
        )
        answer = MockResponse(exchange.answer, exchange.status, content_type="application/json")
        problems = []
        try:
            if exchange.status < 400:
                self._openapi.validate_request(request)
            self._openapi.validate_response(request, answer)
        except OpenAPIError as error:
            details = "; ".join(f"{list(part.path)}: {part.message[:200]}" for part in _causes(error))
            problems.append(
                f"{exchange.method} {exchange.path} {exchange.status}: {error} {details} {exchange.answer[:300]!r}"
            )
        return problems


def _causes(error: BaseException) -> list[Any]:
    cause = error.__cause__
    return list(getattr(cause, "schema_errors", ())) if cause is not None else []


def _normal(path: str) -> str:
    path = re.sub(r"/users/[^/]+", "/me", path.replace("()", ""))
    return path


def _shapes(path: Path) -> list[re.Pattern[str]]:
    names = re.findall(r"^  (/[^:]*):$", path.read_text(), re.MULTILINE)
    return [re.compile(re.sub(r"\\{[^/]+?\\}", "[^/]+", re.escape(name))) for name in names]


def _members(exchange: Exchange) -> list[Exchange]:
    if exchange.path != "/v1.0/$batch" or exchange.status != 200:
        return []
    try:
        answers = {part["id"]: part for part in json.loads(exchange.answer)["responses"]}
    except ValueError:
        return []
    made = []
    for request in json.loads(exchange.body)["requests"]:
        answer = answers[request["id"]]
        path, _, query = request["url"].partition("?")
        made.append(
            Exchange(
                request["method"],
                "/v1.0" + path,
                query,
                request.get("headers", {}),
                json.dumps(request["body"]).encode() if "body" in request else b"",
                answer["status"],
                json.dumps(answer["body"]).encode() if "body" in answer else b"",
            )
        )
    return made
