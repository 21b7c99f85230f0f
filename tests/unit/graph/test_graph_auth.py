"""Logging in: real MSAL against the simulator in process, and what each refusal means."""

from __future__ import annotations

import html
import json
import re
import threading
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask

from calsync_plugin.errors import (
    CalsyncError,
    ConfigurationError,
    ReconnectNeeded,
    Throttled,
    Unauthorized,
    Unavailable,
    UnknownOutcome,
    UserError,
)
from calsync_plugin.graph.auth import Identity, Login
from calsync_plugin.graph.registration import SCOPES, Registration
from calsync_plugin.graph.tokens import MailboxToken
from calsync_plugin.http import Http
from calsync_plugin.sandbox.outlook import faults
from calsync_plugin.sandbox.outlook.app import create_app
from calsync_plugin.sandbox.outlook.identities import CLIENT_ID, TENANT_ID, object_id
from calsync_plugin.sandbox.outlook.logins import LoginError
from calsync_plugin.sandbox.outlook.simulator import Simulator
from tests.unit.graph.scripted import Said, ScriptedGraph
from tests.wsgi import WsgiAdapter

ADDRESS = "http://127.0.0.1:8702"
BACK = "http://127.0.0.1:8700/oauth/callback"


class Memory:
    """A token store that remembers every save."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.saves = 0

    def load(self, user_id: str) -> str | None:
        return self.texts.get(user_id)

    def save(self, user_id: str, text: str) -> None:
        self.texts[user_id] = text
        self.saves += 1


class Sandbox:
    """The simulator's login service, a token store, and the browser of a user."""

    def __init__(self) -> None:
        self.app: Flask = create_app()
        found = self.app.extensions["outlook"]
        assert isinstance(found, Simulator)
        self.sim = found
        self.http = Http()
        self.http.mount(ADDRESS, WsgiAdapter(self.app))
        self.store = Memory()
        self.login = self.new_login()

    def new_login(self, secret: str = "sandbox") -> Login:
        known = Registration(CLIENT_ID, secret, f"{ADDRESS}/common")
        return Login(self.http, self.store, lambda: known)

    def answer(self, address: str, **form: str) -> dict[str, str]:
        """What Microsoft posts to the redirect address after the user chose an account."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        page = self.http.send("POST", address, headers=headers, body=urlencode(form).encode()).body.decode()
        fields = re.findall(r'name="([^"]+)" value="([^"]*)"', page)
        assert BACK in html.unescape(page)
        return {name: html.unescape(value) for name, value in fields}

    def connect(self, user: str = "u1", name: str = "alice") -> Identity:
        address, flow = self.login.begin(user, BACK)
        return self.login.finish(user, flow, self.answer(address, account=f"{name}@example.com"))

    def refresh_tokens(self, user: str = "u1") -> list[str]:
        cache = json.loads(self.store.texts[user])
        return [entry["secret"] for entry in cache["RefreshToken"].values()]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox()
    yield made
    made.http.close()


def test_a_login_from_end_to_end(sandbox: Sandbox) -> None:
    address, flow = sandbox.login.begin("u1", BACK, login_hint="alice@example.com", prompt="select_account")
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert address.startswith(f"{ADDRESS}/common/oauth2/v2.0/authorize?")
    assert query["response_mode"] == "form_post"
    assert query["code_challenge_method"] == "S256"
    assert (query["login_hint"], query["prompt"]) == ("alice@example.com", "select_account")
    assert set(query["scope"].split()) == {*SCOPES, "openid", "profile", "offline_access"}
    params = sandbox.answer(address, account="alice@example.com")
    identity = sandbox.login.finish("u1", flow, params)
    assert identity == Identity(TENANT_ID, object_id("alice@example.com"), "alice@example.com", "Alice Able")
    token = sandbox.login.token("u1")
    answer = sandbox.http.send("GET", f"{ADDRESS}/v1.0/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["mail"] == "alice@example.com"
    assert sandbox.login.token("u1") == token, "a good token is not asked for again"
    assert sandbox.store.saves == 1


def test_each_refresh_is_saved_and_a_restart_goes_on(sandbox: Sandbox) -> None:
    sandbox.connect()
    seen = set(sandbox.refresh_tokens())
    for expected in (2, 3):
        sandbox.login = sandbox.new_login()
        sandbox.login.token("u1", force_refresh=True)
        seen |= set(sandbox.refresh_tokens())
        assert (len(seen), len(sandbox.refresh_tokens()), sandbox.store.saves) == (expected, 1, expected)


def test_another_account_replaces_the_first(sandbox: Sandbox) -> None:
    sandbox.connect(name="alice")
    assert sandbox.connect(name="bob").address == "bob@example.com"
    assert "alice" not in sandbox.store.texts["u1"]


def test_an_identity_can_be_refused_before_anything_is_saved(sandbox: Sandbox) -> None:
    def refuse(identity: Identity) -> None:
        raise UserError(f"{identity.address} is somebody else's")

    address, flow = sandbox.login.begin("u1", BACK)
    params = sandbox.answer(address, account="bob@example.com")
    with pytest.raises(UserError, match="is somebody else's"):
        sandbox.login.finish("u1", flow, params, accept=refuse)
    assert sandbox.store.texts == {}


def test_a_login_is_finished_once_by_who_began_it(sandbox: Sandbox) -> None:
    address, flow = sandbox.login.begin("u1", BACK)
    params = sandbox.answer(address, account="alice@example.com")
    for user, begun, said in (
        ("u2", flow, params),
        ("u1", flow, {**params, "state": "forged"}),
        ("u1", flow, {}),
        ("u1", "not json", params),
    ):
        with pytest.raises(UserError, match="not begun here"):
            sandbox.login.finish(user, begun, said)
    sandbox.login.finish("u1", flow, params)
    with pytest.raises(UserError, match="AADSTS54005"):
        sandbox.login.finish("u1", flow, params)


def test_a_declined_login_says_so(sandbox: Sandbox) -> None:
    address, flow = sandbox.login.begin("u1", BACK)
    with pytest.raises(UserError, match="declined"):
        sandbox.login.finish("u1", flow, sandbox.answer(address, answer="cancel"))


def test_a_wrong_secret_is_the_configurations(sandbox: Sandbox) -> None:
    sandbox.login = sandbox.new_login("wrong-secret")
    with pytest.raises(ConfigurationError, match=r"graph\.client_secret") as caught:
        sandbox.connect()
    assert "wrong-secret" not in str(caught.value)


REFUSALS = [
    pytest.param("invalid_grant", 50173, ReconnectNeeded, id="revoked"),
    pytest.param("invalid_grant", 700082, ReconnectNeeded, id="expired"),
    pytest.param("interaction_required", 50076, ReconnectNeeded, id="second-factor"),
    pytest.param("login_required", 50058, ReconnectNeeded, id="login"),
    pytest.param("consent_required", 65001, ReconnectNeeded, id="consent"),
    pytest.param("temporarily_unavailable", 90033, Unavailable, id="away"),
    pytest.param("server_error", 90020, Unavailable, id="server"),
    pytest.param("invalid_client", 7000215, Unauthorized, id="our-secret"),
    pytest.param("unauthorized_client", 700016, Unauthorized, id="our-registration"),
    pytest.param("invalid_scope", 70011, Unauthorized, id="any-other"),
]


@pytest.mark.parametrize(("error", "number", "meaning"), REFUSALS)
def test_a_refused_refresh(sandbox: Sandbox, error: str, number: int, meaning: type[CalsyncError]) -> None:
    sandbox.connect()
    sandbox.sim.logins.refusal = LoginError(error, number, "secret words")
    with pytest.raises(CalsyncError) as caught:
        sandbox.login.token("u1", force_refresh=True)
    assert type(caught.value) is meaning
    assert f"AADSTS{number}" in str(caught.value)
    assert "secret words" not in str(caught.value)
    if meaning is Unavailable:
        sandbox.sim.logins.refusal = None
        assert sandbox.login.token("u1", force_refresh=True), "nothing is remembered against the user"


def test_a_user_without_tokens_has_to_connect(sandbox: Sandbox) -> None:
    with pytest.raises(ReconnectNeeded):
        sandbox.login.token("u1")


TROUBLES = [
    pytest.param({"status": 429, "retry_after": 30}, Throttled, 30, id="429"),
    pytest.param({"status": 503, "retry_after": 9}, Unavailable, 9, id="503"),
    pytest.param({"status": 500}, Unavailable, None, id="500"),
    pytest.param({"drop_before": True}, UnknownOutcome, None, id="reset"),
    pytest.param({"drop_after_commit": True}, UnknownOutcome, None, id="time-out"),
]


@pytest.mark.parametrize(("fault", "meaning", "wait"), TROUBLES)
def test_troubles_of_the_login_service_pass(
    sandbox: Sandbox, fault: dict[str, object], meaning: type[CalsyncError], wait: float | None
) -> None:
    sandbox.connect()
    sandbox.sim.faults.replace([faults.parse({"times": 1, "match": {"path": "/token"}, **fault})])
    with pytest.raises(CalsyncError) as caught:
        sandbox.login.token("u1", force_refresh=True)
    assert (type(caught.value), getattr(caught.value, "retry_after", None)) == (meaning, wait)
    assert sandbox.login.token("u1", force_refresh=True)


def test_a_login_service_that_is_away_at_first_is_asked_again(sandbox: Sandbox) -> None:
    sandbox.sim.faults.replace([faults.parse({"times": 1, "match": {"path": "well-known"}, "status": 503})])
    with pytest.raises(Unavailable):
        sandbox.login.begin("u1", BACK)
    assert sandbox.login.begin("u1", BACK)


@pytest.mark.parametrize(
    "said", [Said(404, {}), Said(400, {"error": "invalid_tenant"}), Said(200, {"issuer": "x"})]
)
def test_an_authority_that_does_not_describe_itself_is_a_wrong_setting(said: Said) -> None:
    http = Http()
    http.mount("https://login.microsoftonline.com", ScriptedGraph(said))
    known = Registration("c", "s", "https://login.microsoftonline.com/t")
    login = Login(http, Memory(), lambda: known)
    with pytest.raises(ConfigurationError, match=r"graph\.authority"):
        login.begin("u1", BACK)


def test_the_authority_is_asked_for_once(sandbox: Sandbox) -> None:
    sandbox.connect()
    sandbox.sim.faults.replace([faults.parse({"match": {"path": "well-known"}, "status": 500})])
    assert sandbox.login.token("u1", force_refresh=True)


def test_the_authority_has_to_be_safe() -> None:
    with pytest.raises(ConfigurationError, match=r"graph\.authority"):
        Login(Http(), Memory(), lambda: Registration("c", "s", "http://login.example/common"))


def test_two_threads_do_not_lose_a_rotated_token(sandbox: Sandbox) -> None:
    sandbox.connect()
    sandbox.connect("u2", "bob")
    failures: list[BaseException] = []

    def refresh(user: str) -> None:
        try:
            for _ in range(5):
                sandbox.login.token(user, force_refresh=True)
        except CalsyncError as error:
            failures.append(error)

    threads = [threading.Thread(target=refresh, args=(user,)) for user in ("u1", "u1", "u1", "u2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert sandbox.store.saves == 2 + 20, "every refresh was saved"
    for user, name in (("u1", "alice"), ("u2", "bob")):
        (last,) = sandbox.refresh_tokens(user)
        issued = sandbox.sim.logins.as_json()["refresh"]
        assert list(issued).index(last) == max(
            n for n, (_, grant) in enumerate(issued.items()) if grant["address"] == f"{name}@example.com"
        )


def test_a_run_asks_for_its_token_once(sandbox: Sandbox) -> None:
    sandbox.connect()
    source = MailboxToken(sandbox.login, "u1")
    first = source.token()
    sandbox.store.texts.clear()
    assert source.token() == first
    with pytest.raises(ReconnectNeeded):
        source.token(force_refresh=True)
