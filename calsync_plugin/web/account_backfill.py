"""`/external-account/backfill`: records that lie still until their user has seen what would be sent (R8).

Decides how many are listed. What would be sent, and that exactly that is confirmed, lies in
`accounts.backfill`.
"""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for

from calsync_plugin.accounts.backfill import Backfill
from calsync_plugin.accounts.naming import record_names
from calsync_plugin.accounts.outgoing import Preview
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.state import Account
from calsync_plugin.web.account_frame import Page, actor, connected, framed
from calsync_plugin.web.speaking import tell
from calsync_plugin.wording import gettext as _
from calsync_plugin.wording import ngettext as _n

FIRST = 50


def backfill_page(pages: Blueprint, calsync: Calsync) -> None:
    """Add the page."""

    @pages.route("/external-account/backfill", methods=["GET", "POST"])
    @connected(calsync)
    def backfill(account: Account) -> Page:
        worker = Backfill(calsync)
        preview = worker.preview(account.user_id)
        if request.method == "GET":
            return _shown(calsync, account, preview)
        if request.form.get("fingerprint") != preview.fingerprint:
            tell(_("This changed since you looked at it. Please look again; nothing was sent."), "warning")
            return _shown(calsync, account, preview), 409
        count = worker.confirm(preview, by=actor())
        tell(
            _n("%(num)s record goes to Outlook now.", "%(num)s records go to Outlook now.", count), "success"
        )
        return redirect(url_for("account.overview"), 303)


def _shown(calsync: Calsync, account: Account, preview: Preview) -> str:
    listed = preview.records[:FIRST]
    names = record_names(calsync.gateway, account, [(one.entity_type, one.record_id) for one in listed])
    return framed(account, "backfill.html", preview=preview, listed=listed, names=names)
