"""`/external-account/parked`: what could not be synced, and why, by the names that its user knows.

Decides what can be done about it here: trying again. Why something is parked is the engine's word.
"""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for

from calsync_plugin.accounts.naming import parked_names
from calsync_plugin.accounts.resuming import try_parked_again
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.state import Account, Parked
from calsync_plugin.web.account_frame import Page, connected, framed
from calsync_plugin.web.known_sentences import begun, known
from calsync_plugin.web.speaking import tell
from calsync_plugin.wording import ngettext as _n

FIRST = 100


def parked_page(pages: Blueprint, calsync: Calsync) -> None:
    """Add the page."""

    @pages.route("/external-account/parked", methods=["GET", "POST"])
    @connected(calsync)
    def parked(account: Account) -> Page:
        if request.method == "POST" and account.mailbox_id:
            count = try_parked_again(calsync.store, account.mailbox_id)
            calsync.store.queue.hint(account.mailbox_id)
            tell(_n("%(num)s entry is tried again.", "%(num)s entries are tried again.", count), "success")
            return redirect(url_for("account.parked"), 303)
        items = calsync.store.parked.all(user_id=account.user_id, limit=FIRST + 1)
        names = parked_names(calsync.gateway, calsync.open_mailbox, account, items[:FIRST])
        return framed(
            account,
            "parked.html",
            items=items[:FIRST],
            more=len(items) > FIRST,
            names=names,
            reasons=[_reason(item) for item in items[:FIRST]],
        )


def _reason(item: Parked) -> str:
    """Why, without the id that stands before it for an administrator."""
    text = item.message.removeprefix(f"{item.entity_type} {item.record_id}: ")
    text = text.removeprefix(f"event {item.event_id[-12:]}: ")
    return begun(known(text))
