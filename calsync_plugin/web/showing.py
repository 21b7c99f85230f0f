"""What all pages show alike: the list of pages, times in the visitor's zone, the words for a status.

Decides how a moment is written and which pages a visitor is offered. Knows no page's content.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, g, request, url_for
from flask_login import current_user
from markupsafe import Markup

from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.graph import zones
from calsync_plugin.web.schema_fields import properties
from calsync_plugin.web.visitors import Visitor

PAGES = (("account.overview", "Outlook"), ("week.week", "Week"))
ADMIN_PAGES = (
    ("admin_overview.front", "Overview"),
    ("admin_accounts.listed", "Accounts"),
    ("admin_grants.listed", "Grants"),
    ("admin_integration.form", "Integration"),
    ("admin_audit.entries", "Audit log"),
)


@dataclass(frozen=True, slots=True)
class PageLink:
    """One entry of the list of pages."""

    title: str
    address: str
    here: bool


def set_up_showing(app: Flask, calsync: Calsync) -> None:
    """Give the templates of `app` what they all need."""
    app.jinja_env.globals.update(pages_of=pages_of, inner_of=lambda schema: properties(schema["items"]))

    @app.template_filter("moment")
    def moment(value: datetime | str | None, otherwise: str = "never") -> Markup | str:
        return shown(value, zone_of_page(calsync)) if value else otherwise

    @app.template_filter("sentence")
    def sentence(text: str, end: str = ".") -> str:
        """Words of a log or message as a sentence of a page; an address stays as it is."""
        begins = text if "://" in text.partition(" ")[0] else f"{text[:1].upper()}{text[1:]}"
        return begins if begins.endswith((".", "!", "?")) else f"{begins}{end}"


def pages_of(visitor: Visitor) -> Iterator[PageLink]:
    """The pages that a visitor is offered."""
    for endpoint, title in PAGES + (ADMIN_PAGES if visitor.admin else ()):
        here = request.endpoint == endpoint
        yield PageLink(title, url_for(endpoint), here)


def shown(value: datetime | str, zone: str) -> Markup:
    """A moment in a zone, readable for people and for programs."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    local = at.astimezone(ZoneInfo(zone) if zone else UTC)
    text = f"{local:%a} {local.day} {local:%b %Y, %H:%M}"
    title = f"{zone or 'UTC'}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.astimezone(UTC).isoformat(timespec="seconds"), title, text
    )


def zone_of_page(calsync: Calsync) -> str:
    """The visitor's zone: the CRM's word at the last sign-in, the mailbox's, the installation's."""
    known: Any = g.get("zone")
    if known is None:
        known = g.zone = _zone(calsync)
    return str(known)


def _zone(calsync: Calsync) -> str:
    if not current_user.is_authenticated:
        return calsync.settings.crm.time_zone
    account = calsync.store.accounts.get(current_user.user_id)
    of_account = (account.user_zone, account.zone) if account else ()
    for zone in (current_user.time_zone, *of_account, calsync.settings.crm.time_zone):
        if zone and zones.known(zone):
            return zones.iana(zone)
    return ""
