"""`/oauth/callback`: where Microsoft sends the browser back to after a login, and what is asked then.

Decides what the user reads. Microsoft's answer is a POST from its own site (form_post), with which browsers
send no cookie of SameSite=Lax; so it is kept for a moment under a ticket, and the browser comes back with a
GET, which brings the cookie. Flow, state and secrets lie in `accounts.connect`, the question in
`accounts.asking`.
"""

from __future__ import annotations

import json
import logging
from secrets import token_urlsafe
from typing import cast

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import (
    CalsyncError,
    ConfigurationError,
    RemoteError,
    StoreBusy,
    StoreError,
    UserError,
)
from calsync_plugin.web.known_sentences import begun, in_words, known
from calsync_plugin.web.sessions import PageSession
from calsync_plugin.wording import gettext as _

log = logging.getLogger(__name__)

TICKET = "login-answer:"
SECONDS = 60.0
LARGEST = 20_000
UNKNOWN = _("This login is not known or took too long. Please connect again.")
Page = Response | tuple[str, int]


def login_pages(calsync: Calsync) -> Blueprint:
    """The login's addresses for one bridge."""
    pages = Blueprint("login", __name__, template_folder="templates")

    @pages.route("/oauth/callback", methods=["GET", "POST"])
    def callback() -> Page:
        if "admin_consent" in request.values:
            return _consented()
        answer = json.dumps({n: v for n, v in request.values.items() if isinstance(v, str)})
        if len(answer) > LARGEST or not calsync.store.oauth_flows.knows(request.values.get("state", "")):
            return _failed(UNKNOWN)
        ticket = token_urlsafe(32)
        calsync.store.sessions.save(TICKET + ticket, answer, user_id="", seconds=SECONDS)
        return redirect(url_for("login.done", ticket=ticket), 303)

    @pages.get("/oauth/done")
    def done() -> Page:
        ticket = TICKET + request.args.get("ticket", "")
        answer = calsync.store.sessions.load(ticket)
        calsync.store.sessions.end(ticket)
        try:
            question = calsync.asking.ask(json.loads(answer or "{}"), **_whose())
        except CalsyncError as error:
            return _failed(_in_words(error))
        own = question.user_id == _visitor_id()
        return render_template("login_question.html", question=question, own=own), 200

    @pages.post("/oauth/answer")
    def answer() -> Page:
        ticket = request.form.get("ticket", "")
        if request.form.get("answer") != "yes":
            calsync.asking.no(ticket)
            return render_template("login_kept_nothing.html"), 200
        try:
            account = calsync.asking.yes(ticket, **_whose())
        except CalsyncError as error:
            return _failed(_in_words(error))
        own = account.user_id == _visitor_id()
        return render_template("login_done.html", account=account, own=own), 200

    return pages


def _consented() -> Page:
    """Microsoft's answer to the link for administrators; nothing of ours follows from it."""
    given = request.values["admin_consent"].lower() == "true" and "error" not in request.values
    return render_template("consent.html", given=given), 200


def _in_words(error: CalsyncError) -> str:
    """What the user reads: what is wrong with the installation is for its log."""
    if isinstance(error, UserError) and not isinstance(error, ConfigurationError | StoreError):
        return in_words(error)
    log.warning("a login could not be ended: %s", error)
    if isinstance(error, RemoteError | StoreBusy):
        return _("Microsoft or calsync itself does not answer now. Please connect again in a minute.")
    return _("calsync is not set up rightly; its log says why. Please tell your administrator.")


def _failed(reason: str) -> Page:
    return render_template("login_failed.html", reason=begun(known(reason))), 400


def _whose() -> dict[str, str]:
    """Whose browser this is."""
    own = cast(PageSession, session)
    return {"session_hash": own.hash if own.token else "", "visitor_id": _visitor_id()}


def _visitor_id() -> str:
    return str(current_user.user_id) if current_user.is_authenticated else ""
