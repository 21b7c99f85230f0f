"""The login pages and the token endpoint, as MSAL expects them of Microsoft's identity platform.

MSAL takes https authorities only: its session gets an adapter for `https://login.sandbox.invalid/` that
forwards here, and the browser is sent to this server's own address. Source: Microsoft identity platform,
authorization code flow.
"""

from __future__ import annotations

import base64
import json
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from calsync_plugin.sandbox.outlook.control import simulator
from calsync_plugin.sandbox.outlook.identities import CLIENT_ID, TENANT_ID
from calsync_plugin.sandbox.outlook.logins import Grant, LoginError
from calsync_plugin.sandbox.outlook.odata_types import short_instant
from calsync_plugin.sandbox.outlook.state import Mailbox

login = Blueprint("login", __name__)
AUTHORITY_HOST = "login.sandbox.invalid"
_GRAPH_SCOPE = "https://graph.microsoft.com/"


def _own_address() -> str:
    base = simulator().base_url
    if base is not None:
        return base
    host = request.host
    return "http://127.0.0.1:8702" if host.startswith(AUTHORITY_HOST) else request.host_url.rstrip("/")


@login.get("/<tenant>/v2.0/.well-known/openid-configuration")
def openid_configuration(tenant: str) -> Response | tuple[Response, int]:
    """Describe the tenant's endpoints."""
    try:
        simulator().logins.check_tenant(tenant)
    except LoginError as error:
        return _refusal(error), 400
    authority = f"https://{AUTHORITY_HOST}/{tenant}"
    return jsonify(
        issuer=f"{authority}/v2.0",
        authorization_endpoint=f"{_own_address()}/{tenant}/oauth2/v2.0/authorize",
        token_endpoint=f"{authority}/oauth2/v2.0/token",
        end_session_endpoint=f"{authority}/oauth2/v2.0/logout",
        jwks_uri=f"{authority}/discovery/v2.0/keys",
        response_types_supported=["code"],
        response_modes_supported=["query", "form_post"],
        scopes_supported=["openid", "profile", "email", "offline_access"],
        subject_types_supported=["pairwise"],
        token_endpoint_auth_methods_supported=[
            "client_secret_post",
            "private_key_jwt",
            "client_secret_basic",
        ],
        code_challenge_methods_supported=["S256"],
    )


@login.route("/<tenant>/oauth2/v2.0/authorize", methods=["GET", "POST"])
def authorize(tenant: str) -> str | BaseResponse | tuple[str, int]:
    """Show the account picker; with a hint and `prompt=none`, go back at once."""
    asked = request.values
    target = urlsplit(asked.get("redirect_uri", ""))
    if asked.get("response_type") != "code" or target.scheme not in {"http", "https"} or not target.hostname:
        return render_template(
            "outlook/login_error.html", reason="The request lacks a response_type or redirect_uri."
        ), 400
    method = asked.get("code_challenge_method", "S256")
    if asked.get("code_challenge") and method != "S256":
        return _back({"error": "invalid_request", "error_description": "AADSTS501491: PKCE has to use S256."})
    sim = simulator()
    if asked.get("answer") == "cancel":
        return _back(
            {"error": "access_denied", "error_description": "AADSTS65004: User declined to consent."}
        )
    chosen = request.form.get("account") or (
        asked.get("login_hint") if asked.get("prompt") == "none" else None
    )
    if chosen is None:
        people = list(sim.state.mailboxes.values())
        kept = {name: value for name, value in asked.items() if name not in {"account", "answer"}}
        hint = asked.get("login_hint", "").lower()
        return render_template("outlook/login.html", people=people, kept=kept, hint=hint, tenant=tenant)
    mailbox = sim.state.mailboxes.get(chosen.lower())
    if mailbox is None:
        return _back(
            {"error": "login_required", "error_description": f"AADSTS50034: {chosen} is not known here."}
        )
    sim.logins.revoked.discard(mailbox.address)
    grant = Grant(
        address=mailbox.address,
        client_id=asked.get("client_id", CLIENT_ID),
        scope=asked.get("scope", ""),
        nonce=asked.get("nonce", ""),
        challenge=asked.get("code_challenge", ""),
        redirect_uri=asked["redirect_uri"],
    )
    return _back({"code": sim.logins.authorize(grant), "client_info": _client_info(mailbox)})


def _back(answer: dict[str, str]) -> BaseResponse | str:
    """Send the browser back to the client, by redirect or by a form that posts itself."""
    values = {**answer, "state": request.values.get("state", "")}
    target = request.values["redirect_uri"]
    if request.values.get("response_mode") == "form_post":
        return render_template("outlook/login_post.html", target=target, values=values)
    return redirect(target + ("&" if "?" in target else "?") + urlencode(values))


def _encoded(value: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _client_info(mailbox: Mailbox) -> str:
    return _encoded({"uid": mailbox.object_id, "utid": TENANT_ID})


@login.post("/<tenant>/oauth2/v2.0/token")
def token(tenant: str) -> Response | tuple[Response, int]:
    """Redeem a code or a refresh token; refresh tokens are replaced on each use.

    An app that asks for itself gets a token without a user, which no mailbox here accepts.
    """
    sim, form = simulator(), request.form
    try:
        sim.logins.check_tenant(tenant)
        if form.get("grant_type") == "client_credentials":
            return _app_token(tenant)
        sim.logins.check_secret(form.get("client_secret"))
        kind = form.get("grant_type")
        if kind == "authorization_code":
            grant = sim.logins.redeem(
                form.get("code", ""),
                verifier=form.get("code_verifier", ""),
                redirect_uri=form.get("redirect_uri", ""),
                client_id=form.get("client_id", ""),
            )
        elif kind == "refresh_token":
            grant = sim.logins.refresh(form.get("refresh_token", ""))
        else:
            raise LoginError("unsupported_grant_type", 70003, f"The grant type '{kind}' is not supported.")
        access, refresh, life = sim.logins.issue(grant)
    except LoginError as error:
        return _refusal(error), 401 if error.error == "invalid_client" else 400
    mailbox = sim.state.mailboxes[grant.address]
    scopes = [part for part in (form.get("scope") or grant.scope).split() if part != "offline_access"]
    return jsonify(
        token_type="Bearer",  # noqa: S106 - the type of a token, none itself
        scope=" ".join(scopes),
        expires_in=life,
        ext_expires_in=life,
        access_token=access,
        refresh_token=refresh,
        id_token=_id_token(tenant, mailbox, grant),
        client_info=_client_info(mailbox),
    )


def _app_token(tenant: str) -> Response:
    """Answer the client credentials grant (docs, "OAuth 2.0 client credentials flow")."""
    form = request.form
    token = simulator().logins.app_token(
        tenant,
        client_id=form.get("client_id", ""),
        secret=form.get("client_secret", ""),
        scope=form.get("scope", ""),
    )
    return jsonify(token_type="Bearer", expires_in=3599, ext_expires_in=3599, access_token=token)  # noqa: S106


def _id_token(tenant: str, mailbox: Mailbox, grant: Grant) -> str:
    now = int(simulator().now().timestamp())
    claims: dict[str, object] = {
        "aud": grant.client_id,
        "iss": f"https://{AUTHORITY_HOST}/{tenant}/v2.0",
        "iat": now,
        "nbf": now,
        "exp": now + simulator().switches.access_token_seconds,
        "name": mailbox.name,
        "nonce": grant.nonce,
        "oid": mailbox.object_id,
        "preferred_username": mailbox.address,
        "sub": mailbox.object_id,
        "tid": TENANT_ID,
        "ver": "2.0",
    }
    # MSAL does not check an id token's signature; the third part only has to be there.
    return f"{_encoded({'typ': 'JWT', 'alg': 'RS256'})}.{_encoded(claims)}.c2FuZGJveA"


def _refusal(error: LoginError) -> Response:
    now = simulator().now()
    body: dict[str, object] = {
        "error": error.error,
        "error_description": f"AADSTS{error.number}: {error.description}",
        "error_codes": [error.number],
        "timestamp": short_instant(now),
        "trace_id": "5a9db0c5-0000-4000-8000-00000000e001",
        "correlation_id": request.headers.get("client-request-id", "5a9db0c5-0000-4000-8000-00000000e002"),
    }
    if error.suberror:
        body["suberror"] = error.suberror
    return jsonify(body)


@login.get("/<tenant>/v2.0/adminconsent")
@login.get("/<tenant>/adminconsent")
def admin_consent(tenant: str) -> BaseResponse | tuple[str, int]:  # noqa: ARG001
    """Grant an administrator's consent at once and go back."""
    target = request.values.get("redirect_uri", "")
    if urlsplit(target).scheme not in {"http", "https"}:
        return render_template("outlook/login_error.html", reason="The request lacks a redirect_uri."), 400
    values = {
        "admin_consent": "True",
        "tenant": TENANT_ID,
        "state": request.values.get("state", ""),
        "scope": request.values.get("scope", _GRAPH_SCOPE),
    }
    return redirect(target + ("&" if "?" in target else "?") + urlencode(values))
