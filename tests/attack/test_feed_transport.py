"""Servers of feeds that mean harm: inner addresses, changed names, redirects, floods, bombs, drips.

Each ends in a clear error, within bounds of time and memory, and no error repeats the address.
"""

from __future__ import annotations

import gzip
import logging
import socket
import threading
import tracemalloc
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from calsync_plugin.errors import FeedError
from calsync_plugin.feeds.fetching import Fetched, Unchanged, fetched
from calsync_plugin.http.pinned import Rules
from tests.attack.feed_servers import Talk, answer, certificate, drips, feed_server, floods, says

SECRET = "s3cret-token"
PATH = f"/private-{SECRET}/basic.ics"
MB = 1024 * 1024
HERE = Rules(allow_loopback=True)
HASTY = Rules(allow_loopback=True, connect=0.3, read=0.3, longest=0.3)
CHUNKED = answer(b"", "Transfer-Encoding: chunked")
CALENDAR = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


class Names:
    """A resolver that gives its answers one after the other, and counts how often it is asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers, self.asked = list(answers), 0

    def __call__(self, host: str, /) -> Sequence[str]:
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


def refused(address: str, rules: Rules) -> FeedError:
    """The error of a fetch, which repeats nothing of the address."""
    with pytest.raises(FeedError) as caught:
        fetched(address, rules=rules)
    chain: list[BaseException] = []
    error: BaseException | None = caught.value
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    assert not any(SECRET in f"{one!r}{one}" for one in chain)
    return caught.value


@contextmanager
def bounded(seconds: float, most: int) -> Iterator[None]:
    """Loose bounds of time and of what Python holds at most."""
    started = monotonic()
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert monotonic() - started < seconds
    assert peak < most


INNER = [
    pytest.param(["127.0.0.1"], id="loopback"),
    pytest.param(["10.1.2.3"], id="private"),
    pytest.param(["192.168.178.1"], id="router"),
    pytest.param(["169.254.169.254"], id="metadata"),
    pytest.param(["fd00:ec2::254"], id="metadata-of-ipv6"),
    pytest.param(["100.100.100.200"], id="metadata-behind-cgnat"),
    pytest.param(["0.0.0.0"], id="nothing"),
    pytest.param(["::"], id="nothing-of-ipv6"),
    pytest.param(["::1"], id="loopback-of-ipv6"),
    pytest.param(["::ffff:127.0.0.1"], id="mapped"),
    pytest.param(["::ffff:a9fe:a9fe"], id="mapped-metadata"),
    pytest.param(["64:ff9b::a9fe:a9fe"], id="nat64"),
    pytest.param(["2002:a9fe:a9fe::1"], id="6to4"),
    pytest.param(["2001:0:4136:e378:8000:63bf:5601:5601"], id="teredo"),
    pytest.param(["fe80::1%lo"], id="link-local"),
    pytest.param(["224.0.0.251"], id="multicast"),
    pytest.param(["93.184.216.34", "127.0.0.1"], id="a-public-one-first"),
    pytest.param(["127.0.0.1", "93.184.216.34"], id="a-public-one-last"),
]


@pytest.mark.parametrize("addresses", INNER)
def test_a_name_that_leads_inside_is_not_called(addresses: list[str]) -> None:
    error = refused(f"https://feed.example{PATH}", Rules(resolve=Names(addresses)))
    assert error.reason == "refused_address"
    assert "feed.example" in str(error)
    # Which names there are inside cannot be told by it.
    assert str(error) == str(refused(f"https://feed.example{PATH}", Rules(resolve=Names([]))))


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "127.0.0.1", "[::1]", "[::ffff:7f00:1]"])
def test_this_machine_is_not_called(host: str) -> None:
    names = Names(["93.184.216.34"])
    assert refused(f"http://{host}{PATH}", Rules(resolve=names)).reason == "refused_address"
    assert names.asked == 0


@pytest.mark.parametrize("inner", ["10.0.0.1", "169.254.169.254", "8.8.8.8"])
def test_a_name_is_resolved_once_and_that_very_address_is_called(inner: str) -> None:
    """Rebinding: whoever asks a second time gets another answer; so nobody does."""
    names = Names(["127.0.0.1"], [inner])
    with feed_server(says(answer(CALENDAR))) as server:
        found = fetched(server.address(PATH, "feed.example"), rules=Rules(allow_loopback=True, resolve=names))
    assert isinstance(found, Fetched)
    assert names.asked == 1
    assert f"Host: feed.example:{server.port}\r\n" in server.asked[0]


def test_the_system_is_asked_for_no_name_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _not_again)
    with feed_server(says(answer(CALENDAR))) as server:
        rules = Rules(allow_loopback=True, resolve=Names(["127.0.0.1"]))
        assert isinstance(fetched(server.address(PATH, "feed.example"), rules=rules), Fetched)


def _not_again(*_what: Any, **_how: Any) -> Any:
    raise AssertionError("resolved again")


def test_no_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with feed_server(says(answer(CALENDAR))) as server:
        assert isinstance(fetched(server.address(PATH), rules=HERE), Fetched)


REDIRECTS = [
    pytest.param("http://169.254.169.254/latest/meta-data/", "refused_address", id="metadata"),
    pytest.param("http://10.0.0.1/", "refused_address", id="private"),
    pytest.param("http://inner.example/", "refused_address", id="name-that-leads-inside"),
    pytest.param("http://me:x@feed.example/", "refused_address", id="password"),
    pytest.param("file:///etc/passwd", "refused_address", id="file"),
    pytest.param("gopher://feed.example/", "refused_address", id="gopher"),
    pytest.param("/again", "redirects", id="endless"),
    pytest.param("http://[::1", "refused_address", id="half-a-bracket"),
    pytest.param("http://x\x01y/", "refused_address", id="control-sign"),
]


@pytest.mark.parametrize(("location", "reason"), REDIRECTS)
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_looked_at_like_an_address(status: str, location: str, reason: str) -> None:
    def resolve(host: str, /) -> Sequence[str]:
        return ["10.9.9.9"] if host == "inner.example" else ["127.0.0.1"]

    with feed_server(says(answer(b"", f"Location: {location}", status=status))) as server:
        error = refused(server.address(PATH, "feed.example"), Rules(allow_loopback=True, resolve=resolve))
        assert error.reason == reason
        assert len(server.asked) == (6 if reason == "redirects" else 1)


def test_five_redirects_are_followed() -> None:
    left = [5]

    def talk(connection: socket.socket) -> None:
        left[0] -= 1
        connection.sendall(
            answer(b"x" * 99, "Location: /next", status="302 Found") if left[0] >= 0 else answer(CALENDAR)
        )

    with feed_server(talk) as server:
        assert fetched(server.address(PATH), rules=HERE) == Fetched(body=CALENDAR)
        assert len(server.asked) == 6


def bomb(size: int) -> bytes:
    """So many zeros, zipped."""
    zipper = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*(zipper.compress(bytes(MB)) for _part in range(size // MB)), zipper.flush()])


BOMB = bomb(300 * MB)
DEFLATED = zlib.compress(bytes(100 * MB))
HEADED = answer(b"", "Transfer-Encoding: identity", "Content-Encoding: gzip")
ZIPPED = answer(b"", "Content-Length: 9999", "Content-Encoding: gzip") + BOMB[:30]
TOO_LARGE: list[Any] = [
    pytest.param(floods(answer(b"", "Content-Length: 104857600"), bytes(MB), 100), id="100-mb"),
    pytest.param(floods(answer(b"", f"Content-Length: {10**30}"), bytes(MB), 100), id="says-a-number"),
    pytest.param(floods(CHUNKED, b"100000\r\n" + bytes(MB) + b"\r\n", 100), id="chunks"),
    pytest.param(floods(b"HTTP/1.0 200 OK\r\n\r\n", bytes(MB), 100), id="no-length"),
    pytest.param(says(answer(BOMB, "Content-Encoding: gzip")), id="gzip-bomb"),
    pytest.param(says(answer(BOMB * 3, "Content-Encoding: gzip")), id="three-gzip-bombs"),
    pytest.param(floods(HEADED + BOMB[:10], b"\0\0\0\xff\xff" * 200_000, 20), id="zipped-nothing"),
    pytest.param(says(answer(DEFLATED, "Content-Encoding: deflate")), id="deflate-bomb"),
]  # fmt: skip


@pytest.mark.parametrize("talk", TOO_LARGE)
def test_a_body_is_read_to_the_limit_only(talk: Talk) -> None:
    with feed_server(talk) as server, bounded(10, 40 * MB):
        assert refused(server.address(PATH), HERE).reason == "too_large"


def test_ten_megabytes_are_read() -> None:
    body = CALENDAR + b" " * (10 * MB - len(CALENDAR))
    with feed_server(says(answer(gzip.compress(body), "Content-Encoding: gzip"))) as server:
        assert fetched(server.address(PATH), rules=HERE) == Fetched(body=body)
    with feed_server(says(answer(body + b" "))) as server:
        assert refused(server.address(PATH), HERE).reason == "too_large"


SLOW: list[Any] = [
    pytest.param(drips(b"", b""), id="says-nothing"),
    pytest.param(drips(b"HTTP", b"/"), id="status-line-drips"),
    pytest.param(drips(b"HTTP/1.1 200 OK\r\nX: ", b"x"), id="header-drips"),
    pytest.param(drips(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", 0.05), id="headers-drip"),
    pytest.param(drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="goes-on-and-on"),
    pytest.param(drips(answer(b"", "Content-Length: 1000000"), b"x"), id="body-drips"),
    pytest.param(drips(b"HTTP/1.0 200 OK\r\n\r\n", b"x"), id="body-without-length-drips"),
    pytest.param(drips(CHUNKED, b"1\r\nx\r\n"), id="chunks-drip"),
    pytest.param(drips(CHUNKED + b"1;", b"x"), id="extension-of-a-chunk-drips"),
    pytest.param(drips(ZIPPED, b"\0"), id="zipped-drips"),
    pytest.param(drips(answer(b"", "Content-Length: 1000000"), b""), id="stops"),
]  # fmt: skip


@pytest.mark.parametrize("talk", SLOW)
def test_a_server_that_drips_is_cut_off(talk: Talk) -> None:
    with feed_server(talk) as server, bounded(5, 20 * MB):
        error = refused(server.address(PATH), HASTY)
    assert error.reason == "too_slow"


def test_redirects_share_the_time() -> None:
    """None of them takes too long; five do."""

    def talk(connection: socket.socket) -> None:
        threading.Event().wait(0.1)
        connection.sendall(answer(b"", "Location: /next", status="302 Found"))

    with feed_server(talk) as server, bounded(5, 20 * MB):
        assert refused(server.address(PATH), HASTY).reason == "too_slow"


def test_a_resolver_that_never_answers_is_not_waited_for() -> None:
    never = threading.Event()

    def resolve(_host: str, /) -> Sequence[str]:
        never.wait(30)
        return []

    with bounded(5, 20 * MB):
        assert (
            refused(f"https://feed.example{PATH}", Rules(resolve=resolve, longest=0.3)).reason == "too_slow"
        )
    never.set()


def test_a_server_that_takes_no_connection_is_named() -> None:
    with feed_server(says(b"")) as server:
        address = server.address(PATH, "feed.example")
    error = refused(address, Rules(allow_loopback=True, resolve=Names(["127.0.0.1"])))
    assert (error.reason, str(error)) == ("unreachable", "feed.example takes no connection")


def test_the_next_address_is_tried_when_one_takes_no_connection() -> None:
    with feed_server(says(answer(CALENDAR))) as server:
        rules = Rules(allow_loopback=True, resolve=Names(["127.0.0.9", "127.0.0.1"]))
        assert fetched(server.address(PATH, "feed.example"), rules=rules) == Fetched(body=CALENDAR)


ODD: list[Any] = [
    pytest.param(says(b""), id="nothing"),
    pytest.param(says(b"SSH-2.0-OpenSSH\r\n"), id="another-protocol"),
    pytest.param(says(b"HTTP/1.1 " + b"x" * 100_000), id="endless-status-line"),
    pytest.param(says(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"), id="endless-header"),
    pytest.param(says(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000 + b"\r\n"), id="endless-headers"),
    pytest.param(says(answer(CALENDAR, "Content-Length: 500")), id="cut-short"),
    pytest.param(says(CHUNKED + b"xyz\r\n"), id="no-chunk"),
    pytest.param(says(CHUNKED + b"5\r\nab"), id="chunk-cut-short"),
    pytest.param(says(answer(b"no zip", "Content-Encoding: gzip")), id="no-zip"),
    pytest.param(says(answer(gzip.compress(CALENDAR)[:-9], "Content-Encoding: gzip")), id="zip-cut-short"),
    pytest.param(says(answer(b"x", "Content-Encoding: br")), id="packed-as-nobody-asked"),
    pytest.param(says(answer(b"x", "Content-Encoding: gzip, gzip")), id="packed-twice"),
    pytest.param(says(answer(b"", status="304 Not Modified")), id="unchanged-though-nobody-asked"),
    pytest.param(says(answer(b"", status="302 Found")), id="redirect-to-nowhere"),
    pytest.param(says(answer(b"", status="500 Oops")), id="500"),
    pytest.param(says(answer(b"", status="429 Too many")), id="429"),
    pytest.param(says(answer(CALENDAR, status="206 Partial")), id="a-part"),
]


@pytest.mark.parametrize("talk", ODD)
def test_an_answer_that_is_none_is_said_to_be_one(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with feed_server(talk) as server, bounded(10, 20 * MB):
        assert refused(server.address(PATH), HERE).reason == "unreachable"
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("status", "reason"),
    [("401", "needs_login"), ("403", "needs_login"), ("404", "not_found"), ("410", "not_found")],
)
def test_a_status_has_its_meaning(status: str, reason: str) -> None:
    talk = floods(answer(b"", "Content-Length: 104857600", status=f"{status} x"), bytes(MB), 100)
    with feed_server(talk) as server, bounded(10, 10 * MB):
        error = refused(server.address(PATH), HERE)
    assert error.reason == reason


def test_what_is_unchanged_is_not_sent_again() -> None:
    def talk(connection: socket.socket) -> None:
        known = "If-None-Match" in server.asked[-1] or "If-Modified-Since" in server.asked[-1]
        marks = ('ETag: "v1"', "Last-Modified: Fri, 20 Nov 2026 10:00:00 GMT")
        connection.sendall(answer(b"", status="304 Not Modified") if known else answer(CALENDAR, *marks))

    with feed_server(talk) as server:
        first = fetched(server.address(PATH), rules=HERE)
        assert isinstance(first, Fetched)
        again = fetched(server.address(PATH), etag=first.etag, last_modified=first.last_modified, rules=HERE)
    assert isinstance(again, Unchanged)
    assert 'If-None-Match: "v1"\r\n' in server.asked[1]
    assert "If-Modified-Since: Fri, 20 Nov 2026 10:00:00 GMT\r\n" in server.asked[1]
    assert "If-" not in server.asked[0]


@pytest.mark.parametrize("mark", ["x" * 5000, "\xe9t\xe9", "a\tb"], ids=["long", "not-ascii", "tab"])
def test_a_mark_that_cannot_be_sent_back_is_not_kept(mark: str) -> None:
    body = answer(CALENDAR).replace(b"\r\n", b"\r\nETag: " + mark.encode("latin-1") + b"\r\n", 1)
    with feed_server(says(body)) as server:
        found = fetched(server.address(PATH), rules=HERE)
    assert isinstance(found, Fetched)
    assert found.etag == ""


def test_marks_with_line_ends_are_refused() -> None:
    with feed_server(says(answer(CALENDAR))) as server, pytest.raises(FeedError):
        fetched(server.address(PATH), etag="x\r\nCookie: y", rules=HERE)
    assert not any("Cookie" in head for head in server.asked)


@pytest.mark.parametrize(
    ("host", "trusted", "words"),
    [
        pytest.param("feed.example", True, "", id="the-name-of-the-certificate"),
        pytest.param("feed.example", False, "is not trusted", id="nobody-trusts-it"),
        pytest.param("other.example", True, "is not trusted", id="another-name"),
        pytest.param("127.0.0.1", True, "is not trusted", id="only-the-address"),
    ],
)
def test_a_certificate_is_that_of_the_name(
    host: str, trusted: bool, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = certificate("feed.example", tmp_path / "own.pem")
    if trusted:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "own.pem"))
    rules = Rules(allow_loopback=True, resolve=Names(["127.0.0.1"]))
    with feed_server(says(answer(CALENDAR)), tls=tls) as server:
        address = server.address(PATH, host, "https")
        if not words:
            assert fetched(address, rules=rules) == Fetched(body=CALENDAR)
            return
        error = refused(address, rules)
    assert (error.reason, words in str(error)) == ("unreachable", True)
    assert server.asked == []


def test_a_way_out_of_tls_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = certificate("feed.example", tmp_path / "own.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "own.pem"))
    rules = Rules(allow_loopback=True, resolve=Names(["127.0.0.1"]))
    with feed_server(says(answer(CALENDAR))) as plain:
        talk = says(answer(b"", f"Location: {plain.address(PATH)}", status="302 Found"))
        with feed_server(talk, tls=tls) as server:
            error = refused(server.address(PATH, "feed.example", "https"), rules)
    assert error.reason == "refused_address"
    assert plain.asked == []


def test_a_body_that_drips_through_tls_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = certificate("feed.example", tmp_path / "own.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "own.pem"))
    rules = Rules(allow_loopback=True, resolve=Names(["127.0.0.1"]), longest=1.0)
    with feed_server(drips(b"HTTP/1.0 200 OK\r\n\r\n", b"x"), tls=tls) as server, bounded(8, 20 * MB):
        error = refused(server.address(PATH, "feed.example", "https"), rules)
    assert error.reason == "too_slow"


def test_a_handshake_that_never_ends_is_cut_off() -> None:
    """The server waits for a request, which comes only after the handshake."""
    with feed_server(says(b"")) as server, bounded(5, 20 * MB):
        assert refused(server.address(PATH, scheme="https"), HASTY).reason == "too_slow"
