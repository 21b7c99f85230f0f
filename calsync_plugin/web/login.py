"""`/oauth/callback`: where Microsoft sends the browser back to after a login.

Decides what the user reads at the end. The flow, its state and its secrets lie in `accounts.connect`.
"""

from __future__ import annotations

from flask import Blueprint, render_template, request

from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import CalsyncError


def login_pages(calsync: Calsync) -> Blueprint:
    """The login's address for one bridge."""
    pages = Blueprint("login", __name__, template_folder="templates")

    @pages.route("/oauth/callback", methods=["GET", "POST"])
    def callback() -> tuple[str, int]:
        parameters = {name: value for name, value in request.values.items() if isinstance(value, str)}
        try:
            account = calsync.connections.finish(parameters)
        except CalsyncError as error:
            return render_template("login_failed.html", reason=str(error)), 400
        return render_template("login_done.html", address=account.address, user_id=account.user_id), 200

    return pages
