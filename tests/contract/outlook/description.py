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
    """A WSGI application around another one that keeps what passed to and from Graph's paths.

    `judge_requests` is switched off by tests that send what Graph takes beyond its description: enumerations
    in another case, booleans as words, read-only properties.
    """

    def __init__(self) -> None:
        self._inner: Callable[..., Iterable[bytes]] | None = None
        self.exchanges: list[Exchange] = []
        self.judge_requests = True
        self.judge_answers = True

    def wrap(self, inner: Callable[..., Iterable[bytes]]) -> None:
        """Stand in front of an application."""
        self._inner = inner

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        assert self._inner is not None
        path = environ["PATH_INFO"]
        if not path.startswith("/v1.0/"):
            return self._inner(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        statuses: list[int] = []

        def started(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            statuses.append(int(status.split(maxsplit=1)[0]))
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
        paths = self._openapi.spec.read_value()["paths"]
        self._shapes = [(_shape(name), {method.upper() for method in item}) for name, item in paths.items()]
        self._words = {
            word.lower(): word for name in paths for word in name.split("/") if not word.startswith("{")
        }

    def problems(self, exchanges: list[Exchange], *, judge_requests: bool) -> list[str]:
        """Return what in these exchanges does not hold."""
        found = []
        for exchange in exchanges:
            for one in (exchange, *_members(exchange)):
                found += self._judge(one, judge_requests=judge_requests)
        return found

    def _normal(self, path: str) -> str:
        path = re.sub(r"/users/[^/]+", "/me", path.replace("()", "").rstrip("/"))
        return "/".join(self._words.get(word.lower(), word) for word in path.split("/"))

    def _judge(self, exchange: Exchange, *, judge_requests: bool) -> list[str]:
        method, path = exchange.method, self._normal(exchange.path)
        short = path.removeprefix("/v1.0")
        if not any(shape.fullmatch(short) and method in methods for shape, methods in self._shapes):
            # What Graph does not have still has to be refused in its envelope.
            if exchange.status < 400:
                return [f"{method} {exchange.path} is not described"]
            method, path = "GET", "/v1.0/me"
        request = MockRequest(
            HOST,
            method.lower(),
            path,
            args=dict(parse_qsl(exchange.query, keep_blank_values=True)),
            headers={**exchange.headers, "Authorization": "Bearer x"},
            data=exchange.body or None,
            content_type="application/json",
        )
        answer = MockResponse(exchange.answer, exchange.status, content_type="application/json")
        try:
            if exchange.status < 400 and judge_requests:
                self._openapi.validate_request(request)
            self._openapi.validate_response(request, answer)
        except OpenAPIError as error:
            details = "; ".join(f"{list(part.path)}: {part.message[:200]}" for part in _causes(error))
            return [
                f"{method} {exchange.path} {exchange.status}: {error} {details} {exchange.answer[:300]!r}"
            ]
        return []


def _causes(error: BaseException) -> list[Any]:
    cause = error.__cause__
    return list(getattr(cause, "schema_errors", ())) if cause is not None else []


def _shape(name: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{[^/]+?\\}", "[^/]+", re.escape(name)))


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
                request.get("headers") or {},
                json.dumps(request["body"]).encode() if "body" in request else b"",
                answer["status"],
                json.dumps(answer["body"]).encode() if "body" in answer else b"",
            )
        )
    return made
