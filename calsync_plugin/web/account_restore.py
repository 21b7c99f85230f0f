"""`/external-account/restore`: what calsync deleted in the last 30 days, and bringing it back (R11).

Decides what is told of an entry: its name to its own user. What restoring means lies in `accounts.restore`.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, redirect, request, url_for

from calsync_plugin.accounts.restore import Restored, Restorer
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.state import Account
from calsync_plugin.web.account_frame import Page, actor, connected, framed
from calsync_plugin.web.known_sentences import known
from calsync_plugin.web.speaking import tell
from calsync_plugin.wording import gettext as _
from calsync_plugin.wording import ngettext as _n

FIRST = 200


def restore_page(pages: Blueprint, calsync: Calsync) -> None:
    """Add the page."""

    @pages.route("/external-account/restore", methods=["GET", "POST"])
    @connected(calsync)
    def restore(account: Account) -> Page:
        restorer = Restorer(calsync.store, calsync.gateway, calsync.open_mailbox, calsync.entities)
        if request.method == "GET":
            entries = restorer.entries(account)
            return framed(
                account,
                "restore.html",
                entries=entries[:FIRST],
                more=len(entries) > FIRST,
                names=restorer.names(account),
            )
        chosen = request.form.getlist("entry")[:FIRST]
        if not chosen:
            tell(_("Tick what you want back."), "warning")
        else:
            invite = request.form.get("invite") == "yes"
            _tell(restorer.restore(account, chosen, with_attendees=invite, by=actor()))
        return redirect(url_for("account.restore"), 303)


def _tell(done: Sequence[Restored]) -> None:
    count = sum(one.done for one in done)
    if count:
        tell(
            _n(
                "%(num)s entry is back. They are not followed.",
                "%(num)s entries are back. They are not followed.",
                count,
            ),
            "success",
        )
    for one in done:
        if not one.done:
            tell(_("One entry could not be restored: %(why)s", why=known(one.text)), "danger")
