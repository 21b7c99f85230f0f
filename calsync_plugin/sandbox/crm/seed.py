"""What the CRM holds at first: the sandbox's fixed people, or the world of the recordings.

Rows are inserted as they are; no rule is applied and no webhook tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from calsync_plugin.sandbox.crm import identities as ids
from calsync_plugin.sandbox.crm.clock import stored
from calsync_plugin.sandbox.crm.entity_type import EntityType
from calsync_plugin.sandbox.crm.presenter import with_lower
from calsync_plugin.sandbox.crm.store import Store
from calsync_plugin.sandbox.crm.tables import Record

_FULL = {"create": "yes", "read": "all", "edit": "all", "delete": "all", "stream": "all"}
_OWN = {"create": "yes", "read": "all", "edit": "own", "delete": "own", "stream": "all"}
_EVENTS = ("Meeting", "Call", "Visit")
_OTHERS = ("Contact", "Lead", "Account")
BRIDGE_ACCESS: Record = {
    **dict.fromkeys((*_EVENTS, *_OTHERS), _FULL),
    "User": {"read": "all", "edit": "no"},
    "Team": {"read": "all"},
    "Webhook": True,
    "Calendar": True,
    "Activities": True,
}
SALES_ACCESS: Record = {
    **dict.fromkeys(_EVENTS, _OWN),
    **dict.fromkeys(_OTHERS, _FULL),
    "Calendar": True,
    "Activities": True,
    "ExternalAccount": True,
}
_ALL_PERMISSIONS = {"assignmentPermission": "all", "userPermission": "all"}


def complete(entity: EntityType, values: Mapping[str, Any], now: str) -> Record:
    """A row with the defaults and stamps that the given values leave open."""
    defaults = {name: value for name, value in entity.defaults.items() if name != "duration"}
    row: Record = {"deleted": False, **defaults, "createdAt": now, "modifiedAt": now, **values}
    if "streamUpdatedAt" in entity.attributes:
        row.setdefault("streamUpdatedAt", now)
    if entity.is_person:
        parts = [row.get("firstName"), row.get("lastName")]
        row.setdefault("name", " ".join(part for part in parts if part) or row.get("userName"))
        entries = row.get("emailAddressData")
        if entries is None and row.get("emailAddress"):
            entries = [{"emailAddress": row["emailAddress"], "primary": True}]
        row["emailAddressData"] = with_lower(entries or [])
    return row


def insert(store: Store, entity_type: str, row: Record) -> None:
    """Insert a row; the owner of a contact or lead follows it."""
    store.insert(entity_type, row)
    if entity_type in ("Contact", "Lead") and row.get("assignedUserId"):
        store.follow(row["id"], [row["assignedUserId"]])


def seed_sandbox(store: Store, now: str) -> None:
    """The fixed identities of the sandbox (`identities`)."""

    def put(entity_type: str, **values: Any) -> None:
        insert(store, entity_type, complete(store.entity(entity_type), values, now))

    by_admin = {"createdById": ids.ADMIN_ID}
    put(
        "Role", id=ids.ROLE_BRIDGE_ID, name="Bridge API", data=BRIDGE_ACCESS, fieldData={}, **_ALL_PERMISSIONS
    )
    put("Role", id=ids.ROLE_SALES_ID, name="Sales", data=SALES_ACCESS, fieldData={}, **_ALL_PERMISSIONS)
    put("Team", id=ids.TEAM_SALES_ID, name="Sales")
    for person in ids.USERS:
        is_admin = person.id == ids.ADMIN_ID
        put(
            "User",
            id=person.id,
            userName=person.last_name.lower() if is_admin else person.first_name.lower(),
            firstName=person.first_name or None,
            lastName=person.last_name,
            emailAddress=person.address,
            type="admin" if is_admin else "regular",
            password=ids.PASSWORD,
            rolesIds=[] if is_admin else [ids.ROLE_SALES_ID],
            teamsIds=[ids.TEAM_SALES_ID] if person.id in (ids.ALICE_ID, ids.BOB_ID) else [],
            preferences={} if is_admin else {"timeZone": ids.ZONE},
            **by_admin,
        )
    keys = (
        (ids.BRIDGE_API_ID, "bridge-api", "ApiKey", ids.API_KEY, None),
        (ids.BRIDGE_HMAC_ID, "bridge-hmac", "Hmac", ids.HMAC_API_KEY, ids.HMAC_SECRET),
    )
    for user_id, name, method, key, secret in keys:
        put("User", **_api_user(user_id, name, method, key, secret, ids.ROLE_BRIDGE_ID, ids.ADMIN_ID))
    _seed_customers(store, now)


def _seed_customers(store: Store, now: str) -> None:
    def put(entity_type: str, **values: Any) -> None:
        insert(store, entity_type, complete(store.entity(entity_type), values, now))

    by_admin = {"createdById": ids.ADMIN_ID}
    put("Account", id=ids.CONTOSO_ID, name="Contoso", **by_admin)
    put("Account", id=ids.FABRIKAM_ID, name="Fabrikam", **by_admin)
    for entity_type, people, owner in (
        ("Contact", ids.CONTACTS, ids.ALICE_ID),
        ("Lead", ids.LEADS, ids.BOB_ID),
    ):
        for person in people:
            account = {"accountId": person.account_id} if person.account_id else {}
            put(
                entity_type,
                id=person.id,
                firstName=person.first_name,
                lastName=person.last_name,
                emailAddress=person.address,
                assignedUserId=owner,
                **account,
                **by_admin,
            )


def _api_user(
    user_id: str, name: str, method: str, key: str, secret: str | None, role_id: str, admin_id: str
) -> Record:
    return {
        "id": user_id,
        "userName": name,
        "lastName": None,
        "name": name,
        "type": "api",
        "authMethod": method,
        "apiKey": key,
        "secretKey": secret,
        "rolesIds": [role_id],
        "createdById": admin_id,
    }


RECORDED_ADMIN_ID = "6b000dab2d726ed0b"


def seed_recorded(store: Store, captures: Mapping[str, Any]) -> None:
    """The world of the recordings: ids, keys and people of `seed-of-captures.json`."""

    def put(entity_type: str, **values: Any) -> None:
        # An id of EspoCRM begins with the second of its creation.
        created = stored(datetime.fromtimestamp(int(values["id"][:8], 16), UTC))
        values = {"createdById": RECORDED_ADMIN_ID, **values}
        insert(store, entity_type, complete(store.entity(entity_type), values, created))

    roles = captures["roles"]
    bridge = dict.fromkeys(("Meeting", "Call", "Task", "Contact", "Lead", "Account"), _FULL)
    bridge |= {
        name: access for name, access in BRIDGE_ACCESS.items() if name not in (*_EVENTS, *_OTHERS, "Team")
    }
    put("Role", id=roles["bridge"], name="Bridge API", data=bridge, fieldData={}, **_ALL_PERMISSIONS)
    put("Role", id=roles["sales"], name="Sales", data=SALES_ACCESS, fieldData={}, **_ALL_PERMISSIONS)
    admin = captures["admin"]
    put("User", id=RECORDED_ADMIN_ID, name="Admin", lastName="Admin", type="admin", **admin)
    for first, last in (("Alice", "Able"), ("Bob", "Baker")):
        user = captures[first.lower()]
        put("User", firstName=first, lastName=last, type="regular", rolesIds=[roles["sales"]], **user)
    for key in ("bridge_api", "bridge_hmac"):
        user = captures[key]
        method, api_key, secret = user["authMethod"], user["apiKey"], user["secretKey"]
        put(
            "User",
            **_api_user(
                user["id"], user["userName"], method, api_key, secret, roles["bridge"], RECORDED_ADMIN_ID
            ),
        )
    account_id = captures["account"]["id"]
    put("Account", id=account_id, name="Contoso")
    alice, bob = captures["alice"]["id"], captures["bob"]["id"]
    for key in ("contact1", "contact2", "lead1", "lead2"):
        person = captures[key]
        first, _, last = person["name"].partition(" ")
        names = {"firstName": first, "lastName": last}
        if key.startswith("contact"):
            put("Contact", accountId=account_id, assignedUserId=alice, **names, **person)
        else:
            put("Lead", assignedUserId=bob, **names, **person)
