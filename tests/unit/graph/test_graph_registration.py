"""The app registration: how tenant and login address fit together, and where an administrator consents."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from calsync_plugin.errors import UserError
from calsync_plugin.graph.registration import SCOPES, Registration, registration_of
from calsync_plugin.settings import GraphSettings

HOST = "https://login.microsoftonline.com"
ADDRESSES = [
    pytest.param(f"{HOST}/common", "", f"{HOST}/common", "common", id="as-the-address-says"),
    pytest.param(f"{HOST}/common", "contoso.com", f"{HOST}/contoso.com", "contoso.com", id="replaced"),
    pytest.param(f"{HOST}/common/", "consumers", f"{HOST}/consumers", "consumers", id="slash-at-the-end"),
    pytest.param(HOST, "organizations", f"{HOST}/organizations", "organizations", id="host-alone"),
    pytest.param(
        "https://login.example.com/a/common", "t", "https://login.example.com/a/t", "t", id="longer-path"
    ),
]


@pytest.mark.parametrize(("authority", "tenant", "address", "named"), ADDRESSES)
def test_the_tenant_takes_the_place_of_the_last_part(
    authority: str, tenant: str, address: str, named: str
) -> None:
    found = registration_of(GraphSettings(authority=authority, tenant=tenant))
    assert (found.address, found.tenant) == (address, named)


CONSENT = [
    pytest.param("common", f"{HOST}/organizations/v2.0/adminconsent", id="anybody"),
    pytest.param("organizations", f"{HOST}/organizations/v2.0/adminconsent", id="organizations"),
    pytest.param("contoso.com", f"{HOST}/contoso.com/v2.0/adminconsent", id="one"),
]


@pytest.mark.parametrize(("tenant", "place"), CONSENT)
def test_the_admin_consent_link(tenant: str, place: str) -> None:
    found = Registration("app", "hidden", f"{HOST}/{tenant}").admin_consent_url("https://c.example.com/back")
    query = parse_qs(urlsplit(found).query)
    assert found.partition("?")[0] == place
    assert query["client_id"] == ["app"]
    assert query["redirect_uri"] == ["https://c.example.com/back"]
    assert query["scope"][0].split() == [f"https://graph.microsoft.com/{scope}" for scope in SCOPES]
    assert "hidden" not in found


@pytest.mark.parametrize(("client_id", "tenant"), [("app", "consumers"), ("", "common")])
def test_there_is_no_admin_consent_without_an_organization_or_an_app(client_id: str, tenant: str) -> None:
    assert Registration(client_id, "s", f"{HOST}/{tenant}").admin_consent_url("https://c.example.com") == ""


def test_a_national_cloud_has_its_own_graph() -> None:
    assert registration_of(GraphSettings(url="https://graph.microsoft.us/v1.0")).resource == (
        "https://graph.microsoft.us"
    )


def test_without_a_client_id_nobody_is_sent_to_microsoft() -> None:
    with pytest.raises(UserError, match=r"application \(client\) ID is missing"):
        Registration("", "", f"{HOST}/common").check_complete()
