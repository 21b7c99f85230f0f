"""The people of the sandbox: ids, names, addresses and keys that never change, so that any client can join.

Ids look like EspoCRM's: 17 hexadecimal digits.
"""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "sandbox"  # noqa: S105 - the sandbox's public password
ZONE = "Europe/Berlin"
"""Chosen by all users but the administrator; the server's own is UTC."""
API_KEY = "sandbox"
HMAC_API_KEY = "sandbox-hmac"
HMAC_SECRET = "5a4db0c5ec4e7a11d0e5f00000000001"  # noqa: S105 - the sandbox's public secret

ROLE_BRIDGE_ID = "5f0000000000b0001"
ROLE_SALES_ID = "5f0000000000b0002"
TEAM_SALES_ID = "5f0000000000f0001"

ADMIN_ID = "5f0000000000a1001"
ALICE_ID = "5f0000000000a1002"
BOB_ID = "5f0000000000a1003"
CAROL_ID = "5f0000000000a1004"
BRIDGE_API_ID = "5f0000000000a10fe"
BRIDGE_HMAC_ID = "5f0000000000a10ff"

CONTOSO_ID = "5f0000000000d1001"
FABRIKAM_ID = "5f0000000000d1002"
DAVE_ID = "5f0000000000c1001"
ERIN_ID = "5f0000000000c1002"
FRANK_ID = "5f0000000000e1001"
GRACE_ID = "5f0000000000e1002"


@dataclass(frozen=True, slots=True)
class Person:
    """A user, contact or lead of the sandbox."""

    id: str
    first_name: str
    last_name: str
    address: str
    account_id: str | None = None


USERS = (
    Person(ADMIN_ID, "", "Admin", "admin@example.com"),
    Person(ALICE_ID, "Alice", "Able", "alice@example.com"),
    Person(BOB_ID, "Bob", "Baker", "bob@example.com"),
    Person(CAROL_ID, "Carol", "Clark", "carol@example.com"),
)
CONTACTS = (
    Person(DAVE_ID, "Dave", "Dunn", "dave@contoso.example", CONTOSO_ID),
    Person(ERIN_ID, "Erin", "Ellis", "erin@contoso.example", CONTOSO_ID),
)
LEADS = (
    Person(FRANK_ID, "Frank", "Ford", "frank@fabrikam.example"),
    Person(GRACE_ID, "Grace", "Gray", "grace@fabrikam.example"),
)
