"""The WSGI front of Graph: token, body, places, headers. Everything else goes on to the Flask app behind it.

Graph's paths do not pass through Flask, because benches push thousands of events; the login, the page and
the control API do. Faults bend the login's paths here too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from calsync_plugin.sandbox.outlook import batch
from calsync_plugin.sandbox.outlook.dispatch import (
    VERSION,
    Inquiry,
    answer_error,
    new_request_id,
    owner_of,
    run,
)
from calsync_plugin.sandbox.outlook.faults import Rule
from calsync_plugin.sandbox.outlook.identities import TOKEN_PREFIX
from calsync_plugin.sandbox.outlook.simulator import Simulator
from calsync_plugin.sandbox.outlook.state import Mailbox
from calsync_plugin.sandbox.outlook.wire import Answer, DroppedConnection, GraphError

LARGEST_BODY = 4 * 1024 * 1024
_JSON = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class GraphFront:
    """Answers `/v1.0/...`, and hands the rest to the application behind it."""

    def __init__(self, sim: Simulator, behind: Application) -> None:
        self._sim = sim
        self._behind = behind

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve one WSGI request; DroppedConnection leaves if a fault rule breaks the connection."""
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
        if path.startswith(VERSION + "/"):
            return self._graph(environ, start_response, path)
        if "/oauth2/" in path or "/.well-known/" in path:
            return self._login(environ, start_response, path)
        return self._behind(environ, start_response)

    def _login(self, environ: dict[str, Any], start_response: StartResponse, path: str) -> Iterable[bytes]:
        rule = self._sim.faults.match(environ["REQUEST_METHOD"], path, None)
        if rule is None:
            return self._behind(environ, start_response)
        if rule.delay_ms:
            self._sim.sleep(rule.delay_ms / 1000)
        if rule.drop_before:
            raise DroppedConnection(committed=False)
        if rule.status is not None and not rule.after_commit:
            return _refuse_login(rule, start_response)
        answer = list(self._behind(environ, start_response))
        if rule.drop_after_commit:
            raise DroppedConnection(committed=True)
        return answer

    def _graph(self, environ: dict[str, Any], start_response: StartResponse, path: str) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        headers = {
            key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key[:5] == "HTTP_"
        }
        inquiry: Inquiry | None = None
        try:
            caller = caller_of(self._sim, headers.get("authorization", ""))
            body = _body(environ, method)
            query = environ.get("QUERY_STRING", "")
            base = self._sim.base_url or f"{environ['wsgi.url_scheme']}://{headers.get('host', 'localhost')}"
            inquiry = Inquiry(method, path, query, headers, body, caller, base)
            result = self._answer(inquiry)
        except GraphError as error:
            nobody = Inquiry(method, path, "", headers, None, Mailbox(0, "", "", ""), "")
            result = answer_error(self._sim, inquiry or nobody, error)
        address = inquiry.caller.address if inquiry else "-"
        self._sim.log.add(address, method, inquiry.target() if inquiry else path, result.status)
        return _send(result, headers, start_response)

    def _answer(self, inquiry: Inquiry) -> Answer:
        sim = self._sim
        if unquote(inquiry.path).rstrip("/") == f"{VERSION}/$batch":
            return self._batch(inquiry)
        owner, _ = owner_of(sim, inquiry)
        granted = sim.throttle.enter(owner.number, sim.switches)
        try:
            return run(sim, inquiry, delay_ms=sim.delay_ms)
        finally:
            sim.throttle.leave(owner.number, granted)

    def _batch(self, inquiry: Inquiry) -> Answer:
        if inquiry.method != "POST":
            raise GraphError(
                405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target."
            )
        sim = self._sim
        rule = sim.faults.match(inquiry.method, inquiry.target(), inquiry.caller.address)
        if rule is None:
            return batch.answer(sim, inquiry)
        if rule.delay_ms:
            sim.sleep(rule.delay_ms / 1000)
        if rule.drop_before:
            raise DroppedConnection(committed=False)
        if rule.status is not None and not rule.after_commit:
            raise rule.error()
        result = batch.answer(sim, inquiry)
        if rule.delay_after_ms:
            sim.sleep(rule.delay_after_ms / 1000)
        if rule.drop_after_commit:
            raise DroppedConnection(committed=True)
        if rule.status is not None:
            raise rule.error()
        if rule.truncate_body:
            result.headers["x-sandbox-truncate"] = "1"
        return result


def caller_of(sim: Simulator, authorization: str) -> Mailbox:
    """Return the mailbox whose token this is; GraphError 401 InvalidAuthenticationToken if it is none or
    expired.
    """
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise _unauthorized("Access token is empty.")
    if token.startswith(TOKEN_PREFIX):
        address: str | None = token.removeprefix(TOKEN_PREFIX).lower()
        if address in sim.logins.revoked:
            raise _unauthorized("The access token has been revoked.")
    else:
        address = sim.logins.address_of(token)
    mailbox = sim.state.mailboxes.get(address or "")
    if mailbox is None:
        raise _unauthorized("Access token is invalid or has expired.")
    return mailbox


def _unauthorized(message: str) -> GraphError:
    headers = {"WWW-Authenticate": 'Bearer realm="", error="invalid_token"'}
    return GraphError(401, "InvalidAuthenticationToken", message, headers=headers)


def _body(environ: dict[str, Any], method: str) -> Any:
    if method in {"GET", "DELETE"}:
        return None
    length = environ.get("CONTENT_LENGTH") or "0"
    if int(length) > LARGEST_BODY:
        raise GraphError(413, "RequestEntityTooLarge", "The request is larger than 4 MB.")
    raw = environ["wsgi.input"].read(int(length))
    if not raw:
        return None
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise GraphError(400, "BadRequest", "Unable to read JSON request payload.") from None


def _send(result: Answer, headers: dict[str, str], start_response: StartResponse) -> Iterable[bytes]:
    truncated = result.headers.pop("x-sandbox-truncate", None) is not None
    payload = b"" if result.body is None else json.dumps(result.body).encode()
    if not truncated and result.body is not None and "responses" in result.body:
        # A truncated member leaves a batch's whole body unreadable.
        for member in result.body["responses"]:
            truncated = truncated or member["headers"].pop("x-sandbox-truncate", None) is not None
        payload = json.dumps(result.body).encode()
    if truncated:
        payload = payload[: len(payload) // 2]
    request_id = result.headers.pop("request-id", None) or new_request_id()
    sent = [
        ("request-id", request_id),
        ("client-request-id", headers.get("client-request-id", request_id)),
        ("Cache-Control", "private"),
        *result.headers.items(),
    ]
    if result.body is not None:
        sent.append(("Content-Type", _JSON))
    if result.status != 204:
        sent.append(("Content-Length", str(len(payload))))
    start_response(f"{result.status} {HTTPStatus(result.status).phrase}", sent)
    return [payload] if payload else []


def _refuse_login(rule: Rule, start_response: StartResponse) -> Iterable[bytes]:
    body = {"error": rule.code, "error_description": rule.message, "error_codes": []}
    payload = json.dumps(body).encode()
    sent = [("Content-Type", "application/json"), ("Content-Length", str(len(payload)))]
    if rule.retry_after is not None:
        sent.append(("Retry-After", f"{rule.retry_after:g}"))
    status = rule.status or 500
    start_response(f"{status} {HTTPStatus(status).phrase}", sent)
    return [payload]
