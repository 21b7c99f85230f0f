"""Signing in with a CRM login: who somebody is whose name and password EspoCRM accepts.

Decides what is sent for whom: the password once, afterwards the token that EspoCRM made for it (EspoCRM docs,
API, authentication by token). Does not count failures (`accounts.signing_in`) and keeps nothing.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from calsync_plugin.crm.gate import SIGN_INS_AT_ONCE, Gate, Lane
from calsync_plugin.crm.protocol import Asked, decode, error_of
from calsync_plugin.errors import SecondFactorNeeded, SignInRefused, Unauthorized, UnknownOutcome
from calsync_plugin.http import Http
from calsync_plugin.settings import CrmSettings

ADMINS = frozenset({"admin", "super-admin"})
PEOPLE = ADMINS | {"regular"}
"""Types of users who may sign in; portal users and programs have no calendar of ours."""
_ZONE = re.compile(r"[A-Za-z0-9_+/-]{1,64}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[_-][A-Za-z0-9]{2,8}){0,3}")
WRONG = "The user name or the password is not right."


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A user of the CRM, with the time zone and language in which the CRM speaks to this user.

    They are the user's preference, else the installation's; empty if the CRM tells neither.
    """

    user_id: str
    user_name: str
    name: str
    admin: bool
    time_zone: str = ""
    language: str = ""
    token: str = field(default="", repr=False)


class EspoSignIn:
    """Asks one EspoCRM."""

    def __init__(self, settings: CrmSettings, http: Http, gate: Gate | None = None) -> None:
        """Keep the address; nothing is sent yet. `gate` is the one that the sync passes, too."""
        self._lane = Lane(gate or Gate(), most=SIGN_INS_AT_ONCE, patience=0.0)
        self._url = settings.url.rstrip("/") + "/api/v1"
        self._timeout = settings.timeout_seconds
        self._http = http

    def sign_in(self, user_name: str, password: str, code: str = "") -> SignedIn:
        """Try a password. Raises SignInRefused for a wrong one, SecondFactorNeeded, or a RemoteError."""
        if not user_name or not password or ":" in user_name:
            raise SignInRefused(WRONG)
        extra = {"Espo-Authorization-Code": code} if code else {}
        return self._ask(_pair(user_name, password), extra)

    def look_again(self, user_name: str, token: str) -> SignedIn:
        """Who a token stands for now. Raises SignInRefused if it, or its user's access, ended."""
        return self._ask(_pair(user_name, token), {"Espo-Authorization-By-Token": "true"})

    def sign_out(self, user_name: str, token: str) -> None:
        """Let EspoCRM forget a token."""
        body = b'{"token":"%s"}' % token.encode()
        headers = {
            "Espo-Authorization": _pair(user_name, token),
            "Espo-Authorization-By-Token": "true",
            "Content-Type": "application/json",
        }
        url = f"{self._url}/App/destroyAuthToken"
        with self._lane.passing():
            self._http.send("POST", url, headers=headers, body=body, timeout=self._timeout)

    def _ask(self, pair: str, extra: Mapping[str, str]) -> SignedIn:
        headers = {"Espo-Authorization": pair, "X-Requested-With": "XMLHttpRequest", **extra}
        with self._lane.passing():
            return self._told(headers)

    def _told(self, headers: Mapping[str, str]) -> SignedIn:
        answer = self._http.send("GET", f"{self._url}/App/user", headers=headers, timeout=self._timeout)
        asked = Asked("GET", "App/user")
        if answer.status == 401 and answer.headers.get("X-Status-Reason") == "second-step-required":
            raise SecondFactorNeeded
        try:
            told = decode(asked, answer.status, answer.headers, answer.body)
        except Unauthorized as error:
            raise SignInRefused(WRONG) from error
        if not isinstance(told, Mapping):
            raise error_of(asked, 502, answer.headers, b"")
        return _signed_in(told)


def _pair(user_name: str, secret: str) -> str:
    return base64.b64encode(f"{user_name}:{secret}".encode()).decode()


def _signed_in(told: Mapping[str, object]) -> SignedIn:
    user = _part(told, "user")
    user_id, kind = str(user.get("id") or ""), str(user.get("type") or "")
    if not user_id:
        raise UnknownOutcome("the CRM's answer for App/user names no user; check crm.url")
    if kind not in PEOPLE:
        raise SignInRefused("This login belongs to a portal or to a program; sign in as a user of the CRM.")
    return SignedIn(
        user_id=user_id,
        user_name=str(user.get("userName") or ""),
        name=str(user.get("name") or user.get("userName") or ""),
        admin=kind in ADMINS,
        time_zone=_preferred(told, "timeZone", _ZONE),
        language=_preferred(told, "language", _LANGUAGE),
        token=str(told.get("token") or ""),
    )


def _preferred(told: Mapping[str, object], name: str, form: re.Pattern[str]) -> str:
    """The user's preference, else what the installation has; what has no such form is left out."""
    values = (_part(told, part).get(name) for part in ("preferences", "settings"))
    return next((v for v in values if isinstance(v, str) and form.fullmatch(v)), "")


def _part(told: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = told.get(name)
    return part if isinstance(part, Mapping) else {}
