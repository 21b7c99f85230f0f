"""`POST /webhooks/outlook` and `/webhooks/outlook/lifecycle`: what Microsoft notifies us of.

Decides what is read at all. Nobody logs in here: a delivery counts if it brings a subscription's secret, and
all it can do is to have a mailbox read. Whatever else arrives is answered 202 like everything, because Graph
repeats what it thinks was not taken, for four hours. Source: Graph docs, "Receive change notifications
through webhooks".
"""

from __future__ import annotations

import logging

from flask import Blueprint, Response, abort, request

from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import BadDelivery

log = logging.getLogger(__name__)

LARGEST_DELIVERY = 256 * 1024
LONGEST_TOKEN = 2048
"""Bytes. Graph's own tokens are lines of about a hundred characters."""


def outlook_webhooks(calsync: Calsync) -> Blueprint:
    """The receiver for one bridge. It needs nothing but the store, so it answers before anything syncs."""
    pages = Blueprint("outlook_webhooks", __name__)

    @pages.post("/webhooks/outlook")
    @pages.post("/webhooks/outlook/lifecycle")
    def receive() -> Response:
        token = request.args.get("validationToken")
        if token is not None:
            return _echo(token)
        request.max_content_length = LARGEST_DELIVERY
        try:
            calsync.notified.deliver(request.get_data(cache=False))
        except BadDelivery as error:
            log.info("%s: nothing was taken: %s", request.path, error)
        return Response(status=202)

    return pages


def _echo(token: str) -> Response:
    """Answer Graph's handshake: plain text, so that no browser takes it for a page."""
    if not 0 < len(token.encode("utf-8", "replace")) <= LONGEST_TOKEN:
        abort(400, f"a validationToken has 1 to {LONGEST_TOKEN} bytes")
    return Response(token, content_type="text/plain; charset=utf-8")
