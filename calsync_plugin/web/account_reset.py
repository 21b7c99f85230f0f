"""`/external-account/reset`: beginning anew with a connected account (R19).

Decides that it is told what a reset does before it is done. What it does lies in `accounts.reset`.
"""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for

from calsync_plugin.accounts.progress import progress
from calsync_plugin.accounts.reset import reset as begin_anew
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.state import Account
from calsync_plugin.web.account_frame import Page, actor, connected, framed
from calsync_plugin.web.speaking import tell
from calsync_plugin.wording import ngettext as _n


def reset_page(pages: Blueprint, calsync: Calsync) -> None:
    """Add the page."""

    @pages.route("/external-account/reset", methods=["GET", "POST"])
    @connected(calsync)
    def reset(account: Account) -> Page:
        if request.method == "GET":
            return framed(account, "reset.html", linked=progress(calsync.store, account).done)
        count = begin_anew(calsync.store, calsync.gateway, calsync.open_mailbox, account, by=actor())
        tell(
            _n(
                "Everything is read and compared anew: %(num)s meeting.",
                "Everything is read and compared anew: %(num)s meetings.",
                count,
            ),
            "success",
        )
        return redirect(url_for("account.overview"), 303)
