"""`/api/v1`: as its description says, and nobody reaches what is somebody else's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from openapi_core import OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest, WerkzeugOpenAPIResponse
from werkzeug.datastructures import Headers
from werkzeug.test import Client, EnvironBuilder, TestResponse
from werkzeug.wrappers import Request

from calsync_plugin.hookspecs import Caller, PageRequest, hookimpl
from calsync_plugin.web.api import DESCRIPTION
from calsync_plugin.web.app import create_app
from tests.world import ADMIN_ID, ALICE, BOB, CAROL, World

TOKEN = "an-administrators-token-of-32-characters"
ADMIN = {"Authorization": f"Bearer {TOKEN}"}
ROOT = "http://localhost/api/v1"


class Sessions:
    """A host whose programs name their user in a header, and whose pages have a cookie."""

    def __init__(self) -> None:
        self.seen: list[PageRequest] = []

    @hookimpl
    def calsync_authenticate(self, request: PageRequest) -> str | Caller | None:
        """The user of the header, else of the cookie."""
        self.seen.append(request)
        user_id = request.headers.get("X-User") or request.cookies.get("crm_session")
        return Caller(user_id=user_id[1:], admin=True) if user_id and user_id[0] == "+" else user_id or None


class Broken:
    """A plugin that fails."""

    @hookimpl
    def calsync_authenticate(self, request: PageRequest) -> str | None:
        raise ValueError(request)


@cache
def description() -> OpenAPI:
    """The description, read once: that takes longer than a test."""
    return OpenAPI.from_dict(dict(DESCRIPTION), base_uri=ROOT)


def user(user_id: str) -> dict[str, str]:
    return {"X-User": user_id}


class Program:
    """A program that uses the API; every answer is held against the description."""

    def __init__(self, world: World, *plugins: object) -> None:
        world.settings = replace(world.settings, serve=replace(world.settings.serve, api_token=TOKEN))
        # Its own jar would take the place of the cookies that a test sends.
        self._client = Client(create_app(world.open(*plugins)), use_cookies=False)

    def ask(self, method: str, path: str, headers: dict[str, str], json: Any = None) -> TestResponse:
        answer = self.send(method, path, headers=headers, **({} if json is None else {"json": json}))
        request = Request(
            EnvironBuilder(
                path=f"/api/v1{path.partition('?')[0]}",
                query_string=path.partition("?")[2],
                method=method,
                headers=Headers(headers),
                **({} if json is None else {"json": json}),
            ).get_environ()
        )
        description().validate_response(WerkzeugOpenAPIRequest(request), WerkzeugOpenAPIResponse(answer))
        return answer

    def send(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        """The same without the description: for what it does not describe."""
        return self._client.open(f"/api/v1{path}", method=method, **kwargs)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Alice and bob are connected; a record of alice is older than that."""
    made = World(tmp_path)
    made.save(name="Old", usersIds=[ALICE, BOB])
    made.clock.advance(60)
    made.connect(ALICE)
    made.connect(BOB)
    made.settle()
    yield made
    made.close()


@pytest.fixture
def program(world: World) -> Program:
    return Program(world, Sessions())


# Who asks --------------------------------------------------------------------------------------------------

READS = ["/accounts", f"/accounts/{ALICE}", f"/accounts/{ALICE}/clashes", f"/accounts/{ALICE}/backfill"]
CHANGES = [f"/accounts/{ALICE}/backfill", f"/accounts/{ALICE}/sync"]
STRANGERS = [
    pytest.param({}, id="nobody"),
    pytest.param({"Authorization": "Bearer"}, id="empty"),
    pytest.param({"Authorization": f"Bearer {TOKEN}x"}, id="wrong"),
    pytest.param({"Authorization": f"Bearer {TOKEN[:-1]}"}, id="cut"),
    pytest.param({"Authorization": f"Basic {TOKEN}"}, id="another-scheme"),
    pytest.param({"Authorization": "Bearer \u00e4"}, id="no-ascii"),
    pytest.param({"Cookie": f"crm_session={ALICE}"}, id="a-cookie"),
]


@pytest.mark.parametrize("headers", STRANGERS)
def test_a_stranger_reads_and_changes_nothing(
    world: World, program: Program, headers: dict[str, str]
) -> None:
    before = world.account(ALICE), world.app.store.changes.waiting()
    for path in READS:
        answer = program.ask("GET", path, headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    for path in CHANGES:
        assert program.ask("POST", path, headers, json={"fingerprint": "x"}).status_code == 401
    assert (world.account(ALICE), world.app.store.changes.waiting()) == before


def test_without_a_configured_token_no_token_is_good(world: World) -> None:
    client = Client(create_app(world.app))
    assert world.settings.serve.api_token == ""
    for given in ("", " ", "None"):
        answer = client.get("/api/v1/accounts", headers={"Authorization": f"Bearer {given}"})
        assert answer.status_code == 401


def test_a_plugin_that_fails_knows_nobody(world: World) -> None:
    program = Program(world, Broken())
    assert program.ask("GET", f"/accounts/{ALICE}", user(ALICE)).status_code == 401
    assert program.ask("GET", f"/accounts/{ALICE}", ADMIN).status_code == 200


def test_the_host_sees_no_cookie(world: World) -> None:
    sessions = Sessions()
    Program(world, sessions).ask("GET", f"/accounts/{ALICE}", {"Cookie": "crm_session=x", **user(ALICE)})
    (seen,) = sessions.seen
    assert dict(seen.cookies) == {}
    assert "cookie" not in {name.lower() for name, _ in seen.headers.items()}


def test_another_users_account_is_out_of_reach(world: World, program: Program) -> None:
    before = world.account(ALICE), world.app.store.changes.waiting()
    for path in READS:
        answer = program.ask("GET", path, user(BOB))
        assert answer.status_code == 403
        assert "Old" not in answer.text
        assert "alice" not in answer.text
    for path in CHANGES:
        assert program.ask("POST", path, user(BOB), json={"fingerprint": "x"}).status_code == 403
    assert (world.account(ALICE), world.app.store.changes.waiting()) == before


def test_who_may_not_look_does_not_learn_who_exists(program: Program) -> None:
    there = program.ask("GET", f"/accounts/{ALICE}", user(BOB))
    nowhere = program.ask("GET", f"/accounts/{CAROL}", user(BOB))
    assert (there.status_code, there.get_json()) == (nowhere.status_code, nowhere.get_json())


@pytest.mark.parametrize("headers", [ADMIN, user("+admin")], ids=["token", "admin-of-the-host"])
def test_clashes_are_for_their_users_eyes_alone(
    world: World, program: Program, headers: dict[str, str]
) -> None:
    record = world.save(name="Agreed")
    world.settle()
    world.outlook_patch(ALICE, world.event_of(ALICE, "Agreed").id, subject="Said in Outlook")
    world.change(record, name="Said in the CRM")
    world.settle()
    assert program.ask("GET", f"/accounts/{ALICE}/clashes", headers).status_code == 403
    assert program.ask("GET", f"/accounts/{ALICE}", headers).get_json()["clashes"] == 1
    answer = program.ask("GET", f"/accounts/{ALICE}/clashes", user(ALICE))
    (clash,) = answer.get_json()["clashes"]
    assert (clash["crm"], clash["outlook"]) == ("Said in the CRM", "Said in Outlook")


# What is answered ------------------------------------------------------------------------------------------


def test_the_description_is_public_and_sound(program: Program) -> None:
    answer = program.ask("GET", "/openapi.json", {})
    assert answer.status_code == 200
    assert answer.get_json() == DESCRIPTION
    OpenAPI.from_dict(answer.get_json()).check_spec()


def test_every_address_is_described(world: World) -> None:
    app = create_app(world.app)
    rules = {
        (rule.rule.removeprefix("/api/v1").replace("<", "{").replace(">", "}"), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {(path, method) for path, item in DESCRIPTION["paths"].items() for method in item}
    assert rules == described


def test_every_address_stands_in_the_guide() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "how-to" / "use-the-api.md").read_text(encoding="utf-8")
    words = {part for path in DESCRIPTION["paths"] for part in path.split("/") if part and part[0] != "{"}
    assert {word for word in words if word not in guide} == set()


def test_accounts_come_in_pages(program: Program) -> None:
    seen, after = [], ""
    for _ in range(4):
        page = program.ask("GET", f"/accounts?limit=1&after={after}", ADMIN).get_json()
        seen += [(line["user"], line["status"]) for line in page["accounts"]]
        after = page["next"]
    assert seen == [
        (ALICE, "connected"),
        (BOB, "connected"),
        (ADMIN_ID, "not_connected"),
        (CAROL, "not_connected"),
    ]
    assert after == ""


@pytest.mark.parametrize("limit", ["0", "201", "-1", "many", "1.5", "\u0663"])
def test_a_wrong_limit_is_refused(program: Program, limit: str) -> None:
    answer = program.send("GET", "/accounts", query_string={"limit": limit}, headers=ADMIN)
    assert (answer.status_code, answer.is_json) == (400, True)


@pytest.mark.parametrize("headers", [ADMIN, user(ALICE), user("+admin")], ids=["token", "alice", "admin"])
def test_an_account_tells_how_it_stands(program: Program, headers: dict[str, str]) -> None:
    answer = program.ask("GET", f"/accounts/{ALICE}", headers)
    found = answer.get_json()
    assert answer.status_code == 200
    assert (found["status"], found["address"], found["stage"]) == ("connected", "alice@example.com", "idle")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/accounts/nobody", "/accounts/alice@example.com", "/accounts/nobody/backfill"]
)
def test_an_unknown_account(program: Program, path: str) -> None:
    assert program.ask("GET", path, ADMIN).status_code == 404


def test_an_account_that_is_off_has_no_preview(world: World, program: Program) -> None:
    world.app.connections.disconnect(ALICE)
    answer = program.ask("GET", f"/accounts/{ALICE}/backfill", ADMIN)
    assert answer.status_code == 409
    assert "connect it first" in answer.get_json()["error"]


def test_a_crm_that_is_away_is_said_without_its_secrets(world: World, program: Program) -> None:
    world.crm_fails(path=".*", status=500, times=None)
    answer = program.ask("GET", f"/accounts/{ALICE}/backfill", ADMIN)
    assert answer.status_code == 502
    assert answer.get_json() == {"error": "the CRM or Outlook cannot be asked now; try again later"}


# Back-fill and sync ----------------------------------------------------------------------------------------


def test_a_back_fill_is_confirmed_as_it_was_seen(world: World, program: Program) -> None:
    path = f"/accounts/{ALICE}/backfill"
    seen = program.ask("GET", path, user(ALICE)).get_json()
    assert (seen["records"], seen["mailed"], seen["outsiders"], seen["read"]) == (
        1,
        ["bob@example.com"],
        [],
        True,
    )
    answer = program.ask("POST", path, user(ALICE), json={"fingerprint": seen["fingerprint"]})
    assert (answer.status_code, answer.get_json()["pushed"]) == (202, 1)
    world.settle()
    assert world.event(ALICE).subject == "Old"


def test_what_changed_since_it_was_seen_is_not_confirmed(world: World, program: Program) -> None:
    path = f"/accounts/{ALICE}/backfill"
    seen = program.ask("GET", path, ADMIN).get_json()
    record = world.records()[0]["id"]
    world.api("PUT", f"Meeting/{record}", json={"usersIds": [ALICE, BOB, CAROL]})
    world.crm.store.change("Meeting", record, {"modifiedAt": "2026-11-01 10:00:00"})
    answer = program.ask("POST", path, ADMIN, json={"fingerprint": seen["fingerprint"]})
    assert answer.status_code == 409
    assert answer.get_json()["preview"]["mailed"] == ["bob@example.com", "carol@example.com"]
    world.settle()
    assert world.events(ALICE) == []


@pytest.mark.parametrize("body", [{}, [], {"fingerprint": 1}, "x"], ids=["empty", "list", "number", "text"])
def test_a_confirmation_must_say_what_was_seen(program: Program, body: Any) -> None:
    answer = program.send("POST", f"/accounts/{ALICE}/backfill", headers=ADMIN, json=body)
    assert (answer.status_code, answer.is_json) == (400, True)


@pytest.mark.parametrize("path", CHANGES)
def test_a_form_of_another_site_changes_nothing(world: World, program: Program, path: str) -> None:
    """A browser sends these three kinds of bodies anywhere without asking first."""
    before = world.app.store.queue.pull_state(world.account(ALICE).mailbox_id or 0)
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"):
        answer = program.send("POST", path, headers=ADMIN, data="{}", content_type=kind)
        assert answer.status_code == 415
    assert world.app.store.queue.pull_state(world.account(ALICE).mailbox_id or 0) == before


@pytest.mark.parametrize("headers", [ADMIN, user(ALICE)], ids=["token", "alice"])
def test_a_mailbox_is_synced_on_request(world: World, program: Program, headers: dict[str, str]) -> None:
    world.outlook_create(ALICE, subject="Just made")
    assert program.ask("POST", f"/accounts/{ALICE}/sync", headers, json={}).status_code == 202
    world.settle()
    assert "Just made" in {record["name"] for record in world.records()}


def test_a_paused_account_is_not_synced_on_request(world: World, program: Program) -> None:
    world.app.connections.pause(ALICE)
    answer = program.ask("POST", f"/accounts/{ALICE}/sync", ADMIN, json={})
    assert (answer.status_code, answer.get_json()["error"]) == (
        409,
        "the account is paused; it is not synced now",
    )


def test_the_token_is_nowhere_to_be_read(world: World, program: Program) -> None:
    assert TOKEN not in repr(world.settings)
    assert TOKEN not in program.ask("GET", f"/accounts/{ALICE}", ADMIN).text
