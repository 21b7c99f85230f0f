"""The bridge's Flask application: puts the addresses together and turns our errors into answers.

Decides what every answer has in common: security headers, no secrets, a status that makes the sender do the
right thing. What an address does lies in its blueprint.
"""

from __future__ import annotations

import logging

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import BadDelivery, BadSignature, CalsyncError, DeliveryError, StoreBusy
from calsync_plugin.web.crm_webhooks import crm_webhooks
from calsync_plugin.web.health import health
from calsync_plugin.web.login import login_pages

log = logging.getLogger(__name__)

MAX_BODY = 1024 * 1024
"""EspoCRM sends 50 records at most in one delivery; more than this is not EspoCRM."""


def create_app(calsync: Calsync) -> Flask:
    """The web application of one bridge."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.register_blueprint(crm_webhooks(calsync))
    app.register_blueprint(health(calsync))
    app.register_blueprint(login_pages(calsync))
    app.register_error_handler(CalsyncError, _explain)
    app.register_error_handler(HTTPException, _explain_http)
    app.after_request(_harden)
    return app


def _explain(error: CalsyncError) -> tuple[Response, int]:
    """401 for a forged delivery; 503 when our store is busy, which EspoCRM answers by trying again later.

    What is wrong with the installation itself is for its log, not for whoever asked.
    """
    if isinstance(error, BadSignature):
        status = 401
    elif isinstance(error, BadDelivery):
        status = 404
    elif isinstance(error, StoreBusy):
        status = 503
    else:
        log.error("%s %s: %s", request.method, request.path, error)
        return jsonify(error="calsync cannot do this now; its log says why"), 500
    if isinstance(error, DeliveryError | StoreBusy):
        # Silence would hide a full disk, and a webhook whose secret is no longer the one that we know.
        log.warning("%s %.200s was refused: %s", request.method, request.path, error)
    return jsonify(error=str(error)), status


def _explain_http(error: HTTPException) -> tuple[Response, int]:
    return jsonify(error=error.description), error.code or 500


def _harden(response: Response) -> Response:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault(
        "Content-Security-Policy", "default-src 'none'; style-src 'self' 'unsafe-inline'; form-action 'self'"
    )
    return response
