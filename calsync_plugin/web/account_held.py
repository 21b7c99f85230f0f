"""`/external-account/held`: deletions and mailings that are held until a person decides (R11).

Decides how they are named. What confirming and discarding mean lies in `accounts.holds`.
"""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for

from calsync_plugin.accounts import holds
from calsync_plugin.accounts.naming import name_of
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.state import Account, Decision
from calsync_plugin.web.account_frame import Page, actor, connected, framed
from calsync_plugin.web.speaking import tell
from calsync_plugin.wording import ngettext as _n


def held_page(pages: Blueprint, calsync: Calsync) -> None:
    """Add the page."""

    @pages.route("/external-account/held", methods=["GET", "POST"])
    @connected(calsync)
    def held(account: Account) -> Page:
        waiting = [h for h in calsync.store.held.all(account.mailbox_id or 0) if h.decision is Decision.NONE]
        if request.method == "GET":
            links = calsync.store.links.by_ids([one.link_id for one in waiting])
            names = {link_id: name_of(link) for link_id, link in links.items()}
            kinds = {link_id: link.entity_type for link_id, link in links.items()}
            return framed(account, "held.html", held=waiting, names=names, kinds=kinds)
        decision = request.form.get("decision", "")
        if decision == "confirm":
            count = holds.confirm(calsync.store, account, by=actor())
            tell(
                _n("%(num)s held change goes ahead now.", "%(num)s held changes go ahead now.", count),
                "success",
            )
        elif decision == "discard":
            count = holds.discard(calsync.store, account, by=actor())
            tell(
                _n(
                    "%(num)s held change was given up. Its meeting stays and is no longer followed.",
                    "%(num)s held changes were given up. Their meetings stay and are no longer followed.",
                    count,
                ),
                "success",
            )
        return redirect(url_for("account.held"), 303)
