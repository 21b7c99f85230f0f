"""EspoCRM as one of its administrators: signed in for one command, and out again whatever happens.

Decides that the password is sent once (twice with a second factor) and that every other request carries the
token made for it, which ends with the command. Keeps nothing, and logs no credential.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

from calsync_plugin.crm.client import EspoClient
from calsync_plugin.crm.protocol import Asked, decode
from calsync_plugin.crm.sign_in import EspoSignIn, SignedIn
from calsync_plugin.errors import RemoteError, SecondFactorNeeded, SignInRefused, Unauthorized
from calsync_plugin.http import Http, json_bytes
from calsync_plugin.settings import CrmSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AdminLogin:
    """What an administrator types.

    `code` is asked only if EspoCRM wants a second factor, with a sentence that says where it comes from.
    """

    user_name: str
    password: str = field(repr=False)
    code: Callable[[str], str] = field(repr=False)


class AdminClient(EspoClient):
    """Requests with an administrator's token."""

    def __init__(self, settings: CrmSettings, http: Http, user_name: str, token: str) -> None:
        """Keep who asks."""
        super().__init__(settings, http)
        self._root = settings.url.rstrip("/") + "/api/v1"
        self._door = http
        self._patience = settings.timeout_seconds
        self._pair = base64.b64encode(f"{user_name}:{token}".encode()).decode()

    def call(
        self,
        method: str,
        path: str,
        *,
        record_id: str = "",
        query: str = "",
        payload: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> object:
        """Send one request (EspoCRM docs, API, authentication by token); as `EspoClient.call`."""
        quoted = quote(path) + (f"/{quote(record_id, safe='')}" if record_id else "")
        sent = {
            "Accept": "application/json",
            "Espo-Authorization": self._pair,
            "Espo-Authorization-By-Token": "true",
            "X-Requested-With": "XMLHttpRequest",
            **(headers or {}),
        }
        body = None if payload is None else json_bytes(payload)
        if body is not None:
            sent["Content-Type"] = "application/json"
        url = f"{self._root}/{quoted}" + (f"?{query}" if query else "")
        # A rebuild takes as long as it takes: EspoCRM goes through its whole database.
        patience = max(self._patience, REBUILD_SECONDS) if path.startswith(_SLOW) else self._patience
        answer = self._door.send(method, url, headers=sent, body=body, timeout=patience)
        try:
            return decode(Asked(method, path, record_id), answer.status, answer.headers, answer.body)
        except Unauthorized as error:
            raise Unauthorized(
                "EspoCRM ended the administrator's session; run the command again", status=401
            ) from error


REBUILD_SECONDS = 180.0
_SLOW = ("Admin/", "EntityManager/")


@contextmanager
def administrator(settings: CrmSettings, http: Http, login: AdminLogin) -> Generator[AdminClient]:
    """Be signed in within it. Raises SignInRefused for a wrong login or one that is no administrator's."""
    door = EspoSignIn(settings, http)
    who = _signed_in(door, login)
    try:
        if not who.admin:
            raise SignInRefused(f"{who.user_name} is no administrator of EspoCRM; use the login of one")
        yield AdminClient(settings, http, who.user_name, who.token)
    finally:
        try:
            door.sign_out(who.user_name, who.token)
        except RemoteError as error:
            log.warning(
                "the administrator's session could not be ended (%s); "
                "end it in EspoCRM: Administration > Auth Tokens",
                error,
            )


def _signed_in(door: EspoSignIn, login: AdminLogin) -> SignedIn:
    try:
        return door.sign_in(login.user_name, login.password)
    except SecondFactorNeeded as needed:
        code = login.code(str(needed)).strip()
        if not code:
            raise
        return door.sign_in(login.user_name, login.password, code)
