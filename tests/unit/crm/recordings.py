"""Recorded requests and answers of EspoCRM 9.2.7, and a transport that plays answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from calsync_plugin.crm.client import EspoClient
from calsync_plugin.crm.espocrm import EspoGateway
from calsync_plugin.http import Answer, Http
from calsync_plugin.settings import CrmSettings, EntitySettings

SAMPLES = Path(__file__).parents[2] / "samples" / "espocrm"
ADDRESS = "http://127.0.0.1:8080"
VISIT = EntitySettings(
    entity_type="CVisit",
    location="place",
    reminder="remindMinutes",
    sensitivity="sensitivity",
    show_as="showAs",
    online="isOnline",
    marker="cOutlookEventId",
    join_url="cOutlookJoinUrl",
)
"""An entity that has every attribute of its own that an entity can have."""


@dataclass(frozen=True)
class Recording:
    name: str
    method: str
    path: str
    query: str
    sent_headers: Mapping[str, str]
    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def raw_body(self) -> bytes:
        return b"" if self.body == "" else json.dumps(self.body).encode()

    @property
    def record_id(self) -> str:
        parts = self.path.split("/")
        return parts[1] if len(parts) == 2 and parts[0] != "App" else ""

    @property
    def entity_path(self) -> str:
        return self.path.split("/")[0] if self.record_id else self.path


@dataclass(frozen=True)
class Delivery:
    name: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def _files() -> Iterator[tuple[str, Any]]:
    for path in sorted(SAMPLES.glob("[0-9]*.json")):
        yield path.stem, json.loads(path.read_text("utf-8"))


def recordings() -> dict[str, Recording]:
    return {name: _recording(name, sample) for name, sample in _files() if "response" in sample}


def _recording(name: str, sample: Any) -> Recording:
    request, response = sample["request"], sample["response"]
    parts = urlsplit(request["path"])
    return Recording(
        name=name,
        method=request["method"],
        path=unquote(parts.path).removeprefix("/api/v1/"),
        query=parts.query,
        sent_headers=request["headers"],
        status=response["status"],
        headers=response["headers"],
        body=response["body"],
    )


def webhook_deliveries() -> list[Delivery]:
    return [
        Delivery(f"{name}:{number}", request["path"], request["headers"], request["body_raw"].encode())
        for name, sample in _files()
        for number, request in enumerate(sample.get("requests", []))
    ]


def webhook_secrets() -> dict[str, str]:
    created = (r.body for r in recordings().values() if r.path == "Webhook" and r.status == 201)
    return {body["id"]: body["secretKey"] for body in created}


@dataclass
class Sent:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    payload: Any

    @property
    def search(self) -> Any:
        return json.loads(self.query["searchParams"][0])


@dataclass
class Player(BaseAdapter):
    """Answers requests by `play` and remembers them."""

    play: Callable[[Sent], Answer]
    sent: list[Sent] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        url = request.url or ""
        self.addresses.append(url)
        parts = urlsplit(url)
        body = request.body.encode() if isinstance(request.body, str) else bytes(request.body or b"")
        self.bodies.append(body)
        sent = Sent(
            request.method or "",
            unquote(parts.path).removeprefix("/api/v1/"),
            parse_qs(parts.query),
            dict(request.headers),
            json.loads(body) if body else None,
        )
        self.sent.append(sent)
        answer = self.play(sent)
        response = Response()
        response.status_code = answer.status
        response.headers = CaseInsensitiveDict(answer.headers)
        response.raw = BytesIO(answer.body)
        response.request = request
        response.url = url
        return response

    def close(self) -> None:
        pass


def ok(value: object, **headers: str) -> Answer:
    return Answer(200, headers, json.dumps(value).encode())


def reason(status: int, text: str | None, body: object = None) -> Answer:
    headers = {} if text is None else {"X-Status-Reason": text}
    return Answer(status, headers, b"" if body is None else json.dumps(body).encode())


def rows(*found: object, more: bool = False) -> Answer:
    return ok({"total": -1 if more else -2, "list": list(found)})


def client_of(player: Player, **settings: Any) -> EspoClient:
    http = Http()
    http.mount(ADDRESS, player)
    return EspoClient(CrmSettings(url=ADDRESS, **{"api_key": "key", **settings}), http)


def gateway_of(player: Player, **settings: Any) -> EspoGateway:
    return EspoGateway(CrmSettings(url=ADDRESS, api_key="key", **settings), client_of(player, **settings))
