"""The admin's page of the integration: what is saved, locked, shown of a secret, checked and audited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from calsync_plugin.settings import GraphSettings
from tests.forms import fields
from tests.pages import Browser, path_of
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def page(world: World) -> Browser:
    made = Browser(world)
    made.sign_in("admin")
    return made


def entered(page: Browser, **changes: str) -> dict[str, list[str] | str]:
    """What a browser sends of the page: its fields as they are, with these changes."""
    wanted = {"allowed_domains": "example.com\r\ncontoso.example\r\n", "prompt": "login", **changes}
    return {**fields(page.get("/admin/integration").text), **wanted}


def test_what_is_saved_is_in_force_at_once(world: World, page: Browser) -> None:
    answer = page.post("/admin/integration", entered(page))
    assert "Saved, and in force." in answer.text
    graph = world.app.settings.graph
    assert (graph.prompt, graph.allowed_domains) == ("login", ("example.com", "contoso.example"))


def test_a_wrong_value_is_marked_and_nothing_is_saved(world: World, page: Browser) -> None:
    answer = page.post("/admin/integration", entered(page, allowed_domains="no domain at all"))
    assert answer.status_code == 422
    assert "Nothing was saved yet" in answer.text
    assert "aria-invalid" in answer.text
    assert world.app.store.integration.version() == 0


def test_a_secret_is_written_and_never_read(
    world: World, page: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "Q~8-very-secret-value"
    page.post("/admin/integration", entered(page, client_secret=secret))
    shown = page.get("/admin/integration").text + page.get("/admin/audit").text
    assert secret not in shown
    assert secret not in caplog.text
    assert secret not in repr(world.app.settings)


def test_the_audit_log_names_who_changed_what(page: Browser) -> None:
    page.post("/admin/integration", entered(page))
    log = page.get("/admin/audit").text
    assert "Admin" in log
    assert "example.com" in log


def test_what_the_file_sets_is_locked_with_its_source(tmp_path: Path) -> None:
    graph = GraphSettings(client_id="of-the-file")
    world = World(tmp_path, graph=graph, sources={"graph.client_id": "file"})
    page = Browser(world)
    page.sign_in("admin")
    text = page.get("/admin/integration").text
    assert "Set in the configuration file as graph.client_id; change it there." in text
    page.post("/admin/integration", entered(page, client_id="of-an-attacker"))
    assert world.app.settings.graph.client_id == "of-the-file"
    world.close()


def test_the_check_tells_each_step(page: Browser) -> None:
    text = page.get("/admin/integration/check").text
    for step in ("Login service", "Client ID and secret", "Permissions", "Notification address"):
        assert step in text


def test_the_guide_shows_the_address_to_copy(page: Browser) -> None:
    assert "/oauth/callback" in page.get("/admin/azure").text


def test_moved_or_copy_is_asked_once(world: World, page: Browser) -> None:
    assert path_of(page.get("/admin/moved")) == "/admin/audit"
    world.app.store.installation.update(paused="the public address was a and is b")
    assert "the public address was a and is b" in page.get("/admin/moved").text
    page.post("/admin/moved", {"answer": "neither"})
    assert world.app.store.installation.get().paused
    page.post("/admin/moved", {"answer": "moved"})
    assert not world.app.store.installation.get().paused
    assert "moved" in page.get("/admin/audit").text


@pytest.mark.parametrize("before", ["", "x", "-1", "9" * 30, "0"])
def test_the_log_takes_any_page_number(page: Browser, before: str) -> None:
    assert page.get("/admin/audit", query_string={"before": before}).status_code == 200


def test_the_log_is_paged(world: World, page: Browser) -> None:
    for number in range(60):
        world.app.store.audit.add(actor_id="x", text=f"change {number}.", subject="test")
    first = page.get("/admin/audit").text
    assert "change 59." in first
    assert "change 9." not in first
    older = first.split('href="/admin/audit?before=')[1].split('"')[0].split("&")[0]
    assert "change 9." in page.get("/admin/audit", query_string={"before": older}).text


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param("admin_consent=True&tenant=t&state=x", "The consent is given", id="given"),
        pytest.param("admin_consent=True&error=access_denied", "No consent was given", id="denied"),
        pytest.param("admin_consent=False", "No consent was given", id="not-given"),
    ],
)
def test_microsofts_answer_to_the_consent_for_all_is_told(page: Browser, answer: str, said: str) -> None:
    assert said in page.get(f"/oauth/callback?{answer}").text
