"""Whose word counts about where a visitor comes from: that of the proxy which the configuration names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from calsync_plugin.errors import ConfigurationError
from calsync_plugin.settings import load_settings
from calsync_plugin.web.server import Server

SAID = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7", "X-Forwarded-Proto": "https"}
"""The first address is what a visitor made up, the last one what the proxy saw."""


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "application/json")])
    told = [environ["REMOTE_ADDR"], environ["wsgi.url_scheme"], environ["HTTP_HOST"]]
    return [json.dumps(told).encode()]


def seen(trusted_proxy: str, said: dict[str, str]) -> tuple[int, bytes]:
    server = Server(echo, host="127.0.0.1", port=0, threads=1, name="echo", trusted_proxy=trusted_proxy)
    server.start()
    try:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", "/", headers={"Host": "sync.example.com", **said})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
        server.stop()


@pytest.mark.parametrize(
    ("trusted_proxy", "said", "told"),
    [
        pytest.param("", SAID, ["127.0.0.1", "http"], id="nobody-is-believed"),
        pytest.param("192.0.2.1", SAID, ["127.0.0.1", "http"], id="another-one-is-believed"),
        pytest.param("127.0.0.1", SAID, ["198.51.100.7", "https"], id="the-proxy-is-believed"),
        pytest.param("127.0.0.1", {}, ["127.0.0.1", "http"], id="the-proxy-says-nothing"),
        pytest.param(
            "127.0.0.1",
            {**SAID, "X-Forwarded-Host": "evil.example", "Forwarded": "for=203.0.113.9;host=evil.example"},
            ["198.51.100.7", "https"],
            id="its-name-for-us-is-not-believed",
        ),
    ],
)
def test_who_visits_is_what_the_trusted_proxy_says(
    trusted_proxy: str, said: dict[str, str], told: list[str]
) -> None:
    status, body = seen(trusted_proxy, said)
    assert status == 200
    assert json.loads(body) == [*told, "sync.example.com"]


@pytest.mark.parametrize("address", ["proxy.example.com", "10.0.0.0/8", "127.0.0.1:80"])
def test_a_proxy_that_is_no_address_is_refused(tmp_path: Path, address: str) -> None:
    file = tmp_path / "calsync.yaml"
    file.write_text(f"serve:\n  trusted_proxy: '{address}'\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"serve\.trusted_proxy"):
        load_settings(file, {})
