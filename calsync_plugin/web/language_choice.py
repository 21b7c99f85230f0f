"""`/language`: the visitor chooses a language in the foot of a page; the browser keeps it in a cookie.

Decides how long it is kept. It works before anybody has signed in, and goes before what the CRM says: whoever
uses this browser can read that language.
"""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from calsync_plugin.web.sign_in import ours
from calsync_plugin.web.speaking import COOKIE, LANGUAGES

LASTS = 365 * 86_400
"""Seconds."""


def language_pages(*, secure: bool) -> Blueprint:
    """The address; `secure`: browsers send the cookie over https alone."""
    pages = Blueprint("language", __name__)

    @pages.app_template_global()
    def here_again() -> str:
        """The page to come back to: one that can be opened again, as the answers to a login cannot."""
        if request.method != "GET" or request.endpoint is None or request.blueprint == "login":
            return url_for("account.overview")
        return request.full_path.rstrip("?")

    @pages.post("/language")
    def choose() -> Response:
        answer = redirect(ours(request.form.get("next", "")), 303)
        chosen = request.form.get("language", "")
        if chosen in LANGUAGES:
            answer.set_cookie(COOKIE, chosen, max_age=LASTS, secure=secure, httponly=True, samesite="Lax")
        return answer

    return pages
