"""Real MSAL logs in against the simulator: authorization code with PKCE, silent refresh, refusals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msal  # type: ignore[import-untyped]
import pytest
import requests
from requests.adapters import HTTPAdapter

from calsync_plugin.sandbox.outlook import Simulator
from calsync_plugin.sandbox.outlook.clock import MovableClock
from calsync_plugin.sandbox.outlook.identities import CLIENT_ID, CLIENT_SECRET, TENANT_ID, object_id
from calsync_plugin.sandbox.outlook.server import BackgroundServer

AUTHORITY = "https://login.sandbox.invalid/common"
REDIRECT = "http://127.0.0.1:8700/oauth/callback"
SCOPES = ["https://graph.microsoft.com/Calendars.ReadWrite"]
# The MSAL of the tests judges life times by real time; the simulator's clock is frozen elsewhere.
pytestmark = pytest.mark.usefixtures("real_time")

# MSAL advises against it, and others use it.
QUERY = pytest.mark.filterwarnings("ignore:response_mode")


@pytest.fixture
def real_time(sim: Simulator) -> None:
    sim.clock = MovableClock()


class Forward(HTTPAdapter):
    """Takes MSAL's https authority to the simulator's plain address."""

    def __init__(self, target: str) -> None:
        super().__init__()
        self._target = target

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        assert request.url is not None
        request.url = request.url.replace("https://login.sandbox.invalid", self._target)
        return super().send(request, *args, **more)


@pytest.fixture
def http(server: BackgroundServer) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://login.sandbox.invalid/", Forward(server.url))
        yield session


def application(http: requests.Session, **more: Any) -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(
        CLIENT_ID,
        client_credential=more.pop("secret", CLIENT_SECRET),
        authority=AUTHORITY,
        instance_discovery=False,
        http_client=http,
        **more,
    )


def authorize(
    http: requests.Session, flow: dict[str, Any], *, account: str = "alice@example.com"
) -> dict[str, str]:
    """Do what a browser and its user do: open the page, pick an account; return what the client's page
    receives.
    """
    with http.get(flow["auth_uri"], timeout=60) as page:
        assert page.status_code == 200
        assert f'value="{account}"' in page.text
    fields = dict(parse_qsl(urlsplit(flow["auth_uri"]).query))
    answer = http.post(
        flow["auth_uri"].split("?")[0], data={**fields, "account": account}, timeout=60, allow_redirects=False
    )
    assert answer.status_code == 200
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.text))


def log_in(http: requests.Session, app: msal.ConfidentialClientApplication) -> dict[str, Any]:
    flow = app.initiate_auth_code_flow(SCOPES, redirect_uri=REDIRECT, response_mode="form_post")
    result = app.acquire_token_by_auth_code_flow(flow, authorize(http, flow))
    assert "access_token" in result, result
    return dict(result)


def test_code_flow_gives_a_token_that_graph_takes(server: BackgroundServer, http: requests.Session) -> None:
    result = log_in(http, application(http))
    claims = result["id_token_claims"]
    assert (claims["preferred_username"], claims["oid"]) == (
        "alice@example.com",
        object_id("alice@example.com"),
    )
    assert claims["tid"] == TENANT_ID
    got = http.get(
        f"{server.url}/v1.0/me", headers={"Authorization": f"Bearer {result['access_token']}"}, timeout=5
    )
    assert got.json()["mail"] == "alice@example.com"


def test_silent_refresh_replaces_the_refresh_token(http: requests.Session) -> None:
    cache = msal.SerializableTokenCache()
    app = application(http, token_cache=cache)
    first = log_in(http, app)
    (account,) = app.get_accounts()
    assert account["home_account_id"] == f"{object_id('alice@example.com')}.{TENANT_ID}"
    again = app.acquire_token_silent_with_error(SCOPES, account=account, force_refresh=True)
    assert again is not None
    assert again["access_token"] != first["access_token"]
    kept = cache.search(msal.TokenCache.CredentialType.REFRESH_TOKEN)
    assert [token["secret"] for token in kept] != [first["refresh_token"]]


@QUERY
def test_hint_without_prompt_goes_back_at_once(http: requests.Session) -> None:
    app = application(http)
    flow = app.initiate_auth_code_flow(
        SCOPES, redirect_uri=REDIRECT, login_hint="bob@example.com", prompt="none", response_mode="query"
    )
    answer = http.get(flow["auth_uri"], timeout=60, allow_redirects=False)
    assert answer.status_code == 302
    received = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    result = app.acquire_token_by_auth_code_flow(flow, received)
    assert result["id_token_claims"]["preferred_username"] == "bob@example.com"


def test_code_works_once(http: requests.Session) -> None:
    app = application(http)
    flow = app.initiate_auth_code_flow(SCOPES, redirect_uri=REDIRECT, response_mode="form_post")
    received = authorize(http, flow)
    assert "access_token" in app.acquire_token_by_auth_code_flow(flow, received)
    second = application(http).acquire_token_by_auth_code_flow(flow, received)
    assert (second["error"], second["error_codes"]) == ("invalid_grant", [54005])


def test_wrong_verifier_is_refused(http: requests.Session) -> None:
    app = application(http)
    flow = app.initiate_auth_code_flow(SCOPES, redirect_uri=REDIRECT, response_mode="form_post")
    received = authorize(http, flow)
    result = app.acquire_token_by_auth_code_flow({**flow, "code_verifier": "x" * 43}, received)
    assert result["error_codes"] == [501481]


def test_wrong_secret_is_refused(http: requests.Session) -> None:
    app = application(http, secret="wrong")
    flow = app.initiate_auth_code_flow(SCOPES, redirect_uri=REDIRECT, response_mode="form_post")
    result = app.acquire_token_by_auth_code_flow(flow, authorize(http, flow))
    assert result["error"] == "invalid_client"


def test_revoked_user_has_to_log_in_again(server: BackgroundServer, http: requests.Session) -> None:
    app = application(http)
    token = log_in(http, app)["access_token"]
    http.post(f"{server.url}/control/tokens/revoke", json={"address": "alice@example.com"}, timeout=60)
    got = http.get(f"{server.url}/v1.0/me", headers={"Authorization": f"Bearer {token}"}, timeout=60)
    assert (got.status_code, got.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
    (account,) = app.get_accounts()
    refused = app.acquire_token_silent_with_error(SCOPES, account=account, force_refresh=True)
    assert refused is not None
    assert refused["error"] == "invalid_grant"
    assert "access_token" in log_in(http, application(http))


def test_injected_refusal_carries_its_number(server: BackgroundServer, http: requests.Session) -> None:
    app = application(http)
    log_in(http, app)
    body = {"error": "invalid_grant", "number": 700082, "description": "The refresh token has expired."}
    http.put(f"{server.url}/control/tokens/refusal", json=body, timeout=60)
    (account,) = app.get_accounts()
    refused = app.acquire_token_silent_with_error(SCOPES, account=account, force_refresh=True)
    assert refused is not None
    assert (refused["error"], refused["error_codes"]) == ("invalid_grant", [700082])
    assert refused["error_description"].startswith("AADSTS700082")


def test_access_token_expires_by_the_clock(
    server: BackgroundServer, http: requests.Session, sim: Simulator
) -> None:
    token = log_in(http, application(http))["access_token"]
    assert isinstance(sim.clock, MovableClock)
    sim.clock.advance(3601)
    got = http.get(f"{server.url}/v1.0/me", headers={"Authorization": f"Bearer {token}"}, timeout=60)
    assert got.status_code == 401


@QUERY
def test_declining_goes_back_with_an_error(http: requests.Session) -> None:
    app = application(http)
    flow = app.initiate_auth_code_flow(SCOPES, redirect_uri=REDIRECT, response_mode="query")
    answer = http.get(flow["auth_uri"] + "&answer=cancel", timeout=60, allow_redirects=False)
    received = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    assert received["error"] == "access_denied"
    assert received["state"] == flow["state"]


def test_admin_consent_goes_back(server: BackgroundServer, http: requests.Session) -> None:
    answer = http.get(
        f"{server.url}/organizations/v2.0/adminconsent",
        params={"client_id": CLIENT_ID, "redirect_uri": REDIRECT, "state": "s1", "scope": SCOPES[0]},
        timeout=60,
        allow_redirects=False,
    )
    received = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    assert (received["admin_consent"], received["tenant"], received["state"]) == ("True", TENANT_ID, "s1")


def test_form_without_redirect_is_refused(server: BackgroundServer, http: requests.Session) -> None:
    answer = http.get(f"{server.url}/common/oauth2/v2.0/authorize?response_type=code", timeout=60)
    assert answer.status_code == 400


APP_ALONE = [
    pytest.param(CLIENT_ID, CLIENT_SECRET, TENANT_ID, "", id="accepted"),
    pytest.param(CLIENT_ID, CLIENT_SECRET, "example.com", "", id="by-domain"),
    pytest.param(CLIENT_ID, "wrong", TENANT_ID, "invalid_client AADSTS7000215", id="wrong-secret"),
    pytest.param("unknown", CLIENT_SECRET, TENANT_ID, "unauthorized_client AADSTS700016", id="unknown-app"),
]


@pytest.mark.parametrize(("client_id", "secret", "tenant", "refusal"), APP_ALONE)
def test_an_app_asks_for_itself(
    http: requests.Session, client_id: str, secret: str, tenant: str, refusal: str
) -> None:
    app = msal.ConfidentialClientApplication(
        client_id,
        client_credential=secret,
        authority=f"https://login.sandbox.invalid/{tenant}",
        instance_discovery=False,
        http_client=http,
    )
    result = app.acquire_token_for_client(["https://graph.microsoft.com/.default"])
    said = f"{result.get('error', '')} {str(result.get('error_description', '')).partition(':')[0]}".strip()
    assert (said, "access_token" in result) == (refusal, not refusal)


def test_what_an_app_must_say_to_ask_for_itself(http: requests.Session) -> None:
    form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    form |= {"scope": "https://graph.microsoft.com/.default"}

    def refused(tenant: str = TENANT_ID, **otherwise: str) -> tuple[int, list[int]]:
        place = f"https://login.sandbox.invalid/{tenant}/oauth2/v2.0/token"
        answer = http.post(place, data={**form, **otherwise}, timeout=60)
        return answer.status_code, answer.json().get("error_codes")

    assert refused(scope="User.Read") == (400, [1002012])
    assert refused(client_secret="") == (401, [7000218])
    assert refused("common") == (400, [50059]), "MSAL itself warns of it"


def test_a_tenant_that_does_not_exist_is_refused(http: requests.Session) -> None:
    place = "https://login.sandbox.invalid/nowhere.example/v2.0/.well-known/openid-configuration"
    answer = http.get(place, timeout=60)
    assert (answer.status_code, answer.json()["error_codes"]) == (400, [90002])
