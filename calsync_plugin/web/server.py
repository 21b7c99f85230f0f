"""A WSGI application on a port, in a thread of this process.

Decides how requests in hand end at a stop. Knows nothing of what it serves.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

from waitress.server import create_server  # type: ignore[import-untyped]

from calsync_plugin.errors import ConfigurationError

IN_HAND = 3.0
"""Seconds that requests get to end at a stop."""
LARGEST_BODY = 8 * 1024 * 1024
"""Bytes. waitress takes 1 GB to the disk before an application can refuse it."""
WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Server:
    """Serves until it is stopped."""

    def __init__(
        self,
        app: WsgiApp,
        *,
        host: str,
        port: int,
        threads: int,
        name: str,
        largest_body: int = LARGEST_BODY,
        trusted_proxy: str = "",
        listener: socket.socket | None = None,
    ) -> None:
        """Take the port at once, so that a port in use is a clear error before anything starts.

        What the proxy at the address `trusted_proxy` says of a visitor counts; from others it is taken away.
        `listener` has the port already, where somebody had to know it before there was an application.
        """
        try:
            self._server: Any = create_server(
                app,
                **({"sockets": [listener]} if listener else {"host": host, "port": port}),
                threads=threads,
                ident=None,
                asyncore_use_poll=True,
                connection_limit=1000,
                max_request_body_size=largest_body,
                clear_untrusted_proxy_headers=True,
                **_trusting(trusted_proxy),
            )
        except (OSError, ValueError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ConfigurationError(
                f"{host}:{port} cannot be used: {reason}",
                path="serve.port",
                expected="a free port; choose another one with --port",
            ) from error
        # A name with several addresses has no one port to tell.
        self.port: int = port or int(self._server.effective_port)
        self._thread = threading.Thread(target=self._server.run, name=name, daemon=True)

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self, in_hand: float = IN_HAND) -> None:
        """Let the requests in hand end, send their answers, and close what browsers keep open.

        Takes twice `in_hand` seconds at most.
        """
        self._server.task_dispatcher.shutdown(timeout=in_hand)
        # Channels and listener belong to the thread that polls them.
        # It may take the call up, and close its trigger, before the trigger is pulled for it.
        with suppress(OSError):
            self._server.trigger.pull_trigger(self._close)
        self._thread.join(timeout=in_hand)

    def _close(self) -> None:
        for channel in self._server.active_channels.values():
            channel.close_when_flushed = True
        self._server.close()


def _trusting(proxy: str) -> dict[str, Any]:
    """What waitress needs in order to believe one proxy: who visits, and whether by https."""
    if not proxy:
        return {}
    return {
        # Spelt as the socket tells it.
        "trusted_proxy": str(ip_address(proxy)),
        "trusted_proxy_count": 1,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
    }
