"""The guarded door: a GET of an address that a user typed, who may mean harm.

Decides that only public addresses are called: a name is resolved once, each address that it has is looked at,
and the connection is made to one of these and no other, past any proxy; all again at each redirect. Decides
limits of size and time. The address is a secret: it stands in no message, no log line and no chain of
exceptions, which is why no client library is used here: they log what they ask for. Reads no calendar.
"""

from __future__ import annotations

import os
import queue
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import ip_address
from pathlib import Path
from time import monotonic
from typing import Protocol

from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from calsync_plugin.errors import FeedError
from calsync_plugin.http import Answer
from calsync_plugin.http.places import Place, place_of, redirected
from calsync_plugin.http.public import is_public, is_this_machine, leads_inside
from calsync_plugin.http.unpacking import too_large, unpacked
from calsync_plugin.wording import Wording
from calsync_plugin.wording import gettext as _

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_TRIED = 4
"""Of the addresses of one name."""
_CHUNK = 64 * 1024


class Resolve(Protocol):
    """Finds the addresses of a host."""

    def __call__(self, host: str, /) -> Sequence[str]:
        """All of them, best first. Raises OSError if there are none."""
        ...


def by_the_system(host: str, /) -> Sequence[str]:
    """What this machine's resolver says."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_rest, address in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What may be called, how much is read and how long it may take; times are in seconds."""

    allow_loopback: bool = False
    """For tests and the sandbox: this machine may be called besides, on any port."""
    resolve: Resolve = by_the_system
    most: int = 10 * 1024 * 1024
    """Bytes of a body, unpacked."""
    connect: float = 5.0
    read: float = 10.0
    """Until something comes; `longest` is for the whole, redirects included."""
    longest: float = 20.0
    redirects: int = 5


def get(address: str, *, headers: Mapping[str, str] | None = None, rules: Rules | None = None) -> Answer:
    """The answer at the end of all redirects; its body is read only if its status is 200.

    Raises FeedError, which names the host at most.
    """
    rules = rules or Rules()
    place = place_of(address, any_port=rules.allow_loopback)
    ends = monotonic() + rules.longest
    for _hop in range(rules.redirects + 1):
        answer = _asked(place, headers or {}, rules, ends)
        location = answer.headers.get("location")
        if answer.status not in _REDIRECTS or not location:
            return answer
        place = redirected(place, location, any_port=rules.allow_loopback)
    words = _("%(host)s leads from one address to the next without an end", host=place.host)
    raise FeedError(words, reason="redirects")


def checked(place: Place, rules: Rules, ends: float) -> list[str]:
    """The addresses of a host, of which each may be called. Raises FeedError."""
    inside = leads_inside(place.host) and not rules.allow_loopback
    found = [] if inside else _resolved(place.host, rules.resolve, ends)
    if found and all(is_public(one) or (rules.allow_loopback and is_this_machine(one)) for one in found):
        return found
    if inside or _is_number(place.host):
        words = _("%(host)s is not on the public internet and is not called", host=place.host)
        raise FeedError(words, reason="refused_address")
    # In the same words as of a name that nobody has: which names there are inside is nobody's business.
    raise FeedError(_nowhere(place.host), reason="refused_address")


def _resolved(host: str, resolve: Resolve, ends: float) -> list[str]:
    """Resolvers know no limit of time; one that is too late is left to its own."""
    if _is_number(host):
        return [str(ip_address(host))]
    answers: queue.SimpleQueue[list[str]] = queue.SimpleQueue()

    def look() -> None:
        found: list[str] = []
        with suppress(OSError, ValueError):
            found = list(resolve(host))
        answers.put(found)

    threading.Thread(target=look, name="calsync-resolve", daemon=True).start()
    try:
        found = answers.get(timeout=max(ends - monotonic(), 0.001))
    except queue.Empty:
        found = None
    if found is None:
        raise _too_slow(host)
    if not found:
        raise FeedError(_nowhere(host), reason="unreachable")
    return found


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _nowhere(host: str) -> Wording:
    return _("there is no server named %(host)s on the public internet; check the address", host=host)


def _asked(place: Place, headers: Mapping[str, str], rules: Rules, ends: float) -> Answer:
    addresses = checked(place, rules, ends)
    cut = threading.Event()
    try:
        with _connected(place, addresses, rules, ends) as plain, _secured(place, plain) as connection:
            connection.settimeout(rules.read)
            with _cut_at(connection, ends, cut):
                answer = _answer(place, connection, headers, rules)
        if not cut.is_set():
            return answer
        # What was cut off looks like an end to some readers.
        trouble = _too_slow(place.host)
    except FeedError as error:
        trouble = error if not cut.is_set() else _too_slow(place.host)
    except (OSError, HTTPException, ValueError) as error:
        trouble = _explained(error, place.host) if monotonic() < ends else _too_slow(place.host)
    # Not in the clause that caught it: the errors of the libraries quote what they were asked for.
    raise trouble


def _connected(place: Place, addresses: Sequence[str], rules: Rules, ends: float) -> socket.socket:
    """A connection to the first of these very addresses that takes one. Raises OSError."""
    trouble = OSError("no address")
    for address in addresses[:_MOST_TRIED]:
        plain = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        plain.settimeout(max(min(rules.connect, ends - monotonic()), 0.001))
        try:
            plain.connect((address, place.port))
        except OSError as error:
            plain.close()
            trouble = error
        else:
            return plain
    raise trouble


def _secured(place: Place, plain: socket.socket) -> socket.socket:
    """For https the connection within TLS; the certificate must be that of the name."""
    if place.scheme == "http":
        return plain
    # The time limit of the connection is that of the whole handshake.
    return _context(_bundle()).wrap_socket(plain, server_hostname=place.host)


@contextmanager
def _cut_at(connection: socket.socket, ends: float, cut: threading.Event) -> Iterator[None]:
    """Shut the connection down at a time, whatever drips through it then."""

    def shut() -> None:
        cut.set()
        with suppress(OSError):
            # Not the method of a TLS connection, which forgets its keys while another thread reads with them.
            socket.socket.shutdown(connection, socket.SHUT_RDWR)

    watch = threading.Timer(max(ends - monotonic(), 0), shut)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _answer(place: Place, connection: socket.socket, headers: Mapping[str, str], rules: Rules) -> Answer:
    client = HTTPConnection(place.host, place.port)
    client.sock = connection
    client.putrequest("GET", place.target, skip_host=True, skip_accept_encoding=True)
    sent = {"Host": place.site, "User-Agent": "calsync", "Accept-Encoding": "gzip", "Connection": "close"}
    for name, value in (sent | dict(headers)).items():
        client.putheader(name, value)
    client.endheaders()
    with client.getresponse() as response:
        body = _body(place, response, rules.most) if response.status == 200 else b""
        return Answer(response.status, CaseInsensitiveDict(response.getheaders()), body)


def _body(place: Place, response: HTTPResponse, most: int) -> bytes:
    said = response.getheader("Content-Length") or ""
    if said.isdecimal() and int(said[:20]) > most:
        raise too_large(place.host, most)
    chunks = iter(lambda: response.read1(_CHUNK), b"")
    body = unpacked(chunks, response.getheader("Content-Encoding") or "", most=most, host=place.host)
    if response.length:
        raise HTTPException("cut short")
    return body


def _bundle() -> str:
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or DEFAULT_CA_BUNDLE_PATH


@lru_cache(maxsize=2)
def _context(bundle: str) -> ssl.SSLContext:
    folder = Path(bundle).is_dir()
    return ssl.create_default_context(cafile=None if folder else bundle, capath=bundle if folder else None)


def _too_slow(host: str) -> FeedError:
    return FeedError(_("%(host)s takes too long to answer", host=host), reason="too_slow")


def _explained(trouble: Exception, host: str) -> FeedError:
    if isinstance(trouble, TimeoutError):
        return _too_slow(host)
    if isinstance(trouble, ssl.SSLCertVerificationError):
        words = _("the certificate of %(host)s is not trusted; check the address", host=host)
    elif isinstance(trouble, ConnectionRefusedError):
        words = _("%(host)s takes no connection", host=host)
    else:
        words = _("the connection to %(host)s failed or broke off", host=host)
    return FeedError(words, reason="unreachable")
