"""What each failure of the transport means, and which addresses are accepted."""

from __future__ import annotations

import gzip
import io
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import (
    EmptyPoolError,
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
    SSLError,
)

from calsync_plugin.addresses import is_loopback
from calsync_plugin.errors import CalsyncError, ConfigurationError, Unavailable, UnknownOutcome
from calsync_plugin.http import Answer, Http, LoopbackAuthority, checked_address, json_bytes


class Broken(BaseAdapter):
    """An adapter that fails in one way."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def send(self, *args: object, **kwargs: object) -> requests.Response:
        raise self.error

    def close(self) -> None:
        pass


def _certificate() -> requests.ConnectionError:
    cause = SSLError(ssl.SSLCertVerificationError("self-signed certificate"))
    return requests.exceptions.SSLError(MaxRetryError(None, "/secret", cause))  # type: ignore[arg-type]


def _refused(reason: Exception) -> requests.ConnectionError:
    return requests.ConnectionError(MaxRetryError(None, "/secret", reason))  # type: ignore[arg-type]


FAILURES = [
    pytest.param(requests.ConnectTimeout("secret"), Unavailable, id="connect-time-out"),
    pytest.param(requests.ReadTimeout("secret"), UnknownOutcome, id="read-time-out"),
    pytest.param(
        _refused(NewConnectionError(None, "refused")),  # type: ignore[arg-type]
        Unavailable,
        id="refused-or-no-such-name",
    ),
    pytest.param(_refused(EmptyPoolError(None, "full")), Unavailable, id="no-free-connection"),  # type: ignore[arg-type]
    pytest.param(_refused(ProtocolError("reset")), UnknownOutcome, id="reset"),
    pytest.param(requests.ConnectionError("reset"), UnknownOutcome, id="reset-unexplained"),
    pytest.param(requests.exceptions.ProxyError("secret"), Unavailable, id="proxy"),
    pytest.param(_certificate(), Unavailable, id="untrusted-certificate"),
    pytest.param(requests.exceptions.SSLError("bad record"), UnknownOutcome, id="tls-broke"),
    pytest.param(requests.exceptions.ChunkedEncodingError("cut"), UnknownOutcome, id="cut-short"),
    pytest.param(requests.exceptions.ContentDecodingError("gzip"), UnknownOutcome, id="undecodable"),
    pytest.param(requests.exceptions.InvalidURL("secret"), ConfigurationError, id="no-address"),
    pytest.param(requests.exceptions.InvalidHeader("secret"), ConfigurationError, id="no-header"),
    pytest.param(requests.exceptions.TooManyRedirects("x"), UnknownOutcome, id="any-other"),
]


@pytest.mark.parametrize(("failure", "meaning"), FAILURES)
def test_a_failure_says_whether_something_may_have_been_done(
    failure: Exception, meaning: type[CalsyncError]
) -> None:
    http = Http()
    http.mount("https://graph.example/", Broken(failure))
    with pytest.raises(CalsyncError) as caught:
        http.send("POST", "https://graph.example/secret?token=secret", body=b"secret")
    assert type(caught.value) is meaning
    assert "secret" not in str(caught.value)


class Server:
    """One raw answer per connection, from a real socket."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.seen: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.seen.append(connection.recv(65536))
                if self.raw == b"reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                else:
                    with suppress(ConnectionError):
                        connection.sendall(self.raw)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@contextmanager
def serving(raw: bytes) -> Iterator[Server]:
    server = Server(raw)
    try:
        yield server
    finally:
        server.close()


def test_an_answer_of_a_real_server() -> None:
    head = (
        b"HTTP/1.1 302 Found\r\nLocation: /else\r\nSet-Cookie: a=b\r\nX-Case: 1\r\nConnection: close\r\n\r\n"
    )
    with serving(head + b'{"a": [1]}') as server:
        http = Http()
        answer = http.send("GET", server.address + "/x", headers={"Authorization": "Bearer t"})
        http.send("GET", server.address + "/y")
        http.close()
        assert (answer.status, answer.headers["x-cASE"], answer.json()) == (302, "1", {"a": [1]})
        assert b"Authorization: Bearer t" in server.seen[0]
        assert b"Cookie" not in server.seen[1]
        assert len(server.seen) == 2


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"reset", id="reset"),
        pytest.param(b"", id="closed"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", id="cut-short"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", id="cut-chunk"),
        pytest.param(b"nonsense", id="nonsense"),
    ],
)
def test_a_real_server_that_breaks_off_leaves_the_outcome_unknown(raw: bytes) -> None:
    with serving(raw) as server:
        http = Http()
        with pytest.raises(UnknownOutcome):
            http.send("POST", server.address, body=b"{}")
        http.close()


class _Handler(BaseHTTPRequestHandler):
    """Answers as its path says, and keeps the connection."""

    protocol_version = "HTTP/1.1"
    bodies: ClassVar[dict[str, bytes]] = {
        "/plain": b"x" * 300_000,
        "/chunked": b"x" * 300_000,
        "/gzip": b"x" * 300_000,
        "/empty": b"",
        "/nothing": b"",
        "/redirect": b"y" * 1_000,
    }

    def setup(self) -> None:
        """One more connection."""
        super().setup()
        assert isinstance(self.server, _Keeping)
        self.server.connections += 1

    def do_GET(self) -> None:
        """Answer."""
        body = self.bodies[self.path]
        self.send_response({"/nothing": 204, "/redirect": 302}.get(self.path, 200))
        if self.path == "/redirect":
            self.send_header("Location", "http://elsewhere.invalid/")
        if self.path == "/gzip":
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:], b""))
        elif self.path != "/nothing":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class _Keeping(ThreadingHTTPServer):
    connections = 0


def test_a_connection_is_used_again_whatever_came_over_it() -> None:
    server = _Keeping(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    http = Http()
    try:
        for path, body in _Handler.bodies.items():
            answer = http.send("GET", f"http://127.0.0.1:{server.server_port}{path}")
            assert answer.body == body, path
        assert server.connections == 1
    finally:
        http.close()
        server.shutdown()
        server.server_close()
        thread.join(30)


ZEROS = gzip.compress(bytes(8_000_000))


@pytest.mark.parametrize(
    ("limits", "head", "body", "words"),
    [
        pytest.param({"most": 1_000_000}, b"", bytes(8_000_000), "longer than", id="long"),
        pytest.param(
            {"most": 1_000_000}, b"Content-Encoding: gzip\r\n", ZEROS, "longer than", id="long when unpacked"
        ),
        pytest.param({"longest": 0.0}, b"", b"x", "takes longer", id="slow"),
        pytest.param(
            {"most": 1_000_000}, b"Location: /else\r\n", bytes(8_000_000), "longer than", id="redirect"
        ),
    ],
)
def test_an_answer_without_end_costs_neither_memory_nor_a_thread(
    limits: dict[str, Any], head: bytes, body: bytes, words: str
) -> None:
    status = b"302 Found" if b"Location" in head else b"200 OK"
    with serving(b"HTTP/1.1 %s\r\n%sContent-Length: 999999999\r\n\r\n%s" % (status, head, body)) as server:
        http = Http(**limits)
        with pytest.raises(UnknownOutcome, match=words):
            http.send("GET", server.address)
        http.close()


def test_a_real_port_that_nobody_listens_on_did_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    http = Http()
    with pytest.raises(Unavailable):
        http.send("POST", f"http://127.0.0.1:{port}/", body=b"{}")
    with pytest.raises(Unavailable):
        http.send("POST", "http://nowhere.invalid/", body=b"{}")
    http.close()


def test_a_real_server_that_is_silent_leaves_the_outcome_unknown() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        http = Http()
        with pytest.raises(UnknownOutcome):
            http.send("POST", f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout=(30.0, 0.05))
        http.close()


def test_loopback_never_goes_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(b"HTTP/1.1 204 No Content\r\n\r\n") as server:
        monkeypatch.setenv("http_proxy", server.address)
        http = Http()
        http.send("GET", "http://outside.example/path")
        with pytest.raises(Unavailable):
            http.send("GET", "http://127.0.0.1:9/path")
        http.close()
        assert server.seen[0].startswith(b"GET http://outside.example/path")
        assert len(server.seen) == 1


@pytest.mark.parametrize("body", [b'{"a": 1', b"<html>", b"\xff", b"[" * 100_000])
def test_an_unreadable_answer_leaves_the_outcome_unknown(body: bytes) -> None:
    with pytest.raises(UnknownOutcome):
        Answer(200, {}, body).json()


def test_an_empty_answer_is_none() -> None:
    assert Answer(204, {}, b"").json() is None


def test_json_is_compact_and_always_sendable() -> None:
    assert json_bytes({"a": [1, "\ud800é"]}) == b'{"a":[1,"\\ud800\\u00e9"]}'


ADDRESSES = [
    pytest.param("https://graph.microsoft.com/v1.0/", True, id="https"),
    pytest.param("http://127.0.0.1:8702/v1.0", True, id="loopback"),
    pytest.param("http://[::1]:8702", True, id="loopback-6"),
    pytest.param("http://localhost:8702", True, id="localhost"),
    pytest.param("http://graph.microsoft.com", False, id="plain"),
    pytest.param("http://127.0.0.1.example.com", False, id="looks-like-loopback"),
    pytest.param("http://localhost.example.com", False, id="looks-like-localhost"),
    pytest.param("http://127.0.0.1@example.com", False, id="user-part"),
    pytest.param("http://10.0.0.1", False, id="private"),
    pytest.param("ftp://127.0.0.1", False, id="scheme"),
    pytest.param("https://", False, id="no-host"),
    pytest.param("", False, id="empty"),
]


@pytest.mark.parametrize(("address", "accepted"), ADDRESSES)
def test_tokens_travel_over_https_or_within_this_machine(address: str, accepted: bool) -> None:
    if accepted:
        assert checked_address(address, path="graph.url") == address.rstrip("/")
    else:
        with pytest.raises(ConfigurationError, match=r"graph\.url"):
            checked_address(address, path="graph.url")


def test_loopback_is_told_by_address() -> None:
    assert is_loopback("https://127.9.9.9/") is True
    assert is_loopback("https://example.com/127.0.0.1") is False


class Recorder(Broken):
    """An adapter that answers 200 and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(AssertionError())
        self.urls: list[str | None] = []

    def send(self, request: object = None, *args: object, **kwargs: object) -> requests.Response:
        assert isinstance(request, requests.PreparedRequest)
        self.urls.append(request.url)
        response = requests.Response()
        response.status_code, response.raw = 200, io.BytesIO(b"{}")
        response.headers = CaseInsensitiveDict()
        return response


def test_the_sandbox_login_is_carried_to_loopback() -> None:
    recorder, http = Recorder(), Http()
    http.mount("https://login.sandbox.invalid/", LoopbackAuthority("http://127.0.0.1:8702/common", recorder))
    http.send("GET", "https://login.sandbox.invalid/common/v2.0/x?y=1")
    assert recorder.urls == ["http://127.0.0.1:8702/common/v2.0/x?y=1"]


@pytest.mark.parametrize("target", ["http://example.com", "https://127.0.0.1", "ftp://127.0.0.1"])
def test_the_sandbox_login_stays_on_this_machine(target: str) -> None:
    with pytest.raises(ConfigurationError):
        LoopbackAuthority(target, Recorder())
