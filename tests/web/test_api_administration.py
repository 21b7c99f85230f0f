"""`/api/v1` for administrators: lists, what is done to an account, grants, and the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from calsync_plugin.accounts.grants import NEEDED
from calsync_plugin.sandbox.crm.identities import ROLE_SALES_ID, TEAM_SALES_ID
from tests.web.test_api import ADMIN, Program, Sessions, user
from tests.world import ADMIN_ID, ALICE, BOB, CAROL, World

BOTH = {"grants": sorted(NEEDED)}
HOST_ADMIN = user(f"+{ADMIN_ID}")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Alice is connected; bob and carol may connect."""
    made = World(tmp_path)
    made.connect(ALICE)
    yield made
    made.close()


@pytest.fixture
def program(world: World) -> Program:
    return Program(world, Sessions())


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("", {ALICE, BOB, CAROL, ADMIN_ID}, id="all"),
        pytest.param("status=connected", {ALICE}, id="by-status"),
        pytest.param("status=not_connected", {BOB, CAROL, ADMIN_ID}, id="without-account"),
        pytest.param("status=paused&status=not_connected&search=bob", {BOB}, id="several-and-search"),
        pytest.param("search=Able", {ALICE}, id="by-name"),
        pytest.param("search=carol@", {CAROL}, id="by-address"),
        pytest.param("status=paused", set(), id="nobody"),
        pytest.param("search=%25", set(), id="a-wildcard-is-text"),
        pytest.param("after=users:99999", set(), id="behind-the-end"),
    ],
)
def test_users_are_filtered(program: Program, query: str, found: set[str]) -> None:
    page = program.ask("GET", f"/accounts?{query}", ADMIN).get_json()
    assert ({line["user"] for line in page["accounts"]}, page["next"]) == (found, "")


def test_a_line_tells_what_waits(world: World, program: Program) -> None:
    world.save()
    world.settle()
    world.app.connections.pause(ALICE)
    world.save(name="Later")
    world.settle()
    world.clock.advance(600)
    (line,) = program.ask("GET", "/accounts?status=paused", ADMIN).get_json()["accounts"]
    assert (line["name"], line["links"], line["parked"], line["held"]) == ("Alice Able", 1, 0, 0)
    assert line["waiting_seconds"] >= 600


def test_without_the_crm_accounts_are_listed_all_the_same(world: World, program: Program) -> None:
    world.crm_fails(path=".*", status=503, times=None)
    page = program.ask("GET", "/accounts", ADMIN).get_json()
    assert [line["user"] for line in page["accounts"]] == [ALICE]
    assert "cannot be asked" in page["lack"]


def test_an_administrator_pauses_resumes_and_resets(world: World, program: Program) -> None:
    assert program.ask("POST", f"/accounts/{ALICE}/pause", HOST_ADMIN, json={}).get_json() == {
        "status": "paused"
    }
    assert program.ask("POST", f"/accounts/{ALICE}/resume", ADMIN, json={}).get_json() == {
        "status": "connected"
    }
    assert program.ask("POST", f"/accounts/{ALICE}/reset", user(ALICE), json={}).status_code == 202
    entries = program.ask("GET", f"/audit?user={ALICE}", user(ALICE)).get_json()["entries"]
    assert [(one["actor"], one["text"]) for one in entries] == [
        (ALICE, "the account was reset: 0 links are compared"),
        ("API token", "resumed the account"),
        (ADMIN_ID, "paused the account"),
        (ALICE, "connected Outlook"),
    ]


@pytest.mark.parametrize("path", ["pause", "resume"])
def test_a_user_pauses_nobody(world: World, program: Program, path: str) -> None:
    assert program.ask("POST", f"/accounts/{ALICE}/{path}", user(ALICE), json={}).status_code == 403
    assert world.account(ALICE).status == "connected"


SETTINGS = [
    pytest.param(user(ALICE), {"push_contacts": True}, 200, id="own"),
    pytest.param(user(ALICE), {"months_ahead": 6.0}, 200, id="a-whole-number"),
    pytest.param(user(ALICE), {"months_ahead": 0}, 400, id="own-wrong"),
    pytest.param(user(ALICE), {"nothing": 1}, 400, id="unknown"),
    pytest.param(user(ALICE), {"main_calendar": "elsewhere"}, 400, id="no-such-calendar"),
    pytest.param(user(ALICE), {"sync_since": "0001-01-01"}, 400, id="before-all-time"),
    pytest.param(ADMIN, {"mode": "crm_to_outlook"}, 200, id="direction-by-an-administrator"),
    pytest.param(ADMIN, {"push_contacts": True}, 400, id="others-own-choice"),
    pytest.param(ADMIN, {"push_contacts": False, "mode": "both"}, 200, id="what-is-so-already"),
    pytest.param(user(BOB), {"mode": "both"}, 403, id="another-user"),
]


@pytest.mark.parametrize(("headers", "changes", "status"), SETTINGS)
def test_settings(
    world: World, program: Program, headers: dict[str, str], changes: dict[str, Any], status: int
) -> None:
    before = {"push_contacts": False, **world.account(ALICE).settings}
    world.app.store.accounts.set_settings(ALICE, before)
    answer = program.send("PUT", f"/accounts/{ALICE}/settings", headers=headers, json=changes)
    assert (answer.status_code, answer.is_json) == (status, True)
    assert world.account(ALICE).settings == (before | changes if status == 200 else before)


def test_a_changed_setting_is_in_the_log_in_words(world: World, program: Program) -> None:
    program.ask("PUT", f"/accounts/{ALICE}/settings", ADMIN, json={"mode": "crm_to_outlook"})
    entry = program.ask("GET", "/audit?limit=1", ADMIN).get_json()["entries"][0]
    assert (entry["actor"], entry["user"], entry["subject"]) == ("API token", ALICE, "alice@example.com")
    assert entry["text"] == "changed settings: Direction: Both ways -> CRM to Outlook"


SUBJECTS = [
    pytest.param("team", TEAM_SALES_ID, [ALICE], id="team"),
    pytest.param("role", ROLE_SALES_ID, [ALICE], id="role"),
    pytest.param("user", ALICE, [ALICE], id="user"),
]


@pytest.mark.parametrize(("kind", "subject", "changed"), SUBJECTS)
def test_grants_are_given_and_taken(
    world: World, program: Program, kind: str, subject: str, changed: list[str]
) -> None:
    program.ask("DELETE", f"/grants/user/{ALICE}", ADMIN)
    assert world.account(ALICE).status == "off"
    given = program.ask("PUT", f"/grants/{kind}/{subject}", ADMIN, json=BOTH).get_json()
    assert (given["changed"], given["grants"]) == (changed, sorted(NEEDED))
    assert world.account(ALICE).status == "connected"
    listed = program.ask("GET", "/grants", ADMIN).get_json()
    assert (kind, subject) in {(one["kind"], one["id"]) for one in listed["grants"]}
    taken = program.ask("DELETE", f"/grants/{kind}/{subject}", ADMIN).get_json()
    assert (taken["changed"], taken["grants"]) == (changed, [])
    assert world.account(ALICE).status == "off"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        pytest.param("/grants/team/nowhere", BOTH, 404, id="unknown-team"),
        pytest.param("/grants/user/nobody", BOTH, 404, id="unknown-user"),
        pytest.param("/grants/group/x", BOTH, 404, id="unknown-kind"),
        pytest.param(f"/grants/user/{'x' * 101}", BOTH, 404, id="too-long"),
        pytest.param("/grants/user/%00", BOTH, 404, id="unprintable"),
        pytest.param(f"/grants/user/{BOB}", {"grants": ["Everything"]}, 400, id="unknown-grant"),
        pytest.param(f"/grants/user/{BOB}", {"grants": "OutlookCalendar"}, 400, id="no-list"),
        pytest.param(f"/grants/user/{BOB}", [], 400, id="no-object"),
    ],
)
def test_a_wrong_grant_is_refused(program: Program, path: str, body: Any, status: int) -> None:
    answer = program.send("PUT", path, headers=ADMIN, json=body)
    assert (answer.status_code, answer.is_json) == (status, True)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/accounts"),
        ("GET", "/grants"),
        ("PUT", f"/grants/user/{BOB}"),
        ("DELETE", f"/grants/user/{ALICE}"),
        ("GET", "/audit"),
        ("GET", f"/audit?user={ALICE}"),
        ("POST", f"/accounts/{ALICE}/reset"),
        ("PUT", f"/accounts/{ALICE}/settings"),
    ],
)
def test_a_user_administers_nothing(world: World, program: Program, method: str, path: str) -> None:
    before = world.account(ALICE), world.app.store.given_grants.all()
    body = {} if method == "GET" else {"json": BOTH}
    assert program.ask(method, path, user(BOB), **body).status_code == 403
    assert program.ask(method, path, {}, **body).status_code == 401
    assert (world.account(ALICE), world.app.store.given_grants.all()) == before


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"entities":' * 20 + b"1" + b"}" * 20, id="deeper-than-settings"),
        pytest.param(b'{"months_ahead": ' + b"9" * 5000 + b"}", id="a-long-number"),
        pytest.param(b'{"months_ahead": NaN}', id="no-number"),
        pytest.param(b'{"months_ahead": 1e999}', id="infinite"),
        pytest.param(b"\xff\xfe", id="no-text"),
        pytest.param(b"", id="empty"),
    ],
)
def test_a_hostile_body_is_refused(program: Program, data: bytes) -> None:
    answer = program.send(
        "PUT",
        f"/accounts/{ALICE}/settings",
        headers=user(ALICE),
        data=data,
        content_type="application/json",
    )
    assert (answer.status_code, answer.is_json) == (400, True)


@pytest.mark.parametrize("query", ["before=0", "before=-1", "before=x", f"before={'9' * 5000}", "limit=201"])
def test_a_wrong_page_of_the_log_is_refused(program: Program, query: str) -> None:
    assert program.send("GET", f"/audit?{query}", headers=ADMIN).status_code == 400


def test_the_log_comes_in_pages(world: World, program: Program) -> None:
    for _ in range(3):
        world.app.connections.pause(ALICE)
    first = program.ask("GET", "/audit?limit=3", ADMIN).get_json()
    second = program.ask("GET", f"/audit?limit=3&before={first['next']}", ADMIN).get_json()
    assert [len(page["entries"]) for page in (first, second)] == [3, 1]
    assert second["next"] is None
