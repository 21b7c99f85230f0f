"""A WSGI application on a port, in a thread of this process.

Decides how requests in hand end at a stop. Knows nothing of what it serves.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from waitress.server import create_server  # type: ignore[import-untyped]

from calsync_plugin.errors import ConfigurationError

IN_HAND = 4.0
"""Seconds that requests get to end at a stop."""
WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Server:
    """Serves until it is stopped."""

    def __init__(self, app: WsgiApp, *, host: str, port: int, threads: int, name: str) -> None:
        """Take the port at once, so that a port in use is a clear error before anything starts."""
        try:
            self._server: Any = create_server(
                app,
                host=host,
                port=port,
                threads=threads,
                ident=None,
                asyncore_use_poll=True,
                connection_limit=1000,
                clear_untrusted_proxy_headers=True,
            )
        except OSError as error:
            raise ConfigurationError(
                f"{host}:{port} cannot be used: {error.strerror or error}",
                path="serve.port",
                expected="a free port; choose another one with --port",
            ) from error
        # A name with several addresses has no one port to tell.
        self.port: int = port or int(self._server.effective_port)
        self._thread = threading.Thread(target=self._server.run, name=name, daemon=True)

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Let the requests in hand end, send their answers, and close what browsers keep open."""
        self._server.task_dispatcher.shutdown(timeout=IN_HAND)
        # Channels and listener belong to the thread that polls them.
        self._server.trigger.pull_trigger(self._close)
        self._thread.join(timeout=IN_HAND)

    def _close(self) -> None:
        for channel in self._server.active_channels.values():
            channel.close_when_flushed = True
        self._server.close()
