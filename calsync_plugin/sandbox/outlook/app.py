"""The application: Graph in front, behind it login, page and control API in Flask."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask

from calsync_plugin.sandbox.outlook.clock import Clock
from calsync_plugin.sandbox.outlook.control import control
from calsync_plugin.sandbox.outlook.control_events import control_events
from calsync_plugin.sandbox.outlook.front import GraphFront
from calsync_plugin.sandbox.outlook.login import login
from calsync_plugin.sandbox.outlook.page import page
from calsync_plugin.sandbox.outlook.published import published
from calsync_plugin.sandbox.outlook.simulator import Simulator


def create_app(
    *,
    seed: bool = True,
    data_file: Path | None = None,
    clock: Clock | None = None,
    base_url: str | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Flask:
    """Build the simulator as a WSGI application.

    `seed` creates the fixed mailboxes; `data_file` is loaded if it exists and written by `Simulator.close`;
    `base_url` is what links carry (default: the request's Host); `sleep` is what simulated latency calls.
    The simulator is `app.extensions["outlook"]`. DroppedConnection leaves the WSGI callable when a fault
    rule breaks the connection.
    """
    app = Flask(__name__)
    sim = Simulator(seed=seed, data_file=data_file, clock=clock, base_url=base_url, sleep=sleep)
    app.extensions["outlook"] = sim
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.register_blueprint(control)
    app.register_blueprint(control_events)
    app.register_blueprint(login)
    app.register_blueprint(page)
    app.register_blueprint(published)
    app.wsgi_app = GraphFront(sim, app.wsgi_app)  # type: ignore[method-assign]
    return app
