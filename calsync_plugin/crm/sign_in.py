"""Signing in with a CRM login: who somebody is whose name and password EspoCRM accepts.

Decides what is sent for whom: the password once, afterwards the token that EspoCRM made for it (EspoCRM docs,
API, authentication by token). Does not count failures (`accounts.signing_in`) and keeps nothing.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from calsync_plugin.crm.gate import AT_ONCE, SIGN_INS_AT_ONCE, Gate, Lane
from calsync_plugin.crm.protocol import Asked, decode, error_of
from calsync_plugin.crm.roles import CrmRole, role_of, scopes_of
from calsync_plugin.errors import (
    RemoteError,
    SecondFactorNeeded,
    SignInRefused,
    Throttled,
    Unauthorized,
    Unavailable,
    UnknownOutcome,
)
from calsync_plugin.http import Http
from calsync_plugin.settings import CrmSettings

ADMINS = frozenset({"admin", "super-admin"})
PEOPLE = ADMINS | {"regular"}
"""Types of users who may sign in; portal users and programs have no calendar of ours."""
PAGE, MOST_ROLES = 200, 2_000
"""Roles in one answer, as many as EspoCRM gives, and in all: an endless list is given up."""
AGAIN_PATIENCE = 1.0
"""Seconds that a session waits for its turn to be asked about."""
_ZONE = re.compile(r"[A-Za-z0-9_+/-]{1,64}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[_-][A-Za-z0-9]{2,8}){0,3}")
WRONG = "The user name or the password is not right."
WRONG_WITH_CODE = "The user name, the password or the code is not right."
NOT_A_USER = "This login belongs to a portal or to a program; sign in as a user of the CRM."


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A user of the CRM, with the time zone and language in which the CRM speaks to this user.

    They are the user's preference, else the installation's; empty if the CRM tells neither.
    """

    user_id: str
    user_name: str
    name: str
    kind: str = "regular"
    """EspoCRM's type of user."""
    time_zone: str = ""
    language: str = ""
    scopes: frozenset[str] = frozenset()
    """What EspoCRM's access control gives as a whole, such as ExternalAccount."""
    strict: bool = True
    """Whether EspoCRM gives nothing that no role gives (its setting `aclStrictMode`, on by default)."""
    token: str = field(default="", repr=False)

    @property
    def admin(self) -> bool:
        """An administrator of the CRM is one here."""
        return self.kind in ADMINS


class EspoSignIn:
    """Asks one EspoCRM."""

    def __init__(self, settings: CrmSettings, http: Http, gate: Gate | None = None) -> None:
        """Keep the address; nothing is sent yet. `gate` is the one that the sync passes, too."""
        gate = gate or Gate()
        self._lane = Lane(gate, most=SIGN_INS_AT_ONCE, patience=0.0, one_key=False)
        # Nobody's requests must keep another's session from being asked about: it would be believed on.
        self._again = Lane(gate, most=AT_ONCE, patience=AGAIN_PATIENCE, one_key=False)
        self._url = settings.url.rstrip("/") + "/api/v1"
        self._zone = settings.time_zone
        self._timeout = settings.timeout_seconds
        self._http = http

    def sign_in(self, user_name: str, password: str, code: str = "") -> SignedIn:
        """Try a password. Raises SignInRefused for a wrong one, SecondFactorNeeded, or a RemoteError."""
        wrong = WRONG_WITH_CODE if code else WRONG
        if not user_name or not password or ":" in user_name:
            raise SignInRefused(wrong)
        extra = {"Espo-Authorization-Code": code} if code else {}
        return self._ask({"Espo-Authorization": _pair(user_name, password), **extra}, wrong, self._lane)

    def look_again(self, user_name: str, token: str) -> SignedIn:
        """Who a token stands for now. Raises SignInRefused if it, or its user's access, ended."""
        return replace(self._ask(_by_token(user_name, token), WRONG, self._again), token=token)

    def sign_out(self, user_name: str, token: str) -> None:
        """Let EspoCRM forget a token. Raises a RemoteError if it cannot be told now."""
        body = json.dumps({"token": token}).encode()
        headers = {**_by_token(user_name, token), **_PROGRAM, "Content-Type": "application/json"}
        url = f"{self._url}/App/destroyAuthToken"
        with self._lane.passing():
            answer = self._http.send("POST", url, headers=headers, body=body, timeout=self._timeout)
            if answer.status == 403 or answer.status >= 500:
                refused = error_of(Asked("POST", "App/destroyAuthToken"), answer.status, answer.headers, b"")
                raise _not_now(refused) if isinstance(refused, Throttled) else refused

    def roles(self, user_name: str, token: str) -> tuple[CrmRole, ...]:
        """All roles, which EspoCRM shows to administrators alone. Raises a RemoteError."""
        found: list[CrmRole] = []
        headers = {**_by_token(user_name, token), **_PROGRAM}
        while len(found) < MOST_ROLES:
            query = f"select=id,name,data&orderBy=name&order=asc&maxSize={PAGE}&offset={len(found)}"
            with self._lane.passing():
                url = f"{self._url}/Role?{query}"
                answer = self._http.send("GET", url, headers=headers, timeout=self._timeout)
                told = decode(Asked("GET", "Role"), answer.status, answer.headers, answer.body)
            rows = told.get("list") if isinstance(told, Mapping) else None
            if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
                raise UnknownOutcome("the CRM's answer for Role is no list", status=answer.status)
            found += [role_of(row) for row in rows]
            if len(rows) < PAGE:
                return tuple(found)
        raise UnknownOutcome(f"the CRM tells more than {MOST_ROLES} roles")

    def _ask(self, headers: Mapping[str, str], wrong: str, lane: Lane) -> SignedIn:
        with lane.passing():
            found = self._told(headers, wrong)
        if found.kind not in PEOPLE:
            self._give_back(found)
            raise SignInRefused(NOT_A_USER)
        return found

    def _told(self, headers: Mapping[str, str], wrong: str) -> SignedIn:
        url = f"{self._url}/App/user"
        answer = self._http.send("GET", url, headers={**headers, **_PROGRAM}, timeout=self._timeout)
        asked = Asked("GET", "App/user")
        if answer.status == 401 and answer.headers.get("X-Status-Reason") == "second-step-required":
            raise SecondFactorNeeded(_message(answer.body))
        try:
            told = decode(asked, answer.status, answer.headers, answer.body)
        except Unauthorized as error:
            raise SignInRefused(wrong) from error
        except Throttled as error:
            raise _not_now(error) from error
        if not isinstance(told, Mapping):
            raise UnknownOutcome("the CRM's answer for App/user is none; check crm.url", status=answer.status)
        return _signed_in(told, self._zone)

    def _give_back(self, found: SignedIn) -> None:
        """Nobody uses the token that was made for somebody who is not let in."""
        if found.token:
            with suppress(RemoteError):
                self.sign_out(found.user_name, found.token)


# Without it a browser's own login window would open (EspoCRM 9.2.7, measured).
_PROGRAM = {"X-Requested-With": "XMLHttpRequest"}


def _not_now(error: Throttled) -> Unavailable:
    """EspoCRM also shuts out one user alone like that (too many wrong codes, an address that is not listed).

    Whether our address as a whole is blocked, the next request of the sync finds out with its own key.
    """
    return Unavailable(f"the CRM lets nobody sign in from here now: {error}", status=error.status)


def _by_token(user_name: str, token: str) -> dict[str, str]:
    # Without the second header EspoCRM takes a dead token for a wrong password, and counts it.
    return {"Espo-Authorization": _pair(user_name, token), "Espo-Authorization-By-Token": "true"}


def _message(body: bytes) -> str:
    try:
        told = json.loads(body)
    except ValueError:
        return ""
    return str(told.get("message") or "") if isinstance(told, dict) else ""


def _pair(user_name: str, secret: str) -> str:
    return base64.b64encode(f"{user_name}:{secret}".encode()).decode()


def _signed_in(told: Mapping[str, object], zone: str) -> SignedIn:
    """Who the CRM says it is; `zone`: the installation's, if the configuration names one."""
    user = _part(told, "user")
    user_id = str(user.get("id") or "")
    if not user_id:
        raise UnknownOutcome("the CRM's answer for App/user names no user; check crm.url")
    return SignedIn(
        user_id=user_id,
        user_name=str(user.get("userName") or ""),
        name=str(user.get("name") or user.get("userName") or ""),
        kind=str(user.get("type") or ""),
        time_zone=_preferred(told, "timeZone", _ZONE, zone),
        language=_preferred(told, "language", _LANGUAGE),
        scopes=scopes_of(_part(told, "acl").get("table")),
        strict=_part(told, "settings").get("aclStrictMode") is not False,
        token=str(told.get("token") or ""),
    )


def _preferred(told: Mapping[str, object], name: str, form: re.Pattern[str], configured: str = "") -> str:
    """The user's preference, else what the installation has; what has no such form is left out."""
    values = (_part(told, "preferences").get(name), configured, _part(told, "settings").get(name))
    return next((v for v in values if isinstance(v, str) and form.fullmatch(v)), "")


def _part(told: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = told.get(name)
    return part if isinstance(part, Mapping) else {}
