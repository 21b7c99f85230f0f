"""An administrator's session: one password, one token, and a log-out whatever happens."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

import pytest

from calsync_plugin.crm.administrator import AdminLogin, administrator
from calsync_plugin.errors import SecondFactorNeeded, SignInRefused, Unauthorized, UnknownOutcome
from calsync_plugin.http import Answer, Http
from calsync_plugin.settings import CrmSettings
from tests.unit.crm.recordings import ADDRESS, Player, Sent, ok, reason

SETTINGS = CrmSettings(url=f"{ADDRESS}/", api_key="the bridge's key")
LOGIN = AdminLogin("admin", "secret", lambda _: "123456")


@dataclass
class Server:
    """Knows one administrator; `factor`: it wants a code, `status`: how it answers what is asked."""

    kind: str = "admin"
    factor: bool = False
    status: int = 200
    sign_out: int = 200
    seen: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, sent: Sent) -> Answer:
        name, _, secret = base64.b64decode(sent.headers["Espo-Authorization"]).decode().partition(":")
        self.seen.append((f"{sent.method} {sent.path}", secret))
        assert name == "admin"
        assert "X-Api-Key" not in sent.headers
        if sent.path == "App/destroyAuthToken":
            return Answer(self.sign_out, {}, b"true") if self.sign_out == 200 else reason(self.sign_out, None)
        if sent.path != "App/user":
            assert sent.headers["Espo-Authorization-By-Token"] == "true"
            return ok({"path": sent.path, "payload": sent.payload}) if self.status == 200 else self._refused()
        if self.factor and "Espo-Authorization-Code" not in sent.headers:
            return reason(401, "second-step-required", {"message": "enterTotpCode"})
        user = {"id": "1", "userName": "admin", "type": self.kind}
        return ok({"user": user, "token": "the token", "preferences": {}, "settings": {}})

    def _refused(self) -> Answer:
        return reason(self.status, None)


def http_of(server: Server) -> Http:
    http = Http()
    http.mount("http://", Player(server))
    return http


def test_the_password_is_sent_once_and_the_token_afterwards() -> None:
    server = Server()

    with administrator(SETTINGS, http_of(server), LOGIN) as admin:
        answer: Any = admin.call("POST", "Role", payload={"name": "ü"})
        admin.get("User", record_id="a/b")

    assert answer == {"path": "Role", "payload": {"name": "ü"}}
    assert server.seen == [
        ("GET App/user", "secret"),
        ("POST Role", "the token"),
        ("GET User/a/b", "the token"),
        ("POST App/destroyAuthToken", "the token"),
    ]


def test_the_second_factor() -> None:
    server = Server(factor=True)

    with administrator(SETTINGS, http_of(server), LOGIN):
        pass
    assert [what for what, _ in server.seen] == ["GET App/user", "GET App/user", "POST App/destroyAuthToken"]

    nobody = AdminLogin("admin", "secret", lambda _: " ")
    with pytest.raises(SecondFactorNeeded), administrator(SETTINGS, http_of(server), nobody):
        pass


def test_who_is_no_administrator_is_signed_out_again() -> None:
    server = Server(kind="regular")

    with (
        pytest.raises(SignInRefused, match="no administrator"),
        administrator(SETTINGS, http_of(server), LOGIN),
    ):
        pass

    assert server.seen[-1] == ("POST App/destroyAuthToken", "the token")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, UnknownOutcome("x")])
def test_whatever_happens_the_session_ends(error: type[BaseException] | BaseException) -> None:
    server = Server()

    with pytest.raises(BaseException) as raised, administrator(SETTINGS, http_of(server), LOGIN):  # noqa: PT011
        raise error

    assert not isinstance(raised.value, AssertionError)
    assert server.seen[-1] == ("POST App/destroyAuthToken", "the token")


def test_a_session_that_espocrm_ended() -> None:
    server = Server(status=401)

    with (
        pytest.raises(Unauthorized, match="ended the administrator's session; run the command again"),
        administrator(SETTINGS, http_of(server), LOGIN) as admin,
    ):
        admin.get("Role")


def test_a_log_out_that_fails_is_told_without_the_token(caplog: pytest.LogCaptureFixture) -> None:
    with administrator(SETTINGS, http_of(Server(sign_out=500)), LOGIN):
        pass

    assert "Administration > Auth Tokens" in caplog.text
    assert "the token" not in caplog.text


def test_a_login_is_not_shown() -> None:
    assert "secret" not in repr(LOGIN)
