"""The app registration: who calsync is at Microsoft's login service, and where that is asked.

Decides how the tenant and the login address fit together. Sends nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from urllib.parse import quote, urlencode, urlsplit

from calsync_plugin.errors import UserError
from calsync_plugin.http import checked_address
from calsync_plugin.settings import GraphSettings

SCOPES = ("User.Read", "Calendars.ReadWrite", "MailboxSettings.Read")
"""Delegated permissions (Graph docs, permissions reference): who the user is, their events, their time zone.

MSAL adds openid, profile and offline_access (the refresh token) itself.
"""

SHARED = frozenset({"common", "organizations", "consumers"})
"""Names that stand for many tenants."""
CLOUDS = frozenset(
    {
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.partner.microsoftonline.cn",
        "login.chinacloudapi.cn",
    }
)
"""Microsoft's login services (Microsoft identity platform, "National clouds")."""
GRAPH = "https://graph.microsoft.com"
PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of all personal accounts (Microsoft identity platform, "ID token claims reference", tid)."""


@dataclass(frozen=True, slots=True)
class Registration:
    """The app registration that is in force."""

    client_id: str
    client_secret: str = field(repr=False)
    authority: str
    """Host and tenant: `https://login.microsoftonline.com/common`."""
    resource: str = GRAPH
    """Graph as the login service knows it; national clouds have their own."""

    @property
    def address(self) -> str:
        """The authority; ConfigurationError if it is neither https nor on loopback."""
        return checked_address(self.authority, path="graph.authority")

    @property
    def tenant(self) -> str:
        """The tenant at the authority's end."""
        return urlsplit(self.authority).path.strip("/").rpartition("/")[2]

    def at(self, tenant: str) -> Registration:
        """The same registration, asked at another tenant."""
        parts = urlsplit(self.authority)
        before = parts.path.rstrip("/").rpartition("/")[0]
        path = f"{before}/{quote(tenant, safe='')}"
        return replace(self, authority=parts._replace(path=path).geturl())

    def check_complete(self) -> None:
        """Raise UserError if nobody told Microsoft's name for us yet."""
        if not self.client_id:
            raise UserError(
                "Outlook is not set up yet: the application (client) ID is missing. "
                "An administrator enters it on the admin page or in the configuration."
            )

    def admin_consent_url(self, redirect_uri: str, *, state: str = "") -> str:
        """Where an administrator of the tenant consents for everybody; "" if only personal accounts sign in.

        Source: Microsoft identity platform, "Admin consent on the Microsoft identity platform".
        """
        if self.tenant in {"consumers", PERSONAL} or not self.client_id:
            return ""
        place = self.at("organizations") if self.tenant == "common" else self
        asked = {
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(f"{self.resource}/{scope}" for scope in SCOPES),
            **({"state": state} if state else {}),
        }
        return f"{place.address}/v2.0/adminconsent?{urlencode(asked)}"


def is_known_login(authority: str, given: str) -> bool:
    """Whether a login service may be chosen on a page: Microsoft's, or where the configuration's leads.

    The secret and the codes of logins are sent there. MSAL looks a strange host up at Microsoft, but not one
    whose path ends in `adfs` or `b2c_...` (msal 1.39, `authority.py`).
    """
    place, before = urlsplit(authority), urlsplit(given)
    # The whole of it: a name before `@`, a backslash or a port is read differently by different readers.
    if place.scheme == "https" and place.netloc.lower() in CLOUDS:
        return True
    return (place.scheme, place.netloc) == (before.scheme, before.netloc)


def registration_of(graph: GraphSettings) -> Registration:
    """The registration of these settings: the tenant takes the place of the authority's last part."""
    parts = urlsplit(graph.url)
    resource = f"https://{parts.netloc}" if parts.scheme == "https" else GRAPH
    found = Registration(graph.client_id, graph.client_secret, graph.authority, resource)
    return found.at(graph.tenant) if graph.tenant else found
