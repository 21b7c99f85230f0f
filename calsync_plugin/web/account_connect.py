"""Connecting Outlook and taking that away: the pages before and after Microsoft's own.

Decides what is said before a disconnect. The question *Use this account?* is asked where Microsoft comes
back (`login`).
"""

from __future__ import annotations

from typing import cast

from flask import Blueprint, jsonify, redirect, render_template, request, session, url_for

from calsync_plugin.accounts.progress import progress
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.state import Account
from calsync_plugin.web.account_frame import Page, actor, connected, framed, own_account
from calsync_plugin.web.sessions import PageSession
from calsync_plugin.web.speaking import tell
from calsync_plugin.web.visitors import signed_in, visitor
from calsync_plugin.wording import gettext as _


def connect_pages(pages: Blueprint, calsync: Calsync) -> None:
    """Add the pages."""

    @pages.post("/external-account/connect")
    @signed_in
    def connect() -> Page:
        account = own_account(calsync)
        # Somebody who signs in again is offered the account that is connected.
        hint = account.address if account else ""
        address = calsync.connections.begin(
            visitor().user_id, session_hash=cast(PageSession, session).hash, login_hint=hint
        )
        if request.accept_mimetypes.best == "application/json":
            return jsonify(address=address)
        return render_template("account/connect.html", address=address)

    @pages.route("/external-account/disconnect", methods=["GET", "POST"])
    @connected(calsync)
    def disconnect(account: Account) -> Page:
        if request.method == "GET":
            linked = progress(calsync.store, account).done
            return framed(account, "disconnect.html", linked=linked)
        calsync.connections.disconnect(account.user_id, by=actor())
        tell(_("Outlook is disconnected. Nothing was deleted."), "success")
        return redirect(url_for("account.overview"), 303)
