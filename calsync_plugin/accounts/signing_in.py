"""Signing in to the pages: who may try, how often, and how long an answer of the CRM is believed.

Decides the bounds: EspoCRM shuts a whole address out after more than 10 failed logins in a minute, our API
key with it (EspoCRM 9.2.7, measured), so the pages stop trying well before that. Strangers may use up their
part of that for everybody; a user has another part where that user has signed in before. Knows no cookie.
"""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Callable
from ipaddress import IPv4Address, ip_address, ip_network
from threading import Lock
from typing import Protocol

from calsync_plugin.crm.sign_in import WRONG, SignedIn
from calsync_plugin.errors import RemoteError, SecondFactorNeeded, SignInRefused

log = logging.getLogger(__name__)

FAILURES, PERIOD = 5, 90.0
"""Failed logins of all strangers together, and the seconds in which they count."""
KNOWN_FAILURES = 3
"""The same for all known browsers together: with those of strangers still below EspoCRM's bound."""
VISITOR_FAILURES, VISITOR_PERIOD = 5, 900.0
"""The same for one visitor, or for one user in browsers that are known."""
LONGEST = 200
"""Characters of a name or password; EspoCRM would get more in a header that its web server refuses."""
_CODE = re.compile(r"[A-Za-z0-9 -]{0,20}")
BELIEVED, BELIEVED_ADMIN = 600.0, 60.0
"""Seconds after which a session asks the CRM again who its user is now: of anybody, of an administrator."""
BELIEVED_UNASKED = 3600.0
"""The same while the CRM does not answer; afterwards nobody is let in until it does."""
ASKED_AGAIN = 60.0
"""Seconds between two tries while it does not answer: each keeps a visitor waiting."""
MOST_VISITORS = 10_000


class SignInService(Protocol):
    """The CRM that knows passwords."""

    def sign_in(self, user_name: str, password: str, code: str = "") -> SignedIn:
        """Try a password."""
        ...

    def look_again(self, user_name: str, token: str) -> SignedIn:
        """Who a token stands for now."""
        ...

    def sign_out(self, user_name: str, token: str) -> None:
        """Forget a token."""
        ...


Told = Callable[[SignedIn], None]
"""Takes what the CRM says of somebody who signed in or still is."""


class _Failures:
    """Counts failures of the last seconds."""

    def __init__(self, most: int, period: float) -> None:
        self._most, self._period = most, period
        self._times: deque[float] = deque()

    def too_many(self, now: float) -> bool:
        while self._times and self._times[0] <= now - self._period:
            self._times.popleft()
        return len(self._times) >= self._most

    def add(self, now: float) -> None:
        self._times.append(now)

    def take_back(self) -> None:
        if self._times:
            self._times.pop()


class SigningIn:
    """The sign-in of one bridge. Safe between threads."""

    def __init__(self, service: SignInService, now: Callable[[], float], told: Told) -> None:
        """Ask `service`; `now` tells epoch seconds, `told` gets what the CRM says of a user."""
        self._service = service
        self._now = now
        self._told = told
        self._lock = Lock()
        self._strangers = _Failures(FAILURES, PERIOD)
        self._known = _Failures(KNOWN_FAILURES, PERIOD)
        self._visitors: dict[str, _Failures] = {}

    def sign_in(
        self, visitor: str, user_name: str, password: str, code: str = "", *, known: str = ""
    ) -> SignedIn:
        """Try a login for the visitor at an address. Raises SignInRefused or a RemoteError.

        `known`: as whom somebody signed in before in this browser.
        """
        name, code = user_name.strip(), code.strip()
        if max(len(name), len(password)) > LONGEST or not _CODE.fullmatch(code):
            raise SignInRefused(WRONG)
        is_known = bool(name) and name.casefold() == known.casefold()
        # Counted before it is tried: of a hundred attempts at once only five may reach the CRM.
        counts = self._begin(f"user {known.casefold()}" if is_known else _place(visitor), is_known=is_known)
        try:
            found = self._service.sign_in(name, password, code)
        except SecondFactorNeeded:
            if not code:
                self._succeeded(counts)
            raise
        except SignInRefused:
            log.warning("a sign-in as %.60r from %s was refused", user_name, visitor)
            raise
        except RemoteError:
            self._succeeded(counts)
            raise
        self._succeeded(counts)
        self._told(found)
        return found

    def still_in(self, user_name: str, token: str) -> SignedIn | None:
        """Who a session's token stands for now, None if the session is over. Raises a RemoteError."""
        try:
            found = self._service.look_again(user_name, token)
        except SignInRefused:
            return None
        self._told(found)
        return found

    def sign_out(self, user_name: str, token: str) -> bool:
        """Let the CRM forget a token; whether it took that."""
        try:
            self._service.sign_out(user_name, token)
        except RemoteError as error:
            log.info("the token of a session that is over is ended later: %s", error)
            return False
        return True

    def _begin(self, visitor: str, *, is_known: bool) -> tuple[_Failures, _Failures]:
        everybody = self._known if is_known else self._strangers
        with self._lock:
            now = self._now()
            self._visitors = {v: f for v, f in self._visitors.items() if f.too_many(now) or f._times}
            if len(self._visitors) >= MOST_VISITORS and visitor not in self._visitors:
                raise SignInRefused("Too many sign-ins failed. Please wait some minutes.")
            own = self._visitors.setdefault(visitor, _Failures(VISITOR_FAILURES, VISITOR_PERIOD))
            if own.too_many(now):
                raise SignInRefused("Too many sign-ins from here failed. Please wait 15 minutes.")
            if everybody.too_many(now):
                raise SignInRefused("Too many sign-ins failed. Please wait a minute.")
            own.add(now)
            everybody.add(now)
            return own, everybody

    def _succeeded(self, counts: tuple[_Failures, _Failures]) -> None:
        with self._lock:
            for count in counts:
                count.take_back()


def _place(address: str) -> str:
    """Where a visitor is: who has one address of IPv6 has a whole network of them (RFC 6177)."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ip_network(f"{found}/64", strict=False))
