"""Grants by command: users, teams and roles of a running sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from calsync_plugin.demo import Sandbox
from calsync_plugin.settings import LogSettings
from tests.cli.test_commands import run
from tests.world import ALICE, BOB, CAROL


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A sandbox's data folder while the sandbox runs."""
    folder = tmp_path_factory.mktemp("sandbox")
    sandbox = Sandbox(folder, 0, LogSettings(level="warning"))
    sandbox.start()
    yield folder
    sandbox.stop()


def given(data: Path) -> set[tuple[str, str]]:
    code, output = run("accounts", "grants", "--data", data, "--json")
    assert code == 0
    return {(one["kind"], one["name"]) for one in json.loads(output)}


def status(data: Path, user: str) -> str:
    return str(json.loads(run("accounts", "show", user, "--data", data, "--json")[1])["status"])


def test_the_sandbox_allows_alice_and_bob(data: Path) -> None:
    assert given(data) == {("user", "Alice Able"), ("user", "Bob Baker")}
    output = run("accounts", "grants", "--data", data)[1]
    assert "OutlookCalendar" in output
    assert "the sandbox" in output


def test_a_user_loses_it_and_gets_it_back(data: Path) -> None:
    code, output = run("accounts", "revoke", "bob@example.com", "--data", data)
    assert (code, status(data, BOB)) == (0, "off")
    assert "no longer allowed to sync; accounts that changed: 1" in output
    assert run("accounts", "grant", BOB, "--data", data)[0] == 0
    assert status(data, BOB) == "connected"


@pytest.mark.parametrize("option", ["--team", "--role"])
def test_who_has_it_by_a_group_keeps_it(data: Path, option: str) -> None:
    assert run("accounts", "grant", option, "Sales", "--data", data)[0] == 0
    assert "still allowed" in run("accounts", "revoke", ALICE, "--data", data)[1]
    assert status(data, ALICE) == "connected"
    assert run("accounts", "grant", ALICE, "--data", data)[0] == 0
    assert run("accounts", "revoke", option, "Sales", "--data", data)[0] == 0
    assert status(data, ALICE) == "connected"
    assert (option.removeprefix("--"), "Sales") not in given(data)


def test_who_connects_by_command_is_allowed_by_it(data: Path) -> None:
    assert "http" in run("accounts", "connect", CAROL, "--data", data)[1]
    assert ("user", "Carol Clark") in given(data)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param([], "say one of USER", id="nobody"),
        pytest.param([ALICE, "--team", "Sales"], "say one of USER", id="two"),
        pytest.param(["--team", "Nobody"], "names no team", id="unknown-team"),
        pytest.param(["nobody"], "knows no user 'nobody'", id="unknown-user"),
    ],
)
def test_a_wrong_name_is_said(data: Path, words: list[str], said: str) -> None:
    code, output = run("accounts", "grant", *words, "--data", data)
    assert (code, said in output) == (2, True)
