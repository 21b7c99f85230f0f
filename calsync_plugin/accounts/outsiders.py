"""Whose Outlook accounts an administrator lets users connect.

Decides by what Microsoft says of the account at the end of a login, never by what was typed. An address can
be chosen freely within a tenant that nobody here knows, so the tenant counts besides the domain. Does not
look at accounts that are connected already.
"""

from __future__ import annotations

from calsync_plugin.errors import UserError
from calsync_plugin.graph.auth import Identity
from calsync_plugin.settings import GraphSettings


def check_may_connect(who: Identity, graph: GraphSettings) -> None:
    """Raise UserError, in words for the user, if this account may not be connected."""
    tenants = {tenant.lower() for tenant in graph.allowed_tenants}
    domains = {domain.lower() for domain in graph.allowed_domains}
    shown = who.address or "This account"
    if tenants and who.tenant_id.lower() not in tenants:
        raise UserError(
            f"{shown} belongs to an organization whose accounts are not allowed here. "
            "Please connect the account of your own company, or ask an administrator to allow this one."
        )
    if domains and who.address.rpartition("@")[2].lower() not in domains:
        raise UserError(
            f"{shown} is not an address of a domain that is allowed here "
            f"({', '.join(sorted(domains))}). Please connect your company's address, or ask an administrator "
            "to allow this one."
        )
