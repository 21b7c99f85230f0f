"""What EspoCRM's roles give of scopes that are a yes or no, such as those of an extension.

Decides how a role and a user's own access table are read. EspoCRM adds roles up: one yes is enough
(EspoCRM 9.2.7, measured: `acl.table.SCOPE === true`, absent without).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from calsync_plugin.crm.client import EspoClient, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmRole:
    """A role, with the scopes to which it says yes."""

    id: str
    name: str
    scopes: frozenset[str]


def scopes_of(table: object) -> frozenset[str]:
    """The scopes that an access table, or a role's data, gives as a whole."""
    # PHP writes an empty map as [].
    entries = table.items() if isinstance(table, Mapping) else ()
    return frozenset(str(name) for name, entry in entries if entry is True)


def role_of(row: Row) -> CrmRole:
    """A role's record."""
    return CrmRole(id=str(row.get("id")), name=str(row.get("name") or ""), scopes=scopes_of(row.get("data")))


def has_scope(client: EspoClient, name: str) -> bool:
    """Whether this EspoCRM knows a scope without records. Any user may ask (EspoCRM's published source)."""
    return isinstance(client.call("GET", "Metadata", query=f"key=scopes.{name}"), Mapping)
