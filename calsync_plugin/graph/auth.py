"""Logging users in at Microsoft, and keeping them logged in: the only door to MSAL.

Decides when tokens are saved, and what a refusal of the login service means. Asks for the app registration
each time, since an administrator may change it. Does not decide whose mailbox may be connected (`accept`) nor
how token caches are stored (`TokenStore`; they are secrets). Sources: Microsoft identity platform, "OAuth 2.0
authorization code flow", "Refresh tokens".
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

import msal  # type: ignore[import-untyped]

from calsync_plugin.errors import (
    ConfigurationError,
    ReconnectNeeded,
    RemoteError,
    Unauthorized,
    Unavailable,
    UserError,
)
from calsync_plugin.graph.login_transport import LoginTransport
from calsync_plugin.graph.registration import SCOPES, Registration
from calsync_plugin.http import SANDBOX_LOGIN, Http, LoopbackAuthority

# Only the user can help (Microsoft identity platform, "Authentication and authorization error codes").
_USER_WANTED = frozenset({"invalid_grant", "interaction_required", "login_required", "consent_required"})
_LATER = frozenset({"temporarily_unavailable", "server_error"})
_OURS = frozenset({"invalid_client", "unauthorized_client"})


class TokenStore(Protocol):
    """Where token caches lie, one text for each user; whoever implements it encrypts them."""

    def load(self, user_id: str) -> str | None:
        """Return the user's cache, None if there is none."""
        ...

    def save(self, user_id: str, text: str) -> None:
        """Replace the user's cache, whole or not at all."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """Who logged in: the mailbox is (tenant_id, object_id); address and name are for people."""

    tenant_id: str
    object_id: str
    address: str
    name: str


@dataclass(frozen=True, slots=True)
class Redeemed:
    """A login that ended well; it is kept nowhere yet."""

    identity: Identity
    cache: str = field(repr=False)
    access_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proof:
    """What the login service said to the app itself: `number` is Microsoft's, both "" if it agreed."""

    error: str = ""
    number: str = ""


class Login:
    """Logs users of the CRM in and gives out their access tokens, from any thread."""

    def __init__(self, http: Http, store: TokenStore, registration: Callable[[], Registration]) -> None:
        """Take who tells the app registration; ConfigurationError if its authority is not safe.

        Nothing is sent yet.
        """
        self._http = http
        self._transport = LoginTransport(http)
        self._store = store
        self._registration = registration
        self._locks_lock = threading.Lock()
        self._loopback = ""
        self._authority_of(registration())
        self._locks: dict[str, threading.Lock] = {}

    @property
    def registration(self) -> Registration:
        """The app registration that is in force now."""
        return self._registration()

    def begin(
        self, user_id: str, redirect_uri: str, *, login_hint: str = "", prompt: str = ""
    ) -> tuple[str, str]:
        """Return the address to send the user's browser to, and the flow to keep until `finish`.

        The flow is JSON and holds a secret (PKCE): keep it on the server. Microsoft answers with a POST to
        `redirect_uri` (form_post), which brings no cookie of SameSite=Lax along; find the flow by its
        `state`.
        """
        self.registration.check_complete()
        flow = self._app(msal.SerializableTokenCache()).initiate_auth_code_flow(
            list(SCOPES),
            redirect_uri=redirect_uri,
            login_hint=login_hint or None,
            prompt=prompt or None,
            response_mode="form_post",
        )
        return str(flow["auth_uri"]), json.dumps({"user_id": user_id, "flow": flow})

    def finish(
        self,
        user_id: str,
        flow: str,
        params: Mapping[str, str],
        *,
        accept: Callable[[Identity], None] | None = None,
    ) -> Identity:
        """Redeem what Microsoft sent to the redirect address; the tokens replace the user's old ones.

        `accept` may raise to refuse an identity before anything is saved.
        """
        found = self.redeem(user_id, flow, params)
        if accept is not None:
            accept(found.identity)
        self.keep(user_id, found.cache)
        return found.identity

    def redeem(self, user_id: str, flow: str, params: Mapping[str, str]) -> Redeemed:
        """Redeem what Microsoft sent to the redirect address, and keep nothing of it.

        UserError says what to do: a login that was declined, answered twice or not begun here. Transient: try
        again.
        """
        cache = msal.SerializableTokenCache()
        app = self._app(cache)
        try:
            begun = json.loads(flow)
            if begun["user_id"] != user_id:
                raise ValueError("another user's flow")
            result = app.acquire_token_by_auth_code_flow(begun["flow"], dict(params))
        except (ValueError, KeyError) as error:
            raise UserError("this login was not begun here or was answered before; connect again") from error
        if "access_token" not in result:
            raise _refused_login(result)
        identity = _identity(result.get("id_token_claims") or {})
        return Redeemed(identity, cache.serialize(), str(result["access_token"]))

    def keep(self, user_id: str, cache: str) -> None:
        """Keep what a login redeemed: it replaces the user's old tokens."""
        with self._one_at_a_time(user_id):
            self._store.save(user_id, cache)

    def token(self, user_id: str, *, force_refresh: bool = False, object_id: str = "") -> str:
        """Return an access token of a user, refreshed if need be; the changed cache is saved before that.

        `object_id` names whose token it must be: a user may log in with another mailbox at any time.
        ReconnectNeeded: only a new login helps. Transient: the login service is away, or the user is just
        changing the mailbox. Unauthorized: it does not accept calsync itself.
        """
        with self._one_at_a_time(user_id):
            cache = msal.SerializableTokenCache()
            stored = self._store.load(user_id)
            if stored:
                cache.deserialize(stored)
            app = self._app(cache)
            account = next(iter(app.get_accounts()), None)
            if account is None:
                raise ReconnectNeeded("there is no Outlook login of this user; connect the account")
            if object_id and (account.get("local_account_id") or object_id) != object_id:
                raise Unavailable("the user has logged in with another mailbox; nothing is sent to that one")
            try:
                result = app.acquire_token_silent_with_error(
                    list(SCOPES), account=account, force_refresh=force_refresh
                )
            finally:
                # Refresh tokens are replaced on use: an unsaved one ends the login 90 days later.
                if cache.has_state_changed:
                    self._store.save(user_id, cache.serialize())
        if result and "access_token" in result:
            return str(result["access_token"])
        raise _refused_token(result or {})

    def prove(self, tenant: str) -> Proof:
        """Let the app ask for a token of its own at one tenant; the token is dropped.

        It is the only proof of client ID and secret that needs no user. `tenant` must be a single one: with
        `common` an answer means nothing (Microsoft identity platform, "OAuth 2.0 client credentials flow":
        ID or domain; MSAL warns of it). Transient: the login service is away.
        """
        asked = self.registration.at(tenant)
        app = self._app(msal.SerializableTokenCache(), asked, msal.ConfidentialClientApplication)
        result = app.acquire_token_for_client([f"{asked.resource}/.default"])
        return Proof() if "access_token" in result else Proof(*_named(result))

    def granted(self, user_id: str) -> frozenset[str]:
        """The permissions that Microsoft named with the user's last token, without their resource."""
        # Read from the text: MSAL's own search drops a token that has expired.
        tokens = json.loads(self._store.load(user_id) or "{}").get("AccessToken", {}).values()
        named = " ".join(str(token.get("target") or "") for token in tokens)
        return frozenset(scope.rpartition("/")[2] for scope in named.split())

    def _app(
        self, cache: Any, registration: Registration | None = None, kind: Any = msal.ClientApplication
    ) -> Any:
        """Return MSAL for one cache: cheap, because the authority's addresses are asked for once."""
        known = registration or self.registration
        authority = self._authority_of(known)
        try:
            return kind(
                known.client_id,
                client_credential=known.client_secret or None,
                authority=authority,
                instance_discovery=False if authority.startswith(SANDBOX_LOGIN) else None,
                token_cache=cache,
                http_client=self._transport,
            )
        except (ValueError, KeyError) as error:
            self._transport.forget()
            raise ConfigurationError(
                "the login service does not describe itself there", path="graph.authority"
            ) from error

    def _authority_of(self, registration: Registration) -> str:
        """The authority as MSAL takes it: one on loopback goes by a name of its own."""
        address = registration.address
        if not address.startswith("http://"):
            return address
        parts = urlsplit(address)
        with self._locks_lock:
            if self._loopback != parts.netloc:
                leads = LoopbackAuthority(address, inner=self._http.adapter_for(address))
                self._http.mount(SANDBOX_LOGIN, leads)
                self._transport.forget()
                self._loopback = parts.netloc
        return SANDBOX_LOGIN + parts.path

    @contextmanager
    def _one_at_a_time(self, user_id: str) -> Iterator[None]:
        with self._locks_lock:
            lock = self._locks.setdefault(user_id, threading.Lock())
        with lock:
            yield


def _identity(claims: Mapping[str, object]) -> Identity:
    found = {name: str(claims.get(name) or "") for name in ("tid", "oid", "preferred_username", "name")}
    if not found["tid"] or not found["oid"]:
        raise UserError("Microsoft did not say which account this is; use a work or school account")
    return Identity(found["tid"], found["oid"], found["preferred_username"], found["name"])


def _refused_login(result: Mapping[str, Any]) -> UserError:
    error, number = _named(result)
    if error in _OURS:
        text = f"Microsoft refused the app registration ({number})"
        return ConfigurationError(text, path="graph.client_secret")
    if error == "access_denied":
        return UserError(f"the login was declined ({number}); accept it, or ask an administrator")
    return UserError(f"Microsoft refused the login ({error} {number}); connect again")


def _refused_token(result: Mapping[str, Any]) -> RemoteError:
    error, number = _named(result)
    if error in _LATER:
        return Unavailable(f"the login service is away ({error} {number})", code=error)
    if error in _OURS:
        return Unauthorized(f"Microsoft refused the app registration ({number}); correct graph.client_secret")
    if not error:
        # MSAL keeps tokens by client ID, and did not even ask.
        return ReconnectNeeded("Outlook was connected through another app registration; connect it again")
    if error not in _USER_WANTED:
        return Unauthorized(f"Microsoft refused a token ({error} {number})", code=error)
    return ReconnectNeeded(
        f"Microsoft wants the user to log in again ({error} {number})", status=400, code=error
    )


def _named(result: Mapping[str, Any]) -> tuple[str, str]:
    """Return the OAuth error and Microsoft's number; the description may hold what no log should."""
    found = re.search(r"AADSTS\d+", str(result.get("error_description") or ""))
    return str(result.get("error") or ""), found.group() if found else "no number"
