"""Who may log in, how, and when nobody may."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from calsync_plugin.sandbox.crm.identities import ALICE_ID, CAROL_ID, HMAC_API_KEY, HMAC_SECRET, ROLE_SALES_ID
from tests.contract.crm.conftest import Sandbox


def signed(method: str, path: str, *, secret: str = HMAC_SECRET, binary: bool = False) -> dict[str, str]:
    digest = hmac.new(secret.encode(), f"{method} {path}".encode(), hashlib.sha256)
    tail = digest.digest() if binary else digest.hexdigest().encode()
    return {"X-Hmac-Authorization": base64.b64encode(f"{HMAC_API_KEY}:".encode() + tail).decode()}


def login(text: str) -> dict[str, str]:
    return {"Espo-Authorization": base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"X-Api-Key": "sandbox"}, 200, id="key"),
        pytest.param({"X-Api-Key": "bad"}, 401, id="bad key"),
        pytest.param({"X-Api-Key": HMAC_API_KEY}, 401, id="a signing user's key alone"),
        pytest.param(signed("GET", "/Meeting"), 200, id="hmac"),
        pytest.param(signed("GET", "/Meeting", binary=True), 200, id="hmac, binary"),
        pytest.param(signed("GET", "/Call"), 401, id="hmac of another path"),
        pytest.param(signed("GET", "/Meeting", secret="other"), 401, id="hmac, wrong secret"),
        pytest.param(login("alice:sandbox"), 200, id="password"),
        pytest.param(login("alice:wrong"), 401, id="wrong password"),
        pytest.param(login("nobody:sandbox"), 401, id="unknown user"),
        pytest.param(login("bridge-api:sandbox"), 401, id="API users have no password"),
        pytest.param({"Espo-Authorization": "nocolon"}, 400, id="no pair"),
        pytest.param(
            {"Authorization": "Basic " + login("bob:sandbox")["Espo-Authorization"]}, 200, id="basic"
        ),
        pytest.param({}, 401, id="nothing"),
    ],
)
def test_login(sandbox: Sandbox, headers: dict[str, str], status: int) -> None:
    response = sandbox.client.get("/api/v1/Meeting?maxSize=1", headers=headers)

    assert response.status_code == status
    assert ("WWW-Authenticate" in response.headers) is (not headers)


def test_token(sandbox: Sandbox) -> None:
    found = sandbox.ok("GET", "App/user", by="alice")
    token = found["token"]
    assert found["user"]["id"] == ALICE_ID
    with_token = {**login(f"alice:{token}"), "Espo-Authorization-By-Token": "true"}
    assert sandbox.client.get("/api/v1/App/user", headers=with_token).status_code == 200
    assert sandbox.client.get("/api/v1/App/user", headers=login(f"bob:{token}")).status_code == 401

    sandbox.ok("POST", "App/destroyAuthToken", {"token": token}, by="alice")

    assert sandbox.client.get("/api/v1/App/user", headers=with_token).status_code == 401


def test_token_bound_to_a_cookie(sandbox: Sandbox) -> None:
    asked = {**login("alice:sandbox"), "Espo-Authorization-Create-Token-Secret": "true"}
    answer = sandbox.client.get("/api/v1/App/user", headers=asked)
    assert answer.json is not None
    cookie = answer.headers["Set-Cookie"].split(";")[0]
    with_token = login(f"alice:{answer.json['token']}")

    assert sandbox.client.get("/api/v1/App/user", headers=with_token).status_code == 401
    assert sandbox.client.get("/api/v1/App/user", headers={**with_token, "Cookie": cookie}).status_code == 200


def test_api_user_knows_its_access(sandbox: Sandbox) -> None:
    found = sandbox.ok("GET", "App/user")

    assert found["token"] is None
    assert found["acl"]["table"]["Meeting"]["edit"] == "all"
    assert found["acl"]["fieldTable"]["Meeting"] == {"uid": {"read": "no", "edit": "no"}}
    assert "Webhook" not in sandbox.ok("GET", "App/user", by="alice")["acl"]["table"]


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        pytest.param(None, 401, "second-step-required", id="no code"),
        pytest.param("000000", 401, None, id="wrong code"),
        pytest.param("123456", 200, None, id="right code"),
    ],
)
def test_second_factor(sandbox: Sandbox, code: str | None, status: int, reason: str | None) -> None:
    sandbox.crm.settings.two_factor = {"alice": "123456"}
    headers = {"Espo-Authorization-Code": code} if code else {}

    response = sandbox.client.get("/api/v1/App/user", headers={**login("alice:sandbox"), **headers})

    assert (response.status_code, response.headers.get("X-Status-Reason")) == (status, reason)


def test_too_many_failures_lock_the_address_out(sandbox: Sandbox) -> None:
    for _ in range(11):
        assert sandbox.client.get("/api/v1/App/user", headers=login("alice:wrong")).status_code == 401

    assert sandbox.call("GET", "App/user", by="alice").status_code == 403
    assert sandbox.call("GET", "Meeting").status_code == 403
    sandbox.later(61)
    assert sandbox.call("GET", "Meeting").status_code == 200


def test_ten_failures_do_not(sandbox: Sandbox) -> None:
    for _ in range(10):
        sandbox.client.get("/api/v1/App/user", headers=login("alice:wrong"))

    assert sandbox.call("GET", "Meeting").status_code == 200


def test_another_user_is_for_admins(sandbox: Sandbox) -> None:
    assert sandbox.ok("GET", "App/user", by="admin", X_Another_User="alice")["user"]["id"] == ALICE_ID
    assert sandbox.call("GET", "App/user", X_Another_User="alice").status_code == 401


def test_an_inactive_user_cannot_log_in(sandbox: Sandbox) -> None:
    sandbox.ok("PUT", f"User/{CAROL_ID}", {"isActive": False}, by="admin")

    assert sandbox.call("GET", "App/user", by="carol").status_code == 401


def test_metadata_names_the_event_types(sandbox: Sandbox) -> None:
    found = sandbox.ok("GET", "Metadata")

    assert {name for name, scope in found["scopes"].items() if scope.get("type") == "Event"} == {"Visit"}
    assert {name for name, scope in found["scopes"].items() if scope["calendar"]} == {
        "Meeting",
        "Call",
        "Visit",
    }
    assert "location" in sandbox.ok("GET", "Metadata?key=entityDefs.Visit.fields")
    assert "location" not in found["entityDefs"]["Meeting"]["fields"]


def test_a_users_access(sandbox: Sandbox) -> None:
    table = sandbox.ok("GET", f"User/{ALICE_ID}/acl", by="alice")["table"]
    assert (table["Meeting"]["edit"], table["Webhook"], table["ExternalAccount"]) == ("own", False, True)
    assert sandbox.call("GET", f"User/{ALICE_ID}/acl", by="bob").status_code == 403


def test_a_grant_of_an_extension_shows_up(sandbox: Sandbox) -> None:
    sandbox.ok("PUT", f"Role/{ROLE_SALES_ID}", {"data": {"OutlookCalendar": True}}, by="admin")

    assert sandbox.ok("GET", "App/user", by="alice")["acl"]["table"]["OutlookCalendar"] is True
    assert "OutlookCalendar" not in sandbox.ok("GET", "App/user")["acl"]["table"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("POST", "Meeting/x", id="method"),
        pytest.param("PATCH", "Settings", id="settings"),
        pytest.param("GET", "a/b/c/d", id="path"),
    ],
)
def test_unknown_routes(sandbox: Sandbox, method: str, path: str) -> None:
    assert sandbox.call(method, path).status_code == 404
