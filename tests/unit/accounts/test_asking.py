"""Which kinds of Microsoft accounts can be connected under which tenant setting."""

from __future__ import annotations

import pytest

from calsync_plugin.accounts.asking import check_kind
from calsync_plugin.errors import UserError
from calsync_plugin.graph.auth import Identity
from calsync_plugin.graph.registration import PERSONAL, Registration

COMPANY = "5a9db0c5-0000-4000-8000-00000000ca15"
LOGIN = "https://login.microsoftonline.com"


@pytest.mark.parametrize(
    ("setting", "tenant", "goes"),
    [
        pytest.param("common", COMPANY, True, id="common-company"),
        pytest.param("common", PERSONAL, True, id="common-personal"),
        pytest.param("organizations", COMPANY, True, id="organizations-company"),
        pytest.param("organizations", PERSONAL, False, id="organizations-personal"),
        pytest.param("consumers", PERSONAL, True, id="consumers-personal"),
        pytest.param(PERSONAL, PERSONAL, True, id="consumers-by-id"),
        pytest.param(COMPANY, PERSONAL, False, id="one-company-personal"),
        pytest.param(COMPANY, PERSONAL.upper(), False, id="upper-case"),
        pytest.param(COMPANY, COMPANY, True, id="one-company"),
    ],
)
def test_a_personal_account_is_refused_where_only_companies_may(
    setting: str, tenant: str, goes: bool
) -> None:
    registration = Registration("client", "secret", f"{LOGIN}/{setting}")
    who = Identity(tenant, "object", "somebody@outlook.example", "Somebody")
    if goes:
        check_kind(who, registration)
        return
    with pytest.raises(UserError, match=r"somebody@outlook\.example is a personal Microsoft account"):
        check_kind(who, registration)
