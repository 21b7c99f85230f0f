"""What every answer has in common: security headers, and our errors in the form that the asker reads.

Decides a status that makes the sender do the right thing, JSON for programs and a page for people. Never a
secret, and what is wrong with the installation itself is for its log.
"""

from __future__ import annotations

import logging

from flask import Flask, Response, jsonify, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from calsync_plugin.errors import (
    BadDelivery,
    BadSignature,
    CalsyncError,
    ConfigurationError,
    DeliveryError,
    RemoteError,
    StoreBusy,
    StoreError,
    UserError,
)
from calsync_plugin.web.known_sentences import in_words, known
from calsync_plugin.web.speaking import PROGRAMS
from calsync_plugin.wording import gettext as _

log = logging.getLogger(__name__)

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
Answer = tuple[Response, int] | tuple[str, int]
TITLES = {
    400: _("That was not understood"),
    401: _("Please sign in"),
    403: _("Not for you"),
    404: _("Not here"),
}


def set_up_answers(app: Flask, *, secure: bool) -> None:
    """Let all answers of `app` be like this; `secure`: its public address is https, whoever ends that."""
    app.register_error_handler(CalsyncError, _explain)
    app.register_error_handler(CSRFError, _too_old)
    app.register_error_handler(HTTPException, _explain_http)
    app.after_request(_harden)
    if secure:
        app.after_request(_only_https)


def _explain(error: CalsyncError) -> Answer:
    """401 for a forged delivery; 503 when our store is busy, which EspoCRM answers by trying again later."""
    if isinstance(error, BadSignature):
        status = 401
    elif isinstance(error, BadDelivery):
        status = 404
    elif isinstance(error, StoreBusy):
        status = 503
    elif isinstance(error, UserError) and not isinstance(error, ConfigurationError | StoreError):
        return _said(in_words(error), 409)
    elif isinstance(error, RemoteError) and not _asked_by_program():
        log.warning("%s %s: %s", request.method, request.path, error)
        return _said(_("The CRM or Outlook does not answer now. Please try again in a minute."), 502)
    else:
        log.error("%s %s: %s", request.method, request.path, error)
        return _said(_("calsync cannot do this now; its log says why"), 500)
    if isinstance(error, DeliveryError | StoreBusy):
        # Silence would hide a full disk, and a webhook whose secret is no longer the one that we know.
        log.warning("%s %.200s was refused: %s", request.method, request.path, error)
    return _said(str(error), status)


def _explain_http(error: HTTPException) -> Answer:
    return _said(error.description or error.name, error.code or 500)


def _too_old(error: CSRFError) -> Answer:
    log.info("%s %.200s without a valid form token: %s", request.method, request.path, error.description)
    return _said(_("This page was open for too long. Go back, reload it and try again."), 400)


def _said(text: str, status: int) -> Answer:
    text = known(text)
    if _asked_by_program():
        return jsonify(error=text), status
    return render_template(
        "problem.html", title=TITLES.get(status, _("That did not work")), text=text
    ), status


def _asked_by_program() -> bool:
    return request.path.startswith(PROGRAMS) or request.accept_mimetypes.best == "application/json"


def _harden(response: Response) -> Response:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("Content-Security-Policy", POLICY)
    return response


def _only_https(response: Response) -> Response:
    response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response
