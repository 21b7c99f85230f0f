"""What is sent to EspoCRM for a sign-in, and what its answers mean; the transport is a table."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from contextlib import ExitStack
from io import BytesIO
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from calsync_plugin.crm.gate import SIGN_INS_AT_ONCE, Gate, Lane
from calsync_plugin.crm.roles import CrmRole, scopes_of
from calsync_plugin.crm.sign_in import EspoSignIn
from calsync_plugin.errors import (
    CalsyncError,
    SecondFactorNeeded,
    SignInRefused,
    Unauthorized,
    Unavailable,
    UnknownOutcome,
)
from calsync_plugin.http import Http
from calsync_plugin.settings import CrmSettings

URL = "https://crm.example.com"
USER = {"id": "1", "userName": "alice", "name": "Alice Able", "type": "regular"}


class Wire(BaseAdapter):
    """Answers with what it was given, in order; the last answer stays."""

    def __init__(self, *answers: tuple[int, Mapping[str, str], object]) -> None:
        super().__init__()
        self.answers = list(answers)
        self.sent: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any) -> requests.Response:
        """Keep the request."""
        self.sent.append(request)
        status, headers, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        response = requests.Response()
        response.status_code, response.request = status, request
        response.headers.update(headers)
        response.raw = BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        return response

    def close(self) -> None:
        """Nothing is open."""


def service(wire: Wire) -> EspoSignIn:
    http = Http()
    http.mount(URL, wire)
    return EspoSignIn(CrmSettings(url=URL), http)


def told(token: str | None = "t0ken", **user: Any) -> dict[str, Any]:
    return {"user": {**USER, **user}, "token": token, "preferences": {}, "settings": {}}


def pair(request: requests.PreparedRequest) -> str:
    return base64.b64decode(request.headers["Espo-Authorization"]).decode()


def test_the_password_goes_once_and_the_token_afterwards() -> None:
    wire = Wire((200, {}, told()))
    sign_in = service(wire)
    found = sign_in.sign_in("alice", "sécret:1", "123456")
    sign_in.look_again(found.user_name, found.token)
    sign_in.sign_out(found.user_name, found.token)
    assert [pair(one) for one in wire.sent] == ["alice:sécret:1", "alice:t0ken", "alice:t0ken"]
    by_token = [one.headers.get("Espo-Authorization-By-Token") for one in wire.sent]
    assert by_token == [None, "true", "true"]
    assert [one.headers.get("Espo-Authorization-Code") for one in wire.sent] == ["123456", None, None]
    assert {one.headers["X-Requested-With"] for one in wire.sent} == {"XMLHttpRequest"}
    assert json.loads(wire.sent[2].body or b"") == {"token": "t0ken"}
    assert not any(b"s\xc3\xa9cret" in (one.body or b"") or "cret" in (one.url or "") for one in wire.sent)


@pytest.mark.parametrize(
    ("status", "headers", "body", "error"),
    [
        pytest.param(401, {}, b"", SignInRefused, id="wrong"),
        pytest.param(
            400,
            {"X-Status-Reason": "Auth: Bad authorization string provided."},
            b"",
            SignInRefused,
            id="not-decodable",
        ),
        pytest.param(
            401, {"X-Status-Reason": "second-step-required"}, b"", SecondFactorNeeded, id="code-without-body"
        ),
        pytest.param(
            401, {"X-Status-Reason": "second-step-required"}, [1], SecondFactorNeeded, id="code-odd-body"
        ),
        pytest.param(200, {}, b"<html>", UnknownOutcome, id="a-proxys-page"),
        pytest.param(200, {}, [], UnknownOutcome, id="a-list"),
        pytest.param(200, {}, {"user": {}}, UnknownOutcome, id="nobody"),
    ],
)
def test_what_an_answer_means(
    status: int, headers: dict[str, str], body: object, error: type[CalsyncError]
) -> None:
    with pytest.raises(error) as raised:
        service(Wire((status, headers, body))).sign_in("alice", "secret")
    assert type(raised.value) is error
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("kind", ["portal", "api", "system", ""])
def test_the_token_of_somebody_who_is_not_let_in_is_given_back(kind: str) -> None:
    wire = Wire((200, {}, told(type=kind)), (503, {}, b""))
    with pytest.raises(SignInRefused, match="portal or to a program"):
        service(wire).sign_in("alice", "secret")
    assert [one.path_url for one in wire.sent] == ["/api/v1/App/user", "/api/v1/App/destroyAuthToken"]


@pytest.mark.parametrize("kind", ["admin", "super-admin"])
def test_an_administrator_of_the_crm_is_one_here(kind: str) -> None:
    assert service(Wire((200, {}, told(type=kind)))).sign_in("alice", "secret").admin


@pytest.mark.parametrize(
    ("name", "password"),
    [("", "x"), ("alice", ""), ("al:ice", "x")],
    ids=["no-name", "no-password", "a-colon-would-move-the-rest-into-the-password"],
)
def test_what_cannot_be_right_is_not_sent(name: str, password: str) -> None:
    wire = Wire((200, {}, told()))
    with pytest.raises(SignInRefused):
        service(wire).sign_in(name, password)
    assert wire.sent == []


def test_roles_are_read_to_the_last_page() -> None:
    first = [{"id": f"r{n}", "name": f"Role {n}", "data": {}} for n in range(200)]
    last = [{"id": "r200", "name": "Sales", "data": {"OutlookCalendar": True, "Meeting": {"read": "all"}}}]
    wire = Wire((200, {}, {"total": 201, "list": first}), (200, {}, {"total": 201, "list": last}))
    found = service(wire).roles("admin", "t0ken")
    assert len(found) == 201
    assert found[-1] == CrmRole(id="r200", name="Sales", scopes=frozenset({"OutlookCalendar"}))
    assert ["offset=200" in (one.url or "") for one in wire.sent] == [False, True]
    assert {one.headers.get("Espo-Authorization-By-Token") for one in wire.sent} == {"true"}


def test_a_token_that_ended_keeps_nobody_else_from_signing_in() -> None:
    wire = Wire((401, {}, {}), (200, {}, told()))
    door = service(wire)
    with pytest.raises(Unauthorized):
        door.roles("admin", "ended")
    assert door.sign_in("alice", "right").user_name == "alice"
    assert [pair(one) for one in wire.sent] == ["admin:ended", "alice:right"]


def test_who_is_shut_out_alone_keeps_nobody_else_from_the_crm() -> None:
    """EspoCRM answers 403 without a reason to a whole address, and to one user as well."""
    wire = Wire((403, {}, b""), (200, {}, told()))
    http = Http()
    http.mount(URL, wire)
    gate = Gate()
    door = EspoSignIn(CrmSettings(url=URL), http, gate)
    with pytest.raises(Unavailable):
        door.sign_in("alice", "right")
    assert door.sign_in("bob", "right").user_id == "1"
    with Lane(gate).passing():
        pass


def test_strangers_keep_no_session_from_being_asked_about() -> None:
    http = Http()
    http.mount(URL, Wire((200, {}, told())))
    door = EspoSignIn(CrmSettings(url=URL), http)
    with ExitStack() as busy:
        for _ in range(SIGN_INS_AT_ONCE):
            busy.enter_context(door._lane.passing())
        with pytest.raises(Unavailable):
            door.sign_in("alice", "right")
        assert door.look_again("alice", "t0ken").user_name == "alice"


def test_a_list_of_roles_without_an_end_is_given_up() -> None:
    wire = Wire((200, {}, {"list": [{"id": "r", "name": "Again", "data": {}}] * 200}))
    with pytest.raises(UnknownOutcome, match="more than"):
        service(wire).roles("admin", "t0ken")
    assert len(wire.sent) == 10


@pytest.mark.parametrize("body", [[], {"list": None}, {"list": [1]}, b"<html>"])
def test_an_odd_answer_is_no_list_of_roles(body: object) -> None:
    with pytest.raises(UnknownOutcome):
        service(Wire((200, {}, body))).roles("admin", "t0ken")


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        pytest.param({"A": True, "B": False, "C": {"read": "all"}, "D": "yes", "E": 1}, {"A"}, id="mixed"),
        pytest.param([], set(), id="phps-empty-map"),
        pytest.param(None, set(), id="nothing"),
    ],
)
def test_the_scopes_of_a_table(table: object, expected: set[str]) -> None:
    assert scopes_of(table) == expected


@pytest.mark.parametrize(("setting", "expected"), [(True, True), (False, False), (None, True)])
def test_whether_roles_tell_everything(setting: bool | None, expected: bool) -> None:
    answer = {**told(), "settings": {"aclStrictMode": setting} if setting is not None else {}}
    assert service(Wire((200, {}, answer))).sign_in("alice", "secret").strict is expected


@pytest.mark.parametrize(
    ("preferences", "settings", "configured", "expected"),
    [
        pytest.param({"timeZone": "Asia/Kolkata"}, {"timeZone": "UTC"}, "", "Asia/Kolkata", id="own"),
        pytest.param({"timeZone": ""}, {"timeZone": "Europe/Vienna"}, "", "Europe/Vienna", id="installation"),
        pytest.param(
            {"timeZone": None}, {"timeZone": "UTC"}, "Europe/Vienna", "Europe/Vienna", id="configured"
        ),
        pytest.param([], [], "", "", id="not-told"),
        pytest.param({"timeZone": "../../etc/passwd"}, {}, "", "", id="no-zone"),
        pytest.param({"timeZone": {"a": 1}}, {"timeZone": "UTC"}, "", "UTC", id="odd"),
    ],
)
def test_whose_time_zone(preferences: object, settings: object, configured: str, expected: str) -> None:
    answer = {**told(), "preferences": preferences, "settings": settings}
    http = Http()
    http.mount(URL, Wire((200, {}, answer)))
    sign_in = EspoSignIn(CrmSettings(url=URL, time_zone=configured), http)
    assert sign_in.sign_in("alice", "secret").time_zone == expected
