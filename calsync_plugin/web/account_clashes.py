"""`/external-account/clashes`: what was changed in both places, with both values, for its user alone.

Decides how many are shown. Which side counted is the user's own setting.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint
from markupsafe import Markup

from calsync_plugin.accounts.naming import name_of
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.state import Account, Clash
from calsync_plugin.web.account_frame import Page, connected, framed
from calsync_plugin.web.account_words import FIELDS, WINNERS, value_words
from calsync_plugin.web.showing import zone_of_page

FIRST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ClashWords:
    """One clash as it is shown."""

    at: datetime
    meeting: str
    field: str
    crm: Markup | str
    outlook: Markup | str
    winner: str


def clashes_page(pages: Blueprint, calsync: Calsync) -> None:
    """Add the page."""

    @pages.get("/external-account/clashes")
    @connected(calsync)
    def clashes(account: Account) -> Page:
        found = calsync.store.log.clashes(account.user_id, limit=FIRST)
        links = calsync.store.links.by_ids([clash.link_id for clash in found])
        names = {link_id: name_of(link) for link_id, link in links.items()}
        zone = zone_of_page(calsync)
        shown = [_words(clash, names.get(clash.link_id, ""), zone) for clash in found]
        return framed(account, "clashes.html", clashes=shown, first=FIRST)


def _words(clash: Clash, name: str, zone: str) -> ClashWords:
    return ClashWords(
        at=clash.at,
        meeting=name,
        field=FIELDS.get(clash.field, clash.field),
        crm=value_words(clash.field, clash.crm, zone),
        outlook=value_words(clash.field, clash.outlook, zone),
        winner=WINNERS.get(clash.winner, clash.winner),
    )
