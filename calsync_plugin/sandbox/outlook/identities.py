"""The fixed people of the sandbox: any client can join because addresses and ids never change."""

from __future__ import annotations

import uuid

TENANT_ID = "5a9db0c5-0000-4000-8000-00000000ca15"
CLIENT_ID = "5a9db0c5-0000-4000-8000-0000000000c1"
CLIENT_SECRET = "sandbox"  # noqa: S105 - the sandbox's public password, also printed in its documentation
DOMAIN = "example.com"
TOKEN_PREFIX = "sandbox:"  # noqa: S105 - `Authorization: Bearer sandbox:alice@example.com`

# Mailboxes that a fresh sandbox holds: address -> display name.
PEOPLE = {
    "alice@example.com": "Alice Able",
    "bob@example.com": "Bob Baker",
    "carol@example.com": "Carol Clark",
    "admin@example.com": "Ada Admin",
}
# Central European time, so that a demo shows zones at work; the Windows name is what Graph returns.
MAILBOX_ZONE = "W. Europe Standard Time"

_OBJECT_IDS = {
    "alice@example.com": "5a9db0c5-0000-4000-8000-000000000a01",
    "bob@example.com": "5a9db0c5-0000-4000-8000-000000000b02",
    "carol@example.com": "5a9db0c5-0000-4000-8000-000000000c03",
    "admin@example.com": "5a9db0c5-0000-4000-8000-000000000d04",
}


def object_id(address: str) -> str:
    """Return the directory object id of an address: fixed for the sandbox's people, derived for others."""
    known = _OBJECT_IDS.get(address.lower())
    return known or str(uuid.uuid5(uuid.UUID(TENANT_ID), address.lower()))


def display_name(address: str) -> str:
    """Return a display name for an address that brought none."""
    known = PEOPLE.get(address.lower())
    return known or address.split("@", 1)[0].replace(".", " ").title()
