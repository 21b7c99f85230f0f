"""Who calls: API key, HMAC, password or token; and the lock-out after too many failed logins.

EspoCRM 9.2.7, measured. Not from a recording: which failures count towards the lock-out (here: passwords,
tokens and second factors, not keys).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from calsync_plugin.sandbox.crm.access import Access, Caller
from calsync_plugin.sandbox.crm.clock import Clock, stored
from calsync_plugin.sandbox.crm.errors import AuthError
from calsync_plugin.sandbox.crm.settings import Settings
from calsync_plugin.sandbox.crm.store import Store
from calsync_plugin.sandbox.crm.tables import Record

FAILURES = 10
FAILURE_PERIOD = timedelta(seconds=60)
# Portal users log in at their portal alone (EspoCRM's published source).
_MAY_LOG_IN = ("regular", "admin", "super-admin")


@dataclass(frozen=True, slots=True)
class Login:
    """A caller and, after a password, the token made for it with the secret that its cookie must carry."""

    caller: Caller
    token: str | None = None
    cookie_secret: str | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What of a request tells who calls."""

    headers: Mapping[str, str]  # names as in the comparisons below: title-cased
    method: str
    path: str  # after /api/v1, without the query string
    address: str
    cookie_secret: str | None = None


class Auth:
    """Authenticates requests and keeps the tokens."""

    def __init__(self, store: Store, access: Access, clock: Clock, settings: Settings) -> None:
        self._store = store
        self._access = access
        self._clock = clock
        self._settings = settings
        # token -> (user id, secret that the cookie must carry or None)
        self.tokens: dict[str, tuple[str, str | None]] = {}
        self._failures: dict[str, deque[datetime]] = {}

    def login(self, credentials: Credentials) -> Login:
        """The caller of a request. Raises `AuthError` 400, 401 or 403."""
        headers = credentials.headers
        if len(self._recent_failures(credentials.address)) > FAILURES and not headers.get(
            "Espo-Authorization-By-Token"
        ):
            raise AuthError(403)
        if "X-Api-Key" in headers:
            login = self._by_key(headers["X-Api-Key"], method="ApiKey")
        elif "X-Hmac-Authorization" in headers:
            login = self._by_hmac(credentials)
        else:
            login = self._by_user(credentials)
        if "X-Another-User" in headers:
            return self._another(login, headers["X-Another-User"])
        return login

    def destroy(self, token: str) -> None:
        """Forget a token."""
        self.tokens.pop(token, None)

    def clear_failures(self) -> None:
        """Lift every lock-out."""
        self._failures.clear()

    def _by_key(self, key: str, *, method: str) -> Login:
        for user in self._users("apiKey", key):
            if user["type"] == "api" and (user.get("authMethod") or "ApiKey") == method:
                return Login(self._access.caller(user["id"]))
        raise AuthError(401)

    def _by_hmac(self, credentials: Credentials) -> Login:
        try:
            key, _, digest = base64.b64decode(
                credentials.headers["X-Hmac-Authorization"], validate=True
            ).partition(b":")
        except binascii.Error:
            raise AuthError(400, "Auth: Bad authorization string provided.") from None
        login = self._by_key(key.decode("utf-8", "replace"), method="Hmac")
        secret = self._store.tables["User"].rows[login.caller.id]["secretKey"]
        text = f"{credentials.method} {credentials.path}".encode()
        expected = hmac.new(secret.encode(), text, hashlib.sha256)
        # Until version 11 the binary digest is accepted too.
        good = (expected.hexdigest().encode(), expected.digest())
        if not any(hmac.compare_digest(digest, candidate) for candidate in good):
            raise AuthError(401)
        return login

    def _by_user(self, credentials: Credentials) -> Login:
        headers = credentials.headers
        given = headers.get("Espo-Authorization")
        basic = headers.get("Authorization", "")
        if given is None and not basic.startswith("Basic "):
            raise AuthError(401, challenge=headers.get("X-Requested-With") != "XMLHttpRequest")
        name, secret = _pair(given if given is not None else basic.removeprefix("Basic "))
        user = next(iter(self._users("userName", name)), None)
        known = self.tokens.get(secret)
        if known is not None and known[1] in (None, credentials.cookie_secret):
            # A token that is known never counts as a failure, whosever it is (EspoCRM's published source).
            if user is None or known[0] != user["id"] or user["type"] not in _MAY_LOG_IN:
                raise AuthError(401)
            self._seen(user)
            return Login(self._access.caller(user["id"]), secret)
        if headers.get("Espo-Authorization-By-Token"):
            raise AuthError(401)
        password = user.get("password") if user else None
        if user is None or password is None or user["type"] not in _MAY_LOG_IN or password != secret:
            raise self._failed(credentials)
        self._second_factor(user, credentials)
        self._seen(user)
        return self._fresh(user, credentials) if given is not None else Login(self._access.caller(user["id"]))

    def _seen(self, user: Record) -> None:
        user["lastAccess"] = stored(self._clock.now())

    def _second_factor(self, user: Record, credentials: Credentials) -> None:
        code = self._settings.two_factor.get(user["userName"])
        if code is None:
            return
        sent = credentials.headers.get("Espo-Authorization-Code")
        if sent is None:
            message = self._settings.two_factor_messages.get(user["userName"], "enterTotpCode")
            body: dict[str, Any] = {"status": "secondStepRequired", "message": message}
            raise AuthError(401, "second-step-required", {**body, "view": None, "token": None, "data": {}})
        if sent != code:
            raise self._failed(credentials)

    def _fresh(self, user: Record, credentials: Credentials) -> Login:
        token = secrets.token_hex(16)
        wants_cookie = credentials.headers.get("Espo-Authorization-Create-Token-Secret") == "true"
        cookie_secret = secrets.token_hex(16) if wants_cookie else None
        self.tokens[token] = (user["id"], cookie_secret)
        return Login(self._access.caller(user["id"]), token, cookie_secret)

    def _another(self, login: Login, name: str) -> Login:
        user = next(iter(self._users("userName", name)), None)
        if not login.caller.is_admin or user is None:
            raise AuthError(401)
        return Login(self._access.caller(user["id"]), login.token)

    def _users(self, attribute: str, value: str) -> list[Record]:
        table = self._store.tables["User"]
        return [
            row
            for found in table.matching(attribute, [value]) or ()
            if (row := table.rows[found])["isActive"]
        ]

    def _recent_failures(self, address: str) -> deque[datetime]:
        failures = self._failures.setdefault(address, deque())
        while failures and failures[0] < self._clock.now() - FAILURE_PERIOD:
            failures.popleft()
        return failures

    def _failed(self, credentials: Credentials) -> AuthError:
        self._recent_failures(credentials.address).append(self._clock.now())
        return AuthError(401)


def _pair(encoded: str) -> tuple[str, str]:
    """User name and secret of `base64(name:secret)`. Raises `AuthError` 400."""
    try:
        name, colon, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        name, colon, secret = "", "", ""
    if not colon:
        raise AuthError(400, "Auth: Bad authorization string provided.")
    return name, secret
