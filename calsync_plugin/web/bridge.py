"""The bridge as a running thing: web addresses, worker, webhooks; started and stopped in order.

Decides what must be true before the bridge starts, so that a wrong key is one line at the start and not a
thousand in the log.
"""

from __future__ import annotations

import logging

from calsync_plugin.crm.webhook_setup import ensure_webhooks, wanted_events
from calsync_plugin.engine.assembly import Calsync
from calsync_plugin.errors import ConfigurationError, Forbidden, RemoteError, Unauthorized
from calsync_plugin.state import Webhook
from calsync_plugin.web.app import create_app
from calsync_plugin.web.server import Server

log = logging.getLogger(__name__)


class Bridge:
    """One bridge in one process."""

    def __init__(self, calsync: Calsync) -> None:
        """Take the port; nothing is answered yet."""
        self.calsync = calsync
        serve = calsync.settings.serve
        self.server = Server(
            create_app(calsync), host=serve.host, port=serve.port, threads=serve.threads, name="calsync-web"
        )

    def start(self) -> None:
        """Check the services, make the webhooks, answer and work. Raises ConfigurationError in one line."""
        check_services(self.calsync)
        self.server.start()
        set_up_webhooks(self.calsync)
        self.calsync.start()

    def stop(self) -> None:
        """Stop answering, then working; everything in hand is kept."""
        self.server.stop()
        self.calsync.stop()


def check_services(calsync: Calsync) -> None:
    """Make sure that both services can be reached and know us."""
    settings = calsync.settings
    try:
        calsync.espocrm.get("App/user")
    except Unauthorized as error:
        raise ConfigurationError(
            "the CRM does not accept the key", path="crm.api_key", expected="the key of an API user"
        ) from error
    except Forbidden as error:
        raise ConfigurationError(
            f"the CRM refuses this address or user: {error}",
            path="crm.api_key",
            expected="an API user with a role; after failed logins wait a minute",
        ) from error
    except RemoteError as error:
        raise ConfigurationError(
            f"the CRM cannot be reached: {error}", path="crm.url", expected="the address of a running EspoCRM"
        ) from error
    try:
        calsync.http.send("GET", f"{settings.graph.url}/me")
    except RemoteError as error:
        raise ConfigurationError(
            f"Microsoft Graph cannot be reached: {error}",
            path="graph.url",
            expected="https://graph.microsoft.com/v1.0",
        ) from error


def set_up_webhooks(calsync: Calsync) -> None:
    """Find or make the CRM's webhooks for us, and keep their secrets."""
    store = calsync.store.webhooks
    known = {webhook.id: webhook.secret for webhook in store.all()}
    address = calsync.settings.serve.public_url + calsync.settings.crm.webhook_path
    events = wanted_events(calsync.entities.values())
    for webhook in ensure_webhooks(calsync.espocrm, address, events, known):
        store.save(Webhook(webhook.id, webhook.event, webhook.secret))
    log.info("%d webhooks of the CRM report to %s", len(events), address)
