"""What EspoCRM tells a user of the user's own access (`App/user`), against a recording; and extensions."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from calsync_plugin.sandbox.crm.identities import ALICE_ID, BOB_ID, ROLE_SALES_ID
from tests.contract.crm.conftest import Sandbox
from tests.contract.crm.recordings import load
from tests.contract.crm.replay import World

# What the simulator has no records of, or what nobody's role decides.
WITHOUT = frozenset(
    {
        *("ActionHistoryRecord", "Attachment", "EmailAccount", "EmailFilter", "EmailFolder"),
        *("GroupEmailFolder", "Note", "Notification", "Preferences", "Stream", "Task"),
    }
)
# Scopes with fields that are closed to users in general, which the simulator does not know.
CLOSED_FIELDS = frozenset({"User"})
# The simulator's custom entity type.
OWN = "Visit"


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """The access that alice of the recordings is told."""
    alice = load("seed-of-captures.json")["alice"]
    pair = base64.b64encode(f"{alice['userName']}:{alice['password']}".encode()).decode()
    answer = World().client.get("/api/v1/App/user", headers={"Espo-Authorization": pair})
    assert answer.json is not None
    found: dict[str, Any] = answer.json["acl"]
    return found


@pytest.mark.parametrize("part", ["table", "fieldTable", "fieldTableQuickAccess"])
def test_access_to_scopes_is_the_recorded_one(told: dict[str, Any], part: str) -> None:
    recorded = load("acl-alice.json")
    but = WITHOUT if part == "table" else WITHOUT | CLOSED_FIELDS
    ours = {name: value for name, value in told[part].items() if name not in {OWN, *but}}
    theirs = {name: value for name, value in recorded[part].items() if name not in but}
    plain = {name for name, value in recorded["table"].items() if value is True}
    if part != "table":
        # Scopes without records have no fields; EspoCRM lists some of them all the same.
        ours = {name: value for name, value in ours.items() if name not in plain}
        theirs = {name: value for name, value in theirs.items() if name not in plain}
    assert ours == theirs
    assert theirs


def test_permissions_are_the_recorded_ones(told: dict[str, Any]) -> None:
    recorded = load("acl-alice.json")
    assert told.keys() == recorded.keys()
    named = [name for name in recorded if name.endswith("Permission")]
    assert {name: told[name] for name in named} == {name: recorded[name] for name in named}


def test_a_scope_of_an_extension_is_known_to_everybody_and_had_by_who_has_the_role(sandbox: Sandbox) -> None:
    assert sandbox.ok("GET", "Metadata?key=scopes.OutlookCalendar") is None
    sandbox.crm.install("Outlook", "OutlookCalendar")
    assert sandbox.ok("GET", "Metadata?key=scopes.OutlookCalendar") == {"entity": False, "acl": "boolean"}
    assert "OutlookCalendar" not in sandbox.ok("GET", "App/user", by="alice")["acl"]["table"]
    assert sandbox.ok("GET", "App/user", by="admin")["acl"]["table"]["OutlookCalendar"] is True
    data = {"data": {"ExternalAccount": True, "OutlookCalendar": True}}
    sandbox.ok("PUT", f"Role/{ROLE_SALES_ID}", data, by="admin")
    assert sandbox.ok("GET", "App/user", by="alice")["acl"]["table"]["OutlookCalendar"] is True
    sandbox.crm.uninstall("Outlook")
    assert sandbox.ok("GET", "Metadata?key=scopes.OutlookCalendar") is None


def test_an_account_is_its_users_and_says_no_secret(sandbox: Sandbox) -> None:
    sandbox.crm.install("Outlook", "OutlookCalendar")
    kept = {"enabled": True, "clientId": "cid", "clientSecret": "secret"}
    assert "secret" not in str(sandbox.ok("PUT", "Integration/Outlook", kept, by="admin"))
    path = f"ExternalAccount/Outlook__{ALICE_ID}"
    sandbox.ok("PUT", path, {"enabled": True, "direction": "Both"}, by="alice")
    assert sandbox.ok("GET", path, by="alice")["direction"] == "Both"
    assert sandbox.call("GET", path, by="bob").status_code == 403
    assert sandbox.ok("GET", f"ExternalAccount/Outlook__{BOB_ID}", by="bob")["enabled"] is False
    assert "direction" not in sandbox.ok("PUT", path, {"enabled": False}, by="alice")


@pytest.mark.parametrize(("by", "status"), [("alice", 200), ("admin", 200), ("bob", 403), ("", 403)])
def test_preferences_are_the_users_own(sandbox: Sandbox, by: str, status: int) -> None:
    who = {"by": by} if by else {}
    wanted = {"timeZone": "Asia/Kolkata", "language": "de_DE"}
    assert sandbox.call("PUT", f"Preferences/{ALICE_ID}", wanted, **who).status_code == status
    told = sandbox.ok("GET", "App/user", by="alice")
    assert (told["preferences"] == wanted) is (status == 200)
    assert told["language"] == ("de_DE" if status == 200 else "en_US")
