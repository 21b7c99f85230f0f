"""From a request to a view and from its result to an answer, as EspoCRM's front controller does it.

A view gets one `Call` and returns a JSON value or raises `ApiError`. The store's lock is held for all of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any

from flask import Blueprint, Response, current_app, request

from calsync_plugin.sandbox.crm import php_query
from calsync_plugin.sandbox.crm.access import Caller
from calsync_plugin.sandbox.crm.auth import Credentials, Login
from calsync_plugin.sandbox.crm.errors import ApiError, AuthError
from calsync_plugin.sandbox.crm.php_json import encode
from calsync_plugin.sandbox.crm.simulator import Crm
from calsync_plugin.sandbox.crm.tables import Record

API = "/api/v1"
SECRET_COOKIE = "auth-token-secret"  # noqa: S105 - the cookie's name


def crm_of_app() -> Crm:
    """The simulator of the present Flask app."""
    crm = current_app.extensions["crm"]
    assert isinstance(crm, Crm)
    return crm


@dataclass(frozen=True, slots=True)
class Call:
    """An authenticated request."""

    crm: Crm
    login: Login
    body: Record
    params: dict[str, Any]

    @property
    def caller(self) -> Caller:
        """The user on whose behalf it runs."""
        return self.login.caller

    def require_admin(self) -> None:
        """Raise `ApiError` 403 for anybody but an admin."""
        if not self.caller.is_admin:
            raise ApiError(403, "")


View = Callable[..., object]


def endpoint(blueprint: Blueprint, rule: str, *methods: str, status: int = 200) -> Callable[[View], View]:
    """Register a view under a path of the API."""

    def register(view: View) -> View:
        def run(**parts: str) -> Response:
            crm = crm_of_app()
            with crm.store.lock:
                login = crm.auth.login(_credentials())
                call = Call(
                    crm, login, _body(), php_query.parse(request.query_string.decode("utf-8", "replace"))
                )
                return _answer(crm, login, view(call, **parts), status)

        blueprint.add_url_rule(rule, f"{view.__name__}", run, methods=list(methods))
        return view

    return register


def _credentials() -> Credentials:
    path = request.path.removeprefix(API)
    return Credentials(
        dict(request.headers.items()),
        request.method,
        path,
        request.remote_addr or "",
        request.cookies.get(SECRET_COOKIE),
    )


def _body() -> Record:
    """The body as an object: empty under another content type; broken JSON is a server error, as measured."""
    raw = request.get_data()
    if not raw or request.mimetype != "application/json":
        return {}
    try:
        body = json.loads(raw)
        # PHP takes no half of a character, Python does.
        json.dumps(body, ensure_ascii=False).encode()
    except (json.JSONDecodeError, UnicodeError):
        raise ApiError(500) from None
    if not isinstance(body, dict):
        raise ApiError(400, "")
    return body


def _answer(crm: Crm, login: Login, value: object, status: int) -> Response:
    now = crm.clock.now()
    response = Response(encode(value), status)
    response.headers["Content-Type"] = "application/json"
    response.headers["X-App-Timestamp"] = str(int(now.timestamp()))
    response.headers["Expires"] = "0"
    response.headers["Last-Modified"] = format_datetime(now, usegmt=True)
    response.headers["Cache-Control"] = "no-store, no-cache, must-revalidate, post-check=0, pre-check=0"
    if login.cookie_secret:
        response.set_cookie(SECRET_COOKIE, login.cookie_secret, httponly=True, samesite="Lax")
    return response


def refusal(error: ApiError) -> Response:
    """The answer that an `ApiError` stands for."""
    response = Response(b"" if error.body is None else encode(error.body), error.status)
    response.headers["Content-Type"] = (
        "text/html; charset=UTF-8" if isinstance(error, AuthError) else "application/json"
    )
    if error.reason is not None:
        response.headers["X-Status-Reason"] = error.reason
    if isinstance(error, AuthError) and error.challenge:
        response.headers["WWW-Authenticate"] = 'Basic realm=""'
    return response
