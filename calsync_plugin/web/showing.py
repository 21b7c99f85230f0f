"""What all pages show alike: the list of pages, times in the visitor's zone, the words for a status.

Decides how a moment is written and which pages a visitor is offered. Knows no page's content.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, g, request, url_for
from flask_login import current_user
from markupsafe import Markup

from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.graph import zones
from calsync_plugin.web.admin_words import HELD_WORDS, SOURCE_WORDS, STATUS_WORDS, SUBJECT_WORDS
from calsync_plugin.web.known_sentences import begun, known
from calsync_plugin.web.schema_fields import properties
from calsync_plugin.web.speaking import ENGLISH, language, say, translated
from calsync_plugin.web.speaking import moment as spoken_moment
from calsync_plugin.web.visitors import Visitor
from calsync_plugin.wording import Wording
from calsync_plugin.wording import gettext as _
from calsync_plugin.wording import pgettext as _p

PAGES = (
    ("account.overview", "Outlook"),
    ("week.week", _("Week")),
    ("booking.calendars", _("Free times")),
)
ADMIN_PAGES = (
    ("admin_overview.front", _("Overview")),
    ("admin_accounts.listed", _("Accounts")),
    ("admin_grants.listed", _("Grants")),
    ("admin_booking.listed", _("Booking calendars")),
    ("admin_features.listed", _("Features")),
    ("admin_integration.form", _("Integration")),
    ("admin_audit.entries", _("Audit log")),
)

KINDS: Mapping[str, Wording] = MappingProxyType(
    {"Meeting": _p("kind of record", "Meeting"), "Call": _p("kind of record", "Call")}
)


@dataclass(frozen=True, slots=True)
class PageLink:
    """One entry of the list of pages."""

    title: str
    address: str
    here: bool


def set_up_showing(app: Flask, calsync: Calsync) -> None:
    """Give the templates of `app` what they all need."""
    app.jinja_env.globals.update(
        status_words=STATUS_WORDS,
        held_words=HELD_WORDS,
        subject_words=SUBJECT_WORDS,
        source_words=SOURCE_WORDS,
        pages_of=pages_of,
        kind=kind,
        translated=translated,
        in_sentence=in_sentence,
        inner_of=_inner_of,
        zone_here=lambda: zone_of_page(calsync) or "UTC",
    )
    app.jinja_env.filters.update(known=known, begun=begun)

    @app.template_filter("moment")
    def moment(value: datetime | str | None, otherwise: str = _("never"), zone: str = "") -> Markup | str:
        return shown(value, zone or zone_of_page(calsync)) if value else otherwise

    @app.template_filter("sentence")
    def sentence(text: str, end: str = ".") -> str:
        """Words of a log or message as a sentence of a page; an address stays as it is."""
        text = known(text)
        begins = text if "://" in text.partition(" ")[0] else f"{text[:1].upper()}{text[1:]}"
        return begins if begins.endswith((".", "!", "?")) else f"{begins}{end}"


def kind(entity_type: str) -> str:
    """What the CRM calls a kind of record; one that an administrator made has its own name everywhere."""
    return say(KINDS.get(entity_type, entity_type))


def in_sentence(title: str) -> str:
    """A title in the middle of a sentence: German writes nouns with a capital letter there, too."""
    return title[:1].lower() + title[1:] if language() == ENGLISH else title


def _inner_of(schema: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return properties(schema["items"])


def pages_of(visitor: Visitor) -> Iterator[PageLink]:
    """The pages that a visitor is offered."""
    for endpoint, title in PAGES + (ADMIN_PAGES if visitor.admin else ()):
        here = request.endpoint == endpoint
        yield PageLink(title, url_for(endpoint), here)


def shown(value: datetime | str, zone: str) -> Markup:
    """A moment in a zone, readable for people and for programs."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    local = at.astimezone(ZoneInfo(zone) if zone else UTC)
    text = spoken_moment(local)
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
