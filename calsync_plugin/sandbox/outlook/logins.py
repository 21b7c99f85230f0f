"""Who is logged in: authorization codes, access and refresh tokens, and what makes Microsoft refuse them.

Codes work once and for ten minutes; refresh tokens are replaced on each use while the old one stays good, as
Microsoft's do (Graph docs and "Refresh tokens in the Microsoft identity platform"). No HTTP here.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

from calsync_plugin.sandbox.outlook.identities import CLIENT_ID, CLIENT_SECRET, DOMAIN, TENANT_ID
from calsync_plugin.sandbox.outlook.switches import Switches
from calsync_plugin.sandbox.outlook.wire import Json

CODE_SECONDS = 600
SHARED_TENANTS = frozenset({"common", "organizations", "consumers"})
TENANTS = SHARED_TENANTS | {TENANT_ID, DOMAIN}


class LoginError(Exception):
    """A refusal of the token endpoint: OAuth error code, Microsoft's AADSTS number and text."""

    def __init__(self, error: str, number: int, description: str, *, suberror: str = "") -> None:
        super().__init__(description)
        self.error = error
        self.number = number
        self.description = description
        self.suberror = suberror


@dataclass(frozen=True, slots=True)
class Grant:
    """What a user consented to: who, for which client, which scopes; for a code also how it may be
    redeemed.
    """

    address: str
    client_id: str
    scope: str
    nonce: str = ""
    challenge: str = ""
    redirect_uri: str = ""
    expires: float = 0.0


class Logins:
    """Codes and tokens of one simulated tenant."""

    def __init__(self, now: Callable[[], datetime], switches: Callable[[], Switches]) -> None:
        self._now = now
        self._switches = switches
        self._lock = threading.Lock()
        self._codes: dict[str, Grant] = {}
        self._access: dict[str, tuple[str, float]] = {}
        self._refresh: dict[str, Grant] = {}
        self.revoked: set[str] = set()
        self.refusal: LoginError | None = None

    def _seconds(self) -> float:
        return self._now().timestamp()

    def authorize(self, grant: Grant) -> str:
        """Return a code for a consent; it works once, for ten minutes."""
        code = "0." + secrets.token_urlsafe(48)
        with self._lock:
            self._codes[code] = Grant(**{**asdict(grant), "expires": self._seconds() + CODE_SECONDS})
        return code

    def redeem(self, code: str, *, verifier: str, redirect_uri: str, client_id: str) -> Grant:
        """Return the grant behind a code; LoginError if it was used, expired, or PKCE does not hold."""
        with self._lock:
            grant = self._codes.pop(code, None)
        if grant is None:
            raise LoginError(
                "invalid_grant", 54005, "OAuth2 Authorization code was already redeemed or is unknown."
            )
        if grant.expires < self._seconds():
            raise LoginError("invalid_grant", 70008, "The provided authorization code has expired.")
        if grant.client_id != client_id or grant.redirect_uri != redirect_uri:
            raise LoginError("invalid_grant", 50011, "The client or redirect_uri does not match the request.")
        if grant.challenge:
            digest = hashlib.sha256(verifier.encode()).digest()
            if base64.urlsafe_b64encode(digest).decode().rstrip("=") != grant.challenge:
                raise LoginError(
                    "invalid_grant", 501481, "The Code_Verifier does not match the code_challenge."
                )
        self.check_refusal(grant.address)
        return grant

    def refresh(self, token: str) -> Grant:
        """Return the grant behind a refresh token; LoginError if it is unknown or revoked."""
        with self._lock:
            grant = self._refresh.get(token)
        if grant is None:
            raise LoginError("invalid_grant", 70000, "The provided refresh token is not valid.")
        self.check_refusal(grant.address)
        return grant

    def check_refusal(self, address: str) -> None:
        """Raise what the tenant refuses tokens with at present; LoginError 50173 for a revoked user."""
        if self.refusal is not None:
            raise self.refusal
        if address in self.revoked:
            raise LoginError(
                "invalid_grant",
                50173,
                "The provided grant has expired due to it being revoked.",
                suberror="bad_token",
            )

    def check_secret(self, secret: str | None) -> None:
        """Raise LoginError invalid_client if a secret was sent and is not the sandbox's."""
        if secret and secret != CLIENT_SECRET:
            raise LoginError("invalid_client", 7000215, "Invalid client secret provided.")

    def check_tenant(self, tenant: str) -> None:
        """Raise LoginError 90002 for a tenant that does not exist (docs, "AADSTS error codes")."""
        if tenant.lower() not in TENANTS:
            text = f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID."
            raise LoginError("invalid_tenant", 90002, text)

    def app_token(self, tenant: str, *, client_id: str, secret: str, scope: str) -> str:
        """Return a token of an app without a user; LoginError as the docs' list of error codes has it."""
        if tenant.lower() in SHARED_TENANTS:
            # AzureAD/microsoft-identity-web#462; that ID or domain is needed says the page on this flow.
            text = "No tenant-identifying information found in the request or implied by any credentials."
            raise LoginError("invalid_request", 50059, text)
        if client_id != CLIENT_ID:
            text = f"Application with identifier '{client_id}' was not found in the directory '{tenant}'."
            raise LoginError("unauthorized_client", 700016, text)
        if not secret:
            text = "The request body must contain the parameter 'client_assertion' or 'client_secret'."
            raise LoginError("invalid_client", 7000218, text)
        self.check_secret(secret)
        if not scope.split() or not all(part.endswith("/.default") for part in scope.split()):
            text = f"The provided value for scope {scope} is not valid: it must end with /.default."
            raise LoginError("invalid_scope", 1002012, text)
        if self.refusal is not None:
            raise self.refusal
        return "eyJ0." + secrets.token_urlsafe(64)

    def issue(self, grant: Grant) -> tuple[str, str, int]:
        """Return a new access token, a new refresh token and the access token's life in seconds."""
        access, refresh = "eyJ0." + secrets.token_urlsafe(64), "1." + secrets.token_urlsafe(64)
        life = self._switches().access_token_seconds
        with self._lock:
            self._access[access] = (grant.address, self._seconds() + life)
            self._refresh[refresh] = grant
        return access, refresh, life

    def address_of(self, token: str) -> str | None:
        """Return whose access token this is; None if it is unknown, expired or revoked."""
        with self._lock:
            found = self._access.get(token)
        if found is None or found[1] < self._seconds() or found[0] in self.revoked:
            return None
        return found[0]

    def revoke(self, address: str) -> None:
        """Make every token of a user worthless until the user logs in again."""
        with self._lock:
            self._access = {token: found for token, found in self._access.items() if found[0] != address}
            self._refresh = {
                token: grant for token, grant in self._refresh.items() if grant.address != address
            }

    def clear(self) -> None:
        """Forget all codes and tokens."""
        with self._lock:
            self._codes, self._access, self._refresh = {}, {}, {}
            self.revoked, self.refusal = set(), None

    def as_json(self) -> Json:
        """Return tokens for a dump."""
        with self._lock:
            return {
                "access": self._access,
                "refresh": {token: asdict(grant) for token, grant in self._refresh.items()},
                "revoked": sorted(self.revoked),
            }

    def restore(self, value: Json) -> None:
        """Take over tokens from a dump."""
        with self._lock:
            self._access = {token: (found[0], found[1]) for token, found in value.get("access", {}).items()}
            self._refresh = {token: Grant(**grant) for token, grant in value.get("refresh", {}).items()}
            self.revoked = set(value.get("revoked", ()))
