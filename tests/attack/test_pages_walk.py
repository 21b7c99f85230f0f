"""Every address of the web application, as somebody unknown, as a user, and without the forms' token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import AnyConverter, BaseConverter, IntegerConverter, Rule
from werkzeug.test import Client

from calsync_plugin.settings import ServeSettings
from calsync_plugin.web.app import create_app
from tests.pages import Browser
from tests.world import ALICE, BOB, PUBLIC, World

PROGRAMS = ("/webhooks", "/api/", "/healthz", "/readyz", "/metrics")
OPEN = frozenset({"/sign-in", "/language", "/oauth/callback", "/oauth/done", "/oauth/answer", "/"})
"""Pages that make sense for somebody unknown; a login is known by its state and ticket."""
FILES = frozenset({"static", "bootstrap.static"})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("walk"))
    made.connect(ALICE)
    made.connect(BOB)
    yield made
    made.close()


@pytest.fixture(scope="module")
def app(world: World) -> Flask:
    return create_app(world.app)


def pages(app: Flask) -> list[tuple[Rule, str]]:
    """Every page with a method that it takes, its variables filled with bob's id."""
    return [
        (rule, method)
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in FILES and not rule.rule.startswith(PROGRAMS)
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "DELETE", "PATCH"})
    ]


def _value(converter: BaseConverter) -> object:
    """What may stand at a place of an address."""
    if isinstance(converter, AnyConverter):
        return min(converter.items)
    return 1 if isinstance(converter, IntegerConverter) else BOB


def address(app: Flask, rule: Rule, **values: Any) -> str:
    filled = {name: _value(rule._converters[name]) for name in rule.arguments}
    with app.test_request_context():
        return app.url_map.bind("127.0.0.1").build(rule.endpoint, {**filled, **values})


def test_there_are_pages_to_walk(app: Flask) -> None:
    assert len(pages(app)) > 10


def test_somebody_unknown_sees_nothing(world: World, app: Flask) -> None:
    let_in = []
    for rule, method in pages(app):
        if rule.rule in OPEN:
            continue
        visitor = Browser(world, app)
        visitor.get("/sign-in")
        answer = visitor.client.open(
            address(app, rule), method=method, data={"csrf_token": visitor.token} if method != "GET" else None
        )
        asked_to_sign_in = answer.status_code == 302 and "/sign-in" in answer.headers["Location"]
        if not asked_to_sign_in and rule.endpoint != "sign_in.end":
            let_in.append(f"{method} {rule.rule}: {answer.status_code}")
    assert let_in == []


def test_a_form_without_its_token_changes_nothing(world: World, app: Flask) -> None:
    visitor = Browser(world, app)
    visitor.sign_in("alice")
    taken = [
        f"{method} {rule.rule}: {answer.status_code}"
        for rule, method in pages(app)
        if method != "GET" and rule.rule != "/oauth/callback"
        if (answer := visitor.client.open(address(app, rule), method=method, data={})).status_code != 400
    ]
    assert taken == []


def test_a_user_reaches_no_page_of_the_admin(world: World, app: Flask) -> None:
    visitor = Browser(world, app)
    visitor.sign_in("alice")
    reached = []
    for rule, method in pages(app):
        if not rule.rule.startswith("/admin"):
            continue
        data = {"csrf_token": visitor.token} if method != "GET" else None
        answer = visitor.client.open(address(app, rule), method=method, data=data)
        if answer.status_code != 403:
            reached.append(f"{method} {rule.rule}: {answer.status_code}")
    assert reached == []


def test_a_users_pages_take_no_user_from_the_address(app: Flask) -> None:
    """So nobody can put another user's id there."""
    named = {"user", "user_id", "account", "account_id"}
    assert [r.rule for r, _ in pages(app) if not r.rule.startswith("/admin") and named & r.arguments] == []


def test_programs_are_not_let_in_by_a_session(world: World, app: Flask) -> None:
    """A browser sends its cookie along with whatever another site makes it send."""
    visitor = Browser(world, app)
    visitor.sign_in("admin")
    for path in ("/api/v1/accounts", f"/api/v1/accounts/{BOB}"):
        assert visitor.client.get(path).status_code == 401, path


@pytest.mark.parametrize("path", ["/external-account", "/sign-in", "/nowhere", "/healthz"])
def test_every_answer_is_hardened(app: Flask, path: str) -> None:
    headers = Client(app).get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("public_url", "asks"), [("https://sync.example.com", True), (PUBLIC, False)])
def test_who_is_reached_by_https_asks_for_it_for_ever(tmp_path: Path, public_url: str, asks: bool) -> None:
    """Plain http arrives from the web server in front, which ends https."""
    world = World(tmp_path, serve=ServeSettings(public_url=public_url))
    answer = Client(create_app(world.app)).get("/sign-in")
    assert ("Strict-Transport-Security" in answer.headers) is asks
    world.close()


def test_no_answer_repeats_a_host_that_was_made_up(app: Flask) -> None:
    for path in ("//external-account", "/external-account", "/external-account/", "/static"):
        answer = Client(app).get(headers={"Host": "evil.example"}, environ_overrides={"PATH_INFO": path})
        assert "evil.example" not in answer.headers.get("Location", ""), path
        assert "evil.example" not in answer.text, path
