"""Web pages of other sites, large bodies, and hostile headers, over real sockets."""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import pytest

from calsync_plugin.demo import Sandbox
from calsync_plugin.settings import LogSettings

NONE: Mapping[str, str] = MappingProxyType({})


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    made = Sandbox(tmp_path_factory.mktemp("sandbox"), 0, LogSettings(level="warning"))
    made.start()
    yield made
    made.stop()


def ask(
    port: int,
    method: str,
    path: str,
    headers: Mapping[str, str] = NONE,
    *,
    body: bytes | Iterator[bytes] | None = None,
) -> tuple[int, bytes]:
    """Status and body of one request; `Host` is the server's own unless it is given."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(
            method, path, body=body, headers=dict(headers), encode_chunked=not isinstance(body, bytes)
        )
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("side", ["crm", "outlook"])
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Host": "evil.example"}, id="a-name-that-leads-here"),
        pytest.param({"Host": "127.0.0.1.evil.example:80"}, id="a-name-that-looks-alike"),
        pytest.param({"Host": "[::1"}, id="no-address"),
        pytest.param({"Host": ""}, id="no-host"),
        pytest.param({"Origin": "http://evil.example"}, id="another-site"),
        pytest.param({"Origin": "null"}, id="a-sandboxed-frame"),
        pytest.param({"Origin": "http://evil.example#@127.0.0.1"}, id="a-site-that-looks-alike"),
    ],
)
def test_simulators_answer_no_page_of_another_site(
    sandbox: Sandbox, side: str, headers: dict[str, str]
) -> None:
    port = sandbox.ports.crm if side == "crm" else sandbox.ports.outlook
    assert ask(port, "GET", "/control/requests", headers)[0] == 403
    assert ask(port, "POST", "/control/reset", headers, body=b"{}")[0] == 403
    assert ask(port, "GET", "/", headers)[0] == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]:8701"])
def test_simulators_answer_their_own_pages(sandbox: Sandbox, host: str) -> None:
    port = sandbox.ports.crm
    headers = {"Host": host, "Origin": f"http://127.0.0.1:{port}"}
    assert ask(port, "GET", "/control/requests", headers)[0] == 200


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_large_body_is_refused_before_it_is_kept(sandbox: Sandbox, chunked: bool) -> None:
    port = sandbox.bridge.server.port
    size = 1024 * 1024 + 1
    body = iter([b"x" * 65536] * (size // 65536 + 1)) if chunked else b"x" * size
    try:
        status, _ = ask(port, "POST", "/webhooks/crm/Meeting.create", body=body)
    except (BrokenPipeError, ConnectionResetError):
        status = 413  # closed while the rest was on its way
    assert status == 413
    assert ask(port, "GET", "/healthz")[0] == 200


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param("", id="none"),
        pytest.param("Og==", id="no-id-no-mac"),
        pytest.param("OmFiYw==", id="no-id"),
        pytest.param("AGE6YWFh", id="nul-in-id"),
        pytest.param("J29yIDE9MSAtLTph", id="sql-in-id"),
        pytest.param("\xff\xfe", id="no-ascii"),
        pytest.param("A" * 60_000, id="60-kb"),
        pytest.param("=" * 50, id="padding-only"),
    ],
)
@pytest.mark.parametrize("header", ["Signature", "X-Signature"])
def test_a_forged_signature_is_401(sandbox: Sandbox, signature: str, header: str) -> None:
    status, body = ask(
        sandbox.bridge.server.port,
        "POST",
        "/webhooks/crm/Meeting.create",
        {header: signature},
        body=b'[{"id":"1"}]',
    )
    assert (status, b"Traceback" in body) == (401, False)


@pytest.mark.parametrize(
    "path",
    ["../../healthz", "Meeting.create%2F..", "%00", "Meeting.create%0d%0aX-Evil:1", "x" * 8000, "Ünïcode"],
)
def test_an_odd_event_in_the_address_tells_nothing(sandbox: Sandbox, path: str) -> None:
    quoted = path.encode("utf-8").decode("latin-1") if path.isascii() else "%C3%9C"
    status, _ = ask(sandbox.bridge.server.port, "POST", f"/webhooks/crm/{quoted}", body=b"[]")
    assert status in {401, 404}
