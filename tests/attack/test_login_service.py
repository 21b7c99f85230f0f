"""An administrator of the CRM names the login service: the app's secret must not be sent just anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from calsync_plugin.accounts.auditing import Actor
from calsync_plugin.errors import SettingsError
from tests.world import OUTLOOK, World

ADA = Actor("admin", "Ada Admin")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(
    "authority",
    [
        pytest.param("https://evil.example/common", id="another-host"),
        pytest.param("https://evil.example/adfs", id="a-path-that-msal-trusts"),
        pytest.param("https://evil.example/x/b2c_1_in", id="another-path-that-msal-trusts"),
        pytest.param("https://login.microsoftonline.com.evil.example/common", id="begins-alike"),
        pytest.param("https://evil.example\\@login.microsoftonline.com/common", id="backslash"),
        pytest.param("https://login.microsoftonline.com:1@evil.example/common", id="name-before-the-host"),
        pytest.param("http://127.0.0.1:22/common", id="another-port-of-this-machine"),
        pytest.param("https://169.254.169.254/common", id="metadata-of-a-cloud"),
    ],
)
def test_the_secret_goes_to_no_other_host(world: World, authority: str) -> None:
    with pytest.raises(SettingsError):
        world.app.integration.save({"authority": authority}, by=ADA)
    assert world.app.settings.graph.authority == f"{OUTLOOK}/common"
    assert world.app.store.integration.version() == 0


@pytest.mark.parametrize(
    "authority",
    [
        pytest.param("https://login.microsoftonline.us/organizations", id="national-cloud"),
        pytest.param(f"{OUTLOOK}/organizations", id="where-the-configuration-leads"),
    ],
)
def test_a_login_service_of_microsoft_may_be_named(world: World, authority: str) -> None:
    assert world.app.integration.save({"authority": authority}, by=ADA) == ("authority",)
    assert world.app.settings.graph.authority == authority
