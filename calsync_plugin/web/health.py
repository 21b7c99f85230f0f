"""`/healthz`, `/readyz` and `/`: is the bridge alive, can it work, and what is it.

Decides nothing about accounts; a broken account does not make the bridge unready.
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import CalsyncError


def health(calsync: Calsync) -> Blueprint:
    """The health addresses of one bridge."""
    pages = Blueprint("health", __name__)

    @pages.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    @pages.get("/readyz")
    def readyz() -> tuple[Response, int]:
        try:
            waiting = calsync.store.changes.waiting()
        except CalsyncError as error:
            return jsonify(status="unready", reason=str(error)), 503
        return jsonify(status="ready", waiting=waiting), 200

    return pages
