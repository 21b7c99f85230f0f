"""Serving the simulator over HTTP with waitress, in the foreground or in a thread for tests and benches."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from flask import Flask
from waitress import wasyncore  # type: ignore[import-untyped]
from waitress.server import create_server  # type: ignore[import-untyped]

from calsync_plugin.sandbox.outlook.app import create_app
from calsync_plugin.sandbox.outlook.simulator import Simulator

# As many as a bench keeps waiting at once: 100 mailboxes and the page.
THREADS = 128
_CONNECTIONS = 1000
_AUTOSAVE_SECONDS = 5.0


def _server(app: Flask, host: str, port: int, threads: int) -> Any:
    # A dropped connection is a fault that was ordered, not a client that went away.
    logging.getLogger("waitress").setLevel(logging.ERROR)
    return create_server(
        app,
        host=host,
        port=port,
        threads=threads,
        connection_limit=_CONNECTIONS,
        channel_timeout=600,
        asyncore_use_poll=True,
        ident="outlook-sandbox",
    )


def serve(port: int, host: str = "127.0.0.1", threads: int = THREADS, data_file: Path | None = None) -> None:
    """Serve until interrupted or terminated; the state is written to `data_file` at the end."""
    app = create_app(data_file=data_file)
    app.extensions["outlook"].autosave(_AUTOSAVE_SECONDS)
    server = _server(app, host, port, threads)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        server.run()
    finally:
        app.extensions["outlook"].close()


class BackgroundServer:
    """The simulator on a port of its own choice, in a thread: a context manager for tests and benches."""

    def __init__(self, app: Flask, *, host: str = "127.0.0.1", port: int = 0, threads: int = THREADS) -> None:
        self.app = app
        self._server = _server(app, host, port, threads)
        self.url = f"http://{host}:{self._server.effective_port}"
        self._thread = threading.Thread(target=self._server.run, name="outlook-sandbox", daemon=True)

    @property
    def simulator(self) -> Simulator:
        """The simulator behind the server."""
        found = self.app.extensions["outlook"]
        assert isinstance(found, Simulator)
        return found

    def __enter__(self) -> BackgroundServer:
        """Start serving."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving and close the simulator."""
        self._server.task_dispatcher.shutdown(timeout=2)
        # Connections and listener have to be closed by the thread that polls them.
        self._server.trigger.pull_trigger(lambda: wasyncore.close_all(self._server._map))
        self._thread.join(timeout=10)
        self.simulator.close()
