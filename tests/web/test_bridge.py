"""The bridge's addresses: health, the login's end, hardened answers, and one line if it cannot start."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.test import Client, TestResponse

from calsync_plugin.accounts.setup import check_services, set_up_webhooks
from calsync_plugin.errors import ConfigurationError
from calsync_plugin.web.app import create_app
from tests.world import ALICE, BOB, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def client(world: World) -> Client:
    return Client(create_app(world.app))


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_addresses_answer(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


def test_ready_counts_what_waits(world: World, client: Client) -> None:
    world.save()
    assert client.get("/readyz").get_json() == {"status": "ready", "waiting": {"unrouted": 1, "routed": 0}}


def test_an_unknown_address_is_explained_to_people_and_to_programs(client: Client) -> None:
    page, answer = client.get("/nowhere"), client.get("/api/v1/nowhere")
    assert (page.status_code, "Not here" in page.text) == (404, True)
    assert (answer.status_code, answer.is_json) == (404, True)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_webhook_address_takes_posts_only(client: Client, method: str) -> None:
    assert client.open("/webhooks/crm/Meeting.create", method=method).status_code == 405


def _brought(client: Client, answer: dict[str, str]) -> TestResponse:
    """What a browser shows that Microsoft's page sent with its answer."""
    return client.post("/oauth/callback", data=answer, follow_redirects=True)


def _answered(client: Client, question: TestResponse, answer: str) -> TestResponse:
    """What a browser shows once the question whether to use that account is answered."""
    fields = dict(re.findall(r'name="(csrf_token|ticket)" value="([^"]+)"', question.text))
    return client.post("/oauth/answer", data={**fields, "answer": answer}, follow_redirects=True)


class TestLogin:
    def test_a_login_ends_with_the_address_that_was_connected(self, world: World, client: Client) -> None:
        page = world.app.connections.begin(ALICE, login_hint="alice@example.com", prompt="none")
        question = _brought(client, world.signed_in(page))
        assert question.status_code == 200
        account = world.app.store.accounts.get(ALICE)
        assert account is not None
        assert account.mailbox_id is None
        answer = _answered(client, question, "yes")
        assert "alice@example.com" in answer.text
        account = world.app.store.accounts.get(ALICE)
        assert account is not None
        assert (account.status.value, account.zone) == ("connected", "W. Europe Standard Time")

    def test_an_answer_is_taken_once(self, world: World, client: Client) -> None:
        page = world.app.connections.begin(ALICE, login_hint="alice@example.com", prompt="none")
        answer = world.signed_in(page)
        assert _brought(client, answer).status_code == 200
        again = _brought(client, answer)
        assert again.status_code == 400
        assert "not known or took too long" in again.text

    def test_a_login_that_took_too_long(self, world: World, client: Client) -> None:
        page = world.app.connections.begin(ALICE, login_hint="alice@example.com", prompt="none")
        answer = world.signed_in(page)
        world.clock.advance(601)
        assert _brought(client, answer).status_code == 400

    @pytest.mark.parametrize(
        "parameters",
        [
            pytest.param({}, id="empty"),
            pytest.param({"state": "forged", "code": "1"}, id="forged-state"),
            pytest.param({"state": "x", "error": "access_denied"}, id="denied-unknown"),
        ],
    )
    def test_what_was_not_begun_here(self, client: Client, parameters: dict[str, str]) -> None:
        assert _brought(client, parameters).status_code == 400

    def test_a_declined_consent_says_so_and_connects_nobody(self, world: World, client: Client) -> None:
        page = world.app.connections.begin(ALICE, login_hint="alice@example.com")
        state = parse_qs(urlsplit(page).query)["state"][0]
        answer = _brought(client, {"state": state, "error": "access_denied"})
        assert answer.status_code == 400
        account = world.app.store.accounts.get(ALICE)
        assert account is not None
        assert account.mailbox_id is None

    def test_r18_a_mailbox_has_one_user(self, world: World, client: Client) -> None:
        world.connect(ALICE)
        page = world.app.connections.begin(BOB, login_hint="alice@example.com", prompt="none")
        answer = _brought(client, world.signed_in(page))
        assert answer.status_code == 400
        assert "Share its calendar with your own Outlook account" in answer.text
        assert world.app.store.tokens.load(BOB) is None

    def test_an_error_is_escaped(self, world: World, client: Client) -> None:
        page = world.app.connections.begin(ALICE)
        state = parse_qs(urlsplit(page).query)["state"][0]
        hostile = {"state": state, "error": "x", "error_description": "<script>alert(1)</script>"}
        assert "<script>" not in _brought(client, hostile).text


class TestStart:
    def test_webhooks_are_made_once(self, world: World) -> None:
        set_up_webhooks(world.app)
        made = {w.id for w in world.app.store.webhooks.all()}
        set_up_webhooks(world.app)
        assert {w.id for w in world.app.store.webhooks.all()} == made
        assert len(made) == 12

    def test_a_wrong_key_is_one_line(self, tmp_path: Path) -> None:
        world = World(tmp_path, crm_key="wrong")
        with pytest.raises(ConfigurationError, match=r"crm\.api_key: the CRM does not accept the key"):
            check_services(world.app)
        world.close()

    @pytest.mark.parametrize(
        ("part", "address", "path"),
        [
            pytest.param("crm", "http://127.0.0.1:9", "crm.url", id="crm"),
            pytest.param("graph", "http://127.0.0.1:9/v1.0", "graph.url", id="graph"),
        ],
    )
    def test_an_unreachable_service_is_one_line(
        self, tmp_path: Path, part: str, address: str, path: str
    ) -> None:
        world = World(tmp_path)
        settings = world.settings
        world.app.store.close()
        if part == "crm":
            world.settings = replace(settings, crm=replace(settings.crm, url=address))
        else:
            world.settings = replace(settings, graph=replace(settings.graph, url=address))
        with pytest.raises(ConfigurationError) as caught:
            check_services(world.open())
        assert caught.value.path == path
        world.close()
