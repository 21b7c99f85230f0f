"""Where an address that somebody typed leads: scheme, host, port and path, or that it leads nowhere.

Decides which addresses can be called at all. Every address is a secret: no message holds more than its host.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from calsync_plugin.errors import FeedError
from calsync_plugin.wording import gettext as _

LONGEST = 2_000
PORTS = {"http": 80, "https": 443}
_READ_AS = {"webcal": "https", "webcals": "https"}
_NAME = re.compile(
    r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)")
_KEPT = "/%:@!$&'()*+,;=-._~"


@dataclass(frozen=True, slots=True)
class Place:
    """What is called: `target` is path and query as they are sent."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def site(self) -> str:
        """Host and port as the header Host has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole address. A secret."""
        return f"{self.scheme}://{self.site}{self.target}"


def place_of(text: str, *, any_port: bool = False) -> Place:
    """Where an address leads. Raises FeedError, which says only what is wrong with it."""
    parts = _split(text)
    scheme = _READ_AS.get(parts.scheme.lower(), parts.scheme.lower())
    if scheme not in PORTS:
        raise _refused(_("the address must begin with https://, http:// or webcal://"))
    if parts.username is not None or parts.password is not None:
        raise _refused(_("the address must not hold a user name or a password"))
    port = _port(parts, PORTS[scheme])
    if port not in PORTS.values() and not (any_port and port > 0):
        raise _refused(_("the address must not name a port other than 80 and 443"))
    target = quote(parts.path or "/", safe=_KEPT)
    query = f"?{quote(parts.query, safe=_KEPT + '?')}" if parts.query else ""
    return Place(scheme, _host(parts.hostname or ""), port, target + query)


def redirected(place: Place, location: str, *, any_port: bool = False) -> Place:
    """Where a server at `place` sends its callers. Raises FeedError, also for a way from https to http."""
    try:
        joined = urljoin(place.url, location)
    except ValueError:
        joined = ""
    new = place_of(joined, any_port=any_port)
    if place.scheme == "https" and new.scheme == "http":
        raise _refused(_("%(host)s leads from https to an address without it", host=place.host))
    return new


def _split(text: str) -> SplitResult:
    """The parts of an address; what parsers read differently is refused."""
    if len(text) > LONGEST:
        raise _refused(_("the address is too long"))
    found = None
    if not re.search(r"[\x00-\x20\x7f\\]", text):
        try:
            found = urlsplit(text)
        except ValueError:
            found = None
    if found is None:
        raise _refused(_("this is not an address"))
    return found


def _port(parts: SplitResult, usual: int) -> int:
    try:
        return usual if parts.port is None else parts.port
    except ValueError:
        return -1


def _host(host: str) -> str:
    """A name in its ASCII form, or an address in its usual spelling, and in no other."""
    if ":" in host:
        try:
            return str(ip_address(host))
        except ValueError:
            raise _refused(_("this is not an address")) from None
    try:
        name = host.removesuffix(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        name = ""
    if not _NAME.fullmatch(name):
        raise _refused(_("this is not an address"))
    if _NUMBER.fullmatch(name.rpartition(".")[2]) and not _is_usual(name):
        # 2130706433, 0x7f.1 and 0177.0.0.1 are all 127.0.0.1 to some resolvers.
        raise _refused(_("the address names its server by a number that calsync does not accept"))
    return name


def _is_usual(number: str) -> bool:
    try:
        return str(ip_address(number)) == number
    except ValueError:
        return False


def _refused(message: str) -> FeedError:
    return FeedError(message, reason="refused_address")
