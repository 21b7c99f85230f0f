"""The simulator as a WSGI application and as a server on loopback."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import requests
from flask import Flask, Response, request
from waitress.server import create_server  # type: ignore[import-untyped]
from werkzeug.exceptions import HTTPException

from calsync_plugin.sandbox.crm import (  # noqa: F401 - they register their routes
    admin_api,
    calendar_api,
    external_accounts,
    preferences,
)
from calsync_plugin.sandbox.crm.answers import API
from calsync_plugin.sandbox.crm.api import api
from calsync_plugin.sandbox.crm.clock import Clock
from calsync_plugin.sandbox.crm.control import control
from calsync_plugin.sandbox.crm.faults import FaultLayer
from calsync_plugin.sandbox.crm.page import page
from calsync_plugin.sandbox.crm.settings import Settings
from calsync_plugin.sandbox.crm.simulator import Crm


def create_app(
    *,
    seed: bool = True,
    data_file: Path | None = None,
    clock: Clock | None = None,
    session: requests.Session | None = None,
    webhook_interval: float | None = None,
    marker_fields: bool = True,
) -> Flask:
    """The CRM as a Flask app; the simulator itself is `app.extensions["crm"]`.

    `webhook_interval` in seconds: None sends nothing until `Crm.deliver_now()`, 0 sends at once from a daemon
    thread (end it with `Crm.close()`), more runs the queue in that rhythm of the simulator's clock. `session`
    carries the webhooks. `data_file` is loaded if it exists; saving is `serve`'s. `marker_fields` adds
    `cOutlookEventId` and `cOutlookJoinUrl` to Meeting, Call and Visit.
    """
    settings = Settings(webhook_interval=webhook_interval)
    crm = Crm(clock=clock, settings=settings, session=session, marker_fields=marker_fields)
    if data_file is not None and data_file.exists():
        crm.load(json.loads(data_file.read_text(encoding="utf-8")))
        settings.webhook_interval = webhook_interval
    elif seed:
        crm.seed()
    app = Flask(__name__)
    app.extensions["crm"] = crm
    app.register_blueprint(api)
    app.register_blueprint(control)
    app.register_blueprint(page)
    for status in (404, 405):
        app.register_error_handler(status, _unknown_route)
    app.after_request(lambda response: _dated(response, crm.clock))
    app.wsgi_app = FaultLayer(app.wsgi_app, crm)  # type: ignore[method-assign]
    if webhook_interval is not None:
        crm.dispatcher.start()
    return app


def _dated(response: Response, clock: Clock) -> Response:
    """Every answer tells the server's time, by the clock that stamps its records."""
    response.date = clock.now()
    return response


def _unknown_route(error: HTTPException) -> Response | HTTPException:
    """EspoCRM says 404 to a method that a route does not know, too."""
    return Response(status=404, content_type="application/json") if request.path.startswith(API) else error


class Saver:
    """Writes the CRM to its file if it changed: once a second, a large one less often, and at the end."""

    def __init__(self, crm: Crm, path: Path) -> None:
        self._crm = crm
        self._path = path
        self._saved = -1
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="crm-saver", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and write what is left."""
        self._stop.set()
        self._thread.join()
        self._save()

    def _loop(self) -> None:
        pause = 1.0
        while not self._stop.wait(timeout=pause):
            began = time.monotonic()
            self._save()
            # Saving holds everybody up, so it takes a tenth of the time at most.
            pause = max(1.0, 10 * (time.monotonic() - began))

    def _save(self) -> None:
        revision = self._crm.store.revision
        if revision != self._saved:
            self._crm.save_to(self._path)
            self._saved = revision


class CrmServer:
    """The simulator behind a socket, for a process that serves more than one thing.

    `run` blocks until another thread calls `close`. Port 0 takes a free one; `url` tells which.
    """

    def __init__(
        self,
        port: int,
        host: str = "127.0.0.1",
        threads: int = 8,
        data_file: Path | None = None,
        webhook_interval: float | None = 0,
    ) -> None:
        app = create_app(data_file=data_file, webhook_interval=webhook_interval)
        self.crm: Crm = app.extensions["crm"]
        self._saver = Saver(self.crm, data_file) if data_file is not None else None
        self._server: Any = create_server(app, host=host, port=port, threads=threads, ident=None)
        self.url = f"http://{host}:{self._server.effective_port}"

    def run(self) -> None:
        """Serve; ends by `close` or an interrupt, with everything saved."""
        if self._saver is not None:
            self._saver.start()
        try:
            self._server.run()
        finally:
            self.crm.close()
            if self._saver is not None:
                self._saver.stop()

    def close(self) -> None:
        """End `run`: no new connections, what is being answered is answered."""
        self._server.close()


def serve(
    port: int,
    host: str = "127.0.0.1",
    threads: int = 8,
    data_file: Path | None = None,
    webhook_interval: float | None = 0,
) -> None:
    """Serve the CRM until the process is interrupted. Webhooks go out at once unless told otherwise."""
    CrmServer(port, host, threads, data_file, webhook_interval).run()
