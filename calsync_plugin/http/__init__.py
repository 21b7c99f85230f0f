"""The one door to the network: a session with pools and time limits, and what its failures mean.

Decides which failure says "nothing was done" (Unavailable) and which says "it may have been done"
(UnknownOutcome). Does not read status codes: an answer of 500 is an answer. No message holds a token, a body
or a query string.
"""

from __future__ import annotations

import json
import os
import ssl
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse
from urllib3.exceptions import ClosedPoolError, EmptyPoolError, HTTPError, NewConnectionError

from calsync_plugin.addresses import is_loopback
from calsync_plugin.errors import ConfigurationError, RemoteError, Unavailable, UnknownOutcome

# MSAL accepts https authorities only; this name, reserved by RFC 2606, stands for a plain one on loopback.
SANDBOX_LOGIN = "https://login.sandbox.invalid"

Timeout = float | tuple[float, float]

MOST_BYTES = 64 * 1024 * 1024
"""The longest body that is read, unpacked: many times the largest page of a list."""
LONGEST_ANSWER = 120.0
"""Seconds that a body may take: the read limit alone lets a server send a byte now and then for ever."""
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; header names are found in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body's JSON value, None for an empty body; UnknownOutcome if it cannot be read."""
        if not self.body:
            return None
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise UnknownOutcome(
                f"an answer with status {self.status} was cut short or is not JSON", status=self.status
            ) from error


def json_bytes(value: object) -> bytes:
    """Return `value` as compact JSON; only ASCII, so that no lone surrogate can make it unsendable."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def checked_address(url: str, *, path: str) -> str:
    """Return `url` without its last slash; ConfigurationError unless it is https, or http on loopback.

    `path` names the setting. Tokens must not travel in the clear.
    """
    parts = urlsplit(url)
    if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url))):
        return url.rstrip("/")
    raise ConfigurationError(
        f"{url!r} is not accepted", path=path, expected="an https address (plain http on this machine only)"
    )


class Http:
    """One session for all calls of a process, safe to share between threads.

    Proxies and the CA bundle are read from the environment once; loopback never goes through a proxy.
    `.netrc` is not read (it would replace our Authorization), no cookie is kept, no redirect is followed.
    """

    def __init__(
        self,
        *,
        timeout: tuple[float, float] = (5.0, 60.0),
        pool: int = 32,
        most: int = MOST_BYTES,
        longest: float = LONGEST_ANSWER,
    ) -> None:
        """Set the (connect, read) limits in seconds and how many connections to one host are kept.

        `most` and `longest` are the limits of a body, in bytes and in seconds.
        """
        self._timeout = timeout
        self._most, self._longest = most, longest
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers["User-Agent"] = "calsync"
        bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
        self._verify: bool | str = bundle or True
        self._session.verify = self._verify
        self._proxies = urllib.request.getproxies()
        for prefix in ("https://", "http://"):
            self._session.mount(prefix, HTTPAdapter(pool_connections=pool, pool_maxsize=pool))

    def mount(self, prefix: str, adapter: BaseAdapter) -> None:
        """Let `adapter` carry every address that begins with `prefix`."""
        self._session.mount(prefix, adapter)

    def adapter_for(self, url: str) -> BaseAdapter:
        """Return what carries an address now."""
        return self._session.get_adapter(url)

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: Timeout | None = None,
    ) -> Answer:
        """Send one request and return its answer, whatever its status.

        Raises Unavailable if the request surely was not carried out, UnknownOutcome if it may have been,
        ConfigurationError for an address that cannot be one.
        """
        try:
            # The adapter itself: a session reads the whole body of a redirect before it does not follow it.
            request = self._session.prepare_request(
                requests.Request(method, url, headers=dict(headers or {}), data=body)
            )
            response = self._session.get_adapter(request.url or url).send(
                request,
                stream=True,
                timeout=timeout or self._timeout,
                verify=self._verify,
                proxies=self._proxies_for(url),
            )
            return Answer(response.status_code, response.headers, self._body(response, url))
        except (requests.RequestException, HTTPError) as error:
            raise _explained(error, url) from error

    def _body(self, response: requests.Response, url: str) -> bytes:
        """Read a body within its limits. Raises UnknownOutcome beyond them: what was asked may be done."""
        ends, length = monotonic() + self._longest, 0
        chunks: list[bytes] = []
        try:
            while chunk := _next_chunk(response):
                length += len(chunk)
                if length > self._most:
                    raise _cut_off(url, f"is longer than {self._most} bytes")
                if monotonic() > ends:
                    raise _cut_off(url, f"takes longer than {self._longest:.0f} s")
                chunks.append(chunk)
        finally:
            # A connection whose answer was not read to its end cannot carry another one.
            response.close()
        return b"".join(chunks)

    def _proxies_for(self, url: str) -> dict[str, str] | None:
        host = urlsplit(url).hostname or ""
        if not self._proxies or is_loopback(url) or urllib.request.proxy_bypass(host):
            return None
        return self._proxies


class LoopbackAuthority(BaseAdapter):
    """Carries calls for SANDBOX_LOGIN to a plain-http login service on this machine.

    MSAL refuses http authorities and http token endpoints; with this adapter mounted on SANDBOX_LOGIN it logs
    in against the sandbox unchanged. `inner` carries it there.
    """

    def __init__(self, target: str, inner: BaseAdapter) -> None:
        """Take the login service's address (`http://127.0.0.1:8702`); ConfigurationError if not loopback."""
        parts = urlsplit(target)
        if parts.scheme != "http" or not is_loopback(target):
            raise ConfigurationError(
                f"{target!r} is not on this machine", path="graph.authority", expected="an https address"
            )
        self._target = f"{parts.scheme}://{parts.netloc}"
        self._inner = inner
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send the request to the loopback address instead."""
        redirected = request.copy()
        redirected.url = self._target + (request.url or "").removeprefix(SANDBOX_LOGIN)
        return self._inner.send(redirected, *args, **kwargs)

    def close(self) -> None:
        """Nothing: `inner` is the session's."""


def _next_chunk(response: requests.Response) -> bytes:
    """Whatever has come by now; a read of a whole chunk would wait until it is full, however slow."""
    if isinstance(response.raw, HTTPResponse):
        return bytes(response.raw.read1(_CHUNK, decode_content=True))
    return bytes(response.raw.read(_CHUNK))


def _cut_off(url: str, how: str) -> UnknownOutcome:
    place = urlsplit(url).netloc or "the server"
    return UnknownOutcome(f"the answer of {place} {how}; it was not read to its end")


def _explained(error: requests.RequestException | HTTPError, url: str) -> RemoteError | ConfigurationError:
    """Say what a failure of the transport means for the request that it ended."""
    place = urlsplit(url).netloc or "the server"
    if isinstance(error, requests.ConnectTimeout):
        return Unavailable(f"{place} did not answer the call for a connection in time")
    if isinstance(error, requests.Timeout):
        return UnknownOutcome(f"{place} did not answer in time; the request may have been carried out")
    if isinstance(error, requests.exceptions.ProxyError):
        return Unavailable(f"the proxy on the way to {place} cannot be reached")
    if isinstance(error, requests.ConnectionError):
        reasons = list(_reasons(error))
        if any(isinstance(reason, ssl.SSLCertVerificationError) for reason in reasons):
            return Unavailable(
                f"the certificate of {place} is not trusted; check the address and the CA bundle"
            )
        if any(
            isinstance(reason, (NewConnectionError, EmptyPoolError, ClosedPoolError)) for reason in reasons
        ):
            return Unavailable(f"no connection to {place}; the request was not sent")
        return UnknownOutcome(f"the connection to {place} broke; the request may have been carried out")
    if isinstance(error, ValueError):
        # requests makes its errors for impossible addresses and headers ValueErrors.
        return ConfigurationError(f"no request can be sent to {place}: {type(error).__name__}")
    return UnknownOutcome(f"the answer of {place} broke off; the request may have been carried out")


def _reasons(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was made of, as deep as urllib3 packs it."""
    seen: list[BaseException] = []
    rest: list[object] = [error]
    while rest and len(seen) < 20:
        reason = rest.pop()
        if not isinstance(reason, BaseException) or any(reason is other for other in seen):
            continue
        seen.append(reason)
        yield reason
        rest += [reason.__cause__, reason.__context__, *reason.args]
        if isinstance(reason, HTTPError):
            rest.append(getattr(reason, "reason", None))
