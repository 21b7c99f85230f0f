"""The bridge as a running thing: web addresses, worker, webhooks; started and stopped in order.

Decides the order: what a wrong key or address shows is shown before anything is answered.
"""

from __future__ import annotations

import socket
import threading

from calsync_plugin.accounts.setup import check_services, set_up_webhooks
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.web.app import MAX_BODY, create_app
from calsync_plugin.web.server import Server

LONGEST_STOP = 6.0
"""Seconds: what started us kills us after ten, and closing takes time too."""


class Bridge:
    """One bridge in one process."""

    def __init__(self, calsync: Calsync, listener: socket.socket | None = None) -> None:
        """Take the port, unless `listener` is bound to it already; nothing is answered yet."""
        self.calsync = calsync
        serve = calsync.settings.serve
        self.server = Server(
            create_app(calsync),
            host=serve.host,
            port=serve.port,
            threads=serve.threads,
            name="calsync-web",
            largest_body=MAX_BODY,
            trusted_proxy=serve.trusted_proxy,
            listener=listener,
        )

    def start(self) -> None:
        """Check the services, make the webhooks, answer and work. Raises ConfigurationError in one line."""
        check_services(self.calsync)
        self.server.start()
        set_up_webhooks(self.calsync)
        self.calsync.start()

    def stop(self) -> None:
        """Stop answering and working; everything in hand is kept. Takes `LONGEST_STOP` seconds at most."""
        answering = threading.Thread(target=self.server.stop, name="calsync-web-stop")
        answering.start()
        self.calsync.worker.stop(timeout=LONGEST_STOP)
        answering.join()
        self.calsync.stop()
