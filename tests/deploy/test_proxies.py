"""The examples of a web server in front, run: who reaches what, and what calsync is told of visitors.

What stands behind the proxy here only writes down what it is asked; calsync itself stands there in
`test_bridge_behind_proxies`.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from calsync_plugin.web.app import MAX_BODY
from calsync_plugin.web.server import Server
from tests.deploy.proxies import CUT_OFF, INSIDE, KINDS, NAME, OUTSIDE, PATIENCE, Place, place, running, visit

PUBLIC = ("/webhooks/outlook", "/webhooks/outlook/lifecycle")
ELSEWHERE = [
    "/",
    "/admin",
    "/ADMIN",
    "//admin",
    "/./admin",
    "/api/v1/accounts",
    "/metrics",
    "/readyz",
    "/healthz",
    "/external-account",
    "/sign-in",
    "/oauth/callback",
    "/static/calsync.css",
    "/webhooks/crm/Meeting.create",
    "/webhooks/crm/../outlook/../crm/Meeting.create",
    "/webhooks/outlook/",
    "/webhooks/outlook/other",
    "/webhooks/outlook/../admin",
    "/webhooks/outlook/../../admin",
    "/webhooks/outlook/lifecycle/../../../admin",
    "/webhooks/outlook/%2e%2e/%2e%2e/admin",
    "/webhooks/outlook/..%2f..%2fadmin",
    "/webhooks/outlook%2f..%2f..%2fadmin",
    "/webhooks/outlook;/../../admin",
    "/webhooks/outlook%00/../../admin",
    "/admin?/webhooks/outlook",
    "/admin/../webhooks/outlook",
    "/admin/%2e%2e/webhooks/outlook",
    "/admin/accounts/../../webhooks/outlook",
    "http://calsync.example.com/admin",
    "/webhooks/outlook/..\\..\\admin",
]
"""What somebody outside may ask for in order to get somewhere else."""


class Recorder:
    """Stands where calsync would, and keeps what it is asked."""

    def __init__(self, at: Place) -> None:
        self.asked: list[dict[str, Any]] = []
        self.server = Server(
            self._answer,
            host=at.address,
            port=at.upstream,
            threads=2,
            name="recorder",
            largest_body=MAX_BODY,
            trusted_proxy="127.0.0.1",
        )
        self.server.start()

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.asked.append({**environ, "body": environ["wsgi.input"].read()})
        start_response("202 Accepted", [("Content-Length", "0")])
        return [b""]


@pytest.fixture(scope="module", params=KINDS)
def at(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Where each of the proxies runs, one after the other."""
    found = place(tmp_path_factory.mktemp("proxy"))
    with running(str(request.param), found):
        yield replace(found, kind=str(request.param))


@pytest.fixture
def behind(at: Place) -> Iterator[Recorder]:
    recorder = Recorder(at)
    yield recorder
    recorder.server.stop()


def test_from_outside_there_are_two_addresses(at: Place, behind: Recorder) -> None:
    for path in ELSEWHERE:
        answer = visit(at, path)
        reached = {one["PATH_INFO"] for one in behind.asked}
        assert reached <= set(PUBLIC), f"{path} led to {reached}"
        if answer.status < 400:
            assert behind.asked, f"{path} was answered with {answer.status} by the proxy"
    behind.asked.clear()
    statuses = [visit(at, path).status for path in PUBLIC]
    assert statuses == [202, 202]
    assert [one["PATH_INFO"] for one in behind.asked] == list(PUBLIC)


def test_from_inside_everything_is_reached(at: Place, behind: Recorder) -> None:
    paths = ["/", "/admin", "/admin/accounts/5f0000000000a1002", "/external-account", "/api/v1/accounts"]
    paths += ["/webhooks/crm/Meeting.create", "/metrics", "/readyz", *PUBLIC]
    statuses = [visit(at, path, visitor=INSIDE).status for path in paths]
    assert statuses == [202] * len(paths)
    assert [one["PATH_INFO"] for one in behind.asked] == paths


@pytest.mark.parametrize(("visitor", "path"), [(OUTSIDE, PUBLIC[0]), (INSIDE, "/sign-in")])
def test_calsync_is_told_who_visits_and_not_what_visitors_claim(
    at: Place, behind: Recorder, visitor: str, path: str
) -> None:
    claimed = {
        "X-Forwarded-For": "10.1.2.3",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "for=10.1.2.3;host=evil.example",
        "X-Real-IP": "10.1.2.3",
    }
    assert visit(at, path, visitor=visitor, headers=claimed).status == 202
    (asked,) = behind.asked
    told = (asked["REMOTE_ADDR"], asked["wsgi.url_scheme"], asked["HTTP_HOST"])
    assert told == (visitor, "https", NAME)
    assert not {"HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED"} & set(asked)


def test_a_delivery_arrives_as_it_was_sent(at: Place, behind: Recorder) -> None:
    """The signature is over the raw body, and Microsoft's handshake brings its token in the address."""
    body = b'[{"id": "1", "name": "\xc3\xa4 /"}]' * 1000
    token = "/webhooks/outlook?validationToken=Validation%3a+Testing%20%2F+%E2%82%AC"
    signed = {"Signature": "abc", "X-Signature": "def", "Content-Type": "application/json"}
    assert visit(at, "/webhooks/crm/M.update", visitor=INSIDE, headers=signed, body=body).status == 202
    assert visit(at, token).status == 202
    delivered, handshake = behind.asked
    assert delivered["body"] == body
    assert (delivered["HTTP_SIGNATURE"], delivered["HTTP_X_SIGNATURE"]) == ("abc", "def")
    assert handshake["QUERY_STRING"] == token.partition("?")[2]


def test_what_calsync_would_refuse_as_too_large_does_not_reach_it(at: Place, behind: Recorder) -> None:
    assert visit(at, PUBLIC[0], body=b"x" * (MAX_BODY - 100_000)).status == 202
    behind.asked.clear()
    assert visit(at, PUBLIC[0], body=b"x" * (MAX_BODY + 1)).status in {413, 503, CUT_OFF}
    assert behind.asked == []


def test_while_calsync_is_away_the_crm_is_asked_to_repeat(at: Place) -> None:
    """EspoCRM 9.2.7 drops an event for good after 502 or 504, and repeats it after 503."""
    away = [visit(at, "/webhooks/crm/Meeting.delete", visitor=INSIDE).status for _ in range(3)]
    away.append(visit(at, PUBLIC[0]).status)
    recorder = Recorder(at)
    back = visit(at, "/webhooks/crm/Meeting.delete", visitor=INSIDE).status
    recorder.server.stop()
    gone = visit(at, "/webhooks/crm/Meeting.delete", visitor=INSIDE).status
    assert (away, back, gone) == ([503] * 4, 202, 503)


def test_a_delivery_during_which_calsync_dies(at: Place) -> None:
    """It was taken and not answered. Apache cannot say anything but 502; its example tells what follows."""
    with socket.create_server((at.address, at.upstream)) as dying:
        dying.settimeout(PATIENCE)

        def die() -> None:
            connection, _ = dying.accept()
            connection.recv(1024)
            connection.close()

        thread = threading.Thread(target=die)
        thread.start()
        status = visit(at, "/webhooks/crm/Meeting.update", visitor=INSIDE).status
        thread.join()
    assert status == (502 if at.kind == "apache" else 503)


def test_a_kept_connection_does_not_outlive_calsync(at: Place) -> None:
    """After each restart the first delivery arrives: a proxy that used its old connection would say 502."""
    for _ in range(3):
        recorder = Recorder(at)
        assert visit(at, "/webhooks/crm/Meeting.update", visitor=INSIDE).status == 202
        recorder.server.stop()


def test_plain_http_leads_to_https(at: Place, behind: Recorder) -> None:
    answer = visit(at, "/external-account?a=1", method="GET", tls=False)
    assert answer.status in {301, 308}
    assert answer.headers["Location"].partition("?")[0].endswith("/external-account")
    assert answer.headers["Location"].startswith(f"https://{NAME}")
    assert behind.asked == []


ALSO_FROM_OUTSIDE: dict[str, dict[str, str]] = {
    "nginx": {
        "        if ($calsync_inside = 0) { return 403; }\n        limit_req        zone=calsync_pages": (
            "        limit_req        zone=calsync_pages"
        )
    },
    "apache": {
        '    # <LocationMatch "^/($|': '    <LocationMatch "^/($|',
        "    #     Require all granted": "    Require all granted",
        "    # </LocationMatch>": "    </LocationMatch>",
    },
    "caddy": {
        "\t# @pages path": "\t@pages path",
        "\t# handle @pages {\n\t# \timport calsync_upstream\n\t# }": (
            "\thandle @pages {\n\t\timport calsync_upstream\n\t}"
        ),
    },
}
"""What an example says about users who work anywhere, done."""
PAGES = [
    *("/", "/external-account", "/external-account/settings", "/sign-in", "/oauth/callback", "/oauth/done"),
    "/language",
    *("/static/calsync.css", "/bootstrap/static/css/bootstrap.min.css", *PUBLIC),
]
PRIVATE = ("/admin", "/api", "/metrics", "/readyz", "/healthz", "/webhooks/crm")


def private(path: str) -> bool:
    """Whether calsync would take it for one of these; it knows no way up in an address."""
    return path.startswith(PRIVATE) and ".." not in path.split("/")


@pytest.mark.parametrize("kind", ALSO_FROM_OUTSIDE)
def test_pages_for_users_anywhere_leave_the_rest_inside(tmp_path: Path, kind: str) -> None:
    at = place(tmp_path, beside=True)
    recorder = Recorder(at)
    try:
        with running(kind, at, ALSO_FROM_OUTSIDE[kind]):
            assert [visit(at, path, method="GET").status for path in PAGES] == [202] * len(PAGES)
            recorder.asked.clear()
            for path in [
                *PRIVATE,
                *ELSEWHERE,
                "/admin/accounts",
                "/external-account/../admin",
                "/sign-in/../api",
            ]:
                visit(at, path, method="GET")
                reached = [one["PATH_INFO"] for one in recorder.asked if private(one["PATH_INFO"])]
                assert reached == [], f"{path} led to {reached}"
    finally:
        recorder.server.stop()


def test_nginx_limits_who_asks_too_often_and_never_the_crm(tmp_path: Path) -> None:
    """Here one in a minute, so that no machine is too slow for it."""
    at = place(tmp_path, beside=True)
    recorder = Recorder(at)
    slow = {
        "rate=50r/s": "rate=1r/m",
        "rate=20r/s": "rate=1r/m",
        "burst=200": "burst=3",
        "burst=100": "burst=3",
    }
    with running("nginx", at, slow):
        notified = [visit(at, PUBLIC[0]).status for _ in range(6)]
        pages = [visit(at, "/sign-in", visitor=INSIDE).status for _ in range(6)]
        crm = [visit(at, "/webhooks/crm/Meeting.update", visitor=INSIDE).status for _ in range(6)]
    recorder.server.stop()
    assert notified == [202, 202, 202, 202, 503, 503]
    assert pages == [202, 202, 202, 202, 429, 429]
    assert crm == [202] * 6
